"""A car marked as an asset, as the asset browser sees it."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from imago.addon.asset_mark import clear_asset, mark_as_asset
from imago.addon.scene.find import car_objects
from imago.addon.scene.scene import CarObjects, build_car

from .png import write_png
from .synthetic import synthetic_car


@pytest.fixture
def car() -> CarObjects:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return build_car(synthetic_car())


def test_marked_with_picture_tags_and_description(car: CarObjects, tmp_path: Path) -> None:
    picture = np.zeros((40, 60, 3), np.float32)
    picture[:10, :, 0] = 1.0  # red on top
    images = len(bpy.data.images)
    mark_as_asset(car, write_png(tmp_path / "thumbnail.png", picture))
    data = car.collection.asset_data
    assert {tag.name for tag in data.tags} == {"car", "sedan", "Imago"}
    assert data.description.startswith("Sedan, 4.20 x 1.70 x 1.40 m")
    assert len(bpy.data.images) == images
    preview = car.collection.preview
    assert tuple(preview.image_size) == (60, 40) and preview.is_image_custom
    pixels = np.array(preview.image_pixels_float[:]).reshape(40, 60, 4)[::-1]
    assert np.allclose(pixels[:10, :, 0], 1, atol=0.01) and np.allclose(pixels[10:, :, 0], 0, atol=0.01)
    assert np.allclose(pixels[..., 3], 1)


def test_a_large_thumbnail_is_made_smaller(car: CarObjects, tmp_path: Path) -> None:
    mark_as_asset(car, write_png(tmp_path / "large.png", np.full((300, 600, 3), 0.5, np.float32)))
    assert tuple(car.collection.preview.image_size) == (256, 128)


def test_marking_again_keeps_what_the_artist_added(car: CarObjects) -> None:
    mark_as_asset(car, None)
    car.collection.asset_data.tags.new("hero")
    car.body.data.vertices.foreach_set("co", np.array([vertex.co * 2 for vertex in car.body.data.vertices], np.float32).ravel())
    mark_as_asset(car, None)
    assert {tag.name for tag in car.collection.asset_data.tags} == {"car", "sedan", "Imago", "hero"}
    assert "8.40 x 3.40 x 2.80 m" in car.collection.asset_data.description


def test_cleared_it_is_a_collection_again(car: CarObjects) -> None:
    mark_as_asset(car, None)
    clear_asset(car)
    assert car.collection.asset_data is None and car_objects(car.rig).collection == car.collection
    assert not car.collection.use_fake_user


def test_the_asset_comes_complete_into_another_file(car: CarObjects, tmp_path: Path) -> None:
    mark_as_asset(car, write_png(tmp_path / "thumbnail.png", np.full((32, 32, 3), 0.5, np.float32)))
    path = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(path), assets_only=True) as (offered, wanted):
        assert offered.collections == ["Car"]
        wanted.collections = offered.collections
    bpy.context.scene.collection.children.link(bpy.data.collections["Car"])
    rig = next(thing for thing in bpy.data.objects if thing.get("imago_role") == "rig")
    assert len(car_objects(rig).wheels) == 4


def test_a_file_that_is_no_picture_is_refused_and_leaves_no_image(car: CarObjects, tmp_path: Path) -> None:
    (tmp_path / "not.png").write_text("no picture")
    images = len(bpy.data.images)
    with pytest.raises(RuntimeError):
        mark_as_asset(car, tmp_path / "not.png")
    assert len(bpy.data.images) == images
