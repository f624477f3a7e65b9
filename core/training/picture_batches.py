"""Endless batches of varied pictures for the network; the state is one step number, so a resumed run goes on with fresh draws.

Four kinds: the car cut out as the second look sees it; the whole picture as the first look does; the car pasted before another background,
with other cars about; and pictures without a car.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from ..dataset.pictures import STORED_PX, Pictures
from ..perceive.heads import DENSE_STRIDE, INPUT_SIZE_PX, MOST_CARS, UNKNOWN_PART
from ..perceive.look import input_of
from .endless import EndlessBatches
from .layers import Layers, background_layers, car_layers, occlude, paste
from .vary_colour import vary

WIDTH, HEIGHT = INPUT_SIZE_PX
KINDS = ("cut", "whole", "pasted", "none")
SHARES = (0.5, 0.22, 0.2, 0.08)
ROLL_SIGMA_RAD = 0.045  # about 2.5 degrees
OCCLUDED_SHARE = 0.12
KEEP_HUE_SHARE = 0.3  # of the pictures; only they teach the paint's colour


@dataclass(frozen=True)
class Batch:
    """inputs (B, 4, H, W) float32; alpha, any_car (B, H, W) 0..1; any_known (B,); part (B, H/2, W/2) int64, UNKNOWN_PART where
    nobody knows; coordinates (B, 3, H/2, W/2) uint8 and seen (B, H/2, W/2) where they are told; azimuth_rad (B,), figures (B, F),
    body_index (B,), paint (B, 3), wheels (B, 4, 5) in shares of the input's width; has_car (B,); count (B,), -1 where unknown."""

    inputs: torch.Tensor
    alpha: torch.Tensor
    any_car: torch.Tensor
    any_known: torch.Tensor
    part: torch.Tensor
    coordinates: torch.Tensor
    seen: torch.Tensor
    azimuth_rad: torch.Tensor
    figures: torch.Tensor
    body_index: torch.Tensor
    paint: torch.Tensor
    wheels: torch.Tensor
    has_car: torch.Tensor
    count: torch.Tensor


Sample = dict[str, Any]
"""One picture with its labels: arrays, and scalars of numpy's types."""


class PictureBatches(EndlessBatches[Batch]):
    """Yields Batch for ever; `empty` (M, h, w, 3) uint8 are pictures without a car."""

    def __init__(self, pictures: Pictures, chosen: np.ndarray, empty: np.ndarray, batch: int, seed: int, first_step: int) -> None:
        super().__init__(seed, first_step)
        if not len(chosen):
            raise ValueError("no pictures to train on")
        self.pictures, self.chosen, self.empty = pictures, chosen, empty
        self.whole = chosen[pictures.whole[chosen]] if pictures.whole[chosen].any() else chosen
        self.batch = batch

    def make(self, random: np.random.Generator) -> Batch:
        """One batch; the same for the same generator."""
        return collate([self._sample(random) for _ in range(self.batch)])

    def _sample(self, random: np.random.Generator) -> Sample:
        kind = KINDS[random.choice(len(KINDS), p=SHARES)]
        if kind == "none":
            return self._without_car(random)
        number = random.choice(self.whole if kind == "pasted" else self.chosen)
        place = placement(self.pictures, number, kind, random)
        layers = car_layers(self.pictures, number, place)
        if kind == "pasted":
            layers = paste(layers, self._background(random, int((layers.alpha > 127).sum())), random)
        if random.random() < OCCLUDED_SHARE:
            layers = occlude(layers, random)
        return finished(layers, self._labels(number, place), random)

    def _background(self, random: np.random.Generator, car_px: int) -> Layers:
        """A picture without a car, or, half the time, one with another car smaller than the pasted one, which stays the largest."""
        if random.random() < 0.5:
            number = random.choice(self.chosen)
            layers = car_layers(self.pictures, number, placement(self.pictures, number, "behind", random))
            if (layers.any_car > 127).sum() < 0.8 * car_px:
                return layers
        return background_layers(self.empty[random.integers(len(self.empty))], random)

    def _without_car(self, random: np.random.Generator) -> Sample:
        layers = background_layers(self.empty[random.integers(len(self.empty))], random)
        count = len(self.pictures.figures[0])
        nothing = {
            "azimuth_rad": np.float32(np.nan), "figures": np.full(count, np.nan, np.float32), "body_index": np.int64(-1),
            "paint": np.full(3, np.nan, np.float32), "wheels": np.full((4, 5), np.nan, np.float32),
        }  # fmt: skip
        return finished(layers, nothing, random)

    def _labels(self, number: int, place: np.ndarray) -> Sample:
        """Labels of the whole picture, its wheels moved to where the placement (2, 3: stored pixels -> input pixels) puts them."""
        p = self.pictures
        wheels = p.wheels[number].copy()
        wheels[:, :2] = wheels[:, :2] @ place[:, :2].T + place[:, 2]
        wheels[:, 2:4] *= np.sqrt(abs(np.linalg.det(place[:, :2])))
        inside = (wheels[:, 0] > 0) & (wheels[:, 0] < WIDTH) & (wheels[:, 1] > 0) & (wheels[:, 1] < HEIGHT)
        wheels[:, 4] *= inside
        wheels[~inside, :4] = np.nan
        wheels[:, :4] /= WIDTH
        return {
            "azimuth_rad": p.azimuth_rad[number], "figures": p.figures[number].copy(), "body_index": p.body_index[number],
            "paint": p.paint_srgb01[number], "wheels": wheels.astype(np.float32),
        }  # fmt: skip


