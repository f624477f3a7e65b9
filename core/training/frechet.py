"""The Frechet distance of two clouds of features (Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", NIPS 2017, equation 6)."""

from __future__ import annotations

import numpy as np

from ..errors import check_shape


def frechet_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Between Gaussians through (N, F) and (M, F) features: |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)).  Raises ShapeError."""
    check_shape("other", other.shape, (None, one.shape[1]))
    first, second = (np.cov(cloud.astype(np.float64), rowvar=False) for cloud in (one, other))
    apart = one.mean(0, np.float64) - other.mean(0, np.float64)
    # C C' is similar to a positive matrix: its eigenvalues are real and not below zero but for rounding
    root = np.sqrt(np.linalg.eigvals(first @ second).real.clip(0)).sum()
    return float(apart @ apart + np.trace(first) + np.trace(second) - 2 * root)
