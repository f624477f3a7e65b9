"""Learn the looks of the automatic cut: `build.py train matte CARS_DIR RENDERS_DIR [HDRI_DIR] --out RUN_DIR`.

RENDERS_DIR holds one folder a batch, in it one a car with its pictures and shots.jsonl; true mattes are the rasterised models.
The looks are learned one after the other, each on the estimates of those before it, as the cut will use them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..dataset.cars import read_cars, read_model
from ..dataset.sky import read_sky
from ..errors import UserInputError
from ..matte.automatic import CUT_SIDE_PX, cut, first_estimate, likelihood, resized, with_surroundings
from ..matte.features import pixel_features
from ..matte.looks import FILE, KEY, WIDTHS, Look, tensors_of
from ..weights import FOLDER, write_entry
from .matte_pictures import MattePicture, pictures_of
from .run_record import write_json

COMMAND = "python3 build.py train matte CARS_DIR RENDERS_DIR HDRI_DIR --out RUN_DIR"
DATA = (
    "renders of the cars of the split `train`, as they are, cut close, and pasted on the panoramas of Poly Haven; attribution in README.md"
)
LICENCE = "GPL-3.0-or-later for the weights; the cars' attribution is in README.md"


@dataclass(frozen=True)
class MatteConfig:
    """Saved beside the result.  held_out are cars that are measured on and not learned from."""

    renders_per_car: int = 12
    pixels_per_picture: int = 1000
    hidden: tuple[int, ...] = (32, 24)
    steps: int = 3000
    batch: int = 4096
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    seed: int = 0
    held_out: tuple[str, ...] = ("hatchback_milano95", "sedan_trinity03", "suv_bokaroo67", "pickup_lightbody85", "sports_jdm99")


@dataclass(frozen=True)
class Small:
    """A training picture as the cut sees it: small_srgb01 (H, W, 3) float32, mask (H, W) bool."""

    small_srgb01: np.ndarray
    mask: np.ndarray

    @property
    def lab(self) -> np.ndarray:
        """(H, W, 3) float32; made anew, since thousands of pictures wait in memory."""
        return cv2.cvtColor(self.small_srgb01, cv2.COLOR_RGB2Lab)


def read_pictures(cars: Path, renders: Path, hdris: Path | None, config: MatteConfig) -> list[MattePicture]:
    """The pictures of all training cars.  Raises UserInputError where there are none."""
    skies = [read_sky(file) for file in sorted(hdris.glob("*.hdr"))] if hdris else []
    pictures: list[MattePicture] = []
    for number, row in enumerate(read_cars(cars / "cars.csv", "train")):
        random = np.random.default_rng([config.seed, number])
        pictures += pictures_of(read_model(cars, row), renders, skies, config.renders_per_car, random)
    if not pictures:
        raise UserInputError(f"{renders} holds no renders of the training cars; give the folder with one folder a batch, in it one a car.")
    return pictures


def small_of(picture: MattePicture) -> Small:
    """Brought to the size in which the cut works."""
    small = resized(picture.image_srgb01, CUT_SIDE_PX)
    return Small(small, resized(picture.mask.astype(np.float32), CUT_SIDE_PX) > 0.5)


def learn(pictures: list[MattePicture], config: MatteConfig, report: Callable[[str], None]) -> tuple[Look, ...]:
    """The looks, learned in their order; two passes over the pictures for each, but for the last one."""
    smalls = [small_of(picture) for picture in pictures]
    estimates: list[np.ndarray | None] = [None] * len(smalls)
    looks: list[Look] = []
    for number in range(len(WIDTHS)):
        random = np.random.default_rng([config.seed, 1000 + number])
        drawn = [_drawn_pixels(*pair, config.pixels_per_picture, random) for pair in zip(smalls, estimates, strict=True)]
        values, truth = (np.concatenate(column) for column in zip(*drawn, strict=True))
        look, loss = fit_look(values, truth, config)
        report(f"look {number + 1}: {len(truth)} pixels of {len(smalls)} pictures, cross entropy {loss:.4f}")
        looks.append(look)
        if number + 1 < len(WIDTHS):
            estimates = [_next_estimate(*pair, look) for pair in zip(smalls, estimates, strict=True)]
    return tuple(looks)


def _features(small: Small, estimate: np.ndarray | None) -> np.ndarray:
    lab = small.lab
    own = pixel_features(lab)
    return own if estimate is None else with_surroundings(own, lab, estimate.astype(np.float32))


def _drawn_pixels(small: Small, estimate: np.ndarray | None, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    index = random.integers(0, small.mask.size, count)
    values = _features(small, estimate)
    return values.reshape(-1, values.shape[-1])[index], small.mask.ravel()[index].astype(np.float32)


def _next_estimate(small: Small, estimate: np.ndarray | None, look: Look) -> np.ndarray:
    values = _features(small, estimate)
    if estimate is None:
        return first_estimate(small.small_srgb01, small.lab, values, look).astype(np.float16)
    return likelihood(look.log_odds(values)).astype(np.float16)


def fit_look(values: np.ndarray, truth: np.ndarray, config: MatteConfig) -> tuple[Look, float]:
    """Features (N, F) and 0 or 1 (N,) -> the look that tells them apart, and its mean cross entropy on them; the same for a seed."""
    torch.manual_seed(config.seed)
    mean, spread = values.mean(0), values.std(0) + 1e-6
    inputs, wanted = torch.from_numpy((values - mean) / spread), torch.from_numpy(truth)
    linears = [nn.Linear(*sizes) for sizes in pairwise((values.shape[1], *config.hidden, 1))]
    network = nn.Sequential(*(part for linear in linears for part in (linear, nn.ReLU())))[:-1]
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / config.steps)
    for _ in range(config.steps):
        chosen = torch.randint(0, len(wanted), (config.batch,))
        loss = binary_cross_entropy_with_logits(network(inputs[chosen])[:, 0], wanted[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        loss = binary_cross_entropy_with_logits(network(inputs)[:, 0], wanted)
    layers = tuple((linear.weight.detach().numpy().T.copy(), linear.bias.detach().numpy().copy()) for linear in linears)
    return Look(mean, spread, layers), float(loss)


def measure(pictures: list[MattePicture], looks: tuple[Look, ...]) -> dict[str, dict[str, float]]:
    """Intersection over union of the full cut with the true mattes, by kind of picture."""
    found: dict[str, list[tuple[float, float]]] = {}
    for picture in pictures:
        alpha01, confidence01 = cut(picture.image_srgb01, looks)
        mask = alpha01 > 0.5
        overlap = (mask & picture.mask).sum() / (mask | picture.mask).sum()
        found.setdefault(picture.kind, []).append((float(overlap), confidence01))
    return {kind: _figures(np.array(rows)) for kind, rows in found.items()}


def _figures(rows: np.ndarray) -> dict[str, float]:
    overlap, confidence01 = rows.T
    return {
        "pictures": len(rows),
        "mean_iou": round(float(overlap.mean()), 4),
        "median_iou": round(float(np.median(overlap)), 4),
        "below_0.8": round(float((overlap < 0.8).mean()), 3),
        "mean_confidence": round(float(confidence01.mean()), 3),
        "confidence_correlation": round(float(np.corrcoef(overlap, confidence01)[0, 1]), 2)
        if min(overlap.std(), confidence01.std()) > 0
        else 0.0,
    }


def train(pictures: list[MattePicture], out: Path, weights: Path, config: MatteConfig, machine: str) -> dict[str, dict[str, float]]:
    """Learn, measure on the held-out cars, write RUN_DIR/config.json, RUN_DIR/scores.json, and the weights with their manifest entry."""
    started = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "config.json", asdict(config))
    looks = learn([p for p in pictures if p.car not in config.held_out], config, print)
    scores = measure([p for p in pictures if p.car in config.held_out], looks)
    write_json(out / "scores.json", scores)
    facts = {
        "trained_by": COMMAND, "config": asdict(config), "seed": config.seed, "data": DATA,
        "minutes": round((time.monotonic() - started) / 60, 1), "machine": machine, "scores": {"held_out_cars": scores}, "licence": LICENCE,
    }  # fmt: skip
    write_entry(weights, KEY, FILE, tensors_of(looks), facts)
    return scores


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="train_matte", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cars", type=Path, help="folder with cars.csv and the GLB files")
    parser.add_argument("renders", type=Path, help="folder with one folder a batch, in it one a car")
    parser.add_argument("hdris", type=Path, nargs="?", help="folder of panoramas to paste cars on")
    parser.add_argument("--out", type=Path, required=True, help="run folder for config.json and scores.json")
    parser.add_argument("--weights", type=Path, default=FOLDER, help="where matte.safetensors goes")
    parser.add_argument("--renders-per-car", type=int, default=MatteConfig.renders_per_car)
    parser.add_argument("--seed", type=int, default=MatteConfig.seed)
    parser.add_argument("--machine", default="2 CPU cores; 1 thread", help="what the manifest says of it")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    config = MatteConfig(renders_per_car=given.renders_per_car, seed=given.seed)
    pictures = read_pictures(given.cars, given.renders, given.hdris, config)
    for kind, figures in train(pictures, given.out, given.weights, config, given.machine).items():
        print(kind, figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
