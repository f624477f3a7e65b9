"""The keys of a drive: an action of its own, on an NLA track of its own.

The artist's own action stays the active one and wins where both key the same thing; nothing in it is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from ...core.errors import Trouble, UserInputError
from ..fcurves import curves_of, keyed_paths, new_action, set_keys
from ..scene.made import ROLE

TRACK = "Imago Drive"
DRIVE = "drive"  # the role of our actions


@dataclass(frozen=True)
class Channel:
    """One property of the rig: data path, index (-1 for a single value), and whether its value stays until the next key."""

    path: str
    index: int = -1
    steps: bool = False

    def value(self, rig: bpy.types.Object) -> float:
        """What it holds now."""
        return float(rig.path_resolve(self.path)[self.index] if self.index >= 0 else rig[self._name])

    def put(self, rig: bpy.types.Object, value: float) -> None:
        """Let it hold a value."""
        if self.index >= 0:
            rig.path_resolve(self.path)[self.index] = value
        else:
            rig[self._name] = value

    @property
    def _name(self) -> str:
        """Of a custom property: what stands in ["..."]."""
        return self.path[2:-2]


def check_writable(rig: bpy.types.Object) -> None:
    """Raises: UserInputError while an NLA strip of the rig is being edited."""
    if rig.animation_data is not None and rig.animation_data.use_tweak_mode:
        raise UserInputError(f"A strip of {rig.name} is being edited: leave Tweak Mode in the NLA editor first.", Trouble.SCENE)


def write(rig: bpy.types.Object, first_frame: int, channels: Mapping[Channel, np.ndarray]) -> bpy.types.Action:
    """Key every frame (F,) of every channel from first_frame on, for a rig without a drive."""
    animation = rig.animation_data or rig.animation_data_create()
    action, slot = new_action(f"{rig.name} drive", rig)
    action[ROLE] = DRIVE
    for channel, values in channels.items():
        _key(action, channel, first_frame, values)
    track = animation.nla_tracks.new(prev=None)
    track.name = TRACK
    strip = track.strips.new(action.name, first_frame, action)
    if slot is not None:
        strip.action_slot = slot
    strip.extrapolation = "HOLD"
    return action


def clear(rig: bpy.types.Object) -> bool:
    """Remove the drive; True where there was one.  What its keys covered keeps their last values."""
    animation = rig.animation_data
    found = False
    for track in list(animation.nla_tracks) if animation else []:
        ours = [strip for strip in track.strips if strip.action is not None and strip.action.get(ROLE) == DRIVE]
        actions = [strip.action for strip in ours]
        for strip in ours:
            track.strips.remove(strip)
            found = True
        if ours and not track.strips:
            animation.nla_tracks.remove(track)
        for action in actions:
            if not action.users:
                bpy.data.actions.remove(action)
    return found


def drive_action(rig: bpy.types.Object) -> bpy.types.Action | None:
    """The action of the car's drive."""
    strips = [strip for track in rig.animation_data.nla_tracks for strip in track.strips] if rig.animation_data else []
    return next((strip.action for strip in strips if strip.action is not None and strip.action.get(ROLE) == DRIVE), None)


def keyed_by_artist(rig: bpy.types.Object, channels: Mapping[Channel, np.ndarray]) -> list[str]:
    """Paths that the artist's own action keys too."""
    action = rig.animation_data.action if rig.animation_data else None
    if action is None:
        return []
    return sorted(keyed_paths(action) & {channel.path for channel in channels})


def _key(action: bpy.types.Action, channel: Channel, first_frame: int, values: np.ndarray) -> None:
    values = np.asarray(values, np.float32)
    kept = _needed(values)
    curve = curves_of(action).new(channel.path, index=max(channel.index, 0))
    set_keys(curve, first_frame + np.flatnonzero(kept), values[kept], channel.steps)


def _needed(values: np.ndarray) -> np.ndarray:
    """(F,) bool: keys amid equal neighbours say nothing new; first and last always count."""
    kept = np.ones(len(values), bool)
    kept[1:-1] = (values[1:-1] != values[:-2]) | (values[1:-1] != values[2:])
    return kept
