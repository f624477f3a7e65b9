"""When a button is grey, and why: Blender shows the sentence in its tooltip."""

from __future__ import annotations

import bpy

from ..chosen import worker_python
from ..scene.find import find_rig
from ..session import SESSION


def nothing_runs(operator: type[bpy.types.Operator]) -> bool:
    """No car is being made."""
    return _or_say(operator, not SESSION.busy, "A car is being made: wait for it, or cancel it")


def set_up(operator: type[bpy.types.Operator]) -> bool:
    """There is a worker's environment."""
    return _or_say(operator, worker_python() is not None, "Set Imago up first")


def car_selected(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """The active object belongs to a car of ours."""
    return _or_say(operator, find_rig(context.active_object) is not None, "Select a car that Imago made")


def in_object_mode(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """What an operator changes in another mode would become part of that mode's undo."""
    return _or_say(operator, context.mode == "OBJECT", "Leave the present mode first: this works in Object Mode")


def in_object_or_pose_mode(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Keys and properties can be set in both."""
    return _or_say(operator, context.mode in ("OBJECT", "POSE"), "Leave the present mode first: this works in Object and Pose Mode")


def picture_shown(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """An Image Editor with a picture that can be a photograph."""
    image = context.space_data.image if context.area is not None and context.area.type == "IMAGE_EDITOR" else None
    fits = image is not None and image.source in ("FILE", "GENERATED") and min(image.size) > 0
    return _or_say(operator, fits, "Show the photograph in the Image Editor first")


def _or_say(operator: type[bpy.types.Operator], fits: bool, sentence: str) -> bool:
    if not fits:
        operator.poll_message_set(sentence)
    return fits
