"""Cars that were never built: smooth, left-right symmetric changes of a model, wheels kept round.

`widen` is what recorded photographs name by a seed, so it never changes; `remould` goes further, for pictures drawn here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .cars import NO_WHEEL, CarModel

SCALE_SIGMA = (0.05, 0.07, 0.09)  # of width, length and height: about the spread of the table of real dimensions
WARP_SHARE = 0.05  # of the length, by how much the middle moves fore or aft
GLASSHOUSE_SIGMA = 0.12  # of the part above the belt line, taller or lower
TAPER_SIGMA = 0.06  # narrower or wider roof
BELT_SHARE = 0.55  # of the height, where the glasshouse begins
SILL_SHARE = 0.4  # of the height, above which profiles bend: below are the wheels and their arches
PROFILE_WAVES = 4  # cosines over the length, each of a smaller share than the one before
ROOFLINE_SIGMA, PLAN_SIGMA, STATION_SIGMA = 0.05, 0.035, 0.02  # of height and width, and of the length by which stations move
CABIN_SHARE = 0.07  # of the length, by how much the cabin stands further fore or aft on its body


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


@dataclass(frozen=True)
class Remoulding:
    """Another profile of a car of length_m and height_m: waves (3, PROFILE_WAVES) of roofline, plan and stations, and the cabin's shift."""

    waves: np.ndarray
    cabin: float
    length_m: float
    height_m: float

    @classmethod
    def draw(cls, points_m: np.ndarray, random: np.random.Generator) -> Remoulding:
        """One at random for a car whose points (N, 3) are all given."""
        sigma = np.array([ROOFLINE_SIGMA, PLAN_SIGMA, STATION_SIGMA])[:, None] / np.arange(1, PROFILE_WAVES + 1)
        waves = random.normal(0, sigma).clip(-2 * sigma, 2 * sigma)  # stations never change their order
        return cls(waves, random.uniform(-CABIN_SHARE, CABIN_SHARE), float(np.ptp(points_m[:, 1])), float(points_m[:, 2].max()))

    def moved(self, points_m: np.ndarray) -> np.ndarray:
        """(N, 3) -> (N, 3), float64."""
        p = points_m.astype(np.float64)
        phase = np.pi * (p[:, 1:2] / self.length_m + 0.5)
        phases = phase * np.arange(1, PROFILE_WAVES + 1)
        roofline, plan = np.cos(phases) @ self.waves[0], np.cos(phases) @ self.waves[1]
        stations = np.sin(phases) @ self.waves[2]  # nose and tail stay
        above = (p[:, 2] / self.height_m - BELT_SHARE).clip(0) / (1 - BELT_SHARE)
        y = p[:, 1] + self.length_m * (stations + self.cabin * above * np.sin(phase[:, 0]).clip(0))
        z = p[:, 2] + roofline * (p[:, 2] - SILL_SHARE * self.height_m).clip(0)
        return np.stack([p[:, 0] * (1 + plan), y, z], 1)

    def moved_wheel(self, points_m: np.ndarray, centre_m: np.ndarray) -> np.ndarray:
        """A wheel's points go with its centre (3,)."""
        return self.moved(centre_m[None]) + points_m - centre_m


def widen_points(points_m: np.ndarray, wheel_index: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A car's points (N, 3), each with its wheel's number or NO_WHEEL, changed at random, put back on the ground and centred along y."""
    return _changed(points_m, wheel_index, Widening.draw(points_m, random))


def _changed(points_m: np.ndarray, wheel_index: np.ndarray, change: Widening | Remoulding) -> np.ndarray:
    """Points (N, 3) after a change, on the ground and centred along y."""
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


def remould(model: CarModel, random: np.random.Generator) -> CarModel:
    """Bend roofline and plan, move stations along the length and the cabin on its body; wheels move whole and keep their size."""
    points = model.positions_m.reshape(-1, 3)
    moved = _changed(points, np.repeat(model.wheel_index, 3), Remoulding.draw(points, random))
    return replace(model, positions_m=moved.reshape(-1, 3, 3).astype(np.float32))
