"""The shapes that a fit may try: whitened measures and coefficients of the modes, both about where each hypothesis began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..car.measures import to_dict
from ..car.prior import ShapePrior
from ..types import CarShape
from .starts import Start


@dataclass(frozen=True)
class Shapes:
    """origin (B, P) measures and typical (B, K) coefficients of each hypothesis, before anything is known."""

    prior: ShapePrior
    origin: torch.Tensor
    typical: torch.Tensor

    @classmethod
    def of(cls, prior: ShapePrior, starts: Sequence[Start]) -> Shapes:
        """Those of some starts."""
        return cls(prior, torch.stack([start.origin for start in starts]), torch.stack([start.coefficients for start in starts]))

    def to(self, device: torch.device) -> Shapes:
        """The same on another device."""
        return Shapes(self.prior, self.origin.to(device), self.typical.to(device))

    def at(self, z: torch.Tensor, w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, P) and (B, k), both standard normal -> measures (B, P) and coefficients (B, K), differentiable.

        The first k modes move, the others stay typical.
        """
        free = w.shape[1]
        return self.prior.measures(z, self.origin), torch.cat([self.typical[:, :free] + w, self.typical[:, free:]], 1)


def to_shape(measures: torch.Tensor, coefficients: torch.Tensor, body_type: str) -> CarShape:
    """One hypothesis's measures (P,) and coefficients (K,) as a value."""
    return CarShape(to_dict(measures), body_type, tuple(coefficients.tolist()))
