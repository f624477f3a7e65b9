"""Cars that were never built: smooth, left-right symmetric changes of a model, wheels kept round."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .cars import NO_WHEEL, CarModel

SCALE_SIGMA = (0.05, 0.07, 0.09)  # of width, length and height: about the spread of the table of real dimensions
WARP_SHARE = 0.05  # of the length, by how much the middle moves fore or aft
GLASSHOUSE_SIGMA = 0.12  # of the part above the belt line, taller or lower
TAPER_SIGMA = 0.06  # narrower or wider roof


def widen(model: CarModel, random: np.random.Generator) -> CarModel:
    """Stretch, warp along the length, raise or lower the glasshouse, taper the roof; wheels move whole and stay round."""
    points = model.positions_m.reshape(-1, 3).astype(np.float64)
    length, height = float(np.ptp(points[:, 1])), float(points[:, 2].max())
    scale = np.exp(random.normal(0, SCALE_SIGMA))
    warp, glasshouse, taper = random.uniform(-WARP_SHARE, WARP_SHARE), random.normal(0, GLASSHOUSE_SIGMA), random.normal(0, TAPER_SIGMA)

    def moved(p: np.ndarray) -> np.ndarray:
        above = (p[:, 2:] / height - 0.55).clip(0)
        y = p[:, 1:2] + warp * length * np.cos(np.pi * p[:, 1:2] / length)
        z = p[:, 2:] + glasshouse * height * above
        return np.concatenate([p[:, :1] * (1 + taper * above / 0.45), y, z], 1) * scale

    result = moved(points)
    wheel = np.repeat(model.wheel_index, 3)
    for corner in range(NO_WHEEL):
        chosen = wheel == corner
        if chosen.any():
            centre = (points[chosen].min(0) + points[chosen].max(0)) / 2
            result[chosen] = moved(centre[None]) + (points[chosen] - centre) * [scale[0], scale[2], scale[2]]
    result[:, 2] -= result[:, 2].min()
    result[:, 1] -= (result[:, 1].max() + result[:, 1].min()) / 2
    return replace(model, positions_m=result.reshape(-1, 3, 3).astype(np.float32))
