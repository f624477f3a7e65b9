"""From a photograph to what the network sees: a box of the picture at the input's size, grey beyond the border, and back again."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .heads import INPUT_SIZE_PX

MARGIN = 1.18  # of the box of the second look over the car's
NEARLY = 0.05  # of a window's width


@dataclass(frozen=True)
class Window:
    """A piece of the photograph with the input's aspect: its left top corner and width, in pixels of the photograph."""

    left_px: float
    top_px: float
    width_px: float

    @property
    def height_px(self) -> float:
        return self.width_px * INPUT_SIZE_PX[1] / INPUT_SIZE_PX[0]

    @property
    def scale(self) -> float:
        """Pixels of the photograph in one of the input."""
        return self.width_px / INPUT_SIZE_PX[0]

    def is_nearly(self, other: Window) -> bool:
        """Whether this shows what the other does, but for NEARLY of its width: far less than what the network was trained to bear."""
        sides = (self.left_px - other.left_px, self.top_px - other.top_px, self.width_px - other.width_px)
        return max(map(abs, sides)) < NEARLY * other.width_px


def whole_window(size_px: tuple[int, int]) -> Window:
    """The smallest window that holds a photograph of (width, height)."""
    width = max(size_px[0], size_px[1] * INPUT_SIZE_PX[0] / INPUT_SIZE_PX[1])
    return _centred((size_px[0] / 2, size_px[1] / 2), width)


def window_round(box_px: tuple[float, float, float, float], margin: float = MARGIN) -> Window:
    """A window round a box (left, top, right, bottom)."""
    width = margin * max(box_px[2] - box_px[0], (box_px[3] - box_px[1]) * INPUT_SIZE_PX[0] / INPUT_SIZE_PX[1], 8.0)
    return _centred(((box_px[0] + box_px[2]) / 2, (box_px[1] + box_px[3]) / 2), width)


def _centred(middle_px: tuple[float, float], width_px: float) -> Window:
    height = width_px * INPUT_SIZE_PX[1] / INPUT_SIZE_PX[0]
    return Window(middle_px[0] - width_px / 2, middle_px[1] - height / 2, width_px)


def cut_window(image_srgb01: np.ndarray, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) float -> the window as (160, 224, 3) uint8 and which of its pixels lie in the photograph, uint8 0 or 255."""
    scale = window.scale
    smooth = cv2.GaussianBlur(image_srgb01, (0, 0), 0.4 * scale) if scale > 1.3 else image_srgb01
    place = _to_window(window)
    image = cv2.warpAffine(
        np.ascontiguousarray(smooth, np.float32), place, INPUT_SIZE_PX, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    valid = cv2.warpAffine(np.full(image_srgb01.shape[:2], 255, np.uint8), place, INPUT_SIZE_PX, flags=cv2.INTER_NEAREST)
    return np.where(valid[..., None] > 127, (image * 255 + 0.5).clip(0, 255), 0).astype(np.uint8), valid


def put_back(layer: np.ndarray, window: Window, size_px: tuple[int, int], outside: float = 0.0) -> np.ndarray:
    """A layer (h, w[, C]) float32 that covers the window -> (H, W[, C]) of a photograph of (width, height)."""
    scale = layer.shape[1] / window.width_px
    place = np.array([[scale, 0, (0.5 - window.left_px) * scale - 0.5], [0, scale, (0.5 - window.top_px) * scale - 0.5]])
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP if scale < 1 else cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(layer, place, size_px, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=(outside,) * 4)


def _to_window(window: Window) -> np.ndarray:
    scale = 1 / window.scale
    return np.array([[scale, 0, (0.5 - window.left_px) * scale - 0.5], [0, scale, (0.5 - window.top_px) * scale - 0.5]])


def input_of(image_u8: np.ndarray, valid_u8: np.ndarray) -> np.ndarray:
    """(160, 224, 3) uint8 and (160, 224) uint8 -> (4, 160, 224) float32: colour about -1..1 and 0 beyond the border, and where
    there is picture.

    Brightness is evened out a little, so that dark and bright photographs look alike.
    """
    valid = (valid_u8 > 127).astype(np.float32)
    inside = image_u8[valid_u8 > 127]
    mean, spread = (float(inside.mean()), float(inside.std())) if len(inside) else (127.0, 64.0)
    level = (image_u8.astype(np.float32) - mean) / max(1.8 * spread, 24.0)
    return np.concatenate([(level * valid[..., None]).transpose(2, 0, 1), valid[None]]).astype(np.float32)
