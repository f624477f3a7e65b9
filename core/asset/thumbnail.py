"""A small picture of a finished car, for lists of them."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from ..frames import azimuth_elevation, car_to_clip, clip_from_camera, orbit
from ..render.render import antialias, interpolate, rasterize, texture
from ..types import CarAsset

SIZE_PX, DRAWN_PX = 256, 768
QUARTER_RAD = math.radians(38)
ELEVATION_RAD = math.radians(14)
DISTANCE_LENGTHS = 4.0
FILL = 0.96  # of the picture's side that the car takes
TEXTURE_PX = 1024
SHADOW_DARKNESS01 = 0.45
LIGHT_CAR = (0.25, -0.35, 0.9)  # mirrored to the camera's side


def draw_thumbnail(asset: CarAsset) -> np.ndarray:
    """(256, 256, 4) uint8 sRGB with straight alpha: the textured car, three-quarter, from the side that the photograph shows."""
    vertices, triangles, uv01, normals = _whole(asset)
    matrix = _camera(asset)
    pos_clip, framing = _framed(vertices, matrix)
    drawn = _draw(asset, pos_clip, triangles, uv01, normals, side=math.copysign(1.0, matrix[0, 3]))
    shadow = _shadow(asset, matrix, framing)
    alpha = drawn[..., 3:] + (1 - drawn[..., 3:]) * shadow[..., None]  # the shadow is black, so it adds to alpha alone
    layers = np.concatenate([drawn[..., :3], alpha], -1)
    small = cv2.resize(layers, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA)
    straight = np.concatenate([small[..., :3] / np.maximum(small[..., 3:], 1e-4), small[..., 3:]], -1)
    return np.rint(np.clip(straight, 0, 1) * 255).astype(np.uint8)


def save_thumbnail(picture: np.ndarray, path: Path) -> None:
    """Write (H, W, 4) uint8 as PNG."""
    Image.fromarray(picture).save(path)


def _whole(asset: CarAsset) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Body and wheels: vertices (V, 3), triangles (T, 3), their corners' uv01 (T, 3, 2) and unit normals (V, 3)."""
    vertices, triangles, uv01, first = [], [], [], 0
    for mesh, centre in [(asset.body, (0.0, 0.0, 0.0)), *((wheel.mesh, wheel.center_car) for wheel in asset.wheels)]:
        vertices.append(mesh.vertices_m + np.asarray(centre, np.float32))
        for corners in ([0, 1, 2], [0, 2, 3]):
            triangles.append(mesh.quads[:, corners].astype(np.int64) + first)
            uv01.append(mesh.uv01[:, corners])
        first += len(mesh.vertices_m)
    points, faces = np.concatenate(vertices), np.concatenate(triangles)
    across = np.cross(points[faces[:, 1]] - points[faces[:, 0]], points[faces[:, 2]] - points[faces[:, 0]])
    normals = np.zeros_like(points)
    for corner in range(3):
        np.add.at(normals, faces[:, corner], across)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return torch.from_numpy(points), torch.from_numpy(faces), torch.from_numpy(np.concatenate(uv01)), torch.from_numpy(normals)


def _camera(asset: CarAsset) -> np.ndarray:
    """camera_to_car (4, 4) of the three-quarter view nearest to the photograph's."""
    azimuth = azimuth_elevation(asset.camera)[0]
    front = math.cos(azimuth) >= -0.1  # a plain side view counts as one of the nose
    around = QUARTER_RAD if front else math.pi - QUARTER_RAD
    size = asset.dimensions_m
    return orbit(math.copysign(around, math.sin(azimuth)), ELEVATION_RAD, DISTANCE_LENGTHS * size["length"], (0.0, 0.0, size["height"] / 2))


def _framed(vertices: torch.Tensor, matrix: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Clip positions (1, V, 4) with the car in the picture's middle, filling it; and the (4, 4) that frames other points alike."""
    projection = clip_from_camera(DISTANCE_LENGTHS * DRAWN_PX, DRAWN_PX, DRAWN_PX)
    camera = torch.from_numpy(matrix).float()
    pos = car_to_clip(vertices, camera, projection)
    flat = pos[:, :2] / pos[:, 3:]
    low, high = flat.amin(0), flat.amax(0)
    scale = 2 * FILL / float((high - low).max())
    middle = (low + high) / 2
    shift = torch.eye(4)
    shift[0, 0] = shift[1, 1] = scale
    shift[0, 3], shift[1, 3] = -scale * middle[0], -scale * middle[1]
    framing = shift @ projection
    return car_to_clip(vertices, camera, framing)[None], framing


@torch.no_grad()
def _draw(
    asset: CarAsset, pos_clip: torch.Tensor, triangles: torch.Tensor, uv01: torch.Tensor, normals: torch.Tensor, side: float
) -> np.ndarray:
    """(DRAWN_PX, DRAWN_PX, 4) float32, row 0 = top, colour times coverage, and coverage."""
    rast, rast_db = rasterize(pos_clip, triangles, (DRAWN_PX, DRAWN_PX), grad_db=False)
    own_corners = torch.arange(3 * len(triangles)).view(-1, 3)
    uv, uv_da = interpolate(uv01.reshape(1, -1, 2), rast, own_corners, rast_db, "all")
    size = min(TEXTURE_PX, asset.texture.photo_srgb01.shape[0])
    picture = cv2.resize(asset.texture.photo_srgb01, (size, size), interpolation=cv2.INTER_AREA)
    albedo = texture(torch.from_numpy(picture[::-1].copy())[None], uv, uv_da, boundary_mode="clamp")
    normal = interpolate(normals[None], rast, triangles)[0]
    light = torch.nn.functional.normalize(torch.tensor([side * LIGHT_CAR[0], LIGHT_CAR[1], LIGHT_CAR[2]]), dim=0)
    # the texture holds the photograph's own light: only enough is added to tell top from side
    lit = albedo * (0.8 + 0.35 * (normal @ light).clamp_min(0)[..., None])
    covered = (rast[..., 3:] > 0).float()
    return antialias(torch.cat([lit.clamp(0, 1) * covered, covered], -1), rast, pos_clip, triangles).flip(1)[0].numpy()


def _shadow(asset: CarAsset, matrix: np.ndarray, framing: torch.Tensor) -> np.ndarray:
    """(DRAWN_PX, DRAWN_PX) float32 0..1: the soft dark ground under the car."""
    x, y = 0.5 * asset.dimensions_m["width"], asset.body.vertices_m[:, 1]
    low, high = 0.97 * float(y.min()), 0.97 * float(y.max())
    corners = torch.tensor([[x, low, 0], [x, high, 0], [-x, high, 0], [-x, low, 0]], dtype=torch.float32)
    pos = car_to_clip(corners, torch.from_numpy(matrix).float(), framing).numpy()
    flat = pos[:, :2] / pos[:, 3:]
    px = np.stack([(flat[:, 0] + 1) / 2, (1 - flat[:, 1]) / 2], 1) * DRAWN_PX
    shadow = np.zeros((DRAWN_PX, DRAWN_PX), np.float32)
    cv2.fillConvexPoly(shadow, np.rint(px).astype(np.int32), SHADOW_DARKNESS01, lineType=cv2.LINE_AA)
    return cv2.GaussianBlur(shadow, (0, 0), DRAWN_PX / 60)
