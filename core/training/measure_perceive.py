"""How well the network sees, on labelled pictures that it was not trained on."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..dataset.pictures import Pictures
from ..perceive.heads import COORDINATE_REACH, DENSE_STRIDE, INPUT_SIZE_PX, UNKNOWN_PART
from ..perceive.look import input_of
from ..perceive.network import CarNetwork, Outputs
from ..perceive.perceive import best_azimuth_rad
from .layers import Layers, car_layers

MARGIN = 1.18


@torch.no_grad()
def measure_pictures(network: CarNetwork, pictures: Pictures, chosen: np.ndarray, name: str) -> dict[str, float]:
    """Means and medians over pictures cut out as the second look does: matte_iou, parts (share of the car's pixels whose part is right),
    place (median error of canonical coordinates over the length), azimuth_deg (median), beyond_30 (share), wheels (median error of the hubs
    turned to the camera over the input's width).  Empty where none are chosen."""
    rows = []
    for number in chosen:
        layers = car_layers(pictures, number, box_placement(pictures.alpha[number]))
        picture = torch.from_numpy(input_of(layers.image, layers.valid))[None].contiguous(memory_format=torch.channels_last)
        rows.append(_figures(network(picture), layers, pictures, number))
    if not rows:
        return {}
    columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    found = {"matte_iou": columns["matte_iou"].mean(), "parts": columns["parts"].mean(), "place": np.median(columns["place"])}
    found |= {
        "azimuth_deg": np.median(columns["azimuth"]),
        "beyond_30": (columns["azimuth"] > 30).mean(),
        "wheels": np.nanmedian(columns["wheels"]),
    }
    return {f"{name}_{key}": float(value) for key, value in found.items()}


def box_placement(alpha: np.ndarray) -> np.ndarray:
    """(2, 3) the map of stored pixels to the input's that the second look would use, were the first exact."""
    rows, columns = np.flatnonzero((alpha > 127).any(1)), np.flatnonzero((alpha > 127).any(0))
    width, height = INPUT_SIZE_PX
    scale = min(width / (np.ptp(columns) + 1), height / (np.ptp(rows) + 1)) / MARGIN
    middle = np.array([columns[0] + columns[-1] + 1, rows[0] + rows[-1] + 1]) / 2
    return np.array([[scale, 0, width / 2 - scale * middle[0]], [0, scale, height / 2 - scale * middle[1]]])


def _figures(outputs: Outputs, layers: Layers, pictures: Pictures, number: int) -> dict[str, float]:
    found, truth = outputs.matte_logit[0, 0].numpy() > 0, layers.alpha > 127
    half = slice(DENSE_STRIDE // 2, None, DENSE_STRIDE)
    part, places = layers.part[half, half], layers.coordinates[half, half]
    told = (part != 0) & (part != UNKNOWN_PART)
    guess = outputs.part_logit[0].argmax(0).numpy()
    place = (places.astype(np.float32) / 255 - 0.5) * 2 * COORDINATE_REACH
    error = np.linalg.norm(outputs.coordinates[0].permute(1, 2, 0).numpy() - place, axis=-1)[told]
    azimuth = best_azimuth_rad(outputs.azimuth_logit[0].softmax(0).numpy())
    wheels = pictures.wheels[number].copy()
    placed = wheels[:, :2] @ box_placement(pictures.alpha[number])[:, :2].T + box_placement(pictures.alpha[number])[:, 2]
    miss = np.linalg.norm(outputs.wheel_xy[0].numpy() - placed / INPUT_SIZE_PX[0], axis=1)[wheels[:, 4] > 0]
    return {
        "matte_iou": float((found & truth).sum() / max((found | truth).sum(), 1)),
        "parts": float((guess == part)[told].mean()) if told.any() else 1.0,
        "place": float(np.median(error)) if told.any() else 0.0,
        "azimuth": abs(math.degrees(math.remainder(azimuth - float(pictures.azimuth_rad[number]), 2 * math.pi))),
        "wheels": float(np.median(miss)) if len(miss) else float("nan"),
    }
