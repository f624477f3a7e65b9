"""Quick pictures of a finished car by our own rasteriser: textured, softly lit, its shadow under it.  For eyes only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..device import one_thread
from ..frames import NEAR_M, car_to_clip, clip_from_camera, focal_px
from ..paint.texels import vertex_normals
from ..render.rasterize import nearest_triangles
from ..types import Camera, CarAsset

TEXTURE_PX = 1024  # more would only alias at these sizes
LIGHT_CAR = (0.25, -0.35, 0.9)  # mirrored to the camera's side
# the texture holds the photograph's own light: only enough is added to tell top from side
AMBIENT, LAMP = 0.8, 0.35
SHADOW_DARKNESS01 = 0.45
SHADOW_LENGTHWISE = 0.97  # of the car's length, where bumpers round off


@dataclass(frozen=True)
class Model:
    """Body and wheels as one mesh: vertices_car and unit normals (V, 3), triangles (T, 3), their corners' uv01 (T, 3, 2), the texture.

    shadow_car (4, 3): the corners of the ground that lies dark under the car.
    """

    vertices_car: np.ndarray
    normals: np.ndarray
    triangles: np.ndarray
    uv01: np.ndarray
    texture_srgb01: np.ndarray
    shadow_car: np.ndarray


def model_of(asset: CarAsset) -> Model:
    """All that shows of a car."""
    vertices, triangles, uv01, first = [], [], [], 0
    for mesh, centre in [(asset.body, (0.0, 0.0, 0.0)), *((wheel.mesh, wheel.center_car) for wheel in asset.wheels)]:
        vertices.append(mesh.vertices_m + np.asarray(centre, np.float32))
        for corners in ([0, 1, 2], [0, 2, 3]):
            triangles.append(mesh.quads[:, corners].astype(np.int64) + first)
            uv01.append(mesh.uv01[:, corners])
        first += len(mesh.vertices_m)
    points, faces = np.concatenate(vertices), np.concatenate(triangles)
    size = min(TEXTURE_PX, asset.texture.photo_srgb01.shape[0])
    picture = cv2.resize(asset.texture.photo_srgb01, (size, size), interpolation=cv2.INTER_AREA)
    x, y = 0.5 * asset.dimensions_m["width"], asset.body.vertices_m[:, 1]
    low, high = SHADOW_LENGTHWISE * float(y.min()), SHADOW_LENGTHWISE * float(y.max())
    shadow = np.array([[x, low, 0], [x, high, 0], [-x, high, 0], [-x, low, 0]], np.float32)
    return Model(points, vertex_normals(points, faces).astype(np.float32), faces, np.concatenate(uv01), picture, shadow)


def draw_from(model: Model, camera: Camera, finer: int = 2, with_shadow: bool = True) -> np.ndarray:
    """(H, W, 4) float32 premultiplied display values and coverage, row 0 = top: what the camera sees of the car, and of its shadow."""
    width, height = camera.image_size_px
    projection = clip_from_camera(focal_px(camera), width, height)
    car = draw_car(model, camera.camera_to_car, projection, (width, height), finer)
    return over_shadow(car, draw_shadow(model, camera.camera_to_car, projection, (width, height))) if with_shadow else car


def draw_car(model: Model, camera_to_car: np.ndarray, projection: torch.Tensor, size_px: tuple[int, int], finer: int = 2) -> np.ndarray:
    """(H, W, 4) float32 premultiplied display values and coverage, row 0 = top.

    Drawn `finer` times larger and reduced.  A camera that stands inside the car sees what lies before it.
    """
    width, height = size_px[0] * finer, size_px[1] * finer
    pos = car_to_clip(torch.from_numpy(model.vertices_car), torch.from_numpy(np.asarray(camera_to_car, np.float32)), projection)
    with torch.no_grad(), one_thread():
        outside = bool(((model.vertices_car.min(0) > camera_to_car[:3, 3]) | (camera_to_car[:3, 3] > model.vertices_car.max(0))).any())
        ids, _ = nearest_triangles(pos[None], torch.from_numpy(model.triangles), (height, width), front_only=outside)
    shown = ids.view(-1).numpy()
    pixel = np.flatnonzero(shown)
    face = shown[pixel].astype(np.int64) - 1
    first, second = _weights(pos.numpy()[:, [0, 1, 3]][model.triangles], face, pixel, width, height)
    drawn = np.zeros((height * width, 4), np.float32)
    drawn[pixel, :3] = _lit(model, face, first, second, math.copysign(1.0, camera_to_car[0, 3]))
    drawn[pixel, 3] = 1
    return cv2.resize(cv2.flip(drawn.reshape(height, width, 4), 0), size_px, interpolation=cv2.INTER_AREA)


def _weights(corner: np.ndarray, face: np.ndarray, pixel: np.ndarray, width: int, height: int) -> np.ndarray:
    """(2, N) float32 perspective-correct weights of the first two corners of faces (N,) at the middles of pixels (N,), row 0 = bottom.

    corner (T, 3, 3): x, y, w of clip space.  With e_i = c_j x c_k the weights are as e_i . (X, Y, 1): Olano and Greer 1997.
    """
    edges = np.cross(np.roll(corner, -1, 1), np.roll(corner, 1, 1)).transpose(1, 2, 0).astype(np.float32, order="C")
    x, y = (pixel % width + 0.5) * (2 / width) - 1, (pixel // width + 0.5) * (2 / height) - 1
    x, y = x.astype(np.float32), y.astype(np.float32)
    areas = [along_x.take(face) * x + along_y.take(face) * y + rest.take(face) for along_x, along_y, rest in edges]
    total = areas[0] + areas[1] + areas[2]
    return np.clip(np.stack(areas[:2]) / np.where(total == 0, 1, total), 0, 1)


def _lit(model: Model, face: np.ndarray, first: np.ndarray, second: np.ndarray, side: float) -> np.ndarray:
    """(N, 3) display values at places of faces (N,) with these weights of the first two corners, lit from above on the given side."""
    values = np.concatenate([model.uv01, model.normals[model.triangles]], 2)  # (T, 3, 5)
    corner = np.ascontiguousarray(values.transpose(1, 2, 0))
    place = [a.take(face) * first + b.take(face) * second + c.take(face) * (1 - first - second) for a, b, c in zip(*corner, strict=True)]
    size = model.texture_srgb01.shape[0]
    columns = 4096  # OpenCV's maps must be a picture of moderate sides
    maps = np.zeros((2, max(1, -(-len(face) // columns)) * columns), np.float32)
    maps[:, : len(face)] = place[0] * size - 0.5, (1 - place[1]) * size - 0.5
    across, down = maps.reshape(2, -1, columns)
    albedo = cv2.remap(model.texture_srgb01, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    light = np.array([side * LIGHT_CAR[0], LIGHT_CAR[1], LIGHT_CAR[2]], np.float32) / np.linalg.norm(LIGHT_CAR).astype(np.float32)
    toward = sum(normal * part for normal, part in zip(place[2:], light, strict=True))
    return np.minimum(albedo.reshape(-1, 3)[: len(face)] * (AMBIENT + LAMP * np.maximum(toward, 0))[:, None], 1)


def draw_shadow(model: Model, camera_to_car: np.ndarray, projection: torch.Tensor, size_px: tuple[int, int]) -> np.ndarray:
    """(H, W) float32 0..1: the soft dark ground under the car; none where the camera stands on it."""
    width, height = size_px
    to_car = torch.from_numpy(np.asarray(camera_to_car, np.float32))
    pos = car_to_clip(torch.from_numpy(model.shadow_car), to_car, projection).numpy()
    shadow = np.zeros((height, width), np.float32)
    if pos[:, 3].min() < NEAR_M:
        return shadow
    px = (pos[:, :2] / pos[:, 3:] * [0.5, -0.5] + 0.5) * [width, height]
    cv2.fillConvexPoly(shadow, np.rint(px).astype(np.int32), SHADOW_DARKNESS01, lineType=cv2.LINE_AA)
    return cv2.GaussianBlur(shadow, (0, 0), max(width, height) / 60)


def over_shadow(car: np.ndarray, shadow: np.ndarray) -> np.ndarray:
    """A premultiplied picture (H, W, 4) over black of the given strength (H, W), which adds to coverage alone."""
    alpha = car[..., 3] + (1 - car[..., 3]) * shadow
    return np.dstack([car[..., :3], alpha])
