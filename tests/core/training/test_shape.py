"""The shape space: how it is fitted to surfaces, learned from fits, and trained by its command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load

from imago.core.car.measure_table import BODY_TYPES, INDEX, to_array
from imago.core.car.parts import base_name
from imago.core.car.prior import shape_prior
from imago.core.car.space import ShapeSpace, half_count, scale, shape_space, vertices_with
from imago.core.car.template import template
from imago.core.dataset.cars import CarRow, read_cars
from imago.core.dataset.labelled import LabelledCar, read_labelled
from imago.core.dataset.part_table import PARTS
from imago.core.errors import UserInputError, WeightsError
from imago.core.training import surface_fit
from imago.core.training.half_body import class_of, half_body, laplacian, samples, template_half
from imago.core.training.measures_prior import hand_made_prior
from imago.core.training.space_learning import Config, FittedCar, coefficients_of, learn_space
from imago.core.training.surface_fit import fit_free, fit_space, start_measures, visible_faces
from imago.core.training.surface_pairs import pairs
from imago.core.training.surface_target import make_surface_target
from imago.core.training.train_shape import main

from .made_cars import box_car, template_car, write_car

SEDAN = to_array(BODY_TYPES["sedan"])


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def bump(middle: tuple[float, float, float], push_m: tuple[float, float, float], reach_m: float = 0.5) -> np.ndarray:
    """(H, 3) a smooth push of the reference sedan about a point; nothing leaves the middle plane."""
    near = np.exp(-0.5 * ((template_half(SEDAN) - np.array(middle)) ** 2).sum(1) / reach_m**2)
    field = near[:, None] * np.array(push_m)
    field[:, 0] *= half_body().on_side
    return field


NOSE = bump((0.3, -2.2, 0.7), (0.0, -0.08, 0.04))
ROOF = bump((0.0, 0.4, 1.4), (0.0, 0.0, 0.1))
TAIL = bump((0.3, 2.2, 0.9), (0.04, 0.1, 0.0))


def surface_of(measures: np.ndarray, offset_m: np.ndarray) -> LabelledCar:
    """The template with an offset as if it were a real car's model."""
    pieces = template_car(dict(zip(INDEX, measures.tolist(), strict=True)))
    vertices = np.asarray(pieces["Body"].vertices).copy()
    space = ShapeSpace(np.zeros((half_count(), 3), np.float32), np.zeros((0, half_count(), 3), np.float32), {})
    moved = vertices_with(measures[None], np.zeros((1, 0), np.float32), with_offset(space, offset_m / scale(measures[None])[0]))[0]
    vertices[: len(moved)] = moved
    triangles = [vertices[pieces["Body"].faces]]
    shared = template()
    part = np.array([PARTS.index(class_of(name)) for name in shared.part_names])[shared.part_index]
    wheels = [np.asarray(pieces[name].triangles) for name in ("Wheel_FL", "Wheel_FR", "Wheel_RL", "Wheel_RR")]
    boxes = [(w.reshape(-1, 3).min(0), w.reshape(-1, 3).max(0)) for w in wheels]
    hubs = np.array([[*((low + high) / 2), (high[2] - low[2]) / 2, high[0] - low[0]] for low, high in boxes])
    parts = np.concatenate([part, part, *(np.full(len(w), PARTS.index("wheel")) for w in wheels)])
    soup = np.concatenate([*triangles, *wheels]).astype(np.float32)
    return LabelledCar(CarRow("made", "train", "sedan", "me", "CC0"), soup, parts, np.ones(len(soup), bool), hubs, {}, ())


def with_offset(space: ShapeSpace, offset_m: np.ndarray) -> ShapeSpace:
    return ShapeSpace(offset_m.astype(np.float32), space.modes_m, space.typical)


def test_every_part_of_the_template_has_a_class() -> None:
    classes = {name: class_of(name) for name in template().part_names}
    assert set(classes.values()) <= set(PARTS)
    assert (
        classes["windshield"] == "windshield" and classes["brake_light_left"] == "taillight" and classes["fog_light_right"] == "headlight"
    )
    assert {base_name(name) for name, kind in classes.items() if kind == "side_window"} == {
        "side_window_front", "side_window_rear", "side_window_quarter",
    }  # fmt: skip


def test_the_laplacian_knows_the_other_half() -> None:
    """A shift bends nothing; of |x|, which has a fold in the middle, a middle vertex sees its neighbour off the middle from both sides."""
    bend, half = laplacian(), half_body()
    assert np.abs(bend @ np.where(half.used, 1.0, 0.0)).max() < 1e-12
    middle = half.used & (half.on_side == 0)
    away = np.where(half.used, np.abs(template_half(SEDAN)[:, 0]), 0.0)
    beside = {v: [int(e[e != v][0]) for e in half.edges[(half.edges == v).any(1)]] for v in np.flatnonzero(middle)[:40]}
    wanted = {v: -2 * sum(away[n] for n in near) / sum(2 if half.on_side[n] else 1 for n in near) for v, near in beside.items()}
    assert (bend @ away)[list(wanted)] == pytest.approx(list(wanted.values()), abs=1e-9) and min(wanted.values()) < -0.05
    points, normals, areas = samples(template_half(SEDAN))
    assert points.shape == (len(half.quads), 4, 3) and np.allclose(np.linalg.norm(normals[areas > 0], axis=1), 1)
    outward = (normals * (points.mean(1) - [0, 0, 0.7])).sum(1)
    assert (areas * (outward > 0)).sum() > 0.75 * areas.sum()


