"""Every preset: its names, where the nose points in the file, the unit; read back from glTF as JSON and from FBX and USD by Blender."""

from __future__ import annotations

import struct
from pathlib import Path

import bpy
import numpy as np
import pytest

from imago.addon.export.export import export_car
from imago.addon.export.frame import basis_of
from imago.addon.export.options import ExportOptions, path_with_ending
from imago.addon.export.presets import PRESETS, WHEELS, Axes, material_name, node_name
from imago.addon.scene.scene import build_car
from imago.core.paint.materials import KIND_NAMES

from .glb_reader import GlbReader
from .moving_car import FIRST, LAST, moving_car, played
from .synthetic import LENGTH_M, RADIUS_M, TRACK_M, WHEELBASE_M, WIDTH_M, synthetic_car

NAMES = {
    "GENERIC": ("car", "body", *WHEELS, "body_collision"),
    "UNREAL": ("Root", "Body", "PhysWheel_FL", "PhysWheel_FR", "PhysWheel_BL", "PhysWheel_BR", "UCX_Body_00"),
    "UNITY": ("car", "body", *WHEELS, "body_Collider"),
    "GODOT": ("car-vehicle", "body", *(f"{wheel}-wheel" for wheel in WHEELS), "body_collision-convcolonly"),
    "OMNIVERSE": ("Vehicle", "Chassis", "FrontLeftWheel", "FrontRightWheel", "RearLeftWheel", "RearRightWheel", "ChassisCollision"),
    "CARLA": ("Vehicle_Base", "Body", "Wheel_Front_Left", "Wheel_Front_Right", "Wheel_Rear_Left", "Wheel_Rear_Right", "UCX_Body_00"),
    "OPENMATERIAL": ("Grp_Root", "Body", "Grp_Wheel_Steering_Rotating_0_1", "Grp_Wheel_Steering_Rotating_0_0",
                     "Grp_Wheel_Steering_Rotating_1_1", "Grp_Wheel_Steering_Rotating_1_0", "Body_collision"),
}  # fmt: skip
FORWARD = {"+X": (1, 0, 0), "-Y": (0, -1, 0), "+Z": (0, 0, 1)}
UP = {"Y": (0, 1, 0), "Z": (0, 0, 1)}
CORNERS = {"front_left": (1, 1), "front_right": (1, -1), "rear_left": (-1, 1), "rear_right": (-1, -1)}  # ahead, to the left


def hub(axes: Axes, wheel: str) -> np.ndarray:
    """Where a hub has to be in the file."""
    ahead, up = np.array(FORWARD[axes.forward], float), np.array(UP[axes.up], float)
    forth, left = CORNERS[wheel.removeprefix("wheel_")]
    place = forth * WHEELBASE_M / 2 * ahead + left * TRACK_M / 2 * np.cross(up, ahead) + RADIUS_M * up
    return place / axes.unit_m


