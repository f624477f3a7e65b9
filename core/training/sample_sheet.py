"""A sheet to judge the generator by eye: cars all round, one car in many paints, cars that never were."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..dataset.turntables import Turntables
from ..generator.generator import Generator
from ..generator.groups import FACTOR_SLICE, FREE_COUNT, WIDTH
from ..generator.latent import Latent
from ..generator.views import draw_views, on_ground, shown01, views_around
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
    latent = Latent.of(encoder(at_size(photos, encoder.size.picture_px), views))
    inputs, again = shown01(at_size(photos, size_px)), draw_views(generator, latent, views.numpy(), size_px)
    around = views_around(AZIMUTHS, SHOWN_ELEVATION_RAD, SHOWN_LOG_DISTANCE)
    rows = [
        np.concatenate([inputs[k : k + 1], again[k : k + 1], draw_views(generator, latent.chosen(slice(k, k + 1)), around, size_px)])
        for k in range(len(shown))
    ]
    first, paint = latent.chosen(slice(0, 1)).repeated(AZIMUTHS), FACTOR_SLICE["paint"]
    factors = first.factors.clone()
    factors[:, paint.start : paint.start + 3] = torch.tensor(PAINTS_SRGB01)
    painted = draw_views(generator, replace(first, factors=factors), np.repeat(around[1:2], AZIMUTHS, 0), size_px)
    rows.append(np.concatenate([inputs[:1], again[:1], painted]))
    batches = TurntableBatches(turntables, np.arange(len(turntables)), 1, 1, 0, 0)
    for seed in (1, 2):
        invented = random_latents(batches, AZIMUTHS + 2, generator.size.content_layers, seed)
        rows.append(draw_views(generator, invented, np.concatenate([around, around[:2]]), size_px))
    sheet = np.concatenate([np.concatenate(list(on_ground(row, GROUND01)), 1) for row in rows], 0)
    aside = file.with_suffix(".part.png")
    Image.fromarray((sheet * 255 + 0.5).astype(np.uint8)).save(aside)
    os.replace(aside, file)


def random_latents(batches: TurntableBatches, count: int, content_layers: int, seed: int) -> Latent:
    """Invented cars as in training: z at random, each group's factors from some training picture."""
    random = np.random.default_rng([seed, 5])
    free = torch.from_numpy(random.standard_normal((count, FREE_COUNT)).astype(np.float32))
    return Latent(free, torch.from_numpy(batches.mixed_factors(count, random)), torch.zeros(count, content_layers, WIDTH))
