"""A box as a car: body all round, but for a left side of glass."""

from __future__ import annotations

import numpy as np

from imago.core.generator.surface import Solid
from imago.core.generator.window import CarBox
from imago.core.perceive.heads import PART_CLASSES

BOX = CarBox(np.array([-0.9, -2.2, 0.0]), np.array([0.9, 2.2, 1.4]))


def box_solid(box: CarBox = BOX) -> Solid:
    """Twelve triangles."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])
    points = (box.low_m + corners * (box.high_m - box.low_m)).astype(np.float32)
    quads = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [1, 5, 7, 3], [0, 2, 6, 4]])
    triangles = points[np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])]
    part = np.full(12, PART_CLASSES.index("body"), np.uint8)
    part[[1, 7]] = PART_CLASSES.index("side_window")  # the left side
    return Solid(triangles, part, box)
