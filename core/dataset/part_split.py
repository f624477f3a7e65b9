"""Nodes that hold several parts, taken apart by geometry: panes by place and normal, lamps by the end they sit at, wheels by corner."""

from __future__ import annotations

import numpy as np

from .part_table import PART_INDEX

SAME_POINT_M = 1e-4  # vertices closer than this are one: exporters split them at seams
SIDE_NORMAL = 0.72  # a pane whose normal points more across the car than this is a side window
FLAT_NORMAL = 0.97  # a pane that lies flatter is a sun roof
WHOLE_SHARE = 0.8  # a connected piece of which more than this is one kind of pane is that pane whole
BETWEEN_AXLES = 0.3  # lamps nearer to the middle than this share of the wheelbase are repeaters on the flank
HIGH_BRAKE_LIGHT = 0.07  # a tail lamp in the middle, higher than the others by this share of the height, is no taillight's shape
LAMP_PANE_BELOW, LAMP_PANE_BEYOND = (
    0.62,
    0.42,
)  # glass lower than this share of the height and farther out than this of the wheelbase is a lamp's


def areas_and_normals(triangles_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(F, 3, 3) -> area in square metres (F,) and unit normal (F, 3), 0 where a triangle has no area."""
    cross = np.cross(triangles_m[:, 1] - triangles_m[:, 0], triangles_m[:, 2] - triangles_m[:, 0])
    length = np.linalg.norm(cross, axis=1)
    return length / 2, cross / np.maximum(length, 1e-12)[:, None]


def pieces_of(triangles_m: np.ndarray) -> np.ndarray:
    """Number of the connected piece of every triangle, (F,) int from 0; triangles that share a corner are connected."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(triangles_m)
    if not count:
        return np.zeros(0, np.int64)
    _, corner = np.unique(np.round(triangles_m.reshape(-1, 3) / SAME_POINT_M).astype(np.int64), axis=0, return_inverse=True)
    face = np.repeat(np.arange(count), 3)
    links = coo_matrix((np.ones(3 * count), (face, count + corner.reshape(-1))), shape=(count + corner.max() + 1,) * 2)
    return connected_components(links, directed=False)[1][:count]


def lamp_panes(triangles_m: np.ndarray, height_m: float, wheelbase_m: float) -> np.ndarray:
    """(F,) bool: connected pieces of glass that are low and at an end of the car: the glass of lamps."""
    centre = _centres(triangles_m)
    return (centre[:, 2] < LAMP_PANE_BELOW * height_m) & (np.abs(centre[:, 1]) > LAMP_PANE_BEYOND * wheelbase_m)


def split_panes(triangles_m: np.ndarray, behind: bool) -> np.ndarray:
    """Which pane each glass triangle of the cabin is, (F,) index into PARTS; a sun roof is "body".

    behind: no pane of the lot is the windshield.
    """
    area, normal = areas_and_normals(triangles_m)
    y, piece = triangles_m.mean(1)[:, 1], pieces_of(triangles_m)
    middle_y = (y.min() + y.max()) / 2 if len(y) else 0.0
    end = np.where((y > middle_y) | behind, PART_INDEX["rear_window"], PART_INDEX["windshield"])
    kind = np.where(np.abs(normal[:, 0]) > SIDE_NORMAL, PART_INDEX["side_window"], end)
    kind = np.where(np.abs(normal[:, 2]) > FLAT_NORMAL, PART_INDEX["body"], kind)
    for number in np.unique(piece):
        kind[piece == number] = _outvoted(kind[piece == number], area[piece == number])
    return kind


def _outvoted(kind: np.ndarray, area_m2: np.ndarray) -> np.ndarray:
    """One kind for a whole piece where it has most of the area."""
    weight = np.bincount(kind, area_m2)
    return np.full_like(kind, weight.argmax()) if weight.max() > WHOLE_SHARE * weight.sum() else kind


def _centres(triangles_m: np.ndarray) -> np.ndarray:
    """(F, 3) middle of the connected piece that each triangle belongs to, weighted by area."""
    piece, weight, middle = pieces_of(triangles_m), areas_and_normals(triangles_m)[0] + 1e-12, triangles_m.mean(1)
    return (np.stack([np.bincount(piece, weight * middle[:, k]) for k in range(3)], 1) / np.bincount(piece, weight)[:, None])[piece]


def split_lamps(triangles_m: np.ndarray, wheelbase_m: float) -> np.ndarray:
    """Lamps of both ends: headlight, taillight, or body for repeaters on the flank, (F,) index into PARTS."""
    y = _centres(triangles_m)[:, 1]
    ends = np.where(y < 0, PART_INDEX["headlight"], PART_INDEX["taillight"])
    return np.where(np.abs(y) < BETWEEN_AXLES * wheelbase_m, PART_INDEX["body"], ends)


def high_brake_lights(triangles_m: np.ndarray, height_m: float) -> np.ndarray:
    """(F,) bool: pieces of tail lamps that are the brake light in or above the rear window."""
    if not len(triangles_m):
        return np.zeros(0, bool)
    area, centre = areas_and_normals(triangles_m)[0] + 1e-12, _centres(triangles_m)
    usual_z = np.average(triangles_m.mean(1)[:, 2], weights=area)
    return (np.abs(centre[:, 0]) < 0.1) & (centre[:, 2] > usual_z + HIGH_BRAKE_LIGHT * height_m)


def corners(points_m: np.ndarray) -> np.ndarray:
    """Which corner of the car points (N, 3) lie at: 0 front left, 1 front right, 2 rear left, 3 rear right; the middle is theirs."""
    low, high = points_m.min(0), points_m.max(0)
    middle = (low + high) / 2
    return np.where(points_m[:, 1] < middle[1], 0, 2) + np.where(points_m[:, 0] > middle[0], 0, 1)
