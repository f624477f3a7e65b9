"""A small mask brought to the picture's size, its outline drawn to the picture's edges."""

from __future__ import annotations

import cv2
import numpy as np

REFINE_SIDE_PX = 1024  # finer edges than this a matte of a quarter of the side cannot place
SMOOTHNESS = 1e-3  # variance of a channel 0..1 below which the guide counts as flat


def refine(image_srgb01: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 and a smaller boolean mask -> alpha01 (H, W) float32, soft over a pixel or two of the mask.

    Guided filter (He, Sun, Tang, ECCV 2010, eq. 5 and 6) with the picture as its guide, channel by channel.
    """
    height, width = image_srgb01.shape[:2]
    scale = min(1.0, REFINE_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    guide = image_srgb01 if scale == 1.0 else cv2.resize(image_srgb01, size, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    radius = max(2, round(1.5 * size[0] / mask.shape[1]))
    soft = np.mean([_guided(guide[..., channel], coarse, radius) for channel in range(3)], 0)
    alpha01 = np.clip((soft - 0.5) * 2.5 + 0.5, 0, 1).astype(np.float32)
    return alpha01 if scale == 1.0 else cv2.resize(alpha01, (width, height), interpolation=cv2.INTER_LINEAR)


def _guided(guide: np.ndarray, coarse: np.ndarray, radius: int) -> np.ndarray:
    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (2 * radius + 1, 2 * radius + 1))

    mean_guide, mean_coarse = mean(guide), mean(coarse)
    slope = (mean(guide * coarse) - mean_guide * mean_coarse) / (mean(guide * guide) - mean_guide**2 + SMOOTHNESS)
    return mean(slope) * guide + mean(mean_coarse - slope * mean_guide)
