"""Endless batches of turntables for the generator; the state is one step number, so a resumed run goes on with the same draws."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..dataset.turntables import Turntables
from ..generator.groups import FACTOR_MEAN, FACTOR_SLICE, MIRRORED_FACTORS
from ..generator.surface import mirrored_surfaces
from .endless import EndlessBatches

CAMERA_SIGMA = (0.04, 0.03, 0.04)  # errors of a fitted camera: azimuth, elevation in radians, log distance
SHIFT_SIGMA_PX, SCALE_SIGMA = 0.8, 0.015  # and of where it puts the window
SOFT_SHARE = 0.25  # of the pictures that the encoder sees are less sharp than the window
PHOTOGRAPH_SHARE = 0.15  # of the cars of a batch, where there are photographs


@dataclass(frozen=True)
class TurntableBatch:
    """B cars and M others.  Pictures (B, 4, S, S) float32 as the generator makes them, views (B, 3), surfaces (B, LAYERS, S, S) uint8,
    factors (B, F), nan where unknown.

    target: what is to be drawn.  look: a picture of the same car under the same light and paint, another one where there is one.  car: a
    picture of the same car, perhaps under another look.  These two are what the encoder sees, with the errors of a fitted camera.
    reference (M): pictures of any cars; invented_factors (M, F): the shape's from that car, each other group's from another, none missing.
    """

    target: torch.Tensor
    view: torch.Tensor
    surface: torch.Tensor
    factors: torch.Tensor
    look: torch.Tensor
    look_view: torch.Tensor
    car: torch.Tensor
    car_view: torch.Tensor
    car_factors: torch.Tensor
    reference: torch.Tensor
    reference_view: torch.Tensor
    reference_surface: torch.Tensor
    invented_factors: torch.Tensor


class TurntableBatches(EndlessBatches[TurntableBatch]):
    """Yields TurntableBatch for ever."""

    def __init__(self, turntables: Turntables, chosen: np.ndarray, batch: int, invented: int, seed: int, first_step: int) -> None:
        super().__init__(seed, first_step)
        if not len(chosen):
            raise ValueError("no turntables to train on")
        self.turntables, self.batch, self.invented = turntables, batch, invented
        self.of_car = _members(turntables.car, chosen)
        self.of_look = _members(turntables.look, chosen)
        self.drawn = chosen[turntables.drawn[chosen]]
        self.photographed = chosen[~turntables.drawn[chosen]]

    def make(self, random: np.random.Generator) -> TurntableBatch:
        """One batch; the same for the same generator."""
        t = self.turntables
        target = np.array([self._any(random) for _ in range(self.batch)])
        look = np.array([self._another(self.of_look[t.look[k]], k, random) for k in target])
        car = np.array([random.choice(self.of_car[t.car[k]]) for k in target])
        reference = np.array([self._any(random) for _ in range(self.invented)], np.int64)
        mirrored, turned = random.random(self.batch) < 0.5, random.random(self.invented) < 0.5
        return TurntableBatch(
            pictures_of(t, target, mirrored),
            views_of(t, target, mirrored),
            surfaces_of(t, target, mirrored),
            factors_of(t, target, mirrored),
            _disturbed(pictures_of(t, look, mirrored), random),
            _with_errors(views_of(t, look, mirrored), random),
            _disturbed(pictures_of(t, car, mirrored), random),
            _with_errors(views_of(t, car, mirrored), random),
            factors_of(t, car, mirrored),
            pictures_of(t, reference, turned),
            views_of(t, reference, turned),
            surfaces_of(t, reference, turned),
            torch.from_numpy(self.mixed_factors(reference, random)),
        )

    def mixed_factors(self, shapes: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(N, F) float32: the shape's of pictures `shapes` (N,), every other group as some car has it, missing ones as usual."""
        source, factors = self.drawn if len(self.drawn) else self.photographed, self.turntables.factors
        found = np.empty((len(shapes), factors.shape[1]), np.float32)
        for name, columns in FACTOR_SLICE.items():
            found[:, columns] = factors[shapes if name == "shape" else random.choice(source, len(shapes)), columns]
        return np.where(np.isnan(found), np.array(FACTOR_MEAN, np.float32), found)

    def _any(self, random: np.random.Generator) -> int:
        photographed = len(self.photographed) and (random.random() < PHOTOGRAPH_SHARE or not len(self.drawn))
        return int(random.choice(self.photographed if photographed else self.drawn))

    @staticmethod
    def _another(members: np.ndarray, number: int, random: np.random.Generator) -> int:
        others = members[members != number]
        return int(random.choice(others)) if len(others) else number


def pictures_of(turntables: Turntables, numbers: np.ndarray, mirrored: np.ndarray) -> torch.Tensor:
    """(B, 4, S, S) float32, -1..1 for 0..1."""
    found = turntables.rgba[numbers]
    found = np.where(mirrored[:, None, None, None], found[:, :, ::-1], found)
    return torch.from_numpy(found.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(127.5) - 1)


def views_of(turntables: Turntables, numbers: np.ndarray, mirrored: np.ndarray) -> torch.Tensor:
    """(B, 3) float32."""
    found = turntables.view[numbers].copy()
    found[mirrored, 0] *= -1
    return torch.from_numpy(found)


def surfaces_of(turntables: Turntables, numbers: np.ndarray, mirrored: np.ndarray) -> torch.Tensor:
    """(B, LAYERS, S, S) uint8."""
    return torch.from_numpy(mirrored_surfaces(turntables.surface[numbers], mirrored))


def factors_of(turntables: Turntables, numbers: np.ndarray, mirrored: np.ndarray) -> torch.Tensor:
    """(B, F) float32, nan where unknown."""
    found = turntables.factors[numbers]
    return torch.from_numpy(np.where(mirrored[:, None], found[:, list(MIRRORED_FACTORS)], found))


def _members(group: np.ndarray, chosen: np.ndarray) -> dict[int, np.ndarray]:
    """Pictures of each number of a group, of those chosen."""
    order = chosen[np.argsort(group[chosen], kind="stable")]
    numbers, first = np.unique(group[order], return_index=True)
    return dict(zip(numbers.tolist(), np.split(order, first[1:]), strict=True))


def _with_errors(view: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    return view + torch.from_numpy(random.normal(0, CAMERA_SIGMA, tuple(view.shape)).astype(np.float32))


def _disturbed(pictures: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Shifted and scaled a little, some of them blurred."""
    size, rows = pictures.shape[-1], []
    for picture in pictures.numpy():
        scale, shift = np.exp(random.normal(0, SCALE_SIGMA)), random.normal(0, SHIFT_SIGMA_PX, 2)
        moved = np.array([[scale, 0, shift[0] + (1 - scale) * size / 2], [0, scale, shift[1] + (1 - scale) * size / 2]])
        turned = cv2.warpAffine(picture.transpose(1, 2, 0), moved, (size, size), flags=cv2.INTER_LINEAR, borderValue=(-1, -1, -1, -1))
        if random.random() < SOFT_SHARE:
            turned = cv2.GaussianBlur(turned, (0, 0), random.uniform(0.4, 1.2))
        rows.append(turned.transpose(2, 0, 1))
    return torch.from_numpy(np.stack(rows))
