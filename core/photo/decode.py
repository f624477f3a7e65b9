"""File -> upright pixels, or one sentence that says what is wrong and what to do (without the file's name: the caller knows it)."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import Trouble, UserInputError

LEAST_SIDE_PX, MOST_SIDE_PX, MOST_PIXELS = 32, 20_000, 178_000_000
EXIF_ORIENTATION = 0x0112
SAVE_AGAIN = "save it again as JPEG or PNG"


def decode(path: Path, least_side_px: int = LEAST_SIDE_PX) -> np.ndarray:
    """Upright pixels (H, W, 3 or 4) RGB(A): uint8, uint16 (16 bit files) or float32 0..1.

    Four channels only where the file has transparency.  Raises UserInputError with one sentence.
    """
    if not path.exists():
        raise UserInputError("there is no such file, check the name.")
    if path.is_dir():
        raise UserInputError("this is a folder where a picture was expected, name a file in it.")
    try:
        if path.stat().st_size == 0:
            raise UserInputError("the file is empty, copy or export it again.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limits below say it better
            with Image.open(path) as image:
                return _decode_open(path, image, least_side_px)
    except UnidentifiedImageError:
        raise UserInputError(f"this is not a picture of a known kind, {SAVE_AGAIN}.") from None
    except Image.DecompressionBombError:
        raise UserInputError(_too_large(), Trouble.TOO_LARGE) from None
    except PermissionError:
        raise UserInputError("the file may not be read, change its permissions.") from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as problem:  # what Pillow's decoders raise on damaged files
        raise UserInputError(f"the picture is damaged or cut short ({_short(problem)}), {SAVE_AGAIN} or copy it again.") from problem


def _too_large(size_px: tuple[int, int] | None = None) -> str:
    found = f"{size_px[0]} x {size_px[1]} pixels are" if size_px else "the picture is"
    return f"{found} too large (at most {MOST_PIXELS // 1_000_000} megapixels and {MOST_SIDE_PX} pixels a side), reduce it to 2048 pixels."


def _short(problem: BaseException) -> str:
    return str(problem).strip().rstrip(".").split("\n")[0][:80] or type(problem).__name__


def _decode_open(path: Path, image: Image.Image, least_side_px: int) -> np.ndarray:
    width, height = image.size
    if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE_PX:
        raise UserInputError(_too_large(image.size), Trouble.TOO_LARGE)
    if min(width, height) < least_side_px:
        raise UserInputError(
            f"{width} x {height} pixels are too few to see a car, use a picture of at least {least_side_px} pixels a side."
        )
    pixels = _pixels(path, image)  # first, for asking a PNG for its EXIF block decodes it and forgets its bit depth
    return upright(pixels, _orientation(image))


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1..8; 1 where there is none or the block is damaged, as every viewer does."""
    try:
        value = image.getexif().get(EXIF_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, KeyError, struct.error):
        return 1
    return value if value in range(1, 9) else 1


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """(H, W, C) as stored -> as meant to be seen (EXIF 2.32, 4.6.4 A: the sides that row 0 and column 0 stand for)."""
    if orientation >= 5:  # 5..8 store columns as rows
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _pixels(path: Path, image: Image.Image) -> np.ndarray:
    """First frame as (H, W, 3 or 4), whatever the colour mode; transparency of any kind becomes a fourth channel."""
    sixteen = _is_sixteen_bit_colour(image)
    image.load()  # Pillow notices a truncated file here
    if sixteen:
        exact = _sixteen_bit_colour(path)
        if exact is not None:
            return exact
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep_grey(image)
    transparent = image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info
    return np.asarray(image.convert("RGBA" if transparent else "RGB"))


def _deep_grey(image: Image.Image) -> np.ndarray:
    values = np.asarray(image)
    if image.mode == "F":
        grey = np.clip(np.nan_to_num(values), 0.0, 1.0).astype(np.float32)
    else:
        grey = np.clip(values, 0, 65535).astype(np.uint16)
        key = image.info.get("transparency")
        if isinstance(key, int):
            alpha = np.where(grey == key, 0, 65535).astype(np.uint16)
            return np.dstack([grey, grey, grey, alpha])
    return np.repeat(grey[..., None], 3, 2)


def _is_sixteen_bit_colour(image: Image.Image) -> bool:
    return image.mode in ("RGB", "RGBA") and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def _sixteen_bit_colour(path: Path) -> np.ndarray | None:
    """(H, W, 3 or 4) uint16 by OpenCV, since Pillow halves 16 bit colour to 8; None where OpenCV cannot read it either."""
    found = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16 or found.ndim != 3 or found.shape[2] not in (3, 4):
        return None
    return cv2.cvtColor(found, cv2.COLOR_BGR2RGB if found.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
