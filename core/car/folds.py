"""Which edges of a car are sharp: its folds, and where panels meet.  numpy alone; Blender's mesh and the finer level agree by it."""

from __future__ import annotations

import numpy as np

from ..types import MeshData

SHARP_RAD = np.radians(35)  # a fold steeper than this is an edge of the car, not its curvature
SHARP_BORDER_RAD = np.radians(18)  # on the border of two parts there is a gap in the metal, so less is enough
CREASE = 0.7  # how far subdivision keeps such an edge, 0 to 1


def faces_beside(edge_of_corner: np.ndarray, edge_count: int) -> tuple[np.ndarray, np.ndarray]:
    """The two faces (E,) of each edge, the same one twice where it has one; edge_of_corner (4 F,) runs from each corner to the next."""
    face = np.repeat(np.arange(len(edge_of_corner) // 4), 4)
    one, two = np.zeros(edge_count, np.int64), np.zeros(edge_count, np.int64)
    two[edge_of_corner] = face  # of several writers the last one stays
    one[edge_of_corner[::-1]] = face[::-1]
    return one, two


def folded_edges(mesh: MeshData, one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """(E,) bool: edges between the faces `one` and `two` (E,) that are folds of the car."""
    normal = _face_normals(mesh)
    angle_rad = np.arccos(np.clip((normal[one] * normal[two]).sum(1), -1, 1))
    border = mesh.part_index[one] != mesh.part_index[two]
    return angle_rad > np.where(border, SHARP_BORDER_RAD, SHARP_RAD)


def _face_normals(mesh: MeshData) -> np.ndarray:
    """(F, 3) unit normals from the diagonals, which also serve bent quads; zeros where a quad has no area."""
    corner = mesh.vertices_m[mesh.quads]
    (ax, ay, az), (bx, by, bz) = (corner[:, 2] - corner[:, 0]).T, (corner[:, 3] - corner[:, 1]).T
    normal = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], 1)  # a third of the time of np.cross
    return normal / np.maximum(np.sqrt((normal * normal).sum(1, keepdims=True)), 1e-12)
