"""Draw turntables of changed training cars, car by car; started again, it goes on.

    python -m imago.core.dataset.make_turntables CARS_DIR HDRI_DIR OUT_DIR [--minutes 30] [--seed 0] [--photographs DIR...]

Two processes with different seeds share the work.  --photographs: first put photographs made by Cycles (addon/photograph) through the same
window; each is a turntable with one picture.  Draws of the shape space are left out: they wear the plain materials that the generator is to
better.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from .cars import CarModel, CarRow, read_cars, read_model
from .deform import widen
from .make_pictures import add_shard, shards_of_photographs
from .pictures import Album, Row
from .sky import Sky, read_sky
from .subject import SubjectMaker
from .turntables import photograph_row, turntable_rows

CARS_PER_SHARD = 4
HELD_WHEELS = 12  # models kept whose wheels others may get


def make_turntables(cars: Path, hdris: Path, out: Path, minutes: float, seed: int) -> int:
    """Write OUT/drawn_SEED_TURN_NAME.npz for the training cars in turn; returns how many pictures are new.

    Raises:
        FileNotFoundError: there are no panoramas.
    """
    out.mkdir(parents=True, exist_ok=True)
    skies = [read_sky(file) for file in sorted(hdris.glob("*.hdr"))]
    if not skies:
        raise FileNotFoundError(f"{hdris} holds no panoramas (*.hdr)")
    rows = read_cars(cars / "cars.csv", "train")
    end = time.monotonic() + 60 * minutes
    donors: list[CarModel] = []
    turn = total = 0
    while not total or time.monotonic() < end:  # however short the time, something is made
        random = np.random.default_rng([seed, turn])
        row = rows[np.random.default_rng([seed, turn // len(rows)]).permutation(len(rows))[turn % len(rows)]]
        file = out / f"drawn_{seed:02d}_{turn:05d}_{row.name}.npz"
        turn += 1
        if not file.exists():
            total += add_shard(file, _changed(cars, row, skies, donors, random))
    return total


def _changed(cars: Path, row: CarRow, skies: list[Sky], donors: list[CarModel], random: np.random.Generator) -> list[Row]:
    """Changed copies of a training car."""
    model = read_model(cars, row)
    maker = SubjectMaker(model)
    if not maker.usable:
        return []
    donors[:] = [donor for donor in donors if donor.row != row][-HELD_WHEELS + 1 :] + [model]
    rows: list[Row] = []
    for number in range(CARS_PER_SHARD):
        changed = widen(model, random)
        rows += turntable_rows(changed, maker.subject(changed), skies, donors, random, number)
    return rows


def cut_photographs(cars: Path, out: Path, photographs: list[Path]) -> int:
    """Write OUT/photo_FOLDER_CAR_COUNT.npz for the lines of each record that are not cut yet; returns how many pictures are new."""

    def cut(album: Album, folder: Path, first: int) -> list[Row]:
        rows: list[Row] = []
        for shot in album.shots(folder, first):
            row = photograph_row(shot, album.model.row.name, len(rows))
            rows += [row] if row is not None else []
        return rows

    return shards_of_photographs(cars, out, photographs, "photo_", cut)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cars", type=Path)
    parser.add_argument("hdris", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--photographs", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if given.photographs:
        print(cut_photographs(given.cars, given.out, given.photographs), "photographs cut")
    print(make_turntables(given.cars, given.hdris, given.out, given.minutes, given.seed), "pictures drawn")


if __name__ == "__main__":
    main()
