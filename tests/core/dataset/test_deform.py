"""Cars that were never built: one change moves points, wheels stay whole, and the order of the points does not matter."""

from __future__ import annotations

import numpy as np
import pytest

from imago.core.dataset.cars import NO_WHEEL, CarModel, CarRow
from imago.core.dataset.deform import Remoulding, Widening, remould, widen, widen_points

PINNED_M = [[0.8050451, -1.9815906, 0], [-0.8050451, 1.9815906, 0], [0.5140694, -0.1916089, 1.5430337]]
ROW = CarRow("made", "train", "sedan", "me", "CC0")


@pytest.fixture
def car() -> CarModel:
    """A cloud of triangles 4 m long on four rings of 0.3 m radius."""
    random = np.random.default_rng(7)
    body = random.uniform((-0.8, -2, 0.2), (0.8, 2, 1.4), (60, 3, 3))
    turn = np.linspace(0, 2 * np.pi, 25)
    rings = []
    for x, y in ((0.7, -1.2), (-0.7, -1.2), (0.7, 1.3), (-0.7, 1.3)):
        rim = np.stack([np.full(25, x), y + 0.3 * np.cos(turn), 0.3 + 0.3 * np.sin(turn)], 1)
        rings.append(np.stack([rim[:-1], rim[1:], np.broadcast_to((x, y, 0.3), (24, 3))], 1))
    positions = np.concatenate([body, *rings]).astype(np.float32)
    wheel = np.repeat([NO_WHEEL, 0, 1, 2, 3], [60, 24, 24, 24, 24])
    blank = np.zeros((len(positions), 3, 2), np.float32)
    return CarModel(ROW, positions, np.zeros_like(positions), blank, np.zeros(len(positions), int), (), wheel)


def test_one_change_is_drawn_and_moves_every_point_alike(car: CarModel) -> None:
    points, moved = car.positions_m.reshape(-1, 3), widen(car, np.random.default_rng(3)).positions_m.reshape(-1, 3)
    change = Widening.draw(points, np.random.default_rng(3))
    body = slice(0, 180)
    shift = moved[body] - change.moved(points[body])
    assert np.abs(shift - shift[0]).max() < 1e-5 and abs(shift[0, 0]) < 1e-6  # on the ground and centred, never sideways
    assert moved[:, 2].min() == pytest.approx(0, abs=1e-6) and moved[:, 1].min() == pytest.approx(-moved[:, 1].max(), abs=1e-6)


def test_wheels_stay_round_and_keep_their_order(car: CarModel) -> None:
    for seed in range(5):
        moved = widen(car, np.random.default_rng(seed)).positions_m
        wheels = [moved[car.wheel_index == corner].reshape(-1, 3) for corner in range(NO_WHEEL)]
        for wheel in wheels:
            assert np.ptp(wheel[:, 1]) == pytest.approx(np.ptp(wheel[:, 2]), rel=1e-4)
        assert wheels[0][:, 1].mean() < wheels[2][:, 1].mean() and wheels[1][:, 0].mean() < 0 < wheels[0][:, 0].mean()


def test_the_same_points_in_another_order_go_to_the_same_places(car: CarModel) -> None:
    """Blender has each vertex once and the objects in an order of its own."""
    points, wheel = car.positions_m.reshape(-1, 3), np.repeat(car.wheel_index, 3)
    order = np.random.default_rng(0).permutation(len(points))
    there = widen_points(points[order], wheel[order], np.random.default_rng(11))
    assert np.abs(there - widen(car, np.random.default_rng(11)).positions_m.reshape(-1, 3)[order]).max() < 1e-5


def test_a_seed_gives_the_same_car_for_ever() -> None:
    """Records of photographs name cars by their seeds."""
    points = np.array([(0.8, -2.0, 0.0), (-0.8, 2.0, 0.0), (0.5, 0.0, 1.5)])
    found = widen_points(points, np.full(3, NO_WHEEL), np.random.default_rng(0))
    assert found == pytest.approx(np.array(PINNED_M), abs=1e-6)


def test_a_remoulded_car_stays_symmetric_in_one_piece_on_round_wheels_of_the_same_size(car: CarModel) -> None:
    points = car.positions_m.reshape(-1, 3)
    mirrored = points * np.array([-1, 1, 1], np.float32)
    for seed in range(20):
        change = Remoulding.draw(points, np.random.default_rng(seed))
        assert np.allclose(change.moved(mirrored), change.moved(points) * [-1, 1, 1], atol=1e-9)
        along = np.stack(np.broadcast_arrays(0.3, np.linspace(-2, 2, 401)[:, None], np.linspace(0, 1.4, 15)), -1)
        moved = change.moved(along.reshape(-1, 3)).reshape(along.shape)
        assert (np.diff(moved[..., 1], axis=0) > 0).all(), "stations changed their order"
        assert (np.diff(moved[..., 2], axis=1) > 0).all(), "the roof went through the sills"
        wheels = remould(car, np.random.default_rng(seed)).positions_m
        for corner in range(NO_WHEEL):
            chosen = car.wheel_index == corner
            assert np.allclose(np.ptp(wheels[chosen], axis=(0, 1)), np.ptp(car.positions_m[chosen], axis=(0, 1)), atol=1e-5)


def test_remoulded_cars_differ_by_several_per_cent_of_their_size(car: CarModel) -> None:
    points = car.positions_m.reshape(-1, 3)
    shifts = [np.linalg.norm(Remoulding.draw(points, np.random.default_rng(seed)).moved(points) - points, axis=1) for seed in range(40)]
    assert 0.05 < np.mean(shifts) < 0.3
