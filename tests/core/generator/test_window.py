"""The window: there and back again, points fall where its camera says, the whole car is inside, pictures are cut where points are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from imago.core.frames import car_to_px, orbit
from imago.core.generator.window import CarBox, view_of, window_camera, window_of
from imago.core.types import Camera

BOX = CarBox(np.array([-0.9, -2.3, 0.0]), np.array([0.9, 2.0, 1.4]))
CORNERS = np.array([[x, y, z] for x in (-0.9, 0.9) for y in (-2.3, 2.0) for z in (0.0, 1.4)])


def crooked_camera(azimuth: float = 0.7) -> Camera:
    """Looks past the car and leans to the side."""
    matrix = orbit(azimuth, 0.2, 7.0, (0.3, -0.4, 1.0))
    lean = math.radians(7)
    matrix[:3, :3] = matrix[:3, :3] @ np.array([[math.cos(lean), -math.sin(lean), 0], [math.sin(lean), math.cos(lean), 0], [0, 0, 1]])
    return Camera((640, 480), 35.0, matrix)


@pytest.mark.parametrize("azimuth", [0.0, 0.7, 2.5, -1.6])
def test_points_of_the_car_fall_where_the_window_says(azimuth: float) -> None:
    camera = crooked_camera(azimuth)
    window = window_of(camera, BOX, 128)
    in_photo, in_window = car_to_px(CORNERS, camera)[:, :2], car_to_px(CORNERS, window.camera)[:, :2]
    assert np.allclose(window.to_window(in_photo), in_window, atol=1e-6)
    assert np.allclose(window.to_photo(in_window), in_photo, atol=1e-6)
    assert np.allclose(window.to_window(window.to_photo(in_window)), in_window, atol=1e-9)


def test_the_view_says_all_about_the_window() -> None:
    window = window_of(crooked_camera(), BOX, 128)
    again = window_camera(window.view, BOX, 128)
    assert np.allclose(again.camera_to_car, window.camera.camera_to_car) and again.lens_mm == pytest.approx(window.camera.lens_mm)
    assert np.allclose(view_of(again.camera_to_car[:3, 3], BOX), window.view)


def test_the_middle_is_in_the_middle_and_the_sphere_just_fits() -> None:
    for azimuth in np.linspace(-3, 3, 9):
        camera = window_camera(np.array([azimuth, 0.3, 0.4]), BOX, 128)
        assert np.allclose(car_to_px(BOX.middle_m[None], camera)[0, :2], 64)
        turn = np.random.default_rng(0).normal(size=(4000, 3))
        sphere = BOX.middle_m + BOX.radius_m * turn / np.linalg.norm(turn, axis=1, keepdims=True)
        found = car_to_px(sphere, camera)[:, :2]
        assert -1e-6 < found.min() < 1 and 127 < found.max() < 128 + 1e-6
        corners = car_to_px(CORNERS, camera)[:, :2]
        assert corners.min() > 0 and corners.max() < 128


def test_what_is_cut_lies_where_its_points_do() -> None:
    camera = crooked_camera()
    photo = np.zeros((480, 640, 3), np.float32)
    for k, (x, y, _) in enumerate(car_to_px(CORNERS, camera)):
        photo[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4, k % 3] = 1
    window = window_of(camera, BOX, 128)
    cut = window.cut(photo)
    assert cut.shape == (128, 128, 3)
    for k, (x, y, _) in enumerate(car_to_px(CORNERS, window.camera)):
        rows, columns = np.mgrid[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
        weight = cut[rows, columns, k % 3]
        assert weight.sum() > 1
        assert (
            abs((weight * (columns + 0.5)).sum() / weight.sum() - x) < 0.4 and abs((weight * (rows + 0.5)).sum() / weight.sum() - y) < 0.4
        )


def test_a_large_photograph_keeps_its_brightness() -> None:
    fine = Camera((2560, 1920), 35.0, crooked_camera().camera_to_car)
    stripes = np.zeros((1920, 2560, 1), np.float32)
    stripes[:, ::2] = 1
    cut = window_of(fine, BOX, 64).cut(stripes)
    assert abs(float(cut[20:44, 20:44].mean()) - 0.5) < 0.03 and cut[20:44, 20:44].std() < 0.1


def test_a_camera_inside_the_car_is_refused_with_both_numbers() -> None:
    with pytest.raises(ValueError, match=r"1\.00 m.*2\.43 m"):
        window_camera(np.array([0.0, 0.1, math.log(1 / BOX.length_m)]), BOX, 128)
