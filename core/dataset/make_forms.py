"""Recast the training cars for the photographer: OUT/NAME/NNNN.npz, forms in other cars' shapes; started again, it goes on.

    python -m imago.core.dataset.make_forms CARS_DIR FITS_DIR OUT_DIR [--count 30] [--seed 0]

FITS_DIR is what `build.py train shape` leaves.  Cars whose wheels or panes are not told get none.  Processes with other seeds may run
side by side on one OUT_DIR: a file's name begins with its seed.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from .cars import CarRow, read_cars, read_model
from .drawn import recast_copies
from .form import Form, forms_in
from .recast import FittedTemplate
from .subject import SubjectMaker


def make_forms(cars: Path, fits: Path, out: Path, count: int, seed: int) -> int:
    """Until every car that can be recast has `count` of this seed; returns how many are new."""
    return sum(_forms_of(cars, fits, row, out / row.name, count, seed) for row in read_cars(cars / "cars.csv", "train"))


def _forms_of(cars: Path, fits: Path, row: CarRow, folder: Path, count: int, seed: int) -> int:
    held = sum(file.stem.startswith(f"{seed}_") for file in forms_in(folder))
    if held >= count:
        return 0
    model = read_model(cars, row)
    maker = SubjectMaker(model)
    if not (maker.usable and maker.tells_panes):
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng([seed, held, *row.name.encode()])
    copies = recast_copies(model, maker, FittedTemplate.read(fits / f"{row.name}.npz"), random)
    for number, copy in enumerate(islice(copies, count - held), held):
        Form.between(model, copy).write(folder / f"{seed}_{number:04d}.npz")
    print(f"{row.name}: {count - held}", flush=True)
    return count - held


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cars", type=Path)
    parser.add_argument("fits", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(make_forms(given.cars, given.fits, given.out, given.count, given.seed), "forms")


if __name__ == "__main__":
    main()
