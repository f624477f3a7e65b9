"""What the viewpoint network is asked for, one function a term."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from ..perceive.network import AZIMUTH_BINS, Outputs

AZIMUTH_SPREAD_RAD = math.radians(5)  # one bin: a sharper target would punish half-bin errors as flips
BODY_SMOOTHING = 0.1  # 30 cars are no population


def azimuth_target(azimuth_rad: torch.Tensor) -> torch.Tensor:
    """Von Mises weights of the bins, (B,) -> (B, 72), rows sum to one."""
    centres = torch.arange(AZIMUTH_BINS, dtype=torch.float32) * (2 * math.pi / AZIMUTH_BINS)
    return torch.softmax(torch.cos(centres - azimuth_rad[:, None]) / AZIMUTH_SPREAD_RAD**2, 1)


def azimuth_loss(outputs: Outputs, azimuth_rad: torch.Tensor) -> torch.Tensor:
    """Divergence of the predicted bins from the soft target, nats; 0 is perfect."""
    target = azimuth_target(azimuth_rad)
    return functional.kl_div(outputs.azimuth_logit.log_softmax(1), target, reduction="batchmean")


def figure_loss(outputs: Outputs, figures: torch.Tensor) -> torch.Tensor:
    """Laplace likelihood (Kendall and Gal 2017, eq. 5 with L1) of the figures (B, 5); nan marks what is unknown."""
    known = ~figures.isnan()
    error = (outputs.figure_mean - figures.nan_to_num()).abs()
    likelihood = error * (-outputs.figure_log_sigma).exp() + outputs.figure_log_sigma
    return (likelihood * known).sum() / known.sum().clamp(min=1)


def body_loss(outputs: Outputs, body_index: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the body type, smoothed."""
    return functional.cross_entropy(outputs.body_logit, body_index, label_smoothing=BODY_SMOOTHING)


def total_loss(outputs: Outputs, labels: torch.Tensor, body_index: torch.Tensor) -> dict[str, torch.Tensor]:
    """All terms and their weighted "sum"; labels (B, 6) in the order of dataset.views.LABELS."""
    terms = {
        "azimuth": azimuth_loss(outputs, labels[:, 0]),
        "figures": figure_loss(outputs, labels[:, 1:]),
        "body": body_loss(outputs, body_index),
    }
    return terms | {"sum": terms["azimuth"] + 0.3 * terms["figures"] + 0.15 * terms["body"]}
