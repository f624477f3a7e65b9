"""Photograph -> what one network sees in it: first the whole picture, to find the car; then the car, to read it.  The entry module."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch

from ..car.wheels import WHEEL_NAMES
from ..device import one_thread
from ..errors import check_shape
from ..side_by_side import side_by_side
from ..types import BODY_TYPES, Dense, Matte, Perception, Photo, WheelSight
from ..weights import FOLDER
from .heads import FIGURES, INPUT_SIZE_PX
from .look import Window, cut_window, input_of, window_round
from .network import CarNetwork, Outputs
from .weights import load_network

CONFIDENT_RAD = math.radians(15)  # a fit that starts this close finds the rest by itself
SWAPPED = [1, 0, 3, 2]  # the wheels of a mirror image


def perceive(photo: Photo, matte: Matte, device: torch.device | str = "cpu", weights: Path = FOLDER, afresh: bool = False) -> Perception:
    """Look at the car that a matte shows, and once in the mirror, and average.

    Where the matte was cut by such a look, that is it, unless one `afresh` is wanted: through the finished matte's own window.

    Raises:
        UserInputError: the matte is empty.
        WeightsError: the weights are missing or damaged.
    """
    check_shape("alpha01", matte.alpha01.shape, photo.image_srgb01.shape[:2])
    window = window_round(matte.box_px)
    last = None if afresh else matte.seen
    seen = last if last is not None and last.window.is_nearly(window) else see(photo.image_srgb01, window, device, weights)
    return perception_of(seen.outputs, seen.window)


@dataclass(frozen=True, eq=False)
class Seen:
    """The network's outputs for a window of a picture."""

    window: Window
    outputs: Outputs


def see(image_srgb01: np.ndarray, window: Window, device: torch.device | str = "cpu", weights: Path = FOLDER) -> Seen:
    """A look through a window at a picture (H, W, 3) and, averaged with it, at its mirror image: one row of outputs."""
    picture = torch.from_numpy(input_of(*cut_window(image_srgb01, window)))
    return Seen(window, averaged(loaded(weights, str(device)), picture.to(device)))


def averaged(network: CarNetwork, picture: torch.Tensor) -> Outputs:
    """Outputs (1 row, on the CPU) of a picture (4, 160, 224), averaged with its mirror image's, turned back.

    Probabilities are averaged as such (azimuth_logit, part_logit, ... are their logarithms), so a mirrored picture gives exactly the
    mirrored outputs.
    """
    straight, mirror = side_by_side(functools.partial(_looked_at, network), (picture, picture.flip(-1)))
    mirror = mirrored(mirror)
    mixed = {}
    for field in fields(Outputs):
        a, b = getattr(straight, field.name).cpu(), getattr(mirror, field.name).cpu()
        mixed[field.name] = MIX.get(field.name, _mean)(a, b)
    return Outputs(**mixed)


@torch.no_grad()  # here and not above: each thread has its own word on gradients
def _looked_at(network: CarNetwork, picture: torch.Tensor) -> Outputs:
    with one_thread():  # 35 ms; on busy cores more threads wait for each other
        return network(picture[None].contiguous(memory_format=torch.channels_last))


def mirrored(outputs: Outputs) -> Outputs:
    """What the outputs of a mirror image say of the picture itself."""
    turned = {name: getattr(outputs, name).flip(-1) for name in ("matte_logit", "part_logit", "coordinates", "coordinate_log_scale")}
    turned["coordinates"] = turned["coordinates"] * turned["coordinates"].new_tensor([-1, 1, 1])[:, None, None]
    turned["azimuth_logit"] = outputs.azimuth_logit.flip(1).roll(1, 1)
    turned |= {name: getattr(outputs, name)[:, SWAPPED] for name in ("wheel_xy", "wheel_half", "wheel_log_scale", "wheel_logit")}
    turned["wheel_xy"] = torch.stack([1 - turned["wheel_xy"][..., 0], turned["wheel_xy"][..., 1]], -1)
    rest = {field.name: getattr(outputs, field.name) for field in fields(Outputs) if field.name not in turned}
    return Outputs(**rest, **turned)


