"""The photograph's camera in the scene."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from ...core.types import Camera

NAME = "photo_camera"


def add_photo_camera(
    camera: Camera, photo: bpy.types.Image | None, collection: bpy.types.Collection, location: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> bpy.types.Object:
    """A camera object where the photographer stood relative to the car at `location`, the photo as its background picture."""
    data = bpy.data.cameras.new(NAME)
    data.lens, data.sensor_width, data.sensor_fit = camera.lens_mm, camera.sensor_width_mm, "AUTO"
    if photo is not None:
        data.show_background_images = True
        background = data.background_images.new()
        background.image, background.alpha, background.display_depth = photo, 0.5, "FRONT"
        background.frame_method = "FIT"
    thing = bpy.data.objects.new(NAME, data)
    thing.matrix_world = Matrix.Translation(location) @ Matrix(np.asarray(camera.camera_to_car, float).tolist())
    collection.objects.link(thing)
    return thing
