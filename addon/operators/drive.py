"""Driving a car that stands in the scene."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
import bpy

from ...core.errors import UserInputError
from ..drive.drive import Driven, drive_car, roll_along, stop_driving
from ..drive.path_object import add_path
from ..drive.settings import course_of, springs_of
from ..rig.rig import chassis_of
from .of_car import OfCar
from .polls import car_selected, in_object_or_pose_mode


class _Driving(OfCar):
    """Works in Pose Mode too."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return car_selected(cls, context) and in_object_or_pose_mode(cls, context)

    def _tell(self, context: bpy.types.Context, driven: Driven) -> set[str]:
        """The scene's end moves back so that the whole drive is played."""
        context.scene.frame_end = max(context.scene.frame_end, driven.last_frame)
        for notice in driven.notices:
            self.report({"WARNING"}, notice)
        self.report({"INFO"}, f"Frames {driven.first_frame} to {driven.last_frame}, up to {driven.top_km_h:.0f} km/h")
        return {"FINISHED"}


class IMAGO_OT_drive(_Driving):
    """Drive the selected car along its path: wheels roll and steer, the body leans, lights follow. Pressed again, it drives anew"""

    bl_idname = "imago.drive"
    bl_label = "Drive"

    def execute(self, context: bpy.types.Context) -> set[str]:
        rig = self._rig(context)
        try:
            return self._tell(context, drive_car(rig, course_of(rig.imago_drive, context.scene)))
        except UserInputError as problem:
            return self._fail(problem)


class IMAGO_OT_roll(_Driving):
    """Turn and steer the wheels with the motion that you gave the car, between the start and end frames; your keys stay as they are"""

    bl_idname = "imago.roll"
    bl_label = "Roll with My Animation"

    def execute(self, context: bpy.types.Context) -> set[str]:
        rig = self._rig(context)
        wishes = rig.imago_drive
        window = context.window_manager
        window.progress_begin(0, 1)
        try:
            driven = roll_along(rig, wishes.first_frame, wishes.last_frame, springs_of(wishes), wishes.lights, window.progress_update)
            return self._tell(context, driven)
        except UserInputError as problem:
            return self._fail(problem)
        finally:
            window.progress_end()


class IMAGO_OT_stop_driving(_Driving):
    """Take the drive away: the car is as it was before it"""

    bl_idname = "imago.stop_driving"
    bl_label = "Clear Drive"

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not stop_driving(self._rig(context)):
            self.report({"INFO"}, "This car does not drive")
            return {"CANCELLED"}
        return {"FINISHED"}


class IMAGO_OT_add_path(_Driving):
    """Draw a first path that starts where the selected car stands; edit it like any curve"""

    bl_idname = "imago.add_path"
    bl_label = "Add Path"

    def execute(self, context: bpy.types.Context) -> set[str]:
        rig = self._rig(context)
        try:
            rear = chassis_of(rig).rear_axle_y_m
        except UserInputError as problem:
            return self._fail(problem)
        rig.imago_drive.curve = add_path(rig, rear, context.scene.collection)
        return {"FINISHED"}


CLASSES = (IMAGO_OT_drive, IMAGO_OT_roll, IMAGO_OT_stop_driving, IMAGO_OT_add_path)
