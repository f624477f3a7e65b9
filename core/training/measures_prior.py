"""Fits of the measures to car models, and a table of real cars' dimensions -> the Gaussian over measures that core/car/prior.py reads."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import torch

from ..car.measures import BODY_TYPES, HIGH, INDEX, LOW, NAMES, to_vector

DIMENSIONS = ("length", "width", "height", "wheelbase")
TABLE_WORDS = {
    "sedan": "sedan", "hatchback": "hatchback", "wagon": "wagon", "estate": "wagon", "suv": "suv", "van": "van", "minivan": "van",
    "pickup": "pickup", "coupe": "coupe", "convertible": "coupe", "sports": "coupe",
}  # fmt: skip
CITYCAR_LENGTH_M = 3.75  # a shorter hatchback counts as a city car
DEFAULT_WEIGHT = 1.0  # the hand-made body type counts as this many fitted cars
BETWEEN_SHARE = 0.35  # how much of the spread between body types is allowed within one: types are guessed, and cars lie between them
SHRINKAGE, FLOOR = 0.35, 0.045  # share of the covariance kept diagonal; smallest spread by a measure's range


def read_dimensions(table: Path) -> dict[str, np.ndarray]:
    """(n, 4) length, width, height, wheelbase in metres by body type, complete rows only."""
    found: dict[str, list[list[float]]] = {}
    with table.open(newline="") as lines:
        for row in csv.DictReader(lines):
            kind, texts = TABLE_WORDS.get(row["body"].lower()), [row[f"{name}_mm"] for name in DIMENSIONS]
            if kind is None or not all(texts):
                continue
            figures = [float(text) / 1000 for text in texts]
            found.setdefault("citycar" if kind == "hatchback" and figures[0] < CITYCAR_LENGTH_M else kind, []).append(figures)
    return {kind: np.array(rows) for kind, rows in found.items()}


def learn_prior(fits: list[tuple[str, torch.Tensor]], dimensions: dict[str, np.ndarray] | None) -> dict[str, torch.Tensor]:
    """Fits as (body type, measures (P,)) -> the tensors of measures.safetensors: typical.TYPE (P,) and factor (P, P)."""
    means = {}
    for kind, default in BODY_TYPES.items():
        rows = [to_vector(default) * DEFAULT_WEIGHT] + [m for k, m in fits if k == kind]
        means[kind] = torch.stack(rows).sum(0) / (DEFAULT_WEIGHT + len(rows) - 1)
        means[kind][INDEX["cab_drop"]] = default["cab_drop"]
    apart = torch.stack([m - means[kind] for kind, m in fits])
    within = apart.T @ apart / max(len(fits) - 1, 1)
    closed = torch.stack([mean for kind, mean in means.items() if kind != "pickup"])
    between = torch.cov(closed.T)
    covariance = within + BETWEEN_SHARE * between
    own = covariance.diagonal() + (FLOOR * (HIGH - LOW)) ** 2
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * torch.diag(covariance.diagonal())
    covariance = covariance - torch.diag(covariance.diagonal()) + torch.diag(own)
    if dimensions:
        means, covariance = _with_dimensions(means, covariance, dimensions)
    fixed = INDEX["cab_drop"]
    covariance[fixed, :], covariance[:, fixed] = 0.0, 0.0
    covariance[fixed, fixed] = 1e-12
    factor = torch.linalg.cholesky(covariance.double() + 1e-10 * torch.eye(len(NAMES), dtype=torch.float64)).float()
    factor[fixed] = 0.0
    return {"factor": factor, **{f"typical.{kind}": torch.minimum(torch.maximum(mean, LOW), HIGH) for kind, mean in means.items()}}


def _with_dimensions(
    means: dict[str, torch.Tensor], covariance: torch.Tensor, dimensions: dict[str, np.ndarray]
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Give the four dimensions the table's mean and spread; the other measures follow by the regression seen in the fits."""
    known = [INDEX[name] for name in DIMENSIONS]
    regression = torch.linalg.solve(covariance[known][:, known], covariance[known]).T  # (P, 4); identity on the four themselves
    rest = covariance - regression @ covariance[known]
    apart = np.concatenate([rows - np.median(rows, 0) for rows in dimensions.values()])
    low, high = np.percentile(apart, [2.5, 97.5], axis=0)  # typing errors of the table stay out
    table = torch.tensor(np.cov(np.clip(apart, low, high).T), dtype=covariance.dtype)
    moved = {}
    for kind, mean in means.items():
        if kind not in dimensions:
            moved[kind] = mean
            continue
        change = torch.tensor(np.median(dimensions[kind], 0), dtype=mean.dtype) - mean[known]
        moved[kind] = mean + regression @ change
        moved[kind][INDEX["cab_drop"]] = mean[INDEX["cab_drop"]]
    return moved, rest + regression @ table @ regression.T
