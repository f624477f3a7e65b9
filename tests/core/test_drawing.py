"""Drawn pictures of a finished car show what its camera would see."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from imago.core.asset.drawing import Model, draw_from, model_of
from imago.core.asset.thumbnail import draw_thumbnail
from imago.core.frames import car_to_px
from imago.core.types import Camera, CarAsset


def _synthetic() -> ModuleType:
    spec = importlib.util.spec_from_file_location("synthetic", Path(__file__).parents[1] / "addon" / "synthetic.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def asset() -> CarAsset:
    return _synthetic().synthetic_car()


@pytest.fixture(scope="module")
def model(asset: CarAsset) -> Model:
    return model_of(asset)


@pytest.mark.parametrize("azimuth_rad", [0.6, 2.5, -1.2])
def test_the_car_lies_where_its_vertices_are(model: Model, azimuth_rad: float) -> None:
    camera = Camera((300, 200), 50.0, _synthetic().look_at(azimuth_rad, 0.2, 9.0))
    drawn = draw_from(model, camera, with_shadow=False)
    px = car_to_px(model.vertices_car, camera)[:, :2]
    rows, columns = np.flatnonzero((drawn[..., 3] > 0.5).any(1)), np.flatnonzero((drawn[..., 3] > 0.5).any(0))
    found = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
    assert np.abs(found - [*px.min(0), *px.max(0)]).max() < 1.0
    assert drawn.min() >= 0 and drawn.max() <= 1 and (drawn[drawn[..., 3] == 0] == 0).all()


def test_every_face_takes_its_own_texels(asset: CarAsset) -> None:
    """The left half red and the right half green in the texture of a mesh's own place: each side shows its colour."""
    texture = np.zeros((64, 64, 3), np.float32)
    texture[:, :32, 0] = texture[:, 32:, 1] = 1
    side = asset.body.vertices_m[asset.body.quads].mean(1)[:, 0] > 0
    uv01 = np.where(side[:, None, None], np.float32(0.25), np.float32(0.75)) * np.ones_like(asset.body.uv01)
    painted = dataclasses.replace(
        asset,
        body=dataclasses.replace(asset.body, uv01=uv01),
        texture=dataclasses.replace(asset.texture, photo_srgb01=texture, confidence01=texture[..., 0]),
    )
    for azimuth_rad, channel in ((np.pi / 2, 0), (-np.pi / 2, 1)):
        drawn = draw_from(model_of(painted), Camera((120, 80), 50.0, _synthetic().look_at(azimuth_rad, 0.0, 9.0)), with_shadow=False)
        middle = drawn[38:42, 55:65]
        assert middle[..., channel].min() > 0.7 and middle[..., 1 - channel].max() < 1e-4


def test_the_shadow_lies_on_the_ground_and_adds_no_colour(model: Model) -> None:
    camera = Camera((300, 200), 50.0, _synthetic().look_at(0.6, 0.2, 9.0))
    bare, shaded = draw_from(model, camera, with_shadow=False), draw_from(model, camera)
    assert (bare[..., :3] == shaded[..., :3]).all() and (shaded[..., 3] >= bare[..., 3]).all()
    gained = shaded[..., 3] - bare[..., 3] > 0.1
    assert gained.any() and np.flatnonzero(gained.any(1)).min() > np.flatnonzero((bare[..., 3] > 0).any(1)).min()


def test_a_camera_on_the_ground_draws_no_shadow(model: Model) -> None:
    matrix = np.eye(4)
    matrix[2, 3] = 1.0  # within the car, looking at the ground
    assert np.isfinite(draw_from(model, Camera((60, 40), 50.0, matrix))).all()


def test_from_inside_the_car_its_floor_is_seen_though_that_shows_its_back(model: Model) -> None:
    matrix = np.eye(4)
    matrix[2, 3] = 0.8
    assert draw_from(model, Camera((60, 40), 50.0, matrix), with_shadow=False)[..., 3].min() > 0.9


def test_thumbnail_is_filled_by_the_car(asset: CarAsset) -> None:
    picture = draw_thumbnail(asset)
    assert picture.shape == (256, 256, 4) and picture.dtype == np.uint8
    assert np.ptp(np.flatnonzero((picture[..., 3] > 250).any(0))) > 0.9 * 256
