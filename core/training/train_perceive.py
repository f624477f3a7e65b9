"""Train the viewpoint network, bounded by minutes and resumable.

    python -m imago.core.training.train_perceive --minutes 45 --data CARS_DIR RENDERS_DIR HDRI_DIR --out RUN_DIR

RUN_DIR gets config.json, views/ (made in the first --prepare-minutes, unless they are there), checkpoint.pt, curves.jsonl, curves.png,
and perceive.safetensors at the end.  Starting it again goes on from the checkpoint until the minutes of training are full.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from ..dataset.make_views import make_views
from ..dataset.views import Views, read_shards
from ..perceive.network import NetworkSize, ViewpointNetwork
from ..perceive.weights import save_network
from .measure_perceive import measure_views
from .mixed_precision import WorkingCopy
from .perceive_loss import total_loss
from .run_record import draw_curves, write_json
from .view_batches import Batch, ViewBatches


@dataclass(frozen=True)
class PerceiveConfig:
    """All that decides a run, saved as config.json."""

    minutes: float = 45.0
    prepare_minutes: float = 12.0
    seed: int = 0
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warmup_steps: int = 300
    average_decay: float = 0.998
    render_share: float = 0.45
    dropout: float = 0.15
    held_out: tuple[str, ...] = ()
    channels: tuple[int, ...] = NetworkSize().channels
    hidden: int = NetworkSize().hidden
    bfloat16: bool = True
    threads: int = 1  # two are many times slower as soon as another process wants a core
    workers: int = 1
    max_steps: int | None = None  # for tests; None is bounded by minutes alone
    measure_every_s: float = 150.0


@dataclass
class TrainingState:
    """What a checkpoint holds."""

    network: ViewpointNetwork
    average: ViewpointNetwork
    optimiser: torch.optim.AdamW
    step: int = 0
    trained_s: float = 0.0

    def save(self, file: Path) -> None:
        """Write aside, then rename."""
        parts = {"network": self.network.state_dict(), "average": self.average.state_dict(), "optimiser": self.optimiser.state_dict()}
        aside = file.with_suffix(".part")
        torch.save(parts | {"step": self.step, "trained_s": self.trained_s}, aside)
        os.replace(aside, file)

    def load(self, file: Path) -> None:
        """Take over a checkpoint of the same config."""
        parts = torch.load(file, weights_only=True)
        for key in ("network", "average", "optimiser"):
            getattr(self, key).load_state_dict(parts[key])
        self.step, self.trained_s = parts["step"], parts["trained_s"]


def new_state(config: PerceiveConfig) -> TrainingState:
    """Fresh networks and optimiser from the config's seed."""
    torch.manual_seed(config.seed)
    size = NetworkSize(tuple(config.channels), config.hidden)
    network, average = ViewpointNetwork(size, config.dropout), ViewpointNetwork(size)
    average.load_state_dict(network.state_dict())
    return TrainingState(
        network, average.eval(), torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    )


def progress01(config: PerceiveConfig, state: TrainingState) -> float:
    """Share of the run that is over, by time or by steps, whichever is further."""
    by_steps = state.step / config.max_steps if config.max_steps else 0.0
    return min(max(state.trained_s / (60 * config.minutes), by_steps), 1.0)


def train_step(config: PerceiveConfig, state: TrainingState, working: WorkingCopy, batch: Batch) -> dict[str, float]:
    """One step of AdamW on a cosine schedule with warm-up, and of the running average of the weights; the loss terms."""
    rate = (
        config.learning_rate * min(1, (state.step + 1) / config.warmup_steps) * (0.5 + 0.5 * math.cos(math.pi * progress01(config, state)))
    )
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    terms = total_loss(working.network(batch.inputs.to(memory_format=torch.channels_last)), batch.labels, batch.body_index)
    terms["sum"].backward()
    working.gradients_to_master()
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 2.0)
    state.optimiser.step()
    working.weights_from_master()
    state.step += 1
    decay = min(config.average_decay, state.step / (state.step + 10))
    with torch.no_grad():
        for mean, now in zip(state.average.state_dict().values(), state.network.state_dict().values(), strict=True):
            mean.lerp_(now, 1 - decay) if mean.is_floating_point() else mean.copy_(now)
    return {key: float(value.detach()) for key, value in terms.items()}


def train(config: PerceiveConfig, views: Views, out: Path) -> TrainingState:
    """Train until the time or the steps are over; leaves checkpoint, curves and the averaged weights in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(config.threads)
    write_json(out / "config.json", asdict(config))
    state, checkpoint, curves = new_state(config), out / "checkpoint.pt", out / "curves.jsonl"
    if checkpoint.exists():
        state.load(checkpoint)
    held = np.isin(views.car, config.held_out)
    batches = ViewBatches(views, np.flatnonzero(~held), config.batch, config.render_share, config.seed, state.step)
    loader = iter(
        torch.utils.data.DataLoader(batches, batch_size=None, num_workers=config.workers, prefetch_factor=8 if config.workers else None)
    )
    working = WorkingCopy(state.network.train(), torch.bfloat16 if config.bfloat16 else torch.float32)
    started, before_s, measured_s = time.monotonic(), state.trained_s, state.trained_s
    sums: list[dict[str, float]] = []
    while progress01(config, state) < 1:
        sums.append(train_step(config, state, working, next(loader)))
        state.trained_s = before_s + time.monotonic() - started
        if state.trained_s - measured_s > config.measure_every_s or progress01(config, state) >= 1:
            measured_s = state.trained_s
            row = {"step": state.step, "trained_s": round(state.trained_s, 1)} | {
                key: float(np.mean([s[key] for s in sums])) for key in sums[0]
            }
            row |= measure_views(state.average, views, np.flatnonzero(held & ~views.drawn), "held_renders")
            with curves.open("a") as lines:
                lines.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)
            state.save(checkpoint)
            sums = []
    draw_curves(curves, out / "curves.png")
    save_network(state.average, out / "perceive.safetensors")
    return state


def main(arguments: list[str] | None = None) -> None:
    """Command line; also called by build.py train perceive."""
    parser = argparse.ArgumentParser(prog="train_perceive", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs=3, type=Path, required=True, metavar=("CARS_DIR", "RENDERS_DIR", "HDRI_DIR"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=PerceiveConfig.minutes)
    parser.add_argument("--prepare-minutes", type=float, default=PerceiveConfig.prepare_minutes)
    parser.add_argument("--views", type=Path, help="views made before; default RUN_DIR/views")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", nargs="*", default=[], help="cars kept away from training and measured on")
    parser.add_argument("--threads", type=int, default=PerceiveConfig.threads)
    given = parser.parse_args(arguments)
    views = given.views or given.out / "views"
    if not any(views.glob("*.npz")):
        cars, renders, hdris = given.data
        make_views(cars, renders, hdris, views, given.prepare_minutes, given.seed)
    chosen = {"minutes": given.minutes, "prepare_minutes": given.prepare_minutes, "seed": given.seed, "threads": given.threads}
    train(PerceiveConfig(**chosen, held_out=tuple(given.held_out)), read_shards(views), given.out)


if __name__ == "__main__":
    main()
