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
    """Find the measures that move a car, others as they are; about 0.1 s.  body_m (V, 3): its body vertices.  Raises: ShapeError."""
    check_shape("body_m", body_m.shape, no_offset().shape)
    base = to_array(shape.measures)
    ranges = {}
    for measure in MEASURES:
        value = float(base[INDEX[measure.name]])
        ends = min(measure.low, value), max(measure.high, value)
        if measure.name not in FIXED and _moves(base, measure.name, ends):
            ranges[measure.name] = ends
    offset_m = (body_m - body_vertices(base[None])[0]).astype(np.float32)
    return Reshape(shape.body_type, {name: float(value) for name, value in zip(NAMES, base, strict=True)}, ranges, template_key(), offset_m)


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


def _moves(base: np.ndarray, name: str, ends: tuple[float, float]) -> bool:
    if name == "tyre_width":
        return True
    bodies = body_vertices(varied(base, name, np.array([*ends, base[INDEX[name]]], np.float32)))
    return bool(np.abs(bodies[:2] - bodies[2]).max() > MOVES_M)
