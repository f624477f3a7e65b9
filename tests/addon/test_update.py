"""Another photograph for a car in the scene: what the artist did stays to the bit, shape and paint are the new car's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from imago.addon.scene.find import car_objects
from imago.addon.scene.materials import shader_socket
from imago.addon.scene.scene import CarObjects, build_car
from imago.addon.scene.update import update_car
from imago.core.errors import UserInputError
from imago.core.types import CarAsset

from .png import read_pixels, write_png
from .synthetic import synthetic_car
from .template_car import template_car

STRETCH = 1.1


def other_car(without_reverse: bool = False) -> CarAsset:
    """Longer, green, rougher, with a darker picture; perhaps without the reversing lamp."""
    asset = synthetic_car("other")
    longer = np.array([1, STRETCH, 1], np.float32)
    wheels = tuple(
        replace(wheel, center_car=(wheel.center_car[0], wheel.center_car[1] * STRETCH, wheel.center_car[2])) for wheel in asset.wheels
    )
    specs = []
    for spec in asset.texture.materials:
        if spec.name == "paint":
            spec = replace(spec, base_color_linear=(0.0, 0.5, 0.1), roughness=0.6, coat=0.4, metallic=0.8)
        if spec.name == "glass":
            spec = replace(spec, base_color_linear=(0.2, 0.2, 0.2))
        if spec.name == "lamp_clear" and without_reverse:
            spec = replace(spec, parts=("headlight_left", "headlight_right"))
        if spec.name == "underbody" and without_reverse:
            spec = replace(spec, parts=("underbody", "reverse_left"))
        specs.append(spec)
    return replace(
        asset,
        body=replace(asset.body, vertices_m=asset.body.vertices_m * longer),
        wheels=wheels,
        lights=tuple(light for light in asset.lights if not (without_reverse and light.kind == "reverse")),
        texture=replace(asset.texture, photo_srgb01=asset.texture.photo_srgb01 * np.float32(0.5), materials=tuple(specs)),
        dimensions_m={
            **asset.dimensions_m,
            "length": asset.dimensions_m["length"] * STRETCH,
            "wheelbase": asset.dimensions_m["wheelbase"] * STRETCH,
        },
    )


@pytest.fixture
def first(tmp_path: Path) -> CarObjects:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    asset = synthetic_car()
    return build_car(asset, location=(3.0, 1.0, 0.0), picture=write_png(tmp_path / "first.png", asset.texture.photo_srgb01))


@pytest.fixture
def new_picture(tmp_path: Path) -> Path:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return write_png(tmp_path / "second.png", other_car().texture.photo_srgb01)


def of_role(car: CarObjects, role: str) -> bpy.types.Material:
    return next(material for material in car.specs if material["imago_role"] == role)


def car_points(car: CarObjects) -> np.ndarray:
    """All vertices in the car frame."""
    bpy.context.view_layer.update()
    depsgraph = bpy.context.evaluated_depsgraph_get()
    to_car = np.linalg.inv(np.array(car.rig.evaluated_get(depsgraph).matrix_world))
    points = []
    for thing in sorted(car.meshes, key=lambda thing: thing["imago_role"]):
        matrix = to_car @ np.array(thing.evaluated_get(depsgraph).matrix_world)
        points.append(np.array([vertex.co for vertex in thing.data.vertices]) @ matrix[:3, :3].T + matrix[:3, 3])
    return np.concatenate(points)


def fcurves(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    if hasattr(action, "fcurves"):
        return list(action.fcurves)
    return [curve for layer in action.layers for strip in layer.strips for bag in strip.channelbags for curve in bag.fcurves]


def work_on(car: CarObjects) -> None:
    """An afternoon of an artist."""
    rig = car.rig
    rig["note"] = "hero car"
    for frame, steer in ((1, 0.0), (20, 0.4)):
        rig["steer"] = steer
        rig.keyframe_insert('["steer"]', frame=frame)
        rig.location.x = frame / 10
        rig.keyframe_insert("location", frame=frame)
    rig.rotation_euler.z = 0.5
    shader_socket(of_role(car, "paint"), "Roughness").default_value = 0.07
    shader_socket(of_role(car, "glass"), "Base Color").default_value = (0.1, 0.3, 0.2, 1)
    rubber = of_role(car, "rubber").node_tree
    noise = rubber.nodes.new("ShaderNodeTexNoise")
    rubber.links.new(noise.outputs[0], rubber.nodes["Principled BSDF"].inputs["Roughness"])
    car.body.modifiers.new("smooth it", "SUBSURF").levels = 1
    mine = bpy.data.materials.new("my lamp")
    car.lamps["taillight_left"].material_slots[0].material = mine
    car.body.name = "Karosserie"
    car.wheels["wheel_front_left"].location.x += 0.01
    box = bpy.data.objects.new("roof box", bpy.data.meshes.new("roof box"))
    box.parent = car.body
    car.collection.objects.link(box)
    stripe = bpy.data.materials.new("stripe")
    car.body.data.materials.append(stripe)
    car.body.data.polygons[5].material_index = len(car.body.data.materials) - 1
    bpy.context.scene.frame_set(12)


def edits(car: CarObjects) -> dict[str, object]:
    """What of it can be seen, to the bit."""
    rig, body = car.rig, car.body
    rubber = of_role(car, "rubber").node_tree.nodes["Principled BSDF"].inputs["Roughness"]
    return {
        "note": rig["note"],
        "action": [[tuple(p.co) for p in c.keyframe_points] for c in fcurves(rig.animation_data.action)],
        "drivers": len(rig.animation_data.drivers),
        "rig": (rig.name, tuple(rig.location), tuple(rig.rotation_euler), rig["steer"]),
        "roughness": shader_socket(of_role(car, "paint"), "Roughness").default_value,
        "glass": tuple(shader_socket(of_role(car, "glass"), "Base Color").default_value),
        "plugged": rubber.links[0].from_node.type,
        "modifiers": [(m.name, m.type, m.levels) for m in body.modifiers],
        "lamp": car.lamps["taillight_left"].material_slots[0].material.name,
        "names": sorted(thing.name for thing in car.collection.all_objects),
        "wheel": tuple(car.wheels["wheel_front_left"].location),
        "box": bpy.data.objects["roof box"].parent.name,
        "stripe": [p.index for p in body.data.polygons if body.material_slots[p.material_index].material.name == "stripe"],
    }


def shown(car: CarObjects) -> dict[str, object]:
    """Shape and paint, to the bit."""
    return {
        "points": car_points(car).astype(np.float32).tobytes(),
        "pixels": read_pixels(car.image).tobytes(),
        "paint": tuple(shader_socket(of_role(car, "paint"), "Base Color").default_value),
        "coat": shader_socket(of_role(car, "paint"), "Coat Weight").default_value,
        "image": (car.image.name, bool(car.image.packed_file), car.image.filepath),
    }


def test_the_artists_work_stays_and_the_car_is_new(new_picture: Path, first: CarObjects) -> None:
    work_on(first)
    rig = first.rig.name
    before, looked = edits(first), shown(first)
    updated = update_car(first.rig, other_car(), new_picture)
    assert edits(updated) == before
    now = shown(updated)
    assert now["paint"] == pytest.approx((0.0, 0.5, 0.1, 1.0)) and now["coat"] == pytest.approx(0.4)
    assert now["image"] == looked["image"] == ("Car_photo", True, "")
    assert np.abs(read_pixels(updated.image) - other_car().texture.photo_srgb01).max() < 1 / 255
    wanted = synthetic_car().dimensions_m["length"] * STRETCH
    assert np.ptp(car_points(updated)[:, 1]) == pytest.approx(wanted, abs=1e-4)
    assert updated.rig.name == rig and len(bpy.data.images) == 1


def test_wheels_stand_at_the_new_hubs_and_still_roll_and_steer(new_picture: Path, first: CarObjects) -> None:
    updated = update_car(first.rig, other_car(), new_picture)
    for turn in (0.0, 0.3):
        updated.rig["wheel_turn"], updated.rig["steer"] = turn, turn
        updated.rig.update_tag()
        bpy.context.view_layer.update()
        depsgraph = bpy.context.evaluated_depsgraph_get()
        for wheel in other_car().wheels:
            place = np.array(updated.wheels[wheel.name].evaluated_get(depsgraph).matrix_world.to_translation())
            assert np.allclose(place - (3.0, 1.0, 0.0), wheel.center_car, atol=1e-5)


def test_one_undo_brings_the_old_car_back_and_redo_the_new(new_picture: Path, first: CarObjects) -> None:
    work_on(first)
    name = first.rig.name
    bpy.ops.ed.undo_push(message="worked on")
    before, old = edits(first), shown(first)
    counts = {store: len(getattr(bpy.data, store)) for store in ("objects", "meshes", "materials", "images", "node_groups", "actions")}
    new = shown(update_car(first.rig, other_car(), new_picture))
    bpy.ops.ed.undo_push(message="update")
    bpy.ops.ed.undo()
    back = car_objects(bpy.data.objects[name])
    assert edits(back) == before and shown(back) == old
    assert {store: len(getattr(bpy.data, store)) for store in counts} == counts
    bpy.ops.ed.redo()
    assert shown(car_objects(bpy.data.objects[name])) == new


def test_lamps_go_and_come_with_the_new_car(new_picture: Path, first: CarObjects) -> None:
    first.body.modifiers.new("smooth it", "SUBSURF")
    lamp = first.lamps["reverse_left"]
    bulb = bpy.data.objects.new("bulb", bpy.data.lights.new("bulb", "POINT"))
    bulb.parent = lamp
    first.collection.objects.link(bulb)
    bpy.context.view_layer.update()
    place = bulb.matrix_world.copy()
    faces = len(first.body.data.polygons)
    updated = update_car(first.rig, other_car(without_reverse=True), new_picture)
    assert set(updated.lamps) == set(first.lamps) - {"reverse_left"} and updated.body.modifiers[0].name == "smooth it"
    assert len(updated.body.data.polygons) == faces + 1
    assert "reverse_left" in updated.body.vertex_groups
    bpy.context.view_layer.update()
    assert bulb.parent == updated.rig and np.allclose(np.array(bulb.matrix_world), np.array(place), atol=1e-6)
    again = update_car(updated.rig, synthetic_car(), new_picture)
    assert "reverse_left" in again.lamps and len(again.body.data.polygons) == faces
    assert again.lamps["reverse_left"].parent_bone == "body" and "reverse_left" not in again.body.vertex_groups
    again.rig["reverse"] = 1.0
    again.rig.update_tag()
    bpy.context.view_layer.update()
    assert again.lamps["reverse_left"].evaluated_get(bpy.context.evaluated_depsgraph_get())["reverse"] == 1.0


def test_what_the_artist_deleted_stays_deleted(new_picture: Path, first: CarObjects) -> None:
    bpy.data.objects.remove(first.lamps["taillight_left"])
    bpy.data.objects.remove(first.wheels["wheel_rear_left"])
    updated = update_car(first.rig, other_car(), new_picture)
    assert "taillight_left" not in updated.lamps and "wheel_rear_left" not in updated.wheels
    assert len(update_car(first.rig, synthetic_car(), new_picture).wheels) == 3


def test_an_edited_topology_is_replaced_under_the_same_object(new_picture: Path, first: CarObjects) -> None:
    data, faces = first.body.data, len(first.body.data.polygons)
    mine = bpy.data.materials.new("my paint")
    slot = next(slot for slot in first.body.material_slots if slot.material["imago_role"] == "paint")
    slot.material = mine
    first.body.vertex_groups.new(name="my group")
    data.vertices.add(1)
    updated = update_car(first.rig, other_car(), new_picture)
    assert updated.body.data == data and len(data.polygons) == faces
    assert mine in [slot.material for slot in updated.body.material_slots]
    assert {"my group", "hood"} <= {group.name for group in updated.body.vertex_groups}
    other = build_car(other_car())
    for one, two in ((data, other.body.data),):
        made = [np.array([vertex.co for vertex in mesh.vertices]) for mesh in (one, two)]
        assert np.array_equal(*made)
        assert [p.material_index for p in one.polygons] == [p.material_index for p in two.polygons]


def test_shape_keys_move_along(new_picture: Path, first: CarObjects) -> None:
    first.body.shape_key_add(name="Basis")
    dent = first.body.shape_key_add(name="dent", from_mix=False)
    dent.data[3].co.z += 0.25
    updated = update_car(first.rig, other_car(), new_picture)
    basis, dent = updated.body.data.shape_keys.key_blocks
    assert dent.data[3].co.z - basis.data[3].co.z == pytest.approx(0.25, abs=1e-6)
    assert np.allclose([p.co for p in basis.data], [v.co for v in build_car(other_car()).body.data.vertices], atol=1e-6)


@pytest.mark.parametrize("body_type", ["sedan", "suv", "pickup", "van"])
def test_another_type_of_car_comes_out_as_if_built_anew(new_picture: Path, body_type: str) -> None:
    updated = update_car(build_car(template_car(), picture=new_picture).rig, template_car(body_type), new_picture)
    anew = build_car(template_car(body_type), picture=new_picture)
    assert set(updated.lamps) == set(anew.lamps) and updated.rig["imago_body_type"] == body_type
    assert np.allclose(car_points(updated), car_points(anew), atol=1e-5)
    for one, two in zip((updated.body, *updated.lamps.values()), (anew.body, *(anew.lamps[name] for name in updated.lamps)), strict=True):
        assert {group.name for group in one.vertex_groups} == {group.name for group in two.vertex_groups}
        assert one.data["part_names"] == two.data["part_names"] and one["imago_slots"] == two["imago_slots"]
        for name, kind in (("part", "value"), ("sharp_edge", "value"), ("crease_edge", "value")):
            values = [np.array([getattr(entry, kind) for entry in thing.data.attributes[name].data]) for thing in (one, two)]
            assert np.array_equal(*values), name


@pytest.mark.parametrize("linked", [False, True])
def test_a_duplicate_keeps_its_own_look(new_picture: Path, first: CarObjects, linked: bool) -> None:
    for thing in first.collection.objects:
        thing.select_set(True)
    bpy.context.view_layer.objects.active = first.rig
    bpy.ops.object.duplicate(linked=linked)
    copy = car_objects(next(thing for thing in bpy.context.selected_objects if thing["imago_role"] == "rig"))
    assert copy.image == first.image and copy.rig != first.rig
    before = shown(copy)
    updated = update_car(first.rig, other_car(), new_picture)
    assert shown(car_objects(copy.rig)) == before
    assert shown(updated)["pixels"] != before["pixels"] and not set(updated.specs) & set(car_objects(copy.rig).specs)


def test_a_linked_car_is_refused_with_a_sentence(new_picture: Path, first: CarObjects, tmp_path: Path) -> None:
    path = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = ["Car"]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    rig = next(thing for thing in bpy.data.objects if thing.get("imago_role") == "rig")
    with pytest.raises(UserInputError, match="linked"):
        update_car(rig, other_car(), new_picture)
