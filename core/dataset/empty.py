"""A pool of pictures without a car: what stands behind pasted cars, and what must be refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .no_car import TRAIN_KINDS, no_car_picture
from .sky import Sky, look, read_sky

GAMMA = 2.2
POOL_PX = (320, 230)  # width, height
PANORAMA_SHARE = 0.6  # of the pool; the rest is drawn


def backdrop(sky: Sky, width: int, height: int, random: np.random.Generator) -> np.ndarray:
    """A photograph (height, width, 3) float32 sRGB 0..1 into a panorama, level or looking a little down."""
    panorama = sky.levels[0]
    focal_px = width / 2 / math.tan(math.radians(random.uniform(25, 75)) / 2)
    pitch, yaw = random.normal(-0.1, 0.2), random.uniform(0, 2 * math.pi)
    x, y = np.meshgrid((np.arange(width) + 0.5 - width / 2) / focal_px, (np.arange(height) + 0.5 - height / 2) / focal_px)
    forward, up = math.cos(pitch) + y * math.sin(pitch), math.sin(pitch) - y * math.cos(pitch)
    directions = np.stack([forward, -x, up], -1).reshape(-1, 3)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    exposure = random.uniform(0.2, 0.6) / np.percentile(panorama.mean(-1), 70)
    seen = look(panorama, directions, yaw) * exposure
    return np.clip(seen, 0, 1).reshape(height, width, 3).astype(np.float32) ** np.float32(1 / GAMMA)


def empty_pool(hdris: Path, count: int, seed: int) -> np.ndarray:
    """(count, 230, 320, 3) uint8 of all kinds that may be trained on; raises FileNotFoundError without panoramas."""
    skies = [read_sky(file) for file in sorted(hdris.glob("*.hdr"))]
    if not skies:
        raise FileNotFoundError(f"{hdris} holds no panoramas (*.hdr)")
    random = np.random.default_rng([seed, 77])
    return np.stack([empty_picture(skies, random) for _ in range(count)])


def empty_picture(skies: Sequence[Sky], random: np.random.Generator) -> np.ndarray:
    """(230, 320, 3) uint8: a view into one of the panoramas, or a drawn picture of a kind that may be trained on."""
    if random.random() >= PANORAMA_SHARE:
        return no_car_picture(TRAIN_KINDS[random.integers(len(TRAIN_KINDS))], random, *POOL_PX)
    return (backdrop(skies[random.integers(len(skies))], *POOL_PX, random) * 255 + 0.5).astype(np.uint8)
