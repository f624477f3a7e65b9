"""A finished run's folder -> a car in the active scene."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..core.asset.asset import load_asset
from ..core.asset.png import write_png
from ..core.car.reshape import Reshape
from ..core.car.reshape_file import read_reshape
from ..core.errors import UserInputError
from ..core.types import CarAsset
from .drive.again import drive_again
from .places import runs_folder
from .scene import reshape
from .scene.image import packed_file
from .scene.scene import CarObjects, build_car
from .scene.update import update_car

KINDS = ("collections", "objects", "meshes", "armatures", "materials", "node_groups", "images", "lights")  # what a car is made of
RUN = "imago_run"  # custom property of the rig: the run that its shape and paint came from


@dataclass(frozen=True)
class LoadedRun:
    """A run read from disk, so that in a window reading and building fall into different ticks."""

    folder: Path
    asset: CarAsset
    measures: Reshape

    @property
    def picture(self) -> Path:
        return self.folder / "photo.png"


def load_run(folder: Path) -> LoadedRun:
    """Read all but the pictures.  Raises: UserInputError where the folder is no whole run."""
    try:
        asset = load_asset(folder, pictures=False)
    except Exception as problem:  # a damaged file raises whatever it likes
        raise UserInputError(f"The files of {folder.name} cannot be read; make the car again from its photo.") from problem
    measures = read_reshape(folder / "reshape.npz")
    reshape.prepare(measures)
    return LoadedRun(folder, asset, measures)


def place_run(run: LoadedRun, location: tuple[float, float, float]) -> CarObjects:
    """Build the car of a run at `location`, in a collection of its own, with its sliders; it alone is selected, its rig active.

    After any failure nothing of it is in the file.
    """
    with _all_or_nothing():
        car = build_car(run.asset, location=location, picture=run.picture)
        reshape.keep(car, run.measures)
    car.rig[RUN] = run.folder.name
    _select_only(car)
    return car


def views_of(rig: bpy.types.Object) -> Path:
    """The sheet of a car's other sides, which its run holds where the generator was asked."""
    return runs_folder() / str(rig.get(RUN, "")) / "views.png"


def update_from_run(rig: bpy.types.Object, run: LoadedRun) -> tuple[str, ...]:
    """Give the car of `rig` the shape and paint of a run; rig, animation, transforms and what the artist edited in materials stay.

    A drive is made anew for the new wheels.  Returns what the artist should know of that, in sentences.
    """
    car = update_car(rig, run.asset, run.picture)
    reshape.keep(car, run.measures)
    rig[RUN] = run.folder.name
    return drive_again(rig)


def wake_one(photo: str) -> None:
    """Do one of the things that take long the first time in a session, before a finished car needs them all at once."""
    if _asleep:
        _asleep.pop()(photo)


def _wake_image_code(photo: str) -> None:
    """Blender's first picture of a session takes up to 160 ms, whatever its size."""
    with contextlib.suppress(RuntimeError):  # no picture: the worker says so
        bpy.data.images.remove(packed_file("waking", Path(photo)))


def _wake_png(_: str) -> None:
    """And its first PNG some 70 ms more."""
    path = Path(bpy.app.tempdir) / "imago_waking.png"
    write_png(np.zeros((8, 8, 3), np.uint8), path)
    _wake_image_code(str(path))
    path.unlink()


def _wake_template(_: str) -> None:
    reshape.wake()


WAKINGS: tuple[Callable[[str], None], ...] = (_wake_png, _wake_image_code, _wake_template)
_asleep = list(WAKINGS)


@contextlib.contextmanager
def _all_or_nothing() -> Iterator[None]:
    """Take away again what the block had added to the file when it raises."""
    before = {block.as_pointer() for kind in KINDS for block in getattr(bpy.data, kind)}
    try:
        yield
    except BaseException:
        bpy.data.batch_remove([block for kind in KINDS for block in getattr(bpy.data, kind) if block.as_pointer() not in before])
        raise


def _select_only(car: CarObjects) -> None:
    layer = bpy.context.view_layer
    for thing in layer.objects:
        thing.select_set(False)
    for thing in (car.rig, *car.meshes):
        thing.select_set(True)
    layer.objects.active = car.rig
