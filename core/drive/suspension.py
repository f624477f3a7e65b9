"""The body on its springs: it squats, dives and leans with the forces, and takes the edge off the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PITCH_RAD_S2_M = float(np.radians(2.2) / 9.81)  # a braking of 1 g dips the nose by 2.2 degrees
ROLL_RAD_S2_M = float(np.radians(4.0) / 9.81)
FREQUENCY_HZ = 1.5
DAMPING = 0.4  # of the critical
MOST_HEAVE_M, MOST_PITCH_RAD, MOST_ROLL_RAD = 0.09, float(np.radians(4)), float(np.radians(7))


@dataclass(frozen=True)
class Springs:
    """How soft: 1 an ordinary car, 0 a plank; frequency in Hz and damping as a share of the critical."""

    softness: float = 1.0
    frequency_hz: float = FREQUENCY_HZ
    damping: float = DAMPING


@dataclass(frozen=True)
class Sway:
    """The body against the plane of the wheels, S moments: heave_m up, pitch_rad about +X (positive: nose down), roll_rad about +Y
    (positive: the left side down)."""

    heave_m: np.ndarray
    pitch_rad: np.ndarray
    roll_rad: np.ndarray


def sway(
    base_z_m: np.ndarray, base_pitch_rad: np.ndarray, base_roll_rad: np.ndarray, forward_m_s2: np.ndarray, left_m_s2: np.ndarray,
    step_s: float, springs: Springs,
) -> Sway:  # fmt: skip
    """The answer of three damped springs to the ground's motion (S,) and to the car's accelerations (S,) forwards and to its left."""
    drive = springs.softness
    heave = _spring(-_second(base_z_m, step_s), np.zeros_like(base_z_m), step_s, springs)
    pitch = _spring(-_second(base_pitch_rad, step_s), -PITCH_RAD_S2_M * forward_m_s2, step_s, springs)
    roll = _spring(-_second(base_roll_rad, step_s), -ROLL_RAD_S2_M * left_m_s2, step_s, springs)
    return Sway(
        drive * _bounded(heave, MOST_HEAVE_M), drive * _bounded(pitch, MOST_PITCH_RAD), drive * _bounded(roll, MOST_ROLL_RAD)
    )  # fmt: skip


def _second(values: np.ndarray, step_s: float) -> np.ndarray:
    """Second derivative; the ends count as resting."""
    longer = np.concatenate([values[:1], values, values[-1:]])
    return np.diff(longer, 2) / step_s**2


def _spring(push: np.ndarray, rest: np.ndarray, step_s: float, springs: Springs) -> np.ndarray:
    """x'' = push - w^2 (x - rest) - 2 d w x', by the semi-implicit Euler method, from rest where rest is at the start."""
    w = 2 * np.pi * springs.frequency_hz
    x, speed, out = float(rest[0]), 0.0, np.empty_like(rest)
    for number, (force, aim) in enumerate(zip(push.tolist(), rest.tolist(), strict=True)):
        speed = (speed + step_s * (force - w * w * (x - aim))) / (1 + 2 * springs.damping * w * step_s)
        x += step_s * speed
        out[number] = x
    return out


def _bounded(values: np.ndarray, most: float) -> np.ndarray:
    """Bump stops: small values as they are, large ones approach the most there is."""
    return most * np.tanh(values / most)
