"""The Frechet distance against the closed form of two Gaussians, and what is read of pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from imago.core.perceive.heads import AZIMUTH_BINS
from imago.core.training.frechet import frechet_distance
from imago.core.training.perceived import azimuth_of


def test_two_gaussians_are_as_far_apart_as_the_formula_says() -> None:
    """Means 1 apart in one direction, deviations 1 and 3 in another: 1 + (3 - 1)^2."""
    random = np.random.default_rng(0)
    one = random.normal(0, [1, 1, 2], (200_000, 3))
    other = random.normal([1, 0, 0], [1, 3, 2], (200_000, 3))
    assert frechet_distance(one, other) == pytest.approx(5, rel=0.02)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-8)


def test_directions_are_averaged_across_the_seam() -> None:
    probability = torch.zeros(1, AZIMUTH_BINS)
    probability[0, [0, AZIMUTH_BINS - 1]] = 0.5
    assert float(azimuth_of(probability)) == pytest.approx(-np.pi / AZIMUTH_BINS, abs=1e-6)
