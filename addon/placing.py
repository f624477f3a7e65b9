"""A finished run's folder -> a car in the active scene."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import bpy

from ..core.asset.asset import load_asset
from ..core.car.reshape_file import read_reshape
from .scene import reshape
from .scene.find import car_objects
from .scene.scene import CarObjects, build_car
from .scene.update import update_car

KINDS = ("collections", "objects", "meshes", "armatures", "materials", "node_groups", "images")  # what a car is made of
RUN = "imago_run"  # custom property of the rig: the run that its shape and paint came from


def place_run(folder: Path, location: tuple[float, float, float]) -> CarObjects:
    """Build the car of a run at `location`, in a collection of its own, with its sliders; it alone is selected, its rig active.

    Raises: OSError or ValueError where the folder is no finished run; nothing is built then.
    """
    asset, steps = load_asset(folder, pictures=False), read_reshape(folder / "reshape.npz")
    with _all_or_nothing():
        car = build_car(asset, location=location, picture=folder / "photo.png")
        reshape.keep(car, steps)
    car.rig[RUN] = folder.name
    _select_only(car)
    return car


def update_from_run(rig: bpy.types.Object, folder: Path) -> CarObjects:
    """Give the car of `rig` the shape and paint of a run; rig, animation, transforms and what the artist edited in materials stay."""
    asset, steps = load_asset(folder, pictures=False), read_reshape(folder / "reshape.npz")
    update_car(rig, asset, folder / "photo.png")
    car = car_objects(rig)
    reshape.keep(car, steps)
    rig[RUN] = folder.name
    return car


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
