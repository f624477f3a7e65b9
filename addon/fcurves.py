"""Actions and F-curves in every Blender from 4.2 on: slots came with 4.4, Action.fcurves is gone in 5.0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np


def new_action(name: str, owner: bpy.types.ID) -> tuple[bpy.types.Action, object | None]:
    """An action for things like `owner`, with its slot, or None before there were slots."""
    action = bpy.data.actions.new(name)
    if not hasattr(action, "slots"):
        return action, None
    slot = action.slots.new(id_type=owner.id_type, name=owner.name)
    action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
    return action, slot


def curves_of(action: bpy.types.Action) -> Any:
    """The F-curves of an action with one owner: where they are read, and where new ones are made."""
    if hasattr(action, "slots") and action.slots:
        return action.layers[0].strips[0].channelbag(action.slots[0], ensure=True).fcurves
    return action.fcurves


def keyed_paths(action: bpy.types.Action) -> set[str]:
    """The data paths that anybody's action keys, whatever its layers and slots."""
    if hasattr(action, "layers") and action.layers:
        bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
        return {curve.data_path for bag in bags for curve in bag.fcurves}
    return {curve.data_path for curve in action.fcurves}


def set_keys(curve: bpy.types.FCurve, places: Sequence[float] | np.ndarray, values: Sequence[float] | np.ndarray, steps: bool) -> None:
    """Give a curve these keys and no others; straight lines between them, or each value stays until the next."""
    points = curve.keyframe_points
    if len(points) != len(places):
        points.clear()
        points.add(len(places))
    points.foreach_set("co", np.stack([places, values], 1).astype(np.float32).ravel())
    kind = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["CONSTANT" if steps else "LINEAR"].value
    points.foreach_set("interpolation", np.full(len(places), kind, np.int32))
    curve.update()
