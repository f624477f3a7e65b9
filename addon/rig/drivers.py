"""Drivers without Python expressions, so that a file works where scripts are not trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy

from ..fcurves import set_keys


@dataclass(frozen=True)
class Turned:
    """How far a bone is turned about one of its own axes, as the source of a driver."""

    bone: str
    axis: str  # X, Y or Z


FRAME = "frame"  # the scene's current frame, as the source of a driver
Source = str | Turned


def drive(
    target: bpy.types.bpy_struct,
    path: str,
    index: int,
    rig: bpy.types.Object,
    sources: Sequence[Source],
    gain: float = 1.0,
    rest: float = 0.0,
    kind: str = "MAX",
) -> bpy.types.FCurve:
    """Make target.path[index] = rest + gain * the MAX, MIN or SUM of sources; index -1 for a single value.

    A source is the name of a custom property of `rig`, a Turned bone of it, or FRAME.
    """
    curve = target.driver_add(path, index) if index >= 0 else target.driver_add(path)
    while curve.modifiers:  # up to 4.5 Blender adds a generator of its own accord, from 5.0 it does not
        curve.modifiers.remove(curve.modifiers[0])
    if (gain, rest) != (1.0, 0.0):
        line = curve.modifiers.new("GENERATOR")
        line.poly_order, line.coefficients = 1, (rest, gain)
    driver = curve.driver
    driver.type = kind if len(sources) > 1 else "AVERAGE"
    for number, source in enumerate(sources):
        variable = driver.variables.new()
        variable.name = f"source_{number}"
        _point(variable, rig, source)
    return curve


def map_through(curve: bpy.types.FCurve, knots: Sequence[tuple[float, float]], steps: bool = False) -> None:
    """Let a driver's value go through straight lines between these points, or stay from one to the next; beyond the ends as at them."""
    set_keys(curve, [place for place, _ in knots], [value for _, value in knots], steps)


def driver_of(owner: bpy.types.Object, path: str, index: int = 0) -> bpy.types.FCurve | None:
    """The driver of a property, as driver_add names it."""
    return owner.animation_data.drivers.find(path, index=index) if owner.animation_data else None


def _point(variable: bpy.types.DriverVariable, rig: bpy.types.Object, source: Source) -> None:
    target = variable.targets[0]
    if source == FRAME:
        variable.type = "CONTEXT_PROP"
        target.context_property, target.data_path = "ACTIVE_SCENE", "frame_current"
    elif isinstance(source, Turned):
        variable.type = "TRANSFORMS"
        target.id, target.bone_target = rig, source.bone
        target.transform_type, target.transform_space, target.rotation_mode = f"ROT_{source.axis}", "LOCAL_SPACE", "XYZ"
    else:
        variable.type = "SINGLE_PROP"
        target.id_type, target.id = "OBJECT", rig
        target.data_path = f'["{source}"]'
