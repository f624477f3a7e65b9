"""What Blender's sliders need to move a finished car: its measures, and which of them move it.  numpy alone.

The sliders evaluate the template itself (skeleton.py, wheels.py), so any combination of measures is exactly the car that the fit would
have made of them; nothing is blended.  What the shape space adds to the template comes along as one offset a vertex, stretched as there.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..errors import check_shape
from ..types import CarShape
from .measure_table import INDEX, MEASURES, NAMES, to_array
from .skeleton import body_vertices, skeleton
from .space import scale
from .wheels import wheel_faces

FIXED = ("cab_drop",)  # decides what kind of car it is; between its ends there is none
MOVES_M = 1e-4  # a measure that moves no vertex this far over its whole range is no slider of this car


@dataclass(frozen=True, eq=False)
class Reshape:
    """base: every measure of the car as fitted; ranges: low and high of those that move it, wide enough to hold its base.

    offset_m (V, 3) float32: how far its body vertices lie from the template's at base, in metres of the car frame.
    template_key tells whether a mesh's vertices are numbered like this template's.
    Not every combination inside the ranges makes a sound body: see soundness.py.
    """

    body_type: str
    base: dict[str, float]
    ranges: dict[str, tuple[float, float]]
    template_key: int
    offset_m: np.ndarray

    def __post_init__(self) -> None:
        check_shape("offset_m", self.offset_m.shape, no_offset().shape)


def make_reshape(shape: CarShape, body_m: np.ndarray) -> Reshape:
    """Find the measures that move a car, others as they are; about 0.05 s.  body_m (V, 3): its body vertices.  Raises: ShapeError."""
    check_shape("body_m", body_m.shape, no_offset().shape)
    base = to_array(shape.measures)
    ranges = _ranges(base)
    still = _still(base, ranges)
    return Reshape(
        shape.body_type,
        {name: float(value) for name, value in zip(NAMES, base, strict=True)},
        {name: ends for name, ends in ranges.items() if name not in still},
        template_key(),
        (body_m - body_vertices(base[None])[0]).astype(np.float32),
    )


def no_offset() -> np.ndarray:
    """(V, 3) float32 zeros: the bare template."""
    return np.zeros((len(skeleton().keep), 3), np.float32)


def stretch(measures: np.ndarray, base: np.ndarray) -> np.ndarray:
    """(B, P) measures -> (B, 1, 3): by what the offset of the car at base (P,) is to be multiplied."""
    return scale(measures) / scale(base[None])


def reshaped(measures: np.ndarray, base: np.ndarray, offset_m: np.ndarray) -> np.ndarray:
    """(B, P) measures -> (B, V, 3) body vertices of the car that at base (P,) lies offset_m (V, 3) from the template."""
    return body_vertices(measures) + offset_m * stretch(measures, base)


@cache
def template_key() -> int:
    """Changes with the template's topology."""
    return zlib.crc32(wheel_faces()[0].tobytes(), zlib.crc32(skeleton().quads.tobytes()))


def varied(base: np.ndarray, name: str, values: np.ndarray) -> np.ndarray:
    """base (P,) with one measure at values (n,) -> (n, P)."""
    measures = np.repeat(base[None], len(values), 0)
    measures[:, INDEX[name]] = values
    return measures


def _ranges(base: np.ndarray) -> dict[str, tuple[float, float]]:
    """How far each measure may go, wide enough to hold its base."""
    values = {measure: float(base[INDEX[measure.name]]) for measure in MEASURES if measure.name not in FIXED}
    return {measure.name: (min(measure.low, value), max(measure.high, value)) for measure, value in values.items()}


def _still(base: np.ndarray, ranges: dict[str, tuple[float, float]]) -> list[str]:
    """The measures that move no vertex of the body on either side of base."""
    still = [name for name in ranges if name != "tyre_width"]  # which moves the wheels alone
    for end in (0, 1):
        # all at once: 40 bodies take as long as five calls
        bodies = body_vertices(np.concatenate([base[None], *(varied(base, name, np.array([ranges[name][end]])) for name in still)]))
        moved = np.abs(bodies[1:] - bodies[0]).max((1, 2)) > MOVES_M
        still = [name for name, moves in zip(still, moved, strict=True) if not moves]
    return still
