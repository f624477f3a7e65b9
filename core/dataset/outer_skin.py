"""Which triangles of a car are seen from outside, and which way they face: drawn from 26 directions all around."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import torch

from ..render.rasterize import nearest_triangles

SIZE_PX = 256
SKIN_DEPTH_M = 0.006  # a triangle's middle no deeper than this under what is seen is seen: pixels miss small triangles
DIRECTIONS = np.array([d for d in itertools.product((-1, 0, 1), repeat=3) if any(d)], float)


@dataclass(frozen=True)
class Seen:
    """All (F,) bool.  seen: a pixel of some view shows the triangle, or its middle lies at the surface seen there and faces the viewer;
    above: so from level or higher; inside_out: most of its pixels show its back (corners clockwise): turned, it faces outward."""

    seen: np.ndarray
    above: np.ndarray
    inside_out: np.ndarray


def seen_from_outside(triangles_m: np.ndarray, size_px: int = SIZE_PX) -> Seen:
    """Draw (F, 3, 3) triangles orthographically from all of DIRECTIONS."""
    points = triangles_m.reshape(-1, 3).astype(np.float64)
    centre, radius = (points.min(0) + points.max(0)) / 2, np.linalg.norm(np.ptp(points, axis=0)) / 2 * 1.01
    normal = np.cross(triangles_m[:, 1] - triangles_m[:, 0], triangles_m[:, 2] - triangles_m[:, 0])
    front, back = (np.zeros(len(triangles_m), np.int64) for _ in range(2))
    seen, above = (np.zeros(len(triangles_m), bool) for _ in range(2))
    for direction in DIRECTIONS / np.linalg.norm(DIRECTIONS, axis=1, keepdims=True):
        clip = (points - centre) @ _screen_axes(direction).T / radius
        face, depth = _draw(clip, size_px)
        pixels = np.bincount(face[face >= 0], minlength=len(triangles_m))
        towards = normal @ direction > 0
        front += pixels * towards
        back += pixels * ~towards
        shown = (pixels > 0) | (towards & (_depth_under_middle(clip, depth, size_px) < SKIN_DEPTH_M / radius))
        seen |= shown
        above |= shown & (direction[2] > -0.1)
    return Seen(seen, above, back > front)


def _screen_axes(direction: np.ndarray) -> np.ndarray:
    """(3, 3) rows: right, up and away from a viewer who stands far off in `direction`."""
    up = np.array([0.0, 0.0, 1.0]) if abs(direction[2]) < 0.99 else np.array([0.0, 1.0, 0.0])
    right = np.cross(up, direction)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), -direction])


def _draw(clip: np.ndarray, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Nearest triangle (S, S), -1 where empty, and its depth in units of the picture's half side."""
    corners = torch.from_numpy(np.concatenate([clip, np.ones((len(clip), 1))], 1).astype(np.float32))
    triangles = torch.arange(len(clip)).view(-1, 3)
    ids, depth = nearest_triangles(corners[None], triangles, (size_px, size_px))
    return ids[0].numpy().astype(np.int64) - 1, depth[0].numpy()


def _depth_under_middle(clip: np.ndarray, depth: np.ndarray, size_px: int) -> np.ndarray:
    """(F,) how far each triangle's middle lies behind what the picture shows there, in units of the half side."""
    middle = clip.reshape(-1, 3, 3).mean(1)
    column, row = (((middle[:, k] + 1) / 2 * size_px).astype(int).clip(0, size_px - 1) for k in (0, 1))
    return middle[:, 2] - depth[row, column]
