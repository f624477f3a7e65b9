"""How well pictures of cars that were kept away from training are drawn again from another side."""

from __future__ import annotations

import numpy as np
import torch

from ..dataset.turntables import Turntables
from ..generator.generator import Generator
from ..generator.groups import FACTOR_SLICE
from ..generator.latent import Latent
from ..invert.encoder import Encoder
from .generator_loss import at_size
from .turntable_batches import TurntableBatches

CHUNK = 16


@torch.no_grad()
def measure_turntables(
    generator: Generator, encoder: Encoder, turntables: Turntables, held: np.ndarray, size_px: int, count: int
) -> dict[str, float]:
    """Figures of `count` pairs of the held pictures, by name; {} where there are none.

    held_picture: mean absolute difference of colours 0..255 over the car, from another view of it; held_matte: IoU of the matte;
    held_paint: mean absolute error of the told paint, 0..255; held_own: like held_picture, of the very picture that was seen.
    """
    if not len(held):
        return {}
    batches, sums = TurntableBatches(turntables, held, CHUNK, 1, 0, 0), np.zeros(4)
    rounds = max(1, count // CHUNK)
    for number in range(rounds):
        batch = batches.make(np.random.default_rng([7, number]))
        encoded = encoder(at_size(batch.look, encoder.size.picture_px), batch.look_view)
        w = Latent.of(encoded).w(generator)
        again = Latent.of(encoder(at_size(batch.target, encoder.size.picture_px), batch.view)).w(generator)
        drawn, own = (generator(batch.surface, batch.view, style, size_px) for style in (w, again))
        target = at_size(batch.target, size_px)
        paint = slice(FACTOR_SLICE["paint"].start, FACTOR_SLICE["paint"].start + 3)
        told = (encoded.factors[:, paint] - batch.factors[:, paint]).abs()[~batch.factors[:, paint].isnan().any(1)]
        found, truth = drawn[:, 3] > 0, target[:, 3] > 0
        overlap = (found & truth).sum() / (found | truth).sum().clamp(min=1)
        sums += [_apart(drawn, target), float(overlap), 255 * float(told.mean()) if len(told) else 0.0, _apart(own, target)]
    return dict(zip(("held_picture", "held_matte", "held_paint", "held_own"), (sums / rounds).tolist(), strict=True))


def _apart(drawn: torch.Tensor, wanted: torch.Tensor) -> float:
    """Mean absolute difference of colours 0..255 over what is car in either."""
    car = (drawn[:, 3:] > 0) | (wanted[:, 3:] > 0)
    return float(127.5 * ((drawn - wanted).abs()[:, :3] * car).sum() / (3 * car.sum()).clamp(min=1))
