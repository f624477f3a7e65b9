"""A moving, shining car in a .glb file: against what Blender evaluates, frame by frame; and the user's scene left alone."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from imago.addon.export import export as export_module
from imago.addon.export.export import export_car
from imago.addon.export.options import ExportOptions
from imago.addon.scene.materials import EMISSION_OF_KIND
from imago.addon.scene.scene import CarObjects

from .glb_reader import TO_GLTF, GlbReader, value_at
from .moving_car import FIRST, LAST, lamp_values, moving_car, played
from .synthetic import RADIUS_M

MOVING = ("body", "wheel_front_left", "wheel_front_right", "wheel_rear_left", "wheel_rear_right", "headlight_left", "door")
COUNT = LAST - FIRST + 1
ANIMATED = ExportOptions("GLB", frames=(FIRST, LAST))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[CarObjects, GlbReader]:
    """29.97 frames a second, which Blender says as 30 and a base of 1.001."""
    path = tmp_path_factory.mktemp("moving") / "car.glb"
    car = moving_car(30, 1.001)
    assert export_car(car, path, ANIMATED).frames == COUNT
    return car, GlbReader(path)


def seconds(frame: int) -> float:
    return (frame - FIRST) * 1.001 / 30


def test_every_part_is_where_blender_evaluates_it(exported: tuple[CarObjects, GlbReader]) -> None:
    car, glb = exported
    truth, to_gltf = played(car, MOVING), np.array(TO_GLTF)
    assert np.ptp(truth["body"][:, :3, 3], axis=0).max() > 4 and np.abs(np.diff(truth["wheel_rear_left"][:, 2, 2])).max() > 0.2
    for name in MOVING:
        for frame in range(FIRST, LAST + 1, 3):
            wanted = to_gltf @ truth[name][frame - FIRST] @ to_gltf.T
            assert np.abs(glb.world(name, seconds(frame)) - wanted).max() < 3e-5, (name, frame)


def test_keys_are_linear_continuous_and_on_time(exported: tuple[CarObjects, GlbReader]) -> None:
    channels = {key: channel for key, channel in exported[1].channels().items() if key[1] in ("translation", "rotation")}
    assert {name for name, path in channels if path == "rotation"} == {"car", *MOVING} - {"headlight_left"}
    for (_, path), (times, values, interpolation) in channels.items():
        assert interpolation == "LINEAR"
        assert np.allclose(times, [seconds(frame) for frame in range(FIRST, LAST + 1)], atol=1e-5)
        if path == "rotation":
            assert np.allclose(np.linalg.norm(values, axis=1), 1, atol=1e-5) and ((values[1:] * values[:-1]).sum(1) > 0).all()
    assert len(exported[1].content["animations"]) == 1


def test_lamps_shine_through_pointers_in_steps(exported: tuple[CarObjects, GlbReader]) -> None:
    car, glb = exported
    channels = glb.channels()
    brake = {side: material_index(glb, f"lamp_red_tail_brake_taillight_{side}") for side in ("left", "right")}
    for index, strength in [
        *(
            (index, 2.0 * lamp_values(car, "taillight_left", "tail") + 8.0 * lamp_values(car, "taillight_left", "brake"))
            for index in brake.values()
        ),
        (material_index(glb, "lamp_amber_indicator_indicator_left"), 4.0 * lamp_values(car, "indicator_left", "indicator")),
    ]:
        channel = channels["", f"/materials/{index}/extensions/KHR_materials_emissive_strength/emissiveStrength"]
        material = glb.content["materials"][index]
        assert channel[2] == "STEP" and np.ptp(strength) > 3
        for frame in range(FIRST, LAST + 1):
            assert np.isclose(value_at(channel, seconds(frame)), strength[frame - FIRST], atol=1e-3)
        kept = material["extensions"]["KHR_materials_emissive_strength"]["emissiveStrength"]
        assert np.isclose(kept, strength.min(), atol=1e-3), "without pointers: the dimmest"
        colour = EMISSION_OF_KIND["tail" if index in brake.values() else "indicator"][0]
        assert np.allclose(material["emissiveFactor"], colour, atol=1e-4)
    assert "KHR_animation_pointer" in glb.content["extensionsUsed"]
    assert "emissiveFactor" not in glb.materials["lamp_amber_indicator"], "the right indicator is dark all the time"
    assert len(channel[0]) < COUNT / 2, "steps need few keys"


def test_viewers_without_pointers_see_a_lit_mesh_blink(exported: tuple[CarObjects, GlbReader]) -> None:
    car, glb = exported
    channels = glb.channels()
    lit = {name for name in glb.nodes if name.endswith("_lit")}
    assert lit == {f"{lamp}_lit" for lamp in ("taillight_left", "taillight_right", "indicator_left", "headlight_left", "headlight_right")}
    on = lamp_values(car, "indicator_left", "indicator") > 0.5
    for frame in range(FIRST, LAST + 1):
        assert np.allclose(value_at(channels["indicator_left_lit", "scale"], seconds(frame)), float(on[frame - FIRST]))
    assert channels["indicator_left_lit", "scale"][2] == "STEP" and 0 < on.sum() < COUNT
    assert glb.parent("indicator_left_lit") == "indicator_left"
    material = glb.materials["lamp_amber_indicator_indicator_left_lit"]
    strength = material["extensions"]["KHR_materials_emissive_strength"]["emissiveStrength"]
    assert np.allclose(strength * np.array(material["emissiveFactor"]), 4.0 * np.array(EMISSION_OF_KIND["indicator"][0]), atol=1e-3)


def test_spot_lights_hang_on_the_body_and_switch(exported: tuple[CarObjects, GlbReader]) -> None:
    car, glb = exported
    lights = glb.content["extensions"]["KHR_lights_punctual"]["lights"]
    nodes = {name: node for name, node in glb.nodes.items() if "KHR_lights_punctual" in node.get("extensions", {})}
    assert set(nodes) == {"beam_low_left", "beam_low_right"}, "the high beams never shine"
    channels, on = glb.channels(), lamp_values(car, "headlight_left", "headlight") > 0.001
    assert 0 < on.sum() < COUNT
    for name, node in nodes.items():
        assert glb.parent(name) == "body"
        index = node["extensions"]["KHR_lights_punctual"]["light"]
        assert lights[index]["type"] == "spot" and lights[index]["intensity"] == 0.0, "as at the first frame"
        channel = channels["", f"/extensions/KHR_lights_punctual/lights/{index}/intensity"]
        shown = np.array([value_at(channel, seconds(frame)) for frame in range(FIRST, LAST + 1)])
        assert ((shown > 100) == on).all() and channel[2] == "STEP"
        at_first = glb.world(name, 0.0)
        assert -at_first[2, 2] > 0.95, "along -Z of the light, which is the nose's +Z at the first frame"


def test_fast_wheels_turn_the_right_way_between_frames(tmp_path: Path) -> None:
    car = moving_car()
    root, turns = car.rig.pose.bones["root"], 1.4 * (LAST - FIRST) / 2  # 0.7 turns a frame: two frames alone would show 0.3 back
    root.rotation_euler, car.rig["steer"], car.rig["auto_roll"] = (0, 0, 0), 0.0, 0.0
    for curve_owner, path in ((root, "rotation_euler"), (root, "location"), (car.rig, '["wheel_turn"]'), (car.rig, '["steer"]')):
        for frame in (FIRST, 15, LAST):
            curve_owner.keyframe_delete(path, frame=frame)
    for frame, share in ((FIRST, 0.0), (LAST, 1.0)):
        root.location, car.rig["wheel_turn"] = (0, -share * turns * 2 * np.pi * RADIUS_M, 0), share * turns
        root.keyframe_insert("location", frame=frame)
        car.rig.keyframe_insert('["wheel_turn"]', frame=frame)
    assert export_car(car, tmp_path / "car.glb", ANIMATED).frames == COUNT
    times, values, _ = GlbReader(tmp_path / "car.glb").channels()["wheel_rear_left", "rotation"]
    assert times[-1] == pytest.approx((LAST - FIRST) / 24) and len(times) > 2 * COUNT
    turned = 2 * np.arccos(np.clip((values[1:] * values[:-1]).sum(1), -1, 1))
    assert turned.max() < 3.0 and turned.sum() == pytest.approx(2 * np.pi * turns, rel=1e-3)


def test_the_users_scene_is_left_alone(tmp_path: Path) -> None:
    car = moving_car()
    scene = bpy.context.scene
    scene.frame_set(9)
    car.rig.location.z, car.rig["steer"] = 7.0, 0.123  # keyed, and changed since without a key
    bpy.context.view_layer.objects.active = car.rig
    bpy.ops.object.mode_set(mode="POSE")
    before = state(car)
    for options in (
        ANIMATED,
        ExportOptions("USD", "OMNIVERSE", (FIRST, LAST), True, True),
        ExportOptions("FBX", "UNITY", (FIRST, LAST), True),
    ):
        export_car(car, tmp_path / f"car.{options.format.lower()}", options)
        assert state(car) == before, options
    bpy.ops.object.mode_set(mode="OBJECT")


def state(car: CarObjects) -> dict[str, object]:
    """Everything that an export could disturb."""
    stores = (
        "objects",
        "meshes",
        "materials",
        "images",
        "actions",
        "lights",
        "scenes",
        "collections",
        "node_groups",
        "armatures",
        "worlds",
    )
    names = {store: [block.name for block in getattr(bpy.data, store)] for store in stores}
    layer = bpy.context.view_layer
    placed = {thing.name: [round(x, 7) for row in thing.matrix_world for x in row] for thing in bpy.data.objects}
    shown = {thing.name: (thing.hide_render, thing.hide_viewport, thing.select_get()) for thing in layer.objects}
    return {
        **names, "frame": bpy.context.scene.frame_current, "scene": bpy.context.window.scene.name, "mode": car.rig.mode,
        "active": layer.objects.active,
        "location": tuple(car.rig.location), "steer": car.rig["steer"], "placed": placed, "shown": shown,
        "action": car.rig.animation_data.action, "range": tuple(car.rig.animation_data.action.frame_range),
    }  # fmt: skip


@pytest.mark.parametrize("writer", ["write_gltf", "add_animation"])
def test_a_failure_leaves_no_file_and_no_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str) -> None:
    car = moving_car()
    (tmp_path / "car.glb").write_bytes(b"older")
    before = state(car)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(export_module, writer, fail)
    with pytest.raises(RuntimeError, match="broken"):
        export_car(car, tmp_path / "car.glb", ANIMATED)
    assert state(car) == before
    assert [path.name for path in tmp_path.iterdir()] == ["car.glb"] and (tmp_path / "car.glb").read_bytes() == b"older"


def test_lights_of_the_artist_come_along(tmp_path: Path) -> None:
    """A lamp over the plate, which changes, and an area light, which glTF does not know."""
    car = moving_car()
    for kind in ("POINT", "AREA"):
        light = bpy.data.objects.new(f"plate {kind}", bpy.data.lights.new(kind, kind))
        car.collection.objects.link(light)
        light.parent, light.location = car.body, (0.0, 2.2, 0.7)
        for frame, watts in ((FIRST, 1.0), (LAST, 9.0)):
            light.data.energy = watts
            light.data.keyframe_insert("energy", frame=frame)
    export_car(car, tmp_path / "car.glb", ANIMATED)
    glb = GlbReader(tmp_path / "car.glb")
    index = glb.nodes["plate POINT"]["extensions"]["KHR_lights_punctual"]["light"]
    shown = glb.channels()["", f"/extensions/KHR_lights_punctual/lights/{index}/intensity"][1]
    assert shown[-1] / shown[0] == pytest.approx(9.0, rel=1e-3) and glb.parent("plate POINT") == "body"
    assert np.allclose(glb.nodes["plate POINT"]["translation"], (0.0, 0.7, -2.2), atol=1e-5)


def test_a_hidden_car_moves_too(tmp_path: Path) -> None:
    car = moving_car()
    wanted = played(car, ("wheel_front_left",))["wheel_front_left"][-1]
    for thing in car.meshes:
        thing.hide_viewport = True
    bpy.context.view_layer.layer_collection.children[0].exclude = True
    export_car(car, tmp_path / "car.glb", ANIMATED)
    to_gltf = np.array(TO_GLTF)
    found = GlbReader(tmp_path / "car.glb").world("wheel_front_left", (LAST - FIRST) / 24)
    assert np.abs(found - to_gltf @ wanted @ to_gltf.T).max() < 3e-5


def material_index(glb: GlbReader, name: str) -> int:
    return next(index for index, material in enumerate(glb.content["materials"]) if material["name"] == name)
