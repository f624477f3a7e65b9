"""A real car as its surface tells it: points with normals and parts, seen from all round, folded onto the left half."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from ..dataset.labelled import LabelledCar
from ..dataset.part_table import PARTS
from ..frames import car_to_clip, clip_from_camera, orbit
from ..render.render import rasterize

AZIMUTHS_DEG, ELEVATIONS_DEG = tuple(range(0, 360, 30)), (-35.0, 2.0, 28.0)
STRAIGHT_DEG = ((0.0, 89.5), (0.0, -89.5))  # from above and below
SIZE_PX = 192
PLATE_ASIDE_M = 0.08
CELL_M = 0.03  # one point is kept in each cell of this size, part and rough direction


@dataclass(frozen=True)
class SurfaceTarget:
    """points_m, normals (N, 3) float64 with x >= 0, part (N,) index into PARTS, all in the template's frame.

    wheels (4, 5) x, y, z of the hub, radius and width, or None; ends_m y of nose and tail; height_m of the whole; body_type.
    """

    points_m: np.ndarray
    normals: np.ndarray
    part: np.ndarray
    wheels: np.ndarray | None
    ends_m: tuple[float, float]
    height_m: float
    body_type: str

    @property
    def length_m(self) -> float:
        return self.ends_m[1] - self.ends_m[0]


def make_surface_target(car: LabelledCar) -> SurfaceTarget:
    """Look at a car from all sides and keep what is seen, all but wheels, interior and accessories."""
    kept = car.part != PARTS.index("accessory")
    corners = car.triangles_m[kept].reshape(-1, 3)
    low, high = corners.min(0), corners.max(0)
    points, normals, triangle = seen_surface(corners, np.arange(len(corners)).reshape(-1, 3))
    part = car.part[kept][triangle]
    kept = ~np.isin(part, [PARTS.index("wheel"), PARTS.index("interior")])
    points, normals, part = points[kept], normals[kept], part[kept]
    for front in (True, False):  # a plate beside the middle has no place on a car that is the same on both sides
        plate = (part == PARTS.index("plate")) & ((points[:, 1] < 0) == front)
        if plate.any() and abs(points[plate, 0].mean()) > PLATE_ASIDE_M:
            part[plate] = PARTS.index("body")
    points, normals, part = fold(points, normals, part)
    return SurfaceTarget(points, normals, part, car.wheels, (float(low[1]), float(high[1])), float(high[2]), car.row.body_type)


def seen_surface(vertices_m: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What cameras all round see of a mesh: points (N, 3), unit normals towards the camera (N, 3), triangle (N,)."""
    low, high = vertices_m.min(0), vertices_m.max(0)
    middle, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    directions = [(a, e) for a in AZIMUTHS_DEG for e in ELEVATIONS_DEG] + list(STRAIGHT_DEG)
    distance = 12 * radius
    projection = clip_from_camera(0.5 * distance / (1.05 * radius), 1, 1)
    corners = torch.from_numpy(np.ascontiguousarray(vertices_m, np.float32))
    faces = torch.from_numpy(np.ascontiguousarray(triangles, np.int64))
    flat = np.cross(*(vertices_m[triangles[:, k]] - vertices_m[triangles[:, 0]] for k in (1, 2)))
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    found = []
    for azimuth, elevation in directions:
        matrix = orbit(math.radians(azimuth), math.radians(elevation), distance, tuple(middle.tolist()))
        clip = car_to_clip(corners[None], torch.tensor(matrix, dtype=torch.float32)[None], projection)
        with torch.no_grad():
            rast, _ = rasterize(clip, faces, (SIZE_PX, SIZE_PX), grad_db=False, with_db=False)
        hit = rast[0][rast[0, ..., 3] > 0].numpy().astype(np.float64)
        index = hit[:, 3].astype(np.int64) - 1
        u, v = hit[:, 0:1], hit[:, 1:2]
        a, b, c = (vertices_m[triangles[index, k]] for k in range(3))
        normal = flat[index]
        away = (normal * (matrix[:3, 3] - middle)).sum(1) < 0
        found.append((a * u + b * v + c * (1 - u - v), np.where(away[:, None], -normal, normal), index))
    points, normals, triangle = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _thinned(points, normals, triangle)


def fold(points_m: np.ndarray, normals: np.ndarray, part: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mirror the right half onto the left."""
    side = np.where(points_m[:, :1] < 0, [-1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    return points_m * side, normals * side, part


def _thinned(points: np.ndarray, normals: np.ndarray, triangle: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One point a cell and rough direction, so that what many cameras see does not weigh more."""
    cell = np.floor(points / CELL_M).astype(np.int64)
    facing = np.round(normals).astype(np.int64)
    key = np.concatenate([cell, facing], 1)
    _, first = np.unique(key, axis=0, return_index=True)
    return points[first], normals[first], triangle[first]
