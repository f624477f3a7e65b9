"""PNG files by Blender itself, since its Python has no Pillow."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np


def write_png(path: Path, picture_srgb01: np.ndarray) -> Path:
    """(H, W, 3) display values, row 0 on top; leaves no image in the open file."""
    height, width = picture_srgb01.shape[:2]
    pixels = np.ones((height, width, 4), np.float32)
    pixels[..., :3] = picture_srgb01[::-1]
    image = bpy.data.images.new("png", width, height, alpha=False)
    image.pixels.foreach_set(pixels.ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


def read_pixels(image: bpy.types.Image) -> np.ndarray:
    """(H, W, 3) display values, row 0 on top."""
    pixels = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(image.size[1], image.size[0], -1)[::-1, :, :3]
