"""The views command: what two photographs lend each other, and what it says without the generator's weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from imago.core.errors import WeightsError
from imago.core.frames import orbit
from imago.core.generator.weights import CarGenerator
from imago.core.invert import show
from imago.core.invert.invert import invert
from imago.core.invert.optimise import OptimiseConfig
from imago.core.types import Camera, Matte, Photo

from .conftest import SIDE, SOLID

HEIGHT, WIDTH = 64, 96


def seen(parts: CarGenerator, azimuth: float, brightness: float) -> show.Seen:
    """A bright square on a background of its own."""
    camera = Camera((WIDTH, HEIGHT), 60.0, orbit(azimuth, 0.2, 7.0, (0, 0, 0.7)))
    alpha = np.zeros((HEIGHT, WIDTH), np.float32)
    alpha[24:44, 34:62] = 1
    image = np.where(alpha[..., None] > 0, brightness, [0.2, 0.3, 0.7]).astype(np.float32)
    photo, matte = Photo("square.png", image), Matte(alpha, "test", 1.0)
    return show.Seen(photo, matte, invert(photo, matte, camera, SOLID, parts, OptimiseConfig(0), lambda stage, share01: None))


def test_a_sheet_has_a_row_a_car_then_the_exchanges(parts: CarGenerator) -> None:
    one, other = seen(parts, 0.6, 0.9), seen(parts, 2.0, 0.4)
    alone, both = show.sheet(parts, one), show.sheet(parts, one, other)
    assert alone.shape == (SIDE, (2 + show.SIDES) * SIDE, 3)
    assert both.shape[1] == alone.shape[1] and both.shape[0] > 4 * SIDE
    assert np.array_equal(both[:SIDE], alone) and alone.min() >= 0 and alone.max() <= 1


def test_another_car_stands_before_the_photographs_own_background(parts: CarGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that draws a white disc: it is in the middle of the photograph, and nothing is left of the square that stood there."""
    one = seen(parts, 0.6, 0.9)
    line = torch.arange(SIDE) - SIDE / 2 + 0.5
    disc = (line[:, None] ** 2 + line**2 < 16).float().expand(1, 4, -1, -1) * 2 - 1
    monkeypatch.setattr(parts.generator, "forward", lambda surface, view, w, size_px=None: disc)
    found = show.exchanged(parts, one, one.inversion)
    background = np.array([0.2, 0.3, 0.7])
    x, y = one.inversion.window.to_photo(np.array([[SIDE / 2, SIDE / 2]]))[0].astype(int)
    assert np.allclose(found[y, x], 1, atol=0.02)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    corner, _ = one.inversion.window.to_photo(np.array([[SIDE / 2 + 6, SIDE / 2]]))[0] - (x, y)
    beside = np.hypot(rows - y, columns - x) > corner
    assert beside.mean() > 0.5 and np.abs(found - background)[beside].max() < 0.05


def test_without_weights_it_says_so_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def missing() -> CarGenerator:
        raise WeightsError("The weights of 'generator' are missing.")

    monkeypatch.setattr(show, "loaded", missing)
    assert show.main([str(tmp_path / "car.jpg"), "--out", str(tmp_path / "views.png")]) == 2
    assert "are missing" in capsys.readouterr().err and not list(tmp_path.iterdir())
