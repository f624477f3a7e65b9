"""What the network tells of a car's figures, in a descent: where its nose lies, and how far it reaches up and sideways along its length.

What the photograph does not show, the tail of a car seen from the front, would else drift to the usual car of its body type.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .told_rows import Told, outline_slices, outline_spread, outline_vertices, wheelbase_spread


@dataclass(frozen=True)
class ToldFigures:
    """nose (2,) and log_wheelbase (2,), their means and spreads; of n slices of the outlines mean (n,) and spread (n,) in shares of the
    length, axis (n,) 0 where they reach sideways and 1 up, and between (n, 2) which shares of the length they lie."""

    nose: torch.Tensor
    log_wheelbase: torch.Tensor
    mean: torch.Tensor
    spread: torch.Tensor
    axis: torch.Tensor
    between: torch.Tensor

    @classmethod
    def of(cls, told: Told) -> ToldFigures | None:
        """Of the outlines whatever is told; None where nose and wheelbase are not."""
        if "nose" not in told or "log_wheelbase" not in told:
            return None
        slices = [row for row in outline_slices() if row[0] in told]
        return cls(
            torch.tensor(told["nose"]),
            torch.tensor([told["log_wheelbase"][0], wheelbase_spread(told)]),
            torch.tensor([told[name][0] for name, _, _ in slices]),
            torch.tensor([outline_spread(told, name, axis) for name, axis, _ in slices]),
            torch.tensor([axis for _, axis, _ in slices], dtype=torch.long),
            torch.tensor([ends for _, _, ends in slices]).view(-1, 2),
        )

    def to(self, device: torch.device) -> ToldFigures:
        """The same on another device."""
        return ToldFigures(
            *(value.to(device) for value in (self.nose, self.log_wheelbase, self.mean, self.spread, self.axis, self.between))
        )


def figure_cost(told: ToldFigures, vertices: torch.Tensor, wheelbase_m: torch.Tensor, stretch: torch.Tensor) -> torch.Tensor:
    """(B,) minus the logarithm of how likely the told figures are of cars (B, V, 3) of wheelbases (B,), differentiable.

    stretch (B, 2): that of the told places and outlines, see dense.axes_of()."""
    x, y, z = vertices[:, outline_vertices().to(vertices.device)].unbind(2)
    front, length = y.amin(1), y.amax(1) - y.amin(1)
    reaches = torch.stack([x, z], 1)
    furthest, any_there = _furthest(told, reaches, (y - front[:, None]) / length[:, None])
    reach = reaches.flatten(1).gather(1, told.axis * y.shape[1] + furthest) / length[:, None]
    off = any_there * (reach - told.mean * stretch.exp()[:, told.axis]) / told.spread
    nose_off = (-front / length - told.nose[0]) / told.nose[1]
    wheelbase_off = ((wheelbase_m / length).log() - told.log_wheelbase[0]) / told.log_wheelbase[1]
    return 0.5 * (off.square().sum(1) + nose_off.square() + wheelbase_off.square())


@torch.no_grad()  # a third quicker: slopes need the vertices found alone
def _furthest(told: ToldFigures, reaches: torch.Tensor, along01: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, n) which of N vertices, reaching (B, 2, N) across and up, reach furthest in each slice, and whether any lie there."""
    inside = (along01[:, None] > told.between[:, :1]) & (along01[:, None] < told.between[:, 1:])
    furthest = torch.where(inside, reaches[:, told.axis], -torch.inf).argmax(2)
    return furthest, inside.any(2)
