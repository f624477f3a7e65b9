"""Render tests/data/example.jpg, the picture that `build.py run` takes without a PHOTO: a car of the project's own shape space under one
of the skies that come with Blender (CC0).  Run in the project's environment: python tests/make_example.py
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import bpy
import numpy as np
import torch

from imago.addon.scene.camera import add_photo_camera
from imago.addon.scene.scene import build_car
from imago.core.car.car import build_body, build_lights, build_wheels, dimensions_m
from imago.core.car.measures import NAMES, to_dict
from imago.core.car.prior import shape_prior
from imago.core.frames import orbit
from imago.core.paint.materials import material_specs
from imago.core.types import Camera, CarAsset, CarShape, Settings, Texture

SIZE_PX, SEED, KIND, PAINT_SRGB01 = (960, 640), 5, "hatchback", (0.10, 0.27, 0.52)
OUT = Path(__file__).parent / "data" / "example.jpg"


def example_car() -> CarAsset:
    """A draw near the typical car of its kind, in plain materials."""
    torch.manual_seed(SEED)
    prior = shape_prior()
    measures = prior.measures(0.35 * torch.randn(1, len(NAMES)), prior.typical[KIND][None])[0]
    shape = CarShape(to_dict(measures), KIND)
    body, wheels = build_body(shape), build_wheels(shape)
    materials = material_specs(body, wheels, {"paint": PAINT_SRGB01})  # type: ignore[dict-item]
    texture = Texture(np.full((64, 64, 3), 0.5, np.float32), np.zeros((64, 64), np.float32), materials, PAINT_SRGB01)
    camera = Camera(SIZE_PX, 62.0, orbit(math.radians(36), math.radians(8), 8.0, (0.0, 0.05, 0.62)))
    return CarAsset(
        "example", str(OUT), body, wheels, build_lights(body), texture, camera, KIND, dimensions_m(shape, body), shape.measures,
        {"mask_iou": 1.0, "confidence": 1.0}, np.ones((SIZE_PX[1], SIZE_PX[0]), np.float32), Settings(seed=SEED),
    )  # fmt: skip


def set_outdoors(scene: bpy.types.Scene) -> None:
    """Blender's own forest sky and a grey ground."""
    world = bpy.data.worlds.new("sky")
    scene.world = world
    world.use_nodes = True
    picture = world.node_tree.nodes.new("ShaderNodeTexEnvironment")
    folder = os.path.join(bpy.utils.system_resource("DATAFILES"), "studiolights", "world")
    picture.image = bpy.data.images.load(os.path.join(folder, "forest.exr"))
    world.node_tree.links.new(picture.outputs["Color"], world.node_tree.nodes["Background"].inputs["Color"])
    bpy.ops.mesh.primitive_plane_add(size=400)
    ground = bpy.data.materials.new("ground")
    ground.use_nodes = True
    shader = ground.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value, shader.inputs["Roughness"].default_value = (0.24, 0.23, 0.21, 1), 0.9
    bpy.context.object.data.materials.append(ground)


def main() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene, asset = bpy.context.scene, example_car()
    car = build_car(asset)
    car.rig["photo_look"] = 0.0
    car.rig.update_tag()
    scene.camera = add_photo_camera(asset.camera, None, scene.collection)
    set_outdoors(scene)
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 96, True
    scene.render.resolution_x, scene.render.resolution_y = SIZE_PX
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.exposure = 0.4
    scene.render.image_settings.file_format, scene.render.image_settings.quality = "JPEG", 90
    scene.render.filepath = str(OUT)
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main()
    os._exit(0)  # the bpy module may hang at exit where torch was imported too
