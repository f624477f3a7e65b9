"""The generator's measures on a tiny one: finite, by name, and what cannot change does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from imago.core.dataset.turntables import Turntables
from imago.core.generator.generator import Generator
from imago.core.generator.groups import FACTORS, NAMES
from imago.core.generator.latent import EVEN_LIGHT
from imago.core.generator.weights import CarGenerator
from imago.core.perceive.heads import PART_CLASSES
from imago.core.perceive.perceive import loaded
from imago.core.training.bench_generator import frechet, obedience, paint_of_same
from imago.core.training.perceived import colours_of_parts
from imago.core.training.train_generator import new_state
from imago.core.training.turntable_batches import TurntableBatches
from imago.core.weights import FOLDER

from .test_train_generator import TINY


@pytest.fixture(scope="module")
def parts() -> CarGenerator:
    state = new_state(TINY)
    drawing = state.drawing.eval().requires_grad_(False)
    drawing.generator.outputs["16"].bias.fill_(0.9)  # fresh outputs are clear and say next to nothing
    for output in drawing.generator.outputs.values():
        output.modulated.convolution.weight.mul_(5)
    return CarGenerator(drawing.generator, drawing.encoder, state.discriminator.first.requires_grad_(False), torch.zeros(1, 1))


@pytest.mark.slow
def test_every_group_is_measured_against_a_new_draw(parts: CarGenerator, turntables: Turntables) -> None:
    batches = TurntableBatches(turntables, np.arange(len(turntables)), 1, 1, 0, 0)
    found = obedience(parts, loaded(FOLDER, "cpu"), turntables, batches, 6)
    assert set(found["leak"]) == set(NAMES) and 0 <= found["azimuth_median_deg"] <= 180 and 0 <= found["paint_error"] <= 1
    for group, read in found["leak"].items():
        seen = {name: share for name, share in read.items() if name != "lamps"}  # in 32 pixels there are none
        assert group not in read and all(np.isfinite(share) for share in seen.values())


def test_the_paint_of_boxes_in_one_colour_is_read_as_it_is(parts: CarGenerator, turntables: Turntables) -> None:
    lit = replace(turntables, factors=turntables.factors.copy())
    lit.factors[:, [FACTORS.index(name) for name in EVEN_LIGHT]] = list(EVEN_LIGHT.values())
    found = paint_of_same(parts, lit, 34)
    assert found["paint_error_of_training"] < 0.01 < found["paint_error_of_same"] < 1
    lit.factors[:, FACTORS.index("light_up_red")] = 1.0
    assert paint_of_same(parts, lit, 34) == {}


def test_a_part_has_the_colour_that_it_shows(turntables: Turntables) -> None:
    pictures, surfaces = turntables.rgba[:1] / np.float32(255), torch.from_numpy(turntables.surface[:1].copy())
    body = (turntables.surface[0, 1] == PART_CLASSES.index("body")) & (pictures[0, ..., 3] > 0.9)
    pictures[0, body, :3] = [0.2, 0.5, 0.7]
    assert np.allclose(colours_of_parts(pictures, surfaces, ("body",)), [0.2, 0.5, 0.7], atol=0.03)
    surfaces[:, 1] = 0
    assert np.isnan(colours_of_parts(pictures, surfaces, ("body",))).all()


@pytest.mark.slow
def test_pictures_that_all_look_alike_are_further_from_training_than_others_of_it(
    parts: CarGenerator,
    turntables: Turntables,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grey = lambda self, surface, view, w, size_px=None: torch.zeros(len(view), 4, *surface.shape[2:])  # noqa: E731
    monkeypatch.setattr(Generator, "forward", grey)
    batches = TurntableBatches(turntables, np.arange(len(turntables)), 1, 1, 0, 0)
    found = frechet(parts, loaded(FOLDER, "cpu"), turntables, batches, 16, 32)
    assert found["count"] == 16 and found["generated"] > 1.5 * found["floor"] > 0
