"""Torch back end: texture look-up with bilinear and trilinear filtering."""

from __future__ import annotations

import torch
from torch.nn import functional

FILTERS = ("auto", "nearest", "linear", "linear-mipmap-linear")
BOUNDARIES = ("wrap", "clamp")


def texture(
    tex: torch.Tensor,
    uv: torch.Tensor,
    uv_da: torch.Tensor | None = None,
    filter_mode: str = "auto",
    boundary_mode: str = "wrap",
    max_mip_level: int | None = None,
) -> torch.Tensor:
    """See render.texture."""
    if filter_mode not in FILTERS or boundary_mode not in BOUNDARIES:
        raise ValueError(
            f"texture: filter_mode {filter_mode!r} must be one of {FILTERS}, boundary_mode {boundary_mode!r} one of {BOUNDARIES}"
        )
    if filter_mode == "auto":
        filter_mode = "linear" if uv_da is None else "linear-mipmap-linear"
    batch, height, width = uv.shape[:3]
    flat_uv = uv.reshape(-1, 2)
    if tex.shape[0] == 1:
        image = None
    else:
        image = torch.arange(batch, device=uv.device).repeat_interleave(height * width)
    if filter_mode == "nearest":
        values = _nearest(tex, flat_uv, image, boundary_mode)
    elif filter_mode == "linear":
        values = _bilinear(tex, flat_uv, image, boundary_mode)
    else:
        if uv_da is None:
            raise ValueError("texture: linear-mipmap-linear needs uv_da")
        values = _trilinear(tex, flat_uv, uv_da.reshape(-1, 4), image, boundary_mode, max_mip_level)
    return values.view(batch, height, width, tex.shape[3])


def mip_levels(tex: torch.Tensor, max_mip_level: int | None = None) -> list[torch.Tensor]:
    """The texture and its halvings by 2x2 means, until a side is odd (a side of 1 stays) or max_mip_level is reached."""
    levels = [tex]
    while max_mip_level is None or len(levels) <= max_mip_level:
        height, width = levels[-1].shape[1:3]
        if (height == 1 and width == 1) or (height > 1 and height % 2) or (width > 1 and width % 2):
            break
        window = (min(2, height), min(2, width))
        levels.append(functional.avg_pool2d(levels[-1].permute(0, 3, 1, 2), window).permute(0, 2, 3, 1))
    return levels


def mip_level(uv_da: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """(N, 4) du/dX, du/dY, dv/dX, dv/dY -> (N,) log2 of the pixel footprint's longer axis in texels."""
    scale = uv_da.new_tensor([width, width, height, height])
    ux, uy, vx, vy = (uv_da * scale).unbind(1)
    xx, yy, xy = ux * ux + vx * vx, uy * uy + vy * vy, ux * uy + vx * vy
    # Larger eigenvalue of the footprint's metric; the floor keeps the root's gradient finite for round footprints.
    longer = 0.5 * (xx + yy) + (0.25 * (xx - yy) ** 2 + xy * xy).clamp_min(1e-20).sqrt()
    return 0.5 * longer.clamp_min(1e-20).log2()


def _bound(index: torch.Tensor, size: int, boundary_mode: str) -> torch.Tensor:
    return index % size if boundary_mode == "wrap" else index.clamp(0, size - 1)


def _nearest(tex: torch.Tensor, uv: torch.Tensor, image: torch.Tensor | None, boundary_mode: str) -> torch.Tensor:
    height, width, channels = tex.shape[1:]
    column = _bound((uv[:, 0].detach() * width).floor().long(), width, boundary_mode)
    row = _bound((uv[:, 1].detach() * height).floor().long(), height, boundary_mode)
    index = row * width + column
    if image is not None:
        index = index + image * (height * width)
    return tex.reshape(-1, channels).index_select(0, index)


def _bilinear(tex: torch.Tensor, uv: torch.Tensor, image: torch.Tensor | None, boundary_mode: str) -> torch.Tensor:
    """(N, C) at uv (N, 2); texel centres lie at (i + 0.5) / size."""
    height, width, channels = tex.shape[1:]
    x, y = uv[:, 0] * width - 0.5, uv[:, 1] * height - 0.5
    column, row = x.detach().floor(), y.detach().floor()
    fx, fy = (x - column)[:, None], (y - row)[:, None]
    column, row = column.long(), row.long()
    left, right = _bound(column, width, boundary_mode), _bound(column + 1, width, boundary_mode)
    low, high = _bound(row, height, boundary_mode) * width, _bound(row + 1, height, boundary_mode) * width
    if image is not None:
        low, high = low + image * (height * width), high + image * (height * width)
    flat = tex.reshape(-1, channels)
    lower = torch.lerp(flat.index_select(0, low + left), flat.index_select(0, low + right), fx)
    upper = torch.lerp(flat.index_select(0, high + left), flat.index_select(0, high + right), fx)
    return torch.lerp(lower, upper, fy)


def _trilinear(
    tex: torch.Tensor, uv: torch.Tensor, uv_da: torch.Tensor, image: torch.Tensor | None, boundary_mode: str, max_mip_level: int | None
) -> torch.Tensor:
    """Each level is read only where it weighs; a pixel lies on at most two levels, whose weights sum to one."""
    levels = mip_levels(tex, max_mip_level)
    level = mip_level(uv_da, tex.shape[1], tex.shape[2]).clamp(0, len(levels) - 1)
    values = uv.new_zeros((len(uv), tex.shape[3]))
    for number, texels in enumerate(levels):
        weight = 1 - (level - number).abs()
        used = (weight.detach() > 0).nonzero().squeeze(1)
        if len(used) == 0:
            continue
        read = _bilinear(texels, uv.index_select(0, used), None if image is None else image.index_select(0, used), boundary_mode)
        values = values.index_add(0, used, read * weight.index_select(0, used)[:, None])
    return values
