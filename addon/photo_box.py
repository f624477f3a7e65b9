"""A box drawn over a picture as Blender shows it, as it is stored, in pixels of the upright picture, which is what the worker reads."""

from __future__ import annotations

import re
from pathlib import Path

# the EXIF entry with the camera's note on how to turn the picture: tag 0x0112, one short, its value; of either byte order
ORIENTATION = re.compile(rb"\x12\x01\x03\0\x01\0\0\0([\x01-\x08])\0|\x01\x12\0\x03\0\0\0\x01\0([\x01-\x08])")


def orientation_of(path: Path) -> int:
    """EXIF orientation 1..8 of a picture file; 1 where it tells none.  Raises OSError where the file cannot be read."""
    found = ORIENTATION.search(path.read_bytes())
    return (found[1] or found[2])[0] if found else 1


def upright_box(corners01: list[tuple[float, float]], stored_size_px: tuple[int, int], orientation: int) -> tuple[int, int, int, int]:
    """left, top, right, bottom in pixels of the upright picture, from two corners in the stored one (shares from the bottom left)."""
    width, height = stored_size_px if orientation < 5 else stored_size_px[::-1]
    across, down = zip(*(_upright(x, 1 - y, orientation) for x, y in corners01), strict=True)
    return round(min(across) * width), round(min(down) * height), round(max(across) * width), round(max(down) * height)


def _upright(x: float, y: float, orientation: int) -> tuple[float, float]:
    """A place from the top left, 0..1; the same three steps as core.photo.decode.upright."""
    x, y = (y, x) if orientation >= 5 else (x, y)
    return (1 - x if orientation in (2, 3, 6, 7) else x), (1 - y if orientation in (3, 4, 7, 8) else y)
