"""Reading the car table, drawing and labelling views; cars are made here."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import trimesh
from trimesh.visual.material import PBRMaterial

from imago.core.dataset.cars import NO_WHEEL, CarModel, CarRow, body_type_of, proportions, read_cars, read_model
from imago.core.dataset.deform import widen
from imago.core.dataset.draw import View, draw
from imago.core.dataset.drawn import random_look, random_view
from imago.core.dataset.make_pictures import every_type_alike
from imago.core.dataset.sky import look, sky_of
from imago.core.dataset.subject import SubjectMaker
from imago.core.dataset.zbuffer import rasterize
from imago.core.errors import UserInputError
from imago.core.frames import orbit

TABLE = "name,split,body,author,licence,source\nbox,train,sport sedan,me,CC0,here\nother,dev,estate,me,CC0,here\n"


def write_box_car(folder: Path) -> None:
    """A box 4 m long, 1.6 wide and 1.2 high on four wheels of 0.3 m radius, wheelbase 2.4, in glTF's axes."""
    scene = trimesh.Scene()
    body = trimesh.creation.box((1.6, 1.0, 4.0), transform=trimesh.transformations.translation_matrix((0, 0.7, 0)))
    body.visual = trimesh.visual.TextureVisuals(
        uv=np.zeros((len(body.vertices), 2)), material=PBRMaterial(name="Bodymat", baseColorFactor=[200, 20, 20, 255])
    )
    scene.add_geometry(body, node_name="body")
    for name, x, z in (("FL", 0.7, 1.2), ("FR", -0.7, 1.2), ("RL", 0.7, -1.2), ("RR", -0.7, -1.2)):
        wheel = trimesh.creation.cylinder(0.3, 0.2, sections=24)
        wheel.apply_transform(trimesh.transformations.rotation_matrix(math.pi / 2, (0, 1, 0)))
        wheel.apply_translation((x, 0.3, z))
        wheel.visual = trimesh.visual.TextureVisuals(uv=np.zeros((len(wheel.vertices), 2)), material=PBRMaterial(name="Tire"))
        scene.add_geometry(wheel, node_name=f"Wheel_{name}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "box.glb").write_bytes(scene.export(file_type="glb"))
    (folder / "cars.csv").write_text(TABLE)


@pytest.fixture
def box_car(tmp_path: Path) -> CarModel:
    write_box_car(tmp_path)
    return read_model(tmp_path, read_cars(tmp_path / "cars.csv")[0])


def test_the_table_is_read_and_split(tmp_path: Path) -> None:
    write_box_car(tmp_path)
    assert [row.body_type for row in read_cars(tmp_path / "cars.csv")] == ["sedan", "wagon"]
    assert [row.name for row in read_cars(tmp_path / "cars.csv", "dev")] == ["other"]
    with pytest.raises(UserInputError, match="missing"):
        read_cars(tmp_path / "no.csv")
    with pytest.raises(UserInputError, match="hovercraft"):
        body_type_of("hovercraft")


def test_every_body_type_is_drawn_alike_and_no_car_left_out() -> None:
    rows = [
        CarRow(name, "train", name.split("_")[0], "me", "CC0")
        for name in ("sedan_a", "sedan_b", "sedan_c", "van_a", "pickup_a", "pickup_b")
    ]
    order = every_type_alike(rows)
    assert set(order) == {row.name for row in rows}
    assert Counter(name.split("_")[0] for name in order) == {"sedan": 3, "van": 3, "pickup": 3}
    assert all(one != next_ for one, next_ in pairwise(name.split("_")[0] for name in order))


def test_a_model_stands_in_the_car_frame(box_car: CarModel) -> None:
    points = box_car.positions_m.reshape(-1, 3)
    assert points.min(0) == pytest.approx([-0.8, -2, 0], abs=1e-5) and points.max(0) == pytest.approx([0.8, 2, 1.2], abs=1e-5)
    front_left = box_car.positions_m[box_car.wheel_index == 0].reshape(-1, 3).mean(0)
    assert front_left[0] > 0 and front_left[1] < 0  # left +X, nose -Y
    assert proportions(box_car) == pytest.approx({"length_m": 4, "width": 0.4, "height": 0.3, "wheelbase": 0.6}, abs=1e-4)


def test_widened_cars_stay_symmetric_with_round_wheels_on_the_ground(box_car: CarModel) -> None:
    other = widen(box_car, np.random.default_rng(0))
    points = other.positions_m.reshape(-1, 3)
    assert points[:, 0].min() == pytest.approx(-points[:, 0].max(), abs=1e-4) and points[:, 2].min() == pytest.approx(0, abs=1e-5)
    for corner in range(NO_WHEEL):
        wheel = other.positions_m[other.wheel_index == corner].reshape(-1, 3)
        assert np.ptp(wheel[:, 1]) == pytest.approx(np.ptp(wheel[:, 2]), rel=0.01)
    assert proportions(other)["height"] != pytest.approx(0.3, abs=1e-3)


def test_the_nearer_triangle_wins_and_interpolation_is_perspective_correct() -> None:
    square = np.array([[[0, 0], [16, 0], [0, 16]], [[0, 0], [16, 0], [0, 16]]], float)
    index, weights = rasterize(square, np.array([[2.0, 2, 2], [1, 1, 4]]), 16)
    assert index[1, 1] == 1 and index[13, 1] == 0 and index[15, 15] == -1
    x, y = 1.5 / 16, 1.5 / 16  # screen-space weights of corners 1 and 2
    inverse = np.array([(1 - x - y) / 1, x / 1, y / 4])
    assert weights[1, 1] == pytest.approx(inverse / inverse.sum(), abs=1e-6)


def test_the_sky_is_looked_up_where_it_lies() -> None:
    panorama = np.full((32, 64, 3), 0.1, np.float32)
    panorama[:4] = 5
    sky = sky_of(panorama)
    up, down = look(sky.irradiance, np.array([[0, 0, 1.0], [0, 0, -1.0]]), 0.3)
    assert up[0] > 3 * down[0] > 0


def test_drawing_agrees_with_its_size(box_car: CarModel) -> None:
    camera = orbit(math.radians(90), math.radians(10), 8, (0, 0, 0.6))
    random = np.random.default_rng(0)
    sky = sky_of(np.ones((32, 64, 3), np.float32))
    picture, mask = draw(box_car, View(camera, 200, (64, 64), 128), random_look([sky], random))
    assert picture.shape == (128, 128, 3) and 0 <= picture.min() and picture.max() <= 1
    columns = np.flatnonzero(mask.any(0))
    assert columns[-1] - columns[0] == pytest.approx(200 * 4 / 7.2, abs=6)  # the flank is 0.8 m nearer than the middle


def test_random_views_look_at_the_car_from_outside(box_car: CarModel) -> None:
    random = np.random.default_rng(5)
    subject = SubjectMaker(box_car).subject(box_car)
    for _ in range(5):
        camera, focal = random_view(subject, random)
        local = (subject.triangles_m.reshape(-1, 3) - camera[:3, 3]) @ camera[:3, :3]
        assert local[:, 2].max() < -0.3
        reach = 2 * focal * np.abs(local[:, :2] / -local[:, 2:]).max()
        assert 0.3 < reach < 1.06
