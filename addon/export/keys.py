"""Tracks as keys of an object, for the exporters that play a scene."""

from __future__ import annotations

import bpy
import numpy as np

from ..fcurves import curves_of, new_action, set_keys
from .tracks import Track


def key(thing: bpy.types.Object, track: Track, first_frame: int, steps: bool = False) -> bpy.types.Action | None:
    """Key what changes, one frame after the other; None where nothing does.  The caller removes the action."""
    thing.rotation_mode = "QUATERNION"
    channels = [("location", track.location, track.moves), ("rotation_quaternion", track.rotation, track.turns)]
    channels.append(("scale", track.scale, track.grows))
    if not any(changes for _, _, changes in channels):
        return None
    action = _playing(thing)
    frames = first_frame + np.arange(len(track.location))
    for path, values, changes in channels:
        for index in range(values.shape[1] if changes else 0):
            set_keys(curves_of(action).new(path, index=index), frames, values[:, index], steps)
    return action


def key_energy(light: bpy.types.Light, watts: np.ndarray, first_frame: int) -> bpy.types.Action:
    """Key how bright a light is.  The caller removes the action."""
    action = _playing(light)
    set_keys(curves_of(action).new("energy"), first_frame + np.arange(len(watts)), watts, steps=True)
    return action


def _playing(owner: bpy.types.ID) -> bpy.types.Action:
    """A new action that the owner plays."""
    action, slot = new_action(owner.name, owner)
    animation = owner.animation_data_create()
    animation.action = action
    if slot is not None:
        animation.action_slot = slot
    return action
