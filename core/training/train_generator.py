"""Train the image generator with its encoder and discriminator, bounded by minutes and resumable.

    python3 build.py train generator --turntables FOLDER... --out RUN_DIR --minutes 180 [--held-out CAR...]

FOLDERs hold turntables (core/dataset/make_turntables.py).  RUN_DIR gets config.json, checkpoint.pt, curves.jsonl, curves.png, samples.png
and generator.safetensors every few minutes.  Starting it again goes on from the checkpoint until the minutes of training are full.
Under torchrun every process draws batches of its own and gradients are averaged.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from ..dataset.turntables import Turntables, read_turntables
from ..generator.discriminator import Discriminator, DiscriminatorSize
from ..generator.generator import Generator, GeneratorSize
from ..generator.weights import CarGenerator, generator_of, save_generator
from ..invert.encoder import Encoder, EncoderSize
from .generator_loss import at_size, discriminator_terms, draw_batch, generator_terms, plain_terms, slope_penalty
from .loop import ALONE, Terms, add_arguments, begin, go_on, mean_terms, progress01, write_row
from .measure_generator import measure_turntables
from .mixed_precision import WorkingCopy, fast_bfloat16
from .processes import Processes
from .run_record import write_json
from .sample_sheet import draw_sheet
from .turntable_batches import TurntableBatch, TurntableBatches

BETAS, JUDGE_BETAS = (0.9, 0.99), (0.5, 0.99)
LEAST_SHARE, SINGLE_SHARE = 1e-3, 0.1  # of the rate: for weights that begin near zero, and for biases and single numbers
WARMUP_STEPS = 50
SHOWN = 6  # cars of the sheet of samples
KNOWN_FACTORS = 256  # rows of the file, for inventing cars


@dataclass(frozen=True)
class GeneratorConfig:
    """All that decides a run, saved as config.json."""

    minutes: float = 180.0
    seed: int = 0
    batch: int = 4  # many small steps learn more in an hour than few large ones
    invented: int = 2  # cars of a batch that are made of random numbers
    discriminator_every: int = 2  # steps of the others; its own step is the dearest
    learning_rate: float = 0.02  # of a parameter's typical size, a step
    discriminator_rate: float = 0.005
    judged_rate: float = 0.005  # in place of learning_rate from where the discriminator joins: neither may outrun the other
    average_kimg: float = 1.0  # half-life of the averaged weights
    coarse_px: int = 64
    coarse_share: float = 0.0  # of the run is trained on pictures of coarse_px
    adversarial_from: float = 0.8  # share of the run after which discriminator and invented cars join; within a tenth it is fully heard
    slope_gamma: float = 0.5  # R1
    slope_every: int = 16
    slope_pictures: int = 4  # its second derivatives cost several times a step's
    held_out: tuple[str, ...] = ()
    generator: GeneratorSize = GeneratorSize()
    encoder: EncoderSize = EncoderSize()
    discriminator: DiscriminatorSize = DiscriminatorSize()
    bfloat16: bool = True
    threads: int = 1
    workers: int = 0
    max_steps: int | None = None  # for tests; None is bounded by minutes alone
    measure_every_s: float = 300.0
    measured_pairs: int = 64


class Drawing(nn.Module):
    """Generator and encoder, which learn together."""

    def __init__(self, generator: GeneratorSize, encoder: EncoderSize) -> None:
        super().__init__()
        self.generator, self.encoder = Generator(generator), Encoder(encoder)


@dataclass
class TrainingState:
    """What a checkpoint holds; average: the running mean of generator and encoder."""

    drawing: Drawing
    average: Drawing
    discriminator: Discriminator
    drawing_optimiser: torch.optim.Adam
    discriminator_optimiser: torch.optim.Adam
    step: int = 0
    trained_s: float = 0.0

    PARTS = ("drawing", "average", "discriminator", "drawing_optimiser", "discriminator_optimiser")

    def save(self, file: Path) -> None:
        """Write aside, then rename."""
        aside = file.with_suffix(".part")
        torch.save({key: getattr(self, key).state_dict() for key in self.PARTS} | {"step": self.step, "trained_s": self.trained_s}, aside)
        os.replace(aside, file)

    def load(self, file: Path) -> None:
        """Take over a checkpoint of the same config."""
        parts = torch.load(file, weights_only=True)
        for key in self.PARTS:
            getattr(self, key).load_state_dict(parts[key])
        self.step, self.trained_s = parts["step"], parts["trained_s"]


@dataclass(frozen=True)
class Working:
    """The copies that compute."""

    drawing: WorkingCopy[Drawing]
    discriminator: WorkingCopy[Discriminator]

    @classmethod
    def of(cls, config: GeneratorConfig, state: TrainingState) -> Working:
        """Copies of a state's networks in the config's precision."""
        dtype = torch.bfloat16 if config.bfloat16 else torch.float32
        return cls(WorkingCopy(state.drawing, dtype), WorkingCopy(state.discriminator, dtype))


def new_state(config: GeneratorConfig) -> TrainingState:
    """Fresh networks and optimisers from the config's seed.  Raises ValueError where the three sizes do not fit one another."""
    sides = {config.generator.picture_px, config.encoder.picture_px, config.discriminator.picture_px}
    if len(sides) > 1 or config.encoder.content_layers != config.generator.content_layers:
        raise ValueError(
            f"pictures of {sorted(sides)} pixels, {config.generator.content_layers} content layers of the generator and "
            f"{config.encoder.content_layers} of the encoder do not fit"
        )
    torch.manual_seed(config.seed)
    drawing, average = (Drawing(config.generator, config.encoder) for _ in range(2))
    average.load_state_dict(drawing.state_dict())
    discriminator = Discriminator(config.discriminator)
    return TrainingState(
        drawing,
        average.eval().requires_grad_(False),
        discriminator,
        torch.optim.Adam(equalised(drawing), betas=BETAS, fused=True),
        torch.optim.Adam(equalised(discriminator), betas=JUDGE_BETAS, fused=True),
    )


