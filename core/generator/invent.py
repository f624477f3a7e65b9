"""Cars that never were: numbers drawn at random become a latent, and its picture a photograph like any other."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import torch

from ..asset.aside import write_whole
from ..asset.png import png_bytes
from ..types import Settings
from .generator import Generator
from .groups import FACTOR_SLICE, FREE_COUNT, WIDTH
from .latent import Latent
from .views import draw_views, straight
from .weights import CarGenerator, loaded

SIDE_PX = 512  # of the picture that is handed on; the generator's own is smaller
SHOWN_VIEW = (math.radians(38), math.radians(9), 0.75)  # three-quarter from the front left, as groups.VIEW


def invent(parts: CarGenerator, settings: Settings) -> Latent:
    """The car of settings.seed, or one between it and that of settings.toward_seed, evenly lit."""
    one = _drawn(parts, settings.seed, settings.truncation01)
    if settings.toward_seed is None:
        return one
    return one.toward(_drawn(parts, settings.toward_seed, settings.truncation01), settings.share01)


def _drawn(parts: CarGenerator, seed: int, truncation01: float) -> Latent:
    """z and, group by group, the factors of some training picture; both drawn toward the mean by the truncation (Karras et al., CVPR 2019,
    appendix B)."""
    random = np.random.default_rng([seed, 9])
    free = torch.from_numpy(random.standard_normal((1, FREE_COUNT)).astype(np.float32)) * truncation01
    known, mean = parts.known_factors, parts.known_factors.mean(0)
    factors = mean[None].clone()
    for columns in FACTOR_SLICE.values():
        found = known[int(random.integers(len(known))), columns]
        factors[0, columns] = torch.lerp(mean[columns], found, math.sqrt(truncation01))  # group means are grey: stay nearer to real ones
    layers = parts.generator.size.content_layers
    return Latent(free, factors, torch.zeros((1, layers, WIDTH))).evenly_lit()


def picture_of(generator: Generator, latent: Latent) -> np.ndarray:
    """(SIDE_PX, SIDE_PX, 4) uint8 sRGB with straight alpha, three-quarter from the front."""
    rgba = draw_views(generator, latent, np.array([SHOWN_VIEW]))[0]
    large = cv2.resize(rgba, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return np.rint(straight(large) * 255).astype(np.uint8)


def write_invented(settings: Settings, path: Path) -> None:
    """Write the picture of an invented car as PNG, aside and then renamed.

    Raises UserInputError where it cannot be written, WeightsError where the generator's file is missing or damaged.
    """
    parts = loaded()
    write_whole(path, png_bytes(picture_of(parts.generator, invent(parts, settings))))
