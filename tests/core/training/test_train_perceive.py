"""The trainer of the network: two steps leave a whole run, it resumes, batches mean what they say, losses are zero where they should."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from imago.core.car.draw_car import draw_cars
from imago.core.car.prior import shape_prior
from imago.core.car.space import shape_space
from imago.core.dataset.drawn import invented_rows
from imago.core.dataset.pictures import Pictures, read_shards, write_shard
from imago.core.dataset.sky import sky_of
from imago.core.perceive.heads import AZIMUTH_BINS, COORDINATE_REACH, FIGURES, INPUT_SIZE_PX, PART_CLASSES
from imago.core.perceive.network import Outputs
from imago.core.perceive.weights import FILE, KEY, load_network, network_of
from imago.core.training.measure_perceive import measure_pictures
from imago.core.training.mixed_precision import WorkingCopy
from imago.core.training.perceive_loss import azimuth_loss, coordinate_loss, laplace, matte_loss, stretch_loss, total_loss
from imago.core.training.picture_batches import PictureBatches, mirrored, placement
from imago.core.training.release_weights import release
from imago.core.training.train_perceive import PerceiveConfig, begin_with, learned_from, new_state, train, train_step
from imago.core.training.vary_colour import vary

from .conftest import needs_bfloat16
from .tiny import TINY


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    folder = tmp_path_factory.mktemp("pictures")
    skies = [sky_of(np.ones((32, 64, 3), np.float32))]
    write_shard(
        folder / "a.npz", invented_rows(draw_cars(4, 1, shape_prior(), shape_space(), truncation=0.2), skies, np.random.default_rng(0))
    )
    return read_shards([folder])


@pytest.fixture(scope="module")
def empty() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (3, 60, 80, 3)).astype(np.uint8)


def batches(pictures: Pictures, empty: np.ndarray, batch: int = 6) -> PictureBatches:
    return PictureBatches(pictures, np.arange(len(pictures)), empty, batch, 0, 0)


def test_a_finished_file_is_where_a_new_run_begins(pictures: Pictures, empty: np.ndarray, tmp_path: Path) -> None:
    """At a rate of nothing the weights stay the file's; a checkpoint in the folder counts before it; another size is refused."""
    train(TINY, pictures, empty, tmp_path / "first")
    finished = network_of((tmp_path / "first" / FILE).read_bytes())
    state = train(replace(TINY, learning_rate=0.0, max_steps=1), pictures, empty, tmp_path / "second", first=finished)
    other = new_state(replace(TINY, seed=8)).network
    for name, tensor in finished.named_parameters():
        assert torch.equal(dict(state.network.named_parameters())[name], tensor), name
    again = train(replace(TINY, learning_rate=0.0), pictures, empty, tmp_path / "second", first=other)
    assert again.step == 2 and torch.equal(again.network.head.weight, finished.head.weight)
    with pytest.raises(ValueError, match="cannot begin a training of"):
        train(replace(TINY, hidden=8), pictures, empty, tmp_path / "third", first=finished)


def test_every_weight_goes_by_its_own_gradient(pictures: Pictures, empty: np.ndarray) -> None:
    """The working copy's gradients lie in memory otherwise than the master's weights; torch's fused AdamW gives them to other ones."""
    config, batch = TINY, batches(pictures, empty).make(np.random.default_rng(1))
    state, plain = new_state(config), new_state(config)
    train_step(config, state, WorkingCopy(state.network.train(), torch.float32), batch)
    rate = state.optimiser.param_groups[0]["lr"]
    total_loss(plain.network.train()(batch.inputs), batch)["sum"].backward()
    torch.nn.utils.clip_grad_norm_(plain.network.parameters(), 2.0)
    torch.optim.AdamW(plain.network.parameters(), rate, weight_decay=config.weight_decay, foreach=False).step()
    for (name, stepped), wanted in zip(state.network.named_parameters(), plain.network.parameters(), strict=True):
        alike = (stepped - wanted).abs() < 0.1 * rate  # a first step has the rate's length, by the gradient's sign
        assert stepped.ndim < 4 or alike.float().mean() > 0.95, name


