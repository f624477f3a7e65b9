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
    RigProperty("tail", "Tail lights"),
    RigProperty("brake", "Brake lights"),
    RigProperty("indicator_left", "Indicators on the left side"),
    RigProperty("indicator_right", "Indicators on the right side"),
    RigProperty("hazard", "Indicators on both sides"),
    RigProperty("reverse", "Reversing lights"),
    RigProperty("fog", "Fog lights"),
)
PROPERTIES = (
    RigProperty(
        "wheel_turn",
        "Turns of the wheels since the start; one turn rolls the car forward by 2 pi times the wheel's radius",
        0.0,
        -100,
        100,
        True,
    ),
    RigProperty(
        "steer", "Angle of the front wheels, positive to the car's left (+X)", 0.0, -STEER_LIMIT_RAD, STEER_LIMIT_RAD, False, "ANGLE"
    ),
    RigProperty("photo_look", "0 shows clean materials, 1 what the photograph showed", 1.0),
    *LAMP_PROPERTIES,
)


def add_properties(rig: bpy.types.Object) -> None:
    """Give the armature object every property with its range, default and tooltip."""
    for entry in PROPERTIES:
        rig[entry.name] = entry.default
        limits = {"soft_min": float(entry.low), "soft_max": float(entry.high)}
        if not entry.soft:
            limits |= {"min": float(entry.low), "max": float(entry.high)}
        rig.id_properties_ui(entry.name).update(default=entry.default, description=entry.tooltip, subtype=entry.subtype, **limits)
        rig.property_overridable_library_set(f'["{entry.name}"]', True)  # so that a linked car can be animated


def lamp_properties(kind: str, left: bool) -> tuple[str, ...]:
    """The rig properties that light a lamp of this kind on this side; the brightest wins."""
    if kind == "indicator":
        return ("indicator_left" if left else "indicator_right", "hazard")
    return (kind,)
