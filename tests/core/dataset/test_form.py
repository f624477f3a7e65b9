"""A form puts each point of a model where it was told, whoever read the model; labels are those of the car in its form."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from imago.core.car.prior import shape_prior
from imago.core.car.space import shape_space
from imago.core.dataset.cars import CarModel, read_cars, read_model
from imago.core.dataset.deform import widen
from imago.core.dataset.form import SAME_POINT_M, Form, forms_in
from imago.core.dataset.make_forms import make_forms
from imago.core.dataset.pictures import STORED_PX, Album
from imago.core.errors import ShapeError
from imago.core.types import BODY_TYPES

from ..training.made_cars import box_car, write_car
from .test_make_pictures import paned_car


@pytest.fixture
def models(tmp_path: Path) -> tuple[CarModel, CarModel]:
    """A car, and one that it becomes: stretched, and called a van."""
    write_car(tmp_path / "cars", "wagon", box_car(), name="box")
    model = read_model(tmp_path / "cars", read_cars(tmp_path / "cars" / "cars.csv")[0])
    other = widen(model, np.random.default_rng(4))
    return model, replace(other, row=replace(other.row, body_type="van"))


def test_points_go_where_they_were_told_however_they_were_read(models: tuple[CarModel, CarModel], tmp_path: Path) -> None:
    before, after = models
    Form.between(before, after).write(tmp_path / "0.npz")
    form, random = Form.read(tmp_path / "0.npz"), np.random.default_rng(0)
    order = random.permutation(before.positions_m.size // 3)
    read = before.positions_m.reshape(-1, 3)[order] + random.normal(0, 0.01 * SAME_POINT_M, (len(order), 3))
    assert np.array_equal(form.moved(read), after.positions_m.reshape(-1, 3)[order])
    again = form.of(before)
    assert np.array_equal(again.positions_m, after.positions_m) and again.row.body_type == "van"
    assert forms_in(tmp_path) == [tmp_path / "0.npz"], "nothing is left aside"


def test_a_form_of_another_car_is_refused(models: tuple[CarModel, CarModel]) -> None:
    form = Form.between(*models)
    with pytest.raises(ValueError, match="nearest of the form's"):
        form.moved(models[0].positions_m.reshape(-1, 3) + [0, 0, 5 * SAME_POINT_M])
    with pytest.raises(ShapeError, match="form"):
        Form(form.from_m, form.to_m[1:], "van")
    with pytest.raises(ValueError, match="coach"):
        Form(form.from_m, form.to_m, "coach")


def test_an_album_labels_the_car_in_its_form(models: tuple[CarModel, CarModel], tmp_path: Path) -> None:
    """The same camera, one picture of the car as it was made and one in its form."""
    before, after = models
    folder = tmp_path / "album" / before.row.name
    folder.mkdir(parents=True)
    Form.between(before, after).write(folder / "0.npz")
    cv2.imwrite(str(folder / "a.jpg"), np.zeros((STORED_PX, STORED_PX, 3), np.uint8))
    camera = np.array([[0, 0, 1, 9], [1, 0, 0, 0], [0, 1, 0, 0.7], [0, 0, 0, 1.0]])  # from the left
    told = {
        "file": "a.jpg",
        "lens_mm": 36,
        "sensor_width_mm": 36,
        "camera_to_world": camera.tolist(),
        "paint": [0.1, 0.1, 0.1],
        "others": [],
    }
    (folder / "shots.jsonl").write_text("\n".join(json.dumps(told | {"form": form}) for form in (None, "0.npz")) + "\n")
    album = Album(before, {})
    plain, formed = album.shots(tmp_path / "album")
    assert np.allclose(plain.subject.triangles_m, album.maker.subject(before).triangles_m)
    assert np.allclose(formed.subject.triangles_m, album.maker.subject(after).triangles_m)
    assert (plain.subject.body_type, formed.subject.body_type) == ("wagon", "van")
    rows = list(album.rows(tmp_path / "album"))
    assert [BODY_TYPES[int(row["body_index"])] for row in rows] == ["wagon", "van"]
    wide, high = (np.ptp(np.nonzero(formed.maps.alpha > 127)[axis]) / np.ptp(np.nonzero(plain.maps.alpha > 127)[axis]) for axis in (1, 0))
    size = [np.ptp(model.positions_m.reshape(-1, 3), axis=0) for model in models]
    assert wide == pytest.approx(size[1][1] / size[0][1], abs=0.06) and high == pytest.approx(size[1][2] / size[0][2], abs=0.06)


@pytest.mark.slow
def test_forms_are_made_once_and_of_cars_with_panes_alone(tmp_path: Path) -> None:
    for name, (kind, car) in {"paned": ("sedan", paned_car()), "box": ("wagon", box_car())}.items():
        write_car(tmp_path / "cars", kind, car, name=name)
        (tmp_path / "fits").mkdir(exist_ok=True)
        np.savez(tmp_path / "fits" / f"{name}.npz", measures=shape_prior().typical[kind].numpy(), free_half_m=shape_space().offset_m)
    assert make_forms(tmp_path / "cars", tmp_path / "fits", tmp_path / "out", 1, 7) == 1
    assert make_forms(tmp_path / "cars", tmp_path / "fits", tmp_path / "out", 2, 7) == 1, "one was there"
    assert make_forms(tmp_path / "cars", tmp_path / "fits", tmp_path / "out", 2, 7) == 0
    files = sorted((tmp_path / "out").rglob("*.npz"))
    assert [file.relative_to(tmp_path / "out").as_posix() for file in files] == ["paned/7_0000.npz", "paned/7_0001.npz"]
    one, two = (Form.read(file).to_m for file in files)
    assert np.abs(one - two).max() > 0.02, "no two are alike"
