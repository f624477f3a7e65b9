"""Fit the template's measures to real car models in 3D and learn which measures are likely: `build.py train measures CARS OUT`.

Every car is drawn from six sides; the template's silhouettes and depths are fitted to the drawings by differentiable rasterisation, its
wheels to
the model's wheels.  The fits give mean and covariance of the measures; length, width, height and wheelbase take theirs from a table of
dimensions where one is given, the other measures following by regression.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save

from ..car.car import wheel_centres, whole
from ..car.measures import BODY_TYPES, HIGH, INDEX, LOW, NAMES, to_dict, to_vector
from ..car.prior import FILE, KEY
from ..dataset.cars import NO_WHEEL, CarModel, read_cars, read_model
from ..fit.linear_car import linearise
from ..fit.silhouette import coverage
from ..frames import car_to_clip, clip_from_camera, orbit
from ..render.render import rasterize
from ..weights import FOLDER, write_entry
from .measures_prior import learn_prior, read_dimensions

VIEWS_DEG = ((90.0, 0.0), (0.0, 3.0), (180.0, 3.0), (90.0, 89.0), (40.0, 18.0), (140.0, 18.0))


@dataclass(frozen=True)
class Config:
    """Saved beside the result."""

    steps: int = 150
    size_px: int = 96
    learning_rate: float = 0.05  # in shares of a measure's usual spread
    relinearise_every: int = 15
    depth_weight: float = 8.0
    wheel_weight: float = 40.0
    default_weight: float = 0.002  # pull towards the body type's figures, for measures no view sees
    seed: int = 0


SPREAD = 0.12 * (HIGH - LOW)
FIXED = ("cab_drop",)


def true_wheels(model: CarModel) -> torch.Tensor | None:
    """(4, 4): x, y, z of each hub and its radius, None where the model has no wheel nodes."""
    rows = []
    for corner in range(4):
        faces = model.positions_m[model.wheel_index == corner].reshape(-1, 3)
        if model.wheel_index.max() == NO_WHEEL and not len(faces):
            return None
        low, high = faces.min(0), faces.max(0)
        rows.append([*((low + high) / 2), (high[2] - low[2]) / 2])
    return torch.tensor(np.array(rows), dtype=torch.float32)


def _cameras(length_m: float, middle: tuple[float, float, float]) -> tuple[torch.Tensor, torch.Tensor, float]:
    distance = 12 * length_m
    matrices = torch.tensor(
        np.stack([orbit(math.radians(a), math.radians(e), distance, middle) for a, e in VIEWS_DEG]), dtype=torch.float32
    )
    return matrices, clip_from_camera(0.5 * distance / (0.56 * length_m), 1, 1), distance


def _depth(
    vertices: torch.Tensor, triangles: torch.Tensor, matrix: torch.Tensor, projection: torch.Tensor, size_px: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Covered (B, S, S) bool and distance from the camera plane in metres (B, S, S), differentiable."""
    clip = car_to_clip(vertices, matrix, projection)
    rast, _ = rasterize(clip, triangles, (size_px, size_px), grad_db=False, with_db=False)
    a, b = projection[2, 2], projection[2, 3]
    return rast[..., 3] > 0, b / (-rast[..., 2] - a)


