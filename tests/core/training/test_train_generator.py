"""The trainer of the generator: it learns, resumes exactly, leaves a whole run; its losses and batches mean what they say."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from imago.core.dataset.turntables import Turntables
from imago.core.generator.discriminator import DiscriminatorSize
from imago.core.generator.generator import GeneratorSize
from imago.core.generator.groups import FACTOR_COUNT, FACTOR_MEAN, FACTOR_SCALE, FACTOR_SLICE
from imago.core.generator.weights import FILE, generator_of
from imago.core.invert.encoder import EncoderSize
from imago.core.training.generator_loss import factor_distance, feature_distance, slope_penalty
from imago.core.training.measure_generator import measure_turntables
from imago.core.training.train_generator import (
    GeneratorConfig,
    TrainingState,
    Working,
    begin_with,
    new_state,
    picture_px,
    train,
    train_step,
)
from imago.core.training.turntable_batches import TurntableBatch, TurntableBatches

from .conftest import SIZE, needs_bfloat16

TINY = GeneratorConfig(
    minutes=1000,
    batch=4,
    invented=2,
    coarse_px=16,
    coarse_share=0.0,
    adversarial_from=0.0,
    slope_every=2,
    slope_pictures=2,
    generator=GeneratorSize((16, 16), view=16, hidden=16),
    encoder=EncoderSize((16, 16, 16), cell=16, hidden=32, picture_px=SIZE, content_layers=4),
    discriminator=DiscriminatorSize((16, 16, 16, 16), hidden=16),
    bfloat16=False,
    max_steps=4,
    measured_pairs=16,
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As the trainer has it: two are many times slower as soon as another process wants a core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def batches(turntables: Turntables, batch: int = 4) -> TurntableBatches:
    return TurntableBatches(turntables, np.arange(len(turntables)), batch, 2, 0, 0)


def steps(config: GeneratorConfig, state: TrainingState, turntables: Turntables, count: int) -> list[dict[str, float]]:
    working, source = Working.of(config, state), batches(turntables)
    return [train_step(config, state, working, source.make(np.random.default_rng(state.step))) for _ in range(count)]


@pytest.mark.parametrize("bfloat16", [False, True])
def test_a_resumed_run_goes_on_with_the_same_losses(turntables: Turntables, tmp_path: Path, bfloat16: bool) -> None:
    config = replace(TINY, bfloat16=bfloat16)
    state = new_state(config)
    steps(config, state, turntables, 2)
    state.save(tmp_path / "checkpoint.pt")
    wanted = steps(config, state, turntables, 2)
    other = new_state(replace(config, seed=5))
    other.load(tmp_path / "checkpoint.pt")
    assert other.step == 2
    found = steps(config, other, turntables, 2)
    assert found == wanted and "slope" in found[0] and "slope" not in found[1]
    assert all(math.isfinite(value) for value in found[0].values())


def test_a_run_leaves_everything_it_should_and_a_second_start_goes_on(turntables: Turntables, tmp_path: Path) -> None:
    config = replace(TINY, max_steps=2, held_out=("car0", "car1"))
    assert train(config, turntables, tmp_path).step == 2
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"checkpoint.pt", "config.json", "curves.jsonl", "curves.png", "samples.png", FILE}
    assert json.loads((tmp_path / "config.json").read_text())["generator"]["channels"] == [16] * 2
    assert generator_of((tmp_path / FILE).read_bytes()).generator.size == TINY.generator
    assert train(replace(config, max_steps=3), turntables, tmp_path).step == 3
    released, fresh = generator_of((tmp_path / FILE).read_bytes()), new_state(replace(config, seed=8))
    begin_with(fresh, released)
    for one, other in ((fresh.drawing.generator, released.generator), (fresh.average.encoder, released.encoder)):
        assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    row = json.loads((tmp_path / "curves.jsonl").read_text().splitlines()[-1])
    assert row["step"] == 3 and math.isfinite(row["sum"]) and {"held_picture", "held_matte", "held_paint", "held_own"} < set(row)


@pytest.mark.slow
@pytest.mark.parametrize("bfloat16", [False, pytest.param(True, marks=needs_bfloat16)])
def test_steps_on_one_batch_halve_the_reconstruction(turntables: Turntables, bfloat16: bool) -> None:
    config = replace(TINY, max_steps=100_000, learning_rate=0.06, bfloat16=bfloat16)
    state = new_state(config)
    working, batch = Working.of(config, state), batches(turntables).make(np.random.default_rng(0))
    losses = [train_step(config, state, working, batch)["picture"] for _ in range(80)]
    assert np.mean(losses[-5:]) < losses[0] / 2


def test_coarse_pictures_come_first_and_then_fine_ones(turntables: Turntables) -> None:
    config = replace(TINY, coarse_share=0.5)
    state = new_state(config)
    sizes = []
    for _ in range(4):
        sizes.append(picture_px(config, state))
        steps(config, state, turntables, 1)
    assert sizes == [16, 16, 32, 32]


def test_slope_penalty_is_that_of_finite_differences() -> None:
    torch.manual_seed(0)
    weight = torch.randn(12, 12, dtype=torch.float64)
    real = torch.randn(3, 1, 3, 4, dtype=torch.float64)

    def score(pictures: torch.Tensor) -> torch.Tensor:
        flat = pictures.flatten(1)
        return torch.tanh(flat @ weight).sum(1) + flat.square().sum(1)

    found, step = slope_penalty(score, real), 1e-6
    slopes = torch.zeros(3, 12, dtype=torch.float64)
    for k in range(12):
        moved = torch.zeros(12, dtype=torch.float64)
        moved[k] = step
        moved = moved.view(1, 1, 3, 4)
        slopes[:, k] = (score(real + moved) - score(real - moved)) / (2 * step)
    assert float(found.detach()) == pytest.approx(float(slopes.square().sum(1).mean()), rel=1e-6)


def test_slope_penalty_has_a_gradient_for_the_discriminator(turntables: Turntables) -> None:
    judge = new_state(TINY).discriminator
    batch = batches(turntables).make(np.random.default_rng(0))
    slope_penalty(lambda real: judge(real, batch.view)[0], batch.target).backward()
    assert judge.first.from_picture[0].weight.grad.abs().sum() > 0  # type: ignore[union-attr, operator]


def test_a_batch_shows_one_car_thrice_and_repeats(turntables: Turntables) -> None:
    source = batches(turntables, 24)
    one, again = (source.make(np.random.default_rng(3)) for _ in range(2))
    assert torch.equal(one.look, again.look) and torch.equal(one.invented_factors, again.invented_factors)
    assert one.target.shape == (24, 4, SIZE, SIZE) and one.target.min() == -1 and one.target.max() <= 1
    colour = [_colour(pictures) for pictures in (one.target, one.look, one.car)]
    assert torch.allclose(colour[0], colour[1], atol=0.08)  # the same paint
    assert not torch.allclose(colour[0], colour[2], atol=0.08)  # sometimes another
    assert not one.invented_factors.isnan().any() and one.factors[:, FACTOR_SLICE["light"]].isnan().any()


def _colour(pictures: torch.Tensor) -> torch.Tensor:
    middle = pictures[:, :3, SIZE // 2 - 1 : SIZE // 2 + 1, SIZE // 2 - 1 : SIZE // 2 + 1]
    return middle.mean((2, 3))


def test_a_mirrored_picture_is_seen_from_the_other_side(turntables: Turntables) -> None:
    batch = batches(turntables, 64).make(np.random.default_rng(1))
    width = (batch.target[:, 3] > 0).any(1).sum(1).float()
    expected = 2 * (5 + (7 * batch.view[:, 0].sin().abs()).round())
    assert torch.equal(width, expected)  # symmetric cars: the view fits the picture, mirrored or not
    assert (batch.view[:, 0] < 0).any() and (batch.view[:, 0] > 0).any()


def test_unknown_factors_cost_nothing_and_distance_is_in_usual_deviations() -> None:
    truth = torch.tensor(FACTOR_MEAN)[None].clone()
    found = truth + 2 * torch.tensor(FACTOR_SCALE)
    assert float(factor_distance(found, truth)) == pytest.approx(2 - 0.25, abs=1e-5)
    assert float(factor_distance(found, torch.full((1, FACTOR_COUNT), math.nan))) == 0
    found = truth.clone()
    found[:, FACTOR_SLICE["lamps"]] += 1  # both lamps, two deviations
    groups = sum(part.stop > part.start for part in FACTOR_SLICE.values())
    assert float(factor_distance(found, truth)) == pytest.approx((2 - 0.25) / groups, abs=1e-5)


def test_like_pictures_have_no_distance() -> None:
    told = [torch.randn(2, 4, 8, 8), torch.randn(2, 8, 4, 4)]
    assert float(feature_distance(told, told)) == 0
    assert float(feature_distance([2 * t for t in told], told)) == pytest.approx(1, abs=1e-5)


def test_measures_are_zero_cars_for_no_cars(turntables: Turntables) -> None:
    drawing = new_state(TINY).average
    assert measure_turntables(drawing.generator, drawing.encoder, turntables, np.arange(0), SIZE, 16) == {}
    found = measure_turntables(drawing.generator, drawing.encoder, turntables, np.arange(8), SIZE, 16)
    assert 0 < found["held_picture"] <= 255 and 0 <= found["held_matte"] <= 1


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="4 content layers of the generator and 5"):
        new_state(replace(TINY, encoder=replace(TINY.encoder, content_layers=5)))


def test_batches_without_pictures_are_refused(turntables: Turntables) -> None:
    with pytest.raises(ValueError, match="no turntables"):
        TurntableBatches(turntables, np.arange(0), 2, 1, 0, 0)
    assert isinstance(next(iter(batches(turntables))), TurntableBatch)
