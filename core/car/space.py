"""What measures cannot say about a car's body: the mean offset of real cars from the template, and modes of it.

    body vertices = template(measures) + scale(measures) * (offset + coefficients . modes)

with an offset for each vertex of the left half, mirrored to the right; scale stretches it by width, length and height, so that a mode fits
cars of all sizes.  numpy or torch, as the template itself.  Learned by core/training/train_shape.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from .. import weights
from ..errors import check_shape
from . import arrays as xp
from .arrays import Array
from .measure_table import INDEX
from .skeleton import body_vertices, skeleton

KEY, FILE = "shape", "car_shape.safetensors"
TYPICAL_SIZE_M = (1.75, 4.45, 1.45)  # width, length and height at which offsets are in metres
SIZE_NAMES = ("width", "length", "height")
TYPICAL = "typical."


@dataclass(frozen=True)
class ShapeSpace:
    """offset_m (H, 3) and modes_m (K, H, 3) of the left half's vertices in a car of TYPICAL_SIZE_M, float32.

    A coefficient of 1 is one standard deviation of its mode; typical (K,) by body type is where cars of that type lie.
    """

    offset_m: np.ndarray
    modes_m: np.ndarray
    typical: dict[str, np.ndarray]

    def __post_init__(self) -> None:
        half = half_count()
        check_shape("offset_m", self.offset_m.shape, (half, 3))
        check_shape("modes_m", self.modes_m.shape, (None, half, 3))
        for name, mean in self.typical.items():
            check_shape(f"typical {name}", mean.shape, (len(self.modes_m),))

    @property
    def mode_count(self) -> int:
        return len(self.modes_m)


def half_count() -> int:
    """H: vertices of the left half, the middle's included."""
    return len(skeleton().on_side)


def scale(measures: Array) -> Array:
    """(B, P) measures -> (B, 1, 3): what offsets are multiplied with."""
    size = measures[:, [INDEX[name] for name in SIZE_NAMES]]
    return (size / xp.like(np.array(TYPICAL_SIZE_M), measures))[:, None]


def vertices_with(measures: Array, coefficients: Array, space: ShapeSpace) -> Array:
    """(B, P) measures and (B, K) coefficients -> (B, V, 3) body vertices in the car frame.

    Metres; differentiable where both are tensors.  Raises ShapeError.
    """
    check_shape("coefficients", tuple(coefficients.shape), (len(measures), space.mode_count))
    modes = xp.like(space.modes_m, coefficients).reshape(space.mode_count, 3 * half_count())
    half = xp.like(space.offset_m, coefficients) + (coefficients @ modes).reshape(len(measures), -1, 3)
    return body_vertices(measures) + skeleton().whole(scale(measures) * half)


@cache
def shape_space(folder: Path = weights.FOLDER) -> ShapeSpace:
    """The learned space.  Raises WeightsError where its file is missing or damaged."""
    from safetensors.numpy import load

    tensors = load(weights.read_checked(folder, KEY))
    typical = {name.removeprefix(TYPICAL): value.astype(np.float32) for name, value in tensors.items() if name.startswith(TYPICAL)}
    return ShapeSpace(tensors["offset_m"].astype(np.float32), tensors["modes_m"].astype(np.float32), typical)


def space_tensors(space: ShapeSpace) -> dict[str, np.ndarray]:
    """What shape_space reads: offsets in half precision, a tenth of a millimetre."""
    held = {"offset_m": space.offset_m, "modes_m": space.modes_m, **{TYPICAL + kind: mean for kind, mean in space.typical.items()}}
    return {name: value.astype(np.float16) for name, value in held.items()}