def fit_car(model: CarModel, config: Config) -> tuple[torch.Tensor, dict[str, float]]:
    """The measures (P,) that bring the template closest to a model, and mean silhouette IoU and depth error as figures."""
    points = torch.from_numpy(model.positions_m.reshape(-1, 3))
    low, high = points.amin(0), points.amax(0)
    length = float(high[1] - low[1])
    triangles = torch.arange(len(points)).view(-1, 3)
    wheels = true_wheels(model)
    origin_y = float(wheels[:, 1].mean()) if wheels is not None else float((low[1] + high[1]) / 2)
    points = points - torch.tensor([0.0, origin_y, 0.0])
    matrices, projection, _ = _cameras(length, (0.0, float((low[1] + high[1]) / 2 - origin_y), float(high[2]) / 2))
    with torch.no_grad():
        mask, depth = _depth(points[None].expand(len(matrices), -1, -1), triangles, matrices, projection, config.size_px)
    kind = model.row.body_type
    start = to_vector(BODY_TYPES[kind])
    start[INDEX["length"]], start[INDEX["height"]] = length, float(high[2])
    if wheels is not None:
        start[INDEX["wheelbase"]] = float(wheels[2:, 1].mean() - wheels[:2, 1].mean())
        start[INDEX["front_overhang"]] = float(wheels[:2, 1].mean()) - float(low[1])
        start[INDEX["wheel_radius"]] = float(wheels[:, 3].mean())
    free = torch.ones(len(NAMES))
    free[[INDEX[name] for name in FIXED]] = 0
    z = torch.zeros(1, len(NAMES), requires_grad=True)
    optimiser = torch.optim.Adam([z], config.learning_rate * 4)
    default, mesh = start.clone(), whole()
    figures: dict[str, float] = {}
    for step in range(config.steps):
        for group in optimiser.param_groups:
            group["lr"] = 4 * config.learning_rate * 0.5 * (1 + math.cos(math.pi * step / config.steps)) + 0.002
        measures = (start + z * SPREAD * free).clamp(LOW, HIGH)
        if step % config.relinearise_every == 0:
            linear = linearise(measures)
        vertices = linear.vertices(measures).expand(len(matrices), -1, -1)
        silhouettes = coverage(vertices, matrices, projection.expand(len(matrices), -1, -1), mesh.triangles, config.size_px)
        covered, drawn = _depth(vertices, mesh.triangles, matrices, projection, config.size_px)
        area = mask.float().sum((1, 2))
        outline = (((silhouettes - mask.float()) ** 2).sum((1, 2)) / area).mean()
        both = covered & mask
        apart = ((drawn - depth).abs() / length).clamp_max(0.06)[both].mean()
        pull = ((measures - default) / SPREAD).square().sum()
        loss = outline + config.depth_weight * apart + config.default_weight * pull
        if wheels is not None:
            wheel = torch.cat([wheel_centres(measures)[0], measures[0, INDEX["wheel_radius"]].expand(4, 1)], 1)
            loss = (
                loss + config.wheel_weight * ((wheel - (wheels - torch.tensor([0.0, origin_y, 0.0, 0.0]))) / length).square().sum(1).mean()
            )
        ends = torch.stack([vertices[0, :, 1].min() - low[1] + origin_y, vertices[0, :, 1].max() - high[1] + origin_y])
        loss = loss + config.wheel_weight * (ends / length).square().sum()  # bumpers are small in outlines, but they make the length
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        iou = ((silhouettes > 0.5) & mask).sum((1, 2)) / ((silhouettes > 0.5) | mask).sum((1, 2))
        figures = {"silhouette_iou": float(iou.mean()), "depth_error_of_length": float(apart)}
    return (start + z.detach()[0] * SPREAD * free).clamp(LOW, HIGH), figures


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
    fits = [(car["body_type"], to_vector(car["measures"])) for car in done.values()]
    tensors = learn_prior(fits, read_dimensions(arguments.dimensions) if arguments.dimensions else None)
    facts = {
        "trained_by": "python3 build.py train measures CARS OUT --dimensions TABLE", "config": asdict(config), "seed": config.seed,
        "data": f"{len(fits)} training cars, fitted in 3D" + ("; table of dimensions" if arguments.dimensions else ""),
        "minutes": round((time.monotonic() - started) / 60, 1), "machine": "2 CPU cores",
        "scores": {key: round(float(np.mean([car[key] for car in done.values()])), 4) for key in ("silhouette_iou",
        "depth_error_of_length")},
        "licence": "see weights/README.md for the attribution of the car models",
    }  # fmt: skip
    write_entry(arguments.weights, KEY, FILE, save({name: tensor.contiguous() for name, tensor in tensors.items()}), facts)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
