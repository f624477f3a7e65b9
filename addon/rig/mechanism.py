"""The constraints: sensors on the ground, body and wheels on the sensors, wheels that roll by themselves.

Sensors are projected straight down and up onto the ground.  Points midway between two sensors carry the chassis, so it lies in the plane
of the wheels; each wheel follows its own sensor.  Without a ground all of this rests.

The odometer is held where the car was made.  Seen from the car, it moves back by what the car moves forward, wherever it points; so a
wheel that turns with it rolls, as long as the car moves straight.
"""

from __future__ import annotations

import bpy

from ...core.types import CarAsset
from .bones import CHASSIS, MIDDLES, ODOMETER, of_wheel
from .drivers import drive

GROUND, SPIN, RADIUS = "ground", "spin", "radius_m"  # RADIUS: on the bone that spins
ROLL = "roll"


def add_mechanism(rig: bpy.types.Object, asset: CarAsset, start_m: tuple[float, float, float]) -> None:
    """Every constraint of a fresh rig that stands at start_m."""
    _hold_odometer(rig, start_m)
    names = {wheel.name.removeprefix("wheel_"): wheel.name for wheel in asset.wheels}
    for wheel in asset.wheels:
        _put_on_ground(rig, wheel.name)
        _carry_wheel(rig, wheel.name)
        _let_roll(rig, wheel.name)
    for middle, pair in MIDDLES.items():
        for influence, corner in zip((1.0, 0.5), pair, strict=True):
            if corner in names:
                _copy_location(rig, middle, of_wheel("ground", names[corner]), influence)
    _carry_chassis(rig)


def set_ground(rig: bpy.types.Object, ground: bpy.types.Object | None) -> None:
    """Choose the mesh that the sensors look for; None rests them."""
    for bone in rig.pose.bones:
        if GROUND in bone.constraints:
            bone.constraints[GROUND].target = ground


def roll_by(rig: bpy.types.Object, wheel: str, radius_m: float) -> None:
    """One turn of this wheel is 2 pi radius_m from now on; a rig of an older version knows nothing of it."""
    bone = rig.pose.bones.get(of_wheel(SPIN, wheel))
    if bone is None:
        return
    bone[RADIUS] = float(radius_m)
    roll = bone.constraints[ROLL]
    roll.from_min_y, roll.from_max_y = -radius_m, radius_m
    roll.to_min_x_rot, roll.to_max_x_rot = -1.0, 1.0


def _put_on_ground(rig: bpy.types.Object, wheel: str) -> None:
    sensor = rig.pose.bones[of_wheel("ground", wheel)].constraints.new("SHRINKWRAP")
    sensor.name, sensor.shrinkwrap_type = GROUND, "PROJECT"
    sensor.project_axis, sensor.project_axis_space, sensor.use_project_opposite = "NEG_Z", "WORLD", True
    drive(sensor, "influence", -1, rig, ("follow_ground",))


def _carry_wheel(rig: bpy.types.Object, wheel: str) -> None:
    """Up with its sensor, tilted with the chassis."""
    travel = rig.pose.bones[of_wheel("travel", wheel)]
    up = _target(travel.constraints.new("COPY_LOCATION"), rig, of_wheel("ground", wheel))
    up.use_x = up.use_y = False
    up.use_offset, up.owner_space, up.target_space = True, "LOCAL", "LOCAL"
    tilt = _target(travel.constraints.new("COPY_ROTATION"), rig, CHASSIS)
    tilt.owner_space = tilt.target_space = "LOCAL"


def _let_roll(rig: bpy.types.Object, wheel: str) -> None:
    roll = _target(rig.pose.bones[of_wheel(SPIN, wheel)].constraints.new("TRANSFORM"), rig, ODOMETER)
    roll.name, roll.use_motion_extrapolate = ROLL, True
    roll.owner_space = roll.target_space = "LOCAL"
    roll.map_from, roll.map_to, roll.map_to_x_from = "LOCATION", "ROTATION", "Y"
    drive(roll, "influence", -1, rig, ("auto_roll",))


def _hold_odometer(rig: bpy.types.Object, start_m: tuple[float, float, float]) -> None:
    hold = rig.pose.bones[ODOMETER].constraints.new("LIMIT_LOCATION")
    hold.owner_space = "WORLD"
    for axis, place in zip("xyz", start_m, strict=True):
        setattr(hold, f"use_min_{axis}", True)
        setattr(hold, f"use_max_{axis}", True)
        setattr(hold, f"min_{axis}", place)
        setattr(hold, f"max_{axis}", place)


def _carry_chassis(rig: bpy.types.Object) -> None:
    """As high as the rear axle, pointing to the front axle, the left side as high as its wheels."""
    chassis = rig.pose.bones[CHASSIS]
    up = _target(chassis.constraints.new("COPY_LOCATION"), rig, "axle_rear")
    up.use_x = up.use_y = False
    up.owner_space = up.target_space = "LOCAL"
    ahead = _target(chassis.constraints.new("DAMPED_TRACK"), rig, "axle_front")
    ahead.track_axis = "TRACK_NEGATIVE_Y"
    level = _target(chassis.constraints.new("LOCKED_TRACK"), rig, "side_left")
    level.track_axis, level.lock_axis = "TRACK_X", "LOCK_Y"


def _copy_location(rig: bpy.types.Object, bone: str, source: str, influence: float) -> None:
    copy = _target(rig.pose.bones[bone].constraints.new("COPY_LOCATION"), rig, source)
    copy.influence = influence


def _target(constraint: bpy.types.Constraint, rig: bpy.types.Object, bone: str) -> bpy.types.Constraint:
    constraint.target, constraint.subtarget = rig, bone
    return constraint
