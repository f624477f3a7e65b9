"""Turntables: views of one car agree with its geometry and one another, lamps shine, wheels change cars, photographs fit in."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import imago.core.dataset.make_turntables as make_turntables_module
import imago.core.dataset.turntables as turntables_module
from imago.core.car.draw_car import draw_cars
from imago.core.car.prior import shape_prior
from imago.core.car.space import shape_space
from imago.core.dataset.cars import CarModel
from imago.core.dataset.draw import View, draw
from imago.core.dataset.drawn import invented_model, random_look
from imago.core.dataset.label_maps import label_maps
from imago.core.dataset.make_turntables import cut_photographs, make_turntables
from imago.core.dataset.pictures import Shot, write_shard
from imago.core.dataset.sky import Sky, sky_of
from imago.core.dataset.subject import Subject
from imago.core.dataset.turntables import LOOKS, TURNTABLE_PX, VIEWS, Turntables, photograph_row, read_turntables, turntable_rows
from imago.core.dataset.wheel_swap import swap_wheels, wheel_srgb01
from imago.core.frames import car_to_px, focal_px, orbit
from imago.core.generator.groups import FACTORS, LIGHT_FLOOR, VIEW
from imago.core.generator.latent import EVEN_LIGHT
from imago.core.generator.window import CarBox, view_of, window_camera
from imago.core.perceive.heads import COORDINATE_REACH, PART_CLASSES

from ..training.made_cars import box_car, write_car


@pytest.fixture(scope="module")
def cars() -> list[tuple[CarModel, Subject]]:
    drawn = draw_cars(2, 3, shape_prior(), shape_space(), truncation=0.2)
    return [invented_model(*one) for one in zip(drawn.measures, drawn.coefficients, drawn.body_types, strict=True)]


@pytest.fixture(scope="module")
def skies() -> list[Sky]:
    panorama = np.ones((32, 64, 3), np.float32)
    panorama[:10, :20] = 4
    return [sky_of(panorama)]


@pytest.fixture(scope="module")
def turntables(cars: list[tuple[CarModel, Subject]], skies: list[Sky], tmp_path_factory: pytest.TempPathFactory) -> Turntables:
    folder, random = tmp_path_factory.mktemp("turntables"), np.random.default_rng(0)
    for name, (model, subject) in zip("ab", cars, strict=True):
        write_shard(folder / f"{name}.npz", turntable_rows(model, subject, skies, [cars[0][0]], random, 0))
    return read_turntables([folder])


def box_of(subject: Subject) -> CarBox:
    return CarBox.around(subject.triangles_m[subject.plain])


def test_shards_keep_cars_and_looks_apart(turntables: Turntables) -> None:
    assert len(turntables) == 2 * LOOKS * VIEWS and turntables.rgba.shape[1:] == (TURNTABLE_PX, TURNTABLE_PX, 4)
    assert np.array_equal(np.unique(turntables.car, return_counts=True)[1], [LOOKS * VIEWS] * 2)
    assert np.array_equal(np.unique(turntables.look, return_counts=True)[1], [VIEWS] * 2 * LOOKS)
    for look in np.unique(turntables.look):
        same = turntables.factors[turntables.look == look]
        assert np.array_equal(same, same[:1].repeat(VIEWS, 0), equal_nan=True)
    assert (turntables.rgba[..., :3].max(-1) <= turntables.rgba[..., 3].astype(int) + 1).all()  # premultiplied


def test_views_agree_with_the_car_and_with_one_another(cars: list[tuple[CarModel, Subject]], turntables: Turntables) -> None:
    """A place seen in one picture lies, projected into another where nothing hides it, on the same place of the car."""
    subject, numbers = cars[1][1], np.flatnonzero(turntables.car == 1)
    cameras = [window_camera(turntables.view[k].astype(float), box_of(subject), TURNTABLE_PX) for k in numbers]
    maps = [label_maps(subject, camera.camera_to_car, focal_px(camera), TURNTABLE_PX) for camera in cameras]
    for number, told in zip(numbers, maps, strict=True):
        assert np.abs(turntables.rgba[number, ..., 3] / 255.0 - told.alpha / 255).mean() < 0.006
    agreed = []
    for first, other in ((0, 1), (2, 3), (5, 4)):
        seen = maps[first].part > 0
        places = (maps[first].coordinates[seen] / 255.0 - 0.5) * 2 * COORDINATE_REACH * subject.length_m
        column, row, depth = car_to_px(places, cameras[other]).T
        column, row = column.astype(int).clip(0, TURNTABLE_PX - 1), row.astype(int).clip(0, TURNTABLE_PX - 1)
        there = (maps[other].coordinates[row, column] / 255.0 - 0.5) * 2 * COORDINATE_REACH * subject.length_m
        assert (maps[other].alpha[row, column] > 0).mean() > 0.92  # inside the outline from everywhere, but for 8 bits at its border
        in_front = np.abs(car_to_px(there, cameras[other])[:, 2] - depth) < 0.08
        agreed.append(in_front.mean())
        assert np.median(np.linalg.norm(there - places, axis=1)[in_front]) < 0.06
    assert max(agreed) > 0.3


def test_factors_are_those_of_the_car_and_its_look(cars: list[tuple[CarModel, Subject]], turntables: Turntables) -> None:
    told = dict(zip(FACTORS, turntables.factors[-1].tolist(), strict=True))
    assert sum(value for name, value in told.items() if name.startswith("body_")) == 1 and told[f"body_{cars[1][1].body_type}"] == 1
    assert told["headlights_on"] in (0, 1) and math.isfinite(told["light_up_red"]) and 0 <= told["wheel_red"] <= 1
    assert len(VIEW) == turntables.view.shape[1]


def test_a_white_sky_all_round_is_what_the_generator_calls_even_light(
    cars: list[tuple[CarModel, Subject]], skies: list[Sky], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turntables_module, "EVEN_SHARE", 1.0)
    rows = turntable_rows(*cars[0], skies, [], np.random.default_rng(4), 0)
    told = dict(zip(FACTORS, rows[0]["factors"].tolist(), strict=True))
    for name, value in EVEN_LIGHT.items():
        assert told[name] == pytest.approx(value, abs=1.5 * LIGHT_FLOOR)


def test_the_surface_lies_under_the_picture(turntables: Turntables) -> None:
    apart = np.abs(turntables.surface[:, 0].astype(float) - turntables.rgba[..., 3]).mean((1, 2)) / 255
    assert apart.max() < 0.01 and (turntables.surface[:, 1].max((1, 2)) < len(PART_CLASSES)).all()


def test_lamps_shine_where_they_are_lit(cars: list[tuple[CarModel, Subject]], skies: list[Sky]) -> None:
    model, subject = cars[0]
    look = replace(random_look(skies, np.random.default_rng(1)), exposure=0.4)
    camera = window_camera(np.array([0.3, 0.1, 0.6]), CarBox.around(subject.triangles_m[subject.plain]), 128)
    view = View(camera.camera_to_car, focal_px(camera), (64, 64), 128)
    lamp = subject.part_class == 5
    glow = np.zeros((len(lamp), 3), np.float32)
    glow[lamp] = 8
    dark, lit = (draw(model, view, replace(look, glow_linear=g))[0] for g in (None, glow))
    told = label_maps(subject, camera.camera_to_car, focal_px(camera), 128)
    assert (lit - dark)[told.part == 5].mean() > 0.1 and np.abs(lit - dark)[told.part == 1].mean() < 0.02


def test_swapped_wheels_stand_where_the_old_ones_did(cars: list[tuple[CarModel, Subject]]) -> None:
    model, donor = cars[0][0], cars[1][0]
    swapped, source = swap_wheels(model, donor, 0.5)
    assert len(source) == len(swapped.positions_m) == len(swapped.surface_index)
    assert np.array_equal(swapped.positions_m[source >= 0], model.positions_m[source[source >= 0]])
    for corner in range(4):
        old, new = (m.positions_m[m.wheel_index == corner].reshape(-1, 3) for m in (model, swapped))
        assert np.allclose(old.min(0), new.min(0), atol=1e-4) and np.allclose(old.max(0), new.max(0), atol=1e-4)
    assert (wheel_srgb01(swapped) < wheel_srgb01(donor)).all()
    with pytest.raises(ValueError, match="not 4"):
        swap_wheels(model, replace(donor, wheel_index=np.full_like(donor.wheel_index, 4)))


def test_a_photograph_goes_through_the_same_window(cars: list[tuple[CarModel, Subject]], skies: list[Sky]) -> None:
    """Drawn crooked with another lens and then cut, a car covers what it covers drawn through the window itself."""
    model, subject = cars[0]
    camera, focal = orbit(0.8, 0.15, 8.0, (0.2, 0.3, 0.6)), 300.0
    look = random_look(skies, np.random.default_rng(2))
    image = (draw(model, View(camera, focal, (112, 112), 224), look)[0] * 255).astype(np.uint8)
    shot = Shot(image, label_maps(subject, camera, focal, 224), subject, camera, focal, np.full(3, 0.2), True, 0)
    row = photograph_row(shot, "made", 0)
    assert row is not None
    box = CarBox.around(subject.triangles_m[subject.plain])
    own = window_camera(view_of(camera[:3, 3], box), box, TURNTABLE_PX)
    wanted = label_maps(subject, own.camera_to_car, focal_px(own), TURNTABLE_PX).alpha > 127
    found = row["rgba"][..., 3] > 127
    assert (wanted & found).sum() / (wanted | found).sum() > 0.96
    near = Shot(image, label_maps(subject, camera, 900.0, 224), subject, camera, 900.0, np.full(3, 0.2), True, 0)
    assert photograph_row(near, "made", 0) is None  # cut off by the border


def test_making_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_turntables_module, "CARS_PER_SHARD", 1)
    monkeypatch.setattr(turntables_module, "VIEWS", 1)
    write_car(tmp_path / "cars", "sedan", box_car())
    (tmp_path / "hdri").mkdir()
    cv2.imwrite(str(tmp_path / "hdri" / "plain.hdr"), np.full((16, 32, 3), 0.8, np.float32))
    a_moment = 1e-5
    for wanted in (["drawn_03_00000_made.npz"], ["drawn_03_00000_made.npz", "drawn_03_00001_made.npz"]):
        assert make_turntables(tmp_path / "cars", tmp_path / "hdri", tmp_path / "out", a_moment, 3) == LOOKS
        assert sorted(file.name for file in (tmp_path / "out").iterdir()) == wanted
    found = read_turntables([tmp_path / "out"])
    assert len(found) == 2 * LOOKS and found.drawn.all() and found.name[-1] == "made"
    assert dict(zip(FACTORS, found.factors[-1].tolist(), strict=True))["body_sedan"] == 1


def test_photographs_are_cut_once(tmp_path: Path) -> None:
    write_car(tmp_path / "cars", "sedan", box_car())
    folder = tmp_path / "shots" / "made"
    folder.mkdir(parents=True)
    camera = orbit(math.radians(70), math.radians(12), 8.0, (0.0, 0.0, 0.6))
    shot = {
        "lens_mm": 35,
        "sensor_width_mm": 36.0,
        "camera_to_world": camera.tolist(),
        "paint": [0.5, 0.1, 0.1],
        "others": [],
        "cover": None,
    }
    cv2.imwrite(str(folder / "a.jpg"), np.full((224, 224, 3), 90, np.uint8))
    (folder / "shots.jsonl").write_text(json.dumps(shot | {"file": "a.jpg", "widen_seed": None}) + "\n")
    assert cut_photographs(tmp_path / "cars", tmp_path / "out", [tmp_path / "shots"]) == 1
    assert cut_photographs(tmp_path / "cars", tmp_path / "out", [tmp_path / "shots"]) == 0
    found = read_turntables([tmp_path / "out"])
    assert not found.drawn[0] and math.degrees(found.view[0, 0]) == pytest.approx(70, abs=1.5)
    assert dict(zip(FACTORS, found.factors[0].tolist(), strict=True))["paint_red"] == pytest.approx(0.735, abs=2e-3)


def test_without_panoramas_nothing_can_be_drawn(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no panoramas"):
        make_turntables(tmp_path, tmp_path, tmp_path / "out", 1.0, 0)
    with pytest.raises(FileNotFoundError, match="no turntables"):
        read_turntables([tmp_path])
