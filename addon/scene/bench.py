"""`build.py bench scene`: how long Blender is kept waiting when a car arrives and when a slider moves."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import bpy

from ..placing import WAKINGS, load_run, place_run
from . import reshape

EXAMPLE = Path(__file__).resolve().parents[2] / "tests" / "data" / "example.jpg"
TIMES, SLIDES = 9, 40


def main() -> None:
    """Print a table in milliseconds: best, median and longest."""
    print(f"Blender {bpy.app.version_string}, milliseconds of {TIMES} times\n\n| what | best | median | longest |\n|---|---|---|---|")
    for wake in reversed(WAKINGS):  # as a session does it, and before the example's car wakes the template
        _row(f"once: {wake.__name__.strip('_').replace('_', ' ')}", [_ms(partial(wake, str(EXAMPLE)))])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        make_example(folder)
        _row("read the run", [_ms(partial(load_run, folder)) for _ in range(TIMES)])
        run, cars = load_run(folder), []
        _row("put the car into the scene", [_ms(lambda: cars.append(place_run(run, (0.0, 0.0, 0.0)))) for _ in range(TIMES)])
        _row(f"move a slider ({SLIDES} places each)", _slide(cars[0].rig))


def make_example(folder: Path) -> None:
    """The example's car as the worker leaves it."""
    from ...core.making import make_car
    from ...core.messages import MakeRequest

    make_car(MakeRequest("bench", str(EXAMPLE), str(folder), None, {"quality": "draft"}), lambda word, **fields: None)


def _slide(rig: bpy.types.Object) -> list[float]:
    """Every slider through its range and back to where it was."""
    found = []
    for name, value in reshape.measures_of(rig).items():
        low, high = reshape.measure_range(rig, name)
        for step in range(SLIDES):
            found.append(_ms(partial(reshape.set_measure, rig, name, low + (high - low) * step / (SLIDES - 1))))
        reshape.set_measure(rig, name, value)
    return found


def _ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def _row(what: str, found: list[float]) -> None:
    print(f"| {what} | {min(found):.1f} | {statistics.median(found):.1f} | {max(found):.1f} |")


if __name__ == "__main__":
    main()
