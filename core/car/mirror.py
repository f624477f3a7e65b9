"""The door mirror: octagons that grow out of a block of faces left open in the flank, ending in a cap."""

from __future__ import annotations

import numpy as np

from . import parts
from .body import raw_index
from .faces import MIRROR_CHART, Faces

# offset from the foot's middle in metres, size by SIZE_M: the stalk, the housing's inner and outer edge, the housing's end
RINGS = (((0.04, 0.0, 0.03), 0.35), ((0.08, -0.01, 0.075), 1.0), ((0.155, -0.005, 0.08), 1.0), ((0.185, 0.0, 0.08), 0.7))
SIZE_M = (0.045, 0.062)  # half depth along y, half height
CAP_M = 0.004  # how far the cap bulges
CORNERS = np.array([(-1, 1), (-1.15, 0), (-1, -1), (0, -1.15), (1, -1), (1.15, 0), (1, 1), (0, 1.15)], float)  # y, z of an octagon


def grow_mirror(faces: Faces, next_vertex: int) -> tuple[list[int], np.ndarray]:
    """Add the mirror's faces, with new vertices numbered from next_vertex.

    Returns the foot's eight vertices and the new vertices' offsets from their mean, (R, 3) metres.
    """
    foot = _foot()
    offsets = _offsets()
    previous = foot
    for k in range(len(RINGS)):
        current = list(range(next_vertex + 8 * k, next_vertex + 8 * (k + 1)))
        for a in range(8):
            b = (a + 1) % 8
            faces.add((previous[a], previous[b], current[b], current[a]), "mirror_SIDE", MIRROR_CHART)
        previous = current
    tip = next_vertex + len(offsets) - 1
    for a in (0, 2, 4, 6):
        faces.add((previous[a], previous[a + 1], tip, previous[a - 1]), "mirror_SIDE", MIRROR_CHART)
    return foot, offsets


def _foot() -> list[int]:
    """The raw vertices round the block that is left open, counter-clockwise from outside."""
    flank = raw_index("flank")
    (top, bottom), (first, last) = parts.mirror_block()
    row, column = top + 1, first + 1
    loop = [(top, first), (row, first), (bottom, first), (bottom, column), (bottom, last), (row, last), (top, last), (top, column)]
    return [int(flank[place]) for place in loop]


def _offsets() -> np.ndarray:
    rings = [np.array([(x, y + size * SIZE_M[0] * dy, z + size * SIZE_M[1] * dz) for dy, dz in CORNERS]) for (x, y, z), size in RINGS]
    return np.concatenate([*rings, [np.array(RINGS[-1][0]) + [CAP_M, 0, 0]]])
