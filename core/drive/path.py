"""A line to follow: even steps along its plan, with heading and curvature that a steered car can keep to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import Trouble, UserInputError, check_shape
from .smooth import reach_of, smoothed

STEP_M = 0.1
MOST_POINTS = 40_000
SMOOTH_M = 0.5  # standard deviation along the line; corners become bends of about this size
SHORTEST_M = 0.5


@dataclass(frozen=True)
class Path:
    """N points in even steps: points_m (N, 3) world, heading_rad (N,) of the travel in plan from +X anticlockwise, continuous;
    curvature_per_m (N,) positive to the left; closed: the last point is one step before the first."""

    points_m: np.ndarray
    heading_rad: np.ndarray
    curvature_per_m: np.ndarray
    step_m: float
    closed: bool

    @property
    def length_m(self) -> float:
        """Once along it, in plan."""
        return self.step_m * (len(self.points_m) - (0 if self.closed else 1))

    def at(self, along_m: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points (M, 3), headings (M,) and curvatures (M,) after so many metres; a closed path goes round, an open one goes on straight."""
        along_m, count = np.asarray(along_m, float), len(self.points_m)
        place = along_m / self.step_m
        if self.closed:
            laps, place = np.divmod(place, count)
        else:
            laps, place = np.zeros_like(place), np.clip(place, 0, count - 1)
        low = np.minimum(place.astype(int), count - 1)
        high, share = ((low + 1) % count if self.closed else np.minimum(low + 1, count - 1)), place - low
        turn = self.heading_rad[high] - self.heading_rad[low]
        if self.closed:
            turn = np.where(high < low, turn + self._turn_of_lap, turn)
        points = self.points_m[low] + share[..., None] * (self.points_m[high] - self.points_m[low])
        heading = self.heading_rad[low] + share * turn + laps * self._turn_of_lap
        curvature = self.curvature_per_m[low] + share * (self.curvature_per_m[high] - self.curvature_per_m[low])
        if not self.closed:
            beyond = along_m - np.clip(along_m, 0, self.length_m)
            points = points + beyond[..., None] * np.stack([np.cos(heading), np.sin(heading), np.zeros_like(heading)], -1)
            curvature = np.where(beyond == 0, curvature, 0.0)
        return points, heading, curvature

    @property
    def _turn_of_lap(self) -> float:
        """A whole number of turns."""
        return float(2 * np.pi * np.round(self.step_m * self.curvature_per_m.sum() / (2 * np.pi))) if self.closed else 0.0


def path_through(points_m: np.ndarray, closed: bool) -> Path:
    """A path through dense points (M, 3) in the order of travel; of a closed line the first point is not repeated.

    Raises: ShapeError; UserInputError where the line is too short to drive on.
    """
    check_shape("points_m", points_m.shape, (None, 3))
    line = np.concatenate([points_m, points_m[:1]]) if closed else points_m
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line[:, :2], axis=0), axis=1))])
    if len(points_m) < 2 or along[-1] < SHORTEST_M:
        raise UserInputError(f"the path is only {along[-1]:.2f} m long: draw a longer one.", Trouble.SCENE)
    count = int(min(max(round(along[-1] / STEP_M), 8), MOST_POINTS))
    wanted = np.linspace(0, along[-1], count + 1)[: count if closed else count + 1]
    distinct = np.concatenate([[True], np.diff(along) > 0])
    even = np.stack([np.interp(wanted, along[distinct], line[distinct, axis]) for axis in range(3)], 1)
    step_m = along[-1] / count
    smooth = _smoothed(even, SMOOTH_M / step_m, closed)
    return _with_bends(smooth, closed)


def _smoothed(points: np.ndarray, sigma_steps: float, closed: bool) -> np.ndarray:
    """Weighted means along the line; the ends of an open one stay, mirrored through themselves."""
    reach = reach_of(sigma_steps, len(points) - 1)
    if closed:
        longer = np.concatenate([points[-reach:], points, points[:reach]])
    else:
        longer = np.concatenate([2 * points[0] - points[reach:0:-1], points, 2 * points[-1] - points[-2 : -reach - 2 : -1]])
    return np.stack([smoothed(column, sigma_steps, reach) for column in longer.T], 1)


def _with_bends(points: np.ndarray, closed: bool) -> Path:
    """Heading and curvature by central differences; steps are even but for what smoothing took from the bends."""
    around = np.concatenate([points[-1:], points, points[:1]]) if closed else points
    step = np.linalg.norm(np.diff(around[:, :2], axis=0), axis=1)
    if closed:
        ahead = around[2:, :2] - around[:-2, :2]
        heading = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
        side = np.unwrap(np.arctan2(np.diff(around[:, 1]), np.diff(around[:, 0])))
        curvature = np.diff(side) / (0.5 * (step[1:] + step[:-1]))
    else:
        ahead = np.gradient(points[:, :2], axis=0)
        heading = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
        curvature = np.gradient(heading) / np.gradient(np.concatenate([[0.0], np.cumsum(step)]))
    return Path(points, heading, curvature, float(step[:-1].mean() if closed else step.mean()), closed)
