"""Which car a thing belongs to, whatever became of names, parents and files."""

from __future__ import annotations

from pathlib import Path

import bpy
import pytest

from imago.addon.scene.find import car_objects, find_rig
from imago.addon.scene.scene import CarObjects, build_car

from .synthetic import synthetic_car


@pytest.fixture
def car() -> CarObjects:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return build_car(synthetic_car())


def same(found: CarObjects, made: CarObjects) -> bool:
    return all(
        getattr(found, field) == getattr(made, field) for field in ("collection", "rig", "body", "wheels", "lamps", "image", "specs")
    )


def rigs() -> list[bpy.types.Object]:
    return [thing for thing in bpy.data.objects if thing.get("imago_role") == "rig"]


def test_every_part_leads_to_the_rig(car: CarObjects) -> None:
    other = build_car(synthetic_car(), location=(5, 0, 0))
    assert all(find_rig(thing) == car.rig for thing in [car.rig, *car.meshes])
    assert all(find_rig(thing) == other.rig for thing in [other.rig, *other.meshes])
    below = bpy.data.objects.new("sticker", None)
    below.parent = car.lamps["taillight_left"]
    lonely = bpy.data.objects.new("lonely", None)
    assert find_rig(below) == car.rig and find_rig(lonely) is None and find_rig(None) is None


def test_what_was_built_is_found_again_with_its_specs(car: CarObjects) -> None:
    other = build_car(synthetic_car())
    assert same(car_objects(car.rig), car) and same(car_objects(other.rig), other)


def test_names_do_not_matter(car: CarObjects) -> None:
    for block in [car.collection, car.rig, *car.meshes, car.image, *car.specs]:
        block.name = "something else"
    assert same(car_objects(car.rig), car)


def test_what_is_left_is_found(car: CarObjects) -> None:
    for thing in (car.lamps.pop("taillight_left"), car.wheels.pop("wheel_rear_right")):
        bpy.data.objects.remove(thing)
    assert same(car_objects(car.rig), car)
    bpy.data.objects.remove(car.body)
    left = car_objects(car.rig)
    assert left.body is None and len(left.meshes) == len(car.wheels) + len(car.lamps) and left.image == car.image


def test_a_part_cleared_of_its_parent_still_belongs(car: CarObjects) -> None:
    car.body.parent = None
    assert find_rig(car.body) == car.rig and car_objects(car.rig).body == car.body


def test_a_wheel_copied_by_hand_does_not_replace_the_first(car: CarObjects) -> None:
    wheel = car.wheels["wheel_rear_left"]
    spare = wheel.copy()
    car.collection.objects.link(spare)
    assert find_rig(spare) == car.rig and car_objects(car.rig).wheels["wheel_rear_left"] == wheel


@pytest.mark.parametrize("linked", [False, True])
def test_duplicated_objects_find_their_own_rig(car: CarObjects, linked: bool) -> None:
    for thing in car.collection.objects:
        thing.select_set(True)
    bpy.ops.object.duplicate(linked=linked)
    copies = list(bpy.context.selected_objects)
    rig = next(thing for thing in copies if thing["imago_role"] == "rig")
    assert rig != car.rig and all(find_rig(thing) == rig for thing in copies)
    assert set(car_objects(rig).meshes) == set(copies) - {rig}
    assert same(car_objects(car.rig), car)


def test_appended_copies_find_their_own_rig(car: CarObjects, tmp_path: Path) -> None:
    path = tmp_path / "car.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    for _ in range(2):
        bpy.ops.wm.append(filename="Car", directory=f"{path}/Collection/", do_reuse_local_id=False)
    assert len(rigs()) == 2
    for rig in rigs():
        found = car_objects(rig)
        assert len(found.wheels) == 4 and found.collection.get("imago_role") == "car" and found.image is not None
        assert all(find_rig(thing) == rig for thing in found.meshes)
    assert not set(car_objects(rigs()[0]).meshes) & set(car_objects(rigs()[1]).meshes)


def test_a_linked_instance_leads_to_its_rig(car: CarObjects, tmp_path: Path) -> None:
    path = tmp_path / "car.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.link(filename="Car", directory=f"{path}/Collection/", instance_collections=True)
    instance = bpy.context.view_layer.objects.active or bpy.context.selected_objects[0]
    assert instance.instance_type == "COLLECTION" and find_rig(instance) == rigs()[0]
    assert len(car_objects(rigs()[0]).wheels) == 4


def test_what_is_no_rig_is_refused(car: CarObjects) -> None:
    with pytest.raises(ValueError, match="not the rig"):
        car_objects(car.body)