def test_a_network_without_finer_figures_begins_one_with_them(pictures: Pictures, empty: np.ndarray) -> None:
    """It says the same at first, and two steps move each of its new layers."""
    before, after = new_state(replace(TINY, finer=0, seed=3)), new_state(TINY)
    begin_with(after, before.network)
    batch = batches(pictures, empty).make(np.random.default_rng(1))
    with torch.no_grad():
        old, new = before.network.eval()(batch.inputs), after.network.eval()(batch.inputs)
    assert torch.equal(old.figure_mean, new.figure_mean) and torch.equal(old.azimuth_logit, new.azimuth_logit)
    working = WorkingCopy(after.network.train(), torch.float32)
    train_step(TINY, after, working, batch)
    train_step(TINY, after, working, batch)
    drawn = new_state(TINY).network.state_dict()
    still = [name for name, tensor in after.network.named_parameters() if name.startswith("finer") and torch.equal(drawn[name], tensor)]
    assert not still
    with pytest.raises(ValueError, match="cannot begin a training of"):
        begin_with(before, after.network)


@pytest.mark.slow
def test_two_steps_leave_everything_a_run_should_and_a_second_start_goes_on(pictures: Pictures, empty: np.ndarray, tmp_path: Path) -> None:
    config = replace(TINY, held_out=(str(pictures.car[0]),)) if len(set(pictures.car)) > 1 else TINY
    state = train(config, pictures, empty, tmp_path)
    assert state.step == 2
    assert json.loads((tmp_path / "config.json").read_text())["seed"] == 0
    assert (tmp_path / "curves.png").is_file() and len((tmp_path / "curves.jsonl").read_text().splitlines()) == 1
    assert network_of((tmp_path / FILE).read_bytes()).size.channels == TINY.channels
    longer = train(replace(config, max_steps=3), pictures, empty, tmp_path)
    assert longer.step == 3 and longer.trained_s > state.trained_s
    row = json.loads((tmp_path / "curves.jsonl").read_text().splitlines()[-1])
    assert row["step"] == 3 and math.isfinite(row["sum"])


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, pytest.param(torch.bfloat16, marks=needs_bfloat16)])
def test_steps_on_one_batch_halve_matte_and_parts(pictures: Pictures, empty: np.ndarray, dtype: torch.dtype) -> None:
    config = replace(TINY, max_steps=100_000, learning_rate=4e-3)
    state = new_state(config)
    working = WorkingCopy(state.network.train(), dtype)
    batch = batches(pictures, empty).make(np.random.default_rng(4))
    first = train_step(config, state, working, batch)
    for _ in range(60):
        last = train_step(config, state, working, batch)
    assert last["matte"] < first["matte"] / 2 and last["parts"] < first["parts"] / 2 and last["sum"] < first["sum"]


