"""The armature of a car: bones, properties, and what moves them.

A positive angle of a wheel bone about X moves the top of the wheel towards the nose (-Y): the car rolls forward.  A positive angle of a
steering bone about Z points the wheel to the car's left (+X); the two front wheels turn so that their axles' lines meet on the rear
axle's.  The pose locations of the hubs are where measures or another photo moved the wheels to since the rig was made (place_hubs).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...core.drive.chassis import Chassis, wheel_angle
from ...core.errors import Trouble, UserInputError
from ...core.types import CarAsset
from .blinker import add_blinker
from .bones import BODY, DRIFT, ROOT, STEERING, bones_of, make_bones, of_wheel
from .drivers import Turned, drive, driver_of, map_through
from .mechanism import RADIUS, SPIN, add_mechanism, roll_by
from .properties import add_properties, travel_property, turn_property
from .widgets import add_widgets

_HUB = "hub_"
_KNOTS_RAD = tuple(math.radians(angle) for angle in range(-60, 61))


def build_rig(name: str, asset: CarAsset, collection: bpy.types.Collection, location: tuple[float, float, float]) -> bpy.types.Object:
    """The armature object with bones, properties, constraints and drivers; leaves it in object mode."""
    armature = bpy.data.armatures.new(name)
    armature.display_type = "WIRE"
    rig = bpy.data.objects.new(name, armature)
    rig.location = location
    make_bones(rig, bones_of(asset))
    collection.objects.link(rig)
    add_properties(rig, tuple(wheel.name for wheel in asset.wheels))
    add_blinker(rig)
    add_mechanism(rig, asset, location)
    _drive_bones(rig, asset)
    add_widgets(rig, asset)
    place_hubs(rig, {wheel.name: wheel.center_car for wheel in asset.wheels}, {wheel.name: wheel.radius_m for wheel in asset.wheels})
    return rig


def _drive_bones(rig: bpy.types.Object, asset: CarAsset) -> None:
    """From the properties to the bones."""
    bones = rig.pose.bones
    for wheel in asset.wheels:
        turn, travel = turn_property(wheel.name).name, travel_property(wheel.name).name
        drive(bones[wheel.name], "rotation_euler", 0, rig, ("wheel_turn", turn), 2 * math.pi, kind="SUM")
        drive(bones[of_wheel("travel", wheel.name)], "location", 2, rig, (travel,))
        if wheel.steers:
            drive(bones[of_wheel("steering", wheel.name)], "rotation_euler", 2, rig, ("steer", Turned(STEERING, "Z")), kind="SUM")
    drive(bones["sway"], "location", 2, rig, ("heave",))
    drive(bones["sway"], "rotation_euler", 0, rig, ("pitch",))
    drive(bones["sway"], "rotation_euler", 1, rig, ("roll",))


def hang_on_bone(thing: bpy.types.Object, rig: bpy.types.Object, bone_name: str) -> None:
    """Parent an object to a bone such that its own location, rotation and scale stay those of the car frame."""
    bone = rig.data.bones[bone_name]
    thing.parent, thing.parent_type, thing.parent_bone = rig, "BONE", bone_name
    # Blender hangs children on the bone's tail, which rests one length behind its head
    thing.matrix_parent_inverse = Matrix.Translation(-(bone.head_local + Vector((0, bone.length, 0))))


def place_hubs(
    rig: bpy.types.Object, centres_car: Mapping[str, tuple[float, float, float]], radii_m: Mapping[str, float] | None = None
) -> None:
    """Move the hubs, by the wheels' names in the asset, to these places of the car frame; needs no edit mode.

    The sensors on the ground, the steering and how far a turn rolls follow.  Raises: KeyError where the rig has no such hub.
    """
    for wheel, centre in centres_car.items():
        hub = rig.pose.bones[of_wheel("hub", wheel)]
        hub.location = Vector(centre) - hub.bone.head_local
        sensor = rig.pose.bones.get(of_wheel("ground", wheel))
        if sensor is not None:
            sensor.location = Vector((centre[0], centre[1], 0)) - sensor.bone.head_local
    for wheel, radius in (radii_m or {}).items():
        roll_by(rig, wheel, radius)
    if is_current(rig):
        _set_steering(rig)


def hub_centres(rig: bpy.types.Object) -> dict[str, tuple[float, float, float]]:
    """Where the hubs are now, car frame, by the wheels' names in the asset."""
    hubs = [bone for bone in rig.pose.bones if bone.name.startswith(_HUB)]
    return {hub.name[len(_HUB) :]: tuple(hub.bone.head_local + hub.location) for hub in hubs}


def is_current(rig: bpy.types.Object) -> bool:
    """Whether the rig has the bones of this version."""
    return DRIFT in rig.pose.bones and ROOT in rig.pose.bones and BODY in rig.pose.bones


def chassis_of(rig: bpy.types.Object) -> Chassis:
    """Wheels, radii and which of them steer, as they are now.  Raises: UserInputError for a rig that cannot drive."""
    if not is_current(rig):
        raise UserInputError(f"{rig.name} has a rig of an older version: add the car again, from the history or its photo.", Trouble.SCENE)
    centres = hub_centres(rig)
    steers = np.array([of_wheel("steering", wheel) in rig.pose.bones for wheel in centres])
    radii = np.array([float(rig.pose.bones[of_wheel(SPIN, wheel)][RADIUS]) for wheel in centres])
    return Chassis(tuple(centres), np.array(list(centres.values()), float), radii, steers)


def _set_steering(rig: bpy.types.Object) -> None:
    """Lay out the drivers of the steered wheels for where the wheels are now."""
    chassis = chassis_of(rig)
    for wheel, hub in zip(chassis.names, chassis.hubs_car, strict=True):
        bone = of_wheel("steering", wheel)
        curve = driver_of(rig, f'pose.bones["{bone}"].rotation_euler', 2)
        if curve is not None:
            angles = wheel_angle(np.array(_KNOTS_RAD), float(hub[0]), chassis.wheelbase_m)
            map_through(curve, list(zip(_KNOTS_RAD, angles.tolist(), strict=True)))