def test_pairs_of_a_car_with_itself_lie_on_each_other() -> None:
    target = make_surface_target(surface_of(SEDAN, np.zeros((half_count(), 3))))
    half = template_half(SEDAN)
    visible = visible_faces(SEDAN, half)
    found = pairs(half, target, 0.1, visible)
    there = (half[found.corners] * found.weights[..., None]).sum(1)
    heavy = found.weight > 1e-6
    apart = np.abs(((found.point - there) * found.normal).sum(1))[heavy]
    assert np.median(apart) < 0.002 and np.percentile(apart, 95) < 0.02
    assert visible.mean() > 0.9 and not visible_faces(SEDAN, half * [1.0, 1.0, 0.0]).all(), "flat on the ground the roof hides the floor"


def test_wheels_and_ends_of_a_model_are_read_off(tmp_path: Path) -> None:
    """The box car stands 0.1 m aside from its axles' middle; a target is in the template's frame."""
    write_car(tmp_path, "hatchback", box_car())
    target = make_surface_target(read_labelled(tmp_path, read_cars(tmp_path / "cars.csv")[0]))
    wheels = [[0.75, -1.2, 0.3, 0.3, 0.2], [-0.75, -1.2, 0.3, 0.3, 0.2], [0.75, 1.2, 0.3, 0.3, 0.2], [-0.75, 1.2, 0.3, 0.3, 0.2]]
    assert target.wheels == pytest.approx(np.array(wheels), abs=2e-3)
    assert target.ends_m == pytest.approx((-2.2, 2.0), abs=1e-4) and target.height_m == pytest.approx(1.5, abs=1e-4)
    assert target.points_m[:, 0].min() >= 0 and target.points_m[:, 2].max() == pytest.approx(1.5, abs=1e-3)
    start = start_measures(target, hand_made_prior())
    for name, value in (("length", 4.2), ("height", 1.5), ("wheelbase", 2.4), ("front_overhang", 1.0), ("wheel_radius", 0.3)):
        assert start[INDEX[name]] == pytest.approx(value, abs=2e-3), name


@pytest.mark.slow
def test_the_measures_of_a_surface_are_found() -> None:
    measures = SEDAN.copy()
    for name, change in (("length", 0.25), ("width", -0.06), ("height", 0.07), ("wheelbase", 0.12), ("cowl_offset", -0.1)):
        measures[INDEX[name]] += change
    found = fit_space(make_surface_target(surface_of(measures, np.zeros((half_count(), 3)))), hand_made_prior(), None)
    for name, worst in (("length", 0.03), ("width", 0.03), ("height", 0.02), ("wheelbase", 0.01), ("wheel_radius", 0.01)):
        assert found.measures[INDEX[name]] == pytest.approx(measures[INDEX[name]], abs=worst), name
    truth = template_half(measures)
    used = half_body().used
    assert np.linalg.norm(found.half_m - truth, axis=1)[used].mean() < 0.03


