"""Which triangle of a bare list a pinhole camera sees at each pixel, and where: for exact labels, without gradients."""

from __future__ import annotations

import numpy as np
import torch

from ..frames import car_to_clip, clip_from_camera
from .rasterize import nearest_triangles


def nearest_hits(triangles_m: np.ndarray, camera_to_car: np.ndarray, focal_px: float, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (F, 3, 3), car frame -> the nearest one's number (S, S) int64, -1 where empty, and its depth, inf there; row 0 = top."""
    projection = clip_from_camera(focal_px, size_px, size_px)
    to_car = torch.from_numpy(camera_to_car.astype(np.float32))
    with torch.no_grad():
        clip = car_to_clip(torch.from_numpy(np.ascontiguousarray(triangles_m.reshape(1, -1, 3), np.float32)), to_car[None], projection)
        ids, depth = nearest_triangles(clip, torch.arange(clip.shape[1]).view(-1, 3), (size_px, size_px))
    index = ids[0].numpy()[::-1].astype(np.int64) - 1
    return index, np.where(index >= 0, depth[0].numpy()[::-1], np.inf)


def hit_places(corners_m: np.ndarray, pixels: np.ndarray, camera_to_car: np.ndarray, focal_px: float, size_px: int) -> np.ndarray:
    """Where lines of sight through pixels (n, 2), x and y, meet the planes of triangles (n, 3, 3): (n, 3) car frame, metres."""
    x, y = (pixels[:, 0] - size_px / 2) / focal_px, -(pixels[:, 1] - size_px / 2) / focal_px
    rays = np.stack([x, y, -np.ones_like(x)], 1) @ camera_to_car[:3, :3].T
    corner = corners_m.astype(np.float64)
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    eye = camera_to_car[:3, 3]
    slope = (normal * rays).sum(1)
    distance = (normal * (corner[:, 0] - eye)).sum(1) / np.where(np.abs(slope) < 1e-12, 1e-12, slope)
    found = eye + rays * distance[:, None]
    return found.clip(corner.min(1), corner.max(1))  # grazing planes run off far beyond their triangles
