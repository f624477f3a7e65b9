"""The car in the making as it is drawn: lit from above, in display colours, one colour a face."""

from __future__ import annotations

import numpy as np

from imago.addon.ghost import AMBIENT, shaded_corners
from imago.core.sketch import Sketch, read_sketch, write_sketch


def tent() -> Sketch:
    """One face that looks up, one that looks down."""
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    return Sketch(vertices, np.array([[0, 1, 2], [0, 2, 1]], np.int32), np.full((2, 3), 0.5, np.float32))


def test_faces_are_flat_and_lit_from_above() -> None:
    place, colour = shaded_corners(tent())
    assert place.shape == (6, 3) and colour.shape == (6, 4) and place.dtype == colour.dtype == np.float32
    assert (colour[:3] == colour[0]).all() and (colour[3:] == colour[3]).all()
    assert colour[0, 0] > colour[3, 0] + 0.15, "what looks up is brighter"
    assert abs(colour[3, 0] - (1.055 * (0.5 * AMBIENT) ** (1 / 2.4) - 0.055)) < 1e-6, "linear light comes as a display value"


def test_sketch_comes_back_from_its_file(tmp_path) -> None:
    write_sketch(tent(), tmp_path / "one.npz")
    back = read_sketch(tmp_path / "one.npz")
    assert (back.vertices_car == tent().vertices_car).all() and (back.triangles == tent().triangles).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.npz"]
