"""Where a car stands on the ground: each wheel rests on it with its whole rim, the car lies in the plane of its wheels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .chassis import Chassis
from .rotation import rotation_matrices

Heights = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""heights(places (N, 2) world, near_z (N,)) -> (N,) z of the ground nearest below near_z + a car's height; NaN where there is none."""
RIM_SHARES = np.array([0, 0.08, -0.08, 0.18, -0.18, 0.3, -0.3, 0.5, -0.5, 0.75, -0.75])  # of the radius, along the wheel
SETTLE = 3  # a pitched car's wheels stand elsewhere than a level one's


@dataclass(frozen=True)
class Stance:
    """S moments: origin_m (S, 3) of the car frame and its rotation_rad (S, 3) (Euler XYZ) in the world; travel_m (S, W) of each wheel
    along the car's up axis from where that plane puts it; off_ground (S,) bool: no ground below some wheel, so its last height counts."""

    origin_m: np.ndarray
    rotation_rad: np.ndarray
    travel_m: np.ndarray
    off_ground: np.ndarray


def flat(height_m: float = 0.0) -> Heights:
    """A level floor."""
    return lambda places, near: np.full(len(places), height_m)


def stand(origin_xy_m: np.ndarray, yaw_rad: np.ndarray, near_z_m: np.ndarray, chassis: Chassis, heights: Heights) -> Stance:
    """Put a car whose origin is over these places (S, 2) with these headings on the ground that is near near_z_m (S,)."""
    count, hubs = len(yaw_rad), chassis.hubs_car
    plan = np.stack([np.ones(len(hubs)), hubs[:, 1], hubs[:, 0]], 1)
    pitch, roll = np.zeros(count), np.zeros(count)
    feet = np.repeat(near_z_m[:, None], len(hubs), 1)
    for _ in range(SETTLE):
        turned = rotation_matrices(np.stack([pitch, roll, yaw_rad], 1))
        over = origin_xy_m[:, None] + np.einsum("sij,wj->swi", turned, hubs)[..., :2]
        high, missing = _resting(over, yaw_rad, feet, chassis.radii_m, heights)
        feet = high - hubs[:, 2] * turned[:, None, 2, 2]
        # plane z = rise + along * y + across * x through the wheels' feet, by least squares
        rise, along, across = np.linalg.lstsq(plan, feet.T, rcond=None)[0]
        roll = -np.arctan(across)
        pitch = np.arctan(along * np.cos(roll))
    rotation = np.stack([pitch, roll, yaw_rad], 1)
    turned = rotation_matrices(rotation)
    origin = np.concatenate([origin_xy_m, rise[:, None]], 1)
    travel = (high - origin[:, 2:] - np.einsum("sj,wj->sw", turned[:, 2], hubs)) / turned[:, 2:, 2]
    return Stance(origin, rotation, travel, missing)


def _resting(over: np.ndarray, yaw: np.ndarray, near: np.ndarray, radii: np.ndarray, heights: Heights) -> tuple[np.ndarray, np.ndarray]:
    """Heights (S, W) of hubs over these places (S, W, 2), wheels touching the ground and not entering it; (S,) whether it is missing."""
    ahead = np.stack([np.sin(yaw), -np.cos(yaw)], 1)
    shares = RIM_SHARES[None, None, :]
    probes = over[:, :, None] + ahead[:, None, None] * (shares * radii[None, :, None])[..., None]
    found = heights(probes.reshape(-1, 2), np.repeat(near.ravel(), len(RIM_SHARES))).reshape(probes.shape[:3])
    touching = np.where(np.isnan(found), -np.inf, found + radii[None, :, None] * np.sqrt(1 - shares**2)).max(2)
    nowhere = np.isinf(touching)
    return np.where(nowhere, near + radii, touching), nowhere.any(1)
