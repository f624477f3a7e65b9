"""Fits of the measures to car models, and a table of real cars' dimensions -> the Gaussian over measures that core/car/prior.py reads."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch

from ..car.measures import BODY_TYPES, HIGH, INDEX, LOW, NAMES, to_vector
from ..car.outline import part_vertices
from ..car.prior import ShapePrior
from ..car.space import ShapeSpace, vertices_with
from ..errors import UserInputError

DIMENSIONS = ("length", "width", "height", "wheelbase")
KNOWN = [INDEX[name] for name in DIMENSIONS]
TABLE_WORDS = {
    "sedan": "sedan", "hatchback": "hatchback", "wagon": "wagon", "estate": "wagon", "suv": "suv", "van": "van", "minivan": "van",
    "pickup": "pickup", "coupe": "coupe", "convertible": "coupe", "sports": "coupe",
}  # fmt: skip
CITYCAR_LENGTH_M = 3.75  # a shorter hatchback counts as a city car
MOST_REPEATS = 10  # of a row, so that a decade of one or two cars does not decide
DEFAULT_WEIGHT = 1.0  # the hand-made body type counts as this many fitted cars
BETWEEN_SHARE = 0.35  # how much of the spread between body types is allowed within one: types are guessed, and cars lie between them
FIXED = INDEX["cab_drop"]  # tells body types apart and never varies within one
START_SPREAD = 0.12
OUTER_ROUNDS = 3
SHRINKAGE, FLOOR = 0.35, 0.045  # share of the covariance kept diagonal; smallest spread by a measure's range


def read_dimensions(table: Path) -> dict[str, np.ndarray]:
    """(n, 4) length, width, height, wheelbase in metres by body type, complete rows only; decades of `year_from` count alike.

    Rows of rarer decades are repeated: a table has many of the years that its makers collected, and two thirds of one's hatchbacks are of
    1985 to 1995, a tenth lower than today's.  Raises UserInputError without a table.
    """
    if not table.is_file():
        raise UserInputError(f"The table of dimensions {table} is missing; give a CSV file with the columns body and NAME_mm, or none.")
    found: dict[str, dict[str, list[list[float]]]] = {}
    with table.open(newline="") as lines:
        for row in csv.DictReader(lines):
            kind, texts = TABLE_WORDS.get(row["body"].lower()), [row[f"{name}_mm"] for name in DIMENSIONS]
            if kind is None or not all(texts):
                continue
            figures = [float(text) / 1000 for text in texts]
            kind = "citycar" if kind == "hatchback" and figures[0] < CITYCAR_LENGTH_M else kind
            found.setdefault(kind, {}).setdefault((row.get("year_from") or "")[:3], []).append(figures)
    return {kind: _decades_alike(list(decades.values())) for kind, decades in found.items()}


def _decades_alike(decades: list[list[list[float]]]) -> np.ndarray:
    """All rows, those of a rarer decade as often as it takes to be as many as the commonest one's."""
    most = max(len(rows) for rows in decades)
    return np.concatenate([np.repeat(rows, min(MOST_REPEATS, round(most / len(rows))), axis=0) for rows in decades])


def hand_made_prior() -> ShapePrior:
    """What is known before any car was fitted: the body types' figures, and a share of each measure's range."""
    spread = START_SPREAD * (HIGH - LOW)
    spread[FIXED] = 0.0
    return ShapePrior({kind: to_vector(figures) for kind, figures in BODY_TYPES.items()}, torch.diag(spread))


