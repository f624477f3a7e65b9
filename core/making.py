"""What the worker does for one request: photograph in, a folder with the finished car out, telling how far it is."""

from __future__ import annotations

import json
import os
import shutil
import time
import traceback
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .asset.asset import car_json, save_asset
from .asset.thumbnail import draw_thumbnail, save_thumbnail
from .car.car import vectors, whole, whole_vertices
from .car.prior import shape_prior
from .car.reshape import make_reshape
from .car.reshape_file import write_reshape
from .car.space import shape_space
from .device import choose_device, one_thread
from .errors import Cancelled, Trouble, WeightsError
from .fit.linear_car import linearise
from .making_problems import is_gpu_memory, problem_from
from .making_progress import Check, Progress, Tell
from .messages import MakeRequest, Word, part_folder
from .paint.colour import dominant_colour, linear_from_srgb
from .paint.materials import KIND_NAMES, KINDS, Colour, kind_of_parts
from .pipeline import photo_to_car
from .side_by_side import both
from .sketch import Sketch, write_sketch
from .types import CarAsset, CarShape, Matte, Photo, Settings

FORMAT = 1
STALE_S = 24 * 3600


def facts() -> dict[str, Any]:
    """What READY tells of this environment: torch's version, and the graphics card's name or None."""
    gpu = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
    return {"torch": torch.__version__, "gpu": gpu}


def warm_up() -> None:
    """Make what every car needs, so that the first is as quick as the others: the template, and what torch imports only when used.

    A weight file that cannot be read is the first car's to complain of.
    """
    with one_thread(), suppress(WeightsError):
        kind, typical = next(iter(shape_prior().typical.items()))
        point, bent = typical[None].clone().requires_grad_(), torch.from_numpy(shape_space().typical[kind])[None]
        optimiser = torch.optim.Adam([point])
        linearise(point, bent, bent.shape[1]).vertices(point, bent).sum().backward()
        optimiser.step()


def attend(request: MakeRequest, tell: Tell, check: Check) -> tuple[Word, dict[str, Any]]:
    """Make the car of a request; returns the last word on it, MADE, FAILED or CANCELLED, with its fields but for the job.

    Unless it is MADE, nothing of the job is left on disk.
    """
    try:
        return Word.MADE, {"folder": request.folder, "seconds": make_car(request, tell, check)}
    except Cancelled:
        return Word.CANCELLED, {}
    except Exception as error:  # whatever it is, Blender hears of it, and the worker lives on
        traceback.print_exception(error)
        return Word.FAILED, asdict(problem_from(error, Path(request.folder)))


def make_car(request: MakeRequest, tell: Tell, check: Check = lambda: None) -> float:
    """Make the car and its folder: the asset, car.json, reshape.npz, thumbnail.png, run.json.  Returns the seconds it took.

    Tells PROGRESS, SKETCH and NOTICE.  Everything is written to part_folder(folder), which ends with this call.
    Raises: what photo_to_car raises, Cancelled by `check`, OSError where the folder cannot be written.
    """
    began = time.perf_counter()
    folder, part = Path(request.folder), part_folder(request.folder)
    remove_stale(folder.parent)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        progress = Progress(request.job, settings_of(request), tell, check)
        asset = _asset(request, part, progress)
        seconds = _write(request, asset, part / "made", progress, began)
        _take_place(part / "made", folder, part)
        progress.learn(asset.timings_s | {"write": seconds - sum(asset.timings_s.values())})
        return seconds
    finally:
        shutil.rmtree(part, ignore_errors=True)


def settings_of(request: MakeRequest) -> Settings:
    """Raises TypeError for a setting that does not exist."""
    return Settings(**request.settings)


def remove_stale(runs: Path) -> None:
    """Remove the parts of jobs whose process was killed together with Blender; young ones may be another Blender's."""
    for part in runs.glob(".*.part"):
        if time.time() - part.stat().st_mtime > STALE_S:
            shutil.rmtree(part, ignore_errors=True)


