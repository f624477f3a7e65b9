"""Blender's side of a picture: Cycles, film, lens, and the two renders, the photograph and what covers the car in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import bpy
import numpy as np
from mathutils import Matrix

from ..quiet import quiet_stdout
from .aim import SENSOR_MM, Aim

BLURRED_SHARE = 0.15
COVER_SAMPLES = 8


def empty_scene(size_px: int, samples: int, threads: int) -> bpy.types.Scene:
    """A new file with Cycles ready and a camera in it."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.use_adaptive_sampling, cycles.use_denoising = "CPU", samples, False, True
    cycles.denoising_prefilter, cycles.denoising_input_passes, cycles.denoising_quality = "NONE", "RGB_ALBEDO", "FAST"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.transparent_max_bounces = 4, 2, 8
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4
    scene.render.use_persistent_data = True
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.resolution_x = scene.render.resolution_y = size_px
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.collection.objects.link(camera)
    scene.camera, camera.data.sensor_width, camera.data.clip_end = camera, SENSOR_MM, 500
    return scene


def point(scene: bpy.types.Scene, aim: Aim, night: bool, draw: Random) -> None:
    """Bring the camera there and choose film, exposure and sharpness."""
    camera = scene.camera
    camera.matrix_world, camera.data.lens = Matrix(aim.camera_to_world.tolist()), aim.lens_mm
    focus = camera.data.dof
    focus.use_dof, focus.focus_distance = draw.random() < BLURRED_SHARE, float(np.linalg.norm(aim.eye_m)) * draw.uniform(0.9, 1.05)
    focus.aperture_fstop = draw.uniform(1.4, 5)
    scene.view_settings.view_transform = draw.choice(("Standard", "AgX", "Filmic"))
    scene.view_settings.exposure = draw.uniform(0.2, 1.8) if night else draw.uniform(-0.8, 0.9)
    scene.cycles.seed = draw.randrange(2**31)


def take(scene: bpy.types.Scene, file: Path, quality: int) -> None:
    """Render to FILE, a JPEG, aside first and then renamed."""
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.quality = "JPEG", "RGB", quality
    _render(scene, file)


def take_cover(scene: bpy.types.Scene, covers: Sequence[bpy.types.Object], file: Path) -> None:
    """Where the camera sees the covers themselves: a grey PNG, 255 there.  Everything else cuts them out, so what is behind it is 0."""
    others = [thing for thing in scene.objects if thing.type == "MESH" and thing not in covers and not thing.hide_render]
    cycles, settings, samples = scene.cycles, scene.render.image_settings, scene.cycles.samples
    for thing in others:
        thing.is_holdout = True
    cycles.samples, cycles.use_denoising, scene.render.film_transparent = COVER_SAMPLES, False, True
    settings.file_format, settings.color_mode = "PNG", "RGBA"
    aside = file.with_suffix(".alpha.png")
    _render(scene, aside)
    for thing in others:
        thing.is_holdout = False
    cycles.samples, cycles.use_denoising, scene.render.film_transparent = samples, True, False
    _grey_of_alpha(aside, file)
    aside.unlink()


def _render(scene: bpy.types.Scene, file: Path) -> None:
    aside = file.with_name(f"part_{file.name}")
    scene.render.filepath = str(aside)
    with quiet_stdout():
        bpy.ops.render.render(write_still=True)
    aside.replace(file)


def _grey_of_alpha(source: Path, target: Path) -> None:
    image = bpy.data.images.load(str(source))
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(-1, 4)
    pixels[:, :3], pixels[:, 3] = pixels[:, 3:], 1.0
    image.colorspace_settings.name = "Non-Color"  # so that the values are written as they are
    image.pixels.foreach_set(pixels.ravel())
    aside = target.with_name(f"part_{target.name}")
    image.filepath_raw, image.file_format = str(aside), "PNG"
    image.save()
    bpy.data.images.remove(image)
    aside.replace(target)
