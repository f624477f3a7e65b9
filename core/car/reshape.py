"""What Blender's sliders need to move a finished car: its measures and how far each may go.  numpy alone.

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
from .soundness import FOLDED_SHARE, Soundness
from .wheels import wheel_faces

FIXED = ("cab_drop",)  # decides what kind of car it is; between its ends there is none
STEPS = 9  # a side of the fitted value
MOVES_M = 1e-4  # a measure that moves no vertex this far over its whole range is no slider of this car


@dataclass(frozen=True)
class Reshape:
    """base: every measure of the car as fitted; ranges: low and high of those that can be moved alone while the body stays sound.

    template_key tells whether a mesh's vertices are numbered like this template's.
    """

    body_type: str
    base: dict[str, float]
    ranges: dict[str, tuple[float, float]]
    template_key: int


def make_reshape(shape: CarShape) -> Reshape:
    """Find how far each measure of a car may go, others as they are; about a second."""
    base = to_array(shape.measures)
    sound = Soundness(base)
    ranges = {}
    for measure in MEASURES:
        value = shape.measures[measure.name]
        low, high = min(measure.low, value), max(measure.high, value)
        if measure.name not in FIXED and _moves(base, measure.name, (low, high)):
            ranges[measure.name] = (_reach(sound, base, measure.name, low), _reach(sound, base, measure.name, high))
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


def _reach(sound: Soundness, base: np.ndarray, name: str, end: float) -> float:
    """The value furthest towards `end` up to which the body is sound."""
    near, far = float(base[INDEX[name]]), end
    for _ in range(2):  # the second time between the last good step and the first bad one
        values = np.linspace(near, far, STEPS + 1)[1:].astype(np.float32)
        folded = sound.folded_share(body_vertices(varied(base, name, values))) > FOLDED_SHARE
        if not folded.any():
            return float(values[-1])
        first = int(np.argmax(folded))
        near, far = float(values[first - 1]) if first else near, float(values[first])
    return near
