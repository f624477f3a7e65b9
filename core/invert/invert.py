"""Photograph and fitted car -> the car in the image generator's latent space.  The stage's entry module.

The encoder tells a latent near W; at quality normal it is optimised until the generator draws the photograph again.  The view is the fitted
camera's and stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..errors import check_shape
from ..generator.latent import Latent
from ..generator.picture_distance import feature_distance, masked, psnr_db
from ..generator.surface import Solid
from ..generator.weights import CarGenerator
from ..generator.window import CarBox, Window, window_of
from ..types import Camera, Matte, Photo, Report
from .optimise import OptimiseConfig, optimised

QUALITIES = {"draft": OptimiseConfig(0), "normal": OptimiseConfig(40), "high": OptimiseConfig(150)}
NEAREST = 1.05  # of the sphere's radius


@dataclass(frozen=True, eq=False)
class Inversion:
    """A car in the latent space and where it was seen: latent of one car; solid, its shape; window of the photograph; surface
    (1, LAYERS, S, S) of the shape through it; picture (1, 4, S, S) as the generator makes them, what was seen, known (1, 1, S, S) 1 where
    the photograph reaches."""

    latent: Latent
    solid: Solid
    window: Window
    surface: torch.Tensor
    picture: torch.Tensor
    known: torch.Tensor

    @property
    def view(self) -> torch.Tensor:
        """(1, 3) float32."""
        return torch.from_numpy(self.window.view.astype(np.float32))[None]


def invert(
    photo: Photo, matte: Matte, camera: Camera, solid: Solid, parts: CarGenerator, config: OptimiseConfig, report: Report
) -> Inversion:
    """The car of a photograph, whose camera and shape are known, in the latent space of a generator.

    Raises ShapeError where matte and photograph differ in size, ValueError where the camera stands inside the sphere round the box, and
    what `report` raises.
    """
    check_shape("matte", matte.alpha01.shape, photo.image_srgb01.shape[:2])
    window = window_of(camera, solid.box, parts.generator.size.picture_px)
    picture, known = seen_through(window, photo, matte)
    surface = solid.surfaces(window.view[None], window.size_px)
    view = torch.from_numpy(window.view.astype(np.float32))[None]
    with torch.no_grad():
        encoded = parts.encoder(picture, view)
    latent = optimised(parts, picture, known, surface, view, encoded, config, lambda share01: report("invert", share01))
    return Inversion(latent, solid, window, surface, picture, known)


def in_reach(camera: Camera, box: CarBox) -> bool:
    """Whether a camera stands outside the sphere round the box, as every window needs it, by a margin for the eye."""
    return float(np.linalg.norm(camera.camera_to_car[:3, 3] - box.middle_m)) > NEAREST * box.radius_m


def seen_through(window: Window, photo: Photo, matte: Matte) -> tuple[torch.Tensor, torch.Tensor]:
    """What a window shows: picture (1, 4, S, S) as the generator makes them; known (1, 1, S, S), 1 inside the photograph's border."""
    alpha = matte.alpha01[..., None].astype(np.float32)
    layers = np.concatenate([photo.image_srgb01 * alpha, alpha, np.ones_like(alpha)], 2)
    cut = torch.from_numpy(window.cut(layers)).permute(2, 0, 1)[None]
    known = (cut[:, 4:] > 0.99).float()
    return masked(cut[:, :4] * 2 - 1, known), known


@torch.no_grad()
def likeness(parts: CarGenerator, inversion: Inversion) -> dict[str, float]:
    """How near the generator comes to what was seen: psnr_db over the car, feature_distance of the discriminator's first blocks."""
    drawn = masked(parts.generator(inversion.surface, inversion.view, inversion.latent.w(parts.generator)), inversion.known)
    apart = feature_distance(parts.features(drawn), parts.features(inversion.picture))
    return {"psnr_db": float(psnr_db(drawn, inversion.picture, inversion.known)[0]), "feature_distance": float(apart)}
