"""The layers of StyleGAN2 (Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", CVPR 2020), in plain torch.

Convolutions are nn.Conv2d, so that core.training.mixed_precision can run them in bfloat16; all else keeps float32 weights.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

SLOPE = 0.2
RELU_GAIN = math.sqrt(2 / (1 + SLOPE**2))
FIRST_OUTPUT = 0.1
DEMODULATION_EPSILON = 1e-8


def convolution(inputs: int, outputs: int, kernel: int, bias: bool = False) -> nn.Conv2d:
    """Same-size convolution that keeps the variance of what comes through a leaky ReLU (He et al. 2015, equation 14)."""
    layer = nn.Conv2d(inputs, outputs, kernel, 1, kernel // 2, bias=bias)
    nn.init.normal_(layer.weight, 0, RELU_GAIN / math.sqrt(inputs * kernel**2))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class Modulated(nn.Module):
    """Convolution modulated by a style and, if asked, demodulated: StyleGAN2, section 2.2, equations 1 and 3.

    Scaling the input's channels by s and the output's by 1 / sigma' is the same as scaling each sample's weights, but one convolution
    serves the whole batch.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, style: int, demodulate: bool = True) -> None:
        super().__init__()
        self.convolution = convolution(inputs, outputs, kernel)
        self.affine = nn.Linear(style, inputs)
        nn.init.normal_(self.affine.weight, 0, 1 / math.sqrt(style))
        nn.init.ones_(self.affine.bias)
        self.demodulate = demodulate

    def forward(self, x: torch.Tensor, style: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """x (B, C, H, W), style (B, S) -> the modulated convolution before demodulation, and the factors (B, C') that demodulate it."""
        scale = self.affine(style)
        convolved = self.convolution(x * scale.to(x.dtype)[:, :, None, None])
        return convolved, self.demodulation(scale) if self.demodulate else None

    def demodulation(self, scale: torch.Tensor) -> torch.Tensor:
        """(B, C) scales of the inputs -> (B, C') 1 / sigma' of equation 3."""
        energy = self.convolution.weight.to(scale.dtype).square().sum((2, 3))
        return (scale.square() @ energy.T + DEMODULATION_EPSILON).rsqrt()


class StyledLayer(nn.Module):
    """Modulated convolution, then noise, bias and leaky ReLU; `rise` doubles the picture after the convolution, which is cheap there."""

    def __init__(self, inputs: int, outputs: int, style: int, rise: bool = False) -> None:
        super().__init__()
        self.modulated = Modulated(inputs, outputs, 3, style)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.rise = rise

    def forward(self, x: torch.Tensor, style: torch.Tensor, noise: torch.Generator | None = None) -> torch.Tensor:
        """(B, C, H, W) -> (B, C', H or 2 H, W or 2 W); without a generator there is no noise."""
        y, factor = self.modulated(x, style)
        assert factor is not None
        gained = (RELU_GAIN * factor).to(y.dtype)  # before the ReLU instead of behind it: no pass over the picture of its own
        y = torch.addcmul(self.bias.to(y.dtype)[:, None, None], y, gained[:, :, None, None])
        if self.rise:
            y = doubled(y)
        if noise is not None:
            drawn = torch.randn((len(y), 1, *y.shape[2:]), generator=noise, device=noise.device)
            y = y + (drawn.to(y.device) * self.noise_strength).to(y.dtype)
        return functional.leaky_relu(y, SLOPE, inplace=True)


class ToPicture(nn.Module):
    """Style to four channels, without demodulation."""

    def __init__(self, inputs: int, style: int) -> None:
        super().__init__()
        self.modulated = Modulated(inputs, 4, 1, style, demodulate=False)
        with torch.no_grad():
            self.modulated.convolution.weight *= FIRST_OUTPUT  # a finer output that joins later must not spoil the coarser ones
        self.bias = nn.Parameter(torch.zeros(4))

    def forward(self, x: torch.Tensor, style: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> (B, 4, H, W) float32."""
        y, _ = self.modulated(x, style)
        return y.float() + self.bias[:, None, None]


class Fall(nn.Module):
    """Half the side: two convolutions and a shortcut, as in StyleGAN2's residual discriminator (figure 7c).

    The second convolution comes behind the pooling, where it costs a quarter.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = convolution(inputs, inputs, 3, True), convolution(inputs, outputs, 3, True)
        self.shortcut = convolution(inputs, outputs, 1)
        with torch.no_grad():
            self.shortcut.weight /= RELU_GAIN  # nothing but a sum follows

    def forward(self, x: torch.Tensor, moved: torch.Tensor | None = None) -> torch.Tensor:
        """(B, C, H, W) -> (B, C', H / 2, W / 2); `moved` (B, C) is added behind the first convolution."""
        y = self.first(x)
        if moved is not None:
            y = y + moved.to(y.dtype)[:, :, None, None]
        y = functional.avg_pool2d(functional.leaky_relu(y, SLOPE, inplace=True), 2)
        y = functional.leaky_relu(self.second(y), SLOPE, inplace=True)
        return (self.shortcut(functional.avg_pool2d(x, 2)) + y) * math.sqrt(0.5)


def doubled(x: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W) -> (B, C, 2 H, 2 W), bilinear."""
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def view_features(view: torch.Tensor) -> torch.Tensor:
    """(B, 3) azimuth, elevation, log distance -> (B, VIEW_FEATURES): Fourier features that close round the car, then smooth ones."""
    azimuth, elevation, distance = view.unbind(1)
    turns = [wave(k * azimuth) for k in range(1, TURNS + 1) for wave in (torch.sin, torch.cos)]
    rises = [wave(k * elevation) for k in (2, 4, 8) for wave in (torch.sin, torch.cos)]
    return torch.stack([*turns, *rises, (distance - DISTANCE_MEAN) / DISTANCE_SCALE, (elevation - 0.2) / 0.2], 1)


TURNS = 6
DISTANCE_MEAN, DISTANCE_SCALE = 0.8, 0.45  # natural log of car lengths, as photographs have them
VIEW_FEATURES = 2 * TURNS + 8
