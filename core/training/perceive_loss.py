"""What the network is asked for, one function a term."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from ..perceive.heads import AZIMUTH_BINS, COORDINATE_REACH, FIGURES, PART_CLASSES, UNKNOWN_PART
from ..perceive.network import Outputs
from .picture_batches import Batch

AZIMUTH_SPREAD_RAD = math.radians(5)  # one bin: a sharper target would punish half-bin errors as flips
BODY_SMOOTHING = 0.1  # 30 cars are no population
PART_WEIGHT = torch.tensor([0.5 if name in ("background", "body") else 1.5 for name in PART_CLASSES])  # lamps and plates are small
FIGURE_WEIGHT = torch.tensor([1.0 if name.startswith(("top_", "plan_")) else 3.0 for name in FIGURES])  # no fit has better proportions
SHOWN_EXTENT = 4.0  # square lengths, summed over the car's pixels: a hundred pixels a fifth of a length from the middle
WEIGHTS = {
    "matte": 2.0, "any_car": 0.7, "parts": 0.7, "coordinates": 0.8, "stretch": 8.0, "azimuth": 0.4, "figures": 3.0, "body": 0.1,
    "car": 0.3, "count": 0.1, "paint": 0.5, "wheels": 0.25, "wheels_seen": 0.1,
}  # fmt: skip


def azimuth_target(azimuth_rad: torch.Tensor) -> torch.Tensor:
    """Von Mises weights of the bins, (B,) -> (B, 72), rows sum to one."""
    centres = torch.arange(AZIMUTH_BINS, dtype=torch.float32) * (2 * math.pi / AZIMUTH_BINS)
    return torch.softmax(torch.cos(centres - azimuth_rad[:, None]) / AZIMUTH_SPREAD_RAD**2, 1)


def azimuth_loss(logit: torch.Tensor, azimuth_rad: torch.Tensor) -> torch.Tensor:
    """Divergence of the predicted bins from the soft target, nats; 0 is perfect; nan marks what is unknown."""
    known = ~azimuth_rad.isnan()
    divergence = functional.kl_div(logit.log_softmax(1), azimuth_target(azimuth_rad.nan_to_num()), reduction="none").sum(1)
    return _mean(divergence, known)


def laplace(found: torch.Tensor, log_scale: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor | float = 1.0) -> torch.Tensor:
    """Laplace likelihood (Kendall and Gal 2017, eq. 5 with L1), weighted mean over what is known: nan marks what is not."""
    known = ~truth.isnan() * weight
    return _mean((found - truth.nan_to_num()).abs() * (-log_scale).exp() + log_scale, known)


def matte_loss(logit: torch.Tensor, alpha01: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Cross entropy for each pixel and the soft overlap (Dice) for each picture with a car; logit, alpha01 (B, H, W), known (B,)."""
    entropy = functional.binary_cross_entropy_with_logits(logit, alpha01, reduction="none").mean((1, 2))
    share = logit.sigmoid()
    both, total = (share * alpha01).sum((1, 2)), (share * share).sum((1, 2)) + (alpha01 * alpha01).sum((1, 2))
    dice = torch.where(alpha01.sum((1, 2)) > 50, 1 - 2 * both / total.clamp_min(1.0), torch.zeros_like(both))
    return _mean(entropy + 0.5 * dice, known)


def part_loss(logit: torch.Tensor, part: torch.Tensor) -> torch.Tensor:
    """Cross entropy, small parts counting more."""
    target = part.masked_fill(part == UNKNOWN_PART, -100)
    return functional.cross_entropy(logit, target, PART_WEIGHT.to(logit), ignore_index=-100)


def coordinate_loss(outputs: Outputs, coordinates_u8: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Laplace likelihood of the places of the car's pixels."""
    truth = (coordinates_u8.float() / 255 - 0.5) * 2 * COORDINATE_REACH
    log_scale = outputs.coordinate_log_scale
    likelihood = (outputs.coordinates - truth).abs() * (-log_scale).exp() + log_scale
    return _mean(likelihood.mean(1), seen)


def stretch_loss(outputs: Outputs, coordinates_u8: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """How much too long, wide or high all places of a picture are told together, mean share over pictures and axes.

    Pixels' errors cancel in a fit; what they have in common makes the car too wide.  The stretch is the least-squares slope of the told
    over the true places, of axes that the picture shows."""
    truth = ((coordinates_u8.float() / 255 - 0.5) * 2 * COORDINATE_REACH) * seen[:, None]
    extent = truth.square().sum((2, 3))  # (B, 3)
    slope = (truth * outputs.coordinates).sum((2, 3)) / extent.clamp_min(1e-6)
    return _mean((slope - 1).abs(), extent > SHOWN_EXTENT)


def total_loss(outputs: Outputs, batch: Batch) -> dict[str, torch.Tensor]:
    """All terms and their weighted "sum"."""
    always, wheels = torch.ones_like(batch.any_known), batch.wheels
    log_scale = outputs.wheel_log_scale[..., None]
    count_known = batch.count.clamp_min(-1).masked_fill(batch.count < 0, -100)
    terms = {
        "matte": matte_loss(outputs.matte_logit[:, 0], batch.alpha, always),
        "any_car": matte_loss(outputs.matte_logit[:, 1], batch.any_car, batch.any_known),
        "parts": part_loss(outputs.part_logit, batch.part),
        "coordinates": coordinate_loss(outputs, batch.coordinates, batch.seen),
        "stretch": stretch_loss(outputs, batch.coordinates, batch.seen),
        "azimuth": azimuth_loss(outputs.azimuth_logit, batch.azimuth_rad),
        "figures": laplace(outputs.figure_mean, outputs.figure_log_scale, batch.figures, FIGURE_WEIGHT),
        "body": functional.cross_entropy(
            outputs.body_logit, batch.body_index.masked_fill(batch.body_index < 0, -100), ignore_index=-100, label_smoothing=BODY_SMOOTHING
        ),
        "car": functional.binary_cross_entropy_with_logits(outputs.car_logit, batch.has_car),
        "count": functional.cross_entropy(outputs.count_logit, count_known, ignore_index=-100),
        "paint": _mean((outputs.paint - batch.paint.nan_to_num()).abs(), ~batch.paint.isnan()),
        "wheels": laplace(torch.cat([outputs.wheel_xy, outputs.wheel_half], -1), log_scale.expand(-1, -1, 4), wheels[..., :4]),
        "wheels_seen": _mean(
            functional.binary_cross_entropy_with_logits(outputs.wheel_logit, wheels[..., 4].nan_to_num(), reduction="none"),
            ~wheels[..., 4].isnan(),
        ),
    }
    terms = {name: torch.where(value.isnan(), torch.zeros_like(value), value) for name, value in terms.items()}  # of nothing known
    return terms | {"sum": torch.stack([WEIGHTS[name] * value for name, value in terms.items()]).sum()}


def _mean(values: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    return (values * known).sum() / known.sum().clamp_min(1)
