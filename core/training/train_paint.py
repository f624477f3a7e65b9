"""Learn a paint's own colour from photographs of cars whose paint is known: `build.py train paint CARS PHOTOGRAPHS...`.

Each picture is read by the network as a user's would be, its cues (core/paint/own_colour.py) go into a weighted ridge regression, in closed
form.  Dark and bright paints weigh alike, however rare: a mean-seeking estimate would else turn white cars grey.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from .. import weights
from ..dataset.cars import NOT_ONE_PAINT, read_cars
from ..dataset.make_pictures import Models
from ..dataset.pictures import paint_of, told_pictures
from ..errors import UserInputError
from ..matte.matte import make_matte
from ..paint.colour import oklab_from_srgb, srgb_from_linear, srgb_from_oklab
from ..paint.own_colour import FILE, KEY, OwnLightness, at_lightness, content_of, paint_cues, without_sky
from ..perceive.perceive import perceive
from ..types import Photo

RIDGE = 3.0  # pictures that tell of nothing
LIGHTNESS_BINS = (0.2, 0.35, 0.5, 0.65, 0.8)  # of OKLab's L between them the pictures weigh alike
MOST_WEIGHT = 3.0  # of a picture of a rare lightness
PARTS = 6  # of the cars, each left out in turn for the figures


@dataclass(frozen=True)
class Examples:
    """N pictures: cues (N, CUES), NaN where missing; commonest_oklab (N, 3) colours of the body; paint_oklab (N, 3); car (N,) names."""

    cues: np.ndarray
    commonest_oklab: np.ndarray
    paint_oklab: np.ndarray
    car: np.ndarray

    def some(self, which: np.ndarray) -> Examples:
        """Those of a mask or of indices."""
        return Examples(*(getattr(self, field.name)[which] for field in fields(self)))


def read_examples(cars: Path, folders: Sequence[Path], most_of_a_car: int | None = None) -> Examples:
    """Every photograph in which the network sees a car with enough of its body.  Raises UserInputError where there is none."""
    names, rows = [row.name for row in read_cars(cars / "cars.csv", "train") if row.name not in NOT_ONE_PAINT], []
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        read = pool.map(partial(_examples, cars, folders, most_of_a_car), names)
        for number, (name, found) in enumerate(zip(names, read, strict=True), 1):
            rows += found
            print(f"{number} of {len(names)} cars read; {name}: {len(found)} pictures", flush=True)
    if not rows:
        where = ", ".join(map(str, folders))
        raise UserInputError(f"{where} hold no photographs of the training cars; make some with `build.py photograph`.")
    cues, commonest, paint, car = zip(*rows, strict=True)
    return Examples(np.stack(cues), np.stack(commonest), oklab_from_srgb(srgb_from_linear(np.stack(paint))), np.array(car))


def _examples(cars: Path, folders: Sequence[Path], most: int | None, name: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, str]]:
    """Cues, commonest colour (OKLab), paint (linear RGB) and name of one car's pictures."""
    models, rows = Models(cars), []
    for folder in folders:
        for _, image, told in islice(told_pictures(folder / name), most):
            seen = _seen(image.astype(np.float32) / 255)
            if seen is not None:
                rows.append((*seen, paint_of(models[name]) if told["paint"] is None else np.array(told["paint"]), name))
    return rows


def _seen(image_srgb01: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    photo = Photo("", image_srgb01)
    try:
        dense = perceive(photo, make_matte(photo)).dense
    except UserInputError:  # the network sees no car in it, as it may in a user's picture
        return None
    return paint_cues(image_srgb01, dense) if dense is not None else None


def learn(examples: Examples) -> OwnLightness:
    """The ridge regression of the paint's lightness on the cues."""
    usual, spread = np.nanmedian(examples.cues, 0), np.nanstd(examples.cues, 0) + 1e-6
    blank = OwnLightness(usual, spread, np.zeros_like(usual), np.zeros(1))
    known = np.concatenate([blank.weighed(examples.cues), np.ones((len(examples.cues), 1))], 1)
    lightness = examples.paint_oklab[:, 0]
    weight = _weights(lightness)
    pull = RIDGE * np.eye(known.shape[1])
    pull[-1, -1] = 0  # the mean is free
    found = np.linalg.solve(known.T @ (known * weight[:, None]) + pull, known.T @ (lightness * weight))
    return OwnLightness(*(array.astype(np.float32) for array in (usual, spread, found[:-1], found[-1:])))


def _weights(lightness: np.ndarray) -> np.ndarray:
    """(N,) so that each bin of lightness weighs as much as the others, none of its pictures more than MOST_WEIGHT, their mean 1."""
    bins = np.digitize(lightness, LIGHTNESS_BINS)
    count = np.bincount(bins, minlength=len(LIGHTNESS_BINS) + 1)
    weight = np.minimum(len(lightness) / (np.count_nonzero(count) * count[bins]), MOST_WEIGHT)
    return np.asarray(weight / weight.mean())


def left_out_scores(examples: Examples) -> dict[str, float]:
    """Mean absolute errors in sRGB of cars that were left out, and those of the commonest colour; *_even: dark and bright paints alike."""
    names, told = sorted(set(examples.car.tolist())), np.full(len(examples.car), np.nan)
    for part in range(min(PARTS, len(names))):
        out = np.isin(examples.car, names[part::PARTS])
        if not out.all():
            told[out] = learn(examples.some(~out))(examples.cues[out])
    guesses = {"left_out": at_lightness(without_sky(examples.commonest_oklab), told), "commonest_colour": examples.commonest_oklab}
    truth, bins = srgb_from_oklab(examples.paint_oklab), np.digitize(examples.paint_oklab[:, 0], LIGHTNESS_BINS)
    scores = {}
    for key, guess in guesses.items():
        error = np.abs(srgb_from_oklab(guess) - truth).mean(1)
        scores[f"{key}_error"] = round(float(error.mean()), 4)
        scores[f"{key}_error_even"] = round(float(np.mean([error[bins == k].mean() for k in np.unique(bins)])), 4)
    return scores


def main(argv: list[str] | None = None) -> int:
    """Read, learn, write the weights with their manifest entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cars", type=Path, help="folder with cars.csv and the GLB files")
    parser.add_argument("photographs", type=Path, nargs="+", help="folders that `build.py photograph` made")
    parser.add_argument("--weights", type=Path, default=weights.FOLDER, help=f"where {FILE} goes")
    parser.add_argument("--most", type=int, help="pictures of each car in each folder")
    arguments = parser.parse_args(argv)
    started = time.monotonic()
    examples = read_examples(arguments.cars, arguments.photographs, arguments.most)
    facts = {
        "trained_by": "python3 build.py train paint CARS PHOTOGRAPHS",
        "seed": None,
        "data": f"{len(examples.car)} photographs by Cycles of {len(set(examples.car.tolist()))} training cars",
        "minutes": round((time.monotonic() - started) / 60, 1),
        "machine": f"{os.cpu_count()} CPU cores",
        "licence": "see weights/README.md for the attribution of the car models",
        "scores": left_out_scores(examples),
    }
    weights.write_entry(arguments.weights, KEY, FILE, content_of(learn(examples)), facts)
    print(json.dumps(facts, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
