"""A car's own wishes for its drive, kept with the rig, so that it can be driven again after a change."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
import math

import bpy

from ...core.drive.drive import DriveWish
from ...core.drive.speed import SpeedWish
from ...core.drive.suspension import Springs
from ...core.errors import Trouble, UserInputError
from ..callbacks import ground_chosen, is_curve, is_mesh
from ..rig.blinker import frame_rate
from .drive import Course

M_S = {"KMH": 1 / 3.6, "MPH": 0.44704}
TIMINGS = (
    ("SPEED", "At a Speed", "The drive takes as long as it takes"),
    ("FRAMES", "Between Two Frames", "The speed is found that fits"),
)
UNITS = (("KMH", "km/h", "Kilometres an hour"), ("MPH", "mph", "Miles an hour"))


class ImagoDrive(bpy.types.PropertyGroup):
    """On every object; says something on the rig of a car."""

    curve: bpy.props.PointerProperty(  # type: ignore[valid-type]
        name="Path", type=bpy.types.Object, poll=is_curve, description="The curve to follow, in its own direction; its first spline counts"
    )
    ground: bpy.props.PointerProperty(  # type: ignore[valid-type]
        name="Ground", type=bpy.types.Object, poll=is_mesh, update=ground_chosen,
        description="The mesh to drive on; without one the path itself is the ground.  Wheels keep to it without a drive too",
    )  # fmt: skip
    timing: bpy.props.EnumProperty(name="Timing", items=TIMINGS, default="SPEED")  # type: ignore[valid-type]
    speed: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Speed", default=40.0, min=0.1, soft_max=200.0, max=500.0, description="Where no bend asks for less"
    )
    unit: bpy.props.EnumProperty(name="Unit", items=UNITS, default="KMH")  # type: ignore[valid-type]
    first_frame: bpy.props.IntProperty(name="Start", default=1, description="The frame at which the drive begins")  # type: ignore[valid-type]
    last_frame: bpy.props.IntProperty(name="End", default=250, description="The frame at which the car arrives")  # type: ignore[valid-type]
    acceleration: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Acceleration", default=2.5, min=0.1, soft_max=10.0, unit="ACCELERATION", description="How hard it gathers speed at most"
    )
    braking: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Braking", default=4.0, min=0.1, soft_max=10.0, unit="ACCELERATION", description="How hard it brakes at most"
    )
    cornering: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Cornering", default=4.0, min=0.0, soft_max=12.0, unit="ACCELERATION",
        description="Sideways force for which it slows down in bends; 0 keeps the speed",
    )  # fmt: skip
    from_standing: bpy.props.BoolProperty(name="Starts from Standing", default=True)  # type: ignore[valid-type]
    to_standing: bpy.props.BoolProperty(name="Stops at the End", default=True)  # type: ignore[valid-type]
    backwards: bpy.props.BoolProperty(name="Reverse", description="Backs along the path")  # type: ignore[valid-type]
    laps: bpy.props.IntProperty(name="Laps", default=1, min=1, soft_max=20, description="Rounds of a closed path")  # type: ignore[valid-type]
    drift: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Drift", default=0.0, min=0.0, max=math.radians(45), subtype="ANGLE", description="How far the tail swings out in tight bends"
    )
    softness: bpy.props.FloatProperty(  # type: ignore[valid-type]
        name="Body Motion", default=1.0, min=0.0, soft_max=3.0, description="How much the body dives, squats and leans"
    )
    lights: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Automatic Lights", default=True, description="Brake lights, reversing lights and indicators by themselves"
    )


def course_of(settings: ImagoDrive, scene: bpy.types.Scene) -> Course:
    """The settings as a request.  Raises: UserInputError where something is missing."""
    if settings.curve is None:
        raise UserInputError("no path is chosen: choose a curve, or add one with Add Path.", Trouble.SCENE)
    frames = settings.last_frame - settings.first_frame
    if settings.timing == "FRAMES" and frames < 1:
        raise UserInputError("the drive ends before it starts: choose a later last frame.", Trouble.SCENE)
    cruise = settings.speed * M_S[settings.unit] if settings.timing == "SPEED" else M_S["KMH"]
    speed = SpeedWish(
        cruise, settings.acceleration, settings.braking, settings.cornering, settings.from_standing, settings.to_standing
    )  # fmt: skip
    wish = DriveWish(
        speed, frame_rate(scene), frames if settings.timing == "FRAMES" else None, settings.backwards, settings.laps,
        settings.drift, springs_of(settings),
    )  # fmt: skip
    return Course(settings.curve, settings.ground, settings.first_frame, wish, settings.lights)


def springs_of(settings: ImagoDrive) -> Springs:
    """As soft as wished."""
    return Springs(settings.softness)


CLASSES = (ImagoDrive,)


def attach() -> None:
    """After the classes are registered."""
    bpy.types.Object.imago_drive = bpy.props.PointerProperty(type=ImagoDrive)


def detach() -> None:
    del bpy.types.Object.imago_drive
