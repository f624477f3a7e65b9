"""Picture, matte and view -> how real: a residual StyleGAN2 discriminator that takes pictures of several sizes.

The view enters by projection (Miyato & Koyama, "cGANs with Projection Discriminator", ICLR 2018, equation 3).  Its first blocks double as a
perceptual measure, as in GAN2Shape (Pan et al., ICLR 2021, section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from ..errors import check_shape
from .layers import SLOPE, VIEW_FEATURES, Fall, convolution, view_features

LAST_PX = 4
FEATURE_BLOCKS = 3
FIRST_JOIN = 0.5  # how far a finer block is heard at first: it may join others that have learned already


@dataclass(frozen=True)
class DiscriminatorSize:
    """Channels from the finest picture down to 4 pixels; numbers of the vector."""

    channels: tuple[int, ...] = (16, 32, 64, 128, 192, 192)
    hidden: int = 192

    @property
    def picture_px(self) -> int:
        """Side of the finest picture."""
        return LAST_PX << (len(self.channels) - 1)


class FirstBlocks(nn.Module):
    """What of a discriminator looks at details: it begins at the block that fits a picture's size."""

    def __init__(self, size: DiscriminatorSize = DiscriminatorSize()) -> None:
        super().__init__()
        self.size = size
        self.from_picture = nn.ModuleList(convolution(4, c, 1, True) for c in size.channels[:FEATURE_BLOCKS])
        self.falls = nn.ModuleList(Fall(a, b) for a, b in zip(size.channels[:FEATURE_BLOCKS], size.channels[1:], strict=False))
        self.joins = nn.Parameter(torch.full((FEATURE_BLOCKS - 1,), FIRST_JOIN))

    def forward(self, picture: torch.Tensor) -> list[torch.Tensor]:
        """(B, 4, S, S) as the generator makes it -> what each block says, fine to coarse; fewer for a coarser picture.

        A coarser copy of the picture joins before every block, so that blocks learned on coarse pictures stay at home with fine ones.

        Raises:
            ValueError: no block takes pictures of this side.
        """
        side = picture.shape[-1]
        sides = [self.size.picture_px >> k for k in range(FEATURE_BLOCKS)]
        if side not in sides:
            raise ValueError(f"the discriminator takes pictures of {sides} pixels, not {side}")
        told: list[torch.Tensor] = []
        x: torch.Tensor | None = None
        for k in range(sides.index(side), FEATURE_BLOCKS):
            seen = functional.leaky_relu(self.from_picture[k](picture.to(self._dtype)), SLOPE)
            x = self.falls[k](seen if x is None else seen + self.joins[k - 1].to(x.dtype) * x)
            told.append(x)
            picture = functional.avg_pool2d(picture, 2)
        return told

    @property
    def _dtype(self) -> torch.dtype:
        return self.from_picture[0].weight.dtype  # type: ignore[return-value]


class Discriminator(nn.Module):
    """forward() gives one number a picture, above zero for real."""

    def __init__(self, size: DiscriminatorSize = DiscriminatorSize()) -> None:
        super().__init__()
        self.size, channels = size, size.channels
        self.first = FirstBlocks(size)
        self.falls = nn.Sequential(*(Fall(a, b) for a, b in zip(channels[FEATURE_BLOCKS:-1], channels[FEATURE_BLOCKS + 1 :], strict=True)))
        self.last = convolution(channels[-1], channels[-1], 3, True)
        self.vector = nn.Linear(channels[-1] * LAST_PX**2, size.hidden)
        self.score = nn.Linear(size.hidden, 1)
        self.view = nn.Sequential(nn.Linear(VIEW_FEATURES, size.hidden), nn.LeakyReLU(SLOPE), nn.Linear(size.hidden, size.hidden))

    def forward(self, picture: torch.Tensor, view: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """(B, 4, S, S), (B, 3) -> (B,) float32 scores, and what the first blocks say.  Raises ShapeError, ValueError."""
        check_shape("picture", tuple(picture.shape), (len(view), 4, picture.shape[-1], picture.shape[-1]))
        told = self.first(picture)
        x = functional.leaky_relu(self.last(self.falls(told[-1])), SLOPE).float()
        vector = functional.leaky_relu(self.vector(x.flatten(1)), SLOPE)
        projected = (self.view(view_features(view)) * vector).mean(1)
        return self.score(vector)[:, 0] + projected, told
