"""Labels of pictures: places project onto their own pixels, parts and mattes are the drawn car's, what stands in front hides it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from imago.core.car.draw_car import draw_cars
from imago.core.car.prior import shape_prior
from imago.core.car.space import shape_space
from imago.core.dataset.cars import read_cars, read_model
from imago.core.dataset.deform import widen
from imago.core.dataset.drawn import invented_model, invented_rows
from imago.core.dataset.label_maps import LabelMaps, label_maps
from imago.core.dataset.make_pictures import make_pictures
from imago.core.dataset.pictures import STORED_PX, read_shards, wheel_boxes_px
from imago.core.dataset.sky import sky_of
from imago.core.dataset.subject import Subject, SubjectMaker
from imago.core.frames import orbit
from imago.core.perceive.heads import COORDINATE_REACH, FIGURES, PART_CLASSES

from ..training.made_cars import box_car, write_car

SIZE, FOCAL = 160, 190.0


@pytest.fixture(scope="module")
def invented() -> Subject:
    drawn = draw_cars(1, 3, shape_prior(), shape_space(), truncation=0.2)
    return invented_model(drawn.measures[0], drawn.coefficients[0], drawn.body_types[0])[1]


def camera_at(azimuth_deg: float) -> np.ndarray:
    return orbit(math.radians(azimuth_deg), math.radians(12), 8.0, (0.0, 0.0, 0.6))


def projected(points: np.ndarray, camera: np.ndarray) -> np.ndarray:
    local = (points - camera[:3, 3]) @ camera[:3, :3]
    return np.stack([local[:, 0], -local[:, 1]], 1) / -local[:, 2:] * FOCAL + SIZE / 2


def places_of(maps: LabelMaps, subject: Subject) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, columns = np.nonzero(maps.part != 0)
    known = maps.part[rows, columns] != 255
    rows, columns = rows[known], columns[known]
    places = (maps.coordinates[rows, columns].astype(float) / 255 - 0.5) * 2 * COORDINATE_REACH * subject.length_m
    return places, rows, columns


@pytest.mark.parametrize("azimuth_deg", [0, 35, 90, 200, 320])
def test_places_fall_on_their_own_pixels(invented: Subject, azimuth_deg: float) -> None:
    camera = camera_at(azimuth_deg)
    places, rows, columns = places_of(label_maps(invented, camera, FOCAL, SIZE), invented)
    apart = np.abs(projected(places, camera) - np.stack([columns + 0.75, rows + 0.75], 1))
    step_px = 2 * COORDINATE_REACH * invented.length_m / 255 * FOCAL / 6
    assert len(rows) > 1000 and np.percentile(apart, 99) < step_px + 0.5


def test_the_near_flank_is_on_the_side_of_the_camera(invented: Subject) -> None:
    for azimuth, sign in ((90, 1), (-90, -1)):  # left is +X
        places, _, _ = places_of(label_maps(invented, camera_at(azimuth), FOCAL, SIZE), invented)
        assert (sign * places[:, 0]).mean() > 0.3


def test_parts_lie_where_cars_have_them(invented: Subject) -> None:
    front, rear = (label_maps(invented, camera_at(azimuth), FOCAL, SIZE) for azimuth in (0, 180))
    count = {
        name: [(maps.part == PART_CLASSES.index(name)).sum() for maps in (front, rear)] for name in ("headlight", "taillight", "windshield")
    }
    assert count["headlight"][0] > 20 > count["headlight"][1] and count["taillight"][1] > 20 > count["taillight"][0]
    assert count["windshield"][0] > 4 * count["windshield"][1]


def test_another_car_in_front_hides_and_one_behind_does_not(invented: Subject) -> None:
    camera, alone = camera_at(90), label_maps(invented, camera_at(90), FOCAL, SIZE)
    near, far = (invented.triangles_m + np.array([x, 1.5, 0], np.float32) for x in (2.5, -4.0))
    before, behind = (label_maps(invented, camera, FOCAL, SIZE, [other]) for other in (near, far))
    assert before.alpha.sum() < 0.8 * alone.alpha.sum() and before.any_car.sum() > alone.any_car.sum()
    assert (behind.alpha == alone.alpha).all() and behind.any_car.sum() > alone.any_car.sum()
    assert (before.part[before.alpha == 0] == 0).all()


def test_what_covers_the_car_is_no_car(invented: Subject) -> None:
    cover = np.zeros((SIZE, SIZE), np.uint8)
    cover[:, : SIZE // 2] = 255
    maps = label_maps(invented, camera_at(90), FOCAL, SIZE, (), cover)
    assert maps.alpha[:, : SIZE // 2 - 1].max() == 0 and maps.any_car[:, : SIZE // 2 - 1].max() == 0 and maps.alpha.max() == 255


def test_wheels_are_boxes_round_the_tyres(invented: Subject) -> None:
    boxes = wheel_boxes_px(invented, camera_at(90), FOCAL, SIZE)
    assert boxes[:, 4].tolist() == [1, 0, 1, 0]  # from the left only the left ones are turned to the camera
    x, y, z, radius, width = invented.wheels[0]
    assert boxes[0, :2] == pytest.approx(projected(np.array([[x + width / 2, y, z]]), camera_at(90))[0], abs=0.3)
    assert boxes[0, 2] == pytest.approx(boxes[0, 3], rel=0.1) and boxes[0, 2] == pytest.approx(radius * FOCAL / (8 - x), rel=0.08)


def test_photographs_are_labelled_once_with_the_form_they_show(tmp_path: Path) -> None:
    write_car(tmp_path / "cars", "sedan", box_car())
    model = read_model(tmp_path / "cars", read_cars(tmp_path / "cars" / "cars.csv")[0])
    folder = tmp_path / "shots" / "made"
    folder.mkdir(parents=True)
    shot = {
        "lens_mm": 50,
        "sensor_width_mm": 36.0,
        "camera_to_world": camera_at(70).tolist(),
        "paint": [0.5, 0.1, 0.1],
        "others": [],
        "cover": None,
    }
    lines = []
    for name, seed in (("a", None), ("b", 5)):
        cv2.imwrite(str(folder / f"{name}.jpg"), np.full((STORED_PX, STORED_PX, 3), 90, np.uint8))
        lines.append(json.dumps(shot | {"file": f"{name}.jpg", "widen_seed": seed}))
    (folder / "shots.jsonl").write_text("\n".join(lines) + "\n")
    assert make_pictures(tmp_path / "cars", tmp_path / "out", [tmp_path / "shots"]) == 2
    assert make_pictures(tmp_path / "cars", tmp_path / "out", [tmp_path / "shots"]) == 0
    pictures = read_shards([tmp_path / "out"])
    wide = SubjectMaker(model).subject(widen(model, np.random.default_rng(5)))
    told = [dict(zip(FIGURES, row, strict=True)) for row in pictures.figures]
    assert math.exp(told[0]["log_wheelbase"]) == pytest.approx(2.4 / 4.2, abs=2e-3)
    assert told[1]["log_height"] == pytest.approx(wide.figures()["log_height"], abs=1e-6) != pytest.approx(told[0]["log_height"], abs=1e-3)
    assert pictures.paint_srgb01[0] == pytest.approx([0.735, 0.349, 0.349], abs=2e-3) and pictures.any_known.all()
    assert math.degrees(pictures.azimuth_rad[0]) == pytest.approx(70, abs=1.5)  # the axles' middle is a little behind the car's


@pytest.mark.slow
def test_draws_of_the_shape_space_become_pictures() -> None:
    skies = [sky_of(np.ones((32, 64, 3), np.float32))]
    rows = invented_rows(draw_cars(2, 1, shape_prior(), shape_space(), truncation=0.2), skies, np.random.default_rng(0))
    assert len(rows) >= 2
    for row in rows:
        inside = row["alpha"] > 127
        assert row["image"].shape == (STORED_PX, STORED_PX, 3) and inside.mean() > 0.01
        assert (row["part"][inside] != 0).mean() > 0.97
