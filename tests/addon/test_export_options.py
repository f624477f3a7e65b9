"""What cannot be exported is said in a sentence, and nothing is left behind."""

from __future__ import annotations

import os
from pathlib import Path

import bpy
import pytest

from imago.addon.export import blender
from imago.addon.export.export import export_car
from imago.addon.export.options import ExportOptions
from imago.addon.scene.find import car_objects
from imago.addon.scene.scene import CarObjects, build_car
from imago.core.errors import UserInputError

from .synthetic import synthetic_car


@pytest.fixture
def car() -> CarObjects:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return build_car(synthetic_car())


def test_what_is_not_known() -> None:
    for wrong, sentence in (
        ({"format": "OBJ"}, "choose one of GLB, USD, FBX"),
        ({"preset": "ROBLOX"}, "choose one of GENERIC"),
        ({"frames": (10, 9)}, "nothing between frame 10 and 9: mend the range"),
    ):
        with pytest.raises(UserInputError, match=sentence):
            ExportOptions(**wrong)


def test_a_car_without_meshes(car: CarObjects, tmp_path: Path) -> None:
    for thing in car.meshes:
        bpy.data.objects.remove(thing)
    with pytest.raises(UserInputError, match="has no meshes left"):
        export_car(car_objects(car.rig), tmp_path / "car.glb", ExportOptions())
    assert not list(tmp_path.iterdir())


def test_a_car_without_a_body_has_no_hull_and_says_so(car: CarObjects, tmp_path: Path) -> None:
    bpy.data.objects.remove(car.body)
    done = export_car(car_objects(car.rig), tmp_path / "car.glb", ExportOptions(collision=True))
    assert done.hull_faces == 0 and "no body" in done.notices[0] and (tmp_path / "car.glb").is_file()


@pytest.mark.parametrize(("format", "operator"), [("GLB", "gltf"), ("FBX", "fbx")])
def test_an_exporter_that_is_switched_off(
    car: CarObjects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str, operator: str
) -> None:
    names = [name for name in dir(bpy.ops.export_scene) if name != operator]
    monkeypatch.setattr(blender, "dir", lambda _: names, raising=False)
    with pytest.raises(UserInputError, match="is switched off: switch it on"):
        export_car(car, tmp_path / f"car.{format.lower()}", ExportOptions(format))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(car: CarObjects, tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="cannot be written .* choose another place"):
        export_car(car, tmp_path / "nowhere" / "car.glb", ExportOptions())


def test_textures_of_two_cars_lie_side_by_side(car: CarObjects, tmp_path: Path) -> None:
    if not bpy.app.build_options.usd:
        pytest.skip("this Blender cannot write USD")
    for name in ("red.usda", "blue.usda", "red.usda"):
        export_car(car, tmp_path / name, ExportOptions("USD"))
    assert sorted(os.listdir(tmp_path / "textures")) == ["blue_photo.jpg", "red_photo.jpg"]
    assert "textures/red_photo.jpg" in (tmp_path / "red.usda").read_text()
