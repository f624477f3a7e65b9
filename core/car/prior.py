"""Which measures are likely: a Gaussian over the measure vectors, and the typical car of every body type.

Learned with the shape space, by core/training/train_shape.py, from fits to real car models and from a table of real cars' dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load

from .. import weights
from .measures import HIGH, LOW
from .space import KEY

PREFIX = "measures."  # of its tensors in the shape space's file


@dataclass(frozen=True, eq=False)  # so that what is made of one can be kept
class ShapePrior:
    """measures = typical[body_type] + factor z, with z standard normal: typical (P,) by body type, factor (P, P) lower triangular."""

    typical: dict[str, torch.Tensor]
    factor: torch.Tensor

    def measures(self, z: torch.Tensor, origin: torch.Tensor) -> torch.Tensor:
        """(B, P) z about origins (B, P) -> measures (B, P) inside the template's limits, differentiable.

        A measure that would leave its limits is held there, but keeps its gradient, so that it can come back.
        """
        free = origin + z @ self.factor.to(z).T
        return free + (torch.minimum(torch.maximum(free, LOW.to(free)), HIGH.to(free)) - free).detach()


@cache
def shape_prior(folder: Path = weights.FOLDER) -> ShapePrior:
    """The learned prior.  Raises WeightsError where its file is missing or damaged."""
    tensors = {
        name.removeprefix(PREFIX): value for name, value in load(weights.read_checked(folder, KEY)).items() if name.startswith(PREFIX)
    }
    typical = {name.removeprefix("typical."): value for name, value in tensors.items() if name.startswith("typical.")}
    return ShapePrior(typical, tensors["factor"])
