"""Tracks as keys of an object, for the exporters that play a scene.  Works in every Blender from 4.2 on."""

from __future__ import annotations

import bpy
import numpy as np

from .tracks import Track


def key(thing: bpy.types.Object, track: Track, first_frame: int, steps: bool = False) -> bpy.types.Action | None:
    """Key what changes, one frame after the other; None where nothing does.  The caller removes the action."""
    thing.rotation_mode = "QUATERNION"
    channels = [("location", track.location, track.moves), ("rotation_quaternion", track.rotation, track.turns)]
    channels.append(("scale", track.scale, track.grows))
    if not any(changes for _, _, changes in channels):
        return None
    action, curves = _action(thing)
    for path, values, changes in channels:
        for index in range(values.shape[1] if changes else 0):
            _fill(curves.new(path, index=index), values[:, index], first_frame, steps)
    return action


def key_energy(light: bpy.types.Light, watts: np.ndarray, first_frame: int) -> bpy.types.Action:
    """Key how bright a light is.  The caller removes the action."""
    action, curves = _action(light)
    _fill(curves.new("energy"), watts, first_frame, steps=True)
    return action


def _action(owner: bpy.types.ID) -> tuple[bpy.types.Action, bpy.types.bpy_prop_collection]:
    """A new action and where its F-curves are made: Action.fcurves is gone in 5.0, slots came with 4.4."""
    action = bpy.data.actions.new(owner.name)
    animation = owner.animation_data_create()
    animation.action = action
    if not hasattr(action, "slots"):
        return action, action.fcurves
    slot = action.slots.new(id_type=owner.id_type, name=owner.name)
    animation.action_slot = slot
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    return action, strip.channelbag(slot, ensure=True).fcurves


def _fill(curve: bpy.types.FCurve, values: np.ndarray, first_frame: int, steps: bool) -> None:
    points = curve.keyframe_points
    points.add(len(values))
    frames = first_frame + np.arange(len(values))
    points.foreach_set("co", np.stack([frames, values], 1).astype(np.float32).ravel())
    kind = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["CONSTANT" if steps else "LINEAR"].value
    points.foreach_set("interpolation", np.full(len(values), kind, np.int32))
    curve.update()
