"""Random cars: the same for a seed, inside the limits, held together where a Gaussian is not, and almost all free of faults."""

from __future__ import annotations

import numpy as np
import pytest

from imago.core.car.draw_car import COEFFICIENTS_SHARE, KINDS, REACH, draw_cars, draw_once, held_together
from imago.core.car.faults import faults
from imago.core.car.measure_table import BODY_TYPES, INDEX, MEASURES, NAMES, to_array
from imago.core.car.prior import shape_prior
from imago.core.car.skeleton import body_vertices
from imago.core.car.space import ShapeSpace, half_count

LOW, HIGH = (np.array([getattr(m, end) for m in MEASURES], np.float32) for end in ("low", "high"))


def space_of(modes: int) -> ShapeSpace:
    """A stand-in: modes that move nothing; type means differ in the first."""
    half = half_count()
    typical = {kind: np.array([1.0 if k else -1.0] + [0.0] * (modes - 1), np.float32) for k, kind in enumerate(KINDS)} if modes else {}
    return ShapeSpace(np.zeros((half, 3), np.float32), np.zeros((modes, half, 3), np.float32), typical)


def test_draws_are_repeatable_cars_of_every_type_and_nearly_free_of_faults() -> None:
    cars = draw_cars(64, 4, shape_prior(), space_of(0), redraws=0)
    again = draw_cars(64, 4, shape_prior(), space_of(0), redraws=0)
    assert (cars.measures == again.measures).all() and cars.body_types == again.body_types
    assert set(cars.body_types) == set(BODY_TYPES) and cars.coefficients.shape == (64, 0)
    assert ((cars.measures >= LOW) & (cars.measures <= HIGH)).all()
    assert cars.faulty_share <= 0.05 and cars.faulty.mean() == pytest.approx(cars.faulty_share)
    assert cars.measures[:, INDEX["length"]].std() > 0.3, "the draws are all alike"
    drops = cars.measures[:, INDEX["cab_drop"]]
    assert ((drops == 1) == (np.array(cars.body_types) == "pickup")).all()


def test_what_the_gaussian_draws_without_holding_is_faulty_more_often() -> None:
    prior, random = shape_prior(), np.random.default_rng(1)
    kinds = np.resize(np.array(KINDS), 64)
    free = np.stack([prior.typical[k].numpy() for k in kinds]) + random.standard_normal((64, len(NAMES))) @ prior.factor.numpy().T
    free = np.clip(free, LOW, HIGH).astype(np.float32)
    held = held_together(free)
    bad, mended = (np.any(list(faults(body_vertices(m), m).values()), 0).mean() for m in (free, held))
    assert bad > 0.15 and mended < 0.5 * bad
    assert np.allclose(held_together(held), held, atol=0.05), "a second time changes little"


def test_redrawing_leaves_fewer_faults_and_says_the_first_share() -> None:
    wild = draw_cars(32, 0, shape_prior(), space_of(0), truncation=2.0, redraws=0)
    mended = draw_cars(32, 0, shape_prior(), space_of(0), truncation=2.0, redraws=3)
    assert wild.faulty_share == mended.faulty_share > 0
    assert mended.faulty.sum() < wild.faulty.sum()
    kept = ~wild.faulty
    assert (mended.measures[kept] == wild.measures[kept]).all()


def test_truncation_scales_the_distance_from_the_typical_car() -> None:
    prior = shape_prior()
    none = draw_cars(4, 2, prior, space_of(0), truncation=0.0, redraws=0)
    typical = np.stack([prior.typical[kind].numpy() for kind in none.body_types])
    assert np.allclose(none.measures, held_together(typical), atol=1e-6)
    spread = REACH * np.sqrt((prior.factor.numpy() ** 2).sum(1))
    length = INDEX["length"]
    kinds = np.arange(80) % len(KINDS)
    far, _ = draw_once(kinds, np.random.default_rng(2), prior, space_of(0), 3.0)
    typical = np.stack([prior.typical[KINDS[k]].numpy() for k in kinds])
    assert (np.abs(far - typical)[:, length] <= spread[length] + 1e-5).all()


def test_coefficients_lie_about_their_type() -> None:
    kinds = np.arange(640) % len(KINDS)
    _, coefficients = draw_once(kinds, np.random.default_rng(1), shape_prior(), space_of(2), 1.0)
    assert coefficients[kinds == 0].mean(0) == pytest.approx([-1.0, 0.0], abs=0.25)
    assert coefficients[kinds == 0, 0].std() < coefficients[kinds == 0, 1].std(), "types that differ leave less to the cars of one type"
    assert coefficients[:, 1].std() == pytest.approx(COEFFICIENTS_SHARE, rel=0.1)


def test_held_together_leaves_a_car_as_it_is() -> None:
    for kind in ("sedan", "suv", "van", "pickup", "wagon"):
        car = to_array(BODY_TYPES[kind])[None]
        changed = {NAMES[k] for k in np.flatnonzero(np.abs(held_together(car) - car)[0] > 0.03)}
        assert changed <= {"roundness", "bed_depth"}, (kind, changed)
