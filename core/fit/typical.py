"""The typical car of each body type, from which every fit starts: made once a process and kept for the next photograph."""

from __future__ import annotations

from functools import lru_cache

import torch

from ..car.car import whole_vertices
from ..car.prior import ShapePrior
from ..car.space import shape_space
from ..types import BODY_TYPES
from .linear_car import LinearCar, linearise

PRIORS = 2  # that may take turns without being made anew


def typical(prior: ShapePrior, body_type: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Measures (P,) and coefficients (K,)."""
    return prior.typical[body_type], torch.from_numpy(shape_space().typical[body_type])


@lru_cache(maxsize=PRIORS * len(BODY_TYPES))
@torch.no_grad()
def typical_vertices(prior: ShapePrior, body_type: str) -> torch.Tensor:
    """(V, 3) of the whole car, not to be changed."""
    measures, coefficients = typical(prior, body_type)
    return whole_vertices(measures[None], coefficients[None])[0]


@lru_cache(maxsize=PRIORS * len(BODY_TYPES))
def typical_expanded(prior: ShapePrior, body_type: str, free: int) -> LinearCar:
    """How the car moves with its measures and the first `free` of its modes."""
    measures, coefficients = typical(prior, body_type)
    return linearise(measures[None], coefficients[None], free)
