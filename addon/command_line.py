"""`build.py run`: photographs in, one folder a car out.

The computing comes from core.pipeline, the Blender files from addon.headless; both are imported when the first photograph is
read, so that a wrong argument is answered at once.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..core.errors import UserInputError, WeightsError
from ..core.types import BODY_TYPES, CarAsset, Report, Settings
from .progress import ProgressLine

EXAMPLE = Path(__file__).resolve().parent.parent / "tests" / "data" / "example.jpg"
EXIT_FINE, EXIT_INTERNAL, EXIT_USER, EXIT_STOPPED = 0, 1, 2, 130

WriteOutputs = Callable[[CarAsset, Path], None]


class PhotoToCar(Protocol):
    """core.pipeline.photo_to_car, as far as it is used here."""

    def __call__(
        self, photo_path: Path, mask_path: Path | None, settings: Settings, report: Report, *, notice: Callable[[str], None]
    ) -> CarAsset: ...


@dataclass(frozen=True)
class Job:
    """One photograph, its mask if the user named one, and the folder its car goes to."""

    photo: Path
    mask: Path | None
    folder: Path


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("build.py run", description="Photographs of cars to textured, rigged 3D cars.")
    made.add_argument("photos", nargs="*", metavar="PHOTO", help="picture files or folders of them; without any, the example that ships")
    made.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="where DIR/STEM/ is made for each photograph (default: out)"
    )
    made.add_argument("--mask", type=Path, metavar="FILE|FOLDER", help="white where the car is; a folder holds STEM.png or STEM_mask.png")
    made.add_argument(
        "--quality",
        choices=("draft", "normal", "high"),
        default="normal",
        help="draft is quickest: a rougher shape, texture of 1024 px, views in preview.png drawn instead of rendered",
    )
    made.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    made.add_argument("--unseen", choices=("plain", "generator"), default="plain", help="whence light and other sides are told (plain)")
    made.add_argument("--matte", choices=("network", "rembg"), default="network", help="what cuts the car out where no mask is given")
    made.add_argument(
        "--which", type=car_number, default=0, metavar="N", help="of several cars the Nth from the left (0: the largest in the middle)"
    )
    made.add_argument("--body", default="", metavar="TYPE", help=f"what the car is, if you know: {', '.join(BODY_TYPES)}")
    made.add_argument("--box", type=box_px, metavar="LEFT,TOP,RIGHT,BOTTOM", help="where the car is, in pixels of the upright picture")
    return made


def car_number(text: str) -> int:
    """Raises argparse.ArgumentTypeError for what is no whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no car's number: give 1 for the first from the left, 2 for the second, and so on.")
    return int(text)


def box_px(text: str) -> tuple[float, float, float, float]:
    """left, top, right, bottom of "10,20,300,200".  Raises argparse.ArgumentTypeError for what are not four numbers."""
    try:
        left, top, right, bottom = (float(number) for number in text.split(","))
        if not all(map(math.isfinite, (left, top, right, bottom))):
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no box: give left, top, right and bottom of the car in pixels without blanks, as in 10,20,300,200."
        ) from None
    return left, top, right, bottom


def main(arguments: Sequence[str], photo_to_car: PhotoToCar | None = None, write_outputs: WriteOutputs | None = None) -> int:
    """Exit code: 0 all made, 2 where the user has to mend something (the other cars are made), 1 for a fault of the program.

    The two callables are for tests; left out, they are the real pipeline and the real writer.
    """
    chosen = parser().parse_args(arguments)
    try:
        settings = Settings(
            quality=chosen.quality, device=chosen.device, matte=chosen.matte, which=chosen.which, box_px=chosen.box, unseen=chosen.unseen,
            body_type=chosen.body,
        )  # fmt: skip
        jobs, exit_code = plan(chosen.photos or [EXAMPLE], chosen.mask, chosen.out)
        if not jobs:
            return exit_code
        made_here = not chosen.out.exists()
        make_out_folder(chosen.out)
    except UserInputError as problem:
        complain(str(problem))
        return EXIT_USER
    from_scratch = time.perf_counter()
    make, write = photo_to_car or real_pipeline(), write_outputs or real_writer()
    print(
        f"{len(jobs)} photograph{'s' * (len(jobs) > 1)}, quality {settings.quality}, loaded in {time.perf_counter() - from_scratch:.1f} s",
        flush=True,
    )
    for job in jobs:
        exit_code = worse(exit_code, one_car(job, settings, make, write))
        if exit_code == EXIT_STOPPED:
            break
    if made_here and not any(chosen.out.iterdir()):
        chosen.out.rmdir()
    return exit_code


