"""The bones of a car's rig: which there are, and making them.

Every bone points along +Y with no roll, so its axes at rest are the car's: +X left, +Y back, +Z up.

    root                       where the car is
      odometer                 stays where the car started, so the car's frame sees how far it went
      drift                    the car against its way
        ground_*               one below each wheel, on the ground that is chosen
        axle_front, axle_rear, side_left, side_right      midway between two of those
        chassis                in the plane of the wheels
          steering             a handle that steers
          sway > body          what springs, forces and the animator do to the body
        hub_*                  where measures put the wheel
          travel_*             up and down, and along with the plane
            steering_*         only where the wheel steers
              spin_*           rolls by itself
                wheel_*        turns
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
from mathutils import Vector

from ...core.types import CarAsset, Wheel

ROOT, DRIFT, CHASSIS, SWAY, BODY, STEERING, ODOMETER = "root", "drift", "chassis", "sway", "body", "steering", "odometer"
CONTROLS, SUSPENSION, WHEELS, GROUND, MECHANISM = "Controls", "Suspension", "Wheels", "Ground", "Mechanism"
_PALETTE = {CONTROLS: "THEME04", SUSPENSION: "THEME03", WHEELS: "THEME09", GROUND: "THEME07", MECHANISM: "DEFAULT"}
MIDDLES = {"axle_front": ("front_left", "front_right"), "axle_rear": ("rear_left", "rear_right"),
           "side_left": ("front_left", "rear_left"), "side_right": ("front_right", "rear_right")}  # fmt: skip


@dataclass(frozen=True)
class Bone:
    """One bone: car frame, metres; the bone collection it is shown in."""

    name: str
    parent: str | None
    head_m: tuple[float, float, float]
    length_m: float
    group: str


def of_wheel(kind: str, wheel: str) -> str:
    """("hub", "wheel_front_left") -> "hub_wheel_front_left"; ("steering", ...) -> "steering_front_left"."""
    return f"hub_{wheel}" if kind == "hub" else wheel.replace("wheel_", f"{kind}_", 1)


def bones_of(asset: CarAsset) -> list[Bone]:
    """Parents before children."""
    radius, base = max(wheel.radius_m for wheel in asset.wheels), asset.dimensions_m["wheelbase"]
    low, middle = (0.0, 0.0, 0.0), (0.0, 0.0, radius)
    nose = (0.0, -0.5 * base - 1.2, 0.0)
    bones = [
        Bone(ROOT, None, low, base / 2, CONTROLS),
        Bone(ODOMETER, ROOT, low, base / 8, MECHANISM),
        Bone(DRIFT, ROOT, low, base / 2, CONTROLS),
        *(
            Bone(of_wheel("ground", wheel.name), DRIFT, (*wheel.center_car[:2], 0.0), 0.3 * wheel.radius_m, GROUND)
            for wheel in asset.wheels
        ),
        *(Bone(name, DRIFT, _between(asset, pair), 0.2, MECHANISM) for name, pair in MIDDLES.items()),
        Bone(CHASSIS, DRIFT, (0.0, base / 2, 0.0), base / 4, MECHANISM),
        Bone(STEERING, CHASSIS, nose, 0.4, CONTROLS),
        Bone(SWAY, CHASSIS, middle, base / 4, MECHANISM),
        Bone(BODY, SWAY, middle, base / 3, SUSPENSION),
    ]
    for wheel in asset.wheels:
        bones += _of_wheel(wheel)
    return bones


def _of_wheel(wheel: Wheel) -> list[Bone]:
    chain = [
        ("hub", 0.5, MECHANISM),
        ("travel", 0.8, SUSPENSION),
        *([("steering", 1.4, MECHANISM)] if wheel.steers else []),
        ("spin", 0.6, MECHANISM),
    ]
    bones, parent = [], DRIFT
    for kind, length, group in chain:
        bones.append(Bone(of_wheel(kind, wheel.name), parent, wheel.center_car, length * wheel.radius_m, group))
        parent = bones[-1].name
    return [*bones, Bone(wheel.name, parent, wheel.center_car, wheel.radius_m, WHEELS)]


def _between(asset: CarAsset, pair: tuple[str, str]) -> tuple[float, float, float]:
    here = [Vector(wheel.center_car) for wheel in asset.wheels if wheel.name.removeprefix("wheel_") in pair]
    middle = sum(here, Vector()) / max(len(here), 1)
    return (middle.x, middle.y, 0.0)


def make_bones(rig: bpy.types.Object, bones: list[Bone]) -> None:
    """Make the bones of an armature that stands in no scene yet.  An object that is being edited or posed goes to object mode first.

    Bones can only be made in edit mode, and going there and back evaluates the whole scene: so it is done in one that holds nothing else.
    """
    before = bpy.context.view_layer.objects.active
    if before is not None and before.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    scene = bpy.data.scenes.new("imago bones")
    try:
        scene.collection.objects.link(rig)
        layer = scene.view_layers[0]
        layer.objects.active = rig
        with bpy.context.temp_override(scene=scene, view_layer=layer, active_object=rig, object=rig, selected_objects=[rig]):
            bpy.ops.object.mode_set(mode="EDIT")
            _add_bones(rig, bones)
            bpy.ops.object.mode_set(mode="OBJECT")
    finally:
        bpy.data.scenes.remove(scene)
    for pose_bone in rig.pose.bones:
        pose_bone.rotation_mode = "XYZ"
    _sort(rig, bones)


def _add_bones(rig: bpy.types.Object, bones: list[Bone]) -> None:
    for bone in bones:
        edit = rig.data.edit_bones.new(bone.name)
        edit.head = bone.head_m
        edit.tail = Vector(bone.head_m) + Vector((0, bone.length_m, 0))
        edit.roll = 0.0
        if bone.parent:
            edit.parent = rig.data.edit_bones[bone.parent]


def _sort(rig: bpy.types.Object, bones: list[Bone]) -> None:
    """Into bone collections with colours; helpers hidden and locked."""
    for group, palette in _PALETTE.items():
        collection = rig.data.collections.new(group)
        collection.is_visible = group != MECHANISM
        for bone in (rig.pose.bones[entry.name] for entry in bones if entry.group == group):
            collection.assign(bone)
            bone.bone.color.palette = bone.color.palette = palette
            if group in (MECHANISM, GROUND):
                bone.bone.use_deform = False
            if group == MECHANISM:
                bone.lock_location = bone.lock_rotation = bone.lock_scale = (True, True, True)