def begin_with(state: TrainingState, parts: CarGenerator) -> None:
    """Take over the networks of a finished file, e.g. the released one; the discriminator's last blocks begin anew.

    Raises RuntimeError where their sizes are others.
    """
    for drawing in (state.drawing, state.average):
        drawing.generator.load_state_dict(parts.generator.state_dict())
        drawing.encoder.load_state_dict(parts.encoder.state_dict())
    state.discriminator.first.load_state_dict(parts.features.state_dict())


def equalised(network: nn.Module) -> list[dict[str, object]]:
    """Each parameter with its share of the learning rate, its typical size: the equalised learning rate of Karras et al. (ICLR 2018,
    section 4.1) without scaling weights at run time.  With one rate for all, wide layers shake the whole picture at every step."""
    return [
        {
            "params": [value],
            "share": float(value.detach().square().mean().sqrt().clamp(min=LEAST_SHARE)) if value.dim() > 1 else SINGLE_SHARE,
        }
        for value in network.parameters()
    ]


def picture_px(config: GeneratorConfig, state: TrainingState) -> int:
    """Side of the pictures that are trained now."""
    return config.coarse_px if progress01(config, state) < config.coarse_share else config.generator.picture_px


def train_step(
    config: GeneratorConfig, state: TrainingState, working: Working, batch: TurntableBatch, processes: Processes = ALONE
) -> dict[str, float]:
    """One step of generator and encoder, of the averages and, where its turn has come, of the discriminator; the loss terms."""
    done, size_px = progress01(config, state), picture_px(config, state)
    random = torch.Generator().manual_seed(int(np.random.SeedSequence([config.seed, state.step, processes.rank]).generate_state(1)[0]))
    rate = min(1.0, (state.step + 1) / WARMUP_STEPS) * min(1.0, (1 - done) / 0.3 + 0.02)
    judged = done >= config.adversarial_from
    drawing_rate = config.judged_rate if judged else config.learning_rate
    for optimiser, full in ((state.drawing_optimiser, drawing_rate), (state.discriminator_optimiser, config.discriminator_rate)):
        for group in optimiser.param_groups:
            group["lr"] = full * rate * group["share"]
    generator, encoder, judge = working.drawing.network.generator, working.drawing.network.encoder, working.discriminator.network

    # generator and encoder
    judge.requires_grad_(False)
    drawn = draw_batch(generator, encoder, batch, size_px, random, invented=judged)
    heard = min((done - config.adversarial_from) / 0.1, 1.0)
    terms = generator_terms(judge, encoder, batch, drawn, heard) if judged else plain_terms(batch, drawn)
    terms["sum"].backward()
    _step(working.drawing, state.drawing_optimiser, processes)

    if judged and state.step % config.discriminator_every == 0:
        terms |= _discriminator_step(config, state, working, batch, drawn.pictures, processes)

    state.step += 1
    kept = 0.5 ** (config.batch * processes.count / 1000 / config.average_kimg)
    kept = min(kept, state.step / (state.step + 10))
    with torch.no_grad():
        for mean, now in zip(state.average.parameters(), state.drawing.parameters(), strict=True):
            mean.lerp_(now, 1 - kept)
    return {key: float(value.detach()) for key, value in terms.items()}


