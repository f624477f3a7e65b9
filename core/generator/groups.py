"""What the generator's latent is made of: groups that can be set one by one, after GAN-Control (Shoshan et al., ICCV 2021).

Each group has known factors, which the training pictures tell and a user may set, and free numbers z for what nobody named.  Its own small
mapping network makes its share of w from both.  The view is no group: it enters the generator's first layers, the groups all the others.
Nor is the shape but for what its surface does not show: what usually goes with such a body.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from ..types import BODY_TYPES

VIEW = ("azimuth_rad", "elevation_rad", "log_distance_lengths")
LIGHT_SIDES = ("left", "right", "nose", "tail", "up", "down")
_COLOURS = ("red", "green", "blue")


@dataclass(frozen=True)
class Group:
    """factors: names of what is known; free: numbers of z; width: numbers of w."""

    name: str
    factors: tuple[str, ...]
    free: int
    width: int


GROUPS = (
    Group("shape", tuple(f"body_{name}" for name in BODY_TYPES), 32, 96),
    Group("paint", (*(f"paint_{name}" for name in _COLOURS), "paint_roughness", "paint_metal"), 8, 64),
    Group("wheels", tuple(f"wheel_{name}" for name in _COLOURS), 24, 64),
    Group("lamps", ("headlights_on", "taillights_on"), 4, 32),
    Group("light", (*(f"light_{side}_{name}" for side in LIGHT_SIDES for name in _COLOURS), "filmic"), 24, 64),
    Group("rest", (), 32, 64),
)
"""Body types 0 or 1 (all else of the shape the generator sees, see surface.py); paint_red .. sRGB; wheel_red .. mean sRGB of the wheels'
outer sides; light_*: natural log of LIGHT_FLOOR plus the light on a white slope facing that side of the car, exposure applied."""
LIGHT_FLOOR = 0.02
NAMES = tuple(group.name for group in GROUPS)
FACTORS = tuple(name for group in GROUPS for name in group.factors)
FACTOR_COUNT, FREE_COUNT, WIDTH = len(FACTORS), sum(g.free for g in GROUPS), sum(g.width for g in GROUPS)


def _spread(name: str) -> tuple[float, float]:
    """Rough mean and standard deviation of a factor, for networks' inputs and losses."""
    if name.startswith("body_"):
        return 1 / len(BODY_TYPES), 0.33
    if name.startswith("light_"):
        return 0.0, 0.8
    return {"paint_roughness": (0.3, 0.13), "paint_metal": (0.25, 0.3)}.get(name, (0.4, 0.25) if name[:2] in ("pa", "wh") else (0.5, 0.5))


FACTOR_MEAN = tuple(_spread(name)[0] for name in FACTORS)
FACTOR_SCALE = tuple(_spread(name)[1] for name in FACTORS)


def _slices(sizes: list[int]) -> dict[str, slice]:
    ends = list(accumulate(sizes))
    return {name: slice(end - size, end) for name, size, end in zip(NAMES, sizes, ends, strict=True)}


FACTOR_SLICE = _slices([len(g.factors) for g in GROUPS])
FREE_SLICE = _slices([g.free for g in GROUPS])
WIDTH_SLICE = _slices([g.width for g in GROUPS])
"""Where each group lies in a vector of factors, of z and of w."""


def _mirrored(name: str) -> str:
    for side, other in (("left", "right"), ("right", "left")):
        if name.startswith(f"light_{side}_"):
            return name.replace(side, other)
    return name


MIRRORED_FACTORS = tuple(FACTORS.index(_mirrored(name)) for name in FACTORS)
"""factors[MIRRORED_FACTORS] are those of the mirrored picture, whose azimuth is the negative."""