def plan(photos: Sequence[str | Path], mask: Path | None, out: Path) -> tuple[list[Job], int]:
    """What to do, and the exit code so far; a folder without pictures is complained of and does not stop the others."""
    from ..core.matte import find_mask
    from ..core.photo import find_photos

    found: dict[Path, Path] = {}
    exit_code = EXIT_FINE
    for name in photos:
        try:
            found.update({path.resolve(): path for path in find_photos([name]) if path.resolve() not in found})
        except UserInputError as problem:
            complain(f"{name}: {problem}")
            exit_code = EXIT_USER
    jobs: list[Job] = []
    for path, folder in zip(found.values(), result_folders(list(found.values()), out), strict=True):
        try:
            jobs.append(Job(path, find_mask(mask, path, alone=len(found) == 1) if mask else None, folder))
        except UserInputError as problem:
            complain(f"{path}: {problem}")
            exit_code = EXIT_USER
    return jobs, exit_code


def result_folders(photos: Sequence[Path], out: Path) -> list[Path]:
    """out/STEM for each photograph; the second of one stem gets STEM_2.  Upper and lower case count as the same name."""
    taken: set[str] = set()
    folders = []
    for photo in photos:
        count, name = 1, photo.stem
        while name.lower() in taken:
            count += 1
            name = f"{photo.stem}_{count}"
        taken.add(name.lower())
        folders.append(out / name)
    return folders


def make_out_folder(out: Path) -> None:
    """Make it and prove that it can be written.  Raises UserInputError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as problem:
        raise UserInputError(f"{out}: nothing can be written there ({problem.strerror}), name another folder with --out.") from problem


def real_pipeline() -> PhotoToCar:
    from ..core.pipeline import photo_to_car

    return photo_to_car


def real_writer() -> WriteOutputs:
    from .headless import write_outputs

    return write_outputs


def one_car(job: Job, settings: Settings, make: PhotoToCar, write: WriteOutputs) -> int:
    line = ProgressLine(job.photo.name)
    try:
        asset, seconds = _make_and_write(job, settings, make, write, line)
    except UserInputError as problem:
        line.end()
        complain(f"{job.photo}: {problem}")
        return EXIT_USER
    except WeightsError as problem:
        line.end()
        complain(str(problem))
        return EXIT_USER
    except KeyboardInterrupt:
        line.end()
        complain(f"{job.photo}: stopped, nothing of it was kept.")
        return EXIT_STOPPED
    except Exception:  # the other photographs are still done, and the exit code tells of this one
        line.end()
        traceback.print_exc()
        complain(f"{job.photo}: a fault of the program (above), please report it.")
        return EXIT_INTERNAL
    line.end()
    iou, confidence = asset.quality["mask_iou"], asset.quality["confidence"]
    print(f"{job.photo.name}: {seconds:.1f} s, mask IoU {iou:.3f}, confidence {confidence:.2f}, {job.folder}", flush=True)
    return EXIT_FINE


def _make_and_write(job: Job, settings: Settings, make: PhotoToCar, write: WriteOutputs, line: ProgressLine) -> tuple[CarAsset, float]:
    """Everything goes to a folder beside the result, which takes its name when it is complete."""
    started = time.perf_counter()
    partial = Path(tempfile.mkdtemp(prefix=f".{job.folder.name}.", dir=job.folder.parent))
    try:
        asset = make(job.photo, job.mask, settings, line.report, notice=lambda sentence: _notify(job, sentence, line))
        made = time.perf_counter()
        line.say("scene")
        write(asset, partial)
        seconds = time.perf_counter() - started
        _add_timings(partial / "car.json", {"scene": time.perf_counter() - made, "total": seconds})
        partial.chmod(0o755)  # mkdtemp makes private folders
        _take_place(partial, job.folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return asset, seconds


def _notify(job: Job, sentence: str, line: ProgressLine) -> None:
    """On a line of its own; the progress is drawn anew below it."""
    line.end()
    complain(f"{job.photo}: {sentence}")


def _add_timings(car_json: Path, timings_s: dict[str, float]) -> None:
    """The writer cannot know its own seconds; the total is all of this photograph, without loading the program."""
    record = json.loads(car_json.read_text())
    record["timings_s"] = {**record.get("timings_s", {}), **{name: round(value, 3) for name, value in timings_s.items()}}
    car_json.write_text(json.dumps(record, indent=1))


def _take_place(partial: Path, folder: Path) -> None:
    """Rename the finished folder; where one of that name stands, replace file by file, so that what the user put there stays."""
    try:
        if not folder.exists():
            os.replace(partial, folder)
            return
        for file in sorted(partial.iterdir(), key=lambda file: file.name == "car.json"):  # the record last: it vouches for the others
            os.replace(file, folder / file.name)
    except OSError as problem:
        raise UserInputError(f"{folder} cannot be replaced ({problem.strerror}), remove it or choose another --out.") from problem


def worse(one: int, other: int) -> int:
    """A stop or a fault of the program outranks a mistake of the user."""
    return max(one, other, key=[EXIT_FINE, EXIT_USER, EXIT_INTERNAL, EXIT_STOPPED].index)


def complain(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
