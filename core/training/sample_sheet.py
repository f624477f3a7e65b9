"""A sheet to judge the generator by eye: cars all round, one car in many paints, cars that never were."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..dataset.turntables import Turntables
from ..generator.generator import Generator
from ..generator.groups import FACTOR_SLICE, FREE_COUNT
from ..invert.encoder import Encoder
from .generator_loss import at_size
from .turntable_batches import TurntableBatches, pictures_of, views_of

AZIMUTHS = 8
SHOWN_ELEVATION_RAD, SHOWN_LOG_DISTANCE = 0.22, 0.7
GROUND01 = 0.75  # what shows where nothing is
PAINTS_SRGB01 = (
    (0.75, 0.06, 0.06), (0.85, 0.45, 0.05), (0.85, 0.78, 0.1), (0.1, 0.45, 0.15), (0.1, 0.25, 0.6), (0.35, 0.12, 0.45), (0.9, 0.9, 0.9),
    (0.05, 0.05, 0.055),
)  # fmt: skip


@torch.no_grad()
def draw_sheet(generator: Generator, encoder: Encoder, turntables: Turntables, shown: np.ndarray, size_px: int, file: Path) -> None:
    """Write a PNG: a row for each of the shown pictures (input, its reconstruction, eight sides), the first car in eight paints, two rows
    of invented cars."""
    plain = np.zeros(len(shown), bool)
    photos, views = pictures_of(turntables, shown, plain), views_of(turntables, shown, plain)
    encoded = encoder(at_size(photos, encoder.size.picture_px), views)
    w = generator.map(encoded.free_mean, encoded.factors)[:, None] + encoded.departures
    again = generator(views, w, size_px)
    rows = [
        torch.cat(
            [at_size(photos[k : k + 1], size_px), again[k : k + 1], generator(around(), w[k : k + 1].expand(AZIMUTHS, -1, -1), size_px)]
        )
        for k in range(len(shown))
    ]
    factors = encoded.factors[:1].repeat(AZIMUTHS, 1)
    paint = FACTOR_SLICE["paint"]
    factors[:, paint.start : paint.start + 3] = torch.tensor(PAINTS_SRGB01)
    painted = generator.map(encoded.free_mean[:1].expand(AZIMUTHS, -1), factors)[:, None] + encoded.departures[:1]
    side = around()[1:2].expand(AZIMUTHS, -1)
    rows.append(torch.cat([at_size(photos[:1], size_px), again[:1], generator(side, painted, size_px)]))
    batches = TurntableBatches(turntables, np.arange(len(turntables)), 1, 1, 0, 0)
    for seed in (1, 2):
        random = torch.Generator().manual_seed(seed)
        mixed = torch.from_numpy(batches.mixed_factors(AZIMUTHS + 2, np.random.default_rng(seed)))
        invented = generator.map(torch.randn((AZIMUTHS + 2, FREE_COUNT), generator=random), mixed)
        rows.append(generator(torch.cat([around(), around()[:2]]), invented, size_px))
    sheet = np.concatenate([np.concatenate(list(shown_srgb01(row)), 1) for row in rows], 0)
    aside = file.with_suffix(".part.png")
    Image.fromarray((sheet * 255 + 0.5).astype(np.uint8)).save(aside)
    os.replace(aside, file)


def around() -> torch.Tensor:
    """(AZIMUTHS, 3) views all round."""
    azimuth = torch.arange(AZIMUTHS) * (2 * math.pi / AZIMUTHS)
    return torch.stack([azimuth, torch.full_like(azimuth, SHOWN_ELEVATION_RAD), torch.full_like(azimuth, SHOWN_LOG_DISTANCE)], 1)


def shown_srgb01(pictures: torch.Tensor) -> np.ndarray:
    """(B, 4, S, S) as the generator makes them -> (B, S, S, 3) float before a plain ground."""
    rgba = (pictures.float() * 0.5 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).numpy()
    return (rgba[..., :3] + (1 - rgba[..., 3:]) * GROUND01).clip(0, 1)
