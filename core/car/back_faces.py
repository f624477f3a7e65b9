"""How much of a body shows its inside to somebody who walks round it: seen back faces mean that the surface crosses itself."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..render.rasterize import nearest_triangles
from .outline import triangles

# azimuth, elevation in degrees: round the left side (the right is its mirror image, see the symmetry fault) and above; nobody looks from
# below, where floor and wheel houses may cross
DIRECTIONS_DEG = ((0, 5), (45, 12), (90, 3), (135, 12), (180, 5), (0, 45), (60, 40), (120, 40), (180, 45), (90, 89))
SIZE_PX = 160  # a pixel is about 3 cm of a car: a fold smaller than that is not seen either


def back_face_shares(vertices: np.ndarray) -> np.ndarray:
    """(B, V, 3) -> (B, views) share of the pixels the body covers, from each direction and far away, whose face is turned away."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # pictures this small cost several threads more waiting than they save
    try:
        return np.stack([_shares(vertices.astype(np.float32), *direction) for direction in DIRECTIONS_DEG], 1)
    finally:
        torch.set_num_threads(threads)


def _shares(vertices: np.ndarray, azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    seen = vertices @ _view(math.radians(azimuth_deg), math.radians(elevation_deg)).T
    low, high = seen.min(1, keepdims=True), seen.max(1, keepdims=True)
    extent = high - low
    extent[..., :2] = extent[..., :2].max(-1, keepdims=True)
    clip = (2 * seen - low - high) / (1.02 * extent) * np.array([1, 1, -1], np.float32)  # what is nearer has the smaller depth
    clip = np.concatenate([clip, np.ones_like(clip[..., :1])], -1)
    faces = triangles()
    ids = (
        nearest_triangles(torch.from_numpy(clip), torch.from_numpy(faces), (SIZE_PX, SIZE_PX))[0].reshape(len(vertices), -1).long().numpy()
    )
    car, pixel = np.nonzero(ids)
    corner = seen[car[:, None], faces[ids[car, pixel] - 1]]
    (ax, ay), (bx, by) = (corner[:, 1, :2] - corner[:, 0, :2]).T, (corner[:, 2, :2] - corner[:, 0, :2]).T
    away = ax * by - ay * bx < 0
    covered = np.bincount(car, minlength=len(vertices))
    # a body of which nothing can be drawn, because a figure is missing, shows no outside at all
    return np.where(covered > 0, np.bincount(car, away, len(vertices)) / np.maximum(covered, 1), 1.0)


def _view(azimuth_rad: float, elevation_rad: float) -> np.ndarray:
    """(3, 3) rows: right, up and towards the viewer, in the car frame (azimuths as in frames.py)."""
    sin, cos = math.sin(azimuth_rad), math.cos(azimuth_rad)
    toward = np.array([sin * math.cos(elevation_rad), -cos * math.cos(elevation_rad), math.sin(elevation_rad)])
    right = np.array([cos, sin, 0.0])
    return np.stack([right, np.cross(toward, right), toward]).astype(np.float32)
