"""The network that reads a photograph: a residual encoder, a decoder with skips for what lies at each pixel, a vector for the whole.

The encoder and decoder are a U-Net (Ronneberger et al. 2015) of residual blocks; canonical coordinates are those of Wang et al.,
"Normalized Object Coordinate Space" (CVPR 2019), with a scale for each pixel's error; wheels are read off heat maps by their mean (Sun et
al., "Integral Human Pose Regression", ECCV 2018).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ..errors import check_shape
from ..types import BODY_TYPES
from .heads import AZIMUTH_BINS, COORDINATE_REACH, FIGURE_MEAN, FIGURE_SCALE, FIGURES, INPUT_SIZE_PX, MOST_CARS, PART_CLASSES

LOG_SCALE_RANGE = (-6.0, 2.0)  # keeps likelihoods finite
WHEELS = 4
COARSEST = 32  # input pixels of a cell of the last stage
FINER = 16  # and of one from which the figures are read once more


@dataclass(frozen=True)
class NetworkSize:
    """Channels of the stem and of each stage; of the decoder's levels, coarse to fine; of the cells handed to the vector; its width;
    channels of the cells from which the figures are read once more, 0 for none."""

    channels: tuple[int, ...] = (32, 64, 128, 192, 256)
    decoder: tuple[int, ...] = (160, 128, 64, 32)
    cell: int = 96
    hidden: int = 320
    finer: int = 32


@dataclass(frozen=True)
class Outputs:
    """What the network says of B pictures of H x W; everything float32.

    matte_logit (B, 2, H, W): the car, any car.  part_logit (B, C, H/2, W/2) in the order of PART_CLASSES.  coordinates (B, 3, H/2, W/2):
    places in the car frame over the car's length; coordinate_log_scale (B, 1, H/2, W/2): Laplace scale of their error.
    azimuth_logit (B, 72); figure_mean, figure_log_scale (B, F) in the order and units of FIGURES; body_logit (B, 8); car_logit (B,);
    count_logit (B, 4); paint (B, 3) sRGB; wheel_xy (B, 4, 2) hubs and wheel_half (B, 4, 2) half boxes of the outer tyres in shares of the
    input's width from its top left; wheel_log_scale (B, 4); wheel_logit (B, 4): turned to the camera and inside.
    """

    matte_logit: torch.Tensor
    part_logit: torch.Tensor
    coordinates: torch.Tensor
    coordinate_log_scale: torch.Tensor
    azimuth_logit: torch.Tensor
    figure_mean: torch.Tensor
    figure_log_scale: torch.Tensor
    body_logit: torch.Tensor
    car_logit: torch.Tensor
    count_logit: torch.Tensor
    paint: torch.Tensor
    wheel_xy: torch.Tensor
    wheel_half: torch.Tensor
    wheel_log_scale: torch.Tensor
    wheel_logit: torch.Tensor


VECTOR = {
    "azimuth_logit": AZIMUTH_BINS, "figure_mean": len(FIGURES), "figure_log_scale": len(FIGURES), "body_logit": len(BODY_TYPES),
    "car_logit": 1, "count_logit": MOST_CARS + 1, "paint": 3, "wheel_half": 2 * WHEELS, "wheel_log_scale": WHEELS, "wheel_logit": WHEELS,
}  # fmt: skip
FINER_FIGURES = ("figure_mean", "figure_log_scale")  # of VECTOR, what is read once more


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with batch norm and a shortcut (He et al. 2016, figure 2)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution1: nn.Module = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1: nn.Module = nn.BatchNorm2d(outputs)
        self.convolution2: nn.Module = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2: nn.Module = nn.BatchNorm2d(outputs)
        plain = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if plain else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H, W) -> (B, C', H / stride, W / stride)."""
        inner = functional.relu(self.norm1(self.convolution1(x)))
        return functional.relu(self.shortcut(x) + self.norm2(self.convolution2(inner)))

    def fold(self) -> None:
        """See CarNetwork.folded()."""
        self.convolution1, self.norm1 = _folded(self.convolution1, self.norm1)
        self.convolution2, self.norm2 = _folded(self.convolution2, self.norm2)


