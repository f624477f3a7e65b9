"""How well the template and its shape space cover real cars: `build.py bench shape CARS --fits DIR [--sheet docs]`.

Prints tables and writes the same figures as JSON:
cars       the development cars, in no mode of the space: fitted within the space, and with every vertex free
left out   each training car in a space and prior learned from the others; its free vertices are those of DIR, which know no modes
modes      the means over the number of modes, for the development cars and, with --left-out-modes, for the training cars
draws      the share of random draws without faults (core/car/faults.py)
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .. import weights
from ..car.draw_car import draw_cars
from ..car.faults import FAULTS, faults
from ..car.prior import ShapePrior
from ..car.space import KEY, ShapeSpace, shape_space, vertices_with
from ..dataset.cars import CarRow, read_cars
from ..device import one_thread
from ..errors import UserInputError
from .half_body import template_half
from .measures_prior import learn_prior
from .run_record import write_json
from .shape_figures import Compared, Figures, Fitting, fit_and_compare, means, real_car
from .shape_tables import print_draws, print_head, print_modes, print_parts, print_row
from .space_learning import Config, FittedCar, learn_space
from .train_shape import NO_CARS_SHAPE, fit_cars

TYPICAL = "typical."
SECTIONS = ("cars", "left-out", "draws")
MODE_COUNTS = (0, 5, 10, 20, 40)
DRAWS, DRAW_BATCH = 1000, 100


@dataclass(frozen=True)
class Wanted:
    """What a run measures: cars the folder of models, fits that of the training cars' fits; names of cars, all where empty."""

    cars: Path
    fits: Path
    sections: tuple[str, ...] = SECTIONS
    names: tuple[str, ...] = ()
    left_out_modes: bool = False
    draws: int = DRAWS


def rows_of(wanted: Wanted, split: str) -> list[CarRow]:
    """The cars of a split that are wanted.  Raises UserInputError where the table is missing."""
    return [row for row in read_cars(wanted.cars / "cars.csv", split) if not wanted.names or row.name in wanted.names]


def mode_counts(space: ShapeSpace) -> list[int]:
    """MODE_COUNTS that the space has, and all its modes."""
    return [count for count in MODE_COUNTS if count < space.mode_count] + [space.mode_count]


def bench_cars(wanted: Wanted, space: ShapeSpace, fitting: Fitting) -> tuple[dict[str, Any], dict[str, Compared]]:
    """Figures of the development cars with the curve over the number of modes, and their fits."""
    found: dict[str, Compared] = {}
    curve: dict[int, list[Figures]] = {count: [] for count in mode_counts(space)}
    print_head("development cars")
    for row in rows_of(wanted, "dev"):
        car = real_car(wanted.cars, row, fitting)
        found[row.name] = fit_and_compare(car, space, fitting)
        print_row(row.name, found[row.name].figures, found[row.name].seconds["fit"])
        for count in curve:
            fit = found[row.name].space if count == space.mode_count else fitting.space(car.target, fitting.prior(), space, count)
            curve[count].append(car.figures(fit.half_m, fit.measures))
    report = {name: one.figures | {"seconds": one.seconds} for name, one in found.items()}
    return summary(report) | {"modes": {count: means(figures) for count, figures in curve.items() if figures}}, found


def bench_left_out(wanted: Wanted, fitting: Fitting) -> dict[str, Any]:
    """Each training car in a space that was learned without it."""
    fits = fit_cars(wanted.cars, wanted.fits, "train")
    report: dict[str, Any] = {}
    curve: dict[int, list[Figures]] = {}
    print_head("training cars, each left out of the modes")
    for row in rows_of(wanted, "train"):
        own = next(fit for fit in fits if fit.name == row.name)
        others = [fit for fit in fits if fit.name != row.name]
        space, prior = learn_space([fit for fit in others if fit.name not in NO_CARS_SHAPE], Config()), prior_of(others)
        car = real_car(wanted.cars, row, fitting)
        started = time.monotonic()
        within = fitting.space(car.target, prior, space, None)
        seconds = time.monotonic() - started
        figures = {"space": car.figures(within.half_m, within.measures), "free": free_figures(car, own)}
        mark = "accessories" if car.has_accessories else "not in the space" if row.name in NO_CARS_SHAPE else ""
        report[row.name] = figures | {"seconds": {"fit": seconds}, "apart": mark}
        print_row(row.name + (" *" if mark else ""), figures, seconds)
        for count in mode_counts(space) if wanted.left_out_modes and not mark else ():
            fit = within if count == space.mode_count else fitting.space(car.target, prior, space, count)
            curve.setdefault(count, []).append(car.figures(fit.half_m, fit.measures))
    return summary(report) | {"modes": {count: means(figures) for count, figures in curve.items()}}


def prior_of(fits: list[FittedCar]) -> ShapePrior:
    """Which measures are likely, from these cars and no table of dimensions."""
    learned = learn_prior([(fit.body_type, torch.from_numpy(fit.measures)) for fit in fits], None)
    return ShapePrior({name.removeprefix(TYPICAL): value for name, value in learned.items() if name.startswith(TYPICAL)}, learned["factor"])


