"""The custom properties on the armature object: what an animator turns and keys."""

from __future__ import annotations

import math
from dataclasses import dataclass

import bpy

STEER_LIMIT_RAD = math.radians(35)


@dataclass(frozen=True)
class RigProperty:
    """One slider of the car; hard limits low and high, or soft limits where `soft`."""

    name: str
    tooltip: str
    default: float = 0.0
    low: float = 0.0
    high: float = 1.0
    soft: bool = False
    subtype: str = "NONE"


LAMP_PROPERTIES = (
    RigProperty("headlight", "Low beam"),
    RigProperty("high_beam", "High beam"),
    RigProperty("daytime", "Daytime running lights"),
    RigProperty("tail", "Tail lights"),
    RigProperty("brake", "Brake lights"),
    RigProperty("indicator_left", "Indicators on the left side; they blink by themselves"),
    RigProperty("indicator_right", "Indicators on the right side; they blink by themselves"),
    RigProperty("hazard", "Indicators on both sides; they blink by themselves"),
    RigProperty("reverse", "Reversing lights"),
    RigProperty("fog", "Fog lights"),
)
MOTION_PROPERTIES = (
    RigProperty(
        "wheel_turn",
        "Turns of all wheels since the start; one turn rolls the car forward by 2 pi times the wheel's radius",
        0.0,
        -100,
        100,
        True,
    ),
    RigProperty(
        "steer",
        "Angle of a front wheel in the middle, positive to the car's left (+X); each wheel turns so that none slips",
        0.0,
        -STEER_LIMIT_RAD,
        STEER_LIMIT_RAD,
        False,
        "ANGLE",
    ),
    RigProperty("heave", "How far the body stands above its usual height", 0.0, -0.15, 0.15, True, "DISTANCE"),
    RigProperty("pitch", "Body about its width, positive: nose down", 0.0, -0.1, 0.1, True, "ANGLE"),
    RigProperty("roll", "Body about its length, positive: left side down", 0.0, -0.15, 0.15, True, "ANGLE"),
    RigProperty("auto_roll", "1: the wheels turn by themselves while the car moves straight on; a drive's bake does it on any path", 1.0),
    RigProperty("follow_ground", "1: wheels and body follow the ground that is chosen in the panel", 1.0),
)
PROPERTIES = (
    *MOTION_PROPERTIES,
    RigProperty("photo_look", "0 shows clean materials, 1 what the photograph showed", 1.0),
    *LAMP_PROPERTIES,
)
BLINK, SIGNAL = "blink", {"left": "signal_left", "right": "signal_right"}  # driven, see rig/blinker.py


def turn_property(wheel: str) -> RigProperty:
    """Turns of one wheel, on top of wheel_turn."""
    return RigProperty(wheel.replace("wheel_", "turn_", 1), f"Turns of {spoken(wheel)} alone, on top of all wheels'", 0.0, -100, 100, True)


def travel_property(wheel: str) -> RigProperty:
    """One wheel's way up and down."""
    return RigProperty(
        wheel.replace("wheel_", "travel_", 1), f"How far {spoken(wheel)} is pushed up", 0.0, -0.15, 0.15, True, "DISTANCE"
    )  # fmt: skip


def spoken(wheel: str) -> str:
    """wheel_front_left -> the front left wheel."""
    return f"the {wheel.removeprefix('wheel_').replace('_', ' ')} wheel"


def add_properties(rig: bpy.types.Object, wheels: tuple[str, ...]) -> None:
    """Give the armature object every property with its range, default and tooltip."""
    for entry in (*PROPERTIES, *map(turn_property, wheels), *map(travel_property, wheels)):
        add_property(rig, entry)


def add_property(rig: bpy.types.Object, entry: RigProperty) -> None:
    """One of them, at its default."""
    rig[entry.name] = entry.default
    limits = {"soft_min": float(entry.low), "soft_max": float(entry.high)}
    if not entry.soft:
        limits |= {"min": float(entry.low), "max": float(entry.high)}
    rig.id_properties_ui(entry.name).update(default=entry.default, description=entry.tooltip, subtype=entry.subtype, **limits)
    rig.property_overridable_library_set(f'["{entry.name}"]', True)  # so that a linked car can be animated


def lamp_properties(kind: str, left: bool) -> tuple[str, ...]:
    """The rig properties that light a lamp of this kind on this side; an indicator shines while all of them do."""
    if kind == "indicator":
        return (SIGNAL["left" if left else "right"], BLINK)
    return (kind,)