def _mean(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a + b) / 2


def _mean_share(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return ((a.softmax(1) + b.softmax(1)) / 2).clamp_min(1e-9).log()


def _mean_logit(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.logit((a.sigmoid() + b.sigmoid()) / 2, eps=1e-6)


MIX = {
    "azimuth_logit": _mean_share, "part_logit": _mean_share, "body_logit": _mean_share, "count_logit": _mean_share,
    "matte_logit": _mean_logit, "car_logit": _mean_logit, "wheel_logit": _mean_logit,
}  # fmt: skip


def perception_of(outputs: Outputs, window: Window) -> Perception:
    """One row of outputs for a window as a Perception."""
    probability = outputs.azimuth_logit[0].softmax(0).numpy()
    scale = outputs.figure_log_scale[0].exp().numpy()
    estimates = {name: (float(mean), float(sigma)) for name, mean, sigma in zip(FIGURES, outputs.figure_mean[0], scale, strict=True)}
    centres = 2 * np.pi * np.arange(len(probability)) / len(probability)
    near = np.cos(centres - best_azimuth_rad(probability)) >= math.cos(CONFIDENT_RAD)
    body = outputs.body_logit[0].softmax(0)
    return Perception(
        azimuth_probability=probability,
        elevation_rad=estimates["elevation_rad"][0],
        body_type_probability={name: float(share) for name, share in zip(BODY_TYPES, body, strict=True)},
        confidence01=float(probability[near].sum().clip(0, 1)),
        estimates=estimates,
        car01=float(outputs.car_logit[0].sigmoid()),
        paint_srgb01=tuple(float(v) for v in outputs.paint[0].clamp(0, 1)),  # type: ignore[arg-type]
        wheels=wheels_of(outputs, window),
        dense=dense_of(outputs, window),
    )


def with_body_type(perception: Perception, body_type: str) -> Perception:
    """The same with a body type that is known; where another was seen, the outline told from the side is that one's and left out."""
    told = perception.body_type_probability
    estimates = perception.estimates
    if told and max(told, key=lambda name: told[name]) != body_type:
        estimates = {name: estimate for name, estimate in estimates.items() if not name.startswith("top_")}
    return replace(perception, body_type_probability={body_type: 1.0}, estimates=estimates)


def wheels_of(outputs: Outputs, window: Window) -> tuple[WheelSight, ...]:
    """The four wheels in pixels of the photograph."""
    found = []
    for k, name in enumerate(WHEEL_NAMES):
        x, y = (outputs.wheel_xy[0, k] * window.width_px).tolist()
        half = (outputs.wheel_half[0, k] * window.width_px).tolist()
        sigma = float(outputs.wheel_log_scale[0, k].exp()) * window.width_px
        centre = (window.left_px + x, window.top_px + y)
        found.append(WheelSight(name, centre, (half[0], half[1]), sigma, float(outputs.wheel_logit[0, k].sigmoid())))
    return tuple(found)


def dense_of(outputs: Outputs, window: Window) -> Dense:
    """What is told of each pixel of the window, at half the input's resolution."""
    share = outputs.part_logit[0].softmax(0).numpy()
    matte = torch.nn.functional.avg_pool2d(outputs.matte_logit[:, :1].sigmoid(), 2)[0, 0].numpy()
    box = (window.left_px, window.top_px, window.width_px, window.width_px * INPUT_SIZE_PX[1] / INPUT_SIZE_PX[0])
    return Dense(box, matte, share, outputs.coordinates[0].numpy(), outputs.coordinate_log_scale[0, 0].exp().numpy())


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
def loaded(weights: Path, device: str) -> CarNetwork:
    """The network on a device, folded, kept for the next photograph."""
    return load_network(weights).folded().to(device)
