"""A small picture of a finished car, for lists of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch

from ..frames import azimuth_elevation, car_to_clip, clip_from_camera, orbit
from ..types import CarAsset
from .drawing import draw_car, draw_shadow, model_of, over_shadow
from .png import write_png

SIZE_PX, FINER = 256, 3
QUARTER_RAD = math.radians(38)
ELEVATION_RAD = math.radians(14)
DISTANCE_LENGTHS = 4.0
FILL = 0.96  # of the picture's side that the car takes


def draw_thumbnail(asset: CarAsset) -> np.ndarray:
    """(256, 256, 4) uint8 sRGB with straight alpha: the textured car, three-quarter, from the side that the photograph shows."""
    model = model_of(asset)
    matrix = _camera(asset)
    framing = _framing(model.vertices_car, matrix)
    car = draw_car(model, matrix, framing, (SIZE_PX, SIZE_PX), FINER)
    small = over_shadow(car, draw_shadow(model, matrix, framing, (SIZE_PX, SIZE_PX)))
    straight = np.concatenate([small[..., :3] / np.maximum(small[..., 3:], 1e-4), small[..., 3:]], -1)
    return np.rint(np.clip(straight, 0, 1) * 255).astype(np.uint8)


def save_thumbnail(picture: np.ndarray, path: Path) -> None:
    """Write (H, W, 4) uint8 as PNG."""
    write_png(picture, path)


def _camera(asset: CarAsset) -> np.ndarray:
    """camera_to_car (4, 4) of the three-quarter view nearest to the photograph's."""
    azimuth = azimuth_elevation(asset.camera)[0]
    front = math.cos(azimuth) >= -0.1  # a plain side view counts as one of the nose
    around = QUARTER_RAD if front else math.pi - QUARTER_RAD
    size = asset.dimensions_m
    return orbit(math.copysign(around, math.sin(azimuth)), ELEVATION_RAD, DISTANCE_LENGTHS * size["length"], (0.0, 0.0, size["height"] / 2))


def _framing(vertices_car: np.ndarray, matrix: np.ndarray) -> torch.Tensor:
    """Projection (4, 4) with the car in the picture's middle, filling it."""
    projection = clip_from_camera(DISTANCE_LENGTHS * SIZE_PX, SIZE_PX, SIZE_PX)
    pos = car_to_clip(torch.from_numpy(vertices_car), torch.from_numpy(matrix).float(), projection)
    flat = pos[:, :2] / pos[:, 3:]
    low, high = flat.amin(0), flat.amax(0)
    scale = 2 * FILL / float((high - low).max())
    middle = (low + high) / 2
    shift = torch.eye(4)
    shift[0, 0] = shift[1, 1] = scale
    shift[0, 3], shift[1, 3] = -scale * middle[0], -scale * middle[1]
    return shift @ projection
