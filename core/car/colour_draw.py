"""Believable colours for a drawn car: its paint, and the colour of each of its parts, from what real cars wear.

The figures are learned by core/training/texture_modes.py; this module needs numpy alone.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .parts import base_name, material_of
from .template import template
from .wheels import PARTS as WHEEL_PARTS

PREFIX, PICTURE_SIZE = "texture.", 128
PAINT_WIDTH, PAINT_LIGHTNESS_WIDTH = 0.03, 0.07  # of each kernel of the paints' mixture, in sRGB 0 to 1
PART_WIDTH, MODE_WIDTH = 0.02, 0.3  # of the kernels about each real car's parts (sRGB) and modes (standard deviations)

Tensors = dict[str, np.ndarray]
"""texture.texel (N, 2): row and column of a picture of PICTURE_SIZE in the template's UV (row = v, column = u), of the left half's parts
that are not painted; part_of_texel (N,); mean (N, 3) and modes (K, N, 3) linear RGB, a coefficient of 1 being one standard deviation;
coefficients (C, K) of the C cars; of the parts colour_parts(): part_colour (C, P, 3) linear RGB of what is not painted, painted (C, P) 0
or 1, part_mean and part_spread (P, 3) over the cars that tell; paint (D, 3) linear RGB of the D painted cars."""


@cache
def colour_parts() -> tuple[str, ...]:
    """Names, without sides, of the body's and wheels' parts in the order of the tensors."""
    return tuple(sorted({base_name(name) for name in template().part_names})) + WHEEL_PARTS


def draw_colours(generator: np.random.Generator, tensors: Tensors) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A paint (3,) and the colour (3,) of each of colour_parts(), linear RGB 0 to 1: those of one real car, each a little other.

    What that car had painted wears the paint.  Paint and car are drawn apart from each other.
    """
    paint = draw_paint(generator, tensors[PREFIX + "paint"])
    car = generator.integers(len(tensors[PREFIX + "part_colour"]))
    seen, painted = tensors[PREFIX + "part_colour"][car].astype(np.float64), tensors[PREFIX + "painted"][car] > 0.5
    lighter = PART_WIDTH * generator.standard_normal((len(seen), 1))
    drawn = _decoded((_encoded(seen) + lighter).clip(0, 1))
    wears_paint = painted & np.array([material_of(name) == "paint" for name in colour_parts()])
    return paint, {name: paint if wears_paint[k] else drawn[k] for k, name in enumerate(colour_parts())}


def draw_picture(generator: np.random.Generator, tensors: Tensors) -> np.ndarray:
    """(N, 3) linear RGB 0 to 1 of the picture's texels: the modes of one real car, each a little other."""
    coefficients, modes = (tensors[PREFIX + name].astype(np.float64) for name in ("coefficients", "modes"))
    shares = coefficients[generator.integers(len(coefficients))] + MODE_WIDTH * generator.standard_normal(len(modes))
    return (tensors[PREFIX + "mean"].astype(np.float64) + np.tensordot(shares, modes, 1)).clip(0, 1)


def draw_paint(generator: np.random.Generator, paints_linear: np.ndarray) -> np.ndarray:
    """One of the paints (D, 3), a little other in lightness and tint: a mixture of Gaussians in sRGB; linear RGB (3,)."""
    chosen = _encoded(paints_linear[generator.integers(len(paints_linear))].astype(np.float64))
    moved = chosen + PAINT_LIGHTNESS_WIDTH * generator.standard_normal() + PAINT_WIDTH * generator.standard_normal(3)
    return _decoded(moved.clip(0, 1))


def _encoded(linear: np.ndarray) -> np.ndarray:
    """Linear to sRGB 0 to 1, IEC 61966-2-1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def _decoded(srgb01: np.ndarray) -> np.ndarray:
    """sRGB 0 to 1 to linear, IEC 61966-2-1."""
    return np.where(srgb01 <= 0.04045, srgb01 / 12.92, ((srgb01 + 0.055) / 1.055) ** 2.4)
