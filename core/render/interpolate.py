"""Torch back end: vertex attributes at the pixels, and their screen-space derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from .rasterize import scatter_pixels


def interpolate(
    attr: torch.Tensor,
    rast: torch.Tensor,
    triangles: torch.Tensor,
    rast_db: torch.Tensor | None = None,
    diff_attrs: Literal["all"] | Sequence[int] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """See render.interpolate."""
    batch, height, width = rast.shape[:3]
    flat = rast.reshape(-1, 4)
    pixel = flat[:, 3].detach().nonzero().squeeze(1)
    covered = flat.index_select(0, pixel)
    corners = triangles.index_select(0, covered[:, 3].long() - 1)
    if attr.shape[0] > 1:
        corners = corners + (torch.div(pixel, height * width, rounding_mode="floor") * attr.shape[1])[:, None]
    corner = attr.reshape(-1, attr.shape[2]).index_select(0, corners.view(-1)).view(-1, 3, attr.shape[2])
    u, v = covered[:, 0:1], covered[:, 1:2]
    # Differences against vertex 2 serve the value and the derivatives alike.
    along_u, along_v = corner[:, 0] - corner[:, 2], corner[:, 1] - corner[:, 2]
    values = scatter_pixels(corner[:, 2] + u * along_u + v * along_v, pixel, (batch, height, width))
    if diff_attrs is None:
        return values, values.new_zeros((batch, height, width, 0))
    if rast_db is None:
        raise ValueError("interpolate: diff_attrs needs rast_db")
    if diff_attrs != "all":
        chosen = torch.as_tensor(list(diff_attrs), device=attr.device)
        along_u, along_v = along_u.index_select(1, chosen), along_v.index_select(1, chosen)
    slope = rast_db.reshape(-1, 4).index_select(0, pixel)
    along_x = slope[:, 0:1] * along_u + slope[:, 2:3] * along_v
    along_y = slope[:, 1:2] * along_u + slope[:, 3:4] * along_v
    derivatives = torch.stack([along_x, along_y], 2).flatten(1)
    return values, scatter_pixels(derivatives, pixel, (batch, height, width))
