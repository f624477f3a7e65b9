"""The whole way once, as a user walks it: the example picture in, a folder out whose car rolls."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Vector
from PIL import Image

from imago.addon.command_line import EXAMPLE, EXIT_USER, main

WHEELS = ("wheel_front_left", "wheel_front_right", "wheel_rear_left", "wheel_rear_right")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUT/example of one run at draft quality, beside a bad file that must not disturb it."""
    folder = tmp_path_factory.mktemp("flow")
    bad = folder / "notes.jpg"
    bad.write_text("no picture")
    assert main([str(bad), str(EXAMPLE), "--out", str(folder / "out"), "--quality", "draft"]) == EXIT_USER
    assert sorted(p.name for p in (folder / "out").iterdir()) == ["example"], "the bad file left something behind"
    return folder / "out" / "example"


@pytest.mark.slow
def test_files_and_record(made: Path) -> None:
    assert {p.name for p in made.iterdir()} >= {"car.blend", "car.glb", "car.json", "matte.png", "texture.png", "preview.png"}
    record = json.loads((made / "car.json").read_text())
    assert {
        "image_size",
        "camera",
        "dimensions_m",
        "wheels",
        "lights",
        "parts",
        "body_type",
        "paint",
        "quality",
        "timings_s",
        "versions",
    } <= set(record)
    assert record["quality"]["mask_iou"] > 0.85
    assert {"photo", "matte", "perceive", "fit", "paint", "asset", "scene", "total"} <= set(record["timings_s"])
    x, y, _ = np.array(record["camera"]["camera_to_world"])[:3, 3]
    assert abs(math.degrees(math.atan2(x, -y)) - 36) < 12, "the example was taken from 36 degrees"
    assert record["settings"]["texture_size_px"] == 2048 and Image.open(made / "texture.png").size == (1024, 1024), (
        "a draft is painted smaller"
    )


@pytest.mark.slow
def test_paint_is_the_examples_blue(made: Path) -> None:
    red, green, blue = json.loads((made / "car.json").read_text())["paint"]["srgb01"]
    assert blue > green > red and blue - red > 0.25


@pytest.mark.slow
def test_wheels_of_the_saved_file_roll(made: Path) -> None:
    """One turn of the root's property moves rubber by 2 pi r; at rest all four wheels stand on the ground."""
    bpy.ops.wm.open_mainfile(filepath=str(made / "car.blend"))
    rig = next(o for o in bpy.data.objects if o.type == "ARMATURE")
    for name in WHEELS:
        wheel = bpy.data.objects[name]
        lowest = min((wheel.matrix_world @ v.co).z for v in wheel.data.vertices)
        assert abs(lowest) < 1e-3, name
        radius = wheel.matrix_world.translation.z
        rubber = max(wheel.data.vertices, key=lambda v: Vector((0, v.co.y, v.co.z)).length).co.copy()
        walked, before, steps = 0.0, None, 64
        for k in range(steps + 1):
            rig["wheel_turn"] = k / steps
            rig.update_tag()
            bpy.context.view_layer.update()
            at = bpy.data.objects[name].evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world @ rubber
            walked += (at - before).length if before is not None else 0.0
            before = at
        chord = steps * 2 * math.sin(math.pi / steps)  # 64 straight steps along the circle
        assert walked == pytest.approx(chord * radius, rel=2e-3), name
    rig["wheel_turn"] = 0.0


@pytest.mark.slow
def test_gltf_stands_as_the_record_says(made: Path) -> None:
    content = (made / "car.glb").read_bytes()
    length = struct.unpack_from("<I", content, 12)[0]
    nodes = json.loads(content[20 : 20 + length])["nodes"]
    record = json.loads((made / "car.json").read_text())
    by_name = {node["name"]: node for node in nodes}
    assert set(WHEELS) <= set(by_name) and any(name.startswith("headlight") for name in by_name)
    for wheel in record["wheels"]:
        x, y, z = wheel["center_m"]
        np.testing.assert_allclose(by_name[wheel["name"]]["translation"], [x, z, -y], atol=1e-4)  # +Y up, nose +Z
    assert by_name["wheel_front_left"]["translation"][2] > 0 < by_name["wheel_front_left"]["translation"][0]