def free_figures(car: Any, fit: FittedCar) -> Figures:
    """Those of a fit that is on disk."""
    return car.figures(template_half(fit.measures) + fit.offset_m, fit.measures)


def summary(report: dict[str, Any]) -> dict[str, Any]:
    """Cars with their mean, and the mean of those that nothing sets apart; printed."""
    result: dict[str, Any] = {"cars": report}
    plain = [one for one in report.values() if not one.get("apart")]
    groups = {"mean": list(report.values())} | ({"mean without *": plain} if 0 < len(plain) < len(report) else {})
    for name, group in groups.items() if report else ():
        seconds = float(np.mean([one["seconds"]["fit"] for one in group]))
        result[name] = {kind: means([one[kind] for one in group]) for kind in ("space", "free")} | {"seconds": seconds}
        print_row(name, result[name], seconds)
    return result


def bench_draws(wanted: Wanted, space: ShapeSpace, prior: ShapePrior) -> dict[str, Any]:
    """Shares of random draws free of faults and with each: of first draws, and of those handed out, the faulty drawn again."""
    first: dict[str, list[np.ndarray]] = {name: [] for name in FAULTS}
    handed_out = []
    for seed in range(0, wanted.draws, DRAW_BATCH):
        count = min(DRAW_BATCH, wanted.draws - seed)
        drawn = draw_cars(count, seed, prior, space, redraws=0)
        vertices = vertices_with(drawn.measures, drawn.coefficients, space)
        for name, has in faults(vertices, drawn.measures).items():
            first[name].append(has)
        handed_out.append(draw_cars(count, seed, prior, space).faulty)
    joined = {name: np.concatenate(has) for name, has in first.items()}
    result = {
        "count": wanted.draws,
        "first_free": float(1 - np.any(list(joined.values()), 0).mean()),
        "handed_out_free": float(1 - np.concatenate(handed_out).mean()),
        "first_faults": {name: float(has.mean()) for name, has in joined.items()},
    }
    print_draws(result)
    return result


def bench(wanted: Wanted, space: ShapeSpace, fitting: Fitting | None = None) -> tuple[dict[str, Any], dict[str, Compared]]:
    """All that is wanted as one report for JSON, printed on the way, and the fits of the development cars."""
    fitting = fitting or Fitting()
    report: dict[str, Any] = {}
    fits: dict[str, Compared] = {}
    if "cars" in wanted.sections:
        report["cars"], fits = bench_cars(wanted, space, fitting)
        print_parts(report["cars"])
        print_modes("development cars", report["cars"]["modes"])
    if "left-out" in wanted.sections:
        report["left_out"] = bench_left_out(wanted, fitting)
        print_parts(report["left_out"])
        print_modes("left out", report["left_out"]["modes"])
    if "draws" in wanted.sections:
        report["draws"] = bench_draws(wanted, space, fitting.prior())
    return report, fits


def main(argv: list[str] | None = None) -> int:
    """Measure, print, write JSON and, where asked for, the sheets."""
    parser = argparse.ArgumentParser(prog="build.py bench shape", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cars", type=Path, help="folder with cars.csv and the GLB files")
    parser.add_argument("--fits", type=Path, required=True, help="folder of the training cars' fits, as `train shape` leaves it")
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"sections to measure, of {','.join(SECTIONS)}; empty for none")
    parser.add_argument("--names", default="", help="only these cars, comma separated")
    parser.add_argument("--left-out-modes", action="store_true", help="the curve over the modes for the training cars too (half an hour)")
    parser.add_argument("--draws", type=int, default=DRAWS, help="random draws to look at")
    parser.add_argument("--weights", type=Path, default=weights.FOLDER, help="folder of car_shape.safetensors")
    parser.add_argument("--json", type=Path, help="where the figures go (default: bench_shape.json beside the fits)")
    parser.add_argument("--sheet", type=Path, help="folder for the pictures shape_cars.jpg and shape_draws.jpg")
    given = parser.parse_args(argv)
    sections, names = (tuple(filter(None, text.split(","))) for text in (given.only, given.names))
    unknown = sorted(set(sections) - set(SECTIONS))
    if unknown:
        raise UserInputError(f"There is no section {unknown[0]!r} to measure; choose among {', '.join(SECTIONS)}.")
    wanted = Wanted(given.cars, given.fits, sections, names, given.left_out_modes, given.draws)
    space = shape_space(given.weights)
    with one_thread():
        report, fits = bench(wanted, space)
        if given.sheet:
            from .shape_sheet import write_sheets

            write_sheets(wanted.cars, wanted.fits, space, given.sheet, fits, names)
    facts = {"weights_sha256": weights.sha256_of(weights.read_checked(given.weights, KEY)), "modes": space.mode_count}
    write_json(given.json or given.fits / "bench_shape.json", facts | report)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
