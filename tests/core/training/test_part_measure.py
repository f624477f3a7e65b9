"""Part maps of the template against itself, moved, and against a car that names fewer parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from imago.core.car.measure_table import BODY_TYPES, to_array
from imago.core.car.skeleton import body_vertices
from imago.core.dataset.part_table import PART_INDEX, PARTS
from imago.core.device import one_thread
from imago.core.errors import ShapeError
from imago.core.training.part_measure import (
    EMPTY,
    Drawable,
    classes_of_whole,
    fitted_drawable,
    frame_of,
    part_ious,
    part_maps,
    silhouette_iou,
)

SIZE_PX = 96


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    with one_thread():
        yield


@cache
def made(kind: str = "sedan") -> Drawable:
    measures = to_array(BODY_TYPES[kind])
    return fitted_drawable(body_vertices(measures[None])[0], measures, kind)


@cache
def maps_of_sedan() -> np.ndarray:
    maps = part_maps(made(), frame_of(made()), SIZE_PX)
    maps.flags.writeable = False
    return maps


def pixels(maps: np.ndarray, part: str) -> int:
    return int((maps == PART_INDEX[part]).sum())


def test_template_against_itself():
    maps = maps_of_sedan()
    assert maps.shape == (16, SIZE_PX, SIZE_PX)
    assert set(part_ious(maps, maps).values()) == {1.0}
    assert {"body", "windshield", "rear_window", "side_window", "headlight", "taillight", "wheel", "hood", "bumper"} <= set(
        part_ious(maps, maps)
    )


def test_nose_is_seen_from_the_front_and_upright():
    maps = maps_of_sedan()
    front, behind = maps[0], maps[4]
    assert pixels(front, "headlight") > 10 and pixels(front, "taillight") == 0
    assert pixels(behind, "taillight") > 10 and pixels(behind, "headlight") == 0
    rows = {part: np.nonzero(front == PART_INDEX[part])[0].mean() for part in ("windshield", "headlight", "wheel")}
    assert rows["windshield"] < rows["headlight"] < rows["wheel"]


def test_smaller_car_has_the_areas_ratio():
    car = made()
    frame = frame_of(car)
    smaller = replace(car, vertices_m=(car.vertices_m - np.array(frame.middle_car)) * 0.8 + np.array(frame.middle_car))
    maps, other = maps_of_sedan(), part_maps(smaller, frame, SIZE_PX)
    assert silhouette_iou(maps, other) == pytest.approx(0.64, abs=0.015)
    assert part_ious(maps, other)["windshield"] < 0.64


def test_parts_that_the_real_car_does_not_name_are_body():
    fitted = maps_of_sedan()
    unnamed = [PART_INDEX[name] for name in ("door", "hood", "interior")]
    real = np.where(np.isin(fitted, unnamed), PART_INDEX["body"], fitted)
    real[0][real[0] == PART_INDEX["grille"]] = PART_INDEX["interior"]
    found = part_ious(real, fitted)
    assert "hood" not in found and "door" not in found and "interior" not in found
    assert found["windshield"] == found["wheel"] == 1.0 and found["body"] > 0.9


def test_part_that_is_missing_counts_as_nothing():
    real = maps_of_sedan()
    fitted = np.where(real == PART_INDEX["windshield"], PART_INDEX["body"], real)
    assert part_ious(real, fitted)["windshield"] == 0.0
    assert silhouette_iou(real, fitted) == 1.0


def test_overlap_is_over_all_views():
    real, fitted = np.full((2, 2, 100), EMPTY), np.full((2, 2, 100), EMPTY)
    real[0], real[1, 0] = PART_INDEX["body"], PART_INDEX["hood"]
    fitted[0, 0], fitted[1] = PART_INDEX["body"], PART_INDEX["hood"]
    assert part_ious(real, fitted) == {"body": 0.5, "hood": 0.5}
    assert silhouette_iou(real, fitted) == 0.5


def test_pickups_rear_window_is_behind_the_cab():
    bed, sedan = classes_of_whole("pickup"), classes_of_whole("sedan")
    assert (bed == PART_INDEX["wheel"]).sum() == (sedan == PART_INDEX["wheel"]).sum() > 1000
    assert (bed != sedan).any() and set(np.unique(bed)) <= set(range(len(PARTS)))


def test_body_of_another_topology_is_refused():
    with pytest.raises(ShapeError):
        fitted_drawable(np.zeros((100, 3), np.float32), to_array(BODY_TYPES["sedan"]), "sedan")
