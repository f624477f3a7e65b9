"""Surface, view and latent -> picture of a car with its matte: a StyleGAN2 generator (see layers.py) with a skip output of RGB and alpha.

It starts from what the pixels show of the car's shape (surface.py) in place of a learned constant, which joins again at every finer size.
Layers are counted from the coarsest.  The first VIEW_LAYERS know the view alone, all others the content alone, as GANverse3D found it in a
trained StyleGAN (Zhang et al., ICLR 2021, section 3.1); here it holds by construction.
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
from .surface import SURFACE_FEATURES, surface_features

VIEW_LAYERS = 4
COARSEST_PX = 16
EMPTY = -1.0  # black and clear, as most of every picture is


@dataclass(frozen=True)
class GeneratorSize:
    """Channels at 16, 32 ... pixels; numbers of the view's style; hidden numbers of a group's mapping."""

    channels: tuple[int, ...] = (128, 96, 64, 32)
    view: int = 64
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

    def __init__(self, size: GeneratorSize = GeneratorSize()) -> None:
        super().__init__()
        self.size, channels = size, size.channels
        self.mappings = nn.ModuleDict({g.name: GroupMapping(g.free + len(g.factors), size.hidden, g.width) for g in GROUPS})
        self.view_style = nn.Sequential(nn.Linear(VIEW_FEATURES, size.view), nn.LeakyReLU(SLOPE), nn.Linear(size.view, size.view))
        self.surfaces = nn.ModuleDict({str(COARSEST_PX << k): convolution(SURFACE_FEATURES, c, 1) for k, c in enumerate(channels)})
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
        self,
        surface: torch.Tensor,
        view: torch.Tensor,
        w: torch.Tensor,
        size_px: int | None = None,
        noise: torch.Generator | None = None,
    ) -> torch.Tensor:
        """Picture of a car.

        Args:
            surface: (B, LAYERS, P, P) uint8 as surface.surface_maps() makes them, P the finest picture's side.
            view: (B, 3) float32 in the order of groups.VIEW.
            w: (B, WIDTH), or w+ (B, content layers, WIDTH) with a style for every content layer.
            size_px: side of a coarser picture, at least 16; None for the finest.
            noise: where noise comes from; without it the picture is the same each time.
        Returns:
            (B, 4, S, S) float32, RGB premultiplied by alpha, and alpha; -1..1 stands for 0..1, not clipped; empty where no car is.
        Raises:
            ShapeError.
        """
        check_shape("view", tuple(view.shape), (len(surface), 3))
        styles = w[:, None].expand(-1, self.size.content_layers, -1) if w.dim() == 2 else w
        check_shape("w", tuple(styles.shape), (len(view), self.size.content_layers, WIDTH))
        size_px = self.size.picture_px if size_px is None else size_px
        if str(size_px) not in self.outputs:
            raise ValueError(f"there is no output of {size_px} pixels, only of {', '.join(self.outputs)}")
        view_style = self.view_style(view_features(view))
        told = self._told(surface, view, size_px)
        x = told[COARSEST_PX]
        picture: torch.Tensor | None = None
        for number, layer in enumerate(self.layers):
            content = number >= VIEW_LAYERS
            style = styles[:, number - VIEW_LAYERS] if content else view_style
            x = layer(x, style, noise if content else None)
            side = x.shape[-1]
            if layer.rise:
                x = x + told[side]
            elif content and number % 2 == 1:  # the second of each resolution's two
                drawn = self.outputs[str(side)](x, style)
                picture = drawn if picture is None else doubled(picture) + drawn
                if side == size_px:
                    break
        assert picture is not None
        return (picture + 1) * self._covered(surface, size_px) - 1

    @staticmethod
    def _covered(surface: torch.Tensor, size_px: int) -> torch.Tensor:
        """(B, 1, S, S) 1 where a pixel shows anything of the car, which is known and need not be learned."""
        cover = (surface[:, :1] > 0).float()
        return functional.max_pool2d(cover, surface.shape[-1] // size_px)

    def _told(self, surface: torch.Tensor, view: torch.Tensor, finest_px: int) -> dict[int, torch.Tensor]:
        """By side, from 16 to finest_px pixels: (B, C, side, side), what the surface alone says at that size."""
        features = surface_features(surface, view, finest_px)
        dtype = self.layers[0].modulated.convolution.weight.dtype  # type: ignore[union-attr]
        told = {}
        for side in (finest_px >> k for k in range(len(self.surfaces)) if finest_px >> k >= COARSEST_PX):
            if side < finest_px:
                features = functional.avg_pool2d(features, 2)
            told[side] = self.surfaces[str(side)](features.to(dtype).contiguous(memory_format=torch.channels_last))  # type: ignore[arg-type]
        return told
