"""Where in the car each pixel looks: features of the pixels' rays through the box that a car fills, in which the generator starts to draw.

As in CIPS-3D (Zhou et al. 2021) the picture is made from where its rays pass, so nothing has to be learned of how a turn moves pixels; here
the rays' features enter a StyleGAN2's coarse layers in place of its constant.
"""

from __future__ import annotations

import functools
import math

import torch

BOX_HALF = (0.205, 0.5, 0.165)  # of a usual car, in lengths
RADIUS = math.sqrt(sum(half**2 for half in BOX_HALF))
DEPTHS = (-0.8, -0.4, 0.0, 0.4, 0.8)  # of the radius, before and behind the middle
ENTRY_WAVES, EXIT_WAVES, DEPTH_WAVES = (1, 2, 4), (1, 2), (1, 2)  # half waves of sines and cosines in a length
RAY_FEATURES = 7 + 6 * len(ENTRY_WAVES) + 6 * len(EXIT_WAVES) + 3 * len(DEPTHS) * (1 + 2 * len(DEPTH_WAVES))
WHITE_FEATURES, LEAST_DEVIATION = 64, 0.05


def ray_features(view: torch.Tensor, size_px: int) -> torch.Tensor:
    """Views (B, 3) in the order of groups.VIEW -> (B, RAY_FEATURES, S, S), about -1..1, for the window of window.window_camera().

    Entry and exit in a usual car's box (where a ray misses it, twice the place between), how far apart they are, and places at DEPTHS, each
    with sines and cosines.
    """
    eye, direction, depth_direction = _rays(view, size_px)
    half = view.new_tensor(BOX_HALF)[:, None, None]
    steady = torch.where(direction.abs() < 1e-6, 1e-6, direction)
    first, second = (-half - eye) / steady, (half - eye) / steady
    near, far = torch.minimum(first, second).amax(1, keepdim=True), torch.maximum(first, second).amin(1, keepdim=True)
    missed, between = near > far, (near + far) / 2
    near, far = torch.where(missed, between, near), torch.where(missed, between, far)
    entry, leaving = ((eye + reach * direction).clamp(-1, 1) for reach in (near, far))
    distance = view[:, 2].exp()[:, None, None, None]
    places = torch.cat([eye + depth_direction * (distance + RADIUS * k) for k in DEPTHS], 1)
    waves = [_waves(entry, ENTRY_WAVES), _waves(leaving, EXIT_WAVES), _waves(places, DEPTH_WAVES)]
    return torch.cat([2 * entry, 2 * leaving, 2 * (far - near), places, *waves], 1)


@functools.cache
def whitening() -> tuple[torch.Tensor, torch.Tensor]:
    """Mean (RAY_FEATURES,) and mixing (RAY_FEATURES, WHITE_FEATURES) that make features of usual views uncorrelated, with unit variance.

    Raw features are nearly constant or alike in most pixels, and descend slowly for it.  What varies next to nothing is left out.
    The basis is not the same on every machine, so it belongs to a network's weights.
    """
    random = torch.Generator().manual_seed(0)
    low, spread = torch.tensor([-math.pi, 0.0, 0.4]), torch.tensor([2 * math.pi, 0.6, 0.9])
    seen = ray_features(low + spread * torch.rand((256, 3), generator=random), 16).permute(0, 2, 3, 1).flatten(0, 2)
    energy, axes = torch.linalg.eigh(torch.cov(seen.T).double())
    mixing = axes.flip(1)[:, :WHITE_FEATURES] / (energy.flip(0)[:WHITE_FEATURES].sqrt() + LEAST_DEVIATION)
    return seen.mean(0), mixing.float()


def _rays(view: torch.Tensor, size_px: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Eyes (B, 3, 1, 1), directions (B, 3, S, S) of unit length, and those with unit length along the camera's axis; in lengths."""
    azimuth, elevation, log_distance = view.unbind(1)
    flat = torch.zeros_like(azimuth)
    toward = torch.stack([azimuth.sin() * elevation.cos(), -azimuth.cos() * elevation.cos(), elevation.sin()], 1)
    right = torch.stack([azimuth.cos(), azimuth.sin(), flat], 1)
    up = torch.linalg.cross(toward, right)
    distance = log_distance.exp().clamp(min=1.02 * RADIUS)
    slope = (RADIUS / (distance**2 - RADIUS**2).sqrt())[:, None, None, None]
    line = (torch.arange(size_px, dtype=view.dtype, device=view.device) + 0.5) * (2 / size_px) - 1
    across = slope * (right[:, :, None, None] * line - up[:, :, None, None] * line[:, None])
    direction = across - toward[:, :, None, None]
    return toward[:, :, None, None] * distance[:, None, None, None], direction / direction.norm(dim=1, keepdim=True), direction


def _waves(places: torch.Tensor, waves: tuple[int, ...]) -> torch.Tensor:
    return torch.cat([wave(math.pi * k * places) for k in waves for wave in (torch.sin, torch.cos)], 1)
