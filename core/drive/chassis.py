"""What driving needs to know of a car: where its wheels stand, and how the steered ones turn together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import check_shape

LARGEST_STEER_RAD = float(np.radians(35))
DRIFT_STEER_RAD = float(np.radians(55))  # counter-steering in a drift goes further


@dataclass(frozen=True)
class Chassis:
    """Wheels (W) by name: hubs_car (W, 3) metres, radii_m (W,), steers (W,) bool.  At least one steers and at least one does not."""

    names: tuple[str, ...]
    hubs_car: np.ndarray
    radii_m: np.ndarray
    steers: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.names)
        check_shape("hubs_car", self.hubs_car.shape, (count, 3))
        check_shape("radii_m", self.radii_m.shape, (count,))
        check_shape("steers", self.steers.shape, (count,))
        if self.steers.all() or not self.steers.any():
            raise ValueError(f"{int(self.steers.sum())} of {count} wheels steer; a car needs wheels that do and wheels that do not")

    @property
    def rear_axle_y_m(self) -> float:
        """The line of the axle that does not steer, car frame."""
        return float(self.hubs_car[~self.steers, 1].mean())

    @property
    def wheelbase_m(self) -> float:
        """From that line to the steered wheels; the nose is at -Y."""
        return float(self.rear_axle_y_m - self.hubs_car[self.steers, 1].mean())

    @property
    def tightest_curvature_per_m(self) -> float:
        """Of the rear axle's middle, with the wheels turned as far as they go."""
        return float(np.tan(LARGEST_STEER_RAD) / self.wheelbase_m)


def wheel_angle(steer_rad: np.ndarray, left_m: float, wheelbase_m: float) -> np.ndarray:
    """The angle of a steered wheel that stands left_m (metres, +X) beside the car's middle, for the angle of a wheel in the middle.

    Ackermann's condition: the normals of all wheels meet in one point of the rear axle's line; positive angles point to the left, and
    so do positive results.
    """
    tangent = np.tan(steer_rad)
    return np.arctan2(tangent * wheelbase_m, wheelbase_m - tangent * left_m)
