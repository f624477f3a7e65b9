"""A car as an asset: its collection appears in the asset browser with picture, tags and a description."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from .scene.find import body_type_of
from .scene.scene import CarObjects

PREVIEW_PX = 256  # what the asset browser draws at its largest


def mark_as_asset(car: CarObjects, thumbnail: Path | None) -> None:
    """Mark the car's collection, so that rig and meshes come together; the PNG file `thumbnail` becomes its preview.

    Marking again renews description and preview; tags and catalogue that the artist chose stay.
    Raises: RuntimeError where the thumbnail cannot be read.
    """
    collection = car.collection
    if collection.asset_data is None:
        collection.asset_mark()
    data = collection.asset_data
    body_type = body_type_of(car.rig)
    data.description = _description(car, body_type)
    for tag in ("car", *([body_type] if body_type else []), "Imago"):
        data.tags.new(tag, skip_if_exists=True)
    if thumbnail is not None:
        _set_preview(collection, thumbnail)


def clear_asset(car: CarObjects) -> None:
    """The collection stays, but is no asset any more; its preview goes too."""
    car.collection.asset_clear()


def _description(car: CarObjects, body_type: str) -> str:
    """Such as "Sedan, 4.48 x 1.83 x 1.44 m, rigged; made by Imago from one photo"."""
    what = [body_type.replace("_", " ").capitalize() or "Car"]
    if car.body is not None and len(car.body.data.vertices):
        points = np.empty(len(car.body.data.vertices) * 3, np.float32)
        car.body.data.vertices.foreach_get("co", points)
        width_m, length_m, _ = np.ptp(points.reshape(-1, 3), axis=0)
        what.append(f"{length_m:.2f} x {width_m:.2f} x {points[2::3].max():.2f} m")
    return ", ".join([*what, "rigged; made by Imago from one photo"])


def _set_preview(collection: bpy.types.Collection, picture: Path) -> None:
    image = bpy.data.images.load(str(picture), check_existing=False)
    try:
        if not image.size[0]:
            raise RuntimeError(f"{picture} is no picture that Blender can read")
        largest = max(image.size)
        if largest > PREVIEW_PX:
            image.scale(*(max(1, round(side * PREVIEW_PX / largest)) for side in image.size))
        pixels = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
        image.pixels.foreach_get(pixels)
        rgba = np.ones((image.size[0] * image.size[1], 4), np.float32)
        rgba[:, : image.channels] = pixels.reshape(len(rgba), -1)
        preview = collection.preview_ensure()
        preview.image_size = tuple(image.size)
        preview.image_pixels_float.foreach_set(rgba.ravel())
    finally:
        bpy.data.images.remove(image)