def test_batches_are_repeatable_and_hold_what_they_promise(pictures: Pictures, empty: np.ndarray) -> None:
    one, two = (batches(pictures, empty, 24).make(np.random.default_rng(7)) for _ in range(2))
    assert torch.equal(one.inputs, two.inputs) and torch.equal(one.part, two.part)
    width, height = INPUT_SIZE_PX
    assert one.inputs.shape == (24, 4, height, width) and one.part.shape == (24, height // 2, width // 2)
    assert (one.alpha <= one.any_car + 1e-6).all()
    without = one.has_car == 0
    assert without.any() and (one.alpha[without] < 0.5).all() and one.azimuth_rad[without].isnan().all()
    inside = (one.part > 0) & (one.part < len(PART_CLASSES))
    coarse = torch.nn.functional.avg_pool2d(one.alpha[:, None], 2)[:, 0] > 0.5
    assert (inside == coarse)[~without].float().mean() > 0.98


def test_a_mirrored_sample_is_the_mirrored_car(pictures: Pictures, empty: np.ndarray) -> None:
    """Mirrored wheels lie on the mirrored wheel pixels, and places turn from left to right."""
    source = batches(pictures, empty)
    random = np.random.default_rng(3)
    sample = source._sample(random)
    while not sample["has_car"]:
        sample = source._sample(random)
    turned = mirrored(sample)
    assert turned["azimuth_rad"] == -sample["azimuth_rad"]
    assert np.array_equal(turned["alpha"][:, ::-1], sample["alpha"])
    told = sample["seen"]
    assert np.array_equal(turned["coordinates"][0][:, ::-1][told], 255 - sample["coordinates"][0][told])
    assert np.array_equal(turned["coordinates"][1][:, ::-1][told], sample["coordinates"][1][told])
    assert np.allclose(turned["wheels"][0, 0], 1 - sample["wheels"][1, 0], equal_nan=True)
    again = mirrored(turned)
    assert all(np.allclose(again[key], sample[key], equal_nan=True) for key in sample)


def test_a_cut_holds_the_whole_car(pictures: Pictures) -> None:
    width, height = INPUT_SIZE_PX
    for seed in range(6):
        place = placement(pictures, 0, "cut", np.random.default_rng(seed))
        rows, columns = np.nonzero(pictures.alpha[0] > 127)
        x, y = place[:, :2] @ np.stack([columns + 0.5, rows + 0.5]) + place[:, 2:]
        assert ((x > 0) & (x < width) & (y > 0) & (y < height)).mean() > 0.85


@pytest.mark.parametrize("kind", ["cut", "whole", "pasted", "behind"])
def test_no_placement_stretches_a_car(pictures: Pictures, kind: str) -> None:
    """Else what is called its width would not be what is seen."""
    for seed in range(6):
        sizes = np.linalg.svd(placement(pictures, 0, kind, np.random.default_rng(seed))[:, :2], compute_uv=False)
        assert sizes[0] == pytest.approx(sizes[1], rel=1e-9)


def test_of_pictures_that_cut_a_car_off_a_share_is_learned_from(pictures: Pictures) -> None:
    count, distance = 400, FIGURES.index("log_distance_lengths")
    rows = np.arange(count) % len(pictures)
    figures = pictures.figures[rows].copy()
    figures[:, distance] = math.log(2)
    figures[: count // 4, distance] = math.log(0.9)
    whole, car = np.arange(count) < count // 2, np.where(np.arange(count) % 5 == 0, "held", "seen")
    many = replace(pictures, image=pictures.image[rows], figures=figures, whole=whole, car=car)
    well = np.arange(count // 4, count // 2)
    assert np.array_equal(learned_from(PerceiveConfig(), many), np.arange(count))
    assert np.array_equal(learned_from(PerceiveConfig(cut_off_share=0.0), many), well)
    some = learned_from(PerceiveConfig(cut_off_share=0.2), many)
    assert set(well) <= set(some) and len(some) - len(well) == pytest.approx(0.2 * (count - len(well)), rel=0.4)
    assert np.array_equal(learned_from(PerceiveConfig(cut_off_share=0.0, held_out=("held",)), many), well[well % 5 != 0])


def test_azimuth_loss_is_zero_at_the_target_and_wraps_round() -> None:
    centres = torch.arange(AZIMUTH_BINS) * (2 * math.pi / AZIMUTH_BINS)
    truth = torch.tensor([0.0, math.pi, 2 * math.pi - 1e-4])
    logit = torch.cos(centres - truth[:, None]) / math.radians(5) ** 2
    assert float(azimuth_loss(logit, truth)) == pytest.approx(0, abs=1e-5)
    assert float(azimuth_loss(logit, truth + 1)) > 1
    unknown = torch.tensor([math.nan] * 3)
    assert float(azimuth_loss(logit, unknown)) == 0


def test_unknown_figures_cost_nothing_and_likelihood_is_laplace() -> None:
    truth = torch.tensor([[math.nan, 0.3]])
    found, log_scale = torch.tensor([[5.0, 0.5]]), torch.tensor([[0.0, math.log(0.1)]])
    assert float(laplace(found, log_scale, truth)) == pytest.approx(0.2 / 0.1 + math.log(0.1))
    truth, log_scale = torch.tensor([[5.5, 0.3]]), torch.zeros(1, 2)
    assert float(laplace(found, log_scale, truth, torch.tensor([3.0, 1.0]))) == pytest.approx((3 * 0.5 + 0.2) / 4)


def test_a_perfect_matte_costs_almost_nothing() -> None:
    alpha = torch.zeros(2, 40, 40)
    alpha[:, 10:30, 5:35] = 1
    logit = (alpha * 2 - 1) * 12
    always = torch.ones(2, dtype=torch.bool)
    assert float(matte_loss(logit, alpha, always)) < 1e-3 < 0.5 < float(matte_loss(-logit, alpha, always))


def test_coordinates_are_told_in_the_units_of_their_labels(pictures: Pictures, empty: np.ndarray) -> None:
    batch = batches(pictures, empty).make(np.random.default_rng(4))
    truth = (batch.coordinates.float() / 255 - 0.5) * 2 * COORDINATE_REACH
    nothing = torch.zeros(1)
    outputs = Outputs(*[nothing] * 2, truth, torch.full_like(truth[:, :1], -4.0), *[nothing] * 11)
    assert float(coordinate_loss(outputs, batch.coordinates, batch.seen)) == pytest.approx(-4.0, abs=1e-4)


def test_places_told_too_wide_together_cost_more_than_as_much_here_and_there(pictures: Pictures, empty: np.ndarray) -> None:
    batch = batches(pictures, empty, 12).make(np.random.default_rng(4))
    truth = (batch.coordinates.float() / 255 - 0.5) * 2 * COORDINATE_REACH
    nothing = torch.zeros(1)

    def cost(told: torch.Tensor) -> float:
        return float(stretch_loss(Outputs(*[nothing] * 2, told, *[nothing] * 12), batch.coordinates, batch.seen))

    assert cost(truth) == pytest.approx(0, abs=1e-6)
    wider = truth * torch.tensor([1.1, 1.0, 1.0])[:, None, None]
    assert cost(wider) == pytest.approx(0.1 / 3, abs=1e-5), "a tenth of one axis of three"
    sign = torch.randint(0, 2, truth.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert cost(truth + (wider - truth) * sign) < 0.3 * cost(wider)


def test_every_term_counts(pictures: Pictures, empty: np.ndarray) -> None:
    batch = batches(pictures, empty, 12).make(np.random.default_rng(2))
    state = new_state(TINY)
    terms = total_loss(state.network(batch.inputs), batch)
    terms["sum"].backward()
    assert all(math.isfinite(float(value)) for value in terms.values())
    assert all(parameter.grad is not None and float(parameter.grad.abs().sum()) > 0 for parameter in state.network.head.parameters())


def test_varied_colours_stay_pictures_and_keep_their_hue_when_asked() -> None:
    image = np.full((40, 60, 3), (180, 40, 40), np.uint8)
    for seed in range(8):
        other = vary(image, np.random.default_rng(seed), keep_hue=True)
        assert other.shape == image.shape and other.dtype == np.uint8
        red, green, blue = other.reshape(-1, 3).mean(0)
        assert red > green and red > blue


def test_measuring_gives_every_figure(pictures: Pictures) -> None:
    found = measure_pictures(new_state(TINY).average, pictures, np.arange(2), "held")
    assert set(found) == {f"held_{key}" for key in ("matte_iou", "parts", "place", "azimuth_deg", "beyond_30", "wheels")}
    assert measure_pictures(new_state(TINY).average, pictures, np.arange(0), "held") == {}


@pytest.mark.slow
def test_a_released_run_is_loaded_by_its_manifest_and_keeps_other_entries(pictures: Pictures, empty: np.ndarray, tmp_path: Path) -> None:
    train(TINY, pictures, empty, tmp_path / "run")
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "manifest.json").write_text(json.dumps({"other": {"file": "x"}}))
    release(tmp_path / "run", weights, {"a": 1}, "command", "machine", "abc")
    assert load_network(weights).size.hidden == TINY.hidden
    manifest = json.loads((weights / "manifest.json").read_text())
    assert manifest["other"] == {"file": "x"} and manifest[KEY]["steps"] == 2
    assert "begun_with_sha256" not in manifest[KEY]
    config = json.loads((tmp_path / "run" / "config.json").read_text()) | {"begun_with_sha256": "ab"}
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    assert release(tmp_path / "run", weights, {"a": 1}, "command", "machine", "abc")["begun_with_sha256"] == "ab"
