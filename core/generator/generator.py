"""Latent and view -> picture of a car with its matte: a StyleGAN2 generator (see layers.py) with a skip output of RGB and alpha.

It starts from features of the pixels' rays (rays.py) in place of a learned constant, which join again at finer layers.  Layers are counted
from the coarsest.  The first VIEW_LAYERS know the view alone, all others the content alone, as GANverse3D found it in a trained StyleGAN
(Zhang et al., ICLR 2021, section 3.1); here it holds by construction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from ..errors import check_shape
from .groups import FACTOR_MEAN, FACTOR_SCALE, FACTOR_SLICE, FREE_SLICE, GROUPS, WIDTH
from .layers import SLOPE, VIEW_FEATURES, StyledLayer, ToPicture, convolution, doubled, view_features
from .rays import WHITE_FEATURES, ray_features, whitening

VIEW_LAYERS = 4
COARSEST_PX = 16
FINEST_RAYS_PX = 64  # finer ones cost more than they tell
EMPTY = -1.0  # black and clear, as most of every picture is


@dataclass(frozen=True)
class GeneratorSize:
    """Channels at 16, 32 ... pixels; numbers of the view's style; hidden numbers of a group's mapping."""

    channels: tuple[int, ...] = (224, 160, 96, 32)
    view: int = 96
    hidden: int = 128

    @property
    def picture_px(self) -> int:
        """Side of the finest picture."""
        return COARSEST_PX << (len(self.channels) - 1)

    @property
    def content_layers(self) -> int:
        """Layers whose style is content."""
        return 2 * len(self.channels)


class GroupMapping(nn.Module):
    """One group's z and known factors -> its share of w."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(inputs, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, z and factors) -> (B, width)."""
        inner = functional.leaky_relu(self.first(x), SLOPE)
        return self.last(functional.leaky_relu(self.second(inner), SLOPE) * math.sqrt(2))


class Generator(nn.Module):
    """map() makes w, forward() the picture."""

    factor_mean: torch.Tensor
    factor_scale: torch.Tensor
    ray_mean: torch.Tensor
    ray_mixing: torch.Tensor

    def __init__(self, size: GeneratorSize = GeneratorSize()) -> None:
        super().__init__()
        self.size, channels = size, size.channels
        self.mappings = nn.ModuleDict({g.name: GroupMapping(g.free + len(g.factors), size.hidden, g.width) for g in GROUPS})
        self.view_style = nn.Sequential(nn.Linear(VIEW_FEATURES, size.view), nn.LeakyReLU(SLOPE), nn.Linear(size.view, size.view))
        self.rays = nn.ModuleDict(
            {str(COARSEST_PX << k): convolution(WHITE_FEATURES, c, 1) for k, c in enumerate(channels) if COARSEST_PX << k <= FINEST_RAYS_PX}
        )
        for name, tensor in zip(("ray_mean", "ray_mixing"), whitening(), strict=True):
            self.register_buffer(name, tensor.clone())
        pairs = [(channels[0], channels[0], False)] * (VIEW_LAYERS + 2)
        for coarse, fine in zip(channels[:-1], channels[1:], strict=True):
            pairs += [(coarse, fine, True), (fine, fine, False)]
        widths = [size.view] * VIEW_LAYERS + [WIDTH] * size.content_layers
        self.layers = nn.ModuleList(StyledLayer(a, b, width, rise) for (a, b, rise), width in zip(pairs, widths, strict=True))
        self.outputs = nn.ModuleDict({str(COARSEST_PX << k): ToPicture(c, WIDTH) for k, c in enumerate(channels)})
        nn.init.constant_(self.outputs[str(COARSEST_PX)].bias, EMPTY)  # type: ignore[arg-type]
        self.register_buffer("factor_mean", torch.tensor(FACTOR_MEAN), persistent=False)
        self.register_buffer("factor_scale", torch.tensor(FACTOR_SCALE), persistent=False)

    def map(self, free: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
        """z (B, Z), standard normal, and factors (B, F) in the order and units of groups.FACTORS, none missing -> w (B, WIDTH)."""
        known = (factors - self.factor_mean) / self.factor_scale
        parts = [torch.cat([free[:, FREE_SLICE[g.name]], known[:, FACTOR_SLICE[g.name]]], 1) for g in GROUPS]
        return torch.cat([self.mappings[g.name](part) for g, part in zip(GROUPS, parts, strict=True)], 1)

    def forward(
        self, view: torch.Tensor, w: torch.Tensor, size_px: int | None = None, noise: torch.Generator | None = None
    ) -> torch.Tensor:
        """Picture of a car.

        Args:
            view: (B, 3) float32 in the order of groups.VIEW.
            w: (B, WIDTH), or w+ (B, content layers, WIDTH) with a style for every content layer.
            size_px: side of a coarser picture, at least 16; None for the finest.
            noise: where noise comes from; without it the picture is the same each time.
        Returns:
            (B, 4, S, S) float32, RGB premultiplied by alpha, and alpha; -1..1 stands for 0..1, not clipped.
        Raises:
            ShapeError.
        """
        check_shape("view", tuple(view.shape), (len(view), 3))
        styles = w[:, None].expand(-1, self.size.content_layers, -1) if w.dim() == 2 else w
        check_shape("w", tuple(styles.shape), (len(view), self.size.content_layers, WIDTH))
        size_px = self.size.picture_px if size_px is None else size_px
        if str(size_px) not in self.outputs:
            raise ValueError(f"there is no output of {size_px} pixels, only of {', '.join(self.outputs)}")
        view_style = self.view_style(view_features(view))
        x = self._looked(view, COARSEST_PX)
        picture: torch.Tensor | None = None
        for number, layer in enumerate(self.layers):
            content = number >= VIEW_LAYERS
            style = styles[:, number - VIEW_LAYERS] if content else view_style
            x = layer(x, style, noise if content else None)
            side = x.shape[-1]
            if layer.rise and str(side) in self.rays:
                x = x + self._looked(view, side)
            elif content and number % 2 == 1:  # the second of each resolution's two
                told = self.outputs[str(side)](x, style)
                picture = told if picture is None else doubled(picture) + told
                if side == size_px:
                    break
        assert picture is not None
        return picture

    def _looked(self, view: torch.Tensor, side_px: int) -> torch.Tensor:
        """(B, C, side, side): what the rays alone say at a resolution."""
        plain = ray_features(view, side_px) - self.ray_mean[:, None, None]
        white = torch.einsum("bchw,ck->bkhw", plain, self.ray_mixing)
        return self.rays[str(side_px)](white.to(self._dtype).contiguous(memory_format=torch.channels_last))

    @property
    def _dtype(self) -> torch.dtype:
        return self.layers[0].modulated.convolution.weight.dtype  # type: ignore[union-attr, return-value]
