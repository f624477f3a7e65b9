"""Photograph and matte -> Perception: from where the car is seen, what body it has, and first figures for the fit."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
import torch

from ..device import one_thread
from ..errors import check_shape
from ..types import Matte, Perception, Photo
from ..weights import FOLDER
from .crop import INPUT_PX, cut_square, network_input, square_of
from .network import BODY_TYPES, FIGURES, ViewpointNetwork
from .weights import load_network

CONFIDENT_RAD = math.radians(15)  # a fit that starts this close finds the rest by itself


def perceive(photo: Photo, matte: Matte, device: torch.device | str = "cpu", weights: Path = FOLDER) -> Perception:
    """Look at the picture inside the matte once, and once in the mirror, and average.

    Raises:
        UserInputError: the matte is empty.
        WeightsError: the weights are missing or damaged.
    """
    check_shape("alpha01", matte.alpha01.shape, photo.image_srgb01.shape[:2])
    network, picture = _loaded(weights, str(device)), look_at(photo.image_srgb01, matte.alpha01).to(device)
    with one_thread():  # 7 ms; on busy cores more threads wait for each other up to a second
        return perception_of(network, picture)


def look_at(image_srgb01: np.ndarray, alpha01: np.ndarray) -> torch.Tensor:
    """The network's input (4, 96, 96) float32 for a picture (H, W, 3) and matte (H, W)."""
    layers = np.dstack([image_srgb01, alpha01]).astype(np.float32)
    square = cut_square(layers, *square_of(alpha01), INPUT_PX)
    return torch.from_numpy(network_input(square[..., :3], square[..., 3]))


def perception_of(network: ViewpointNetwork, picture: torch.Tensor) -> Perception:
    """Perception of one network input (4, 96, 96)."""
    probability, rest = averaged_outputs(network, picture)
    figures, body = rest[: 2 * len(FIGURES)].reshape(2, -1), rest[2 * len(FIGURES) :]
    estimates = {name: (float(mean), float(sigma)) for name, mean, sigma in zip(FIGURES, *figures, strict=True)}
    centres = 2 * np.pi * np.arange(len(probability)) / len(probability)
    near = np.cos(centres - best_azimuth_rad(probability)) >= math.cos(CONFIDENT_RAD)
    return Perception(
        azimuth_probability=probability,
        elevation_rad=estimates["elevation_rad"][0],
        body_type_probability={name: float(share) for name, share in zip(BODY_TYPES, body, strict=True)},
        confidence01=float(probability[near].sum().clip(0, 1)),
        estimates=estimates,
    )


@torch.no_grad()
def averaged_outputs(network: ViewpointNetwork, picture: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Azimuth probabilities (72,) and (5 means, 5 sigmas, 8 body shares) of a picture (4, 96, 96), averaged with its mirror image's.

    The mirror image gives exactly the mirrored probabilities: bin k becomes bin -k.
    """
    straight, mirrored = _outputs(network, picture), _outputs(network, picture.flip(-1))
    turned = np.roll(mirrored[0][::-1], 1)
    return (straight[0] + turned) / 2, (straight[1] + mirrored[1]) / 2


def _outputs(network: ViewpointNetwork, picture: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    found = network(picture[None].contiguous(memory_format=torch.channels_last))
    rest = torch.cat([found.figure_mean[0], found.figure_log_sigma[0].exp(), found.body_logit[0].softmax(0)])
    return found.azimuth_logit[0].softmax(0).cpu().numpy(), rest.cpu().numpy()


def best_azimuth_rad(probability: np.ndarray) -> float:
    """The circular mean of the best bin and its two neighbours, -pi..pi."""
    bins, best = len(probability), int(probability.argmax())
    near = [(best - 1) % bins, best, (best + 1) % bins]
    angles = 2 * np.pi * np.array(near) / bins
    return float(np.arctan2((probability[near] * np.sin(angles)).sum(), (probability[near] * np.cos(angles)).sum()))


def azimuth_peaks(probability: np.ndarray, largest_count: int = 4, apart_rad: float = math.radians(25)) -> list[tuple[float, float]]:
    """The best separate azimuths as (radians, share of the probability near it), best first: starts for the fit."""
    centres = 2 * np.pi * np.arange(len(probability)) / len(probability)
    left, peaks = probability.astype(np.float64).copy(), []
    for _ in range(largest_count):
        azimuth = best_azimuth_rad(left)
        near = np.cos(centres - azimuth) >= math.cos(apart_rad)
        peaks.append((azimuth, float(left[near].sum())))
        left[near] = 0
    return sorted((p for p in peaks if p[1] > 0), key=lambda p: -p[1])


@functools.lru_cache(maxsize=2)
def _loaded(weights: Path, device: str) -> ViewpointNetwork:
    return load_network(weights).to(device)
