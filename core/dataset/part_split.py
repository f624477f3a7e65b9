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


def split_panes(triangles_m: np.ndarray, height_m: float, wheelbase_m: float, behind: bool) -> np.ndarray:
    """Which pane each glass triangle is, (F,) index into PARTS; y = 0 is midway between the axles.

    behind: no pane of the lot is the windshield.  Pieces low at the ends are lamp glass, flat ones on top a sun roof ("body").
    """
    area, normal = areas_and_normals(triangles_m)
    middle, piece = triangles_m.mean(1), pieces_of(triangles_m)
    centre = _centres(middle, area, piece)[piece]
    lamp = (centre[:, 2] < LAMP_PANE_BELOW * height_m) & (np.abs(centre[:, 1]) > LAMP_PANE_BEYOND * wheelbase_m)
    cabin_y = (middle[~lamp, 1].min() + middle[~lamp, 1].max()) / 2 if not lamp.all() else 0.0
    end = np.where((middle[:, 1] > cabin_y) | behind, PART_INDEX["rear_window"], PART_INDEX["windshield"])
    kind = np.where(np.abs(normal[:, 0]) > SIDE_NORMAL, PART_INDEX["side_window"], end)
    kind = np.where(np.abs(normal[:, 2]) > FLAT_NORMAL, PART_INDEX["body"], kind)
    for number in np.unique(piece):
        kind[piece == number] = _outvoted(kind[piece == number], area[piece == number])
    return np.where(lamp, np.where(centre[:, 1] < 0, PART_INDEX["headlight"], PART_INDEX["taillight"]), kind)


def _centres(middle_m: np.ndarray, area_m2: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """(pieces, 3) middle of every connected piece, weighted by area."""
    weight = area_m2 + 1e-12
    return np.stack([np.bincount(piece, weight * middle_m[:, k]) for k in range(3)], 1) / np.bincount(piece, weight)[:, None]


def _outvoted(kind: np.ndarray, area: np.ndarray) -> np.ndarray:
    weight = np.bincount(kind, area)
    return np.full_like(kind, weight.argmax()) if weight.max() > WHOLE_SHARE * weight.sum() else kind


def split_lamps(triangles_m: np.ndarray, wheelbase_m: float) -> np.ndarray:
    """Lamps of both ends: headlight, taillight, or body for repeaters on the flank, (F,) index into PARTS."""
    piece = pieces_of(triangles_m)
    y = _centres(triangles_m.mean(1), areas_and_normals(triangles_m)[0], piece)[piece, 1]
    ends = np.where(y < 0, PART_INDEX["headlight"], PART_INDEX["taillight"])
    return np.where(np.abs(y) < BETWEEN_AXLES * wheelbase_m, PART_INDEX["body"], ends)


def high_brake_lights(triangles_m: np.ndarray, height_m: float) -> np.ndarray:
    """(F,) bool: pieces of tail lamps that are the brake light in or above the rear window."""
    if not len(triangles_m):
        return np.zeros(0, bool)
    area, _ = areas_and_normals(triangles_m)
    middle, piece = triangles_m.mean(1), pieces_of(triangles_m)
    centre = _centres(middle, area, piece)[piece]
    return (np.abs(centre[:, 0]) < 0.1) & (centre[:, 2] > np.average(middle[:, 2], weights=area + 1e-12) + HIGH_BRAKE_LIGHT * height_m)


def corners(points_m: np.ndarray) -> np.ndarray:
    """Which corner of the car points (N, 3) lie at: 0 front left, 1 front right, 2 rear left, 3 rear right; the middle is theirs."""
    low, high = points_m.min(0), points_m.max(0)
    middle = (low + high) / 2
    return np.where(points_m[:, 1] < middle[1], 0, 2) + np.where(points_m[:, 0] > middle[0], 0, 1)
