"""How fast along the path: cruise, slower in bends, gathering speed and braking in time; and where the car is when."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import Trouble, UserInputError
from .path import Path

FASTEST_M_S = 150.0
CRAWL_M_S = 0.05  # keeps times finite where a standing car sets off


@dataclass(frozen=True)
class SpeedWish:
    """cruise_m_s where nothing is in the way; pulling and braking at most so hard; lateral_m_s2 bounds the speed in bends (0: no bound);
    whether the car stands at either end of the path."""

    cruise_m_s: float
    acceleration_m_s2: float = 2.5
    braking_m_s2: float = 4.0
    lateral_m_s2: float = 4.0
    from_standing: bool = True
    to_standing: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.cruise_m_s <= FASTEST_M_S:
            raise UserInputError(f"a car does not drive at {self.cruise_m_s:.1f} m/s: choose a speed up to 540 km/h.", Trouble.SCENE)
        if self.acceleration_m_s2 <= 0 or self.braking_m_s2 <= 0 or self.lateral_m_s2 < 0:
            raise UserInputError("acceleration and braking must be more than 0 m/s².", Trouble.SCENE)


@dataclass(frozen=True)
class Timetable:
    """Knots (K,): along_m ascending, speed_m_s, and the time_s at which they are passed; acceleration is constant between knots."""

    along_m: np.ndarray
    speed_m_s: np.ndarray
    time_s: np.ndarray

    @property
    def duration_s(self) -> float:
        return float(self.time_s[-1])

    def along_at(self, time_s: np.ndarray) -> np.ndarray:
        """Metres (M,) driven after so many seconds; none before the start, and at the end's speed after the end."""
        time_s = np.maximum(np.asarray(time_s, float), 0)
        knot = np.clip(np.searchsorted(self.time_s, time_s, "right") - 1, 0, len(self.time_s) - 2)
        span = self.time_s[knot + 1] - self.time_s[knot]
        acceleration = (self.speed_m_s[knot + 1] - self.speed_m_s[knot]) / np.maximum(span, 1e-9)
        since = np.minimum(time_s - self.time_s[knot], span)
        inside = self.along_m[knot] + self.speed_m_s[knot] * since + 0.5 * acceleration * since**2
        return inside + np.maximum(time_s - self.time_s[-1], 0) * self.speed_m_s[-1]


def timetable(path: Path, wish: SpeedWish, laps: int = 1) -> Timetable:
    """The quickest way along the path that keeps to the wish; `laps` rounds of a closed one.

    The usual two passes over the bounds of speed: forwards with what the engine gives, backwards with what the brakes take.
    """
    count = len(path.points_m)
    along = path.step_m * np.arange(count * laps + 1 if path.closed else count)
    bound = np.full(len(along), wish.cruise_m_s)
    if wish.lateral_m_s2 > 0:
        bend = np.abs(path.curvature_per_m)
        bend = np.concatenate([np.tile(bend, laps), bend[:1]]) if path.closed else bend
        bound = np.minimum(bound, np.sqrt(wish.lateral_m_s2 / np.maximum(bend, 1e-6)))
    bound[0] = CRAWL_M_S if wish.from_standing else bound[0]
    bound[-1] = CRAWL_M_S if wish.to_standing else bound[-1]
    square = bound**2
    gain, loss = 2 * wish.acceleration_m_s2 * path.step_m, 2 * wish.braking_m_s2 * path.step_m
    # a running minimum of bound - gain x number of steps is the forward pass without a loop
    number = np.arange(len(square))
    square = np.minimum.accumulate(square - gain * number) + gain * number
    square = (np.minimum.accumulate((square - loss * number[::-1])[::-1]))[::-1] + loss * number[::-1]
    speed = np.sqrt(np.maximum(square, CRAWL_M_S**2))
    time = np.concatenate([[0.0], np.cumsum(2 * path.step_m / (speed[1:] + speed[:-1]))])
    return Timetable(along, speed, time)


def in_time(path: Path, wish: SpeedWish, seconds: float, laps: int = 1) -> tuple[Timetable, SpeedWish]:
    """The timetable that takes so many seconds, and the wish with the cruising speed that does it.

    Raises: UserInputError where no speed is quick or slow enough.
    """
    slow, fast = CRAWL_M_S, FASTEST_M_S
    least_s = timetable(path, replace(wish, cruise_m_s=fast), laps).duration_s
    if seconds < least_s:
        raise UserInputError(
            f"{seconds:.1f} s are too short for this path: with this acceleration and these brakes it takes {least_s:.1f} s at least;"
            " give it more frames, or accelerate harder.",
            Trouble.SCENE,
        )
    for _ in range(60):
        middle = (slow * fast) ** 0.5
        longer = timetable(path, replace(wish, cruise_m_s=middle), laps).duration_s > seconds
        slow, fast = (middle, fast) if longer else (slow, middle)
    wish = replace(wish, cruise_m_s=fast)
    return timetable(path, wish, laps), wish
