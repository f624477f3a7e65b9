"""The network's matte: the car in a box of the picture, its outline drawn to the picture's edges."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from ..perceive.look import put_back, window_round
from ..perceive.perceive import Seen, see
from .refine import refine

Box = tuple[float, float, float, float]
LOOKS = 2  # the second, where it is another box, looks at that of what the first saw


def cut(image_srgb01: np.ndarray, box_px: Box, device: torch.device | str = "cpu") -> tuple[np.ndarray, float, Seen]:
    """(H, W, 3) float32 and about where the car is -> alpha01 (H, W) float32, a confidence 0..1, and the look that told them."""
    size = image_srgb01.shape[1], image_srgb01.shape[0]
    seen = None
    for _ in range(LOOKS):
        window = window_round(box_px)
        if seen is not None and seen.window.is_nearly(window):
            break
        seen = see(image_srgb01, window, device)
        share = put_back(seen.outputs.matte_logit[0, 0].numpy(), window, size, outside=-12.0)
        share = 1 / (1 + np.exp(-share.clip(-12, 12)))
        mask = one_piece(share > 0.5)
        if not mask.any():
            return np.zeros_like(share), 0.0, seen
        box_px = box_of(mask)
    assert seen is not None, "at least one look"
    near = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5))) > 0
    alpha01 = refine(image_srgb01, share * near, seen.window.scale)
    sure = float(np.abs(2 * share[near] - 1).mean())
    return alpha01, sure, seen


def one_piece(mask: np.ndarray) -> np.ndarray:
    """The largest island, without holes."""
    count, islands, figures, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count == 1:  # the background alone
        return mask
    largest = islands == 1 + int(np.argmax(figures[1:, cv2.CC_STAT_AREA]))
    around = np.pad(largest.astype(np.uint8), 1)
    cv2.floodFill(around, None, (0, 0), 2, flags=4)
    return np.asarray(around[1:-1, 1:-1] != 2)


def box_of(mask: np.ndarray) -> Box:
    """left, top, right, bottom."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
