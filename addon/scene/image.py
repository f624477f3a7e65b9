"""Pictures -> packed Blender images."""

from __future__ import annotations

from pathlib import Path

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


def packed_file(name: str, path: Path) -> bpy.types.Image:
    """The picture file inside the .blend, byte for byte; it is decoded when it is first drawn, and its path is forgotten.

    Raises: RuntimeError where the file cannot be read.
    """
    image = bpy.data.images.load(str(path), check_existing=False)
    image.pack()
    image.name = name
    _forget_path(image)
    return image


def with_other_pixels(image: bpy.types.Image, path: Path) -> bpy.types.Image:
    """Everything that used `image` uses an image with the same name, settings and properties, and the pixels of the file.

    A new data block, since an undo that only swaps the packed file of a block leaves the decoded pixels of the other file in it.
    Raises: RuntimeError where the file cannot be read.
    """
    content = path.read_bytes()
    name = image.name
    other = image.copy()
    other.source = "FILE"
    other.pack(data=content, data_len=len(content))
    other.buffers_free()
    _forget_path(other)
    image.user_remap(other)
    other.use_fake_user = image.use_fake_user
    bpy.data.images.remove(image)
    other.name = name
    return other


def _forget_path(image: bpy.types.Image) -> None:
    image.filepath_raw = ""  # raw: without reading the picture again
    for packed in image.packed_files:
        packed.filepath = ""
