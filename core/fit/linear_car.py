"""The car's vertices as an affine function of its measures near a point.

Exact there, and fifty times cheaper to differentiate than the template.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..car.car import whole_vertices


@dataclass(frozen=True)
class LinearCar:
    """vertices(m) = origin + (m - at) . slope, with at (B, P), origin (B, V, 3), slope (B, P, V * 3); car frame, metres."""

    at: torch.Tensor
    origin: torch.Tensor
    slope: torch.Tensor

    def to(self, device: torch.device) -> LinearCar:
        """The same on another device."""
        return LinearCar(self.at.to(device), self.origin.to(device), self.slope.to(device))

    def vertices(self, measures: torch.Tensor) -> torch.Tensor:
        """(B, P) measures -> (B, V, 3), differentiable."""
        change = torch.bmm((measures - self.at)[:, None], self.slope)[:, 0]
        return self.origin + change.view_as(self.origin)


def linearise(measures: torch.Tensor) -> LinearCar:
    """Expand the whole car (body and wheels) about measures (B, P) by forward-mode differentiation."""
    at = measures.detach()
    count = at.shape[1]
    directions = torch.eye(count, dtype=at.dtype, device=at.device)
    with torch.no_grad():
        origin = whole_vertices(at)  # first, so that the template is built outside the transforms below
    slopes = []
    for one in at:  # a car at a time: one batch of P tangents

        def along(direction: torch.Tensor, point: torch.Tensor = one) -> torch.Tensor:
            return torch.func.jvp(lambda m: whole_vertices(m[None])[0], (point,), (direction,))[1]

        slopes.append(torch.func.vmap(along)(directions).flatten(1))
    return LinearCar(at, origin, torch.stack(slopes).detach())
