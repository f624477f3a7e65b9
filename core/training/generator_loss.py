"""What generator, encoder and discriminator are asked for.

One car is seen twice by the encoder; from what it says the generator must draw a third picture, from another side.  The groups "shape"
and "rest" come from one of the two pictures, what belongs to the look from the other, so groups cannot leak into one another; half of the
known factors are told instead of read, and of these again half without anything else that was read of their group, so the generator obeys
them.  Beside these cars others are invented: z at random, each group's
factors from another car; the encoder must read back what they were made of (as GAN-Control's predictors judge attributes, section 3.2, here
by value instead of by pairs).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional

from ..generator.discriminator import Discriminator
from ..generator.generator import Generator
from ..generator.groups import FACTOR_MEAN, FACTOR_SCALE, FACTOR_SLICE, FREE_COUNT, FREE_SLICE, NAMES, WIDTH_SLICE
from ..generator.picture_distance import feature_distance
from ..invert.encoder import Encoded, Encoder
from ..perceive.heads import PART_CLASSES
from .turntable_batches import TurntableBatch

OF_THE_CAR = ("shape", "rest")  # groups that the picture of the car tells, the others are of the look
SMALL_PARTS, HEED = ("headlight", "taillight", "plate", "grille"), 3.0
WEIGHTS = {
    "picture": 60.0, "features": 4.0, "factors": 5.0, "doubt": 0.03, "departures": 20.0, "read_back": 0.5, "adversarial": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """Pictures (B + M, 4, S, S) of the seen and then the invented cars; encoded (2 B): looks, then cars; free (M, Z) of the invented."""

    pictures: torch.Tensor
    encoded: Encoded
    free: torch.Tensor


def draw_batch(
    generator: Generator, encoder: Encoder, batch: TurntableBatch, size_px: int, random: torch.Generator, invented: bool = True
) -> Drawn:
    """What generator and encoder make of a batch; without the invented cars M is 0."""
    read = at_size(torch.cat([batch.look, batch.car]), encoder.size.picture_px)
    encoded = encoder(read, torch.cat([batch.look_view, batch.car_view]))
    seen = latent(generator, encoded, batch, random)
    count = len(batch.invented_factors) if invented else 0
    free = torch.randn((count, FREE_COUNT), generator=random)
    made_up = generator.map(free, batch.invented_factors[:count])[:, None].expand(-1, seen.shape[1], -1)
    views = torch.cat([batch.view, batch.reference_view[:count]])
    surfaces = torch.cat([batch.surface, batch.reference_surface[:count]])
    return Drawn(generator(surfaces, views, torch.cat([seen, made_up]), size_px, random), encoded, free)


def latent(generator: Generator, encoded: Encoded, batch: TurntableBatch, random: torch.Generator) -> torch.Tensor:
    """(B, content layers, WIDTH) w+ of the seen cars: each group from its picture, its factors told or read by the toss of a coin; told
    ones are all that is known of their group by the toss of another."""
    count = len(batch.target)
    noise = torch.randn(encoded.free_mean.shape, generator=random)
    free = encoded.free_mean + noise * (0.5 * encoded.free_log_variance).exp()
    told_free, told_factors, departures = [], [], []
    for name in NAMES:
        own = slice(count, 2 * count) if name in OF_THE_CAR else slice(0, count)
        truth, read = batch.factors[:, FACTOR_SLICE[name]], encoded.factors[own, FACTOR_SLICE[name]]
        toss, another = torch.rand((2, count, 1), generator=random) < 0.5
        told_factors.append(torch.where(toss & ~truth.isnan(), truth, read))
        alone = toss & another & ~truth.isnan().any(1, keepdim=True) if truth.shape[1] else torch.zeros_like(toss)
        read_free = free[own, FREE_SLICE[name]]
        told_free.append(torch.where(alone, torch.randn(read_free.shape, generator=random), read_free))
        departures.append(torch.where(alone[..., None], 0.0, encoded.departures[own, :, WIDTH_SLICE[name]]))
    w = generator.map(torch.cat(told_free, 1), torch.cat(told_factors, 1))
    return w[:, None] + torch.cat(departures, 2)


def plain_terms(batch: TurntableBatch, drawn: Drawn) -> dict[str, torch.Tensor]:
    """The terms that need no discriminator, and their weighted "sum"."""
    read, size_px = drawn.encoded, drawn.pictures.shape[-1]
    apart = (drawn.pictures[: len(batch.target)] - at_size(batch.target, size_px)).abs()
    terms = {
        "picture": (apart * heed(batch.surface, size_px)).mean(),
        "factors": factor_distance(read.factors, torch.cat([batch.factors, batch.car_factors])),
        "doubt": 0.5 * (read.free_mean.square() + read.free_log_variance.exp() - 1 - read.free_log_variance).mean(),
        "departures": read.departures.square().mean(),
    }
    return terms | {"sum": _weighted(terms, WEIGHTS)}


def heed(surface: torch.Tensor, size_px: int) -> torch.Tensor:
    """(B, 1, size_px, size_px) how much each pixel counts: SMALL_PARTS are few pixels and much of a car's face."""
    small = torch.stack([surface[:, 1:2] == PART_CLASSES.index(name) for name in SMALL_PARTS]).any(0).float()
    return 1 + HEED * at_size(small, size_px)


