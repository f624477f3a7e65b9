"""What Blender's sliders need to move a finished car: its measures, and which of them move it.  numpy alone.

The sliders evaluate the template itself (skeleton.py, wheels.py), so any combination of measures is exactly the car that the fit would
have made of them; nothing is blended.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..types import CarShape
from .measure_table import INDEX, MEASURES, NAMES, to_array
from .skeleton import body_vertices, skeleton
from .wheels import wheel_faces

FIXED = ("cab_drop",)  # decides what kind of car it is; between its ends there is none
MOVES_M = 1e-4  # a measure that moves no vertex this far over its whole range is no slider of this car


@dataclass(frozen=True)
class Reshape:
    """base: every measure of the car as fitted; ranges: low and high of those that move it, wide enough to hold its base.

    Not every combination inside the ranges makes a sound body: see soundness.py.  template_key tells whether a mesh's vertices are
    numbered like this template's.
    """

    body_type: str
    base: dict[str, float]
    ranges: dict[str, tuple[float, float]]
    template_key: int


def make_reshape(shape: CarShape) -> Reshape:
    """Find the measures that move a car, others as they are; about 0.1 s."""
    base = to_array(shape.measures)
    ranges = {}
    for measure in MEASURES:
        value = float(base[INDEX[measure.name]])
        ends = min(measure.low, value), max(measure.high, value)
        if measure.name not in FIXED and _moves(base, measure.name, ends):
            ranges[measure.name] = ends
    return Reshape(shape.body_type, {name: float(value) for name, value in zip(NAMES, base, strict=True)}, ranges, template_key())


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
