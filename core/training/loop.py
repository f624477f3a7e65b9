"""What every time-boxed run does: steps until the time or the number is full, and now and then a record."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from .endless import EndlessBatches
from .processes import Processes
from .run_record import draw_curves

Batch = TypeVar("Batch")
Terms = dict[str, float]
ALONE = Processes()


class RunConfig(Protocol):
    """max_steps is for tests; None is bounded by minutes alone."""

    @property
    def minutes(self) -> float: ...
    @property
    def max_steps(self) -> int | None: ...
    @property
    def threads(self) -> int: ...
    @property
    def workers(self) -> int: ...
    @property
    def measure_every_s(self) -> float: ...


class RunState(Protocol):
    """What goes on from one start to the next."""

    step: int
    trained_s: float

    def load(self, file: Path) -> None: ...


def progress01(config: RunConfig, state: RunState) -> float:
    """Share of the run that is over, by time or by steps, whichever is further."""
    by_steps = state.step / config.max_steps if config.max_steps else 0.0
    return min(max(state.trained_s / (60 * config.minutes), by_steps), 1.0)


def begin(config: RunConfig, state: RunState, out: Path) -> None:
    """Make the folder, and take over the checkpoint in it where there is one."""
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(config.threads)
    if (out / "checkpoint.pt").exists():
        state.load(out / "checkpoint.pt")


def go_on(
    config: RunConfig,
    state: RunState,
    batches: EndlessBatches[Batch],
    step: Callable[[Batch], Terms],
    record: Callable[[list[Terms]], None],
    processes: Processes = ALONE,
) -> None:
    """Call `step` until the run is over, and in the first process `record` with the steps' terms every measure_every_s and at the end."""
    ahead = 6 if config.workers else None
    loader = iter(torch.utils.data.DataLoader(batches, batch_size=None, num_workers=config.workers, prefetch_factor=ahead))
    started, before_s, measured_s = time.monotonic(), state.trained_s, state.trained_s
    terms: list[Terms] = []
    while progress01(config, state) < 1:
        terms.append(step(next(loader)))
        state.trained_s = processes.agreed(before_s + time.monotonic() - started)
        if state.trained_s - measured_s > config.measure_every_s or progress01(config, state) >= 1:
            measured_s = state.trained_s
            if processes.is_first:
                record(terms)
            terms = []


def mean_terms(terms: list[Terms]) -> Terms:
    """Of each term over the steps that have it."""
    keys = dict.fromkeys(key for one in terms for key in one)
    return {key: sum(one[key] for one in terms if key in one) / sum(key in one for one in terms) for key in keys}


def write_row(row: dict[str, Any], out: Path) -> None:
    """Add a line to curves.jsonl, say it, and draw the curves anew."""
    with (out / "curves.jsonl").open("a") as lines:
        lines.write(json.dumps(row) + "\n")
    print(json.dumps(row), flush=True)
    draw_curves(out / "curves.jsonl", out / "curves.png")


def add_arguments(parser: argparse.ArgumentParser, minutes: float, batch: int) -> None:
    """What every training takes; threads is 1: two are many times slower as soon as another process wants a core."""
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", nargs="*", default=[], help="cars kept away from training and measured on")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=batch)