def _discriminator_step(
    config: GeneratorConfig, state: TrainingState, working: Working, batch: TurntableBatch, pictures: torch.Tensor, processes: Processes
) -> dict[str, torch.Tensor]:
    """Real against drawn pictures; R1 now and then in place of always."""
    judge = working.discriminator.network.requires_grad_(True)
    judged = discriminator_terms(judge, batch, pictures)
    judged["discriminator"].backward()
    if state.step % config.slope_every == 0:
        some = slice(0, config.slope_pictures)
        real = at_size(batch.target[some], pictures.shape[-1])
        slope = slope_penalty(lambda real: judge(real, batch.view[some])[0], real)
        (0.5 * config.slope_gamma * config.slope_every * slope).backward()
        judged["slope"] = slope
    _step(working.discriminator, state.discriminator_optimiser, processes)
    return judged


def _step(working: WorkingCopy, optimiser: torch.optim.Adam, processes: Processes) -> None:
    working.gradients_to_master()
    processes.average_gradients(working.master)
    torch.nn.utils.clip_grad_norm_(working.master.parameters(), 10.0)
    optimiser.step()
    working.weights_from_master()


def train(
    config: GeneratorConfig, turntables: Turntables, out: Path, processes: Processes = ALONE, first: CarGenerator | None = None
) -> TrainingState:
    """Train until the time or the steps are over; leaves checkpoint, curves, samples and the averaged weights in `out`.

    Begins with the checkpoint in `out`, where there is none with `first`, else with random networks.
    """
    state = new_state(config)
    if first is not None:
        begin_with(state, first)
    begin(config, state, out)
    held = np.isin(turntables.name, config.held_out)
    seed = config.seed + 1000 * processes.rank
    batches = TurntableBatches(turntables, np.flatnonzero(~held), config.batch, config.invented, seed, state.step)
    working = Working.of(config, state)

    def step(batch: TurntableBatch) -> Terms:
        return train_step(config, state, working, batch, processes)

    def record(terms: list[Terms]) -> None:
        _record(config, state, turntables, np.flatnonzero(held), terms, out)

    go_on(config, state, batches, step, record, processes)
    return state


def _record(config: GeneratorConfig, state: TrainingState, turntables: Turntables, held: np.ndarray, terms: list[Terms], out: Path) -> None:
    """Curves, checkpoint, samples, weights and the config that belongs to them."""
    generator, encoder, size_px = state.average.generator, state.average.encoder, picture_px(config, state)
    row = {"step": state.step, "trained_s": round(state.trained_s, 1), "size_px": size_px} | mean_terms(terms)
    row |= measure_turntables(generator, encoder, turntables, held, size_px, config.measured_pairs)
    write_row(row, out)
    state.save(out / "checkpoint.pt")
    few = held if len(held) else np.arange(len(turntables))
    draw_sheet(generator, encoder, turntables, few[:: max(1, len(few) // SHOWN)][:SHOWN], size_px, out / "samples.png")
    cars = TurntableBatches(turntables, np.arange(len(turntables)), 1, 1, 0, 0)
    random = np.random.default_rng(config.seed)
    some = cars.mixed_factors(random.integers(len(turntables), size=KNOWN_FACTORS), random)
    parts = CarGenerator(generator, encoder, state.discriminator.first, torch.from_numpy(some))
    save_generator(parts, out / "generator.safetensors")
    write_json(out / "config.json", asdict(config))


def main(arguments: list[str] | None = None) -> None:
    """Command line; also called by build.py train generator."""
    parser = argparse.ArgumentParser(prog="train_generator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turntables", nargs="+", type=Path, required=True, help="folders of core/dataset/make_turntables.py")
    add_arguments(parser, GeneratorConfig.minutes, GeneratorConfig.batch)
    parser.add_argument("--coarse-share", type=float, default=GeneratorConfig.coarse_share)
    parser.add_argument("--adversarial-from", type=float, default=GeneratorConfig.adversarial_from)
    parser.add_argument("--begin-with", type=Path, metavar="FILE", help="a generator.safetensors in place of random networks")
    given = parser.parse_args(arguments)
    cv2.setNumThreads(1)  # before the first call: a forked worker waits for ever for threads that stayed with its parent
    config = GeneratorConfig(
        minutes=given.minutes, seed=given.seed, threads=given.threads, batch=given.batch, invented=given.batch // 2,
        bfloat16=fast_bfloat16(), coarse_share=given.coarse_share, adversarial_from=given.adversarial_from, held_out=tuple(given.held_out),
    )  # fmt: skip
    first = generator_of(given.begin_with.read_bytes()) if given.begin_with else None
    train(config, read_turntables(given.turntables), given.out, Processes.from_environment(), first)


if __name__ == "__main__":
    main()
