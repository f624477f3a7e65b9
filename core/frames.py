"""The coordinate frames and the only conversions between them.

car     metres, +Z up, nose -Y, left +X, wheels on z = 0, origin on the ground midway between the axles (Blender's axes)
camera  metres, looks along -Z, +Y up (Blender's and OpenGL's camera)
clip    OpenGL clip space; after division x, y in -1..1, +Y up
px      image pixels, origin top left, x right, y down, centres at .5
glTF    metres, +Y up, nose +Z: (x, y, z)_gltf = (x, z, -y)_car
Azimuth 0 looks at the nose, +90 degrees at the left flank (+X); elevation is above the horizon.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from .errors import check_shape
from .types import Camera

NEAR_M, FAR_M = 0.1, 200.0  # every car photograph lies between


def focal_px(camera: Camera) -> float:
    """Focal length in pixels; the sensor's width spans the longer image side, as in Blender's AUTO fit."""
    return camera.lens_mm / camera.sensor_width_mm * max(camera.image_size_px)


def clip_from_camera(focal: torch.Tensor | float, width_px: int, height_px: int) -> torch.Tensor:
    """OpenGL projection (4, 4) float32 for a focal length in pixels and a centred principal point; differentiable in focal."""
    focal = torch.as_tensor(focal, dtype=torch.float32)
    zero, one = torch.zeros_like(focal), torch.ones_like(focal)
    depth = (FAR_M + NEAR_M) / (NEAR_M - FAR_M) * one
    shift = 2 * FAR_M * NEAR_M / (NEAR_M - FAR_M) * one
    rows = [
        [2 * focal / width_px, zero, zero, zero],
        [zero, 2 * focal / height_px, zero, zero],
        [zero, zero, depth, shift],
        [zero, zero, -one, zero],
    ]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def car_to_clip(points_car: torch.Tensor, camera_to_car: torch.Tensor, projection: torch.Tensor) -> torch.Tensor:
    """(..., V, 3) car frame -> (..., V, 4) clip space through a rigid camera_to_car (..., 4, 4) and projection (..., 4, 4)."""
    check_shape("points_car", tuple(points_car.shape[-2:]), (None, 3))
    rotation, position = camera_to_car[..., :3, :3], camera_to_car[..., :3, 3]
    points_camera = (points_car - position[..., None, :]) @ rotation
    homogeneous = torch.cat([points_camera, torch.ones_like(points_camera[..., :1])], -1)
    return homogeneous @ projection.transpose(-1, -2)


def car_to_px(points_car: np.ndarray, camera: Camera) -> np.ndarray:
    """(N, 3) car frame -> (N, 3): pixel x, pixel y, depth in metres in front of the camera."""
    check_shape("points_car", points_car.shape, (None, 3))
    points_camera = (points_car - camera.camera_to_car[:3, 3]) @ camera.camera_to_car[:3, :3]
    width, height = camera.image_size_px
    depth = -points_camera[:, 2]
    focal = focal_px(camera)
    return np.stack([width / 2 + focal * points_camera[:, 0] / depth, height / 2 - focal * points_camera[:, 1] / depth, depth], 1)


def orbit(azimuth_rad: float, elevation_rad: float, distance_m: float, target_car: tuple[float, float, float]) -> np.ndarray:
    """camera_to_car (4, 4) float64 of a level camera that looks at target_car from the given direction."""
    toward = np.array(
        [math.sin(azimuth_rad) * math.cos(elevation_rad), -math.cos(azimuth_rad) * math.cos(elevation_rad), math.sin(elevation_rad)]
    )
    right = np.array([math.cos(azimuth_rad), math.sin(azimuth_rad), 0.0])
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(toward, right), toward], 1)
    matrix[:3, 3] = np.asarray(target_car) + toward * distance_m
    return matrix


def azimuth_elevation(camera: Camera) -> tuple[float, float]:
    """Direction from the car's middle (0.7 m above the ground) to the camera, radians."""
    x, y, z = camera.camera_to_car[:3, 3]
    return math.atan2(x, -y), math.atan2(z - 0.7, math.hypot(x, y))


def car_to_gltf(points_car: np.ndarray) -> np.ndarray:
    """(N, 3) car frame -> glTF's +Y up, nose +Z."""
    check_shape("points_car", points_car.shape, (None, 3))
    return np.stack([points_car[:, 0], points_car[:, 2], -points_car[:, 1]], 1)
