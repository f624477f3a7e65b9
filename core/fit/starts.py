"""Where the fit begins: the directions and body types that the picture makes likely, and the twin that silhouettes cannot exclude."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..car.prior import ShapePrior
from ..perceive.perceive import azimuth_peaks
from ..types import BODY_TYPES, Perception
from .pose import AZIMUTH, first_pose
from .typical import typical, typical_vertices

RULED_OUT = 0.003  # a body type of less share is not tried: the network has seen few cars of each
SMALLEST_SHARE = 0.04  # a less likely direction is not tried
OPEN01 = 0.2  # share of the probability from which a direction is not given up before the first descent
TWIN_APART_RAD = math.radians(35)
DISTANCE_LENGTHS = 2.6  # usual distance of the camera, in car lengths, where the picture says nothing


@dataclass(frozen=True)
class Start:
    """One hypothesis: pose (7,), origin (P,) and coefficients (K,) about which the shape may vary, its azimuth's and its type's log
    probability."""

    pose: torch.Tensor
    origin: torch.Tensor
    coefficients: torch.Tensor
    body_type: str
    log_probability: float
    type_log_probability: float = 0.0


def azimuth_log_probability(perception: Perception, azimuth_rad: float) -> float:
    """Log of the share of probability within 15 degrees of an azimuth; never below that of one in a thousand."""
    bins = len(perception.azimuth_probability)
    centres = 2 * np.pi * np.arange(bins) / bins
    near = np.cos(centres - azimuth_rad) > math.cos(math.radians(15.1))
    return math.log(max(float(perception.azimuth_probability[near].sum()), 1e-3))


def directions(perception: Perception, largest_count: int) -> list[float]:
    """Azimuths to try, most likely first: the peaks, and the front-rear twin (pi - azimuth) of the best with nearly the same outline."""
    peaks = [azimuth for azimuth, share in azimuth_peaks(perception.azimuth_probability, largest_count) if share > SMALLEST_SHARE]
    twin = math.pi - peaks[0]
    if all(math.cos(twin - a) < math.cos(TWIN_APART_RAD) for a in peaks):
        peaks = [*peaks[: largest_count - 1], twin]
    return peaks


def make_starts(
    perception: Perception,
    prior: ShapePrior,
    box_px: tuple[float, float, float, float],
    photo_size_px: tuple[int, int],
    least_share: float = RULED_OUT,
    most_directions: int = 2,
) -> list[Start]:
    """Every likely direction with every body type of at least `least_share`, the likeliest direction first: the types are told apart by
    what they explain."""
    seen = perception.estimates.get("log_distance_lengths")
    lengths = math.exp(seen[0]) if seen else DISTANCE_LENGTHS
    azimuths, starts = directions(perception, most_directions), []
    for kind in body_types(perception, least_share):
        origin, coefficients = typical(prior, kind)
        vertices = typical_vertices(prior, kind).numpy()
        length = float(vertices[:, 1].max() - vertices[:, 1].min())
        for azimuth in azimuths:
            pose = first_pose(azimuth, perception.elevation_rad, lengths * length, vertices, box_px, photo_size_px)
            belief = azimuth_log_probability(perception, azimuth)
            starts.append(
                Start(pose, origin, coefficients, kind, belief, math.log(max(perception.body_type_probability.get(kind, 0), 1e-3)))
            )
    return sorted(starts, key=lambda start: -start.log_probability)


def body_types(perception: Perception, least_share: float = RULED_OUT) -> list[str]:
    """Those that are not ruled out, the likeliest first; all where nothing is told."""
    told = perception.body_type_probability
    ranked = sorted(BODY_TYPES, key=lambda kind: -told.get(kind, 0.0))
    return [kind for kind in ranked if told.get(kind, 0.0) > least_share or not told] or ranked


def best_of_each_direction(starts: Sequence[Start], cost: Sequence[float], count: int) -> list[int]:
    """Indices of the `count` starts of least cost, the best first; where the picture leaves more than one direction open, of each of them.

    Nose and tail are told apart by how well the outline fits after a descent; before it the wrong one may look better.
    """
    order = sorted(range(len(starts)), key=lambda number: cost[number])
    of_direction: dict[float, list[int]] = {}
    for number in order:
        if starts[number].log_probability >= math.log(OPEN01):
            of_direction.setdefault(float(starts[number].pose[AZIMUTH]), []).append(number)
    if len(of_direction) < 2:
        return order[:count]
    chosen = {number for numbers in of_direction.values() for number in numbers[:count]}
    return [number for number in order if number in chosen]
