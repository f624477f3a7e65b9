"""What the project's perceiver and the colours of the parts say of the generator's pictures: measures by eyes that it never saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from ..generator.views import on_ground, straight
from ..perceive.heads import AZIMUTH_BINS, FIGURE_SCALE, FIGURES, PART_CLASSES, SHAPE_FIGURES
from ..perceive.look import cut_window, input_of, window_round
from ..perceive.network import CarNetwork
from ..types import Matte

GROUND01 = 0.5
CHUNK = 32
OPAQUE, LEAST_PX = 0.9, 4  # alpha of the pixels that are read, and how many it takes


def inputs_of(pictures: np.ndarray) -> torch.Tensor:
    """(N, S, S, 4) premultiplied 0..1 -> what the perceiver takes, (N, 4, 160, 224): before a plain ground, cut round the car.

    A picture without a car is looked at as a whole."""
    rows = []
    for picture in pictures:
        alpha = picture[..., 3]
        box = Matte(alpha, "generator", 1.0).box_px if (alpha > 0.5).any() else (0.0, 0.0, float(alpha.shape[1]), float(alpha.shape[0]))
        rows.append(torch.from_numpy(input_of(*cut_window(on_ground(picture, GROUND01), window_round(box)))))
    return torch.stack(rows)


@torch.no_grad()
def features_of(network: CarNetwork, pictures: Iterator[np.ndarray]) -> np.ndarray:
    """(N, hidden) float32: the perceiver's last common layer for batches of pictures."""
    found: list[torch.Tensor] = []
    handle = network.shared.register_forward_hook(lambda _module, _inputs, output: found.append(output.float().relu()))
    try:
        for batch in pictures:
            for chunk in inputs_of(batch).split(CHUNK):
                network(chunk)
    finally:
        handle.remove()
    return torch.cat(found).numpy()


@torch.no_grad()
def azimuth_and_shape(network: CarNetwork, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Azimuths (N,) in radians, the mean direction round the likeliest bin, and shape figures (N, F) in usual deviations."""
    turn, shape = [], []
    for chunk in inputs_of(pictures).split(CHUNK):
        out = network(chunk)
        turn.append(azimuth_of(out.azimuth_logit.softmax(1)))
        scale = torch.tensor([FIGURE_SCALE[FIGURES.index(name)] for name in SHAPE_FIGURES])
        shape.append(out.figure_mean[:, [FIGURES.index(name) for name in SHAPE_FIGURES]] / scale)
    return torch.cat(turn).numpy(), torch.cat(shape).numpy()


def azimuth_of(probability: torch.Tensor) -> torch.Tensor:
    """(N, bins) -> (N,) radians, -pi..pi.  Mean direction of the likeliest bin and its two neighbours on either side."""
    best = probability.argmax(1, keepdim=True)
    near = (best + torch.arange(-2, 3)) % AZIMUTH_BINS
    angle, weight = near * (2 * np.pi / AZIMUTH_BINS), probability.gather(1, near)
    return torch.atan2((weight * angle.sin()).sum(1), (weight * angle.cos()).sum(1))


def colours_of_parts(pictures: np.ndarray, surfaces: torch.Tensor, names: Sequence[str]) -> np.ndarray:
    """(N, 3) sRGB 0..1: the median colour of what each picture (S, S, 4), premultiplied, shows of some PART_CLASSES, as the maps that it
    was drawn from (N, LAYERS, S, S) tell; nan where that is fewer than LEAST_PX pixels."""
    classes = [PART_CLASSES.index(name) for name in names]
    found = np.full((len(pictures), 3), np.nan)
    for row, picture, part in zip(found, pictures, surfaces[:, 1].numpy(), strict=True):
        chosen = np.isin(part, classes) & (picture[..., 3] > OPAQUE)
        if chosen.sum() >= LEAST_PX:
            row[:] = np.median(straight(picture[chosen])[:, :3], 0)
    return found
