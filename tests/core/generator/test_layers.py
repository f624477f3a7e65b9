"""Layers: modulation is that of the paper, outputs keep their variance, the view's features close round the car."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from imago.core.generator.layers import DEMODULATION_EPSILON, VIEW_FEATURES, Fall, Modulated, StyledLayer, ToPicture, view_features


@pytest.mark.parametrize("demodulate", [True, False])
def test_modulated_convolution_is_that_with_explicit_weights_for_each_sample(demodulate: bool) -> None:
    """StyleGAN2, equations 1 and 3, sample by sample, in float64."""
    torch.manual_seed(0)
    layer = Modulated(6, 5, 3, 7, demodulate).double()
    x, style = torch.randn(3, 6, 9, 9, dtype=torch.float64), torch.randn(3, 7, dtype=torch.float64)
    found, factor = layer(x, style)
    if demodulate:
        assert factor is not None
        found = found * factor[:, :, None, None]
    for k in range(len(x)):
        modulated = layer.affine(style[k])[None, :, None, None] * layer.convolution.weight  # equation 1
        if demodulate:
            modulated = modulated / (modulated.square().sum((1, 2, 3), keepdim=True) + DEMODULATION_EPSILON).sqrt()  # equation 3
        wanted = functional.conv2d(x[k : k + 1], modulated, padding=1)
        assert torch.allclose(found[k : k + 1], wanted, atol=1e-12)


def test_demodulated_output_has_unit_variance_whatever_the_style() -> None:
    torch.manual_seed(1)
    layer = Modulated(64, 32, 3, 16)
    style = 5 * torch.randn(4, 16)
    convolved, factor = layer(torch.randn(4, 64, 32, 32), style)
    assert factor is not None
    inner = (convolved * factor[:, :, None, None])[:, :, 1:-1, 1:-1]  # the border sees zeros
    assert torch.allclose(inner.var((0, 2, 3)), torch.ones(32), atol=0.12)
    assert convolved.var() > 10


def test_a_stack_of_styled_layers_keeps_the_size_of_what_comes_through() -> None:
    torch.manual_seed(2)
    x = torch.randn(2, 32, 16, 16)
    for _ in range(6):
        x = StyledLayer(32, 32, 8)(x, torch.randn(2, 8))
    assert 0.4 < float(x.detach().square().mean().sqrt()) < 2.5


def test_noise_counts_only_once_it_has_strength_and_repeats_with_its_seed() -> None:
    torch.manual_seed(3)
    layer, x, style = StyledLayer(16, 16, 4, rise=True), torch.randn(2, 16, 8, 8), torch.randn(2, 4)
    assert torch.equal(layer(x, style), layer(x, style, torch.Generator().manual_seed(1)))
    torch.nn.init.ones_(layer.noise_strength)
    one, again, other = (layer(x, style, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert one.shape == (2, 16, 16, 16) and torch.equal(one, again) and not torch.equal(one, other)
    assert not torch.equal(one, layer(x, style))


def test_a_fresh_output_adds_little() -> None:
    torch.manual_seed(4)
    told = ToPicture(64, 8)(torch.randn(2, 64, 8, 8), torch.randn(2, 8))
    assert told.shape == (2, 4, 8, 8) and told.std() < 0.5


def test_a_fall_halves_and_keeps_the_size() -> None:
    torch.manual_seed(5)
    found = Fall(32, 48)(torch.randn(4, 32, 16, 16))
    assert found.shape == (4, 48, 8, 8) and 0.3 < float(found.detach().std()) < 1.5


def test_view_features_close_round_the_car() -> None:
    view = torch.tensor([[0.3, 0.2, 0.8], [0.3 + 2 * math.pi, 0.2, 0.8], [0.3 + math.pi, 0.2, 0.8]])
    features = view_features(view)
    assert features.shape == (3, VIEW_FEATURES)
    assert torch.allclose(features[0], features[1], atol=1e-5) and not torch.allclose(features[0], features[2], atol=0.1)
