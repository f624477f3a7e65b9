"""Weighted means along a row of values, with Gaussian weights."""

from __future__ import annotations

import numpy as np

REACH_SIGMAS = 3


def reach_of(sigma: float, most: int) -> int:
    """How many neighbours on either side count, for a standard deviation in steps."""
    return min(int(REACH_SIGMAS * sigma) + 1, most)


def smoothed(longer: np.ndarray, sigma: float, reach: int) -> np.ndarray:
    """(N + 2 reach,) values with `reach` more at both ends -> (N,)."""
    weight = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma, 1e-6)) ** 2)
    return np.convolve(longer, weight / weight.sum(), "valid")


def held_and_smoothed(values: np.ndarray, sigma: float) -> np.ndarray:
    """(N,) -> (N,), before and after which the values stay as at the ends."""
    reach = reach_of(sigma, len(values))
    return smoothed(np.pad(values, reach, mode="edge"), sigma, reach)
