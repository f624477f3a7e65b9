"""numpy pictures -> packed Blender images."""

from __future__ import annotations

import bpy
import numpy as np


def packed_image(name: str, picture_srgb01: np.ndarray) -> bpy.types.Image:
    """(H, W, 3) display values 0..1, row 0 on top -> an 8-bit sRGB image that lives inside the .blend."""
    height, width = picture_srgb01.shape[:2]
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = picture_srgb01[::-1]  # Blender's rows run from the bottom
    image = bpy.data.images.new(name, width, height, alpha=False)
    image.pixels.foreach_set(pixels.ravel())
    image.pack()
    return image