@pytest.mark.parametrize("preset", PRESETS)
def test_names_and_axes_in_gltf(preset: str, tmp_path: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    car = build_car(synthetic_car(), location=(5.0, 3.0, 1.0))
    export_car(car, tmp_path / "car.glb", ExportOptions("GLB", preset, collision=True))
    glb, axes = GlbReader(tmp_path / "car.glb"), PRESETS[preset].axes["GLB"]
    root, body, *wheels, hull = NAMES[preset]
    assert set(NAMES[preset]) <= set(glb.nodes) and [glb.nodes[k]["name"] for k in glb.nodes if glb.parent(k) is None] == [root]
    for wheel, name in zip(WHEELS, wheels, strict=True):
        assert np.abs(glb.world(name, 0.0)[:3, 3] - hub(axes, wheel)).max() < 1e-5
        assert np.allclose(glb.world(name, 0.0)[:3, :3], np.eye(3), atol=1e-6), "axes of the file, nothing left to turn"
        assert "mesh" in glb.nodes[name]
    parts = glb.content["meshes"][glb.nodes[body]["mesh"]]["primitives"]
    extent = np.ptp(np.concatenate([glb.numbers(part["attributes"]["POSITION"]) for part in parts]), axis=0)
    assert np.allclose(np.abs(extent @ np.array(FORWARD[axes.forward])), LENGTH_M, atol=1e-4)
    assert np.allclose(extent @ np.abs(np.cross(UP["Y"], FORWARD[axes.forward])), WIDTH_M, atol=1e-4)
    collision = glb.content["meshes"][glb.nodes[hull]["mesh"]]["primitives"][0]
    seen = glb.content["materials"][collision["material"]]
    assert seen["alphaMode"] in ("MASK", "BLEND") and seen["pbrMetallicRoughness"]["baseColorFactor"][3] == 0.0, "viewers do not show it"
    assert glb.parent(hull) == (root if preset in ("GODOT", "OMNIVERSE") else body)
    assert "animations" not in glb.content and not any("emissiveFactor" in material for material in glb.materials.values())


def test_openmaterial_has_its_groups_and_lamps(tmp_path: Path) -> None:
    car = moving_car()
    export_car(car, tmp_path / "car.glb", ExportOptions("GLB", "OPENMATERIAL", (FIRST, LAST)))
    glb = GlbReader(tmp_path / "car.glb")
    for name, above in {
        "Grp_Exterior": "Grp_Root", "Grp_Exterior_Static": "Grp_Exterior", "Grp_Exterior_Dynamic": "Grp_Exterior",
        "Body": "Grp_Exterior_Static", "Grp_Wheel_0_1": "Grp_Exterior_Dynamic", "Grp_Wheel_Steering_0_1": "Grp_Wheel_0_1",
        "Grp_Wheel_Steering_Rotating_0_1": "Grp_Wheel_Steering_0_1", "Grp_Rear_Axle_Center": "Grp_Exterior_Dynamic",
        "Grp_Light_Low_Beam_Left_0": "Body", "Grp_Light_Tail_Right_0": "Body", "Grp_Light_Indicator_Left_0": "Body",
        "Grp_Light_Reverse_Left_0": "Body",
    }.items():  # fmt: skip
        assert glb.parent(name) == above
    channels = glb.channels()
    steer, turn = channels["Grp_Wheel_Steering_0_1", "rotation"][1], channels["Grp_Wheel_Steering_Rotating_0_1", "rotation"][1]
    assert np.abs(steer[:, [0, 2]]).max() < 1e-4 and np.abs(steer[-1, 1]) > 0.1, "about the upright alone"
    assert np.abs(turn[:, [0, 1]]).max() < 1e-4 and np.abs(turn[-1, 2]) > 0.1, "about the axle alone, which is Z where the nose is +X"
    assert ("Grp_Wheel_Steering_1_1", "rotation") not in channels and np.allclose(glb.world("Grp_Rear_Axle_Center", 0)[1, 3], RADIUS_M)
    turned = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 1.0]]) @ np.array(
        [[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]]
    )
    wanted = turned @ played(car, ("wheel_front_left",))["wheel_front_left"][-1] @ turned.T
    assert np.abs(glb.world("Grp_Wheel_Steering_Rotating_0_1", (LAST - FIRST) / 24) - wanted).max() < 1e-4


def test_unity_has_its_levels_side_by_side(tmp_path: Path) -> None:
    car = moving_car()
    done = export_car(car, tmp_path / "car.glb", ExportOptions("GLB", "UNITY", (FIRST, LAST), lods=True))
    glb = GlbReader(tmp_path / "car.glb")
    assert done.files == (tmp_path / "car.glb",) and list(tmp_path.iterdir()) == [tmp_path / "car.glb"]
    for name in ("body", *WHEELS):
        assert "mesh" not in glb.nodes[name] and {f"{name}_LOD{level}" for level in (0, 1, 2)} <= glb.children(name)
    assert ("wheel_front_left", "rotation") in glb.channels() and not any("_LOD" in node for node, _ in glb.channels())


def test_carla_names_its_materials() -> None:
    carla = PRESETS["CARLA"]
    assert material_name(carla, "paint") == "M_Bodywork" and material_name(carla, "glass") == "Glass_Ext"
    assert material_name(carla, "tail_lens_tail_brake") == "LightGlass_Ext_Tail_tail_brake" and material_name(carla, "tyre") == "tyre"
    assert set(carla.materials) <= set(KIND_NAMES), "the words are those of our materials"


