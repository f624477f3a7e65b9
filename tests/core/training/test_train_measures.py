"""The trainer of the measures on cars made here: a box on wheels, and the template itself with other measures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from imago.core.car.measures import BODY_TYPES, HIGH, INDEX, LOW, NAMES, to_vector
from imago.core.car.prior import shape_prior
from imago.core.dataset.cars import read_cars, read_model
from imago.core.errors import UserInputError, WeightsError
from imago.core.fit.linear_car import linearise
from imago.core.training.measures_fit import SPREAD, Config, compare, fit_car, make_target, start_measures, true_wheels
from imago.core.training.measures_prior import learn_prior, read_dimensions
from imago.core.training.train_measures import main

from .made_cars import box_car, template_car, write_car

FIXED = INDEX["cab_drop"]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def run(tmp_path: Path, *more: str) -> int:
    return main([str(tmp_path / "cars"), str(tmp_path / "out"), "--weights", str(tmp_path / "weights"), "--steps", "2", *more])


@pytest.mark.slow
def test_a_run_leaves_fits_and_a_prior_and_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_car(tmp_path / "cars", "hatchback", box_car())
    assert run(tmp_path) == 0
    fits = json.loads((tmp_path / "out" / "fits.json").read_text())
    assert fits["config"]["steps"] == 2 and set(fits["cars"]) == {"made"}
    made = fits["cars"]["made"]
    assert made["body_type"] == "hatchback" and set(made["measures"]) == set(NAMES) and 0.5 < made["silhouette_iou"] <= 1
    entry = json.loads((tmp_path / "weights" / "manifest.json").read_text())["measures"]
    assert entry["seed"] == 0 and entry["scores"]["silhouette_iou"] == pytest.approx(made["silhouette_iou"], abs=1e-4)
    prior = shape_prior(tmp_path / "weights")
    assert set(prior.typical) == set(BODY_TYPES) and prior.factor.shape == (len(NAMES), len(NAMES))
    halfway = (BODY_TYPES["hatchback"]["length"] + made["measures"]["length"]) / 2
    assert float(prior.typical["hatchback"][INDEX["length"]]) == pytest.approx(halfway, abs=1e-4), "the fit has not reached the prior"

    monkeypatch.setattr("imago.core.training.train_measures.fit_car", lambda *_: pytest.fail("a car was fitted twice"))
    assert run(tmp_path) == 0
    assert json.loads((tmp_path / "out" / "fits.json").read_text()) == fits


def test_a_run_without_training_cars_says_so(tmp_path: Path) -> None:
    write_car(tmp_path / "cars", "hatchback", box_car(), split="dev")
    with pytest.raises(UserInputError, match="no training car"):
        run(tmp_path)
    assert not (tmp_path / "weights").exists()
    with pytest.raises(WeightsError, match="build.py train measures"):
        shape_prior(tmp_path / "weights")


def test_wheels_and_ends_of_a_model_are_read_off(tmp_path: Path) -> None:
    write_car(tmp_path, "hatchback", box_car())
    model = read_model(tmp_path, read_cars(tmp_path / "cars.csv")[0])
    target = make_target(model, 48)
    wheels = [[0.75, -1.2, 0.3, 0.3], [-0.75, -1.2, 0.3, 0.3], [0.75, 1.2, 0.3, 0.3], [-0.75, 1.2, 0.3, 0.3]]
    assert target.wheels is not None and target.wheels.numpy() == pytest.approx(np.array(wheels), abs=2e-3)
    assert target.ends_m.tolist() == pytest.approx([-2.2, 2.0], abs=1e-4)
    # the side view: 1.3 m x 4.2 m of box, with what the wheels add below it, in a picture 1.12 lengths wide
    share = (1.3 * 4.2 + 4 * 0.3 * 0.2) / (1.12 * 4.2) ** 2
    assert float(target.mask[0].float().mean()) == pytest.approx(share, rel=0.15)
    assert float(target.depth_m[0][target.mask[0]].median()) == pytest.approx(12 * 4.2 - 0.85, abs=0.05)
    start = start_measures(target, "hatchback")
    for name, value in (("length", 4.2), ("height", 1.5), ("wheelbase", 2.4), ("front_overhang", 1.0), ("wheel_radius", 0.3)):
        assert float(start[INDEX[name]]) == pytest.approx(value, abs=2e-3), name
    model.wheel_index[model.wheel_index == 3] = 4
    assert true_wheels(model) is None


@pytest.mark.slow
def test_the_template_with_other_measures_is_found_again(tmp_path: Path) -> None:
    sedan = BODY_TYPES["sedan"]
    changes = {
        "width": 0.1,
        "cowl_height": -0.07,
        "roof_rear_offset": 0.3,
        "deck_rear_height": 0.08,
        "clearance": -0.05,
        "roof_width": 0.08,
    }
    truth = sedan | {name: sedan[name] + change for name, change in changes.items()}
    write_car(tmp_path, "sedan", template_car(truth))
    model, config = read_model(tmp_path, read_cars(tmp_path / "cars.csv")[0]), Config(steps=40, size_px=64)
    target = make_target(model, config.size_px)
    start, (found, figures) = start_measures(target, "sedan"), fit_car(model, config)
    before, after = (compare(target, measures[None], linearise(measures[None])) for measures in (start, found))
    assert float(after.outline) < 0.5 * float(before.outline) and float(after.depth) < 0.5 * float(before.depth)
    assert figures["silhouette_iou"] > max(0.97, before.silhouette_iou)
    changed = [INDEX[name] for name in changes]
    off_before, off_after = (((m - to_vector(truth)) / SPREAD)[changed].abs() for m in (start, found))
    assert float(off_after.mean()) < 0.3 * float(off_before.mean()), dict(zip(changes, off_after.tolist(), strict=True))
    assert float(found[FIXED]) == 0.0


def made_fits(count: int = 24) -> list[tuple[str, torch.Tensor]]:
    """Sedans and SUVs about their figures; longer ones have more wheelbase."""
    random, fits = torch.Generator().manual_seed(0), []
    for k in range(count):
        kind = "sedan" if k % 2 else "suv"
        measures = to_vector(BODY_TYPES[kind]) + 0.03 * (HIGH - LOW) * torch.randn(len(NAMES), generator=random)
        measures[INDEX["wheelbase"]] += 0.6 * (measures[INDEX["length"]] - BODY_TYPES[kind]["length"])
        measures[FIXED] = 0.0
        fits.append((kind, torch.minimum(torch.maximum(measures, LOW), HIGH)))
    return fits


def test_the_prior_is_a_sound_gaussian() -> None:
    tensors = learn_prior(made_fits(), None)
    covariance = (tensors["factor"] @ tensors["factor"].T).double()
    assert bool((covariance[FIXED] == 0).all()), "a draw could be half a pickup"
    free = [k for k in range(len(NAMES)) if k != FIXED]
    assert float(torch.linalg.eigvalsh(covariance[free][:, free]).min()) > 0
    spread = covariance.diagonal().sqrt()[free] / (HIGH - LOW)[free]
    assert float(spread.min()) > 0.04, "a measure hardly moves"
    correlation = (
        covariance[INDEX["length"], INDEX["wheelbase"]] / (spread * (HIGH - LOW)[free])[[INDEX["length"], INDEX["wheelbase"]]].prod()
    )
    assert 0.1 < float(correlation) < 1
    for kind in BODY_TYPES:
        typical = tensors[f"typical.{kind}"]
        assert bool(((typical >= LOW) & (typical <= HIGH)).all()), kind
    assert torch.allclose(tensors["typical.van"], to_vector(BODY_TYPES["van"])), "no fit is a van"


def test_the_table_of_dimensions_moves_what_it_knows_and_what_follows(tmp_path: Path) -> None:
    lines = ["make,body,length_mm,width_mm,height_mm,wheelbase_mm"]
    for k in range(-4, 5):
        lines += [f"a,Sedan,{5000 + 40 * k},{1850 + 10 * k},{1450 - 5 * (k % 3)},{2900 + 20 * k + 7 * (k % 2)}", "b,Sedan,5000,,1450,2900"]
        lines += [f"c,Hatchback,{3500 + 5 * k},1600,1500,2300", "d,Hovercraft,9000,3000,3000,5000"]
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    dimensions = read_dimensions(tmp_path / "table.csv")
    assert set(dimensions) == {"sedan", "citycar"} and dimensions["sedan"].shape == (9, 4), "incomplete and foreign rows stay out"

    plain, told = learn_prior(made_fits(), None), learn_prior(made_fits(), dimensions)
    sedan = told["typical.sedan"]
    assert float(sedan[INDEX["length"]]) == pytest.approx(5.0, abs=1e-4)
    assert float(sedan[INDEX["wheelbase"]]) == pytest.approx(np.median(dimensions["sedan"][:, 3]), abs=1e-4)
    assert torch.equal(told["typical.van"], plain["typical.van"]), "the table holds no van"
    others = [k for k, name in enumerate(NAMES) if name not in ("length", "width", "height", "wheelbase", "cab_drop")]
    assert not torch.allclose(sedan[others], plain["typical.sedan"][others]), "nothing follows the dimensions"
    lengths = np.concatenate([rows[:, 0] - np.median(rows[:, 0]) for rows in dimensions.values()])
    spread = float((told["factor"] @ told["factor"].T)[INDEX["length"], INDEX["length"]].sqrt())
    assert spread == pytest.approx(lengths.std(ddof=1), rel=0.1)
    with pytest.raises(UserInputError, match="missing"):
        read_dimensions(tmp_path / "no.csv")
