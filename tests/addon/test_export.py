"""car.glb and car.usd read back: by plain json, by trimesh where it is installed, by Blender's own importers."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from imago.addon.export.export import export_glb, export_usd
from imago.addon.export.photo import jpeg
from imago.addon.rig.rig import place_hubs
from imago.addon.scene.materials import shader_socket
from imago.addon.scene.scene import CarObjects, build_car

from .synthetic import HEIGHT_M, LENGTH_M, RADIUS_M, TRACK_M, WHEELBASE_M, WIDTH_M, synthetic_car


@pytest.fixture(scope="module")
def glb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a second car that stands elsewhere, rolled and steered: none of that may be seen in the file."""
    path = tmp_path_factory.mktemp("glb") / "car.glb"
    bpy.ops.wm.read_factory_settings(use_empty=True)
    build_car(synthetic_car())
    car = build_car(synthetic_car(), location=(5.0, 3.0, 0.0))
    car.rig["wheel_turn"], car.rig["steer"] = 0.3, 0.4
    blocks = [*bpy.data.objects, *bpy.data.materials, *bpy.data.images, *bpy.data.meshes]
    names = {block: block.name for block in blocks}
    bpy.context.view_layer.objects.active = car.rig
    car.rig.select_set(True)
    export_glb(car, path)
    assert {b: b.name for b in [*bpy.data.objects, *bpy.data.materials, *bpy.data.images, *bpy.data.meshes]} == names
    assert [thing.name for thing in bpy.context.selected_objects] == [car.rig.name]
    return path


@pytest.fixture(scope="module")
def content(glb: Path) -> dict[str, Any]:
    return read_glb(glb)


def read_glb(glb: Path) -> dict[str, Any]:
    data = glb.read_bytes()
    magic, version, length = struct.unpack("<4sII", data[:12])
    assert magic == b"glTF" and version == 2 and length == len(data)
    size, kind = struct.unpack("<I4s", data[12:20])
    assert kind == b"JSON"
    return json.loads(data[20 : 20 + size])


def test_nodes_are_named_and_nothing_else_is_exported(content: dict[str, Any]) -> None:
    asset = synthetic_car()
    lamps = {light.name for light in asset.lights}
    nodes = {node["name"]: node for node in content["nodes"]}
    assert len(nodes) == len(content["nodes"])
    assert set(nodes) == {"car", "body", *(wheel.name for wheel in asset.wheels), *lamps}
    names = [node["name"] for node in content["nodes"]]
    assert {names[k] for k in nodes["car"]["children"]} == {"body", *(wheel.name for wheel in asset.wheels)}
    assert {names[k] for k in nodes["body"]["children"]} == lamps
    assert "skins" not in content and "cameras" not in content and "animations" not in content


def test_wheels_turn_about_their_hubs(content: dict[str, Any]) -> None:
    nodes = {node["name"]: node for node in content["nodes"]}
    for wheel in synthetic_car().wheels:
        x, y, z = wheel.center_car
        assert np.allclose(nodes[wheel.name]["translation"], (x, z, -y), atol=1e-6)
        assert "rotation" not in nodes[wheel.name] and "scale" not in nodes[wheel.name]


def test_extras_are_kept(content: dict[str, Any]) -> None:
    nodes = {node["name"]: node for node in content["nodes"]}
    assert nodes["car"]["extras"]["wheel_turn"] == pytest.approx(0.3)
    assert nodes["wheel_rear_left"]["extras"] == {"imago_role": "wheel_rear_left"}
    assert all(set(mesh.get("extras", {})) <= {"part_names"} for mesh in content["meshes"])


def test_photo_is_the_base_colour(content: dict[str, Any]) -> None:
    materials = {material["name"]: material for material in content["materials"]}
    for name in ("paint", "glass", "rubber", "rim", "lamp_red_tail_brake"):
        texture = materials[name]["pbrMetallicRoughness"]["baseColorTexture"]
        assert content["textures"][texture["index"]]["source"] == 0 and texture.get("texCoord", 0) == 0
    plain = materials["underbody"]["pbrMetallicRoughness"]
    assert "baseColorTexture" not in plain and np.allclose(plain["baseColorFactor"], (0.02, 0.02, 0.02, 1), atol=1e-5)
    assert len(content["images"]) == 1 and content["images"][0]["mimeType"] == "image/jpeg"
    assert "KHR_materials_clearcoat" in materials["paint"]["extensions"]


