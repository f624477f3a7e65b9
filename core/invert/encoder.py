"""Picture of a car and its view -> latent: what of each group can be told, and how far a style for every layer departs from w.

The encoder stays near W by its making: it names z (with its doubt, Kingma & Welling 2014) and the known factors, the generator's own
mapping makes w of them, and only small departures for every layer are added (e4e: Tov et al., "Designing an Encoder for StyleGAN Image
Manipulation", SIGGRAPH 2021, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from ..errors import check_shape
from ..generator.groups import FACTOR_COUNT, FACTOR_MEAN, FACTOR_SCALE, FREE_COUNT, WIDTH
from ..generator.layers import SLOPE, VIEW_FEATURES, Fall, convolution, view_features

LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -4.0, 2.0
DEPARTURE = 0.1  # of what the last layer says, so that departures begin small and learn slowly

HINTS = 4


@dataclass(frozen=True)
class EncoderSize:
    """Channels after the first convolution, which halves the picture, and after each block; of the cells handed on; of the vector."""

    channels: tuple[int, ...] = (24, 48, 96, 128, 192)
    cell: int = 128
    hidden: int = 256
    picture_px: int = 128
    content_layers: int = 8


@dataclass(frozen=True)
class Encoded:
    """free_mean, free_log_variance (B, Z); factors (B, F) in the units of groups.FACTORS; departures (B, content layers, WIDTH)."""

    free_mean: torch.Tensor
    free_log_variance: torch.Tensor
    factors: torch.Tensor
    departures: torch.Tensor


class Encoder(nn.Module):
    """Reads pictures as the generator makes them."""

    factor_mean: torch.Tensor
    factor_scale: torch.Tensor

    def __init__(self, size: EncoderSize = EncoderSize()) -> None:
        super().__init__()
        self.size, channels = size, size.channels
        self.stem = nn.Conv2d(4, channels[0], 5, 2, 2)
        nn.init.normal_(self.stem.weight, 0, 0.1)
        self.falls = nn.ModuleList(Fall(a, b) for a, b in zip(channels[:-1], channels[1:], strict=True))
        self.views = nn.ModuleList(nn.Linear(VIEW_FEATURES, c) for c in channels[:-1])
        self.cell = convolution(channels[-1], size.cell, 1, True)
        side = size.picture_px >> len(channels)
        self.vector = nn.Linear(size.cell * side**2 + VIEW_FEATURES + HINTS, size.hidden)
        self.told = nn.Linear(size.hidden, 2 * FREE_COUNT + FACTOR_COUNT)
        self.departures = nn.Linear(size.hidden, size.content_layers * WIDTH)
        nn.init.normal_(self.departures.weight, 0, 1e-3)
        nn.init.zeros_(self.departures.bias)
        self.register_buffer("factor_mean", torch.tensor(FACTOR_MEAN), persistent=False)
        self.register_buffer("factor_scale", torch.tensor(FACTOR_SCALE), persistent=False)

    def forward(self, picture: torch.Tensor, view: torch.Tensor) -> Encoded:
        """(B, 4, S, S) premultiplied RGB and alpha, -1..1 for 0..1, and (B, 3) in the order of groups.VIEW.  Raises ShapeError."""
        side = self.size.picture_px
        check_shape("picture", tuple(picture.shape), (len(view), 4, side, side))
        features = view_features(view)
        x = self.stem(picture.to(self.stem.weight.dtype).contiguous(memory_format=torch.channels_last))
        x = functional.leaky_relu(x, SLOPE)
        for fall, moved in zip(self.falls, self.views, strict=True):
            x = fall(x, moved(features))
        cells = functional.leaky_relu(self.cell(x), SLOPE).float()
        vector = functional.leaky_relu(self.vector(torch.cat([cells.flatten(1), features, mean_colour(picture)], 1)), SLOPE)
        mean, log_variance, factors = self.told(vector).split([FREE_COUNT, FREE_COUNT, FACTOR_COUNT], 1)
        return Encoded(
            mean,
            (log_variance - 2).clamp(LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE),
            self.factor_mean + factors * self.factor_scale,
            DEPARTURE * self.departures(vector).view(-1, self.size.content_layers, WIDTH),
        )


def mean_colour(picture: torch.Tensor) -> torch.Tensor:
    """(B, HINTS): mean RGB of the car and the share of the picture that it covers; paint is learned much sooner when both are handed on."""
    sums = (picture.float() * 0.5 + 0.5).mean((2, 3))
    share = sums[:, 3:]
    return torch.cat([sums[:, :3] / share.clamp(min=1e-3) * 4 - 1.5, share * 4], 1)
