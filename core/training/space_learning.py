"""Fits of the template to real cars -> the shape space: the mean offset and the modes of what measures cannot say.

Thirty cars span thirty modes, too few for a new car.  As in Luethi et al., "Gaussian Process Morphable Models" (PAMI 2018, section 3.3),
the sample covariance is therefore mixed with itself localised: its product with a kernel that falls with distance, so that the hood of one
car goes with the tail of another.  The kernel is a sum of products of bumps, so the localised covariance is that of the offsets times each
bump, and an eigenproblem of a few hundred rows gives its modes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..car.measure_table import BODY_TYPES, to_array
from ..car.space import ShapeSpace, scale
from .half_body import half_body, samples, template_half


@dataclass(frozen=True)
class Config:
    """Saved in the manifest."""

    modes: int = 160
    local_share: float = 0.6  # of the covariance that is localised
    reach_m: float = 0.55  # standard deviation of a bump
    spacing_m: float = 0.7  # between the middles of bumps
    few: float = 2.0  # a body type's mean counts n / (n + few)


@dataclass(frozen=True)
class FittedCar:
    """One car's fit: measures (P,) and offset_m (H, 3) of the free half body from the template at these measures, as metres of that car."""

    name: str
    body_type: str
    measures: np.ndarray
    offset_m: np.ndarray


def learn_space(cars: list[FittedCar], config: Config) -> ShapeSpace:
    """The space of some cars' fits; with one car held out, what the others know."""
    offsets = np.stack([car.offset_m / scale(car.measures[None].astype(np.float64))[0] for car in cars])
    mean = offsets.mean(0)
    weight = np.sqrt(_vertex_areas())[:, None]
    apart = (offsets - mean) * weight
    bumps = _bumps(config)
    spread = np.sqrt(config.local_share) * (apart[:, None] * bumps[None, :, :, None]).reshape(-1, apart[0].size)
    rows = np.concatenate([np.sqrt(1 - config.local_share) * apart.reshape(len(cars), -1), spread]) / np.sqrt(max(len(cars) - 1, 1))
    values, vectors = np.linalg.eigh(rows @ rows.T)
    order = np.argsort(-values)[: config.modes]
    order = order[values[order] > 1e-9 * values.max()]
    modes = (vectors[:, order].T @ rows).reshape(len(order), -1, 3)  # of length one standard deviation
    modes = modes / np.maximum(weight, 1e-6) * half_body().used[:, None]
    return ShapeSpace(mean.astype(np.float32), modes.astype(np.float32), _typical(cars, apart / np.maximum(weight, 1e-6), modes, config))


def coefficients_of(offset_m: np.ndarray, modes_m: np.ndarray) -> np.ndarray:
    """(K,) most likely coefficients of offsets from the mean (H, 3), by area."""
    weight = np.sqrt(_vertex_areas())[:, None]
    matrix = (modes_m * weight).reshape(len(modes_m), -1)
    noise = 1e-6 * float((matrix**2).sum(1).max())
    return np.linalg.solve(matrix @ matrix.T + noise * np.eye(len(matrix)), matrix @ (offset_m * weight).ravel())


def _typical(cars: list[FittedCar], apart_m: np.ndarray, modes: np.ndarray, config: Config) -> dict[str, np.ndarray]:
    found = np.stack([coefficients_of(offset, modes) for offset in apart_m])
    typical = {}
    for kind in BODY_TYPES:
        rows = found[[car.body_type == kind for car in cars]]
        typical[kind] = (rows.sum(0) / (len(rows) + config.few)).astype(np.float32)
    return typical


def _vertex_areas() -> np.ndarray:
    """(H,) share of the reference body's area, tiny for loose vertices."""
    half = half_body()
    _, _, areas = samples(_reference())
    total = np.zeros(half.count)
    np.add.at(total, half.quads, areas[:, None] / 4)
    return np.maximum(total, 1e-6)


def _reference() -> np.ndarray:
    return template_half(to_array(BODY_TYPES["sedan"]))


def _bumps(config: Config) -> np.ndarray:
    """(B, H) Gaussian bumps over the reference body whose squares add up to 1 at every vertex."""
    points = _reference()
    low, high = points.min(0), points.max(0)
    axes = [np.linspace(a, b, max(2, round((b - a) / config.spacing_m) + 1)) for a, b in zip(low, high, strict=True)]
    middles = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    near = np.exp(-0.5 * ((points[None] - middles[:, None]) ** 2).sum(-1) / config.reach_m**2)
    near = near[near.max(1) > 0.3]
    return near / np.sqrt((near**2).sum(0))