class RisingBlock(ResidualBlock):
    """A residual block of a decoder: of the cells below, doubled, together with the encoder's, which are never put into one map.

    Convolutions are sums over their inputs' channels, and one of 1 x 1 may as well be doubled afterwards: a tenth quicker to train."""

    def __init__(self, below: int, skip: int, outputs: int) -> None:
        super().__init__(below + skip, outputs)
        self.inputs = (below, skip)

    def forward(self, below: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """(B, C, H / 2, W / 2) and (B, C', H, W) -> (B, C'', H, W)."""
        inner = functional.relu(self.norm1(torch.add(*self._each(self.convolution1, _doubled(below), skip))))
        low, same = self._each(self.shortcut, below, skip)
        return functional.relu(_doubled(low) + same + self.norm2(self.convolution2(inner)))

    def _each(self, convolution: nn.Module, below: torch.Tensor, skip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The shares of the two inputs in what a convolution gives; the bias, where there is one, in the second."""
        assert isinstance(convolution, nn.Conv2d)
        weights = convolution.weight.split(self.inputs, 1)
        low, same = (weight.contiguous(memory_format=torch.channels_last) for weight in weights)
        padding = convolution.kernel_size[0] // 2
        return functional.conv2d(below, low, padding=padding), functional.conv2d(skip, same, convolution.bias, padding=padding)


def _doubled(cells: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(cells, scale_factor=2.0, mode="nearest")


def _folded(convolution: nn.Module, norm: nn.Module) -> tuple[nn.Module, nn.Module]:
    assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d), "folded twice"
    folded = fuse_conv_bn_eval(convolution, norm)
    folded.weight.data = folded.weight.data.contiguous(memory_format=torch.channels_last)
    return folded, nn.Identity()


class FinerFigures(nn.Module):
    """Corrects the figures by what the decoder has found: proportions follow from where things lie, finer than the coarsest cells tell."""

    def __init__(self, inputs: int, size: NetworkSize) -> None:
        super().__init__()
        widths = (inputs, inputs, 2 * size.finer)
        self.falls = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1, bias=False) for a, b in zip(widths[:-1], widths[1:], strict=True))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[1:])
        self.cell = nn.Conv2d(widths[-1], size.finer, 1)
        cells = (INPUT_SIZE_PX[0] // FINER) * (INPUT_SIZE_PX[1] // FINER)
        self.shared, self.head = nn.Linear(size.finer * cells, 4 * size.finer), nn.Linear(4 * size.finer, 2 * len(FIGURES))
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)  # so that a training may begin with a network that had none of this

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, H / 4, W / 4) -> (B, 2 F) float32: what is to be added to FINER_FIGURES."""
        for fall, norm in zip(self.falls, self.norms, strict=True):
            x = functional.relu(norm(fall(x)))
        return self.head(functional.relu(self.shared(functional.relu(self.cell(x)).float().flatten(1))))


class CarNetwork(nn.Module):
    """Reads (B, 4, 160, 224): colour about -1..1, and 1 where there is picture, 0 beyond its border."""

    def __init__(self, size: NetworkSize = NetworkSize(), dropout: float = 0.0) -> None:
        super().__init__()
        self.size, channels = size, size.channels
        self.stem = nn.Conv2d(4, channels[0], 5, 2, 2, bias=False)
        self.stem_norm = nn.BatchNorm2d(channels[0])
        depths = (1, *(2,) * (len(channels) - 2))
        self.stages = nn.ModuleList(
            nn.Sequential(ResidualBlock(a, b, 2), *(ResidualBlock(b, b) for _ in range(depth - 1)))
            for a, b, depth in zip(channels[:-1], channels[1:], depths, strict=True)
        )
        skips, below = channels[-2::-1], (channels[-1], *size.decoder[:-1])
        self.rises = nn.ModuleList(RisingBlock(a, b, c) for a, b, c in zip(below, skips, size.decoder, strict=True))
        fine = size.decoder[-1]
        self.matte_head = nn.Conv2d(fine, 2 * 4, 3, 1, 1)  # the four pixels that a fine cell stands for
        self.dense_head = nn.Conv2d(fine, len(PART_CLASSES) + 4, 1)
        self.wheel_head = nn.Conv2d(size.decoder[-2], WHEELS, 1)
        self.cell = nn.Conv2d(channels[-1], size.cell, 1, bias=False)
        self.cell_norm = nn.BatchNorm2d(size.cell)
        self.dropout = nn.Dropout(dropout)
        cells = (INPUT_SIZE_PX[0] // COARSEST) * (INPUT_SIZE_PX[1] // COARSEST)
        self.shared = nn.Linear(size.cell * cells, size.hidden)
        self.head = nn.Linear(size.hidden, sum(VECTOR.values()))
        self.finer = FinerFigures(size.decoder[-2], size) if size.finer else None

    def forward(self, x: torch.Tensor) -> Outputs:
        """Outputs are float32 whatever the convolutions' type.  Raises ShapeError."""
        check_shape("network input", tuple(x.shape), (None, 4, INPUT_SIZE_PX[1], INPUT_SIZE_PX[0]))
        x = functional.relu(self.stem_norm(self.stem(x.to(self.stem.weight.dtype))))
        levels = [x]
        for stage in self.stages:
            levels.append(stage(levels[-1]))
        rising, quarter = levels[-1], levels[-1]
        for rise, skip in zip(self.rises, levels[-2::-1], strict=True):
            quarter = rising
            rising = rise(rising, skip)
        dense = self.dense_head(rising).float()
        matte = functional.pixel_shuffle(self.matte_head(rising).float(), 2)
        cells = functional.relu(self.cell_norm(self.cell(levels[-1]))).float()
        vector = self.head(functional.relu(self.shared(self.dropout(cells.flatten(1)))))
        named = dict(zip(VECTOR, vector.split(list(VECTOR.values()), 1), strict=True))
        if self.finer is not None:
            named |= {name: named[name] + more for name, more in zip(FINER_FIGURES, self.finer(quarter).chunk(2, 1), strict=True)}
        return self._outputs(matte, dense, self.wheel_head(quarter).float(), named)

    def folded(self) -> CarNetwork:
        """A copy for looking alone, an eighth quicker: batch norms become part of the convolutions before them."""
        copied = deepcopy(self).eval()
        copied.stem, copied.stem_norm = _folded(copied.stem, copied.stem_norm)  # type: ignore[assignment]
        copied.cell, copied.cell_norm = _folded(copied.cell, copied.cell_norm)  # type: ignore[assignment]
        for block in copied.modules():
            if isinstance(block, ResidualBlock):
                block.fold()
        return copied

    @staticmethod
    def _outputs(matte: torch.Tensor, dense: torch.Tensor, heat: torch.Tensor, named: dict[str, torch.Tensor]) -> Outputs:
        parts, coordinates, log_scale = dense.split([len(PART_CLASSES), 3, 1], 1)
        scale, batch = matte.new_tensor(FIGURE_SCALE), len(matte)
        return Outputs(
            matte_logit=matte,
            part_logit=parts,
            coordinates=coordinates * (COORDINATE_REACH / 2),
            coordinate_log_scale=(log_scale - 3).clamp(*LOG_SCALE_RANGE),
            azimuth_logit=named["azimuth_logit"],
            figure_mean=matte.new_tensor(FIGURE_MEAN) + named["figure_mean"] * scale,
            figure_log_scale=named["figure_log_scale"].clamp(*LOG_SCALE_RANGE) + scale.log(),
            body_logit=named["body_logit"],
            car_logit=named["car_logit"][:, 0],
            count_logit=named["count_logit"],
            paint=named["paint"] * 0.25 + 0.45,
            wheel_xy=heat_mean(heat),
            wheel_half=(named["wheel_half"] * 0.3 - 2.5).clamp(-6, 1).exp().view(batch, WHEELS, 2),
            wheel_log_scale=(named["wheel_log_scale"] - 4).clamp(*LOG_SCALE_RANGE),
            wheel_logit=named["wheel_logit"],
        )


def heat_mean(heat: torch.Tensor) -> torch.Tensor:
    """(B, K, h, w) logits -> (B, K, 2) mean places x, y in shares of the maps' width."""
    height, width = heat.shape[-2:]
    share = heat.flatten(2).softmax(2).view_as(heat)
    x = (torch.arange(width, device=heat.device) + 0.5) / width
    y = (torch.arange(height, device=heat.device) + 0.5) / width
    return torch.stack([(share.sum(2) * x).sum(2), (share.sum(3) * y).sum(2)], 2)
