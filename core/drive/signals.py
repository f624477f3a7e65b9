"""The lamps a driver switches: brakes while slowing, reversing lights while backing, indicators before and in a bend."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BEND_PER_M = 1 / 45  # tighter than this is a bend to signal
TURN_RAD = float(np.radians(25))  # and it has to turn the car by at least this
AHEAD_S = 2.0
GAP_S = 0.7  # two bends the same way with less between them are one signal
SLOWING_M_S2 = 0.05
STILL_M_S = 0.02


@dataclass(frozen=True)
class Switches:
    """F frames, bool: brake, reverse, left, right."""

    brake: np.ndarray
    reverse: np.ndarray
    left: np.ndarray
    right: np.ndarray


def signals(speed_m_s: np.ndarray, curvature_per_m: np.ndarray, frame_s: float) -> Switches:
    """From the signed speed (F,) along the nose and the curvature (F,) of the car's way, positive to the left of the travel.

    A frame brakes where the speed falls from it to the next.
    """
    pace = np.abs(speed_m_s)
    slowing = np.append(np.diff(pace) < -SLOWING_M_S2 * frame_s, False)
    backing = speed_m_s < -STILL_M_S
    backing |= np.append(backing[1:], False) & (pace <= STILL_M_S)  # the lamp comes on with the gear
    sides = [_signalled(side * curvature_per_m, pace, frame_s) for side in (1.0, -1.0)]
    left, right = (np.where(backing, sides[1 - k], sides[k]) for k in (0, 1))  # backing round to its left, a car signals right
    return Switches(slowing, backing, left.astype(bool), right.astype(bool))


def _signalled(bend_per_m: np.ndarray, pace: np.ndarray, frame_s: float) -> np.ndarray:
    """(F,) bool for bends to one side."""
    on, gap = np.zeros(len(pace), bool), round(GAP_S / frame_s)
    for first, last in _joined(_runs(bend_per_m > BEND_PER_M), gap):
        if (bend_per_m[first:last] * pace[first:last]).sum() * frame_s >= TURN_RAD:
            on[max(0, first - round(AHEAD_S / frame_s)) : last] = True
    return on


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _joined(runs: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in runs:
        if joined and first - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
