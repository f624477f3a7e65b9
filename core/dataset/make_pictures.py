"""Label photographs made by Cycles, and draw pictures, car by car; started again, it goes on with what is new.

    python -m imago.core.dataset.make_pictures CARS_DIR OUT_DIR PHOTOGRAPHS_DIR... [--drawn HDRI_DIR MINUTES [--fits DIR]]

Each PHOTOGRAPHS_DIR holds one folder a car with its pictures and shots.jsonl (addon/photograph makes them).  --drawn: pictures of changed
training cars and of draws of the shape space under the panoramas, for so many minutes; --fits: most of them of cars in other cars' shapes,
by the templates that `build.py train shape` fitted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..car.draw_car import draw_cars
from ..car.prior import shape_prior
from ..car.space import shape_space
from .cars import CarModel, CarRow, read_cars, read_model
from .drawn import changed_copies, invented_rows, recast_copies, rows_of_copies
from .pictures import Album, Row, write_shard
from .recast import FittedTemplate
from .sky import Sky, read_sky
from .subject import SubjectMaker

PER_TURN = 16  # drawn pictures of a car before the next one
INVENTED, CHANGED, RECAST = "invented", "changed", "recast"
TURNS = (INVENTED, CHANGED, CHANGED, CHANGED)  # what is drawn, turn by turn
TURNS_WITH_FITS = (INVENTED, RECAST, RECAST, CHANGED, RECAST, RECAST, RECAST)  # as many turns as will not keep step with the body types


class Models(dict[str, CarModel]):
    """The training cars by name, read when asked for."""

    def __init__(self, cars: Path) -> None:
        super().__init__()
        self.cars, self.rows = cars, {row.name: row for row in read_cars(cars / "cars.csv", "train")}

    def __missing__(self, name: str) -> CarModel:
        self[name] = read_model(self.cars, self.rows[name])
        return self[name]


def make_pictures(cars: Path, out: Path, photographs: list[Path]) -> int:
    """Write OUT/FOLDER_CAR_COUNT.npz for the lines of each record that are not labelled yet; returns how many pictures are new."""
    return shards_of_photographs(cars, out, photographs, "", lambda album, folder, first: list(album.rows(folder, first)))


def shards_of_photographs(
    cars: Path, out: Path, photographs: list[Path], before: str, rows_of: Callable[[Album, Path, int], list[Row]]
) -> int:
    """Write OUT/{before}FOLDER_CAR_COUNT.npz of what rows_of(album, folder, line) makes of each car's record from that line on.

    COUNT is the record's number of lines then, so the next call begins behind them.  Returns how many pictures are new.
    """
    out.mkdir(parents=True, exist_ok=True)
    models, total = Models(cars), 0
    for name in models.rows:
        album = None
        for folder in photographs:
            record = folder / name / "shots.jsonl"
            count = len(record.read_text().splitlines()) if record.is_file() else 0
            stem = f"{before}{folder.name}_{name}"
            done = max((int(file.stem.rsplit("_", 1)[1]) for file in out.glob(f"{stem}_*.npz")), default=0)
            if count <= done:
                continue
            album = album or Album(models[name], models)
            if not album.maker.usable:
                break
            total += add_shard(out / f"{stem}_{count:06d}.npz", rows_of(album, folder, done))
    return total


def every_type_alike(rows: list[CarRow]) -> list[str]:
    """Names such that body types take turns; all cars of the commonest type come once, those of rarer ones as often as it takes."""
    of_type: dict[str, list[str]] = {}
    for row in rows:
        of_type.setdefault(row.body_type, []).append(row.name)
    rounds = max(len(names) for names in of_type.values())
    return [names[turn % len(names)] for turn in range(rounds) for names in of_type.values()]


def add_shard(file: Path, rows: list[Row]) -> int:
    """Write the rows, if there are any, and say so; returns how many."""
    if rows:
        write_shard(file, rows)
        print(f"{file.stem}: {len(rows)}", flush=True)
    return len(rows)


def draw_pictures(cars: Path, out: Path, hdris: Path, minutes: float, seed: int, fits: Path | None = None) -> int:
    """Write OUT/KIND_NAME_TURN.npz for one training car after the other, and for draws of the shape space, until the time is up.

    fits: folder of the training cars' fitted templates (NAME.npz); with it most are drawn in other cars' shapes."""
    out.mkdir(parents=True, exist_ok=True)
    skies = [read_sky(file) for file in sorted(hdris.glob("*.hdr"))]
    models, end, total, turn = Models(cars), time.monotonic() + 60 * minutes, 0, 0
    order, turns = every_type_alike(list(models.rows.values())), TURNS if fits is None else TURNS_WITH_FITS
    while time.monotonic() < end:
        kind, name = turns[turn % len(turns)], order[(turn - turn // len(turns) - 1) % len(order)]
        random = np.random.default_rng([seed, turn])
        file = out / (f"{kind}_{turn:05d}.npz" if kind == INVENTED else f"{kind}_{name}_{turn:05d}.npz")
        turn += 1
        if file.exists():
            continue
        if kind == INVENTED:
            drawn = invented_rows(draw_cars(PER_TURN // 2, seed + turn, shape_prior(), shape_space()), skies, random)
        else:
            fit = FittedTemplate.read(fits / f"{name}.npz") if fits is not None and kind == RECAST else None
            drawn = _drawn_copies(read_model(cars, models.rows[name]), fit, skies, random)
        total += add_shard(file, drawn)
    return total


def _drawn_copies(model: CarModel, fit: FittedTemplate | None, skies: list[Sky], random: np.random.Generator) -> list[Row]:
    """PER_TURN pictures of copies, recast where there is a fit; none of a car whose wheels, or for recasting whose panes, are not told."""
    maker = SubjectMaker(model)
    if not maker.usable or (fit is not None and not maker.tells_panes):
        return []
    copies = changed_copies(model, random) if fit is None else recast_copies(model, maker, fit, random)
    return rows_of_copies(copies, maker, skies, PER_TURN, random)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cars", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("photographs", type=Path, nargs="*")
    parser.add_argument("--drawn", nargs=2, metavar=("HDRI_DIR", "MINUTES"))
    parser.add_argument("--fits", type=Path, help="folder of the training cars' fitted templates")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(make_pictures(given.cars, given.out, given.photographs), "photographs labelled")
    if given.drawn:
        print(draw_pictures(given.cars, given.out, Path(given.drawn[0]), float(given.drawn[1]), given.seed, given.fits), "pictures drawn")


if __name__ == "__main__":
    main()
