"""preview.png: rendered views in a studio whose floor is rendered once, drawn ones for a draft."""

from __future__ import annotations

import dataclasses
import math

import bpy
import numpy as np
import pytest

from imago.addon import preview
from imago.addon.scene.floor import BACKDROP_LINEAR, FADE_LENGTHS, PICTURE_PX, camera_above, faded, under_view
from imago.addon.scene.scene import CarObjects, build_car
from imago.addon.scene.studio import add_sky, draw_studio, orbit_camera, render, set_quick_cycles
from imago.core.asset.drawing import draw_from, model_of

from .synthetic import HEIGHT_M, LENGTH_M, WIDTH_M, synthetic_car

SIZE_M = (LENGTH_M, WIDTH_M, HEIGHT_M)
GREY = np.full((120, 180, 3), 0.5, np.float32)


@pytest.fixture
def car() -> CarObjects:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    car = build_car(synthetic_car())
    add_sky(bpy.context.scene)
    return car


def test_a_draft_is_drawn_and_not_rendered(car: CarObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    asset = synthetic_car()
    monkeypatch.setattr(preview, "draw_studio", None)
    draft = dataclasses.replace(asset, settings=dataclasses.replace(asset.settings, quality="draft"))
    before = len(bpy.data.objects)
    page = np.asarray(preview.draw_preview(draft, car, GREY))
    assert page.shape[1] == 3 * preview.TILE_PX[0] + 4 * preview.GAP_PX and len(bpy.data.objects) == before
    left = preview.GAP_PX
    for _ in range(3):
        tile = page[-preview.GAP_PX - preview.TILE_PX[1] : -preview.GAP_PX, left : left + preview.TILE_PX[0]]
        assert tile.std() > 20 and np.abs(tile[4, 4] / 255 - preview.BACKDROP_SRGB01).max() < 0.01
        left += preview.TILE_PX[0] + preview.GAP_PX


def test_the_overlay_outlines_the_fitted_car(car: CarObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    monkeypatch.setattr(preview, "_lay_out", lambda top, views: shown.extend(np.asarray(picture) for picture in top))
    asset = synthetic_car()
    preview.draw_preview(dataclasses.replace(asset, settings=dataclasses.replace(asset.settings, quality="draft")), car, GREY)
    photo, overlay = shown
    assert photo.shape == (120, 180, 3) and overlay.shape == (400, 600, 3)
    line = np.abs(overlay / 255 - preview.TINT_SRGB01).max(-1) < 0.01
    assert 500 < line.sum() < 5000 and (overlay[0, 0] == 128).all()


def test_the_floor_fades_into_the_backdrop() -> None:
    backdrop = 1.055 * np.array(BACKDROP_LINEAR) ** (1 / 2.4) - 0.055
    picture = faded(np.full((PICTURE_PX, PICTURE_PX, 3), 0.6, np.float32))
    middle = PICTURE_PX // 2
    assert np.abs(picture[middle, middle] - 0.6).max() < 1e-3 and np.abs(picture[middle, -1] - backdrop).max() < 1e-3
    assert (np.diff(picture[middle, middle:, 0]) >= 0).all()
    view = under_view(picture, orbit_camera(38.0, 12.0, SIZE_M, (210, 150)), LENGTH_M)
    assert np.abs(view[0] - backdrop).max() < 1e-3, "above the horizon"
    assert np.abs(view[75, 105] - 0.6).max() < 0.05, "beside the car"


def test_the_floor_lies_where_the_camera_sees_it() -> None:
    """A dark spot on the floor's picture comes back at the pixel that looks at its place."""
    camera, spot = orbit_camera(38.0, 12.0, SIZE_M, (420, 300)), np.array([1.0, -0.5, 0.0])
    side = 2 * FADE_LENGTHS[1] * LENGTH_M / PICTURE_PX
    picture = np.ones((PICTURE_PX, PICTURE_PX, 3), np.float32)
    picture[int(PICTURE_PX / 2 - spot[1] / side), int(PICTURE_PX / 2 + spot[0] / side)] = 0
    local = (spot - camera.camera_to_car[:3, 3]) @ camera.camera_to_car[:3, :3]
    focal = camera.lens_mm / camera.sensor_width_mm * 420
    row, column = 150 - focal * local[1] / -local[2], 210 + focal * local[0] / -local[2]
    view = under_view(picture, camera, LENGTH_M)[..., 0]
    found = np.argwhere(view < 0.6).mean(0)
    assert abs(found[0] - row) < 4 and abs(found[1] - column) < 6
    above = camera_above(LENGTH_M)
    assert above.lens_mm / above.sensor_width_mm == pytest.approx(above.camera_to_car[2, 3] / (PICTURE_PX * side))


def test_a_long_tail_is_as_far_from_the_picture_s_edge_as_the_nose() -> None:
    """Drawn from the side: the car's middle is not midway between its axles."""
    asset = synthetic_car()
    tail = asset.body.vertices_m[:, 1] > 0.5
    longer = asset.body.vertices_m + np.outer(tail, [0, 0.8, 0]).astype(np.float32)
    longer_asset = dataclasses.replace(asset, body=dataclasses.replace(asset.body, vertices_m=longer))
    dimensions = longer_asset.dimensions_m | {"length": float(np.ptp(longer[:, 1]))}
    longer_asset = dataclasses.replace(longer_asset, dimensions_m=dimensions)
    camera = preview.cameras_round(longer_asset)[1]
    columns = np.flatnonzero((draw_from(model_of(longer_asset), camera, with_shadow=False)[..., 3] > 0.5).any(0))
    left, right = columns[0], camera.image_size_px[0] - 1 - columns[-1]
    assert left > 4 and abs(left - right) <= 2


def test_part_of_a_picture_is_the_part_of_the_whole(car: CarObjects) -> None:
    set_quick_cycles(bpy.context.scene, (96, 64), samples=1)
    bpy.context.scene.cycles.use_denoising = False
    camera = orbit_camera(38.0, 12.0, SIZE_M, (96, 64))
    whole = render(bpy.context.scene, camera)
    part = render(bpy.context.scene, camera, box_px=(11, 20, 80, 53))
    assert part.shape == (33, 69, 4)
    # other samples, the same place: shifted by a pixel the pictures differ several times as much
    error, shifted = (np.abs(part - whole[20 + by : 53 + by, 11:80]).mean() for by in (0, 1))
    assert error < 0.5 * shifted


def test_views_of_the_studio_hold_car_and_shadow(car: CarObjects) -> None:
    set_quick_cycles(bpy.context.scene, (210, 150), samples=2)
    (view,) = draw_studio(car, [orbit_camera(90.0, 6.0, SIZE_M, (210, 150))], SIZE_M)
    assert view.shape == (150, 210, 3)
    backdrop = 1.055 * np.array(BACKDROP_LINEAR) ** (1 / 2.4) - 0.055
    assert np.abs(view[5] - backdrop).max() < 0.02
    assert view[75, 105].max() < 0.75 * view[5, 105].max(), "the car"
    below = view[:, 105].mean(-1)
    assert below[110:].min() < 0.9 * below[-1] < 0.95, "the ground is darker under the car than before it"
    assert math.isfinite(view.sum())
