"""Cars in the whole picture: the network's first look, and the boxes of what it takes for cars."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from ..perceive.look import put_back, whole_window
from ..perceive.perceive import see

LEAST_SHARE = 0.004  # of the picture's cells; smaller islands are no car that could be measured
SIZE_PX = 448  # the long side at which islands are told apart


def cars_in(image_srgb01: np.ndarray, device: torch.device | str = "cpu") -> tuple[list[tuple[float, float, float, float]], float]:
    """Boxes (left, top, right, bottom in pixels) of the cars in a picture (H, W, 3), from the left, and how likely any car is there."""
    height, width = image_srgb01.shape[:2]
    window = whole_window((width, height))
    seen = see(image_srgb01, window, device).outputs
    main, every = (put_back(layer.sigmoid().numpy(), window, (width, height)) for layer in seen.matte_logit[0])
    boxes = _islands(main, every)
    return sorted(boxes, key=lambda box: box[0] + box[2]), float(seen.car_logit[0].sigmoid())


def _islands(main: np.ndarray, every: np.ndarray) -> list[tuple[float, float, float, float]]:
    """The largest island of what is meant, and the islands of cars that are left without it; of two alike cars both may be meant."""
    scale = SIZE_PX / max(main.shape)
    size = (max(8, round(main.shape[1] * scale)), max(8, round(main.shape[0] * scale)))
    main, every = (cv2.resize(layer, size, interpolation=cv2.INTER_AREA) for layer in (main, every))
    count, island, figures, _ = cv2.connectedComponentsWithStats((main > 0.5).astype(np.uint8))
    meant = max(range(1, count), key=lambda k: figures[k, cv2.CC_STAT_AREA], default=0)
    others = ((main > 0.5) & (island != meant)).astype(np.uint8)
    around = np.ones((5, 5), np.uint8)
    halo = cv2.dilate(main * (cv2.dilate(others, around) == 0), around) >= 0.4  # of the island that is meant
    rest = cv2.morphologyEx(((every > 0.5) & (~halo | (others > 0))).astype(np.uint8), cv2.MORPH_OPEN, around)
    boxes = [figures[meant]] if meant else []
    count, _, figures, _ = cv2.connectedComponentsWithStats(rest)
    large = [box for box in (*boxes, *figures[1:count]) if box[cv2.CC_STAT_AREA] > LEAST_SHARE * main.size]
    return [
        (left / scale, top / scale, (left + wide) / scale, (top + high) / scale)
        for left, top, wide, high, _ in np.array(large, float).reshape(-1, 5)
    ]
