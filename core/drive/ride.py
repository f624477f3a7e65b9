"""From where a car is at many moments to what turns and moves on it: wheels, steering, springs, lamps; frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import check_shape
from .chassis import DRIFT_STEER_RAD, LARGEST_STEER_RAD, Chassis, wheel_angle
from .ground import Stance
from .rotation import euler_angles, rotation_matrices
from .signals import Switches, signals
from .smooth import held_and_smoothed
from .suspension import Springs, Sway, sway

MOMENTS = 8  # of a frame
STILL_M = 1e-5  # a shorter way in one moment tells no direction
QUIET_S = 0.12  # standard deviation of the time in which forces are felt: none sets in at once


@dataclass(frozen=True)
class Ride:
    """F frames.  origin_m (F, 3) and rotation_rad (F, 3) (Euler XYZ) of the car frame in the world, drift_rad (F,) about its Z on top;
    spin_rad (F, W) of the wheels since the first frame, positive forwards; steer_rad (F,) of a wheel in the middle, positive to the left;
    travel_m (F, W) of the wheels, up; sway of the body; speed_m_s (F,) along the nose; switches; off_ground (F,) bool."""

    origin_m: np.ndarray
    rotation_rad: np.ndarray
    drift_rad: np.ndarray
    spin_rad: np.ndarray
    steer_rad: np.ndarray
    travel_m: np.ndarray
    sway: Sway
    speed_m_s: np.ndarray
    switches: Switches
    off_ground: np.ndarray

    def __len__(self) -> int:
        return len(self.speed_m_s)


def ride(stance: Stance, drift_rad: np.ndarray, steer_rad: np.ndarray | None, chassis: Chassis, frame_s: float, springs: Springs) -> Ride:
    """Every frame of a car with this stance at MOMENTS moments a frame, the last frame being one moment.

    drift_rad (S,) is part of the stance's rotation and comes out on its own.  Without steer_rad (S,) the wheels point where they go.
    Raises: ShapeError; ValueError where the moments are no whole number of frames.
    """
    count = len(stance.origin_m)
    check_shape("drift_rad", drift_rad.shape, (count,))
    if count < MOMENTS + 1 or (count - 1) % MOMENTS:
        raise ValueError(f"{count} moments are no whole number of frames of {MOMENTS}, and one more")
    step_s, every = frame_s / MOMENTS, slice(None, None, MOMENTS)
    turned = rotation_matrices(stance.rotation_rad)
    forward = _forward_m(stance.origin_m, turned)
    if steer_rad is None:
        steer_rad = _steer_of_motion(stance.origin_m, turned, chassis)
    spin = _spins(stance, turned, steer_rad, chassis)
    speed = np.gradient(np.concatenate([[0.0], np.cumsum(forward)]), step_s)
    body, way = _felt(stance, turned, speed, step_s, springs)
    plain = _without_drift(stance.rotation_rad, turned, drift_rad)
    # at a frame the lamps know how fast the car was on its way to the next one
    pace = np.append(forward.reshape(-1, MOMENTS).sum(1) / frame_s, forward[-1] / step_s)
    return Ride(
        stance.origin_m[every], plain[every], drift_rad[every], spin[every], steer_rad[every], stance.travel_m[every],
        Sway(body.heave_m[every], body.pitch_rad[every], body.roll_rad[every]), speed[every],
        signals(pace, way[every], frame_s), stance.off_ground[every],
    )  # fmt: skip


def _forward_m(origin: np.ndarray, turned: np.ndarray) -> np.ndarray:
    """(S - 1,) metres along the nose in each step."""
    nose = -0.5 * (turned[1:, :, 1] + turned[:-1, :, 1])
    return np.einsum("si,si->s", np.diff(origin, axis=0), nose)


def _spins(stance: Stance, turned: np.ndarray, steer: np.ndarray, chassis: Chassis) -> np.ndarray:
    """(S, W) radians: the way of each hub along its own wheel, over the radius."""
    columns = []
    for number, hub in enumerate(chassis.hubs_car):
        angle = wheel_angle(steer, hub[0], chassis.wheelbase_m) if chassis.steers[number] else np.zeros(len(steer))
        local = hub + np.stack([np.zeros_like(angle), np.zeros_like(angle), stance.travel_m[:, number]], 1)
        place = stance.origin_m + np.einsum("sij,sj->si", turned, local)
        along = np.einsum("sij,sj->si", turned, np.stack([np.sin(angle), -np.cos(angle), np.zeros_like(angle)], 1))
        middle = along[1:] + along[:-1]
        middle /= np.linalg.norm(middle, axis=1, keepdims=True)
        way = np.einsum("si,si->s", np.diff(place, axis=0), middle)
        columns.append(np.concatenate([[0.0], np.cumsum(way)]) / chassis.radii_m[number])
    return np.stack(columns, 1)


def _steer_of_motion(origin: np.ndarray, turned: np.ndarray, chassis: Chassis) -> np.ndarray:
    """(S,) the way of the front axle's middle against the nose; where the car stands, the next or last angle that it had."""
    front = np.array([0.0, chassis.hubs_car[chassis.steers, 1].mean(), 0.0])
    place = origin + turned @ front
    step = np.gradient(place, axis=0)
    left, ahead = np.einsum("si,si->s", step, turned[:, :, 0]), -np.einsum("si,si->s", step, turned[:, :, 1])
    angle = np.arctan2(left * np.sign(ahead), np.abs(ahead))
    moving = np.flatnonzero(np.hypot(left, ahead) > STILL_M)
    if not len(moving):
        return np.zeros(len(origin))
    limit = DRIFT_STEER_RAD if np.abs(angle[moving]).max() > LARGEST_STEER_RAD else LARGEST_STEER_RAD
    return np.interp(np.arange(len(origin)), moving, np.clip(angle[moving], -limit, limit))


def _felt(stance: Stance, turned: np.ndarray, speed: np.ndarray, step_s: float, springs: Springs) -> tuple[Sway, np.ndarray]:
    """The body's sway, and the curvature (S,) of the way, positive to the left of the travel."""
    plan = np.diff(stance.origin_m[:, :2], axis=0)
    yaw_rate = np.gradient(np.unwrap(np.arctan2(turned[:, 0, 1], -turned[:, 1, 1])), step_s) if len(speed) > 1 else np.zeros_like(speed)
    force, aside = (held_and_smoothed(values, QUIET_S / step_s) for values in (np.gradient(speed, step_s), yaw_rate * speed))
    pitch, roll = stance.rotation_rad[:, 0], stance.rotation_rad[:, 1]
    body = sway(stance.origin_m[:, 2], pitch, roll, force, aside, step_s, springs)
    way = np.append(np.linalg.norm(plan, axis=1), 0.0) / step_s
    return body, np.where(way > 1e-3, yaw_rate / np.maximum(way, 1e-3), 0.0)


def _without_drift(rotation: np.ndarray, turned: np.ndarray, drift: np.ndarray) -> np.ndarray:
    """(S, 3) Euler angles, continuous, of the rotations before the drift about their own Z."""
    if not drift.any():
        return rotation
    c, s = np.cos(drift), np.sin(drift)
    back = np.zeros((len(drift), 3, 3))
    back[:, 0, 0], back[:, 0, 1], back[:, 1, 0], back[:, 1, 1], back[:, 2, 2] = c, s, -s, c, 1
    return euler_angles(turned @ back)
