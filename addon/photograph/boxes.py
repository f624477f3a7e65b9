"""Upright boxes that stand for what is on the ground: do two touch, and does one stand in a line of sight?  Plain numpy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Box:
    """Stands on z = 0: middle (x, y), half sides before it was turned about +Z, and its height; car frame, metres."""

    x_m: float
    y_m: float
    half_x_m: float
    half_y_m: float
    turn_rad: float
    height_m: float

    def matrix(self) -> np.ndarray:
        """(4, 4) that puts a thing whose origin is the middle of its foot where the box is."""
        cosine, sine = math.cos(self.turn_rad), math.sin(self.turn_rad)
        return np.array([[cosine, -sine, 0, self.x_m], [sine, cosine, 0, self.y_m], [0, 0, 1, 0], [0, 0, 0, 1]])

    def local(self, points_m: np.ndarray) -> np.ndarray:
        """Points (N, 3) in the box's own axes, its foot at the origin."""
        turned = self.matrix()
        return (points_m - turned[:3, 3]) @ turned[:3, :3]

    def clear_of(self, other: Box, gap_m: float = 0.0) -> bool:
        """Whether at least about gap_m lies between the two, seen from above (separating axes)."""
        return self._separated(other, gap_m) or other._separated(self, gap_m)

    def hides(self, eye_m: np.ndarray, points_m: np.ndarray) -> float:
        """Share of the points (N, 3) that cannot be seen from the eye (3,) because of the box."""
        eye, ends = self.local(eye_m[None])[0], self.local(points_m)
        way = ends - eye
        way = np.where(np.abs(way) < 1e-9, 1e-9, way)
        low, high = np.array([-self.half_x_m, -self.half_y_m, 0]), np.array([self.half_x_m, self.half_y_m, self.height_m])
        one, two = (low - eye) / way, (high - eye) / way
        enters, leaves = np.minimum(one, two).max(1), np.maximum(one, two).min(1)
        return float(((enters < leaves) & (leaves > 0) & (enters < 1)).mean())

    def distance_m(self, point_m: np.ndarray) -> float:
        """From a point (3,) to the box's outline, seen from above; 0 inside."""
        local = np.abs(self.local(point_m[None])[0, :2]) - [self.half_x_m, self.half_y_m]
        return float(np.linalg.norm(local.clip(0)))

    def _separated(self, other: Box, gap_m: float) -> bool:
        corners = np.array([(x, y, 0) for x in (-other.half_x_m, other.half_x_m) for y in (-other.half_y_m, other.half_y_m)])
        there = self.local(corners @ other.matrix()[:3, :3].T + other.matrix()[:3, 3])
        half = np.array([self.half_x_m, self.half_y_m]) + gap_m
        return bool(((there[:, :2].min(0) > half) | (there[:, :2].max(0) < -half)).any())


def box_round(points_m: np.ndarray) -> Box:
    """The unturned box of points (N, 3) that stand on z = 0."""
    low, high = points_m.min(0), points_m.max(0)
    middle, half = (low + high) / 2, (high - low) / 2
    return Box(float(middle[0]), float(middle[1]), float(half[0]), float(half[1]), 0.0, float(high[2]))
