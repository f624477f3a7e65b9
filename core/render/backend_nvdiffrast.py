"""The same calls through nvdiffrast, for CUDA devices where the user has installed it; float32 only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import nvdiffrast.torch as nvdiffrast
import torch


@lru_cache(maxsize=8)
def _context(device: str) -> Any:
    return nvdiffrast.RasterizeCudaContext(device=device)


def rasterize(
    pos_clip: torch.Tensor, triangles: torch.Tensor, resolution: tuple[int, int], grad_db: bool = True, with_db: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """See render.rasterize."""
    rast, rast_db = nvdiffrast.rasterize(
        _context(str(pos_clip.device)), pos_clip.contiguous(), triangles.int(), resolution, grad_db=grad_db
    )
    return rast, rast_db if with_db else rast_db[..., :0]


def interpolate(
    attr: torch.Tensor,
    rast: torch.Tensor,
    triangles: torch.Tensor,
    rast_db: torch.Tensor | None = None,
    diff_attrs: Literal["all"] | Sequence[int] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """See render.interpolate."""
    chosen = diff_attrs if diff_attrs is None or diff_attrs == "all" else list(diff_attrs)
    return nvdiffrast.interpolate(attr.contiguous(), rast, triangles.int(), rast_db=rast_db, diff_attrs=chosen)


def texture(
    tex: torch.Tensor,
    uv: torch.Tensor,
    uv_da: torch.Tensor | None = None,
    filter_mode: str = "auto",
    boundary_mode: str = "wrap",
    max_mip_level: int | None = None,
) -> torch.Tensor:
    """See render.texture."""
    return nvdiffrast.texture(
        tex.contiguous(), uv.contiguous(), uv_da=uv_da, filter_mode=filter_mode, boundary_mode=boundary_mode, max_mip_level=max_mip_level
    )


def antialias(
    color: torch.Tensor, rast: torch.Tensor, pos_clip: torch.Tensor, triangles: torch.Tensor, topology: Any | None = None
) -> torch.Tensor:
    """See render.antialias."""
    return nvdiffrast.antialias(color.contiguous(), rast, pos_clip.contiguous(), triangles.int(), topology_hash=topology)


def antialias_topology(triangles: torch.Tensor) -> Any:
    """See render.antialias_topology."""
    return nvdiffrast.antialias_construct_topology_hash(triangles.int())
