"""A generator's pictures paint what no photograph shows, as far as their kind of material is trusted, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imago.core.paint import materials
from imago.core.paint.paint import paint
from imago.core.types import Imagined

from .conftest import HALF_M, photograph, stripes

REAR_Y_M = HALF_M[1]


def from_all_sides(body, truth) -> Imagined:
    shots = [photograph(body, truth, azimuth, (160, 160)) for azimuth in (90.0, 140.0, 180.0, 220.0, 270.0)]
    rgba = [np.concatenate([s.photo.image_srgb01 * s.matte.alpha01[..., None], s.matte.alpha01[..., None]], 2) for s in shots]
    return Imagined(np.stack(rgba).astype(np.float32), tuple(s.fit.camera for s in shots))


def two_coloured(points: np.ndarray) -> np.ndarray:
    """Green, but for a blue tail."""
    tail = points[:, 1:2] > REAR_Y_M - 0.02
    return np.where(tail, [0.1, 0.2, 0.8], [0.2, 0.6, 0.2])


@pytest.mark.parametrize("trust", [0.0, 1.0])
def test_the_hidden_tail_is_painted_as_it_is_imagined_if_trusted(make_shot, monkeypatch, trust):
    shot = make_shot(two_coloured)
    monkeypatch.setitem(materials.KINDS, "paint", replace(materials.KINDS["paint"], imagined=trust))
    texture = paint(shot.photo, shot.matte, shot.fit, shot.body, (), 256, lambda *_: None, from_all_sides(shot.body, two_coloured))
    wanted = (0.1, 0.2, 0.8) if trust else texture.paint_srgb01
    assert np.abs(np.median(_rear(texture), 0) - wanted).max() < 0.08


def test_what_the_photograph_shows_stays_the_photographs(make_shot, monkeypatch):
    shot = make_shot(stripes)
    plain = shot.paint(256)
    monkeypatch.setitem(materials.KINDS, "paint", replace(materials.KINDS["paint"], imagined=1.0))
    other = from_all_sides(shot.body, lambda points: np.broadcast_to([0.9, 0.1, 0.1], points.shape))
    texture = paint(shot.photo, shot.matte, shot.fit, shot.body, (), 256, lambda *_: None, other)
    sure = texture.confidence01 > 0.6
    assert sure.sum() > 2000 and np.abs(texture.photo_srgb01 - plain.photo_srgb01)[sure].max() < 0.02


def _rear(texture) -> np.ndarray:
    """(N, 3) texels of the box's rear: fourth side, first column of the upper row (see conftest.box)."""
    size = texture.photo_srgb01.shape[0]
    column, row = 3 % 3, 3 // 3
    left, low = size * column // 3, size * row // 2
    island = texture.photo_srgb01[size - low - size // 2 : size - low, left : left + size // 3]
    inset = size // 12
    return island[inset:-inset, inset:-inset].reshape(-1, 3)
