"""The closed form's rows are its residuals' slopes, and a common error of what is told is found as one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from imago.core.car.car import whole_vertices
from imago.core.car.measures import INDEX
from imago.core.dataset.drawn import invented_model
from imago.core.fit.fit import fit
from imago.core.fit.told_rows import Moving, figure_rows, place_rows, ratio_spreads
from imago.core.types import Settings

from .test_dense import camera_at, drawn_car, pose_at, told, told_too_wide, truth_lookup


def test_rows_are_the_slopes_of_what_they_want_to_be_zero() -> None:
    measures, coefficients = drawn_car(6)
    _, subject = invented_model(measures.numpy(), coefficients.numpy(), "sedan")
    figures = told(subject, camera_at(60.0))[2].estimates
    random = torch.Generator().manual_seed(2)
    vertices = whole_vertices(measures[None], coefficients[None])[0]
    slope = 0.01 * vertices * torch.randn(5, 1, 3, generator=random)  # five ways to be wider, longer, higher: the reaching vertices stay
    here = Moving(vertices, slope, subject.length_m, torch.tensor([0.04, -0.03]))
    change, step = torch.randn(7, generator=random), 1e-2
    moved = [
        replace(here, vertices_m=vertices + (by * change[:5, None, None] * slope).sum(0), stretch=here.stretch + by * change[5:])
        for by in (-step, step)
    ]
    rows = figure_rows(here, figures)
    assert len(rows) == 2 + 1 + 18 + 8
    before, after = (torch.cat([wanted for _, wanted in figure_rows(car, figures)]) for car in moved)
    slopes = torch.cat([matrix for matrix, _ in rows]) @ change
    assert torch.allclose(-slopes, (after - before) / (2 * step), rtol=0.02, atol=0.02), (slopes, before, after)


def test_places_move_with_their_stretch_as_their_rows_say() -> None:
    measures, vertices, lookup, _, crop = truth_lookup()
    still = torch.zeros(0, *vertices.shape[1:])  # the car stands; only what is told is stretched

    def missed(across: float, up: float) -> tuple[torch.Tensor, torch.Tensor]:
        moving = Moving(vertices[0], still, float(measures[INDEX["length"]]), torch.tensor([across, up]))
        return place_rows(moving, pose_at(60.0), lookup, crop, 60.0)

    rows, step = missed(0.0, 0.0)[0], 1e-3
    for axis, (across, up) in enumerate(((step, 0.0), (0.0, step))):
        slope = (missed(across, up)[1] - missed(-across, -up)[1]) / (2 * step)
        assert float((slope + rows[:, axis]).norm()) < 0.1 * float(slope.norm()), axis


def test_common_errors_are_as_uncertain_as_the_network_says() -> None:
    spreads = ratio_spreads({"log_width": (-0.9, 0.05), "log_height": (-1.1, 0.1)})
    assert float(spreads[1]) == pytest.approx(2 * float(spreads[0])) and 0.02 < float(spreads[0]) < 0.08
    assert bool((ratio_spreads({}) > 0.05).all()), "nothing told, nothing sure"


def test_a_draft_does_not_count_one_error_many_times() -> None:
    """From the side nothing shows the width: places, outline and ratio told a third too wide are one doubtful word against real cars."""
    measures, coefficients = drawn_car(3)
    _, subject = invented_model(measures.numpy(), coefficients.numpy(), "sedan")
    photo, matte, perception = told(subject, camera_at(88.0))
    wide, times = told_too_wide(perception, 1.3), 1.3
    plans = {name: (value[0] * times, value[1]) for name, value in wide.estimates.items() if name.startswith("plan_")}
    estimates = wide.estimates | plans | {"log_width": (wide.estimates["log_width"][0], 0.1)}
    found = fit(photo, matte, replace(wide, estimates=estimates), Settings(quality="draft"), lambda *_: None).shape.measures
    true = float(measures[INDEX["width"]] / measures[INDEX["length"]])
    assert found["width"] / found["length"] < (1 + 0.2 * (times - 1)) * true