def _weighted(terms: dict[str, torch.Tensor], weights: dict[str, float]) -> torch.Tensor:
    return torch.stack([weights[name] * value for name, value in terms.items()]).sum()


def generator_terms(
    discriminator: Discriminator, encoder: Encoder, batch: TurntableBatch, drawn: Drawn, adversarial: float
) -> dict[str, torch.Tensor]:
    """plain_terms() and those of the discriminator and of the invented cars; `adversarial` 0..1 scales the discriminator's word."""
    count, size_px = len(batch.target), drawn.pictures.shape[-1]
    target = at_size(batch.target, size_px)
    with torch.no_grad():
        wanted = discriminator.first(target)
    scores, told = discriminator(drawn.pictures, torch.cat([batch.view, batch.reference_view]))
    again = encoder(at_size(drawn.pictures[count:], encoder.size.picture_px), batch.reference_view)
    terms = {
        "features": feature_distance([found[:count] for found in told], wanted),
        "read_back": factor_distance(again.factors, batch.invented_factors)
        + (0.5 * (again.free_mean - drawn.free).square() / again.free_log_variance.exp() + 0.5 * again.free_log_variance).mean(),
        "adversarial": functional.softplus(-scores).mean(),
    }
    scaled = WEIGHTS | {"adversarial": adversarial * WEIGHTS["adversarial"]}
    plain = plain_terms(batch, drawn)
    return plain | terms | {"sum": plain["sum"] + _weighted(terms, scaled)}


def discriminator_terms(discriminator: Discriminator, batch: TurntableBatch, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
    """The non-saturating logistic loss (Goodfellow et al. 2014) and mean scores; pictures (B + M, 4, S, S) as drawn."""
    size_px = pictures.shape[-1]
    real = at_size(torch.cat([batch.target, batch.reference]), size_px)
    views = torch.cat([batch.view, batch.reference_view])
    scores, _ = discriminator(torch.cat([real, pictures.detach()]), torch.cat([views, views]))
    of_real, of_drawn = scores.split([len(real), len(pictures)])
    loss = functional.softplus(-of_real).mean() + functional.softplus(of_drawn).mean()
    return {"discriminator": loss, "score_real": of_real.mean(), "score_drawn": of_drawn.mean()}


def slope_penalty(score: Callable[[torch.Tensor], torch.Tensor], real: torch.Tensor) -> torch.Tensor:
    """R1: the mean squared norm of the scores' gradient at real pictures (Mescheder et al., ICML 2018, equation 9), without gamma / 2."""
    seen = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(score(seen).sum(), seen, create_graph=True)
    return slope.float().square().flatten(1).sum(1).mean()


def factor_distance(found: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Smooth absolute difference (B, F) in usual deviations, over what is known, each group counting alike; zero where nothing is."""
    known = ~truth.isnan()
    scale, mean = found.new_tensor(FACTOR_SCALE), found.new_tensor(FACTOR_MEAN)
    apart = functional.smooth_l1_loss((found - mean) / scale, torch.where(known, (truth - mean) / scale, 0.0), reduction="none", beta=0.5)
    columns = [part for part in FACTOR_SLICE.values() if part.stop > part.start]
    means = [(apart[:, part] * known[:, part]).sum() / known[:, part].sum().clamp(min=1) for part in columns]
    return torch.stack(means).mean()


def at_size(pictures: torch.Tensor, size_px: int) -> torch.Tensor:
    """(B, 4, S, S) -> (B, 4, size_px, size_px): area means, or bilinear where it grows."""
    side = pictures.shape[-1]
    if side == size_px:
        return pictures
    if side > size_px:
        return functional.avg_pool2d(pictures, side // size_px)
    return functional.interpolate(pictures, size=(size_px, size_px), mode="bilinear", align_corners=False)
