"""A plain numpy z-buffer: which triangle is under each pixel.  Slow and obvious; no gradients, no torch."""

from __future__ import annotations

import numpy as np

NEAREST_M = 0.05  # triangles that reach closer to the camera than this are left out


def rasterize(corners_px: np.ndarray, depth_m: np.ndarray, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest triangle under every pixel centre of a square picture.

    Args:
        corners_px: (F, 3, 2) float; pixel (0, 0) is top left, its centre (0.5, 0.5).
        depth_m: (F, 3) float, metres in front of the camera.
    Returns:
        triangle_index (S, S) int64, -1 where empty; barycentric (S, S, 3) float32, perspective-correct, 0 where empty.
    """
    low = np.ceil(corners_px.min(1) - 0.5).clip(0, size_px).astype(np.int64)
    high = np.floor(corners_px.max(1) - 0.5).clip(-1, size_px - 1).astype(np.int64)
    extent = (high - low + 1).clip(0)
    kept = np.flatnonzero((extent.prod(1) > 0) & (depth_m.min(1) > NEAREST_M))
    counts = extent[kept].prod(1)
    triangle = np.repeat(kept, counts)
    offset = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts)
    width = extent[triangle, 0]
    column, row = low[triangle, 0] + offset % width, low[triangle, 1] + offset // width
    weights = _weights(corners_px, triangle, column + 0.5, row + 0.5)
    inside = (weights >= 0).all(1)
    triangle, column, row, weights = triangle[inside], column[inside], row[inside], weights[inside]
    inverse = weights / depth_m[triangle]  # 1 / depth is what is linear on the screen
    nearness = inverse.sum(1)
    order = np.argsort(nearness, kind="stable")  # the last write, the nearest, stays
    index = np.full((size_px, size_px), -1, np.int64)
    barycentric = np.zeros((size_px, size_px, 3), np.float32)
    index[row[order], column[order]] = triangle[order]
    barycentric[row[order], column[order]] = (inverse / nearness[:, None])[order]
    return index, barycentric


def _weights(corners_px: np.ndarray, triangle: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Screen-space barycentric weights (n, 3) of points in their triangles; -1 where a triangle has no area."""
    a, b, c = (corners_px[triangle, k] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    safe = np.where(area == 0, 1, area)
    first = ((b[:, 0] - x) * (c[:, 1] - y) - (b[:, 1] - y) * (c[:, 0] - x)) / safe
    second = ((c[:, 0] - x) * (a[:, 1] - y) - (c[:, 1] - y) * (a[:, 0] - x)) / safe
    return np.where((area == 0)[:, None], -1, np.stack([first, second, 1 - first - second], 1))
