"""The built car in Blender: meshes, rig, lamps, looks, several cars in one file, saving and opening elsewhere."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from imago.addon.rig.properties import PROPERTIES, STEER_LIMIT_RAD
from imago.addon.rig.rig import hub_centres
from imago.addon.scene.made import spec_of
from imago.addon.scene.scene import CarObjects, build_car
from imago.core.types import CarAsset

from .png import read_pixels, write_png
from .synthetic import HEIGHT_M, LENGTH_M, RADIUS_M, WIDTH_M, synthetic_car
from .template_car import template_car
from .turning import ackermann

BEAMS = {"beam_low_left", "beam_low_right", "beam_high_left", "beam_high_right"}
WIDGETS = 7


@pytest.fixture
def car() -> CarObjects:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return build_car(synthetic_car())


def turn(car_rig: bpy.types.Object, **properties: float) -> None:
    """Set properties as an animator would and evaluate the scene."""
    for name, value in properties.items():
        car_rig[name] = value
    car_rig.update_tag()
    bpy.context.view_layer.update()


def evaluated(thing: bpy.types.Object) -> bpy.types.Object:
    return thing.evaluated_get(bpy.context.evaluated_depsgraph_get())


def world_points(thing: bpy.types.Object) -> np.ndarray:
    matrix = np.array(evaluated(thing).matrix_world)
    points = np.array([vertex.co for vertex in thing.data.vertices])
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def all_drivers() -> list[bpy.types.FCurve]:
    stores = (bpy.data.objects, bpy.data.materials, bpy.data.armatures, bpy.data.meshes, bpy.data.worlds, bpy.data.node_groups)
    owners = [thing for store in stores for thing in store]
    owners += [owner.node_tree for owner in owners if getattr(owner, "node_tree", None)]
    return [curve for owner in owners if owner.animation_data for curve in owner.animation_data.drivers]


def test_objects_names_and_places(car: CarObjects) -> None:
    assert car.body.name == "body"
    assert set(car.wheels) == {f"wheel_{end}_{side}" for end in ("front", "rear") for side in ("left", "right")}
    assert {thing.name for thing in car.collection.objects} == {"Car", "body", *car.wheels, *car.lamps, *BEAMS}
    for wheel in synthetic_car().wheels:
        assert np.allclose(evaluated(car.wheels[wheel.name]).matrix_world.to_translation(), wheel.center_car, atol=1e-6)
    points = np.concatenate([world_points(thing) for thing in car.meshes])
    assert np.allclose(points.min(0), (-WIDTH_M / 2, -LENGTH_M / 2, 0), atol=1e-5)
    assert np.allclose(points.max(0), (WIDTH_M / 2, LENGTH_M / 2, HEIGHT_M), atol=1e-5)


def test_location_moves_everything() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    car = build_car(synthetic_car(), location=(3.0, -2.0, 0.5))
    bpy.context.view_layer.update()
    points = np.concatenate([world_points(thing) for thing in car.meshes])
    assert np.allclose((points.min(0) + points.max(0)) / 2, (3.0, -2.0, 0.5 + HEIGHT_M / 2), atol=1e-5)


def test_meshes_are_quads_with_uv_and_normals_out(car: CarObjects) -> None:
    for thing in car.meshes:
        mesh = thing.data
        assert {len(polygon.vertices) for polygon in mesh.polygons} == {4}
        assert mesh.uv_layers[0].name == "UVMap"
        used = {index for polygon in mesh.polygons for index in polygon.vertices}
        assert len(used) == len(mesh.vertices)
    asset = synthetic_car()
    uv = np.empty(len(car.wheels["wheel_front_left"].data.loops) * 2, np.float32)
    car.wheels["wheel_front_left"].data.uv_layers[0].uv.foreach_get("vector", uv)
    assert np.array_equal(uv, next(w for w in asset.wheels if w.name == "wheel_front_left").mesh.uv01.ravel())
    roof = [polygon for polygon in car.body.data.polygons if polygon.center.z > HEIGHT_M - 0.01]
    assert roof and all(polygon.normal.z > 0.99 for polygon in roof)


def test_lamps_leave_the_body_and_no_face_is_lost(car: CarObjects) -> None:
    asset = synthetic_car()
    assert set(car.lamps) == {light.name for light in asset.lights}
    assert len(car.body.data.polygons) + sum(len(lamp.data.polygons) for lamp in car.lamps.values()) == len(asset.body.quads)
    for name, lamp in car.lamps.items():
        assert len(lamp.data.polygons) == len(asset.body.faces_of(name))


def test_parts_can_be_selected_by_name(car: CarObjects) -> None:
    mesh, asset = car.body.data, synthetic_car()
    part = np.empty(len(mesh.polygons), np.int32)
    mesh.attributes["part"].data.foreach_get("value", part)
    names = mesh["part_names"].split(",")
    hood = {index for polygon in mesh.polygons if names[part[polygon.index]] == "hood" for index in polygon.vertices}
    group = car.body.vertex_groups["hood"].index
    assert hood == {vertex.index for vertex in mesh.vertices if any(entry.group == group for entry in vertex.groups)}
    assert (part == names.index("hood")).sum() == len(asset.body.faces_of("hood"))


def test_box_edges_are_sharp_and_flats_are_not(car: CarObjects) -> None:
    mesh = car.body.data
    for edge in mesh.edges:
        low, high = (np.array(mesh.vertices[index].co) for index in edge.vertices)
        if abs(low[2] - HEIGHT_M) < 1e-5 and abs(high[2] - HEIGHT_M) < 1e-5:
            middle = np.abs((low + high) / 2)
            outer = middle[0] > WIDTH_M * 0.4 - 1e-4 or (low[1] == high[1] and (abs(low[1] + 0.84) < 1e-4 or abs(low[1] - 1.26) < 1e-4))
            assert edge.use_edge_sharp == bool(outer)


def test_wheels_touch_the_ground_at_any_turn(car: CarObjects) -> None:
    for wheel_turn in (0.0, 0.25, -3.5):
        turn(car.rig, wheel_turn=wheel_turn, steer=0.3)
        for wheel in car.wheels.values():
            assert abs(world_points(wheel)[:, 2].min()) < 1e-3


def test_one_turn_moves_rubber_by_its_circumference(car: CarObjects) -> None:
    for wheel in car.wheels.values():
        tread = int(np.argmax(np.linalg.norm([(0, v.co.y, v.co.z) for v in wheel.data.vertices], axis=1)))
        path = []
        for step in range(257):
            turn(car.rig, wheel_turn=step / 256)
            path.append(world_points(wheel)[tread])
        moved = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
        assert moved == pytest.approx(2 * math.pi * RADIUS_M, rel=1e-4)
        assert np.allclose(path[0], path[-1], atol=1e-5)


def test_positive_turn_rolls_forward(car: CarObjects) -> None:
    for wheel in car.wheels.values():
        turn(car.rig, wheel_turn=0.0)
        top = int(np.argmax(world_points(wheel)[:, 2]))
        before = world_points(wheel)[top]
        turn(car.rig, wheel_turn=0.02)
        moved = world_points(wheel)[top] - before
        assert moved[1] < -0.03 and abs(moved[0]) < 1e-6


@pytest.mark.parametrize("steer", [0.4, -0.4])
def test_steering_turns_the_front_wheels_to_the_left_when_positive(car: CarObjects, steer: float) -> None:
    turn(car.rig, wheel_turn=0.3, steer=steer)
    for name, wheel in car.wheels.items():
        axle = np.array(evaluated(wheel).matrix_world)[:3, 0]
        heading = np.cross(axle, (0, 0, 1))  # +X x +Z = -Y: where the wheel rolls to
        wanted = ackermann(steer, hub_centres(car.rig), name) if "front" in name else 0.0
        assert np.allclose(heading, (math.sin(wanted), -math.cos(wanted), 0), atol=1e-4)
        hub = evaluated(wheel).matrix_world.to_translation()
        assert np.allclose(hub, next(w.center_car for w in synthetic_car().wheels if w.name == name), atol=1e-5)


def test_properties_have_ranges_and_tooltips(car: CarObjects) -> None:
    for entry in PROPERTIES:
        shown = car.rig.id_properties_ui(entry.name).as_dict()
        assert shown["description"] and shown["soft_min"] < shown["soft_max"]
        assert car.rig[entry.name] == entry.default
    steer = car.rig.id_properties_ui("steer").as_dict()
    assert steer["subtype"] == "ANGLE" and steer["max"] == pytest.approx(STEER_LIMIT_RAD)


def lit_lamps(car: CarObjects) -> set[str]:
    """Names of the lamps whose material would shine: what its Attribute nodes read from the object is not 0."""
    lit = set()
    for name, lamp in car.lamps.items():
        shader = lamp.material_slots[0].material.node_tree.nodes["Principled BSDF"]
        assert shader.inputs["Emission Strength"].is_linked
        nodes = lamp.material_slots[0].material.node_tree.nodes
        kinds = [node.attribute_name for node in nodes if node.type == "ATTRIBUTE" and node.attribute_type == "OBJECT"]
        assert kinds and "photo_look" not in kinds
        if any(evaluated(lamp)[kind] > 0 for kind in kinds):
            lit.add(name)
    return lit


BOTH = ("left", "right")


@pytest.mark.parametrize(
    ("name", "lamps"),
    [
        ("headlight", {f"headlight_{side}" for side in BOTH}),
        ("high_beam", {f"headlight_{side}" for side in BOTH}),
        ("tail", {f"taillight_{side}" for side in BOTH}),
        ("brake", {f"taillight_{side}" for side in BOTH}),
        ("indicator_left", {"indicator_left"}),
        ("indicator_right", {"indicator_right"}),
        ("hazard", {"indicator_left", "indicator_right"}),
        ("reverse", {"reverse_left"}),
        ("fog", set()),
    ],
)
def test_each_lamp_property_lights_its_lamps_alone(car: CarObjects, name: str, lamps: set[str]) -> None:
    assert lit_lamps(car) == set()
    turn(car.rig, **{name: 0.8})
    assert lit_lamps(car) == lamps


def test_photo_look_reaches_every_mesh(car: CarObjects) -> None:
    for value in (0.0, 0.35, 1.0):
        turn(car.rig, photo_look=value)
        assert all(evaluated(thing)["photo_look"] == pytest.approx(value) for thing in car.meshes)


def test_no_driver_uses_python(car: CarObjects) -> None:
    drivers = all_drivers()
    rolling = 4 * 4 + 2 + 3  # of each wheel: turn, travel, rolling by itself, ground; two that steer; the body's sway
    assert len(drivers) == rolling + 3 + 2 * len(BEAMS) + len(car.meshes) + 13  # the blinker, beams, photo_look, lamp kinds
    for curve in drivers:
        assert curve.driver.type in {"AVERAGE", "MAX", "MIN", "SUM"} and curve.driver.is_valid
        assert all(variable.type in ("SINGLE_PROP", "TRANSFORMS", "CONTEXT_PROP") for variable in curve.driver.variables)


def test_second_car_has_its_own_rig_and_materials(car: CarObjects) -> None:
    second = build_car(synthetic_car(), location=(4.0, 0.0, 0.0))
    assert (second.collection.name, second.rig.name) == ("Car.001", "Car.001")
    assert not set(car.specs) & set(second.specs) and car.image != second.image
    turn(second.rig, wheel_turn=0.25, brake=1.0, photo_look=0.0)
    for name, wheel in car.wheels.items():
        assert np.allclose(np.array(evaluated(wheel).matrix_world)[:3, :3], np.eye(3), atol=1e-6)
        assert not np.allclose(np.array(evaluated(second.wheels[name]).matrix_world)[:3, :3], np.eye(3), atol=1e-3)
    assert lit_lamps(car) == set() and lit_lamps(second) == {"taillight_left", "taillight_right"}
    assert evaluated(car.body)["photo_look"] == 1.0 and evaluated(second.body)["photo_look"] == 0.0


def test_duplicates_are_independent(car: CarObjects) -> None:
    """Shift D on the whole car, materials shared as Blender does by default."""
    for thing in car.collection.objects:
        thing.select_set(True)
    bpy.context.view_layer.objects.active = car.rig
    bpy.ops.object.duplicate()
    copies = {thing["imago_role"]: thing for thing in bpy.context.selected_objects}
    assert copies["body"].material_slots[0].material == car.body.material_slots[0].material
    turn(copies["rig"], wheel_turn=0.25, brake=1.0)
    assert not np.allclose(np.array(evaluated(copies["wheel_rear_left"]).matrix_world)[:3, :3], np.eye(3), atol=1e-3)
    assert np.allclose(np.array(evaluated(car.wheels["wheel_rear_left"]).matrix_world)[:3, :3], np.eye(3), atol=1e-6)
    assert evaluated(copies["taillight_left"])["brake"] == 1.0
    assert lit_lamps(car) == set()


def test_saved_file_opens_elsewhere(car: CarObjects, tmp_path: Path) -> None:
    first, other = tmp_path / "made" / "car.blend", tmp_path / "elsewhere" / "car.blend"
    for folder in (first.parent, other.parent):
        folder.mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(first), compress=True, copy=True)
    first.rename(other)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(other))
    pictures = [image for image in bpy.data.images if image.users]
    assert pictures and all(image.packed_file for image in pictures)
    pixels = np.empty(pictures[0].size[0] * pictures[0].size[1] * 4, np.float32)
    pictures[0].pixels.foreach_get(pixels)
    shape = (pictures[0].size[1], pictures[0].size[0], 4)
    assert np.abs(pixels.reshape(shape)[::-1, :, :3] - synthetic_car().texture.photo_srgb01).max() < 1 / 255
    rig = bpy.data.objects["Car"]
    turn(rig, wheel_turn=0.5, hazard=1.0)
    assert all(curve.driver.is_valid for curve in all_drivers())
    assert evaluated(bpy.data.objects["wheel_rear_left"]).matrix_world[1][1] == pytest.approx(-1.0, abs=1e-5)
    assert evaluated(bpy.data.objects["indicator_left"])["indicator"] == 1.0


def without_pictures(asset: CarAsset) -> CarAsset:
    """As load_asset(folder, pictures=False) gives it."""
    stand_in = replace(asset.texture, photo_srgb01=np.full((1, 1, 3), 0.5, np.float32), confidence01=np.zeros((1, 1), np.float32))
    return replace(asset, texture=stand_in, matte01=np.zeros((1, 1), np.float32))


def blocks() -> dict[str, int]:
    stores = ("objects", "meshes", "materials", "images", "node_groups", "armatures", "collections", "actions", "textures")
    return {store: len(getattr(bpy.data, store)) for store in stores}


def test_picture_comes_from_the_file_and_its_path_is_forgotten(tmp_path: Path) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    asset = synthetic_car()
    path = write_png(tmp_path / "photo.png", asset.texture.photo_srgb01)
    car = build_car(without_pictures(asset), picture=path)
    assert car.image.name == "Car_photo" and car.image.filepath == "" and car.image.packed_file.size == path.stat().st_size
    assert not any(packed.filepath for packed in car.image.packed_files)
    path.unlink()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "car.blend"), copy=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "car.blend"))
    assert np.abs(read_pixels(bpy.data.images["Car_photo"]) - asset.texture.photo_srgb01).max() < 1 / 255


def test_stand_ins_are_refused_without_a_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="matte01"):
        build_car(without_pictures(synthetic_car()))
    with pytest.raises(RuntimeError):
        build_car(without_pictures(synthetic_car()), picture=tmp_path / "missing.png")


@pytest.mark.parametrize("from_file", [False, True])
def test_one_undo_removes_everything_and_redo_brings_it_back(tmp_path: Path, from_file: bool) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=False)
    picture = write_png(tmp_path / "photo.png", synthetic_car().texture.photo_srgb01) if from_file else None
    before = blocks()
    bpy.ops.ed.undo_push(message="before")
    build_car(synthetic_car(), picture=picture)
    made = blocks()
    assert made["objects"] == before["objects"] + 13 + len(BEAMS) + WIDGETS and made["images"] == before["images"] + 1
    bpy.ops.ed.undo_push(message="car")
    bpy.ops.ed.undo()
    assert blocks() == before
    bpy.ops.ed.redo()
    assert blocks() == made
    turn(bpy.data.objects["Car"], wheel_turn=0.5)
    assert evaluated(bpy.data.objects["wheel_rear_left"]).matrix_world[1][1] == pytest.approx(-1.0, abs=1e-5)


def test_nothing_outlives_the_car(car: CarObjects, tmp_path: Path) -> None:
    """Every block hangs on the collection: with it gone, an ordinary save loses them all."""
    for store in (bpy.data.objects, bpy.data.meshes, bpy.data.materials, bpy.data.images, bpy.data.node_groups, bpy.data.armatures):
        assert not any(block.use_fake_user or not block.users for block in store)
    for thing in list(car.collection.objects):
        bpy.data.objects.remove(thing)
    bpy.data.collections.remove(car.collection)
    bpy.data.orphans_purge(do_recursive=True)
    assert not any(blocks().values()), blocks()


def test_materials_remember_their_specs(car: CarObjects) -> None:
    assert set(car.specs.values()) == set(synthetic_car().texture.materials)
    for material, spec in car.specs.items():
        assert spec_of(material) == spec
        nodes = [node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"]
        assert len(nodes) == 1 and nodes[0].inputs["Base Color"].is_linked == spec.uses_photo


def test_a_whole_car_is_built_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    asset = without_pictures(template_car())
    path = write_png(tmp_path / "photo.png", np.full((1024, 1024, 3), 0.5, np.float32))
    seconds = []
    for _ in range(5):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        start = time.perf_counter()
        build_car(asset, picture=path)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1
