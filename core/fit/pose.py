"""The camera as seven numbers that a gradient can move independently, and the projection of a crop of the photograph."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from ..errors import check_shape
from ..frames import FAR_M, NEAR_M
from ..types import Camera

TARGET_CAR = (0.0, 0.0, 0.6)  # the point that azimuth, elevation and distance refer to
AZIMUTH, ELEVATION, ROLL, LOG_SCALE, LOG_DISTANCE, PAN, TILT = range(7)
POSE_SIZE = 7
SENSOR_WIDTH_MM = 36.0


@dataclass(frozen=True)
class Crop:
    """The square of the photograph that is compared: corner and side in pixels of the photograph, size of the rendered square."""

    left_px: float
    top_px: float
    side_px: float
    photo_size_px: tuple[int, int]


def camera_to_car(pose: torch.Tensor) -> torch.Tensor:
    """(B, 7) pose -> (B, 4, 4) rigid transforms, differentiable.

    azimuth, elevation, roll, pan, tilt in radians; log_scale = log(focal_px / distance_m); log_distance in log metres.  With pan = tilt =
    roll = 0 the camera looks at TARGET_CAR, upright; pan turns it to its right, tilt up, roll about the line of sight.
    """
    check_shape("pose", tuple(pose.shape), (None, POSE_SIZE))
    azimuth, elevation = pose[:, AZIMUTH], pose[:, ELEVATION]
    sin_a, cos_a, sin_e, cos_e = azimuth.sin(), azimuth.cos(), elevation.sin(), elevation.cos()
    toward = torch.stack([sin_a * cos_e, -cos_a * cos_e, sin_e], -1)
    right = torch.stack([cos_a, sin_a, torch.zeros_like(sin_a)], -1)
    looking = torch.stack([right, torch.linalg.cross(toward, right), toward], -1)
    turned = looking @ _turn(1, -pose[:, PAN]) @ _turn(0, pose[:, TILT]) @ _turn(2, pose[:, ROLL])
    position = pose.new_tensor(TARGET_CAR) + toward * pose[:, LOG_DISTANCE, None].exp()
    upper = torch.cat([turned, position[..., None]], -1)
    bottom = pose.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(len(pose), 1, 4)
    return torch.cat([upper, bottom], 1)


def _turn(axis: int, angle: torch.Tensor) -> torch.Tensor:
    """Rotations (B, 3, 3) about a coordinate axis."""
    sin, cos, zero, one = angle.sin(), angle.cos(), torch.zeros_like(angle), torch.ones_like(angle)
    rows = {
        0: ((one, zero, zero), (zero, cos, -sin), (zero, sin, cos)),
        1: ((cos, zero, sin), (zero, one, zero), (-sin, zero, cos)),
        2: ((cos, -sin, zero), (sin, cos, zero), (zero, zero, one)),
    }[axis]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def focal_px(pose: torch.Tensor) -> torch.Tensor:
    """(B,) focal lengths in pixels of the photograph."""
    return (pose[:, LOG_SCALE] + pose[:, LOG_DISTANCE]).exp()


def crop_projection(pose: torch.Tensor, crop: Crop) -> torch.Tensor:
    """(B, 4, 4) OpenGL projection of the crop: the principal point stays the photograph's middle."""
    width, height = crop.photo_size_px
    focal = 2 * focal_px(pose) / crop.side_px
    shift_x = 2 * (width / 2 - crop.left_px) / crop.side_px - 1
    shift_y = 1 - 2 * (height / 2 - crop.top_px) / crop.side_px
    zero, one = torch.zeros_like(focal), torch.ones_like(focal)
    depth, offset = (FAR_M + NEAR_M) / (NEAR_M - FAR_M), 2 * FAR_M * NEAR_M / (NEAR_M - FAR_M)
    rows = (
        (focal, zero, -shift_x * one, zero),
        (zero, focal, -shift_y * one, zero),
        (zero, zero, depth * one, offset * one),
        (zero, zero, -one, zero),
    )
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def to_camera(pose: torch.Tensor, photo_size_px: tuple[int, int]) -> Camera:
    """One pose (7,) as a Camera of the photograph."""
    matrix = camera_to_car(pose[None].double())[0].numpy()
    lens_mm = float(focal_px(pose[None])[0]) * SENSOR_WIDTH_MM / max(photo_size_px)
    return Camera(photo_size_px, lens_mm, matrix, SENSOR_WIDTH_MM)


def first_pose(
    azimuth_rad: float,
    elevation_rad: float,
    distance_m: float,
    vertices_car: np.ndarray,
    box_px: tuple[float, float, float, float],
    photo_size_px: tuple[int, int],
) -> torch.Tensor:
    """(7,) pose from a direction, such that the car's projection has the box's middle and size.

    box_px = (left, top, right, bottom) of the matte.  A few rounds of aiming suffice, since pan and tilt are small.
    """
    width, height = photo_size_px
    log_scale = math.log((box_px[2] - box_px[0]) / 4.5)
    pose = torch.tensor([azimuth_rad, elevation_rad, 0.0, log_scale, math.log(distance_m), 0.0, 0.0])
    points = torch.from_numpy(vertices_car).float()
    for _ in range(4):
        matrix, focal = camera_to_car(pose[None])[0], focal_px(pose[None])[0]
        local = (points - matrix[:3, 3]) @ matrix[:3, :3]
        plane = local[:, :2] / -local[:, 2:]
        low, high = plane.amin(0), plane.amax(0)
        size = float(((high - low) * focal).max())
        wide = (high - low)[0] >= (high - low)[1]
        wanted = (box_px[2] - box_px[0]) if wide else (box_px[3] - box_px[1])
        pose[LOG_SCALE] += math.log(wanted / size)
        focal = focal_px(pose[None])[0]
        middle = (low + high) / 2
        aim = torch.tensor([((box_px[0] + box_px[2]) / 2 - width / 2), -((box_px[1] + box_px[3]) / 2 - height / 2)]) / focal
        pose[PAN] += torch.atan(middle[0]) - torch.atan(aim[0])
        pose[TILT] += torch.atan(middle[1]) - torch.atan(aim[1])
    return pose
