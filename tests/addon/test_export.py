"""car.glb read back with plain json and with trimesh."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
import trimesh

from imago.addon.export import export_glb
from imago.addon.scene.scene import build_car

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
    assert nodes["wheel_rear_left"]["extras"]["imago_role"] == "wheel_rear_left"


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
    scene = trimesh.load(glb, process=False)
    assert np.allclose(scene.bounds, [(-WIDTH_M / 2, 0, -LENGTH_M / 2), (WIDTH_M / 2, HEIGHT_M, LENGTH_M / 2)], atol=1e-4)
    whole = trimesh.load(glb, force="mesh", process=False)
    assert np.allclose(whole.bounds, scene.bounds, atol=1e-6)
    for name, sign_x, sign_z in (("front_left", 1, 1), ("front_right", -1, 1), ("rear_left", 1, -1), ("rear_right", -1, -1)):
        place = scene.graph[f"wheel_{name}"][0][:3, 3]
        assert np.allclose(place, (sign_x * TRACK_M / 2, RADIUS_M, sign_z * WHEELBASE_M / 2), atol=1e-5)
