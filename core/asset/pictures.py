"""Pictures of an asset as 8-bit PNG files.  Pillow and OpenCV come in when the first one is touched: Blender's Python has neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .png import write_png


def save_picture(picture01: np.ndarray, path: Path) -> None:
    """Write (H, W) or (H, W, 3) display values 0..1 as an 8-bit PNG."""
    write_png(to_bytes(picture01), path)


def to_bytes(picture01: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) display values 0..1 -> uint8, rounded."""
    import cv2

    return cv2.convertScaleAbs(picture01, alpha=255)  # one pass on all processors, where numpy needs four on one


def load_picture(path: Path) -> np.ndarray:
    """(H, W) or (H, W, 3) float32 display values 0..1.  Raises: OSError where it is missing or no picture."""
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image, np.float32) / np.float32(255)
