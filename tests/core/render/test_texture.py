"""texture: values against hand-made cases, gradients against finite differences, the choice of mip levels."""

from __future__ import annotations

import math

import pytest
import torch


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def footprint(texels: float, size: int, back_end, shape=(1, 2, 2)) -> torch.Tensor:
    """uv_da of a square footprint so many texels wide."""
    along = texels / size
    return back_end.to(torch.tensor([along, 0.0, 0.0, along], dtype=torch.float64).expand(*shape, 4).contiguous())


def test_texel_centres_return_the_texels_and_row_zero_is_v_zero(back_end):
    texels = noise(1, 4, 8, 3)
    v, u = torch.meshgrid((torch.arange(4) + 0.5) / 4, (torch.arange(8) + 0.5) / 8, indexing="ij")
    uv = torch.stack([u, v], -1)[None].double()
    for mode in ("linear", "nearest"):
        found = back_end.texture(back_end.to(texels), back_end.to(uv), filter_mode=mode)
        assert (found.double().cpu() - texels).abs().max() < 1e-5


def test_wrap_and_clamp_at_the_border(back_end):
    texels = torch.tensor([[[[1.0], [5.0]]]], dtype=torch.float64)
    uv = back_end.to(torch.tensor([[[[0.0, 0.5], [1.2, 0.5]]]], dtype=torch.float64))
    wrapped = back_end.texture(back_end.to(texels), uv, filter_mode="linear", boundary_mode="wrap").flatten().tolist()
    clamped = back_end.texture(back_end.to(texels), uv, filter_mode="linear", boundary_mode="clamp").flatten().tolist()
    # At u = 1.2 the wrapped read lies 0.1 texels left of the first centre.
    assert wrapped == pytest.approx([3.0, 1.4], abs=1e-4)
    assert clamped == pytest.approx([1.0, 5.0], abs=1e-4)


@pytest.mark.parametrize("boundary_mode", ["wrap", "clamp"])
def test_uv_gradient(check_gradient, boundary_mode):
    texels, weights = noise(2, 8, 4, 3), noise(2, 3, 5, 3, seed=1)

    def function(back_end, uv):
        return (back_end.texture(back_end.to(texels), uv, filter_mode="linear", boundary_mode=boundary_mode) * back_end.to(weights)).sum()

    check_gradient(function, noise(2, 3, 5, 2, seed=2))


def test_texture_gradient_also_through_mip_levels(check_gradient):
    uv, weights = noise(2, 3, 5, 2, seed=2), noise(2, 3, 5, 3, seed=1)
    uv_da = 0.4 * noise(2, 3, 5, 4, seed=3)

    def function(back_end, texels):
        return (back_end.texture(texels, back_end.to(uv), back_end.to(uv_da)) ** 2 * back_end.to(weights)).sum()

    check_gradient(function, noise(1, 8, 8, 3))


def test_footprint_gradient(check_gradient):
    texels, uv, weights = noise(1, 16, 16, 2), noise(1, 4, 4, 2, seed=2), noise(1, 4, 4, 2, seed=1)

    def function(back_end, uv_da):
        return (back_end.texture(back_end.to(texels), back_end.to(uv), uv_da) * back_end.to(weights)).sum()

    check_gradient(function, 0.15 * noise(1, 4, 4, 4, seed=5))


@pytest.mark.parametrize("texels", [0.5, 1.0, 2.0, 2.8, 4.0, 8.0, 64.0])
def test_footprint_chooses_the_mip_level(back_end, texels):
    """A chequerboard in the colours of its levels: level k of this texture is the constant mean, so mark each level by a ramp instead."""
    size = 16
    ramp = torch.zeros(1, size, size, 1, dtype=torch.float64)
    ramp[0, 0, 0, 0] = 1.0  # at its own texel, level k holds 4 ** -k
    level = min(max(math.log2(texels), 0.0), 4.0)
    low = int(level)
    fraction = level - low
    # Read at the centre of the level's own first texel, where bilinear filtering of that level is exact.
    centre = 0.5 * 2**low / size
    uv = back_end.to(torch.full((1, 2, 2, 2), centre, dtype=torch.float64))
    found = back_end.texture(back_end.to(ramp), uv, footprint(texels, size, back_end), boundary_mode="clamp").double().cpu()
    # Clamped, the next level's first texel is constant out to its centre.
    wanted = (1 - fraction) * 4.0**-low + fraction * 4.0 ** -(low + 1)
    assert found.flatten().tolist() == pytest.approx([wanted] * 4, rel=2e-3)


def test_max_mip_level_bounds_the_choice(back_end):
    texels = noise(1, 8, 8, 1)
    uv = back_end.to(torch.full((1, 2, 2, 2), 0.3, dtype=torch.float64))
    bounded = back_end.texture(back_end.to(texels), uv, footprint(100, 8, back_end), max_mip_level=0)
    plain = back_end.texture(back_end.to(texels), uv, filter_mode="linear")
    assert torch.allclose(bounded, plain, atol=1e-5)


def test_the_last_level_is_the_mean(back_end):
    texels = noise(1, 8, 8, 2)
    uv = back_end.to(torch.full((1, 2, 2, 2), 0.7, dtype=torch.float64))
    found = back_end.texture(back_end.to(texels), uv, footprint(8, 8, back_end)).double().cpu()
    assert (found - texels.mean((1, 2))).abs().max() < 1e-5


def test_unknown_modes_are_refused(reference):
    with pytest.raises(ValueError, match="filter_mode 'cubic' must be one of"):
        reference.texture(torch.zeros(1, 2, 2, 1), torch.zeros(1, 1, 1, 2), filter_mode="cubic")
