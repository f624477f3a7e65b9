"""The differentiable rasteriser: rasterize, interpolate, texture, antialias, with nvdiffrast's conventions on any device.

Clip space is OpenGL's, images are batch first and their row 0 is the bottom.  A raster holds u, v, z/w, triangle id + 1 (0 =
empty); u and v weigh the vertices 0 and 1, and 1 - u - v the vertex 2.  Vertices must be shared by index, otherwise every edge
counts as a silhouette.  `triangles` is (F, 3) int32 or int64 (int64 saves a copy on the torch back end).

The torch back end serves every device; nvdiffrast is taken where it imports and the tensors lie on CUDA in float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Literal

import torch

from ..errors import check_shape
from . import backend_torch

Backend = Literal["auto", "torch", "nvdiffrast"]


@lru_cache(maxsize=1)
def nvdiffrast_importable() -> bool:
    """Is nvdiffrast installed here?"""
    return find_spec("nvdiffrast") is not None


def choose_backend(tensor: torch.Tensor, backend: Backend = "auto") -> ModuleType:
    """The module that serves a tensor: the named one, or for "auto" nvdiffrast on CUDA float32 where it is installed, else torch."""
    if backend == "auto":
        backend = "nvdiffrast" if tensor.is_cuda and tensor.dtype == torch.float32 and nvdiffrast_importable() else "torch"
    return import_module(".backend_nvdiffrast", __package__) if backend == "nvdiffrast" else backend_torch


def rasterize(
    pos_clip: torch.Tensor,
    triangles: torch.Tensor,
    resolution: tuple[int, int],
    grad_db: bool = True,
    with_db: bool = True,
    backend: Backend = "auto",
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the nearest triangle at every pixel centre, both sides visible.

    pos_clip (B, V, 4) float; resolution (height, width).  Returns rast (B, h, w, 4) and rast_db (B, h, w, 4) = du/dX, du/dY,
    dv/dX, dv/dY per pixel, both differentiable in pos_clip (the ids are not; rast_db only with grad_db).  with_db=False skips
    rast_db and returns it with no channels.  A triangle with a vertex at w <= 0.001 is dropped whole by the torch back end
    (nvdiffrast clips it): keep the camera outside the object.  Raises ShapeError.
    """
    check_shape("pos_clip", tuple(pos_clip.shape), (None, None, 4))
    check_shape("triangles", tuple(triangles.shape), (None, 3))
    return choose_backend(pos_clip, backend).rasterize(pos_clip, _indices(triangles), resolution, grad_db, with_db)


def interpolate(
    attr: torch.Tensor,
    rast: torch.Tensor,
    triangles: torch.Tensor,
    rast_db: torch.Tensor | None = None,
    diff_attrs: Literal["all"] | Sequence[int] | None = None,
    backend: Backend = "auto",
) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertex attributes at the pixels: attr (B or 1, V, C) -> (B, h, w, C), zero where empty.

    With rast_db and diff_attrs ("all" or channel numbers) also (B, h, w, 2 D) d/dX, d/dY of each chosen channel in turn,
    else a tensor without channels.  Differentiable in attr, rast and rast_db.  `triangles` may differ from the rasterised
    ones as long as it has the same faces, e.g. indices into texture coordinates.  Raises ShapeError.
    """
    check_shape("attr", tuple(attr.shape), (None, None, None))
    check_shape("rast", tuple(rast.shape), (None, None, None, 4))
    return choose_backend(rast, backend).interpolate(attr, rast, _indices(triangles), rast_db, diff_attrs)


def texture(
    tex: torch.Tensor,
    uv: torch.Tensor,
    uv_da: torch.Tensor | None = None,
    filter_mode: str = "auto",
    boundary_mode: str = "wrap",
    max_mip_level: int | None = None,
    backend: Backend = "auto",
) -> torch.Tensor:
    """Look up tex (B or 1, h_t, w_t, C) at uv (B, h, w, 2) -> (B, h, w, C); v = 0 is the texture's row 0.

    filter_mode: nearest, linear, linear-mipmap-linear (needs uv_da (B, h, w, 4) from interpolate), or auto, which takes the last
    where uv_da is given.  boundary_mode: wrap or clamp.  Differentiable in tex, uv and uv_da.  Raises ShapeError, ValueError.
    """
    check_shape("tex", tuple(tex.shape), (None, None, None, None))
    check_shape("uv", tuple(uv.shape), (None, None, None, 2))
    return choose_backend(uv, backend).texture(tex, uv, uv_da, filter_mode, boundary_mode, max_mip_level)


def antialias(
    color: torch.Tensor,
    rast: torch.Tensor,
    pos_clip: torch.Tensor,
    triangles: torch.Tensor,
    topology: Any | None = None,
    backend: Backend = "auto",
) -> torch.Tensor:
    """Blend color (B, h, w, C) across silhouette edges; differentiable in color and in pos_clip, not in rast.

    topology: antialias_topology(triangles), made once for many calls; it belongs to the back end that made it.
    Triangles smaller than a pixel get noisy gradients: render larger and reduce.  Raises ShapeError.
    """
    check_shape("color", tuple(color.shape), (*rast.shape[:3], None))
    check_shape("pos_clip", tuple(pos_clip.shape), (rast.shape[0], None, 4))
    return choose_backend(pos_clip, backend).antialias(color, rast, pos_clip, _indices(triangles), topology)


def antialias_topology(triangles: torch.Tensor, backend: Backend = "torch") -> Any:
    """Which vertex lies across each edge, for antialias.  Name the back end if it is not torch; "auto" looks at triangles' device."""
    if backend == "auto":
        backend = "nvdiffrast" if triangles.is_cuda and nvdiffrast_importable() else "torch"
    return choose_backend(triangles, backend).antialias_topology(_indices(triangles))


def silhouette(
    pos_clip: torch.Tensor,
    triangles: torch.Tensor,
    resolution: tuple[int, int],
    topology: torch.Tensor | None = None,
    front_only: bool = False,
) -> torch.Tensor:
    """Antialiased coverage (B, h, w, 1), 0..1, differentiable in pos_clip: the fast path of mask fitting, torch back end.

    The same picture as rasterize, then antialias of (id > 0), without barycentrics.  front_only: for a closed mesh seen from outside whose
    triangles run counter-clockwise, the same again and quicker.  Raises ShapeError.
    """
    check_shape("pos_clip", tuple(pos_clip.shape), (None, None, 4))
    return backend_torch.silhouette(pos_clip, _indices(triangles), resolution, topology, front_only)


def _indices(triangles: torch.Tensor) -> torch.Tensor:
    return triangles if triangles.dtype == torch.int64 else triangles.long()
