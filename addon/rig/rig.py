"""The armature of a car.

Every bone points along +Y with no roll, so its axes at rest are the car's: +X left, +Y back, +Z up.  Then
    wheel bones turn about their X: a positive angle moves the top of the wheel towards the nose (-Y), the car rolls forward;
    steering bones turn about their Z: a positive angle points the wheel to the car's left (+X).
root carries body and, for every wheel, a hub bone that carries the wheel's other bones: hub_wheel_front_left > steering_front_left >
wheel_front_left.  Both front wheels get the same angle.  The hubs' pose locations are where measures or another photo moved the hubs to
since the rig was made (place_hubs); nobody animates them, so they are hidden and locked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import bpy
from mathutils import Matrix, Vector

from ...core.types import CarAsset
from .drivers import drive
from .properties import add_properties

HUBS = "Hubs"  # the bone collection of the helpers
_HUB = "hub_"


@dataclass(frozen=True)
class _Bone:
    name: str
    parent: str | None
    head_m: tuple[float, float, float]
    length_m: float


def build_rig(name: str, asset: CarAsset, collection: bpy.types.Collection, location: tuple[float, float, float]) -> bpy.types.Object:
    """The armature object with bones, properties and the drivers from wheel_turn and steer; leaves it in object mode."""
    armature = bpy.data.armatures.new(name)
    armature.display_type = "WIRE"
    rig = bpy.data.objects.new(name, armature)
    rig.location = location
    collection.objects.link(rig)
    _build_bones(rig, _bones(asset))
    _hide_hubs(rig)
    add_properties(rig)
    for wheel in asset.wheels:
        bone = rig.pose.bones[wheel.name]
        drive(bone, "rotation_euler", 0, rig, ("wheel_turn",), 2 * math.pi)
        if wheel.steers:
            drive(rig.pose.bones[_steering_name(wheel.name)], "rotation_euler", 2, rig, ("steer",))
    return rig


def hang_on_bone(thing: bpy.types.Object, rig: bpy.types.Object, bone_name: str) -> None:
    """Parent an object to a bone such that its own location, rotation and scale stay those of the car frame."""
    bone = rig.data.bones[bone_name]
    thing.parent, thing.parent_type, thing.parent_bone = rig, "BONE", bone_name
    # Blender hangs children on the bone's tail, which rests one length behind its head
    thing.matrix_parent_inverse = Matrix.Translation(-(bone.head_local + Vector((0, bone.length, 0))))


def place_hubs(rig: bpy.types.Object, centres_car: Mapping[str, tuple[float, float, float]]) -> None:
    """Move the hubs, by the wheels' names in the asset, to these places of the car frame; needs no edit mode.

    Raises: KeyError where the rig has no such hub.
    """
    for wheel, centre in centres_car.items():
        hub = rig.pose.bones[_HUB + wheel]
        hub.location = Vector(centre) - hub.bone.head_local


def hub_centres(rig: bpy.types.Object) -> dict[str, tuple[float, float, float]]:
    """Where the hubs are now, car frame, by the wheels' names in the asset."""
    hubs = [bone for bone in rig.pose.bones if bone.name.startswith(_HUB)]
    return {hub.name[len(_HUB) :]: tuple(hub.bone.head_local + hub.location) for hub in hubs}


def _bones(asset: CarAsset) -> list[_Bone]:
    """Parents before children."""
    radius_m = max(wheel.radius_m for wheel in asset.wheels)
    bones = [
        _Bone("root", None, (0.0, 0.0, 0.0), asset.dimensions_m["wheelbase"] / 2),
        _Bone("body", "root", (0.0, 0.0, radius_m), asset.dimensions_m["wheelbase"] / 3),
    ]
    for wheel in asset.wheels:
        parent = _HUB + wheel.name
        bones.append(_Bone(parent, "root", wheel.center_car, 0.5 * wheel.radius_m))
        if wheel.steers:
            bones.append(_Bone(_steering_name(wheel.name), parent, wheel.center_car, 1.4 * wheel.radius_m))
            parent = _steering_name(wheel.name)
        bones.append(_Bone(wheel.name, parent, wheel.center_car, wheel.radius_m))
    return bones


def _steering_name(wheel_name: str) -> str:
    return wheel_name.replace("wheel_", "steering_", 1)


def _build_bones(rig: bpy.types.Object, bones: list[_Bone]) -> None:
    """Bones can only be made in edit mode, so the armature becomes active; the object that was active before is active again after."""
    layer = bpy.context.view_layer
    before = layer.objects.active
    if before is not None and before.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in bones:
        edit = rig.data.edit_bones.new(bone.name)
        edit.head = bone.head_m
        edit.tail = Vector(bone.head_m) + Vector((0, bone.length_m, 0))
        edit.roll = 0.0
        if bone.parent:
            edit.parent = rig.data.edit_bones[bone.parent]
    bpy.ops.object.mode_set(mode="OBJECT")
    layer.objects.active = before
    for pose_bone in rig.pose.bones:
        pose_bone.rotation_mode = "XYZ"


def _hide_hubs(rig: bpy.types.Object) -> None:
    helpers = rig.data.collections.new(HUBS)
    helpers.is_visible = False
    for bone in rig.pose.bones:
        if bone.name.startswith(_HUB):
            helpers.assign(bone)
            bone.bone.use_deform = False
            bone.lock_location = bone.lock_rotation = bone.lock_scale = (True, True, True)
