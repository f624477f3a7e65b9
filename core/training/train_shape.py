"""Fit the template to real car models in 3D; learn the shape space and which cars are likely: `build.py train shape CARS OUT`.

CARS/NAME.glb -> surface_target -> surface_fit (measures, then every vertex) -> OUT/NAME.npz -> car_shape.safetensors: the modes of what
measures cannot say (space_learning), the prior of the measures with real cars' dimensions (measures_prior), and colours (texture_modes).
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
from safetensors.numpy import load, save

from .. import weights
from ..car.prior import PREFIX
from ..car.space import FILE, KEY, shape_space, space_tensors
from ..dataset.cars import CarRow, read_cars
from ..dataset.labelled import read_labelled
from ..device import one_thread
from ..errors import UserInputError
from .half_body import template_half
from .measures_prior import hand_made_prior, learn_prior, of_outer_size, read_dimensions
from .space_learning import Config, FittedCar, learn_space
from .surface_fit import fit_free, fit_space
from .surface_target import make_surface_target
from .texture_modes import learn_texture_modes

LEARNING_PRIOR = 5e-4  # pull of the measures towards the usual car: what they need not say is left to the modes
NO_CARS_SHAPE = ("flatbed_lightbody90", "pickup_lightbody90", "towtruck_lightbody90")  # with cargo, crane or rails in or for a bed


def fit_cars(cars: Path, out: Path, split: str | None = "train", names: tuple[str, ...] = ()) -> list[FittedCar]:
    """The fits of the cars of a split; a car that OUT holds already is read from there, so that a stopped run goes on."""
    out.mkdir(parents=True, exist_ok=True)
    fitted = []
    for row in read_cars(cars / "cars.csv", split):
        if names and row.name not in names:
            continue
        file = out / f"{row.name}.npz"
        if not file.exists():
            started = time.monotonic()
            _write(file, *_fit_one(cars, row), seconds=time.monotonic() - started)
            print(f"{row.name}: {time.monotonic() - started:.0f} s", flush=True)
        with np.load(file) as held:
            fitted.append(FittedCar(row.name, row.body_type, held["measures"], held["free_half_m"]))
    return fitted


def _fit_one(cars: Path, row: CarRow) -> tuple[np.ndarray, np.ndarray]:
    """Measures (P,) and the offsets (H, 3) of every vertex of the half from the template."""
    target = make_surface_target(read_labelled(cars, row))
    start = fit_space(target, hand_made_prior(), None, measure_prior=LEARNING_PRIOR)
    return start.measures, fit_free(target, start) - template_half(start.measures)


def _write(file: Path, measures: np.ndarray, free_half_m: np.ndarray, seconds: float) -> None:
    aside = file.with_suffix(".part.npz")
    np.savez(aside, measures=measures, coefficients=np.zeros(0, np.float32), free_half_m=free_half_m.astype(np.float32), seconds=seconds)
    os.replace(aside, file)


def main(argv: list[str] | None = None) -> int:
    """Fit, learn, write the weights with their manifest entry."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cars", type=Path, help="folder with cars.csv and the GLB files")
    parser.add_argument("out", type=Path, help="folder for the fits, NAME.npz")
    parser.add_argument("--dimensions", type=Path, help="table of real cars' dimensions")
    parser.add_argument("--weights", type=Path, default=weights.FOLDER, help="where car_shape.safetensors goes")
    parser.add_argument("--names", default="", help="only these cars, comma separated")
    parser.add_argument("--measures-only", action="store_true", help="keep modes and textures; learn anew which measures are likely")
    parser.add_argument("--modes", type=int, default=Config.modes)
    arguments = parser.parse_args(argv)
    config, started = Config(modes=arguments.modes), time.monotonic()
    with one_thread():
        fitted = fit_cars(arguments.cars, arguments.out, "train", tuple(filter(None, arguments.names.split(","))))
    learned = [car for car in fitted if car.name not in NO_CARS_SHAPE]
    if len(learned) < 2:
        raise UserInputError(f"{arguments.cars / 'cars.csv'} names fewer than two training cars to learn from; add cars, or other --names.")
    dimensions = read_dimensions(arguments.dimensions) if arguments.dimensions else None
    measures = learn_prior([(car.body_type, torch.from_numpy(car.measures)) for car in learned], dimensions)
    if arguments.measures_only:
        space, released = shape_space(arguments.weights), load(weights.read_checked(arguments.weights, KEY))
        tensors = {name: value for name, value in released.items() if not name.startswith(PREFIX)}
    else:
        space = learn_space(learned, config)
        tensors = {**space_tensors(space), **learn_texture_modes(arguments.cars, arguments.out)}
    measures = of_outer_size(measures, space) if dimensions else measures
    tensors |= {PREFIX + name: value.numpy() for name, value in measures.items()}
    facts = {
        "trained_by": "python3 build.py train shape CARS OUT --dimensions TABLE" + " --measures-only" * arguments.measures_only,
        "config": asdict(config),
        "seed": None,
        "data": f"{len(learned)} training cars, fitted in 3D; left out: {', '.join(NO_CARS_SHAPE)}"
        + ("; table of dimensions" if dimensions else ""),
        "minutes": round((time.monotonic() - started) / 60, 1),
        "machine": f"{os.cpu_count()} CPU cores",
        "licence": "see weights/README.md for the attribution of the car models",
    }
    content = save({name: np.ascontiguousarray(value) for name, value in tensors.items()})  # as they lie in memory, whatever their strides
    weights.write_entry(arguments.weights, KEY, FILE, content, facts)
    print(json.dumps(facts, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
