"""The encoder: starts near W, hears the view, refuses other sizes."""

from __future__ import annotations

import pytest
import torch

from imago.core.errors import ShapeError
from imago.core.generator.generator import Generator, GeneratorSize
from imago.core.generator.groups import FACTOR_COUNT, FREE_COUNT, WIDTH
from imago.core.invert.encoder import Encoder, EncoderSize

from ..generator.made_solid import box_solid

SIZE = EncoderSize((16, 16, 16), cell=16, hidden=16, picture_px=32, content_layers=4)
VIEW = torch.tensor([[0.4, 0.2, 0.8], [-2.0, 0.1, 0.5]])
SURFACE = box_solid().surfaces(VIEW.double().numpy(), 32)


def test_what_it_says_has_the_sizes_that_the_generator_takes() -> None:
    torch.manual_seed(0)
    encoder, generator = Encoder(SIZE), Generator(GeneratorSize((16, 16), view=16, hidden=16))
    found = encoder(torch.randn(2, 4, 32, 32), VIEW)
    assert found.free_mean.shape == found.free_log_variance.shape == (2, FREE_COUNT)
    assert found.factors.shape == (2, FACTOR_COUNT) and found.departures.shape == (2, 4, WIDTH)
    w = generator.map(found.free_mean, found.factors)
    assert found.departures.square().mean() < 1e-3 * w.square().mean()
    assert generator(SURFACE, VIEW, w[:, None] + found.departures).shape == (2, 4, 32, 32)


def test_it_hears_the_view() -> None:
    torch.manual_seed(0)
    encoder, picture = Encoder(SIZE), torch.randn(1, 4, 32, 32).expand(2, -1, -1, -1)
    found = encoder(picture, VIEW)
    assert not torch.allclose(found.free_mean[0], found.free_mean[1], atol=1e-3)


def test_pictures_of_another_size_are_refused() -> None:
    with pytest.raises(ShapeError, match="64"):
        Encoder(SIZE)(torch.randn(2, 4, 64, 64), VIEW)
