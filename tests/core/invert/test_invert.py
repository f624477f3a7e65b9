"""Inversion: it finds a car of the generator's own again, looks only where the photograph reaches, and takes light off a photograph."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from imago.core.errors import Cancelled, ShapeError
from imago.core.frames import orbit
from imago.core.generator.groups import FACTOR_COUNT, FACTOR_MEAN, FACTOR_SCALE, FACTORS, FREE_COUNT, WIDTH
from imago.core.generator.latent import Latent
from imago.core.generator.picture_distance import masked, psnr_db
from imago.core.generator.weights import CarGenerator
from imago.core.invert.encoder import Encoded
from imago.core.invert.invert import in_reach, invert, likeness
from imago.core.invert.optimise import OptimiseConfig, optimised
from imago.core.invert.relight import light_ratio, without_light
from imago.core.invert.unseen import sheet_of
from imago.core.paint.colour import linear_from_srgb, srgb_from_linear
from imago.core.types import Camera, Matte, Photo

from .conftest import BOX, LAYERS, SIDE, SOLID

VIEW = torch.tensor([[0.4, 0.2, 0.8]])
SURFACE = SOLID.surfaces(VIEW.double().numpy(), SIDE)


def told(parts: CarGenerator, picture: torch.Tensor) -> Encoded:
    return parts.encoder(picture, VIEW)


def test_optimising_brings_a_car_of_the_generators_own_back(parts: CarGenerator) -> None:
    random = torch.Generator().manual_seed(1)
    factors = torch.tensor(FACTOR_MEAN) + torch.randn((1, FACTOR_COUNT), generator=random) * torch.tensor(FACTOR_SCALE)
    truth = Latent(torch.randn((1, FREE_COUNT), generator=random), factors, torch.zeros(1, LAYERS, WIDTH))
    picture, known = parts.generator(SURFACE, VIEW, truth.w(parts.generator)), torch.ones(1, 1, SIDE, SIDE)
    encoded = told(parts, picture)

    def apart(latent: Latent) -> float:
        return float((parts.generator(SURFACE, VIEW, latent.w(parts.generator)) - picture).abs().mean())

    first = optimised(parts, picture, known, SURFACE, VIEW, encoded, OptimiseConfig(0))
    assert torch.equal(first.free, encoded.free_mean)
    found = optimised(parts, picture, known, SURFACE, VIEW, encoded, OptimiseConfig(80))
    assert apart(found) < apart(first) / 2


def test_what_lies_beyond_the_photograph_is_not_looked_at(parts: CarGenerator) -> None:
    picture, known = torch.rand(1, 4, SIDE, SIDE) * 2 - 1, torch.ones(1, 1, SIDE, SIDE)
    known[..., :12] = 0
    other = picture.clone()
    other[..., :12] = 1
    encoded = told(parts, masked(picture, known))
    one, two = (optimised(parts, seen, known, SURFACE, VIEW, encoded, OptimiseConfig(5)) for seen in (picture, other))
    assert torch.equal(one.free, two.free) and torch.equal(one.departures, two.departures)


def test_the_photograph_comes_through_the_window_and_can_be_cancelled(parts: CarGenerator) -> None:
    camera = Camera((96, 64), 60.0, orbit(0.6, 0.2, 7.0, (0, 0, 0.7)))
    photo, matte = Photo("grey.png", np.full((64, 96, 3), 0.5, np.float32)), Matte(np.ones((64, 96), np.float32), "test", 1.0)
    found = invert(photo, matte, camera, SOLID, parts, OptimiseConfig(1), lambda stage, share01: None)
    assert found.window.view[0] == pytest.approx(0.6, abs=0.01)
    inside = found.known[0, 0] > 0
    assert 0.2 < inside.float().mean() < 1  # the window is a square, the photograph is none
    assert torch.allclose(found.picture[0, :3][:, inside], torch.zeros(1), atol=0.02)
    assert set(likeness(parts, found)) == {"psnr_db", "feature_distance"}

    def stop(stage: str, share01: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        invert(photo, matte, camera, SOLID, parts, OptimiseConfig(1), stop)
    with pytest.raises(ShapeError):
        invert(photo, replace(matte, alpha01=np.ones((9, 9))), camera, SOLID, parts, OptimiseConfig(0), stop)


def test_a_camera_inside_the_cars_sphere_is_out_of_reach() -> None:
    def at(distance_m: float) -> Camera:
        return Camera((96, 64), 40.0, orbit(0.6, 0.2, distance_m, tuple(BOX.middle_m)))

    assert in_reach(at(4.0), BOX) and not in_reach(at(2.4), BOX)


def test_the_signal_to_noise_ratio_is_that_of_the_definition() -> None:
    wanted, known = torch.ones(1, 4, SIDE, SIDE), torch.ones(1, 1, SIDE, SIDE)
    found = wanted.clone()
    found[:, :3] -= 0.2  # a tenth of the whole range
    assert float(psnr_db(found, wanted, known)) == pytest.approx(20, abs=0.01)


class Lamp(nn.Module):
    """A grey disc, as bright as the light from above."""

    def map(self, free: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
        light = factors[:, FACTORS.index("light_up_red")]
        return light[:, None].expand(-1, WIDTH)

    def forward(self, surface: torch.Tensor, view: torch.Tensor, w: torch.Tensor, size_px: int | None = None) -> torch.Tensor:
        line = torch.arange(SIDE) - SIDE / 2 + 0.5
        disc = (line[:, None] ** 2 + line**2 < 100).float()
        shade = srgb_from_linear(0.5 * np.exp(w[:, 0, 0].numpy()))
        colour = torch.from_numpy(shade).float()[:, None, None, None] * disc
        return torch.cat([colour.expand(-1, 3, -1, -1), disc.expand(len(w), 1, -1, -1)], 1) * 2 - 1


def test_light_comes_off_a_photograph_and_its_details_stay(parts: CarGenerator) -> None:
    """A disc under 0.7 of the even light: after it the disc is as bright as under even light, its scratch still there."""
    lamp = replace(parts, generator=Lamp())  # type: ignore[arg-type]
    camera = Camera((64, 64), 40.0, orbit(0.6, 0.2, 9.0, tuple(BOX.middle_m)))
    lit = np.full((64, 64, 3), srgb_from_linear(np.array(0.5 * 0.7)), np.float32)
    lit[30:32, 20:40] *= 0.6
    photo, matte = Photo("disc.png", lit), Matte(np.ones((64, 64), np.float32), "test", 1.0)
    found = invert(photo, matte, camera, SOLID, parts, OptimiseConfig(0), lambda stage, share01: None)
    latent = Latent(torch.zeros(1, FREE_COUNT), torch.zeros(1, FACTOR_COUNT), torch.zeros(1, LAYERS, WIDTH))
    dim = replace(found, latent=latent.with_factors(light_up_red=math.log(0.7)))
    assert np.allclose(light_ratio(dim, lamp), 1 / 0.7, rtol=0.03)
    even = without_light(photo, dim, lamp).image_srgb01
    assert np.allclose(linear_from_srgb(even[:20]), 0.5, atol=0.02)
    was, now = (linear_from_srgb(image[31, 30]) / linear_from_srgb(image[10, 30]) for image in (lit, even))
    assert np.allclose(was, now, rtol=0.03)
    assert without_light(photo, dim, lamp, 0.0) is photo


def test_a_sheet_shows_pictures_row_by_row() -> None:
    pictures = np.stack([np.full((4, 4, 4), k / 12, np.float32) for k in range(12)])
    sheet = sheet_of(pictures)
    assert sheet.shape == (8, 24, 4) and sheet[0, 4, 3] == pytest.approx(1 / 12) and sheet[4, 0, 3] == pytest.approx(0.5)
