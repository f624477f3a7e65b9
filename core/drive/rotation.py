"""Euler angles as Blender's XYZ (about X first, then Y, then Z), and matrices."""

from __future__ import annotations

import numpy as np


def rotation_matrices(rotation_rad: np.ndarray) -> np.ndarray:
    """(S, 3) angles -> (S, 3, 3)."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(rotation_rad).T, np.sin(rotation_rad).T
    rows = [
        [cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz],
        [cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz],
        [-sy, sx * cy, cx * cy],
    ]
    return np.moveaxis(np.array(rows), 2, 0)


def euler_angles(matrices: np.ndarray) -> np.ndarray:
    """(S, 3, 3) rotations, one after the other -> (S, 3) angles without jumps; the one about Y within a quarter turn."""
    about_x, about_z = np.arctan2(matrices[:, 2, 1], matrices[:, 2, 2]), np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0])
    return np.stack([np.unwrap(about_x), -np.arcsin(matrices[:, 2, 0].clip(-1, 1)), np.unwrap(about_z)], 1)