@pytest.mark.slow
def test_free_vertices_and_modes_go_where_measures_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dent of the nose, a bump of the tail: measures leave a rest, free vertices and fitting modes take most of it away."""
    monkeypatch.setattr(surface_fit, "SPACE_RADII_M", (0.25, 0.15, 0.1, 0.08))
    offset = NOSE + 0.8 * TAIL
    target = make_surface_target(surface_of(SEDAN, offset))
    bare = fit_space(target, hand_made_prior(), None)
    visible = visible_faces(bare.measures, bare.half_m)

    def rest(half_m: np.ndarray) -> float:
        found = pairs(half_m, target, 0.1, visible)
        there = (half_m[found.corners] * found.weights[..., None]).sum(1)
        return float((np.abs(((found.point - there) * found.normal).sum(1)) * found.weight).sum() / found.weight.sum())

    free = fit_free(target, bare)
    modes = np.stack([NOSE, ROOF, TAIL]).astype(np.float32)
    space = ShapeSpace(np.zeros_like(modes[0]), modes, {"sedan": np.zeros(3, np.float32)})
    fitted = fit_space(target, hand_made_prior(), space)
    assert rest(free) < 0.4 * rest(bare.half_m) and rest(fitted.half_m) < 0.7 * rest(bare.half_m)
    assert fit_space(target, hand_made_prior(), space, modes=1).coefficients.shape == (1,)
    assert np.abs(free[half_body().on_side == 0, 0]).max() == 0, "the middle stays in the middle"


def made_fits(count: int = 8, seed: int = 0) -> list[FittedCar]:
    """Sedans of many sizes whose offsets are the nose, the roof and the tail in random amounts, about a mean."""
    draw, cars = np.random.default_rng(seed), []
    for k in range(count):
        measures = SEDAN.copy()
        measures[INDEX["length"]] *= draw.uniform(0.85, 1.15)
        amounts = draw.normal(size=3)
        offset = 0.3 * ROOF + amounts[0] * NOSE + amounts[1] * ROOF + amounts[2] * TAIL
        cars.append(FittedCar(f"car{k}", "sedan" if k % 2 else "coupe", measures, offset * scale(measures[None])[0]))
    return cars


def test_the_modes_hold_the_cars_they_were_learned_from_and_new_mixtures() -> None:
    cars = made_fits()
    space = learn_space(cars, Config(modes=120))
    assert np.allclose(space.offset_m, np.mean([c.offset_m / scale(c.measures[None])[0] for c in cars], 0), atol=1e-5)
    new = 0.3 * ROOF + 1.2 * NOSE - 0.7 * TAIL
    rest = new - space.offset_m
    told = np.tensordot(coefficients_of(rest, space.modes_m.astype(np.float64)), space.modes_m, 1)
    used = half_body().used
    assert np.linalg.norm((rest - told)[used]) < 0.1 * np.linalg.norm(rest[used])
    assert np.abs(space.modes_m[:, half_body().on_side == 0, 0]).max() < 1e-7 and not space.modes_m[:, ~half_body().used].any()
    deviation = np.sqrt((space.modes_m**2).sum((1, 2)))
    assert deviation[0] > 2 * deviation[20], "strongest first"


def test_a_localised_space_can_mix_the_front_of_one_car_with_the_rear_of_another() -> None:
    both = [FittedCar(f"c{k}", "sedan", SEDAN, sign * (NOSE + TAIL)) for k, sign in enumerate((1.0, -1.0, 0.5, -0.5))]
    mixed = NOSE - TAIL  # no car of the sample has this
    rest = {}
    for share in (0.0, 0.6):
        space = learn_space(both, Config(modes=60, local_share=share))
        told = np.tensordot(coefficients_of(mixed, space.modes_m.astype(np.float64)), space.modes_m, 1)
        rest[share] = np.linalg.norm(mixed - told) / np.linalg.norm(mixed)
    assert rest[0.0] > 0.9 and rest[0.6] < 0.35


def table_of_sedans(folder: Path) -> Path:
    table = folder / "table.csv"
    sedans = np.array([5500, 1900, 1450, 3000]) + 30 * np.concatenate([np.zeros((1, 4)), np.eye(4), -np.eye(4)])
    lines = ["body,length_mm,width_mm,height_mm,wheelbase_mm", *("Sedan," + ",".join(map(str, sizes)) for sizes in sedans)]
    table.write_text("\n".join(lines) + "\n")
    return table


def test_the_command_learns_from_two_made_cars_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(surface_fit, "SPACE_RADII_M", (0.2, 0.1))
    monkeypatch.setattr(surface_fit, "FREE_STEPS", ((0.1, 0.1), (0.1, 0.02)))
    for name, length in (("short", 4.4), ("long", 5.0)):
        write_car(tmp_path / "cars", "sedan", template_car({**BODY_TYPES["sedan"], "length": length}), name=name)
    arguments = [str(tmp_path / "cars"), str(tmp_path / "out"), "--weights", str(tmp_path / "weights"), "--modes", "4"]
    with pytest.raises(UserInputError, match="fewer than two training cars"):
        main([*arguments, "--names", "short"])
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "long:" in said and said.count("short:") == 1, "the car that was done is not fitted again"
    space = shape_space(tmp_path / "weights")
    assert 1 <= space.mode_count <= 4 and set(space.typical) == set(BODY_TYPES)
    prior = shape_prior(tmp_path / "weights")
    found = [np.load(tmp_path / "out" / f"{name}.npz")["measures"] for name in ("short", "long")]
    halfway = (BODY_TYPES["sedan"]["length"] + found[0][INDEX["length"]] + found[1][INDEX["length"]]) / 3
    assert float(prior.typical["sedan"][INDEX["length"]]) == pytest.approx(halfway, abs=1e-4)
    assert not torch.triu(prior.factor, 1).any() and bool((prior.factor.diagonal()[:-2] > 0).all()), "written as it was learned"
    damaged = tmp_path / "weights" / "car_shape.safetensors"
    before = load(damaged.read_bytes())
    main([*arguments, "--names", "short,long", "--measures-only", "--dimensions", str(table_of_sedans(tmp_path))])
    after = load(damaged.read_bytes())
    assert float(after["measures.typical.sedan"][INDEX["length"]]) == pytest.approx(5.5, abs=1e-4)
    kept = [name for name in before if not name.startswith("measures.")]
    assert before.keys() == after.keys() and len(kept) > 5 and all(np.array_equal(before[name], after[name]) for name in kept)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    shape_prior.cache_clear()
    with pytest.raises(WeightsError, match="build.py train shape"):
        shape_prior(tmp_path / "weights")
    entry = json.loads((tmp_path / "weights" / "manifest.json").read_text())["shape"]
    assert entry["data"].startswith("2 training cars") and entry["config"]["modes"] == 4
    assert entry["trained_by"].endswith("--measures-only")
