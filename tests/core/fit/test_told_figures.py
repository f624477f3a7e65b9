"""Figures told of a car hold a descent where the photograph shows nothing: their cost, its slopes, and a tail seen by nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from imago.core.car.car import vectors, whole_vertices
from imago.core.car.measures import INDEX
from imago.core.dataset.drawn import invented_model
from imago.core.fit.fit import QUALITIES, Stage, fit
from imago.core.fit.objective import Weights
from imago.core.fit.told_figures import ToldFigures, figure_cost
from imago.core.fit.told_rows import outline_vertices
from imago.core.perceive.heads import TOP_STATIONS
from imago.core.types import Settings

from .test_dense import camera_at, drawn_car, told

STILL = torch.zeros(1, 2)


def a_car(seed: int) -> tuple[torch.Tensor, torch.Tensor, dict[str, tuple[float, float]]]:
    """Vertices (1, V, 3), wheelbase (1,) and what a network that is right tells of it."""
    measures, coefficients = drawn_car(seed)
    _, subject = invented_model(measures.numpy(), coefficients.numpy(), "sedan")
    estimates = {name: (value, 0.01) for name, value in subject.figures().items()}
    return whole_vertices(measures[None], coefficients[None]), measures[None, INDEX["wheelbase"]], estimates


def test_a_cars_own_figures_cost_least() -> None:
    vertices, wheelbase, estimates = a_car(6)
    figures = ToldFigures.of(estimates)
    assert figures is not None
    own = float(figure_cost(figures, vertices, wheelbase, STILL))
    assert own < 0.05 * len(figures.mean), "outlines are told of pixels and read off vertices: not quite nothing"
    for name, by, least in (("nose", 0.02, 1.5), ("log_wheelbase", 0.05, 3.0), ("top_16", -0.05, 1.0), ("plan_4", 0.05, 1.0)):
        other = ToldFigures.of(estimates | {name: (estimates[name][0] + by, 0.01)})
        assert other is not None and float(figure_cost(other, vertices, wheelbase, STILL)) > own + least, name
    wider = vertices * torch.tensor([1.1, 1.0, 1.0])
    as_told, stretched = (float(figure_cost(figures, wider, wheelbase, s)) for s in (STILL, torch.tensor([[1.1, 1.0]]).log()))
    assert stretched == pytest.approx(own, abs=0.05) and as_told > own + 3, "a common error of all widths is the stretch's"
    assert ToldFigures.of({"nose": (0.5, 0.01)}) is None
    few = ToldFigures.of({name: estimates[name] for name in ("nose", "log_wheelbase")})
    assert few is not None and float(figure_cost(few, vertices, wheelbase, STILL)) < 0.01, "a body type in the user's word leaves no more"


def test_its_slopes_are_those_of_finite_differences() -> None:
    vertices, wheelbase, estimates = a_car(3)
    figures = ToldFigures.of({name: (mean + 0.02, scale) for name, (mean, scale) in estimates.items()})
    assert figures is not None
    random = torch.Generator().manual_seed(1)
    ways = vertices * torch.randn(1, 1, 3, generator=random)  # longer, wider, higher: the same vertices reach furthest

    def at(by: torch.Tensor) -> torch.Tensor:
        return figure_cost(figures, vertices + by[0] * ways, wheelbase + by[1], STILL + by[2:])[0]

    free = torch.zeros(4, requires_grad=True)
    (slopes,) = torch.autograd.grad(at(free), free)
    step = 1e-3
    for number in range(4):
        aside = step * torch.eye(4)[number]
        assert float(slopes[number]) == pytest.approx(float(at(aside) - at(-aside)) / (2 * step), rel=0.03, abs=0.05), number


def rear_errors(figures_weight: float, seed: int) -> tuple[float, float]:
    """Mean errors, in shares of the length, of the roof line of the rear third and of the nose, after a descent of a car seen from the
    front that starts at the usual one of its type."""
    measures, coefficients = drawn_car(seed)
    _, subject = invented_model(measures.numpy(), coefficients.numpy(), "sedan")
    photo, matte, perception = told(subject, camera_at(15.0))
    stages = (Stage(1, 96, 60, 20, 0.6),)
    config = replace(
        QUALITIES["normal"], starts=1, stages=stages, residual=None, solve_first=False, weights=Weights(figures=figures_weight)
    )
    found = fit(photo, matte, perception, Settings(), lambda *_: None, config=config).shape
    body = whole_vertices(*vectors(found))[0][outline_vertices()]
    y, z = body[:, 1] - body[:, 1].min(), body[:, 2]
    length = float(y.max())
    errors = []
    for k in range(2 * TOP_STATIONS // 3, TOP_STATIONS - 1):
        inside = (y / length > (k + 0.1) / TOP_STATIONS) & (y / length < (k + 0.9) / TOP_STATIONS)
        errors.append(abs(float(z[inside].max()) / length - subject.figures()[f"top_{k:02d}"]))
    return sum(errors) / len(errors), abs(-float(body[:, 1].min()) / length - subject.figures()["nose"])


@pytest.mark.slow
def test_a_tail_that_the_photograph_does_not_show_is_where_it_is_told() -> None:
    """At the weight that a fit uses; of six cars one may come out no nearer."""
    without, held = ([rear_errors(weight, seed) for seed in range(1, 7)] for weight in (0.0, Weights().figures))
    assert sum(roof for roof, _ in held) < 0.85 * sum(roof for roof, _ in without), (held, without)
    assert sum(told < untold for (told, _), (untold, _) in zip(held, without, strict=True)) >= 5, (held, without)
    assert all(nose < 0.01 for _, nose in held), held
