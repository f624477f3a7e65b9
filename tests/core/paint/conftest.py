"""A car-like box with a photograph of it, drawn by the project's own rasteriser from an exact colour function."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from imago.core.frames import car_to_clip, clip_from_camera, focal_px, orbit
from imago.core.paint import paint as painting
from imago.core.paint.paint import paint
from imago.core.render.render import interpolate, rasterize
from imago.core.types import Camera, CarShape, Fit, Matte, MeshData, Photo, Texture

HALF_M = np.array([0.9, 2.2, 0.7])
PARTS = ("door_front_left", "door_front_right", "bumper_front", "bumper_rear", "roof", "underbody")
BACKGROUND = (1.0, 0.0, 1.0)
CELLS = 12


@dataclass(frozen=True)
class Shot:
    """A box with its photograph; `truth` gives srgb01 for points (N, 3) of the car frame."""

    body: MeshData
    photo: Photo
    matte: Matte
    fit: Fit
    truth: Callable[[np.ndarray], np.ndarray]

    def paint(self, size_px: int = 512, report=lambda stage, fraction: None) -> Texture:
        return paint(self.photo, self.matte, self.fit, self.body, (), size_px, report)


def box(parts: tuple[str, ...] = PARTS) -> MeshData:
    """Six grids of quads, each an island of its own in three columns and two rows; in the order left, right, front, rear, top, bottom."""
    sides = [(0, 1, 1), (0, -1, 1), (1, -1, 0), (1, 1, 0), (2, 1, 0), (2, -1, 0)]
    vertices, quads, uv, part = [], [], [], []
    grid = np.arange((CELLS + 1) ** 2).reshape(CELLS + 1, CELLS + 1)
    cell = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], -1).reshape(-1, 4)
    line = np.linspace(-1, 1, CELLS + 1)
    for number, (axis, sign, along) in enumerate(sides):
        other = 3 - axis - along
        points = np.zeros((CELLS + 1, CELLS + 1, 3))
        points[..., axis], points[..., along], points[..., other] = sign, line[None, :], line[:, None]
        flat = points.reshape(-1, 3)
        out = np.cross(flat[cell[0, 1]] - flat[cell[0, 0]], flat[cell[0, 2]] - flat[cell[0, 0]])[axis] * sign
        column, row = number % 3, number // 3
        place = (np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) * 0.42 + 0.5 + [column, row]) / [3, 2]
        turned = cell if out > 0 else cell[:, ::-1]
        quads.append(turned + len(flat) * number)
        uv.append(place[turned])
        vertices.append(flat * HALF_M + [0, 0, HALF_M[2] + 0.2])
        part.append(np.full(len(cell), number))
    return MeshData(
        np.concatenate(vertices).astype(np.float32), np.concatenate(quads).astype(np.int32), np.concatenate(uv).astype(np.float32),
        np.concatenate(part).astype(np.int32), parts,
    )  # fmt: skip


def photograph(body: MeshData, truth, azimuth_degrees: float = 50.0, size_px: tuple[int, int] = (900, 600)) -> Shot:
    width, height = size_px
    camera = Camera(size_px, 45.0, orbit(math.radians(azimuth_degrees), 0.3, 7.0, (0, 0, 0.8)))
    vertices = torch.from_numpy(body.vertices_m)[None]
    triangles = torch.from_numpy(np.concatenate([body.quads[:, [0, 1, 2]], body.quads[:, [0, 2, 3]]]).astype(np.int64))
    fine = 2
    projection = clip_from_camera(focal_px(camera) * fine, width * fine, height * fine)
    to_car = torch.tensor(camera.camera_to_car, dtype=torch.float32)[None]
    rast, _ = rasterize(car_to_clip(vertices, to_car, projection), triangles, (height * fine, width * fine), with_db=False)
    point = interpolate(vertices, rast, triangles)[0][0].flip(0).numpy()
    covered = (rast[0, ..., 3:] > 0).flip(0).numpy()
    color = np.where(covered, truth(point.reshape(-1, 3)).reshape(point.shape), BACKGROUND)
    small = np.concatenate([color, covered], -1).reshape(height, fine, width, fine, 4).mean((1, 3)).astype(np.float32)
    fit = Fit(CarShape({}, "van"), camera, 1.0, 1.0)
    return Shot(body, Photo("box.png", small[..., :3].copy()), Matte(small[..., 3].copy(), "test", 1.0), fit, truth)


def stripes(points: np.ndarray) -> np.ndarray:
    """A smooth pattern without magenta, the same on both flanks."""
    y, z = points[:, 1], points[:, 2]
    return np.stack([0.15 + 0.1 * np.sin(3 * z), 0.5 + 0.3 * np.sin(4 * y), 0.4 + 0.2 * np.cos(5 * z + y)], 1)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_shot():
    def make(truth=stripes, parts=PARTS, **camera) -> Shot:
        return photograph(box(parts), truth, **camera)

    return make


@pytest.fixture(scope="session")
def striped(make_shot):
    """The stripes as they are: no light is taken off them."""
    shot = make_shot()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(painting, "EVENED", 0.0)
        return shot, shot.paint()