@pytest.mark.skipif(
    bpy.app.version[:2] == (5, 0), reason="the FBX importer of Blender 5.0 fails on every light (CyclesLightSettings.cast_shadow)"
)
@pytest.mark.parametrize("preset", ["GENERIC", "UNREAL"])
def test_fbx_comes_back_with_its_names_unit_and_motion(preset: str, tmp_path: Path) -> None:
    car, path = moving_car(), tmp_path / "car.fbx"
    truth = played(car, ("wheel_front_left", "wheel_rear_right", "body", "indicator_left"))
    bpy.context.scene.frame_set(FIRST)
    export_car(car, path, ExportOptions("FBX", preset, (FIRST, LAST), collision=True))
    assert fbx_unit_cm(path) == pytest.approx(1.0 if preset == "UNREAL" else 100.0)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 24
    bpy.ops.import_scene.fbx(filepath=str(path), anim_offset=0.0)
    assert set(NAMES[preset]) <= {thing.name for thing in bpy.data.objects}
    axes = PRESETS[preset].axes["FBX"]
    turn = np.array(basis_of("USD", Axes("Z", "-Y" if axes.up == "Y" else axes.forward)))
    upright = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0.0]]) if axes.up == "Y" else np.eye(3)  # nodes have the axes of the file
    for name, wanted in truth.items():
        thing = bpy.data.objects[node_name(PRESETS[preset], name)]
        for frame in range(FIRST, LAST + 1, 6):
            bpy.context.scene.frame_set(frame)
            found = np.array(thing.matrix_world)
            expected = turn @ wanted[frame - FIRST] @ turn.T
            assert np.abs(found[:3, 3] - expected[:3, 3]).max() < 1e-3, (name, frame)
            assert np.abs(rotation(found) - rotation(expected) @ upright).max() < 2e-3, (name, frame)
    assert any(image.packed_file or image.has_data for image in bpy.data.images if image.size[0])


def rotation(matrix: np.ndarray) -> np.ndarray:
    return matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)


def fbx_unit_cm(path: Path) -> float:
    """UnitScaleFactor of the binary file."""
    data = path.read_bytes()
    at = data.index(b"D", data.index(b"UnitScaleFactor") + len(b"UnitScaleFactor") + len(b"doubleNumber")) + 1
    return struct.unpack("<d", data[at : at + 8])[0]


@pytest.mark.skipif(not bpy.app.build_options.usd, reason="this Blender cannot write USD")
def test_usd_comes_back_with_its_names_and_motion(tmp_path: Path) -> None:
    car, path = moving_car(), tmp_path / "car.usdc"
    truth = played(car, ("wheel_front_left", "body"))
    done = export_car(car, path, ExportOptions("USD", "OMNIVERSE", (FIRST, LAST), lods=True, collision=True))
    assert [file.name for file in done.files] == ["car.usdc", "car_LOD1.usdc", "car_LOD2.usdc"]
    assert all(file.is_file() for file in done.files) and (tmp_path / "textures" / "car_photo.jpg").is_file()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.usd_import(filepath=str(path))
    assert set(NAMES["OMNIVERSE"]) <= {thing.name for thing in bpy.data.objects}
    turn = np.array(basis_of("USD", Axes("Z", "+X")))
    for name, theirs in (("wheel_front_left", "FrontLeftWheel"), ("body", "Chassis")):
        for frame in range(FIRST, LAST + 1, 6):
            bpy.context.scene.frame_set(frame)
            found = np.array(bpy.data.objects[theirs].evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world)
            assert np.abs(found - turn @ truth[name][frame - FIRST] @ turn.T).max() < 1e-3, (name, frame)


def test_gltf_comes_back_into_blender_moving_and_shining(tmp_path: Path) -> None:
    car = moving_car()
    truth = played(car, ("wheel_front_left", "body"))
    bpy.context.scene.frame_set(FIRST)
    on = [frame for frame in range(FIRST, LAST + 1) if car_blinks(frame, car)]
    export_car(car, tmp_path / "car.glb", ExportOptions(frames=(FIRST, LAST)))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 24
    bpy.ops.import_scene.gltf(filepath=str(tmp_path / "car.glb"))
    lamp = bpy.data.materials["lamp_amber_indicator_indicator_left"].node_tree.nodes
    shader = next(node for node in lamp if node.type == "BSDF_PRINCIPLED")
    for frame in range(FIRST, LAST + 1, 4):
        bpy.context.scene.frame_set(frame - FIRST)  # the importer puts second 0 on frame 0
        for name, wanted in truth.items():
            found = np.array(bpy.data.objects[name].matrix_world)
            assert np.abs(found - wanted[frame - FIRST]).max() < 1e-4, (name, frame)
        assert (bpy.data.objects["indicator_left_lit"].scale[0] > 0.5) == (frame in on)
        assert shader.inputs["Emission Strength"].default_value == pytest.approx(4.0 if frame in on else 0.0, abs=1e-3)


def car_blinks(frame: int, car) -> bool:
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    return car.lamps["indicator_left"].evaluated_get(graph)["indicator"] > 0.5


def test_endings_follow_the_format() -> None:
    assert path_with_ending(Path("a/car"), "GLB") == Path("a/car.glb")
    assert path_with_ending(Path("a/car.glb"), "FBX") == Path("a/car.fbx")
    assert path_with_ending(Path("a/car.usdz"), "USD") == Path("a/car.usdz")
    assert path_with_ending(Path("a/car.v2"), "USD") == Path("a/car.v2.usd")
