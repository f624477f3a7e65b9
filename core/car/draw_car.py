"""Random plausible cars: a body type, measures from the Gaussian over them, coefficients of the shape space.

Three things bring a draw to what cars are before it counts as drawn: truncated Gaussians, measures held together (held_together), and
coefficients projected to glass without dents and arches over their tyres (hold_shape.py).

Every body type is drawn equally often: the draws are to show what the space holds, and half of all real cars are sedans and SUVs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .faults import faults
from .hold_shape import held_shape
from .measure_table import BODY_TYPES, INDEX, MEASURES, NAMES, by_name
from .prior import ShapePrior
from .space import ShapeSpace, vertices_with

TRUNCATION = 0.6  # of the standard deviations: the Gaussians are wider than cars are, since they hold guessed types and fits' errors
COEFFICIENTS_SHARE = 0.35  # of the truncation: most of the modes are local, and many bumps at once make a dented car
REACH = 2.0  # standard deviations a measure may lie from its type's typical car
REDRAWS = 3  # how often a car with a fault is drawn again
MOST_BEND_M = 0.065  # see _hold_rear_corner: a dent of about 1.2 cm in the glass
LEAST_WITHIN = 0.3  # least share of a coefficient's variance that is left to the cars of one type
KINDS = tuple(BODY_TYPES)


@dataclass(frozen=True)
class DrawnCars:
    """measures (B, P) and coefficients (B, K) float32, body_types (B,) names; faulty_share of the first draws had a fault.

    faulty (B,) bool marks what still has one.
    """

    measures: np.ndarray
    coefficients: np.ndarray
    body_types: tuple[str, ...]
    faulty: np.ndarray
    faulty_share: float


def draw_cars(
    count: int,
    seed: int,
    prior: ShapePrior,
    space: ShapeSpace,
    truncation: float = TRUNCATION,
    redraws: int = REDRAWS,
    body_type: str = "",
) -> DrawnCars:
    """Random cars, the same for the same seed; truncation scales how far they lie from their type's typical car, 0 gives just that.

    With redraws = 0 nothing is checked but for faulty and faulty_share.  body_type: all of them; without one any.  Raises ShapeError,
    ValueError for a body type that there is not.
    """
    random = np.random.default_rng(seed)
    kinds = random.integers(len(KINDS), size=count)
    if body_type:
        kinds[:] = KINDS.index(body_type)
    measures, coefficients = draw_once(kinds, random, prior, space, truncation)
    faulty = _faulty(measures, coefficients, space)
    first_share = float(faulty.mean()) if count else 0.0
    for _ in range(redraws):
        again = np.flatnonzero(faulty)
        if not len(again):
            break
        measures[again], coefficients[again] = draw_once(kinds[again], random, prior, space, truncation)
        faulty[again] = _faulty(measures[again], coefficients[again], space)
    return DrawnCars(measures, coefficients, tuple(KINDS[k] for k in kinds), faulty, first_share)


def draw_once(
    kinds: np.ndarray, random: np.random.Generator, prior: ShapePrior, space: ShapeSpace, truncation: float
) -> tuple[np.ndarray, np.ndarray]:
    """Measures (B, P) and coefficients (B, K) float32, unchecked, of a car for each of some body types (B,), given as places in KINDS."""
    typical = np.stack([prior.typical[kind].numpy() for kind in KINDS])[kinds]
    z = random.standard_normal((len(kinds), len(NAMES))).astype(np.float32)
    free = prior.measures(torch.from_numpy(truncation * z), torch.from_numpy(typical)).numpy()
    spread = REACH * np.sqrt((prior.factor.numpy() ** 2).sum(1))
    measures = held_together(np.clip(free, typical - spread, typical + spread))
    middle = np.stack([space.typical.get(kind, np.zeros(space.mode_count, np.float32)) for kind in KINDS])
    within = np.sqrt(np.clip(1 - middle.var(0), LEAST_WITHIN, 1))  # all types together have a variance of 1
    noise = random.standard_normal((len(kinds), space.mode_count))
    wanted = (middle[kinds] + truncation * COEFFICIENTS_SHARE * within * noise).astype(np.float32)
    return measures, held_shape(measures, wanted, space)


def _faulty(measures: np.ndarray, coefficients: np.ndarray, space: ShapeSpace) -> np.ndarray:
    return np.any(list(faults(vertices_with(measures, coefficients, space), measures).values()), 0)


def held_together(measures: np.ndarray) -> np.ndarray:
    """(B, P) measures -> the same with those changed that no car has together; what a Gaussian cannot say.

    Numbers are metres unless said otherwise, chosen on draws of seeds other than those it is measured with.
    """
    held = measures.copy()
    m = by_name(held)  # columns of held: writing to them changes it

    def at_least(name: str, low: np.ndarray) -> None:
        held[:, INDEX[name]] = np.maximum(m[name], low)

    def between(name: str, low: np.ndarray | float, high: np.ndarray | float) -> None:
        held[:, INDEX[name]] = np.maximum(np.minimum(m[name], high), low)

    arch_top = 2 * m["wheel_radius"] + m["arch_gap"]
    at_least("hood_front_height", arch_top + 0.05)  # metal goes on over the wheels
    at_least("cowl_height", np.maximum(arch_top + 0.20, m["hood_front_height"] + 0.06))
    at_least("belt_front", arch_top + 0.17)
    at_least("belt_rear", arch_top + 0.17)
    at_least("deck_rear_height", arch_top + 0.18)
    at_least("deck_front_height", np.maximum(arch_top + 0.24, m["deck_rear_height"] - 0.04))
    shoulder = np.maximum(np.maximum(m["cowl_height"], m["belt_front"]), m["belt_rear"])
    at_least("height", shoulder + 0.36)  # a pane of some 25 cm
    glass_rise = m["height"] - m["roof_front_drop"] - m["cowl_height"]
    between("windshield_run", 0.15 * glass_rise, 2.5 * glass_rise)  # 68 degrees from upright at most
    between("bed_depth", 0.0, np.maximum(m["deck_front_height"] - arch_top - 0.06, 0.0))  # its floor over the wheel houses
    _hold_roof(held, m)
    _hold_rear_corner(held, m)
    limits = np.array([(measure.low, measure.high) for measure in MEASURES], np.float32)
    return np.clip(held, limits[:, 0], limits[:, 1])


def _hold_roof(held: np.ndarray, m: dict[str, np.ndarray]) -> None:
    """The roof is long enough for two and ends before the tail."""
    roof_front = -0.5 * m["wheelbase"] + m["cowl_offset"] + m["windshield_run"]
    deck_end = m["length"] - m["front_overhang"] - 0.5 * m["wheelbase"] - m["tail_slant"] - m["tail_round"]
    low, high = roof_front + 0.18 * m["length"], deck_end - 0.05
    roof_rear = np.maximum(np.minimum(0.5 * m["wheelbase"] + m["roof_rear_offset"], high), low)
    held[:, INDEX["roof_rear_offset"]] = roof_rear - 0.5 * m["wheelbase"]


def _hold_rear_corner(held: np.ndarray, m: dict[str, np.ndarray]) -> None:
    """A long deck's corner with the rear window is rounded less: the rounding would bend the glass.

    The template's smoothing moves the corner by a share of how far the next column lies off the window's line, `bend`.
    """
    deck_end = m["length"] - m["front_overhang"] - 0.5 * m["wheelbase"] - m["tail_slant"] - m["tail_round"]
    roof_rear = 0.5 * m["wheelbase"] + m["roof_rear_offset"]
    foot = np.minimum(roof_rear + np.maximum(m["rear_window_run"], 0.02), deck_end - 0.03)
    run, drop = (foot - roof_rear) / 5, (m["height"] - m["roof_rear_drop"] - m["deck_front_height"]) / 5  # columns from D to E
    deck, fall = (deck_end - foot) / 4, (m["deck_front_height"] - m["deck_rear_height"]) / 4  # and from E to G
    bend = (drop * deck - run * fall) / np.maximum(np.hypot(run, drop), 1e-3)
    most = np.where(m["cab_drop"] > 0.5, m["roundness"], MOST_BEND_M / np.maximum(bend, 1e-3))
    held[:, INDEX["roundness"]] = np.minimum(m["roundness"], most)
