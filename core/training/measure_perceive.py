"""How far off the viewpoint network is."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ..dataset.views import EYE_HEIGHT_M, Views
from ..perceive.network import ViewpointNetwork
from ..perceive.perceive import averaged_outputs, best_azimuth_rad, look_at, perception_of
from ..perceive.weights import network_of
from .view_batches import plain_input, varied_input


def azimuth_errors_deg(network: ViewpointNetwork, inputs: np.ndarray, azimuth_rad: np.ndarray) -> np.ndarray:
    """Absolute azimuth errors (N,) in degrees of the flip-averaged prediction for inputs (N, 4, 96, 96)."""
    errors = []
    for picture, truth in zip(inputs, azimuth_rad, strict=True):
        probability, _ = averaged_outputs(network, torch.from_numpy(picture))
        found = float(best_azimuth_rad(probability))
        errors.append(abs(math.degrees(math.remainder(found - float(truth), 2 * math.pi))))
    return np.array(errors)


def summary(errors_deg: np.ndarray, name: str) -> dict[str, float]:
    """Median error and the shares beyond 30 and 90 degrees."""
    return {
        f"{name}_median_deg": float(np.median(errors_deg)),
        f"{name}_beyond_30": float((errors_deg > 30).mean()),
        f"{name}_beyond_90": float((errors_deg > 90).mean()),
    }


def measure_views(network: ViewpointNetwork, views: Views, chosen: np.ndarray, name: str) -> dict[str, float]:
    """Azimuth figures on some views, with true mattes and with spoilt ones; empty where none are chosen."""
    if not len(chosen):
        return {}
    network.eval()
    azimuth = views.labels[chosen, 0]
    plain = np.stack([plain_input(views.image[k], views.mask[k]) for k in chosen])
    random = np.random.default_rng(0)
    spoilt = np.stack([varied_input(views.image[k], views.mask[k], random) for k in chosen])
    return summary(azimuth_errors_deg(network, plain, azimuth), name) | summary(
        azimuth_errors_deg(network, spoilt, azimuth), name + "_varied"
    )


def measure_photographs(network: ViewpointNetwork, folder: Path) -> dict[str, float]:
    """Azimuth figures on photographs with cameras and masks: FOLDER/NAME.jpg, NAME.json (camera_to_world) and NAME_mask.png."""
    errors, elevation_errors = [], []
    for shot in sorted(folder.glob("*.json")):
        stem = str(shot)[: -len(".json")]
        image = np.asarray(Image.open(stem + ".jpg").convert("RGB"), np.float32) / 255
        mask = np.asarray(Image.open(stem + "_mask.png").convert("L"), np.float32) / 255
        x, y, z = np.array(json.loads(shot.read_text())["camera_to_world"])[:3, 3]
        found = perception_of(network, look_at(image, mask))
        error = math.remainder(best_azimuth_rad(found.azimuth_probability) - math.atan2(x, -y), 2 * math.pi)
        errors.append(abs(math.degrees(error)))
        elevation_errors.append(abs(math.degrees(found.elevation_rad - math.atan2(z - EYE_HEIGHT_M, math.hypot(x, y)))))
        figures = f"{errors[-1]:6.1f} deg in azimuth, {elevation_errors[-1]:.1f} in elevation"
        print(f"{shot.stem:28s} off by {figures}, confidence {found.confidence01:.2f}")
    return summary(np.array(errors), "photographs") | {"photographs_elevation_median_deg": float(np.median(elevation_errors))}


def main() -> None:
    """python -m imago.core.training.measure_perceive WEIGHTS_FILE PHOTOGRAPHS_DIR: prints a line a photograph and the figures as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("photographs", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(measure_photographs(network_of(given.weights.read_bytes()), given.photographs)))


if __name__ == "__main__":
    main()
