"""Where the photographer stands: direction, lens and framing of a picture, drawn by lot.  Plain numpy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np

SENSOR_MM = 36.0
LENS_MM = (24.0, 120.0)
ELEVATION_DEG = (-5.0, 45.0, 6.0)  # least, most, usual
ROLL_SIGMA_DEG = 1.5
FILL = (0.5, 1.05)  # longer side of the car's box over the picture's side
USUAL_SHARE = 0.4  # of the pictures show the car from three quarters, as people do
LOWEST_M, NEAREST_M = 0.15, 0.7  # of the camera above the ground; of the car before the camera
STEP = 0.97  # of the distance, while walking up to the car


@dataclass(frozen=True)
class Aim:
    """A Blender camera: camera_to_world (4, 4) in the car's frame, looking along its -Z; the angles are those of its place."""

    camera_to_world: np.ndarray
    lens_mm: float
    azimuth_rad: float
    elevation_rad: float

    @property
    def eye_m(self) -> np.ndarray:
        return self.camera_to_world[:3, 3]

    @property
    def half_view(self) -> float:
        """Tangent of half the picture's angle."""
        return SENSOR_MM / 2 / self.lens_mm

    def seen(self, points_m: np.ndarray) -> np.ndarray:
        """Points (N, 3) in the picture, (N, 2): the frame is -1..1, right and up."""
        local = (points_m - self.eye_m) @ self.camera_to_world[:3, :3]
        return local[:, :2] / np.maximum(-local[:, 2:], 1e-6) / self.half_view


def draw_aim(points_m: np.ndarray, draw: Random) -> Aim:
    """A picture of the car whose vertices (N, 3), or many of them, are given."""
    azimuth, elevation = _azimuth_rad(draw), math.radians(draw.triangular(*ELEVATION_DEG))
    lens, fill = math.exp(draw.uniform(*map(math.log, LENS_MM))), draw.uniform(*FILL)
    level = math.cos(elevation)
    toward = np.array([math.sin(azimuth) * level, -math.cos(azimuth) * level, math.sin(elevation)])
    middle = (points_m.min(0) + points_m.max(0)) / 2
    aim, distance = _at(middle, toward, 60.0, lens), 60.0
    while True:
        nearer = _at(middle, toward, distance * STEP, lens)
        depth = -((points_m - nearer.eye_m) @ nearer.camera_to_world[:3, 2])
        if depth.min() < NEAREST_M or np.ptp(nearer.seen(points_m), 0).max() / 2 > fill:
            break
        aim, distance = nearer, distance * STEP
    return _composed(aim, points_m, draw)


def _azimuth_rad(draw: Random) -> float:
    if draw.random() >= USUAL_SHARE:
        return draw.uniform(-math.pi, math.pi)
    quarter = draw.choice((-1, 1)) * (draw.gauss(40, 14) if draw.random() < 0.6 else draw.gauss(140, 14))
    return math.radians(quarter)


def _at(middle_m: np.ndarray, toward: np.ndarray, distance_m: float, lens_mm: float) -> Aim:
    place = middle_m + toward * distance_m
    place[2] = max(place[2], LOWEST_M)
    back = (place - middle_m) / np.linalg.norm(place - middle_m)
    right = np.cross((0, 0, 1), back)
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = np.stack([right, np.cross(back, right), back], 1), place
    return Aim(matrix, lens_mm, math.atan2(back[0], -back[1]), math.asin(back[2]))


def _composed(aim: Aim, points_m: np.ndarray, draw: Random) -> Aim:
    """Turn the camera so that the car comes to lie somewhere in the frame, and tilt it a little."""
    seen = aim.seen(points_m)
    low, high = seen.min(0), seen.max(0)
    room = np.maximum(1 - (high - low) / 2, 0.2)
    wanted = np.array([draw.triangular(-1, 1, 0), draw.triangular(-1, 1, 0)]) * room * 0.9
    yaw, pitch = (math.atan(shift * aim.half_view) for shift in ((low + high) / 2 - wanted))
    matrix = aim.camera_to_world.copy()
    matrix[:3, :3] = matrix[:3, :3] @ _turn(-yaw, 1) @ _turn(pitch, 0) @ _turn(math.radians(draw.gauss(0, ROLL_SIGMA_DEG)), 2)
    return Aim(matrix, aim.lens_mm, aim.azimuth_rad, aim.elevation_rad)


def _turn(angle_rad: float, axis: int) -> np.ndarray:
    """Rotation (3, 3) about an axis."""
    cosine, sine = math.cos(angle_rad), math.sin(angle_rad)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[first, first], matrix[first, second], matrix[second, first], matrix[second, second] = cosine, -sine, sine, cosine
    return matrix
