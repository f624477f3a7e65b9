"""Cars in other cars' shapes: what was fitted goes where the shape says, wheels stay round, normals turn along, shapes are sound."""

from __future__ import annotations

from itertools import islice, repeat
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from imago.core.car.faults import faults
from imago.core.car.measure_table import by_name
from imago.core.car.prior import shape_prior
from imago.core.car.space import scale, shape_space
from imago.core.car.wheels import wheel_centres
from imago.core.dataset import drawn
from imago.core.dataset.cars import NO_WHEEL, CarModel
from imago.core.dataset.drawn import invented_model
from imago.core.dataset.recast import FittedTemplate, Recaster, Shape, shapes, turned_normals
from imago.core.types import BODY_TYPES


@pytest.fixture(scope="module")
def saloon() -> tuple[CarModel, FittedTemplate]:
    """The typical sedan as a model, with its own fit."""
    prior, space = shape_prior(), shape_space()
    measures, coefficients = prior.typical["sedan"].numpy(), space.typical["sedan"]
    offset = scale(measures[None])[0] * (space.offset_m + np.tensordot(coefficients, space.modes_m, 1))
    return invented_model(measures, coefficients, "sedan")[0], FittedTemplate(measures, offset.astype(np.float32))


@pytest.fixture(scope="module")
def recaster(saloon: tuple[CarModel, FittedTemplate]) -> Recaster:
    return Recaster(*saloon, 0.0)


def another() -> Shape:
    """Whatever type comes first."""
    return next(shapes(typical("wagon"), "wagon", shape_prior(), shape_space(), np.random.default_rng(1)))


def typical(kind: str) -> FittedTemplate:
    return FittedTemplate(shape_prior().typical[kind].numpy(), shape_space().offset_m)


def test_its_own_shape_leaves_a_car_as_it_is(recaster: Recaster) -> None:
    model = recaster.model
    same = recaster.recast(Shape(recaster.from_m.astype(np.float32), recaster.fit.measures, "sedan"))
    moved = same.positions_m - model.positions_m
    assert np.ptp(moved.reshape(-1, 3), axis=0).max() < 1e-4  # but for its place on the ground
    assert np.abs(same.normals - model.normals).max() < 2e-2


def test_the_skin_goes_where_the_other_shape_is(recaster: Recaster) -> None:
    shape = another()
    body = recaster.model.wheel_index == NO_WHEEL
    there = recaster.recast(shape).positions_m[body].reshape(-1, 3)
    there = there - there.min(0) + shape.body_m.min(0)  # both are put on the ground by their lowest points
    own = recaster.model.positions_m[body].reshape(-1, 3)
    vertex = np.array([np.linalg.norm(recaster.from_m - point, axis=1).argmin() for point in own[::7]])
    error = np.linalg.norm(there[::7] - shape.body_m[vertex], axis=1)
    moved = np.linalg.norm(shape.body_m - recaster.from_m, axis=1)
    assert np.median(error) < 0.006 and np.quantile(error, 0.95) < 0.04 < np.median(moved)


def test_wheels_stand_round_under_their_new_arches(recaster: Recaster) -> None:
    shape = another()
    model = recaster.recast(shape)
    hubs, radius = wheel_centres(shape.measures[None])[0], float(by_name(shape.measures[None])["wheel_radius"][0])
    points = [model.positions_m[model.wheel_index == corner].reshape(-1, 3) for corner in range(NO_WHEEL)]
    middle = np.array([(p.min(0) + p.max(0)) / 2 for p in points])
    assert np.abs((middle - middle.mean(0)) - (hubs - hubs.mean(0))).max() < 0.01
    for p in points:
        assert np.ptp(p[:, 1]) == pytest.approx(2 * radius, rel=0.01) and np.ptp(p[:, 2]) == pytest.approx(2 * radius, rel=0.01)
        assert p[:, 2].min() == pytest.approx(0, abs=0.01)


def test_normals_turn_with_their_triangles() -> None:
    random = np.random.default_rng(2)
    before = random.normal(size=(40, 3, 3))
    face = np.cross(before[:, 1] - before[:, 0], before[:, 2] - before[:, 0])
    normals = np.repeat(face[:, None] / np.linalg.norm(face, axis=1)[:, None, None], 3, 1)
    after = before @ np.linalg.qr(random.normal(size=(3, 3)))[0] * [2.0, 0.7, 1.0]
    after[0] = after[0, :1]  # no area: its normals stay
    turned = turned_normals(before, after, normals)
    face = np.cross(after[1:, 1] - after[1:, 0], after[1:, 2] - after[1:, 0])
    assert np.abs(turned[1:] - (face / np.linalg.norm(face, axis=1, keepdims=True))[:, None]).max() < 1e-5, "outward stays outward"
    assert np.abs(turned[0] - normals[0]).max() < 1e-6


def test_half_of_the_copies_are_stretched_as_well(recaster: Recaster, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that proportions are to be seen: the kind of car does not tell them."""
    shape, maker = another(), SimpleNamespace(subject=lambda _: SimpleNamespace(shift_m=0.0))
    monkeypatch.setattr(drawn, "shapes", lambda *_: repeat(shape))
    copies = drawn.recast_copies(recaster.model, maker, recaster.fit, np.random.default_rng(3))  # type: ignore[arg-type]
    sizes = np.array([np.ptp(copy.positions_m.reshape(-1, 3), axis=0) for copy in islice(copies, 12)])
    apart = np.abs(np.log(sizes / np.ptp(recaster.recast(shape).positions_m.reshape(-1, 3), axis=0))).max(1)
    assert 3 <= int((apart < 1e-6).sum()) <= 9 and np.median(apart[apart >= 1e-6]) > 0.03


@pytest.mark.slow
def test_shapes_are_sound_and_of_every_type_that_a_car_can_become() -> None:
    found = list(islice(shapes(typical("sedan"), "sedan", shape_prior(), shape_space(), np.random.default_rng(0)), 60))
    assert {shape.body_type for shape in found} == set(BODY_TYPES) - {"pickup", "van"}
    bodies, measures = np.stack([shape.body_m for shape in found]), np.stack([shape.measures for shape in found])
    assert not np.any(list(faults(bodies, measures).values()))
    alone = islice(shapes(typical("pickup"), "pickup", shape_prior(), shape_space(), np.random.default_rng(0)), 8)
    assert {shape.body_type for shape in alone} == {"pickup"}


def test_a_fit_is_read_as_training_left_it(tmp_path: Path) -> None:
    fit = typical("suv")
    np.savez(tmp_path / "one.npz", measures=fit.measures, free_half_m=fit.offset_m, seconds=1.0)
    again = FittedTemplate.read(tmp_path / "one.npz")
    assert np.array_equal(again.measures, fit.measures) and np.array_equal(again.offset_m, fit.offset_m)
