"""Placements over frames: where a node is against the one above it, and the same turned into the frame of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mathutils import Matrix, Quaternion

STILL_M, STILL_QUATERNION, STILL_SCALE = 2e-6, 2e-6, 1e-5  # what the evaluation of a scene leaves as noise


@dataclass(frozen=True, eq=False)
class Track:
    """One placement a frame: location (F, 3), rotation (F, 4) as continuous unit quaternions w x y z, scale (F, 3)."""

    location: np.ndarray
    rotation: np.ndarray
    scale: np.ndarray

    @property
    def moves(self) -> bool:
        return _varies(self.location, STILL_M)

    @property
    def turns(self) -> bool:
        return _varies(self.rotation, STILL_QUATERNION)

    @property
    def grows(self) -> bool:
        return _varies(self.scale, STILL_SCALE)

    def first(self) -> Matrix:
        """The placement at the first frame."""
        return Matrix.LocRotScale(self.location[0].tolist(), Quaternion(self.rotation[0].tolist()), self.scale[0].tolist())


def track_of(matrices: Sequence[Matrix]) -> Track:
    """From one matrix a frame."""
    parts = [matrix.decompose() for matrix in matrices]
    location, rotation, scale = (np.array([part[k] for part in parts], float) for k in range(3))
    return Track(location, continuous(rotation), scale)


def continuous(rotation: np.ndarray) -> np.ndarray:
    """(F, 4) of the same rotations where no quaternion jumps to its opposite, which would turn the long way round."""
    against = (rotation[1:] * rotation[:-1]).sum(1) < 0
    sign = np.concatenate([[1.0], np.where(np.cumsum(against) % 2, -1.0, 1.0)])
    return rotation * sign[:, None]


def turned(track: Track, basis: Matrix, both_sides: bool = True) -> Track:
    """The track in a frame that `basis`, a rotation and one scale, leads to; children that are not turned themselves: both_sides False."""
    back = basis.inverted() if both_sides else Matrix.Scale(1 / basis.median_scale, 4)
    rows = zip(track.location, track.rotation, track.scale, strict=True)
    return track_of([basis @ Matrix.LocRotScale(at.tolist(), Quaternion(by.tolist()), size.tolist()) @ back for at, by, size in rows])


def steering_and_turning(track: Track) -> tuple[Track, Track, Track]:
    """A wheel's motion as three: its place, how its axle points, how it turns about its axle (X of the car frame)."""
    count = len(track.location)
    still, one = np.zeros((count, 3)), np.ones((count, 3))
    upright = np.tile([1.0, 0.0, 0.0, 0.0], (count, 1))
    along = track.rotation * np.array([1.0, 1.0, 0.0, 0.0])
    spin = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-12)
    steer = np.array([Quaternion(whole) @ Quaternion(part).inverted() for whole, part in zip(track.rotation, spin, strict=True)])
    return Track(track.location, upright, one), Track(still, continuous(steer), one), Track(still, continuous(spin), track.scale)


def _varies(values: np.ndarray, least: float) -> bool:
    return bool(np.ptp(values, axis=0).max() > least)
