"""A matte of the network's resolution, its outline drawn to the picture's edges."""

from __future__ import annotations

import cv2
import numpy as np

SMOOTHNESS = 1e-3  # variance of a channel 0..1 below which the guide counts as flat
BAND_CELLS = 1.5  # on both sides of the outline, in the network's pixels, where the picture has a say


def refine(image_srgb01: np.ndarray, share01: np.ndarray, cell_px: float) -> np.ndarray:
    """(H, W, 3) float32 and the network's share of car (H, W), whose pixels are cell_px of the picture -> alpha01 (H, W) float32.

    Guided filter (He, Sun, Tang, ECCV 2010, eq. 5 and 6) with the picture as its guide, channel by channel, near the outline only.
    """
    sharp = np.clip((share01 - 0.5) * 2.0 + 0.5, 0, 1).astype(np.float32)
    radius = max(1, round(cell_px))
    soft = np.mean([_guided(np.ascontiguousarray(image_srgb01[..., channel]), sharp, radius) for channel in range(3)], 0)
    edge = np.clip((soft - 0.5) * 2.5 + 0.5, 0, 1)
    mask = (share01 > 0.5).astype(np.uint8)
    reach = max(1.0, BAND_CELLS * cell_px)
    distance = np.maximum(cv2.distanceTransform(mask, cv2.DIST_L2, 5), cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5))
    near = np.clip(2 - distance / reach, 0, 1)
    return (sharp + (edge - sharp) * near).astype(np.float32)


def _guided(guide: np.ndarray, coarse: np.ndarray, radius: int) -> np.ndarray:
    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (2 * radius + 1, 2 * radius + 1))

    mean_guide, mean_coarse = mean(guide), mean(coarse)
    slope = (mean(guide * coarse) - mean_guide * mean_coarse) / (mean(guide * guide) - mean_guide**2 + SMOOTHNESS)
    return mean(slope) * guide + mean(mean_coarse - slope * mean_guide)
