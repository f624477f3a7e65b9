"""Cars that were never built: smooth, left-right symmetric changes of a model, wheels kept round."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .cars import NO_WHEEL, CarModel

SCALE_SIGMA = (0.05, 0.07, 0.09)  # of width, length and height: about the spread of the table of real dimensions
WARP_SHARE = 0.05  # of the length, by how much the middle moves fore or aft
GLASSHOUSE_SIGMA = 0.12  # of the part above the belt line, taller or lower
TAPER_SIGMA = 0.06  # narrower or wider roof
BELT_SHARE = 0.55  # of the height, where the glasshouse begins


@dataclass(frozen=True)
class Widening:
    """One change of a car of length_m and height_m: scale (3,) of the axes, and how far it is warped, heightened and tapered."""

    scale: np.ndarray
    warp: float
    glasshouse: float
    taper: float
    length_m: float
    height_m: float

    @classmethod
    def draw(cls, points_m: np.ndarray, random: np.random.Generator) -> Widening:
        """One at random for a car whose points (N, 3) are all given."""
        scale = np.exp(random.normal(0, SCALE_SIGMA))
        warp, glasshouse, taper = random.uniform(-WARP_SHARE, WARP_SHARE), random.normal(0, GLASSHOUSE_SIGMA), random.normal(0, TAPER_SIGMA)
        return cls(scale, warp, glasshouse, taper, float(np.ptp(points_m[:, 1])), float(points_m[:, 2].max()))

    def moved(self, points_m: np.ndarray) -> np.ndarray:
        """(N, 3) -> (N, 3)."""
        p = points_m.astype(np.float64)
        above = (p[:, 2:] / self.height_m - BELT_SHARE).clip(0)
        y = p[:, 1:2] + self.warp * self.length_m * np.cos(np.pi * p[:, 1:2] / self.length_m)
        z = p[:, 2:] + self.glasshouse * self.height_m * above
        return np.concatenate([p[:, :1] * (1 + self.taper * above / (1 - BELT_SHARE)), y, z], 1) * self.scale

    def moved_wheel(self, points_m: np.ndarray, centre_m: np.ndarray) -> np.ndarray:
        """A wheel's points go whole with its centre (3,), and it stays round."""
        return self.moved(centre_m[None]) + (points_m - centre_m) * [self.scale[0], self.scale[2], self.scale[2]]


def widen_points(points_m: np.ndarray, wheel_index: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A car's points (N, 3), each with its wheel's number or NO_WHEEL, changed at random, put back on the ground and centred along y."""
    change = Widening.draw(points_m, random)
    result = change.moved(points_m)
    for corner in range(NO_WHEEL):
        chosen = wheel_index == corner
        if chosen.any():
            centre = (points_m[chosen].min(0) + points_m[chosen].max(0)).astype(np.float64) / 2
            result[chosen] = change.moved_wheel(points_m[chosen], centre)
    result[:, 2] -= result[:, 2].min()
    result[:, 1] -= (result[:, 1].max() + result[:, 1].min()) / 2
    return result


def widen(model: CarModel, random: np.random.Generator) -> CarModel:
    """Stretch, warp along the length, raise or lower the glasshouse, taper the roof; wheels move whole and stay round."""
    moved = widen_points(model.positions_m.reshape(-1, 3), np.repeat(model.wheel_index, 3), random)
    return replace(model, positions_m=moved.reshape(-1, 3, 3).astype(np.float32))
