"""Fill a folder with labelled views: the renders first, then drawn ones until the time is up.

    python -m imago.core.dataset.make_views --data CARS_DIR RENDERS_DIR HDRI_DIR --out VIEWS_DIR --minutes 8

Starting it again goes on.  RENDERS_DIR holds one folder a batch, in it one a car.
"""

from __future__ import annotations

import argparse
import colorsys
import math
import time
from pathlib import Path

import cv2
import numpy as np

from ..frames import orbit
from .cars import CarModel, read_cars, read_model
from .deform import widen
from .draw import Look, View, draw
from .sky import Sky, read_sky
from .views import STORED_MARGIN, STORED_PX, labels_of, read_renders, write_shard

DRAWN_PX = 2 * STORED_PX  # two by two samples a pixel
VIEWS_A_VISIT = 16  # drawn views of a car before the next one


def random_view(model: CarModel, random: np.random.Generator) -> View:
    """Azimuth all round, elevation triangular -2..35 degrees (mode 8), lens 24..120 mm; the car fills the square as in a stored crop."""
    low, high = model.positions_m.reshape(-1, 3).min(0), model.positions_m.reshape(-1, 3).max(0)
    azimuth, elevation = random.uniform(0, 2 * math.pi), math.radians(random.triangular(-2, 8, 35))
    lens_mm, fill = math.exp(random.uniform(math.log(24), math.log(120))), random.uniform(0.6, 1.0)
    length, width = high[1] - low[1], high[0] - low[0]
    across = abs(math.sin(azimuth)) * length + abs(math.cos(azimuth)) * width
    distance = lens_mm / 36 * across / fill + 0.5 * (abs(math.cos(azimuth)) * length + abs(math.sin(azimuth)) * width)
    target = (low + high) / 2 + random.normal(0, (0.3, 0.3, 0.15))
    camera = orbit(azimuth, elevation, distance, tuple(target))
    camera[2, 3] = max(camera[2, 3], 0.2)
    roll = random.normal(0, math.radians(2))
    camera[:3, :3] = camera[:3, :3] @ np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    points = (model.positions_m.reshape(-1, 3)[::3] - camera[:3, 3]) @ camera[:3, :3]
    flat = np.stack([points[:, 0], -points[:, 1]], 1) / np.maximum(-points[:, 2:], 0.1)
    near, far = flat.min(0), flat.max(0)
    focal = DRAWN_PX / (STORED_MARGIN * float((far - near).max()))
    centre = DRAWN_PX / 2 - focal * (near + far) / 2
    return View(camera, focal, (float(centre[0]), float(centre[1])), DRAWN_PX)


def random_look(skies: list[Sky], random: np.random.Generator) -> Look:
    """Sky, ground, paint and exposure at random."""
    octaves = [cv2.resize(random.random((n, n)).astype(np.float32), (256, 256), interpolation=cv2.INTER_CUBIC) for n in (8, 32, 128, 256)]
    noise = sum((o - 0.5) * w for o, w in zip(octaves, random.uniform(0, 0.6, 4), strict=True)) + np.float32(1)
    grey = math.exp(random.uniform(math.log(0.01), math.log(0.8)))
    saturation = random.choice([0.0, random.uniform(0.3, 1)])
    tint = colorsys.hsv_to_rgb(random.choice([0.0, 0.6, random.random()]), saturation, 1)
    return Look(
        sky=skies[random.integers(len(skies))],
        yaw_rad=random.uniform(0, 2 * math.pi),
        exposure=math.exp(random.uniform(-0.5, 0.9)),
        ground_linear=None if random.random() < 0.15 else random.uniform(0.03, 0.5) * random.uniform(0.85, 1.15, 3),
        ground_noise=np.asarray(noise, np.float32).clip(0.05, 2),
        ground_scale=math.exp(random.uniform(-2, 1.5)),
        paint_linear=None if random.random() < 0.25 else grey * np.array(tint),
        paint_roughness=random.uniform(0.08, 0.5),
        paint_metal=random.choice([0.0, random.uniform(0, 0.9)]),
        filmic=bool(random.random() < 0.5),
    )


def drawn_views(
    model: CarModel, skies: list[Sky], count: int, random: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Views of changed copies of a car: (image, mask, labels) each."""
    items = []
    for _ in range(count):
        other = widen(model, random)
        view = random_view(other, random)
        picture, mask = draw(other, view, random_look(skies, random))
        small = cv2.resize(picture, (STORED_PX, STORED_PX), interpolation=cv2.INTER_AREA)
        cover = cv2.resize(mask.astype(np.float32), (STORED_PX, STORED_PX), interpolation=cv2.INTER_AREA)
        items.append(((small * 255 + 0.5).astype(np.uint8), (cover * 255 + 0.5).astype(np.uint8), labels_of(other, view.camera_to_car)))
    return items


def make_views(cars: Path, renders: Path, hdris: Path, out: Path, minutes: float, seed: int) -> None:
    """Write shards of the training cars only; the first round, with the renders, is always finished."""
    out.mkdir(parents=True, exist_ok=True)
    rows = read_cars(cars / "cars.csv", "train")
    skies = [read_sky(file) for file in sorted(hdris.glob("*.hdr"))]
    end, visit = time.monotonic() + 60 * minutes, 0
    while visit < len(rows) or time.monotonic() < end:
        row, turn = rows[visit % len(rows)], visit // len(rows)
        visit += 1
        drawn = out / f"drawn_{row.name}_{turn:04d}.npz"
        if drawn.exists():
            continue
        model = read_model(cars, row)
        if turn == 0:
            shots = [item for batch in sorted(renders.iterdir()) for item in read_renders(batch, model)]
            if shots:
                write_shard(out / f"render_{row.name}.npz", shots, model, drawn=False)
        random = np.random.default_rng([seed, visit])
        write_shard(drawn, drawn_views(model, skies, VIEWS_A_VISIT, random), model, drawn=True)
        print(f"{drawn.name}", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs=3, type=Path, required=True, metavar=("CARS_DIR", "RENDERS_DIR", "HDRI_DIR"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    cars, renders, hdris = arguments.data
    make_views(cars, renders, hdris, arguments.out, arguments.minutes, arguments.seed)


if __name__ == "__main__":
    main()
