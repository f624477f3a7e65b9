"""Torch back end: analytic antialiasing of silhouette edges, the one place where coverage has a gradient.

Laine et al. 2020, "Modular primitives for high-performance differentiable rendering", section 3.5: for every pair of
neighbouring pixels that see different triangles, if a silhouette edge of the nearer triangle crosses the segment between the
two centres, the colour of one pixel leaks into the other in proportion to where the crossing lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .rasterize import NEAR_W, nearest_triangles

TOLERANCE_PX = 1.0 / 16  # how far outside the segment a crossing may lie by rounding


@dataclass(frozen=True)
class _Pairs:
    """Neighbouring pixels at a possible silhouette, all (M,): flat indices, which of the two is nearer, and the nearer triangle."""

    first: torch.Tensor
    second: torch.Tensor
    second_is_near: torch.Tensor
    vertical: torch.Tensor
    triangle: torch.Tensor
    image: torch.Tensor


def antialias_topology(triangles: torch.Tensor) -> torch.Tensor:
    """(F, 3) int64: across the edge opposite vertex k, the other triangle's opposite vertex; -1 where there is none."""
    faces = len(triangles)
    corner = triangles.long()
    start, end, opposite = corner.roll(-1, 1).reshape(-1), corner.roll(1, 1).reshape(-1), corner.reshape(-1)
    vertices = int(corner.max()) + 1 if faces else 1
    key = torch.minimum(start, end) * vertices + torch.maximum(start, end)
    collapsed = (corner == corner.roll(1, 1)).any(1).repeat_interleave(3)
    # A collapsed triangle has no silhouette; unique keys keep it from being anyone's neighbour.
    key = torch.where(collapsed, -1 - torch.arange(3 * faces, device=key.device), key)
    sorted_key, order = key.sort(stable=True)
    same_as_next = sorted_key[1:] == sorted_key[:-1]
    across = torch.full_like(opposite, -1)
    here, there = order[:-1][same_as_next], order[1:][same_as_next]
    across[here] = opposite[there]
    across[there] = opposite[here]
    return across.view(faces, 3)


def silhouette_edges(screen: torch.Tensor, triangles: torch.Tensor, topology: torch.Tensor) -> torch.Tensor:
    """(B, F, 3) bool: is the edge opposite vertex k a border, or does the surface fold over there, on screen (B, V, 2)?

    Vertices behind the near plane are NaN in `screen`: a neighbour that is not drawn makes a border.
    """
    corner = screen[:, triangles.reshape(-1)].view(len(screen), -1, 3, 2)
    across = screen[:, topology.clamp_min(0).reshape(-1)].view(len(screen), -1, 3, 2)
    start, end = corner.roll(-1, 2), corner.roll(1, 2)
    edge_x, edge_y = (end - start).unbind(-1)
    own_x, own_y = (corner - start).unbind(-1)
    other_x, other_y = (across - start).unbind(-1)
    own_side = edge_x * own_y - edge_y * own_x
    other_side = edge_x * other_y - edge_y * other_x
    return (topology < 0) | ~(own_side * other_side < 0)


