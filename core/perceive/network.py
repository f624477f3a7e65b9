"""The viewpoint network: a small residual network on a 96 px square, one vector out, read by named slices."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from ..errors import check_shape
from .crop import INPUT_PX

AZIMUTH_BINS = 72
BODY_TYPES = ("sedan", "hatchback", "wagon", "suv", "van", "pickup", "coupe", "citycar")
FIGURES = ("elevation_rad", "log_distance_lengths", "log_width", "log_height", "log_wheelbase")
FIGURE_MEAN = (0.19, 0.85, -0.95, -1.12, -0.54)  # of the training views; only centres and scales the outputs
FIGURE_SCALE = (0.15, 0.45, 0.12, 0.18, 0.07)
LOG_SIGMA_RANGE = (-4.0, 2.0)  # keeps the likelihood finite


@dataclass(frozen=True)
class NetworkSize:
    """Channels of the stem and of each stage, and the width of the shared layer."""

    channels: tuple[int, ...] = (32, 64, 96, 144, 192)
    hidden: int = 128


@dataclass(frozen=True)
class Outputs:
    """azimuth_logit (B, 72); figure_mean and figure_log_sigma (B, 5) in the order and units of FIGURES (natural, not scaled);
    body_logit (B, 8)."""

    azimuth_logit: torch.Tensor
    figure_mean: torch.Tensor
    figure_log_sigma: torch.Tensor
    body_logit: torch.Tensor


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm and a strided shortcut (He et al. 2016, figure 2)."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.convolution1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.convolution2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> (B, C', H / stride, W / stride)."""
        inner = functional.relu(self.norm1(self.convolution1(x)))
        return functional.relu(self.shortcut(x) + self.norm2(self.convolution2(inner)))


class ViewpointNetwork(nn.Module):
    """Reads (B, 4, 96, 96) from crop.network_input."""

    def __init__(self, size: NetworkSize = NetworkSize(), dropout: float = 0.0) -> None:
        super().__init__()
        channels = size.channels
        self.stem = nn.Conv2d(4, channels[0], 5, 2, 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(channels[0])
        self.stages = nn.ModuleList(ResidualBlock(a, b, 2) for a, b in zip(channels[:-1], channels[1:], strict=True))
        cells = (INPUT_PX // 2 ** len(channels)) ** 2
        self.dropout = nn.Dropout(dropout)
        self.shared = nn.Linear(channels[-1] * cells, size.hidden)
        self.head = nn.Linear(size.hidden, AZIMUTH_BINS + 2 * len(FIGURES) + len(BODY_TYPES))

    def forward(self, x: torch.Tensor) -> Outputs:
        """Outputs are float32 whatever the convolutions' type."""
        check_shape("network input", tuple(x.shape), (None, 4, INPUT_PX, INPUT_PX))
        x = functional.relu(self.stem_norm(self.stem(x.to(self.stem.weight.dtype))))
        for stage in self.stages:
            x = stage(x)
        vector = self.head(functional.relu(self.shared(self.dropout(x.float().flatten(1)))))
        azimuth, mean, log_sigma, body = vector.split([AZIMUTH_BINS, len(FIGURES), len(FIGURES), len(BODY_TYPES)], 1)
        scale = vector.new_tensor(FIGURE_SCALE)
        natural = vector.new_tensor(FIGURE_MEAN) + mean * scale
        return Outputs(azimuth, natural, log_sigma.clamp(*LOG_SIGMA_RANGE) + scale.log(), body)
