"""After a car has changed: its drive once more, with the wishes that are kept on its rig."""

from __future__ import annotations

import bpy

from ...core.errors import UserInputError
from ..fcurves import curves_of
from .actions import drive_action
from .drive import MOVED, drive_car, is_stale, roll_along
from .settings import course_of, springs_of


def drive_again(rig: bpy.types.Object) -> tuple[str, ...]:
    """Renew the keys of a drive whose wheels have changed; what the artist should know, in sentences.

    A drive that cannot be made any more (its path was deleted) stays as it is.
    """
    action = drive_action(rig)
    if action is None or not is_stale(rig):
        return ()
    wishes = rig.imago_drive
    try:
        if rig.get(MOVED):
            first, last = (round(end) for end in action.frame_range)
            return roll_along(rig, first, last, springs_of(wishes), _lights(action)).notices
        return drive_car(rig, course_of(wishes, bpy.context.scene)).notices
    except UserInputError as problem:
        return (f"The drive is still that of the old wheels: {problem}",)


def _lights(action: bpy.types.Action) -> bool:
    return any(curve.data_path == '["brake"]' for curve in curves_of(action))
