"""The car while it is being made: a mesh for eyes only, in a file that Blender draws without making objects of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import check_shape


@dataclass(frozen=True)
class Sketch:
    """vertices_car (V, 3) float32 metres; triangles (T, 3) int32, counter-clockwise from outside; colour_linear (T, 3) float32 0..1."""

    vertices_car: np.ndarray
    triangles: np.ndarray
    colour_linear: np.ndarray

    def __post_init__(self) -> None:
        check_shape("vertices_car", self.vertices_car.shape, (None, 3))
        check_shape("triangles", self.triangles.shape, (None, 3))
        check_shape("colour_linear", self.colour_linear.shape, (len(self.triangles), 3))


def write_sketch(sketch: Sketch, path: Path) -> None:
    """Write the file; nobody knows of it before it is told of."""
    np.savez(path, vertices_car=sketch.vertices_car, triangles=sketch.triangles, colour_linear=sketch.colour_linear)


def read_sketch(path: Path) -> Sketch:
    """Read what write_sketch wrote.  Raises OSError where it is gone, ValueError where it is damaged."""
    with np.load(path, allow_pickle=False) as file:
        return Sketch(file["vertices_car"], file["triangles"], file["colour_linear"])
