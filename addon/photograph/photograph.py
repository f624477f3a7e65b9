"""Photograph the training cars with Cycles, for as long as is allowed; started again, it goes on.

    python -m imago.addon.photograph CARS_DIR HDRI_DIR OUT_DIR --minutes 60 [--forms DIR] [--size 224] [--samples 6] [--seed 0]
        [--threads 1]

Goes round the cars; OUT_DIR/NAME/ gets pictures and shots.jsonl, one line a picture (record.py says what it holds), and NNNNN_cover.png
beside the pictures in which something that is no car may stand before the car.  Most cars are changed copies that were never built,
with --forms most of these in forms that core/dataset/make_forms.py made (an unused one is taken first, and copied beside the pictures).
Other cars, buildings, trees and posts stand about.  Several processes with a seed and a folder each may run side by side.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from ...core.dataset.cars import CarRow, read_cars
from ...core.dataset.deform import widen_points
from ...core.dataset.form import Form, forms_in
from . import company
from .aim import SENSOR_MM, draw_aim
from .boxes import box_round
from .camera import empty_scene, point, take, take_cover
from .clutter import Clutter
from .models import bring_in, deform, originals
from .paint import paints, repaint
from .record import Shot, append, shots_in
from .scenery import Panorama, build_ground, build_sky, panoramas_in, pick

PER_VISIT, PER_FORM = 12, 3  # pictures of a car before the next one is loaded; of one form of it and under one panorama
CHANGED_SHARE = 0.8
FORM_SHARE = 0.65  # of the changed ones, where there are forms of the car
COMPANY = (0.35, 0.3, 0.2, 0.15)  # how often 0, 1, 2 or 3 other cars come to a visit
POINTS = 400  # of the car's vertices stand for all where lines of sight are tried


@dataclass(frozen=True)
class Request:
    """What to photograph, with what, and where to."""

    cars: Path
    rows: tuple[CarRow, ...]
    skies: tuple[Path, ...]
    out: Path
    size_px: int
    samples: int
    threads: int
    forms: Path | None = None


class Visit:
    """One car, its company and its set, ready for pictures."""

    def __init__(self, request: Request, row: CarRow, draw: Random) -> None:
        self.request, self.draw, self.folder = request, draw, request.out / row.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.scene = empty_scene(request.size_px, request.samples, request.threads)
        self.car = bring_in(request.cars / f"{row.name}.glb")
        self.original, self.paints = originals(self.car), paints(self.car)
        count = draw.choices(range(len(COMPANY)), COMPANY)[0]
        self.companions = [self._companion(draw.choice(request.rows).name) for _ in range(count)]
        self.sky, self.ground, self.clutter = build_sky(self.scene), build_ground(), Clutter(draw)
        self.panorama: Panorama | None = None
        self.seed: int | None = None
        self.form: str | None = None

    def _companion(self, name: str) -> company.Companion:
        meshes = bring_in(self.request.cars / f"{name}.glb")
        repaint(paints(meshes), self.draw)
        return company.Companion(name, meshes, box_round(np.concatenate(originals(meshes))))

    def pictures(self, count: int) -> Iterator[Shot]:
        """Take pictures; each is written and recorded when it is given."""
        for number in range(count):
            if number % PER_FORM == 0:
                self._change()
                self.panorama = pick(self.request.skies, self.draw)
            yield self._picture()

    def _change(self) -> None:
        """Leave the car as its author made it, or give it a form that was made before, or stretch it."""
        self.seed = self.form = None
        forms = forms_in(self.request.forms / self.folder.name) if self.request.forms else []
        if self.draw.random() > CHANGED_SHARE:
            deform(self.car, self.original, None)
        elif forms and self.draw.random() < FORM_SHARE:
            file = self.draw.choice([file for file in forms if not (self.folder / file.name).exists()] or forms)
            self.form, own = file.name, self.folder / file.name
            if not own.exists():  # else it stays: labels of earlier pictures hang on it
                Form.read(file).write(own)
            form = Form.read(own)
            deform(self.car, self.original, lambda points, _: form.moved(points))
        else:
            self.seed = seed = self.draw.randrange(2**31)
            deform(self.car, self.original, lambda points, wheel: widen_points(points, wheel, np.random.default_rng(seed)))

    def _picture(self) -> Shot:
        draw, panorama = self.draw, self.panorama
        assert panorama is not None
        everything = np.concatenate(originals(self.car)).astype(np.float64)
        some = everything[np.random.default_rng(draw.randrange(2**31)).choice(len(everything), min(POINTS, len(everything)), replace=False)]
        night, ground, paint = self.sky.look(panorama, draw), self.ground.lay(panorama.floor_linear, draw), repaint(self.paints, draw)
        aim, car = draw_aim(some, draw), box_round(everything)
        others, boxes = company.arrange(self.companions, aim, some, car, draw)
        before = self.clutter.arrange(aim, some, [car, *boxes], draw)
        point(self.scene, aim, night, draw)
        file = self.folder / f"{shots_in(self.folder):05d}.jpg"
        take(self.scene, file, draw.randint(88, 95))
        cover = file.with_name(f"{file.stem}_cover.png") if before else None
        if cover is not None:
            take_cover(self.scene, [prop.mesh for prop in before], cover)
        shot = Shot(
            file=file.name,
            lens_mm=aim.lens_mm,
            sensor_width_mm=SENSOR_MM,
            camera_to_world=[[round(float(value), 6) for value in line] for line in aim.camera_to_world],
            azimuth_deg=math.degrees(aim.azimuth_rad),
            elevation_deg=math.degrees(aim.elevation_rad),
            hdri=Path(panorama.image.filepath).name,
            ground=ground,
            night=night,
            paint=paint,
            widen_seed=self.seed,
            form=self.form,
            others=others,
            occluders=bool(before),
            cover=cover.name if cover is not None else None,
        )
        append(self.folder, shot)
        return shot


def photograph(request: Request, seed: int, seconds: float) -> None:
    """Go round the cars until the time is up, beginning with those that have the fewest pictures; says a line a car."""
    end, start = time.monotonic() + seconds, time.time()
    draw = Random(f"{seed} {start}")  # a run that goes on must not take the same pictures again
    while time.monotonic() < end:
        for row in _fewest_first(request, draw):
            began, taken = time.monotonic(), 0
            for _ in Visit(request, row, draw).pictures(PER_VISIT):
                taken += 1
                if time.monotonic() > end:
                    return
            print(f"{row.name}: {taken} pictures, {(time.monotonic() - began) / taken:.1f} s each", flush=True)


def _fewest_first(request: Request, draw: Random) -> Sequence[CarRow]:
    rows = list(request.rows)
    draw.shuffle(rows)
    return sorted(rows, key=lambda row: shots_in(request.out / row.name))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="imago.addon.photograph", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cars", type=Path, help="folder with cars.csv and the GLB files")
    parser.add_argument("hdris", type=Path, help="folder of panoramas")
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--samples", type=int, default=6)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--forms", type=Path, help="folder of the cars' forms, one folder a car")
    given = parser.parse_args()
    rows = tuple(read_cars(given.cars / "cars.csv", "train"))
    request = Request(given.cars, rows, panoramas_in(given.hdris), given.out, given.size, given.samples, given.threads, given.forms)
    photograph(request, given.seed, 60 * given.minutes)


if __name__ == "__main__":
    main()
