"""A car on a path: every small step is an arc of a circle that its steering allows, so that no wheel ever slips.

The bicycle model with the rear axle's middle on the path; what is off the path is steered back along it as a critically damped
oscillation over the distance (Samson, "Control of chained systems", 1995, linearised), which works for both directions of travel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .chassis import Chassis
from .path import Path

RETURN_M = 1.2  # distance over which the way back to the path dies away
STEER_RATE_RAD_S = 1.0  # quick hands


@dataclass(frozen=True)
class Track:
    """S moments: rear_m (S, 2) the middle of the rear axle in plan, yaw_rad (S,) of the car (0: nose to -Y, anticlockwise, continuous),
    steer_rad (S,) of a wheel in the middle, travelled_m (S,) along its own arcs, negative backwards, near_m (S, 3) the place on the path,
    furthest_m from the path at any moment."""

    rear_m: np.ndarray
    yaw_rad: np.ndarray
    steer_rad: np.ndarray
    travelled_m: np.ndarray
    near_m: np.ndarray
    furthest_m: float


def follow(path: Path, along_m: np.ndarray, seconds_a_step: float, chassis: Chassis, backwards: bool) -> Track:
    """Drive so that after each moment the car is along_m (S,) metres on, ascending from 0."""
    sign, base_m = (-1.0 if backwards else 1.0), chassis.wheelbase_m
    tightest, most_turn = chassis.tightest_curvature_per_m, STEER_RATE_RAD_S * seconds_a_step
    steps = np.diff(along_m, prepend=0.0)
    start, heading, bend = (value[0] for value in path.at(np.zeros(1)))
    place, steer, on_path = start[:2].astype(float), float(np.arctan(base_m * np.clip(bend, -tightest, tightest))), 0.0
    rows, furthest = [], 0.0
    for step in steps:
        near, direction, bend = _at(path, on_path)
        normal = np.array([-np.sin(direction), np.cos(direction)])
        off, astray = float((place - near[:2]) @ normal), (heading - direction + np.pi) % (2 * np.pi) - np.pi
        back = -np.arctan(off / (2 * RETURN_M))  # the angle at which to come back: critically damped near the path, never across it
        wanted = bend * np.cos(astray) / max(1 - bend * off, 0.2) + 2 * (back - astray) / RETURN_M
        aim = float(np.arctan(base_m * np.clip(wanted, -tightest, tightest)))
        steer += float(np.clip(aim - steer, -most_turn, most_turn))
        curvature = np.tan(steer) / base_m
        half_turn = 0.5 * curvature * step
        chord = step * np.sinc(half_turn / np.pi)
        place = place + chord * np.array([np.cos(heading + half_turn), np.sin(heading + half_turn)])
        heading += 2 * half_turn
        on_path += step * np.cos(astray) / max(1 - bend * off, 0.2)
        furthest = max(furthest, abs(off))
        rows.append((*place, heading, sign * steer, *near))
    table = np.array(rows)
    yaw = table[:, 2] + (np.pi / 2 if not backwards else -np.pi / 2)  # the nose is at -Y, so a car heading for +X is turned by +90 degrees
    return Track(table[:, :2], yaw, table[:, 3], sign * np.asarray(along_m, float), table[:, 4:7], furthest)


def _at(path: Path, along_m: float) -> tuple[np.ndarray, float, float]:
    point, heading, bend = path.at(np.array([along_m]))
    return point[0], float(heading[0]), float(bend[0])
