"""Turntables of coloured boxes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from imago.core.dataset.turntables import Turntables
from imago.core.generator.groups import FACTOR_MEAN, FACTOR_SLICE
from imago.core.generator.surface import LAYERS
from imago.core.training.mixed_precision import fast_bfloat16

SIZE = 32
needs_bfloat16 = pytest.mark.skipif(not fast_bfloat16(), reason="this CPU only pretends to compute in bfloat16, which takes minutes")


@pytest.fixture(scope="module")
def turntables() -> Turntables:
    """Boxes in two colours each, wider from the side; the last two cars were photographed once."""
    random = np.random.default_rng(0)
    cars, looks = np.repeat(np.arange(6), [8, 8, 8, 8, 1, 1]), np.concatenate([np.arange(32) // 4, [8, 10]])
    azimuth, colour = random.uniform(-math.pi, math.pi, 34), random.integers(40, 255, (12, 3))
    rgba = np.zeros((34, SIZE, SIZE, 4), np.uint8)
    for k in range(34):
        half, high = 5 + round(7 * abs(math.sin(azimuth[k]))), 4 + cars[k]
        rgba[k, SIZE // 2 - high : SIZE // 2 + high, SIZE // 2 - half : SIZE // 2 + half] = (*colour[looks[k]], 255)
    factors = np.tile(np.array(FACTOR_MEAN, np.float32), (34, 1))
    factors[:, FACTOR_SLICE["paint"].start : FACTOR_SLICE["paint"].start + 3] = colour[looks] / 255
    factors[32:, FACTOR_SLICE["light"]] = np.nan
    view = np.stack([azimuth, np.full(34, 0.2), np.full(34, 0.8)], 1).astype(np.float32)
    names = np.array([f"car{number}" for number in cars])
    surface = np.zeros((34, len(LAYERS), SIZE, SIZE), np.uint8)
    surface[:, 0] = rgba[..., 3]
    surface[:, 1] = rgba[..., 3] > 0
    return Turntables(rgba, view, factors, cars, looks, names, np.arange(34) < 32, surface)