def placement(pictures: Pictures, number: int, kind: str, random: np.random.Generator) -> np.ndarray:
    """(2, 3) affine map from stored pixels (centres at .5) to the input's, turned a little."""
    alpha = pictures.alpha[number] > 127
    rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
    centre, extent = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    fit = min(WIDTH / extent[0], HEIGHT / extent[1])
    middle = np.array([WIDTH, HEIGHT]) / 2
    if kind == "whole":
        scale = HEIGHT / STORED_PX * random.uniform(0.75, 1.35)
        centre = np.full(2, STORED_PX / 2) + random.normal(0, 0.06 * STORED_PX, 2)
    elif kind == "cut":
        scale = fit / random.choice([random.uniform(1.05, 1.35), random.uniform(0.95, 1.6)])
        centre = centre + random.normal(0, 0.035, 2) * extent
    elif kind == "pasted":
        scale = fit * random.choice([random.uniform(0.75, 0.98), random.uniform(0.3, 0.95)])
        middle = middle + random.uniform(-0.5, 0.5, 2) * np.maximum((np.array([WIDTH, HEIGHT]) - scale * extent), 0)
    else:
        scale = max(WIDTH, HEIGHT) / STORED_PX * random.uniform(0.7, 1.3)
        centre = np.full(2, STORED_PX / 2) + random.normal(0, 0.2 * STORED_PX, 2)
    angle = random.normal(0, ROLL_SIGMA_RAD)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale  # never stretched: proportions count
    return np.concatenate([turn, (middle - turn @ centre)[:, None]], 1)


def finished(layers: Layers, labels: Sample, random: np.random.Generator) -> Sample:
    """Colours varied, perhaps mirrored, dense labels at their resolution."""
    keep_hue = random.random() < KEEP_HUE_SHARE
    image = vary(layers.image, random, keep_hue)
    if not keep_hue:
        labels = labels | {"paint": np.full(3, np.nan, np.float32)}
    image = np.where(layers.valid[..., None] > 127, image, 0)
    has_car = bool((layers.alpha > 127).sum() > 60)
    if not has_car:
        labels = labels | {
            "azimuth_rad": np.float32(np.nan),
            "figures": np.full_like(labels["figures"], np.nan),
            "body_index": np.int64(-1),
        }
        labels |= {"paint": np.full(3, np.nan, np.float32), "wheels": np.full((4, 5), np.nan, np.float32)}
    half = slice(DENSE_STRIDE // 2, None, DENSE_STRIDE)
    sample = {
        "inputs": input_of(image, layers.valid), "alpha": layers.alpha, "any_car": layers.any_car, "any_known": np.bool_(layers.any_known),
        "part": layers.part[half, half], "coordinates": layers.coordinates[half, half].transpose(2, 0, 1),
        "seen": layers.part[half, half] != 0, "has_car": np.float32(has_car),
        "count": np.int64(min(layers.count, MOST_CARS) if layers.any_known else -1),
    }  # fmt: skip
    sample["seen"] &= sample["part"] != UNKNOWN_PART
    sample["seen"] |= layers.accessory[half, half]
    sample |= labels
    return mirrored(sample) if random.random() < 0.5 else sample


def mirrored(sample: Sample) -> Sample:
    """The sample's mirror image, with all that left and right mean for its labels."""
    turned = {key: np.ascontiguousarray(sample[key][..., ::-1]) for key in ("inputs", "alpha", "any_car", "part", "seen", "coordinates")}
    turned["coordinates"][0] = 255 - turned["coordinates"][0]
    wheels = sample["wheels"][[1, 0, 3, 2]].copy()
    wheels[:, 0] = 1 - wheels[:, 0]
    return sample | turned | {"azimuth_rad": -sample["azimuth_rad"], "wheels": wheels}


def collate(samples: list[Sample]) -> Batch:
    """Samples -> Batch."""
    stacked = {field.name: torch.from_numpy(np.stack([sample[field.name] for sample in samples])) for field in fields(Batch)}
    return Batch(
        **stacked | {"alpha": stacked["alpha"].float() / 255, "any_car": stacked["any_car"].float() / 255, "part": stacked["part"].long()}
    )
