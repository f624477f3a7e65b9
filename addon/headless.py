"""One CarAsset -> the files of a run, without a window: car.blend, car.glb, car.json and pictures."""

from __future__ import annotations

import json
import os
import tempfile
from functools import cache
from pathlib import Path

import bpy
import numpy as np

from ..core.asset.aside import written_aside
from ..core.asset.asset import car_json, save_picture, validate_asset
from ..core.asset.png import write_png
from ..core.photo.photo import read_photo
from ..core.types import CarAsset
from .export.export import export_glb
from .preview import draw_preview
from .quiet import quiet_stdout
from .scene.camera import add_photo_camera
from .scene.image import packed_file
from .scene.scene import CarObjects, build_car
from .scene.studio import add_sky

BARE_SRGB01 = 0.93  # shown behind photographs that bring their own alpha


def write_outputs(asset: CarAsset, out_dir: str | os.PathLike[str]) -> None:
    """Make all files of a run in `out_dir`; after a failure none of them is there, or the older ones are untouched.

    Empties Blender's open file: meant for the bpy module and background runs.  May be called any number of times.
    Raises: UserInputError where the photo cannot be read any more or the folder not be written; what validate_asset raises.
    """
    validate_asset(asset)
    photo_srgb01 = _photo(asset)
    _default_preferences()
    _empty_file()
    with written_aside(out_dir) as aside:
        (aside / "car.json").write_text(json.dumps(car_json(asset), indent=1))
        save_picture(asset.texture.photo_srgb01, aside / "texture.png")
        save_picture(asset.matte01, aside / "matte.png")
        if asset.views_srgb01 is not None:
            save_picture(asset.views_srgb01, aside / "views.png")
        car = _build_scene(asset, photo_srgb01, aside / "texture.png")
        with quiet_stdout():
            bpy.ops.wm.save_as_mainfile(filepath=str(aside / "car.blend"), compress=True, copy=True)
        export_glb(car, aside / "car.glb")
        write_png(np.asarray(draw_preview(asset, car, photo_srgb01)), aside / "preview.png")
    _empty_file()  # give back the memory of textures and meshes


@cache
def _default_preferences() -> None:
    """Once a process: it takes six times as long as an empty file alone."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


def _empty_file() -> None:
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def _build_scene(asset: CarAsset, photo_srgb01: np.ndarray, texture: Path) -> CarObjects:
    """The car at the origin with the texture in a PNG file, seen through the photographer's camera, under a soft sky."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = asset.camera.image_size_px
    car = build_car(asset, picture=texture)
    scene.camera = add_photo_camera(asset.camera, _photo_image(photo_srgb01), scene.collection)
    add_sky(scene)
    bpy.context.view_layer.objects.active = car.rig
    return car


def _photo_image(photo_srgb01: np.ndarray) -> bpy.types.Image:
    """Inside the .blend; as a file that is packed it takes a third of the time of pixels that Blender encodes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.png"
        save_picture(photo_srgb01, path)
        return packed_file("photo", path)


def _photo(asset: CarAsset) -> np.ndarray:
    """(H, W, 3) upright; what is transparent in the file becomes a light grey."""
    photo = read_photo(Path(asset.photo_path))
    if photo.alpha01 is None:
        return photo.image_srgb01
    alpha = photo.alpha01[..., None]
    return photo.image_srgb01 * alpha + BARE_SRGB01 * (1 - alpha)