def _screen(pos_clip: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """(B, V, 2) pixel coordinates, NaN behind the near plane."""
    w = pos_clip[..., 3:]
    size = torch.tensor([0.5 * width, 0.5 * height], dtype=pos_clip.dtype, device=pos_clip.device)
    screen = (pos_clip[..., :2] / w.clamp_min(NEAR_W) + 1) * size
    return torch.where(w > NEAR_W, screen, float("nan"))


def _pairs(rast: torch.Tensor, flagged: torch.Tensor) -> _Pairs:
    """Pixel pairs with different triangles of which the nearer one has a silhouette edge (flagged (B, F) bool)."""
    batch, height, width = rast.shape[:3]
    ids, depth = rast[..., 3], rast[..., 2]
    faces = flagged.shape[1]
    of_image = torch.arange(batch, device=rast.device)[:, None, None] * (faces + 1)
    padded = torch.cat([flagged.new_zeros((batch, 1)), flagged], 1).view(-1)
    edge = padded.index_select(0, (ids.long() + of_image).view(-1)).view(batch, height, width)
    sides = []
    for axis, step in ((2, 1), (1, width)):
        length = ids.shape[axis] - 1
        differs = ids.narrow(axis, 0, length) != ids.narrow(axis, 1, length)
        mask = torch.zeros_like(edge)
        mask.narrow(axis, 0, length).copy_(differs & (edge.narrow(axis, 0, length) | edge.narrow(axis, 1, length)))
        first = mask.view(-1).nonzero().squeeze(1)
        sides.append((first, first + step, torch.full_like(first, step != 1, dtype=torch.bool)))
    first, second, vertical = (torch.cat(parts) for parts in zip(*sides, strict=True))
    flat_ids, flat_depth = ids.reshape(-1), depth.reshape(-1)
    id_first, id_second = flat_ids.index_select(0, first), flat_ids.index_select(0, second)
    nearer = flat_depth.index_select(0, second) < flat_depth.index_select(0, first)
    second_is_near = (id_first == 0) | ((id_second != 0) & nearer)
    triangle = torch.where(second_is_near, id_second, id_first).long() - 1
    image = torch.div(first, height * width, rounding_mode="floor")
    return _Pairs(first, second, second_is_near, vertical, triangle, image)


def _crossing(pairs: _Pairs, corner: torch.Tensor, silhouette: torch.Tensor, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Where a silhouette edge of `corner` (M, 3, 2) cuts the way from the nearer pixel's centre (0) to the other's (1); and if any does."""
    near = torch.where(pairs.second_is_near, pairs.second, pairs.first)
    column, row = near % width, torch.div(near, width, rounding_mode="floor") % height
    centre = torch.stack([column, row], 1).to(corner.dtype) + 0.5
    relative = corner - centre[:, None]
    along = torch.where(pairs.vertical[:, None], relative[..., 1], relative[..., 0])
    across = torch.where(pairs.vertical[:, None], relative[..., 0], relative[..., 1])
    along = torch.where(pairs.second_is_near[:, None], -along, along)
    along_1, along_2, across_1, across_2 = along.roll(-1, 1), along.roll(1, 1), across.roll(-1, 1), across.roll(1, 1)
    straddles = ((across_1 < 0) != (across_2 < 0)) & silhouette
    drop = torch.where(straddles, across_2 - across_1, torch.ones_like(across_1))
    cut = along_1 - across_1 * (along_2 - along_1) / drop
    # The nearer centre lies inside the triangle, so the way out crosses the last of the edges on the line.
    last, which = torch.where(straddles, cut.detach(), torch.full_like(cut, -torch.inf)).max(1)
    # Steep edges are left to the row pairs and flat ones to the column pairs: counted in both, a slanted edge would move twice
    # its area and jump when a pixel changes sides.
    rise, run = drop.detach().abs(), (along_2 - along_1).detach().abs()
    steep = (torch.where(pairs.vertical[:, None], rise > run, rise >= run)).gather(1, which[:, None]).squeeze(1)
    found = (last > -TOLERANCE_PX) & (last < 1 + TOLERANCE_PX) & steep
    return cut.gather(1, which[:, None]).squeeze(1), found


def antialias(
    color: torch.Tensor, rast: torch.Tensor, pos_clip: torch.Tensor, triangles: torch.Tensor, topology: torch.Tensor | None = None
) -> torch.Tensor:
    """See render.antialias."""
    batch, height, width, channels = color.shape
    rast = rast.detach()
    screen = _screen(pos_clip, height, width)
    with torch.no_grad():
        topology = antialias_topology(triangles) if topology is None else topology
        silhouette = silhouette_edges(screen.detach(), triangles, topology)
        pairs = _pairs(rast, silhouette.any(2))
        chosen = silhouette.view(-1, 3).index_select(0, pairs.image * len(triangles) + pairs.triangle)
        corners = triangles.index_select(0, pairs.triangle) + (pairs.image * pos_clip.shape[1])[:, None]
    corner = screen.view(-1, 2).index_select(0, corners.view(-1)).view(-1, 3, 2)
    cut, found = _crossing(pairs, corner, chosen, height, width)
    kept = found.nonzero().squeeze(1)
    near_first = ~pairs.second_is_near.index_select(0, kept)
    first, second = pairs.first.index_select(0, kept), pairs.second.index_select(0, kept)
    amount = 0.5 - cut.index_select(0, kept).clamp(0, 1)
    amount = torch.where(near_first, amount, -amount)
    flat = color.reshape(-1, channels)
    change = amount[:, None] * (flat.index_select(0, second) - flat.index_select(0, first))
    target = torch.where(amount.detach() > 0, first, second)
    return flat.index_add(0, target, change).view(color.shape)


def silhouette(
    pos_clip: torch.Tensor,
    triangles: torch.Tensor,
    resolution: tuple[int, int],
    topology: torch.Tensor | None = None,
    front_only: bool = False,
) -> torch.Tensor:
    """See render.silhouette."""
    with torch.no_grad():
        ids, depth = nearest_triangles(pos_clip, triangles, resolution, front_only)
        blank = torch.zeros_like(ids)
        rast = torch.stack([blank, blank, depth, ids], -1)
    return antialias((ids > 0).to(pos_clip.dtype)[..., None], rast, pos_clip, triangles, topology)
