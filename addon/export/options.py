"""What may be chosen of an export, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...core.errors import Trouble, UserInputError
from .presets import PRESETS, Axes, Preset

FORMATS = ("GLB", "USD", "FBX")
ENDINGS = {"GLB": (".glb",), "USD": (".usd", ".usdc", ".usda", ".usdz"), "FBX": (".fbx",)}
LOD_SHARES01 = (1.0, 0.5, 0.2)
MOST_FRAMES = 100_000


@dataclass(frozen=True)
class ExportOptions:
    """format GLB, USD or FBX; preset a key of PRESETS; frames (first, last) of the scene, or None for the car at rest at the origin.

    With `lods` there are levels of detail with shares of the faces as in LOD_SHARES01; with `collision` a convex hull of the body.
    Raises: UserInputError for what is not known.
    """

    format: str = "GLB"
    preset: str = "GENERIC"
    frames: tuple[int, int] | None = None
    lods: bool = False
    collision: bool = False

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise UserInputError(f"there is no format {self.format!r}: choose one of {', '.join(FORMATS)}.", Trouble.SCENE)
        if self.preset not in PRESETS:
            raise UserInputError(f"there is no preset {self.preset!r}: choose one of {', '.join(PRESETS)}.", Trouble.SCENE)
        if self.frames is not None and not 0 <= self.frames[1] - self.frames[0] < MOST_FRAMES:
            raise UserInputError(f"there is nothing between frame {self.frames[0]} and {self.frames[1]}: mend the range.", Trouble.SCENE)

    @property
    def wishes(self) -> Preset:
        return PRESETS[self.preset]

    @property
    def axes(self) -> Axes:
        return self.wishes.axes[self.format]


def path_with_ending(path: Path, format: str) -> Path:
    """With an ending of the format: one that it has stays, one of another format gives way."""
    ending = path.suffix.lower()
    if ending in ENDINGS[format]:
        return path
    if any(ending in others for others in ENDINGS.values()):
        return path.with_suffix(ENDINGS[format][0])
    return path.with_name(path.name + ENDINGS[format][0])


@dataclass(frozen=True)
class Level:
    """One level of detail as it came out: triangles of the whole car and their share of the finest level's."""

    level: int
    triangles: int
    share01: float


@dataclass(frozen=True)
class Exported:
    """What was written: the files, the chosen one first; frames of animation; levels; faces of the hull; what the user should know."""

    files: tuple[Path, ...]
    frames: int = 0
    levels: tuple[Level, ...] = ()
    hull_faces: int = 0
    notices: tuple[str, ...] = ()
