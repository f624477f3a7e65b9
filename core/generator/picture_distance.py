"""How unlike two of the generator's pictures are."""

from __future__ import annotations

import torch


def feature_distance(found: list[torch.Tensor], wanted: list[torch.Tensor]) -> torch.Tensor:
    """Mean over the blocks (see discriminator.FirstBlocks) of the absolute difference, each over the size of what was wanted."""
    apart = [(a.float() - b.float()).abs().mean() / b.float().abs().mean().clamp(min=1e-6) for a, b in zip(found, wanted, strict=True)]
    return torch.stack(apart).mean()


def masked(picture: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """(B, 4, S, S) empty where known (B, 1, S, S) is 0."""
    return (picture + 1) * known - 1


def psnr_db(found: torch.Tensor, wanted: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """(B,) peak signal to noise ratio of the colours over what is car in either (B, 4, S, S) and known (B, 1, S, S)."""
    car = ((found[:, 3:] > 0) | (wanted[:, 3:] > 0)) * known
    error = (((found - wanted)[:, :3] / 2).square() * car).sum((1, 2, 3)) / (3 * car.sum((1, 2, 3))).clamp(min=1)
    return -10 * error.clamp(min=1e-10).log10()