def learn_prior(fits: list[tuple[str, torch.Tensor]], dimensions: dict[str, np.ndarray] | None) -> dict[str, torch.Tensor]:
    """Fits as (body type, measures (P,)) -> the tensors that shape_prior reads: typical.TYPE (P,) and factor (P, P)."""
    means = _means(fits)
    covariance = _covariance(fits, means)
    if dimensions:
        means, covariance = _with_dimensions(means, covariance, dimensions)
    covariance[FIXED, :], covariance[:, FIXED] = 0.0, 0.0
    covariance[FIXED, FIXED] = 1e-12
    factor = torch.linalg.cholesky(covariance.double() + 1e-10 * torch.eye(len(NAMES), dtype=torch.float64)).float()
    factor[FIXED] = 0.0  # nothing lies between a closed car and a pickup
    return {"factor": factor, **{f"typical.{kind}": torch.minimum(torch.maximum(mean, LOW), HIGH) for kind, mean in means.items()}}


def _means(fits: list[tuple[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean (P,) of each body type's fits and its hand-made figures."""
    means = {}
    for kind, default in BODY_TYPES.items():
        rows = [to_vector(default) * DEFAULT_WEIGHT] + [m for k, m in fits if k == kind]
        means[kind] = torch.stack(rows).sum(0) / (DEFAULT_WEIGHT + len(rows) - 1)
        means[kind][FIXED] = default["cab_drop"]
    return means


def _covariance(fits: list[tuple[str, torch.Tensor]], means: dict[str, torch.Tensor]) -> torch.Tensor:
    """(P, P) spread of the fits about their type's mean and, in part, of the types; shrunk towards a diagonal with a floor."""
    apart = torch.stack([m - means[kind] for kind, m in fits])
    within = apart.T @ apart / max(len(fits) - 1, 1)
    between = torch.cov(torch.stack([mean for kind, mean in means.items() if kind != "pickup"]).T)
    covariance = within + BETWEEN_SHARE * between
    shrunk = (1 - SHRINKAGE) * covariance
    shrunk.diagonal().copy_(covariance.diagonal() + (FLOOR * (HIGH - LOW)) ** 2)
    return shrunk


def _with_dimensions(
    means: dict[str, torch.Tensor], covariance: torch.Tensor, dimensions: dict[str, np.ndarray]
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Give the four dimensions the table's mean and spread; the other measures follow by the regression seen in the fits."""
    regression = torch.linalg.solve(covariance[KNOWN][:, KNOWN], covariance[KNOWN]).T  # (P, 4); identity on the four themselves
    rest = covariance - regression @ covariance[KNOWN]
    apart = np.concatenate([rows - np.median(rows, 0) for rows in dimensions.values()])
    low, high = np.percentile(apart, [2.5, 97.5], axis=0)  # typing errors of the table stay out
    table = torch.tensor(np.cov(np.clip(apart, low, high).T), dtype=covariance.dtype)
    moved = {}
    for kind, mean in means.items():
        if kind not in dimensions:
            moved[kind] = mean
            continue
        change = torch.tensor(np.median(dimensions[kind], 0), dtype=mean.dtype) - mean[KNOWN]
        moved[kind] = mean + regression @ change
        moved[kind][FIXED] = mean[FIXED]
    return moved, rest + regression @ table @ regression.T


def of_outer_size(learned: dict[str, torch.Tensor], space: ShapeSpace) -> dict[str, torch.Tensor]:
    """What learn_prior made of a table of dimensions, typical cars as wide (without mirrors) and as high as the table's are.

    What a space adds to the template makes it 2 to 4 % wider and 1 % lower than its measures say.
    """
    moved = dict(learned)
    for kind in BODY_TYPES:
        name, coefficients = f"typical.{kind}", torch.from_numpy(space.typical[kind])[None]
        wanted, measures = learned[name], learned[name].clone()
        for _ in range(OUTER_ROUNDS):
            body = np.delete(vertices_with(measures[None], coefficients, space)[0].numpy(), part_vertices("mirror_left", "mirror_right"), 0)
            for measure, found_m in (("width", float(np.ptp(body[:, 0]))), ("height", float(body[:, 2].max()))):
                measures[INDEX[measure]] += float(wanted[INDEX[measure]]) - found_m
        moved[name] = torch.minimum(torch.maximum(measures, LOW), HIGH)
    return moved
