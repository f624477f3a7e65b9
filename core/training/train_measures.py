"""Fit the template's measures to real car models in 3D and learn which measures are likely: `build.py train measures CARS OUT`.

Every car is drawn from six sides; the template's silhouettes and depths are fitted to the drawings by differentiable rasterisation, its
wheels to the model's wheels.  The fits give mean and covariance of the measures; length, width, height and wheelbase take theirs from a
table of dimensions where one is given, the other measures following by regression.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from ..car.measures import to_dict, to_vector
from ..car.prior import FILE, KEY
from ..dataset.cars import read_cars, read_model
from ..errors import UserInputError
from ..weights import FOLDER, write_entry
from .measures_fit import FIGURES, Config, fit_car
from .measures_prior import learn_prior, read_dimensions


def fit_cars(cars: Path, out: Path, config: Config, names: list[str]) -> dict[str, dict]:
    """Fit the training cars that OUT/fits.json does not hold yet; the file grows car by car, so that a stopped run goes on."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / "fits.json"
    done: dict[str, dict] = json.loads(file.read_text())["cars"] if file.exists() else {}
    for row in read_cars(cars / "cars.csv", "train"):
        if row.name in done or (names and row.name not in names):
            continue
        measures, figures = fit_car(read_model(cars, row), config)
        done[row.name] = {"body_type": row.body_type, "measures": to_dict(measures), **figures}
        print(row.name, figures, flush=True)
        aside = file.with_suffix(".part")
        aside.write_text(json.dumps({"config": asdict(config), "cars": done}, indent=1))
        os.replace(aside, file)
    return done


def main(argv: list[str] | None = None) -> int:
    """Fit, learn the prior, write it with its manifest entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cars", type=Path, help="folder with cars.csv and the GLB files")
    parser.add_argument("out", type=Path, help="folder for fits.json")
    parser.add_argument("--dimensions", type=Path, help="table of real cars' dimensions")
    parser.add_argument("--weights", type=Path, default=FOLDER, help="where measures.safetensors goes")
    parser.add_argument("--names", default="", help="only these cars, comma separated")
    parser.add_argument("--steps", type=int, default=Config.steps)
    arguments = parser.parse_args(argv)
    config, started = Config(steps=arguments.steps), time.monotonic()
    torch.manual_seed(config.seed)
    done = fit_cars(arguments.cars, arguments.out, config, list(filter(None, arguments.names.split(","))))
    if not done:
        raise UserInputError(
            f"{arguments.cars / 'cars.csv'} names no training car to fit; give its `split` the word train, or other --names."
        )
    fits = [(car["body_type"], to_vector(car["measures"])) for car in done.values()]
    tensors = learn_prior(fits, read_dimensions(arguments.dimensions) if arguments.dimensions else None)
    facts = {
        "trained_by": "python3 build.py train measures CARS OUT --dimensions TABLE",
        "config": asdict(config),
        "seed": config.seed,
        "data": f"{len(fits)} training cars, fitted in 3D" + ("; table of dimensions" if arguments.dimensions else ""),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "machine": f"{os.cpu_count()} CPU cores",
        "scores": {key: round(float(np.mean([car[key] for car in done.values()])), 4) for key in FIGURES},
        "licence": "see weights/README.md for the attribution of the car models",
    }
    write_entry(arguments.weights, KEY, FILE, save({name: tensor.contiguous() for name, tensor in tensors.items()}), facts)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
