"""The first word of the line: which files are photographs, and one file -> Photo."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ..errors import UserInputError
from ..types import Photo
from .decode import decode

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif")
LONG_SIDE_PX = 2048  # the working picture; a 2048 px texture cannot hold more than such a photograph shows


def find_photos(arguments: Sequence[str | Path]) -> list[Path]:
    """Files stay as they are (a missing one is read_photo's to refuse); a folder gives its pictures by name, not those of its folders.

    NAME_mask.png beside a picture NAME.* is its mask and no photograph.  A file reached twice comes once.
    Raises UserInputError for a folder without pictures.
    """
    found: dict[Path, Path] = {}
    for argument in map(Path, arguments):
        for path in _pictures_in(argument) if argument.is_dir() else [argument]:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _pictures_in(folder: Path) -> list[Path]:
    pictures = sorted(
        path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    )
    stems = {path.stem for path in pictures}
    pictures = [path for path in pictures if not (path.stem.endswith("_mask") and path.stem[: -len("_mask")] in stems)]
    if not pictures:
        raise UserInputError(f"this folder holds no picture, name one that holds {', '.join(SUFFIXES)} files.")
    return pictures


def read_photo(path: str | Path) -> Photo:
    """One picture file -> Photo, upright, at most LONG_SIDE_PX on its long side (larger ones are reduced by area averaging).

    16 bits a channel stay exact in float32.  An animation gives its first frame.
    Raises UserInputError with one sentence for whatever cannot be read: missing, empty, damaged, no picture, too small or too large.
    """
    pixels = decode(Path(path))
    height, width = pixels.shape[:2]
    pixels = reduce_to(pixels, working_size_px((width, height)))
    alpha = pixels[..., 3].copy() if pixels.shape[2] == 4 else None
    return Photo(str(path), np.ascontiguousarray(pixels[..., :3]), alpha, (width, height))


def working_size_px(size_px: tuple[int, int]) -> tuple[int, int]:
    """(width, height) after the reduction that read_photo makes."""
    scale = min(1.0, LONG_SIDE_PX / max(size_px))
    return max(1, round(size_px[0] * scale)), max(1, round(size_px[1] * scale))


def reduce_to(pixels: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """(H, W, C) uint8, uint16 or float -> (h, w, C) float32 0..1, averaged over areas; colours are weighted by a fourth channel."""
    full = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}.get(pixels.dtype, 1.0)
    if (pixels.shape[1], pixels.shape[0]) == size_px:
        return pixels.astype(np.float32) / np.float32(full)
    if pixels.shape[2] == 4:  # what lies under transparent pixels is arbitrary and must not bleed in
        pixels = pixels.astype(np.float32) / np.float32(full)
        pixels[..., :3] *= pixels[..., 3:]
        small = _area(pixels, size_px)
        small[..., :3] /= np.maximum(small[..., 3:], 1e-6)
        return np.clip(small, 0.0, 1.0)
    return _area(pixels, size_px).astype(np.float32) / np.float32(full)


def _area(pixels: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    small = cv2.resize(pixels, size_px, interpolation=cv2.INTER_AREA)
    return small[..., None] if small.ndim == 2 else small
