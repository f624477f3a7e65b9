"""Train the network that reads photographs, bounded by minutes and resumable.

    python3 build.py train perceive --data CARS_DIR HDRI_DIR --photographs FOLDER... --out RUN_DIR --minutes 90 [--begin-with FILE]
        [--cut-off-share 1]

FOLDERs hold photographs made by Cycles (addon/photograph), one folder a car.  RUN_DIR gets config.json, pictures/ (their labels, made
first, only what is new), checkpoint.pt, curves.jsonl, curves.png, and perceive.safetensors at every measure.  Starting it again goes on
from the checkpoint until the minutes of training are full.  --begin-with: a new run's first weights are those of a finished file.  Under
torchrun every process draws batches of its own and gradients are averaged.  --cut-off-share: of the pictures that show
a car from very near or not the whole of it, how many are learned from.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from ..dataset.empty import empty_pool
from ..dataset.make_pictures import make_pictures
from ..dataset.pictures import Pictures, read_shards
from ..perceive.heads import FIGURES
from ..perceive.network import CarNetwork, NetworkSize
from ..perceive.weights import network_of, save_network
from .loop import ALONE, Terms, add_arguments, begin, go_on, mean_terms, progress01, write_row
from .measure_perceive import measure_pictures
from .mixed_precision import WorkingCopy, fast_bfloat16
from .perceive_loss import total_loss
from .picture_batches import Batch, PictureBatches
from .processes import Processes
from .run_record import write_json

NEAR_LENGTHS = 1.1  # a car photographed from nearer is seldom seen as a whole


@dataclass(frozen=True)
class PerceiveConfig:
    """All that decides a run, saved as config.json."""

    minutes: float = 90.0
    seed: int = 0
    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.03
    warmup_steps: int = 300
    average_decay: float = 0.999
    begun_with_sha256: str = ""  # of the finished file whose weights came first, empty where chance's did
    dropout: float = 0.0  # figures are measured, and noise is no help to that; known pictures are told little better than new ones
    held_out: tuple[str, ...] = ()
    cut_off_share: float = 1.0  # of the pictures that do not show the whole car from NEAR_LENGTHS of its lengths or further
    channels: tuple[int, ...] = NetworkSize().channels
    decoder: tuple[int, ...] = NetworkSize().decoder
    cell: int = NetworkSize().cell
    hidden: int = NetworkSize().hidden
    finer: int = NetworkSize().finer
    bfloat16: bool = True
    threads: int = 1  # two are many times slower as soon as another process wants a core
    workers: int = 1
    empty_pictures: int = 600
    max_steps: int | None = None  # for tests; None is bounded by minutes alone
    measure_every_s: float = 300.0


@dataclass
class TrainingState:
    """What a checkpoint holds."""

    network: CarNetwork
    average: CarNetwork
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
    size = NetworkSize(tuple(config.channels), tuple(config.decoder), config.cell, config.hidden, config.finer)
    network, average = CarNetwork(size, config.dropout), CarNetwork(size)
    average.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    return TrainingState(network, average.eval(), optimiser)


def begin_with(state: TrainingState, first: CarNetwork) -> None:
    """Take over a finished network's weights; what it does not have yet begins as it was drawn.

    Raises ValueError where the networks differ in what both have."""
    own, given = state.network.state_dict(), first.state_dict()
    if any(name not in own or own[name].shape != tensor.shape for name, tensor in given.items()):
        raise ValueError(f"a network of {first.size} cannot begin a training of {state.network.size}")
    for network in (state.network, state.average):
        network.load_state_dict(own | given)


def train_step(
    config: PerceiveConfig, state: TrainingState, working: WorkingCopy, batch: Batch, processes: Processes = ALONE
) -> dict[str, float]:
    """One step of AdamW on a cosine schedule with warm-up, and of the running average of the weights; the loss terms."""
    rise = min(1, (state.step + 1) / config.warmup_steps)
    rate = config.learning_rate * rise * (0.5 + 0.5 * math.cos(math.pi * progress01(config, state)))
    for group in state.optimiser.param_groups:
        group["lr"] = rate
    terms = total_loss(working.network(batch.inputs.to(memory_format=torch.channels_last)), batch)
    terms["sum"].backward()
    working.gradients_to_master()
    processes.average_gradients(state.network)
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), 2.0)
    state.optimiser.step()
    working.weights_from_master()
    state.step += 1
    decay = min(config.average_decay, state.step / (state.step + 10))
    with torch.no_grad():
        for mean, now in zip(state.average.state_dict().values(), state.network.state_dict().values(), strict=True):
            mean.lerp_(now, 1 - decay) if mean.is_floating_point() else mean.copy_(now)
    return {key: float(value.detach()) for key, value in terms.items()}


def learned_from(config: PerceiveConfig, pictures: Pictures) -> np.ndarray:
    """Which pictures are: indices, those of cars held out left out, and all but a share of those that cut a car off."""
    distance = pictures.figures[:, FIGURES.index("log_distance_lengths")]
    well_shown = pictures.whole & (distance > math.log(NEAR_LENGTHS))
    kept = well_shown | (np.random.default_rng(config.seed).random(len(pictures)) < config.cut_off_share)
    return np.flatnonzero(kept & ~np.isin(pictures.car, config.held_out))


def train(
    config: PerceiveConfig,
    pictures: Pictures,
    empty: np.ndarray,
    out: Path,
    processes: Processes = ALONE,
    first: CarNetwork | None = None,
) -> TrainingState:
    """Train until the time or the steps are over; leaves checkpoint, curves and the averaged weights in `out`.

    first: a finished network to begin with, where there is no checkpoint."""
    state = new_state(config)
    if first is not None:
        begin_with(state, first)
    begin(config, state, out)
    held = np.isin(pictures.car, config.held_out)
    seed = config.seed + 1000 * processes.rank
    batches = PictureBatches(pictures, learned_from(config, pictures), empty, config.batch, seed, state.step)
    working = WorkingCopy(state.network.train(), torch.bfloat16 if config.bfloat16 else torch.float32)

    def step(batch: Batch) -> Terms:
        return train_step(config, state, working, batch, processes)

    def record(terms: list[Terms]) -> None:
        _record(config, state, pictures, np.flatnonzero(held), terms, out)

    go_on(config, state, batches, step, record, processes)
    return state


def _record(config: PerceiveConfig, state: TrainingState, pictures: Pictures, held: np.ndarray, terms: list[Terms], out: Path) -> None:
    """Curves, checkpoint, weights and the config that belongs to them."""
    row = {"step": state.step, "trained_s": round(state.trained_s, 1)} | mean_terms(terms)
    row |= measure_pictures(state.average, pictures, held[:: max(1, len(held) // 120)], "held")
    write_row(row, out)
    state.save(out / "checkpoint.pt")
    save_network(state.average, out / "perceive.safetensors")
    write_json(out / "config.json", asdict(config))


def main(arguments: list[str] | None = None) -> None:
    """Command line; also called by build.py train perceive."""
    parser = argparse.ArgumentParser(prog="train_perceive", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs=2, type=Path, required=True, metavar=("CARS_DIR", "HDRI_DIR"))
    parser.add_argument("--photographs", nargs="*", type=Path, default=[], help="folders of photographs to label first")
    parser.add_argument("--pictures", nargs="*", type=Path, default=[], help="folders of pictures labelled before")
    parser.add_argument("--begin-with", type=Path, metavar="FILE", help="a finished perceive.safetensors to go on from")
    parser.add_argument("--learning-rate", type=float, default=PerceiveConfig.learning_rate, help="at its highest")
    parser.add_argument("--cut-off-share", type=float, default=PerceiveConfig.cut_off_share, help="of pictures that cut a car off")
    add_arguments(parser, PerceiveConfig.minutes, PerceiveConfig.batch)
    given = parser.parse_args(arguments)
    torch.set_num_threads(given.threads)
    cv2.setNumThreads(1)  # before the first call: a forked worker waits for ever for threads that stayed with its parent
    cars, hdris = given.data
    processes = Processes.from_environment()
    if given.photographs and processes.is_first:
        make_pictures(cars, given.out / "pictures", given.photographs)
    processes.wait()
    folders = [*given.pictures, *([given.out / "pictures"] if given.photographs else [])]
    content = given.begin_with.read_bytes() if given.begin_with else b""
    first = network_of(content) if content else None
    chosen = {"minutes": given.minutes, "seed": given.seed, "threads": given.threads, "batch": given.batch, "bfloat16": fast_bfloat16()}
    chosen |= {"learning_rate": given.learning_rate, "cut_off_share": given.cut_off_share}
    chosen |= {"begun_with_sha256": hashlib.sha256(content).hexdigest() if content else ""}
    config = PerceiveConfig(**chosen, held_out=tuple(given.held_out))
    train(config, read_shards(folders), empty_pool(hdris, config.empty_pictures, config.seed), given.out, processes, first)


if __name__ == "__main__":
    main()
