"""The whole training procedure in two steps on views made here, its parts against what they claim."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from imago.core.dataset.views import LABELS, STORED_PX, Views
from imago.core.perceive.crop import INPUT_PX
from imago.core.perceive.network import AZIMUTH_BINS, BODY_TYPES, FIGURES, Outputs
from imago.core.perceive.weights import load_network, network_of
from imago.core.training.measure_perceive import azimuth_errors_deg, measure_views
from imago.core.training.mixed_precision import WorkingCopy
from imago.core.training.perceive_loss import azimuth_loss, azimuth_target, figure_loss
from imago.core.training.release_weights import release
from imago.core.training.spoil_matte import spoil
from imago.core.training.train_perceive import PerceiveConfig, new_state, train, train_step
from imago.core.training.vary_colour import vary
from imago.core.training.view_batches import Batch, ViewBatches, plain_input

TINY = PerceiveConfig(
    minutes=5, batch=8, channels=(8, 8, 16, 16, 16), hidden=16, workers=0, warmup_steps=1, max_steps=2, held_out=("kept",), bfloat16=False
)


def tiny_views(count: int = 12) -> Views:
    """A lamp on the left of a blob when it is seen from one side, on the right from the other."""
    random = np.random.default_rng(0)
    image = random.integers(60, 110, (count, STORED_PX, STORED_PX, 3), dtype=np.uint8)
    mask = np.zeros((count, STORED_PX, STORED_PX), np.uint8)
    mask[:, 40:90, 20:110] = 255
    labels = np.zeros((count, len(LABELS)), np.float32)
    labels[:, 0] = np.where(np.arange(count) % 2, math.pi / 2, -math.pi / 2)
    labels[:, 1:] = (0.1, 0.8, -0.9, -1.1, -0.5)
    labels[0, 5] = np.nan
    for k in range(count):
        image[k, 50:80, (25 if k % 2 else 85) : (45 if k % 2 else 105)] = 255
    car = np.array(["kept" if k < 2 else "used" for k in range(count)])
    return Views(image, mask, labels, np.zeros(count, np.int64), car, np.arange(count) >= 6)


def test_two_steps_leave_everything_a_run_should(tmp_path: Path) -> None:
    before = [p.detach().clone() for p in new_state(TINY).network.parameters()]
    state = train(TINY, tiny_views(), tmp_path)
    assert state.step == 2
    assert all(
        not torch.equal(a, b)
        for a, b in zip(before, state.network.parameters(), strict=True)
        if b.grad is not None and b.grad.abs().max() > 0
    )
    assert json.loads((tmp_path / "config.json").read_text())["seed"] == TINY.seed
    row = json.loads((tmp_path / "curves.jsonl").read_text().splitlines()[-1])
    assert row["step"] == 2 and math.isfinite(row["sum"]) and 0 <= row["held_renders_median_deg"] <= 180
    assert (tmp_path / "curves.png").stat().st_size > 0 and network_of((tmp_path / "perceive.safetensors").read_bytes()) is not None
    assert not list(tmp_path.glob("*.part*"))


def test_a_second_start_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    first = train(TINY, tiny_views(), tmp_path)
    state = new_state(TINY)
    state.load(tmp_path / "checkpoint.pt")
    assert all(torch.equal(a, b) for a, b in zip(first.network.state_dict().values(), state.network.state_dict().values(), strict=True))
    resumed = train(replace(TINY, max_steps=5), tiny_views(), tmp_path)
    assert resumed.step == 5
    assert [json.loads(line)["step"] for line in (tmp_path / "curves.jsonl").read_text().splitlines()] == [2, 5]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_steps_on_one_batch_reduce_the_loss(dtype: torch.dtype) -> None:
    config, views = replace(TINY, max_steps=60, dropout=0.0), tiny_views()
    state = new_state(config)
    working = WorkingCopy(state.network.train(), dtype)
    inputs = np.stack([plain_input(views.image[k], views.mask[k]) for k in range(12)])
    batch = Batch(torch.from_numpy(inputs), torch.from_numpy(views.labels), torch.from_numpy(views.body_index))
    losses = [train_step(config, state, working, batch)["azimuth"] for _ in range(40)]
    assert losses[-1] < 0.5 * losses[0]


def test_a_network_that_learnt_the_lamp_tells_the_sides_apart() -> None:
    config, views = replace(TINY, max_steps=100, dropout=0.0, average_decay=0.8), tiny_views()
    state = new_state(config)
    working = WorkingCopy(state.network.train(), torch.float32)
    inputs = np.stack([plain_input(views.image[k], views.mask[k]) for k in range(12)])
    batch = Batch(torch.from_numpy(inputs), torch.from_numpy(views.labels), torch.from_numpy(views.body_index))
    for _ in range(60):
        train_step(config, state, working, batch)
    assert azimuth_errors_deg(state.average.eval(), inputs, views.labels[:, 0]).max() < 30


def test_drawing_batches_is_repeatable_and_flips_the_azimuth() -> None:
    views = tiny_views()
    first, again = (next(iter(ViewBatches(views, np.arange(2, 12), 16, 0.5, 3, 7))) for _ in range(2))
    assert torch.equal(first.inputs, again.inputs) and first.inputs.shape == (16, 4, INPUT_PX, INPUT_PX)
    other = next(iter(ViewBatches(views, np.arange(2, 12), 16, 0.5, 3, 8)))
    assert not torch.equal(first.inputs, other.inputs)
    lamp_left = first.inputs[:, :3, :, :48].mean((1, 2, 3)) > first.inputs[:, :3, :, 48:].mean((1, 2, 3))
    assert ((first.labels[:, 0] > 0) == lamp_left).float().mean() > 0.85  # varied mattes and light upset a few


def outputs_with(azimuth_logit: torch.Tensor, mean: torch.Tensor) -> Outputs:
    return Outputs(azimuth_logit, mean, torch.zeros_like(mean), torch.zeros(len(mean), len(BODY_TYPES)))


def test_azimuth_loss_is_zero_at_the_target_and_wraps_round() -> None:
    azimuth = torch.tensor([math.pi - 0.01, 0.3])
    target = azimuth_target(azimuth)
    means = torch.zeros(2, len(FIGURES))
    assert azimuth_loss(outputs_with(target.clamp(min=1e-30).log(), means), azimuth) == pytest.approx(0, abs=1e-5)
    assert azimuth_loss(outputs_with(target.clamp(min=1e-30).log(), means), azimuth - torch.tensor([2 * math.pi, 0])) == pytest.approx(
        0, abs=1e-3
    )
    assert target[0].argmax() == AZIMUTH_BINS // 2
    assert azimuth_loss(outputs_with(torch.zeros(2, AZIMUTH_BINS), means), azimuth) > 1


def test_unknown_figures_cost_nothing() -> None:
    figures = torch.zeros(2, len(FIGURES))
    figures[0, 4] = math.nan
    means = torch.zeros(2, len(FIGURES), requires_grad=True)
    loss = figure_loss(outputs_with(torch.zeros(2, AZIMUTH_BINS), means + 1), figures)
    loss.backward()
    assert loss.item() == pytest.approx(1) and means.grad is not None and means.grad[0, 4] == 0 and means.grad[1, 4] != 0


def test_spoilt_mattes_keep_enough_of_the_car_and_differ() -> None:
    views = tiny_views()
    truth = views.mask[0].astype(np.float32) / 255
    spoilt = [spoil(truth, views.image[0], np.random.default_rng(k)) for k in range(60)]
    kept = [((s > 0.5) & (truth > 0.5)).sum() / (truth > 0.5).sum() for s in spoilt]
    assert min(kept) > 0.3 and sum(not np.array_equal(s > 0.5, truth > 0.5) for s in spoilt) > 30


def test_varied_colours_stay_pictures() -> None:
    image = tiny_views().image[1, 16:112, 16:112]
    varied = [vary(image, np.random.default_rng(k)) for k in range(40)]
    assert all(v.shape == image.shape and v.dtype == np.uint8 for v in varied)
    assert np.mean([np.std(v.astype(float)) for v in varied]) > 5


def test_measuring_reports_both_kinds_of_matte() -> None:
    row = measure_views(new_state(TINY).average, tiny_views(), np.arange(2), "tiny")
    assert set(row) == {f"tiny{kind}_{figure}" for kind in ("", "_varied") for figure in ("median_deg", "beyond_30", "beyond_90")}


def test_a_released_run_is_loaded_by_its_manifest_and_keeps_other_entries(tmp_path: Path) -> None:
    train(TINY, tiny_views(), tmp_path / "run")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "manifest.json").write_text(json.dumps({"other": {"file": "other.safetensors"}}))
    entry = release(tmp_path / "run", tmp_path / "weights", {"held_median_deg": 3.0}, "train", "2 CPU cores", "abc")
    assert entry["steps"] == 2 and entry["seed"] == TINY.seed
    assert set(json.loads((tmp_path / "weights" / "manifest.json").read_text())) == {"other", "perceive"}
    assert load_network(tmp_path / "weights").shared.out_features == TINY.hidden
