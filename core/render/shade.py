"""Simple shaded pictures of a mesh: lambert light and ambient, for previews, debugging and appearance terms."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from ..errors import check_shape
from ..frames import car_to_clip
from .render import antialias, interpolate, rasterize, texture

SUN_CAR = (0.35, -0.55, 0.75)  # from the front left above


@dataclass(frozen=True)
class Skin:
    """What covers the faces: face_srgb01 (F, 3), or a texture_srgb01 (h, w, 3), row 0 = top (v = 1), read at corner_uv01 (F, 3, 2)."""

    face_srgb01: torch.Tensor | None = None
    texture_srgb01: torch.Tensor | None = None
    corner_uv01: torch.Tensor | None = None


def triangulate(quads: torch.Tensor) -> torch.Tensor:
    """(F, 4) quads or (F, 4, ...) corner data -> the two triangles of each quad in turn, (2 F, 3, ...): corners 0 1 2 and 0 2 3."""
    return quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3, *quads.shape[2:])


def face_normals(vertices: torch.Tensor, triangles: torch.Tensor) -> torch.Tensor:
    """(B, V, 3), (F, 3) -> unit normals (B, F, 3), pointing at whoever sees the corners counter-clockwise."""
    corner = vertices[:, triangles.reshape(-1)].view(len(vertices), -1, 3, 3)
    return functional.normalize(torch.cross(corner[:, :, 1] - corner[:, :, 0], corner[:, :, 2] - corner[:, :, 0], dim=-1), dim=-1)


def render_views(
    vertices_car: torch.Tensor,
    triangles: torch.Tensor,
    camera_to_car: torch.Tensor,
    projection: torch.Tensor,
    resolution: tuple[int, int],
    skin: Skin,
    ambient01: float = 0.55,
    background_srgb01: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> torch.Tensor:
    """Pictures (B, h, w, 4) of srgb01 and coverage, row 0 = TOP, differentiable in the vertices and cameras.

    vertices_car (B or 1, V, 3); camera_to_car (B, 4, 4); projection (4, 4) or (B, 4, 4) from frames.clip_from_camera; resolution
    (height, width).  Faces are lit flat from both sides.  Raises ShapeError, ValueError where the skin is incomplete.
    """
    check_shape("vertices_car", tuple(vertices_car.shape), (None, None, 3))
    check_shape("camera_to_car", tuple(camera_to_car.shape), (None, 4, 4))
    pos_clip = car_to_clip(vertices_car, camera_to_car, projection)
    rast, rast_db = rasterize(pos_clip, triangles, resolution, grad_db=False)
    light = _light(face_normals(vertices_car, triangles), ambient01)
    covered = rast[..., 3:] > 0
    albedo = _albedo(skin, rast, rast_db, triangles)
    lit = (albedo * _by_face(light, rast)).clamp(0, 1)
    background = lit.new_tensor(background_srgb01)
    color = torch.cat([torch.where(covered, lit, background), covered.to(lit.dtype)], -1)
    return antialias(color, rast, pos_clip, triangles).flip(1)


def _light(normals: torch.Tensor, ambient01: float) -> torch.Tensor:
    sun = functional.normalize(normals.new_tensor(SUN_CAR), dim=0)
    # A little light from below keeps undersides readable.
    return ambient01 + (1 - ambient01) * (normals @ sun).clamp_min(-0.25)[..., None].add(0.25).mul(1 / 1.1)


def _by_face(values: torch.Tensor, rast: torch.Tensor) -> torch.Tensor:
    """Per-face values (B or 1, F, C) at the pixels (B, h, w, C); the first face's where empty."""
    batch, height, width = rast.shape[:3]
    ids = (rast[..., 3].detach().long() - 1).clamp_min(0).view(batch, -1)
    if len(values) == 1:
        return values[0].index_select(0, ids.view(-1)).view(batch, height, width, -1)
    return values.gather(1, ids[..., None].expand(-1, -1, values.shape[2])).view(batch, height, width, -1)


def _albedo(skin: Skin, rast: torch.Tensor, rast_db: torch.Tensor, triangles: torch.Tensor) -> torch.Tensor:
    if skin.face_srgb01 is not None:
        check_shape("face_srgb01", tuple(skin.face_srgb01.shape), (len(triangles), 3))
        return _by_face(skin.face_srgb01[None], rast)
    if skin.texture_srgb01 is None or skin.corner_uv01 is None:
        raise ValueError("Skin needs face_srgb01, or texture_srgb01 with corner_uv01")
    check_shape("corner_uv01", tuple(skin.corner_uv01.shape), (len(triangles), 3, 2))
    own_corners = torch.arange(3 * len(triangles), device=triangles.device).view(-1, 3)
    uv, uv_da = interpolate(skin.corner_uv01.reshape(1, -1, 2), rast, own_corners, rast_db, "all")
    return texture(skin.texture_srgb01.flip(0)[None], uv, uv_da, boundary_mode="clamp")
