"""What a triangle of a car model is made of, and its colour at a texture coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

PAINT_WORDS = ("body_paint", "bodymat", "body", "hatchback", "hybrid")
NOT_PAINT_WORDS = ("glass", "alloy", "plastic", "chrome", "interior")
GLASS_ALPHA = 0.95  # more opaque blended surfaces are decals and lamps, drawn solid


@dataclass(frozen=True)
class Surface:
    """base (h, w, 4) float32 linear RGB + alpha, rough_metal (h, w, 2) float32; 1 x 1 where the model has no texture."""

    name: str
    base: np.ndarray
    rough_metal: np.ndarray
    is_glass: bool
    is_paint: bool


def linear_of_srgb(srgb01: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1 decoding, any shape."""
    return np.where(srgb01 <= 0.04045, srgb01 / 12.92, ((srgb01 + 0.055) / 1.055) ** 2.4)


def srgb_of_linear(linear: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1 encoding of values clipped to 0..1, any shape."""
    clipped = linear.clip(0, 1)
    return np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * clipped ** (1 / 2.4) - 0.055)


def surface_of(material: Any) -> Surface:
    """Read a glTF metallic-roughness material as trimesh holds it."""
    factor = np.ones(4) if material.baseColorFactor is None else np.asarray(material.baseColorFactor, float) / 255
    texture = material.baseColorTexture
    pixels = np.ones((1, 1, 4)) if texture is None else np.asarray(texture.convert("RGBA"), float) / 255
    base = np.concatenate([linear_of_srgb(pixels[..., :3]), pixels[..., 3:]], 2) * factor
    rough = 1.0 if material.roughnessFactor is None else material.roughnessFactor
    metal = 1.0 if material.metallicFactor is None else material.metallicFactor
    extra = material.metallicRoughnessTexture
    shares = np.ones((1, 1, 2)) if extra is None else np.asarray(extra.convert("RGB"), float)[..., 1:] / 255
    word = (material.name or "").lower()
    glass = material.alphaMode == "BLEND" and float(np.median(base[..., 3])) < GLASS_ALPHA and texture_is_plain_alpha(pixels)
    paint = any(w in word for w in PAINT_WORDS) and not any(w in word for w in NOT_PAINT_WORDS)
    return Surface(word, base.astype(np.float32), (shares * [rough, metal]).astype(np.float32), glass, paint)


def texture_is_plain_alpha(pixels01: np.ndarray) -> bool:
    """Whether the picture itself has no holes, so that the alpha comes from the material (glass, not a decal)."""
    return bool(pixels01[..., 3].min() > 0.99)


def sample(texture: np.ndarray, uv01: np.ndarray) -> np.ndarray:
    """Nearest texel of (h, w, c) at (n, 2) repeating coordinates, v down; (n, c)."""
    height, width = texture.shape[:2]
    column = np.floor(uv01[:, 0] * width).astype(int) % width
    row = np.floor(uv01[:, 1] * height).astype(int) % height
    return texture[row, column]
