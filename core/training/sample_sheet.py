"""A sheet to judge the generator by eye: cars from all sides, one car in many paints, cars that never were."""

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
from ..generator.invent import drawn_shape, solid_of_shape
from ..generator.latent import Latent
from ..generator.views import draw_surfaces, on_ground, shown01, views_around
from ..invert.encoder import Encoder
from .generator_loss import at_size
from .turntable_batches import TurntableBatches, pictures_of, surfaces_of, views_of

AZIMUTHS = 8
SHOWN_ELEVATION_RAD, SHOWN_LOG_DISTANCE, SHOWN_TRUNCATION = 0.22, 0.7, 0.6
GROUND01 = 0.75  # what shows where nothing is
PAINTS_SRGB01 = (
    (0.75, 0.06, 0.06), (0.85, 0.45, 0.05), (0.85, 0.78, 0.1), (0.1, 0.45, 0.15), (0.1, 0.25, 0.6), (0.35, 0.12, 0.45), (0.9, 0.9, 0.9),
    (0.05, 0.05, 0.055),
)  # fmt: skip


@torch.no_grad()
def draw_sheet(generator: Generator, encoder: Encoder, turntables: Turntables, shown: np.ndarray, size_px: int, file: Path) -> None:
    """Write a PNG: two rows for each of the shown pictures (input and other pictures of the car; input drawn again and what the generator
    makes of those others' surfaces), the first car in eight paints, two rows of invented cars."""
    rows, first = [], None
    for number in shown:
        others = np.flatnonzero(turntables.car == turntables.car[number])
        others = np.resize(others[np.argsort(turntables.view[others, 0])], AZIMUTHS)
        all_shown = np.concatenate([[number], others])
        plain = np.zeros(len(all_shown), bool)
        pictures, views = pictures_of(turntables, all_shown, plain), views_of(turntables, all_shown, plain)
        latent = Latent.of(encoder(at_size(pictures[:1], encoder.size.picture_px), views[:1]))
        surfaces = surfaces_of(turntables, all_shown, plain)
        rows += [shown01(at_size(pictures, size_px)), draw_surfaces(generator, latent, surfaces, views.numpy(), size_px)]
        first = first or (latent, surfaces[:1], views[:1].numpy(), rows[-1][:1])
    assert first is not None
    rows.append(np.concatenate([first[3], _painted(generator, *first[:3], size_px)]))
    batches = TurntableBatches(turntables, np.arange(len(turntables)), 1, 1, 0, 0)
    around = views_around(AZIMUTHS + 1, SHOWN_ELEVATION_RAD, SHOWN_LOG_DISTANCE)
    for seed in (1, 2):
        cars = [drawn_shape(seed * 100 + k, SHOWN_TRUNCATION) for k in range(AZIMUTHS + 1)]
        surfaces = torch.cat([solid_of_shape(car).surfaces(around[k : k + 1], generator.size.picture_px) for k, car in enumerate(cars)])
        invented = random_latents(batches, np.arange(AZIMUTHS + 1), generator.size.content_layers, seed)
        rows.append(draw_surfaces(generator, invented, surfaces, around, size_px))
    sheet = np.concatenate([np.concatenate(list(on_ground(row, GROUND01)), 1) for row in rows], 0)
    aside = file.with_suffix(".part.png")
    Image.fromarray((sheet * 255 + 0.5).astype(np.uint8)).save(aside)
    os.replace(aside, file)


def _painted(generator: Generator, latent: Latent, surface: torch.Tensor, view: np.ndarray, size_px: int) -> np.ndarray:
    """(AZIMUTHS, S, S, 4): one car in many paints."""
    many, paint = latent.repeated(AZIMUTHS), FACTOR_SLICE["paint"]
    factors = many.factors.clone()
    factors[:, paint.start : paint.start + 3] = torch.tensor(PAINTS_SRGB01)
    surfaces = surface.expand(AZIMUTHS, -1, -1, -1)
    return draw_surfaces(generator, replace(many, factors=factors), surfaces, np.repeat(view, AZIMUTHS, 0), size_px)


def random_latents(batches: TurntableBatches, shapes: np.ndarray, content_layers: int, seed: int) -> Latent:
    """Invented cars as in training, of the shapes of pictures (N,): z at random, each other group's factors from some training picture."""
    random = np.random.default_rng([seed, 5])
    free = torch.from_numpy(random.standard_normal((len(shapes), FREE_COUNT)).astype(np.float32))
    return Latent(free, torch.from_numpy(batches.mixed_factors(shapes, random)), torch.zeros(len(shapes), content_layers, WIDTH))
