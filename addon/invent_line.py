"""`build.py invent`: cars that nobody photographed, one folder a seed, made through the same way as a photograph's."""

from __future__ import annotations

import argparse
import string
import sys
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import UserInputError
from ..core.types import BODY_TYPES, Settings
from .command_line import EXIT_FINE, EXIT_STOPPED, EXIT_USER, Job, complain, make_out_folder, one_car, real_pipeline, real_writer, worse


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("build.py invent", description="Invented cars: a seed each, textured and rigged.")
    made.add_argument("--seed", type=int, default=0, help="which car; the same seed is the same car (default: 0)")
    made.add_argument("--count", type=int, default=1, metavar="N", help="this seed and the ones after it")
    made.add_argument(
        "--truncation", type=float, default=Settings.truncation01, metavar="SHARE", help="0 the typical car, 1 anything (0.7)"
    )
    made.add_argument("--toward", type=int, metavar="SEED", help="another car, to go toward")
    made.add_argument("--share", type=float, default=Settings.share01, help="how far: 0 stays, 1 is the other car (0.5)")
    made.add_argument("--body", default="", metavar="TYPE", help=f"{', '.join(BODY_TYPES)}; any without")
    made.add_argument("--paint", type=colour_of, metavar="COLOUR", help="its paint, as #c81e1e; the seed's without")
    made.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="gets invented_SEED.png and invented_SEED/")
    made.add_argument("--quality", choices=("draft", "normal", "high"), default="normal")
    made.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    return made


def colour_of(text: str) -> tuple[float, float, float]:
    """'#c81e1e' -> sRGB 0..1.  Raises argparse.ArgumentTypeError, which argparse says to the user."""
    digits = text.removeprefix("#")
    if len(digits) != 6 or not all(digit in string.hexdigits for digit in digits):
        raise argparse.ArgumentTypeError(f"{text!r} is no colour: give six hexadecimal digits as in #c81e1e")
    red, green, blue = bytes.fromhex(digits)
    return red / 255, green / 255, blue / 255


def main(arguments: Sequence[str]) -> int:
    """Exit codes as those of build.py run."""
    chosen = parser().parse_args(arguments)
    try:
        jobs = plan(chosen)
        make_out_folder(chosen.out)
    except UserInputError as problem:
        complain(str(problem))
        return EXIT_USER
    make, write, exit_code = real_pipeline(), real_writer(), EXIT_FINE
    for job, settings in jobs:
        exit_code = worse(exit_code, one_car(job, settings, make, write))
        if exit_code == EXIT_STOPPED:
            break
    return exit_code


def plan(chosen: argparse.Namespace) -> list[tuple[Job, Settings]]:
    """A job for each seed.  Raises UserInputError for shares and seeds that are none."""
    if chosen.count < 1:
        raise UserInputError("--count says how many cars: give 1 or more.")
    jobs = []
    for seed in range(chosen.seed, chosen.seed + chosen.count):
        settings = Settings(
            quality=chosen.quality, device=chosen.device, seed=seed, invented=True,
            unseen="generator", invented_body=chosen.body, invented_paint_srgb01=chosen.paint,
            truncation01=chosen.truncation, toward_seed=chosen.toward, share01=chosen.share,
        )  # fmt: skip
        name = f"invented_{seed}" if chosen.toward is None else f"invented_{seed}_{chosen.toward}_{round(100 * chosen.share):03d}"
        jobs.append((Job(chosen.out / f"{name}.png", None, chosen.out / name), settings))
    return jobs


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
