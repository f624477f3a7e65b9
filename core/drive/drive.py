"""Drive a car: along a path at a speed or in a time, or with the motion that it already has.

path -> timetable -> follow -> stand on the ground -> ride.  Everything is worked out at MOMENTS moments a frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import Trouble, UserInputError, check_shape
from .chassis import Chassis
from .follow import Track, follow
from .ground import Heights, Stance, stand
from .path import Path
from .ride import MOMENTS, Ride, ride
from .rotation import euler_angles
from .signals import BEND_PER_M
from .smooth import held_and_smoothed
from .speed import SpeedWish, in_time, timetable
from .suspension import Springs

MOST_FRAMES = 100_000
OFF_PATH_M = 0.3  # further from the path than this is worth a word
DRIFT_BEND_PER_M = 1 / 18  # bends as tight as this get the whole drift
DRIFT_S = 0.35


@dataclass(frozen=True)
class DriveWish:
    """fps of the scene; frames: how many the drive may take, None: as many as the speed needs; laps of a closed path; drift_rad: how far
    the tail swings out in tight bends."""

    speed: SpeedWish
    fps: float = 24.0
    frames: int | None = None
    backwards: bool = False
    laps: int = 1
    drift_rad: float = 0.0
    springs: Springs = Springs()


@dataclass(frozen=True)
class Drive:
    """The frames of a drive, the highest speed of it, and what the driver should know, in sentences."""

    ride: Ride
    top_m_s: float
    notices: tuple[str, ...]


def drive_along(path: Path, wish: DriveWish, chassis: Chassis, heights: Heights | None) -> Drive:
    """The rear axle's middle follows the path; without heights the path itself is the ground.

    Raises: UserInputError for what cannot be driven.
    """
    if wish.frames is None:
        table = timetable(path, wish.speed, wish.laps)
    else:
        table = in_time(path, wish.speed, wish.frames / wish.fps, wish.laps)[0]
    frames = int(np.ceil(table.duration_s * wish.fps - 1e-6)) if wish.frames is None else wish.frames
    if frames > MOST_FRAMES:
        raise UserInputError(f"this drive takes {frames} frames, more than {MOST_FRAMES}: drive faster or shorten the path.", Trouble.SCENE)
    step_s = 1 / (wish.fps * MOMENTS)
    along = table.along_at(step_s * np.arange(max(frames, 1) * MOMENTS + 1))
    if wish.speed.to_standing:
        along = np.minimum(along, table.along_m[-1])
    track = follow(path, along, step_s, chassis, wish.backwards)
    drift = _drift(track, wish, step_s)
    stance = _stance(track, drift, chassis, heights)
    found = ride(stance, drift, None if wish.drift_rad else track.steer_rad, chassis, 1 / wish.fps, wish.springs)
    return Drive(found, float(np.abs(found.speed_m_s).max()), _notices(path, track, found, chassis))


def drive_as_moved(origin_m: np.ndarray, rotation: np.ndarray, chassis: Chassis, fps: float, springs: Springs) -> Drive:
    """Wheels, steering, springs and lamps for a car that somebody moves: origin_m (F, 3) and rotation (F, 3, 3) at each frame.

    Between frames the motion is a smooth curve through them.  Raises: ShapeError; UserInputError for fewer than two frames.
    """
    check_shape("rotation", rotation.shape, (len(origin_m), 3, 3))
    if len(origin_m) < 2:
        raise UserInputError("one frame is no motion: choose a longer range of frames.", Trouble.SCENE)
    places = _between(np.concatenate([origin_m, euler_angles(rotation)], 1))
    count = len(places)
    stance = Stance(places[:, :3], places[:, 3:], np.zeros((count, len(chassis.names))), np.zeros(count, bool))
    found = ride(stance, np.zeros(count), None, chassis, 1 / fps, springs)
    return Drive(found, float(np.abs(found.speed_m_s).max()), ())


def _stance(track: Track, drift: np.ndarray, chassis: Chassis, heights: Heights | None) -> Stance:
    """The origin stands before the rear axle by its own offset; a drift turns the car about the origin."""
    ahead = np.stack([np.sin(track.yaw_rad), -np.cos(track.yaw_rad)], 1)
    origin = track.rear_m + ahead * chassis.rear_axle_y_m
    near = track.near_m[:, 2]
    return stand(origin, track.yaw_rad + drift, near, chassis, heights or _along_the_path(track))


def _along_the_path(track: Track) -> Heights:
    """The path's own height, level across it: looked up at the nearest of the car's own places, extended straight at both ends."""
    flat_path = float(np.ptp(track.near_m[:, 2])) < 1e-6
    if flat_path:
        return lambda places, near: np.full(len(places), track.near_m[0, 2])
    way = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(track.near_m[:, :2], axis=0), axis=1))])
    moved = np.concatenate([[True], np.diff(way) > 1e-9])
    way, line = way[moved], track.near_m[moved]

    def heights(places: np.ndarray, near: np.ndarray) -> np.ndarray:
        each = len(places) // len(track.near_m)
        start = np.repeat(np.arange(len(track.near_m)), each)
        heading = track.yaw_rad[start]
        ahead = np.stack([np.sin(heading), -np.cos(heading)], 1) * np.where(track.travelled_m[-1] < 0, -1.0, 1.0)
        along = np.einsum("ni,ni->n", places - track.near_m[start, :2], ahead)
        station = np.interp(start, np.flatnonzero(moved), way) + along
        inside = np.interp(station, way, line[:, 2])
        first, last = _slope(way, line[:, 2], 0), _slope(way, line[:, 2], -1)
        return inside + np.minimum(station - way[0], 0) * first + np.maximum(station - way[-1], 0) * last

    return heights


def _slope(way: np.ndarray, height: np.ndarray, end: int) -> float:
    a, b = (0, min(8, len(way) - 1)) if end == 0 else (max(-9, -len(way)), -1)
    return float((height[b] - height[a]) / max(way[b] - way[a], 1e-9))


def _drift(track: Track, wish: DriveWish, step_s: float) -> np.ndarray:
    """(S,) radians by which the nose points into the bend, coming and going softly."""
    if not wish.drift_rad:
        return np.zeros(len(track.yaw_rad))
    bend = np.gradient(track.yaw_rad) / np.maximum(np.abs(np.gradient(track.travelled_m)), 1e-6)
    pace = np.abs(np.gradient(track.travelled_m)) / step_s
    wanted = wish.drift_rad * np.clip(bend / DRIFT_BEND_PER_M, -1, 1) * np.clip(pace / 6.0, 0, 1) * (np.abs(bend) > BEND_PER_M)
    return held_and_smoothed(wanted, DRIFT_S / step_s)


def _between(rows: np.ndarray) -> np.ndarray:
    """(F, C) -> ((F - 1) MOMENTS + 1, C): cubic Hermite curves with the slopes of the neighbours (Catmull and Rom 1974)."""
    slope = np.gradient(rows, axis=0)
    t = (np.arange(MOMENTS) / MOMENTS)[None, :, None]
    a, b, m, n = (values[:, None] for values in (rows[:-1], rows[1:], slope[:-1], slope[1:]))
    curve = (2 * t**3 - 3 * t**2 + 1) * a + (t**3 - 2 * t**2 + t) * m + (3 * t**2 - 2 * t**3) * b + (t**3 - t**2) * n
    return np.concatenate([curve.reshape(-1, rows.shape[1]), rows[-1:]])


def _notices(path: Path, track: Track, found: Ride, chassis: Chassis) -> tuple[str, ...]:
    said = []
    if track.furthest_m > OFF_PATH_M:
        tightest = 1 / max(float(np.abs(path.curvature_per_m).max()), 1e-6)
        said.append(
            f"The path has bends of {tightest:.1f} m, this car turns within {1 / chassis.tightest_curvature_per_m:.1f} m:"
            f" it left the path by up to {track.furthest_m:.1f} m."
        )
    if found.off_ground.any():
        frames = np.flatnonzero(found.off_ground)
        said.append(f"There is no ground under the car at {len(frames)} frames, the first {frames[0]} frames after the start.")
    return tuple(said)