def _asset(request: MakeRequest, part: Path, progress: Progress) -> CarAsset:
    """The car; made on the processor where the graphics card's memory does not suffice."""
    settings = settings_of(request)
    try:
        return _run(request, settings, part, progress)
    except RuntimeError as error:
        if settings.device == "cpu" or not is_gpu_memory(error):
            raise
        traceback.print_exception(error)
    # outside of the handler: the error holds the frames, and these the tensors
    torch.cuda.empty_cache()
    sentence = "The graphics card ran out of memory; the car is made on the processor instead."
    progress.tell(Word.NOTICE, job=request.job, trouble=Trouble.GPU_MEMORY, sentence=sentence)
    progress.restart()
    return _run(request, replace(settings, device="cpu"), part, progress)


def _run(request: MakeRequest, settings: Settings, part: Path, progress: Progress) -> CarAsset:
    sketches = Sketches(request.job, part, progress.tell)
    mask = Path(request.mask) if request.mask else None

    def notice(sentence: str) -> None:
        progress.tell(Word.NOTICE, job=request.job, trouble=Trouble.SEVERAL_CARS, sentence=sentence)

    photo = part / Path(request.photo).name if settings.invented else Path(request.photo)  # an invented picture is made with the car
    asset = photo_to_car(photo, mask, settings, progress.report, sketches.show, sketches.see, notice)
    return replace(asset, photo_path=request.photo)


@dataclass
class Sketches:
    """Writes the car as it takes shape to numbered files and tells of each."""

    job: str
    folder: Path
    tell: Tell
    paint_srgb01: Colour = KINDS["paint"].srgb01

    def see(self, photo: Photo, matte: Matte, told_paint_srgb01: Colour | None) -> None:
        """Take the paint's colour as it is told, else the commonest that the matte holds."""
        found = told_paint_srgb01 or dominant_colour(
            photo.image_srgb01.reshape(-1, 3), (matte.alpha01.reshape(-1) > 0.9).astype(np.float32)
        )
        self.paint_srgb01 = found or self.paint_srgb01

    def show(self, shape: CarShape) -> None:
        path = self.folder / f"sketch_{len(list(self.folder.glob('sketch_*.npz'))):03d}.npz"
        write_sketch(sketch_of(shape, self.paint_srgb01), path)
        self.tell(Word.SKETCH, job=self.job, file=str(path))


def sketch_of(shape: CarShape, paint_srgb01: tuple[float, float, float]) -> Sketch:
    """Body and wheels, coloured by what each part is made of."""
    mesh = whole()
    with torch.no_grad():
        vertices = whole_vertices(*vectors(shape))[0].numpy()
    table = np.array([paint_srgb01 if name == "paint" else KINDS[name].srgb01 for name in KIND_NAMES])
    colour = linear_from_srgb(table)[kind_of_parts(mesh.part_names)[mesh.part_index.numpy()]]
    return Sketch(vertices.astype(np.float32), mesh.triangles.numpy().astype(np.int32), colour.astype(np.float32))


def _write(request: MakeRequest, asset: CarAsset, made: Path, progress: Progress, began: float) -> float:
    """All files of the run; run.json last.  Returns the seconds since `began`."""
    progress.report("write", 0.0)
    save_asset(asset, made)
    if asset.settings.invented:
        shutil.copyfile(made.parent / Path(request.photo).name, made / Path(request.photo).name)
    progress.report("write", 0.2)
    _write_json(made / "car.json", car_json(asset))
    thumbnail, reshape = both(partial(draw_thumbnail, asset), partial(make_reshape, asset.shape, asset.body.vertices_m))
    save_thumbnail(thumbnail, made / "thumbnail.png")
    write_reshape(reshape, made / "reshape.npz")
    progress.report("write", 1.0)
    seconds = round(time.perf_counter() - began, 3)
    _write_json(made / "run.json", run_record(request, asset, seconds))
    return seconds


def run_record(request: MakeRequest, asset: CarAsset, seconds: float) -> dict[str, Any]:
    """The contents of run.json: what the history of runs shows."""
    return {
        "format": FORMAT,
        "job": request.job,
        "photo": request.photo,
        "seconds": seconds,
        "quality": asset.settings.quality,
        "device": choose_device(asset.settings.device).type,
        "body_type": asset.body_type,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _write_json(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def _take_place(made: Path, folder: Path, part: Path) -> None:
    """The finished folder gets its name at once; an older one of that name goes with the part."""
    made.chmod(0o755)
    if folder.exists():
        os.replace(folder, part / "older")
    os.replace(made, folder)
