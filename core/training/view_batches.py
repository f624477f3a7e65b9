"""Endless batches of varied views for the viewpoint network; the state is one step number, so a resumed run goes on with fresh draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..dataset.views import Views
from ..perceive.crop import INPUT_PX, cut_square, network_input, square_of
from .spoil_matte import spoil
from .vary_colour import vary

ROLL_SIGMA_RAD = 0.045  # about 2.5 degrees
SHIFT_SIGMA, ZOOM_SIGMA = 0.015, 0.04  # of the square's side


@dataclass(frozen=True)
class Batch:
    """inputs (B, 4, 96, 96); labels (B, 6) in the order of dataset.views.LABELS; body_index (B,) int64."""

    inputs: torch.Tensor
    labels: torch.Tensor
    body_index: torch.Tensor


def varied_input(image_u8: np.ndarray, mask_u8: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One stored view as the network may meet it, (4, 96, 96) float32."""
    mask01 = mask_u8.astype(np.float32) / 255
    matte = spoil(mask01, image_u8, random) if random.random() < 0.75 else mask01
    x, y, side = square_of(matte)
    shift, zoom = random.normal(0, SHIFT_SIGMA * side, 2), np.exp(random.normal(0, ZOOM_SIGMA))
    layers = np.dstack([image_u8, (matte * 255).astype(np.uint8)])
    square = cut_square(layers, x + shift[0], y + shift[1], side * zoom, INPUT_PX, random.normal(0, ROLL_SIGMA_RAD))
    coloured = vary(np.ascontiguousarray(square[..., :3]), random)
    return network_input(coloured.astype(np.float32) / 255, square[..., 3].astype(np.float32) / 255)


def plain_input(image_u8: np.ndarray, mask_u8: np.ndarray) -> np.ndarray:
    """One stored view with its true matte and nothing changed, (4, 96, 96) float32."""
    layers = np.dstack([image_u8, mask_u8])
    square = cut_square(layers, *square_of(mask_u8 / 255), INPUT_PX).astype(np.float32) / 255
    return network_input(square[..., :3], square[..., 3])


class ViewBatches(torch.utils.data.IterableDataset):
    """Yields Batch for ever; render_share of the draws are photoreal renders where there are any."""

    def __init__(self, views: Views, chosen: np.ndarray, batch: int, render_share: float, seed: int, first_step: int) -> None:
        super().__init__()
        self.views, self.batch, self.render_share, self.seed, self.first_step = views, batch, render_share, seed, first_step
        self.renders, self.drawn = chosen[~views.drawn[chosen]], chosen[views.drawn[chosen]]
        if not len(chosen):
            raise ValueError("no views to train on")

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        step, stride = self.first_step + (worker.id if worker else 0), worker.num_workers if worker else 1
        while True:
            yield self._make(np.random.default_rng([self.seed, step]))
            step += stride

    def _make(self, random: np.random.Generator) -> Batch:
        inputs, labels, bodies = [], [], []
        for _ in range(self.batch):
            from_renders = len(self.renders) and (not len(self.drawn) or random.random() < self.render_share)
            pool = self.renders if from_renders else self.drawn
            k = pool[random.integers(len(pool))]
            picture, label = varied_input(self.views.image[k], self.views.mask[k], random), self.views.labels[k].copy()
            if random.random() < 0.5:
                picture, label[0] = picture[..., ::-1], -label[0]
            inputs.append(picture)
            labels.append(label)
            bodies.append(self.views.body_index[k])
        stacked = torch.from_numpy(np.ascontiguousarray(np.stack(inputs)))
        return Batch(stacked, torch.from_numpy(np.stack(labels)), torch.from_numpy(np.array(bodies)))
