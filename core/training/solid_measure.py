"""How alike two cars are as solids and as skins, whatever their scale: voxel IoU, F-score and Chamfer distance of triangle soups.

Both are brought to length 1 (along y), centred in x and y, lowest point at z = 0, and sampled with random points on their surface.  The
solid is what the points enclose on a grid of cells, so unwelded shells, shells in shells and the way faces look do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from ..errors import check_shape

CELLS = 32  # along the length, for the solid
SKIN_CELLS = 96  # along the length, at which the outer skin is told from seats and engine bays
POINTS = 400_000
EVERY = 8  # of the skin's points, one in so many is looked up in the other skin
NEAR = 0.01  # of the length: what counts for the F-score


@dataclass(frozen=True)
class Measured:
    """A car ready for comparing: solid (32, 32, 32) bool, skin (N, 3) points of a car of length 1, skin_tree their search tree."""

    solid: np.ndarray
    skin: np.ndarray
    skin_tree: cKDTree


def measured(triangles_m: np.ndarray, seed: int = 0) -> Measured:
    """A soup (F, 3, 3) in the car frame (length along y) as solid and skin.  Raises ShapeError."""
    check_shape("triangles_m", triangles_m.shape, (None, 3, 3))
    points = _unit_length(triangles_m.reshape(-1, 3), surface_points(triangles_m, POINTS, seed))
    skin = points[_outermost(points)]
    return Measured(_enclosed(points), skin, cKDTree(skin))


def compare(found: Measured, wanted: Measured) -> dict[str, float]:
    """voxel_iou 0..1, fscore 0..1 at 1 % of the length, chamfer_pct mean distance both ways in % of the length."""
    to_wanted = wanted.skin_tree.query(found.skin[::EVERY])[0]
    to_found = found.skin_tree.query(wanted.skin[::EVERY])[0]
    precision, recall = float((to_wanted < NEAR).mean()), float((to_found < NEAR).mean())
    return {
        "voxel_iou": voxel_iou(found.solid, wanted.solid),
        "fscore": 2 * precision * recall / max(precision + recall, 1e-9),
        "chamfer_pct": 50 * float(to_wanted.mean() + to_found.mean()),
    }


def voxel_iou(first: np.ndarray, second: np.ndarray) -> float:
    """Shared cells by all cells of two boolean grids."""
    return float(np.count_nonzero(first & second) / np.count_nonzero(first | second))


def surface_points(triangles_m: np.ndarray, count: int, seed: int) -> np.ndarray:
    """(count, 3) float64 random points, as many on each triangle as its area asks for."""
    random = np.random.default_rng(seed)
    corner = triangles_m[:, 0].astype(np.float64)
    sides = triangles_m[:, 1:].astype(np.float64) - corner[:, None]
    area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    triangle = random.choice(len(area), count, p=area / area.sum())
    share = random.random((count, 2))
    outside = share.sum(1) > 1  # the other half of the parallelogram, turned back onto the triangle
    share[outside] = 1 - share[outside]
    return corner[triangle] + (share[..., None] * sides[triangle]).sum(1)


def _unit_length(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    low, high = corners.min(0).astype(np.float64), corners.max(0).astype(np.float64)
    middle = (low + high) / 2
    return (points - [middle[0], middle[1], low[2]]) / (high[1] - low[1])


def _cells(points: np.ndarray, cells: int) -> tuple[np.ndarray, ...]:
    """Cell numbers of points in x, y -0.5..0.5, z 0..1; what lies outside goes to the border's cells."""
    index = np.floor((points + [0.5, 0.5, 0.0]) * cells).astype(np.int64)
    return tuple(np.clip(index, 0, cells - 1).T)


def _shell(points: np.ndarray, cells: int) -> np.ndarray:
    shell = np.zeros((cells, cells, cells), bool)
    shell[_cells(points, cells)] = True
    return shell


def _enclosed(points: np.ndarray) -> np.ndarray:
    """Cells with surface on both sides of them along all three axes, and the surface's own."""
    shell = _shell(points, CELLS)
    within = np.ones_like(shell)
    for axis in range(3):
        count = np.cumsum(shell, axis)
        total = np.take(count, [-1], axis)
        within &= (count > 0) & (count - shell < total)  # some at or before the cell, some at or behind it
    return within | shell


def _outermost(points: np.ndarray) -> np.ndarray:
    """(N,) bool: points in the first occupied cell of a line of cells, from either end along any axis."""
    shell = _shell(points, SKIN_CELLS)
    outer = np.zeros_like(shell)
    for axis in range(3):
        lines, marked = np.moveaxis(shell, axis, 0), np.moveaxis(outer, axis, 0)
        hit = lines.any(0)
        a, b = np.nonzero(hit)
        marked[lines.argmax(0)[hit], a, b] = True
        marked[SKIN_CELLS - 1 - lines[::-1].argmax(0)[hit], a, b] = True
    return outer[_cells(points, SKIN_CELLS)]
