"""Drawn pictures without a car: repeatable, all different, never flat, and split into kinds for training and for measuring."""

from __future__ import annotations

import numpy as np
import pytest

from imago.core.dataset import empty
from imago.core.dataset.no_car import KINDS, TEST_KINDS, TRAIN_KINDS, no_car_picture
from imago.core.dataset.sky import sky_of


def drawn(kind: str, seed: int, *size_px: int) -> np.ndarray:
    return no_car_picture(kind, np.random.default_rng(seed), *size_px)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_one_picture_and_another_seed_another(kind):
    first = drawn(kind, 1)
    assert first.shape == (230, 320, 3) and first.dtype == np.uint8
    assert np.array_equal(first, drawn(kind, 1))
    assert not np.array_equal(first, drawn(kind, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_has_contrast_but_the_dark(kind):
    pictures = [drawn(kind, seed) for seed in range(6)]
    if kind == "dark":
        assert max(picture.mean() for picture in pictures) < 25
    else:
        assert min(picture.std() for picture in pictures) > 2


@pytest.mark.parametrize("kind", KINDS)
def test_other_sizes(kind):
    assert drawn(kind, 3, 96, 128).shape == (128, 96, 3)


def test_the_kinds_are_either_trained_on_or_measured():
    assert set(TRAIN_KINDS) | set(TEST_KINDS) == set(KINDS)
    assert not set(TRAIN_KINDS) & set(TEST_KINDS)
    assert len(TRAIN_KINDS) + len(TEST_KINDS) == len(KINDS) == len(set(KINDS))


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="'tram'"):
        drawn("tram", 0)


def test_the_pool_mixes_panoramas_and_drawn_pictures(monkeypatch):
    asked = []
    monkeypatch.setattr(
        empty, "no_car_picture", lambda kind, random, *size_px: asked.append(kind) or np.zeros((*size_px[::-1], 3), np.uint8)
    )
    sky = sky_of(np.random.default_rng(0).random((64, 128, 3), np.float32) + 0.1)
    random = np.random.default_rng(1)
    pictures = [empty.empty_picture([sky], random) for _ in range(60)]
    assert {(picture.shape, picture.dtype) for picture in pictures} == {((230, 320, 3), np.dtype(np.uint8))}
    assert 12 <= len(asked) <= 36  # of 24 expected
    assert set(asked) <= set(TRAIN_KINDS)
    assert sum(bool(picture.any()) for picture in pictures) == len(pictures) - len(asked)
