"""A car from any side: pictures and the cameras that belong to them."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..errors import check_shape
from ..types import Camera, Imagined
from .generator import Generator
from .latent import Latent
from .surface import Solid
from .window import CarBox, window_camera

LOG_DISTANCE = 0.9  # of car lengths
RINGS = ((8, 0.12, 0.0), (4, 0.6, 0.4))  # how many views, their elevation and the first one's azimuth, radians


def views_around(count: int, elevation_rad: float, log_distance: float, first_rad: float = 0.0) -> np.ndarray:
    """(count, 3) float64 views in the order of groups.VIEW, evenly round the car."""
    azimuth = first_rad + np.arange(count) * (2 * math.pi / count)
    return np.stack([(azimuth + math.pi) % (2 * math.pi) - math.pi, np.full(count, elevation_rad), np.full(count, log_distance)], 1)


def draw_views(generator: Generator, latent: Latent, solid: Solid, views: np.ndarray, size_px: int | None = None) -> np.ndarray:
    """A solid from each view (N, 3), one look for all or each of N looks its own: as draw_surfaces() gives it."""
    check_shape("views", views.shape, (None, 3))
    return draw_surfaces(generator, latent, solid.surfaces(views, generator.size.picture_px), views, size_px)


@torch.no_grad()
def draw_surfaces(
    generator: Generator, latent: Latent, surfaces: torch.Tensor, views: np.ndarray, size_px: int | None = None
) -> np.ndarray:
    """Surfaces (N, LAYERS, P, P) seen from views (N, 3): (N, S, S, 4) float32 0..1, sRGB premultiplied by alpha.

    size_px: side of coarser pictures; None for the finest.
    """
    looks = latent if len(latent.free) == len(views) else latent.repeated(len(views))
    return shown01(generator(surfaces, torch.from_numpy(views.astype(np.float32)), looks.w(generator), size_px))


def shown01(pictures: torch.Tensor) -> np.ndarray:
    """(N, 4, S, S) as the generator makes them -> (N, S, S, 4) float32 0..1, premultiplied."""
    return (pictures.float() * 0.5 + 0.5).clamp(0, 1).permute(0, 2, 3, 1).contiguous().numpy()


def on_ground(rgba: np.ndarray, ground01: float) -> np.ndarray:
    """(..., 4) premultiplied -> (..., 3) 0..1 before a plain grey; a network's colours may exceed its alpha."""
    return (rgba[..., :3] + (1 - rgba[..., 3:]) * np.float32(ground01)).clip(0, 1)


def straight(rgba: np.ndarray) -> np.ndarray:
    """(..., 4) premultiplied by alpha -> straight alpha, 0..1."""
    return np.concatenate([rgba[..., :3] / np.maximum(rgba[..., 3:], 1e-3), rgba[..., 3:]], -1).clip(0, 1)


def cameras_of(views: np.ndarray, box: CarBox, size_px: int) -> list[Camera]:
    """The camera of each picture of draw_views.  Raises ValueError where one stands inside the car."""
    return [window_camera(view, box, size_px) for view in views]


def imagine(generator: Generator, latent: Latent, solid: Solid) -> Imagined:
    """One car under a white sky from all sides, as paint takes it for what no photograph shows."""
    views = np.concatenate([views_around(count, elevation, LOG_DISTANCE, first) for count, elevation, first in RINGS])
    pictures = draw_views(generator, latent.evenly_lit(), solid, views)
    return Imagined(pictures, tuple(cameras_of(views, solid.box, pictures.shape[1])))