def test_axes_and_metres(glb: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    scene = trimesh.load(glb, process=False)
    assert np.allclose(scene.bounds, [(-WIDTH_M / 2, 0, -LENGTH_M / 2), (WIDTH_M / 2, HEIGHT_M, LENGTH_M / 2)], atol=1e-4)
    whole = trimesh.load(glb, force="mesh", process=False)
    assert np.allclose(whole.bounds, scene.bounds, atol=1e-6)
    for name, sign_x, sign_z in (("front_left", 1, 1), ("front_right", -1, 1), ("rear_left", 1, -1), ("rear_right", -1, -1)):
        place = scene.graph[f"wheel_{name}"][0][:3, 3]
        assert np.allclose(place, (sign_x * TRACK_M / 2, RADIUS_M, sign_z * WHEELBASE_M / 2), atol=1e-5)


@pytest.fixture
def car() -> CarObjects:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return build_car(synthetic_car())


def exported(car: CarObjects, folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Nodes and materials by name."""
    export_glb(car, folder / "car.glb")
    content = read_glb(folder / "car.glb")
    return {kind: {entry["name"]: entry for entry in content.get(kind, [])} for kind in ("nodes", "materials", "images")}


def of_role(car: CarObjects, role: str) -> bpy.types.Material:
    return next(material for material in car.specs if material["imago_role"] == role)


def test_the_artists_figures_are_exported_in_the_clean_look(car: CarObjects, tmp_path: Path) -> None:
    car.rig["photo_look"] = 0.0
    shader_socket(of_role(car, "paint"), "Base Color").default_value = (0.0, 0.25, 0.5, 1)
    shader_socket(of_role(car, "paint"), "Roughness").default_value = 0.11
    shader_socket(of_role(car, "paint"), "Metallic").default_value = 0.75
    of_role(car, "paint").name = "British Racing Blue"
    found = exported(car, tmp_path)
    paint = found["materials"]["paint"]["pbrMetallicRoughness"]
    assert np.allclose(paint["baseColorFactor"], (0.0, 0.25, 0.5, 1), atol=1e-5)
    assert (paint["roughnessFactor"], paint["metallicFactor"]) == (pytest.approx(0.11), pytest.approx(0.75))
    assert not found["images"] and not any("emissiveFactor" in material for material in found["materials"].values())
    assert not any("imago" in key for material in found["materials"].values() for key in material.get("extras", {}))
    assert of_role(car, "paint").name == "British Racing Blue"


def test_the_photo_look_shows_the_picture_as_it_is_now_and_the_artists_roughness(car: CarObjects, tmp_path: Path) -> None:
    shader_socket(of_role(car, "paint"), "Roughness").default_value = 0.11
    shader_socket(of_role(car, "rim"), "Metallic").default_value = 1.0
    car.image.pixels.foreach_set(np.tile(np.array([1, 0, 0, 1], np.float32), car.image.size[0] * car.image.size[1]))  # not packed
    before = (car.image.file_format, car.image.filepath_raw, car.image.is_dirty, car.image.source, car.image.packed_file.size)
    found = exported(car, tmp_path)
    assert (car.image.file_format, car.image.filepath_raw, car.image.is_dirty, car.image.source, car.image.packed_file.size) == before
    assert found["materials"]["paint"]["pbrMetallicRoughness"]["roughnessFactor"] == pytest.approx(0.11)
    assert found["materials"]["rim"]["pbrMetallicRoughness"].get("metallicFactor", 1.0) == pytest.approx(0.0)
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "car.glb"))
    picture = next(image for image in bpy.data.images if image != car.image and image.size[0] == car.image.size[0])
    assert np.allclose(np.array(picture.pixels[:]).reshape(-1, 4).mean(0)[:3], (1, 0, 0), atol=0.02)


@pytest.mark.parametrize("is_float", [False, True])
def test_any_picture_becomes_a_packed_jpeg_in_the_file_alone(is_float: bool) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    image = bpy.data.images.new("painted", 8, 4, alpha=True, float_buffer=is_float)
    image.pixels.foreach_set(np.tile(np.array([0, 1, 0, 0.5], np.float32), 32))
    with jpeg(image) as picture:
        assert picture.packed_file.data[:2] == b"\xff\xd8" and tuple(picture.size) == (8, 4)
        assert np.allclose(np.array(picture.pixels[:]).reshape(-1, 4).mean(0)[:3], (0, 1, 0), atol=0.02)
    assert list(bpy.data.images) == [image]


def test_materials_and_meshes_of_the_artist_come_along(car: CarObjects, tmp_path: Path) -> None:
    chrome = bpy.data.materials.new("chrome")
    car.lamps["taillight_left"].material_slots[0].material = chrome
    box = bpy.data.objects.new("roof box", bpy.data.meshes.new("roof box"))
    box.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    box.parent, box.location = car.body, (0.0, 0.5, 1.4)
    car.collection.objects.link(box)
    car.body.modifiers.new("finer", "SUBSURF").levels = 1
    found = exported(car, tmp_path)
    assert "chrome" in found["materials"] and np.allclose(found["nodes"]["roof box"]["translation"], (0.0, 1.4, -0.5), atol=1e-6)
    assert found["nodes"]["body"]["name"] == "body" and "roof box" in {thing.name for thing in bpy.data.objects}


def test_wheels_are_where_the_hubs_are_now(car: CarObjects, tmp_path: Path) -> None:
    place_hubs(car.rig, {"wheel_front_left": (0.9, -1.5, 0.4)})
    car.rig["wheel_turn"], car.rig["steer"] = 0.37, 0.3
    car.rig.location, car.rig.rotation_euler = (4, 5, 6), (0.1, 0.2, 0.3)
    car.rig.pose.bones["root"].location = (1, 1, 1)
    bpy.context.view_layer.update()
    nodes = exported(car, tmp_path)["nodes"]
    assert np.allclose(nodes["wheel_front_left"]["translation"], (0.9, 0.4, 1.5), atol=1e-6)
    assert "rotation" not in nodes["wheel_front_left"] and "translation" not in nodes["body"]


@pytest.mark.parametrize("state", ["hidden", "excluded", "edited", "posed", "without a body"])
def test_any_state_of_the_scene_is_exported_and_left(car: CarObjects, tmp_path: Path, state: str) -> None:
    layer = bpy.context.view_layer
    other = bpy.data.objects.new("other", None)
    bpy.context.scene.collection.objects.link(other)
    other.select_set(True)
    layer.objects.active = other
    if state == "hidden":
        for thing in car.meshes:
            thing.hide_set(True)
            thing.hide_viewport = True
    if state == "excluded":
        layer.layer_collection.children["Car"].exclude = True
    if state in ("edited", "posed"):
        layer.objects.active = car.body if state == "edited" else car.rig
        bpy.ops.object.mode_set(mode="EDIT" if state == "edited" else "POSE")
    if state == "without a body":
        bpy.data.objects.remove(car.body)
        car = replace(car, body=None)
    active, mode = layer.objects.active, layer.objects.active.mode
    selected = {thing.name for thing in layer.objects if thing.select_get()}
    nodes = exported(car, tmp_path)["nodes"]
    wanted = {"car", *car.wheels, *car.lamps} | ({"body"} if car.body else set())
    assert set(nodes) == wanted and all("mesh" in node for name, node in nodes.items() if name != "car")
    assert layer.objects.active == active and active.mode == mode
    assert {thing.name for thing in layer.objects if thing.select_get()} == selected
    if active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


@pytest.mark.skipif(not bpy.app.build_options.usd, reason="this Blender cannot write USD")
@pytest.mark.parametrize("ending", ["usda", "usdz"])
def test_usd_holds_the_same_car(car: CarObjects, tmp_path: Path, ending: str) -> None:
    car.rig.location = (4, 5, 6)
    export_usd(car, tmp_path / f"car.{ending}")
    if ending == "usda":
        text = (tmp_path / "car.usda").read_text()
        assert "metersPerUnit = 1" in text and 'upAxis = "Z"' in text
        assert all(f'def Xform "{name}"' in text for name in ("car", "body", *car.wheels, *car.lamps))
        assert [path.suffix for path in (tmp_path / "textures").iterdir()] == [".jpg"]
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.usd_import(filepath=str(tmp_path / f"car.{ending}"))
    bpy.context.view_layer.update()
    points = [thing.matrix_world @ vertex.co for thing in bpy.data.objects if thing.type == "MESH" for vertex in thing.data.vertices]
    assert np.allclose(np.min(points, 0), (-WIDTH_M / 2, -LENGTH_M / 2, 0), atol=1e-4)
    assert np.allclose(np.max(points, 0), (WIDTH_M / 2, LENGTH_M / 2, HEIGHT_M), atol=1e-4)
