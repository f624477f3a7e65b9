"""The encoder's latent moved until the generator draws the picture that was seen.

Minimised: masked L1, the distance of the discriminator's first feature maps (GAN2Shape: Pan et al., ICLR 2021, section 3.2, whose loss is
that of its inversion too), the departures' size (the delta penalty of e4e: Tov et al. 2021, equation 4), and how far z and the factors go
from what the encoder told.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from ..generator.groups import FACTOR_SCALE
from ..generator.latent import Latent
from ..generator.picture_distance import feature_distance, masked
from ..generator.weights import CarGenerator
from .encoder import Encoded

RATES = (0.05, 0.02, 0.02)  # of z, of the factors in usual deviations, of the departures
FACTOR_DOUBT = 0.25  # of the encoder, in usual deviations


@dataclass(frozen=True)
class OptimiseConfig:
    """Steps of Adam and the terms' weights."""

    steps: int
    picture: float = 60.0
    features: float = 4.0
    departures: float = 20.0
    stay: float = 0.02


def optimised(
    parts: CarGenerator,
    picture: torch.Tensor,
    known: torch.Tensor,
    surface: torch.Tensor,
    view: torch.Tensor,
    encoded: Encoded,
    config: OptimiseConfig,
    tick: Callable[[float], None] = lambda _: None,
) -> Latent:
    """Latent of picture (B, 4, S, S), looked at only where known (B, 1, S, S) is 1, of surface
    (B, LAYERS, S, S) from view (B, 3); tick(share01) may raise to stop it.

    Without steps the encoder's word as it is.
    """
    first = Latent.of(encoded)
    if not config.steps:
        return first
    scale = first.factors.new_tensor(FACTOR_SCALE)
    with torch.no_grad():
        wanted = parts.features(masked(picture, known))
        deviation = (0.5 * encoded.free_log_variance).exp()
    moves = [torch.zeros_like(tensor).requires_grad_() for tensor in (first.free, first.factors, first.departures)]
    optimiser = torch.optim.Adam([{"params": [move]} for move in moves], betas=(0.9, 0.95))
    for step in range(config.steps):
        tick(step / config.steps)
        for group, rate in zip(optimiser.param_groups, RATES, strict=True):
            group["lr"] = rate * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * step / config.steps)))
        latent = _moved(first, moves, scale)
        drawn = masked(parts.generator(surface, view, latent.w(parts.generator)), known)
        apart = (drawn - masked(picture, known)).abs().sum() / (4 * known.sum()).clamp(min=1)
        stay = 0.5 * (moves[0] / deviation).square().sum() + 0.5 * (moves[1] / FACTOR_DOUBT).square().sum()
        loss = config.picture * apart + config.features * feature_distance(parts.features(drawn), wanted)
        loss = loss + config.departures * latent.departures.square().mean() + config.stay * stay / len(view)
        optimiser.zero_grad()
        loss.backward(inputs=moves)
        optimiser.step()
    with torch.no_grad():
        return _moved(first, moves, scale)


def _moved(first: Latent, moves: list[torch.Tensor], scale: torch.Tensor) -> Latent:
    return Latent(first.free + moves[0], first.factors + moves[1] * scale, first.departures + moves[2])
