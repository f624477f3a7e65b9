"""Driving the selected car: path, ground, speed, and what has been driven."""

from __future__ import annotations

import bpy

from ..drive.actions import drive_action
from ..drive.drive import is_stale
from ..rig.rig import is_current
from .car import CarPanel
from .states import wrapped


class IMAGO_PT_drive(CarPanel):
    bl_label = "Drive"

    def draw_car(self, layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        if not is_current(rig):
            wrapped(layout, context, "This car has a rig of an older version: add it again, from the history or its photo.", icon="INFO")
            return
        wishes = rig.imago_drive
        column = layout.column()
        row = column.row(align=True)
        row.prop(wishes, "curve")
        row.operator("imago.add_path", text="", icon="ADD")
        column.prop(wishes, "ground")
        column.prop(wishes, "timing")
        column.prop(wishes, "first_frame")
        if wishes.timing == "FRAMES":
            column.prop(wishes, "last_frame")
        else:
            row = column.row(align=True)
            row.prop(wishes, "speed")
            row.prop(wishes, "unit", text="")
        _details(layout, wishes)
        driven = drive_action(rig) is not None
        if driven and is_stale(rig):
            wrapped(layout, context, "The wheels have changed since: drive again.", icon="ERROR")
        row = layout.row(align=True)
        row.scale_y = 1.4
        row.operator("imago.drive", text="Drive Again" if driven else "Drive", icon="PLAY")
        if driven:
            row.operator("imago.stop_driving", text="", icon="X")


class IMAGO_PT_roll(CarPanel):
    bl_label = "My Own Animation"
    bl_parent_id = "IMAGO_PT_drive"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_car(self, layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        wrapped(layout, context, "Move the rig or its root bone with keys or a constraint, then:", icon="INFO")
        row = layout.column(align=True)
        row.prop(rig.imago_drive, "first_frame")
        row.prop(rig.imago_drive, "last_frame")
        layout.operator("imago.roll", icon="CON_ROTLIKE")


def _details(layout: bpy.types.UILayout, wishes: bpy.types.PropertyGroup) -> None:
    header, body = layout.panel("imago_drive_details", default_closed=True)
    header.label(text="How It Drives")
    if body is None:
        return
    column = body.column()
    for name in ("acceleration", "braking", "cornering", "from_standing", "to_standing", "backwards", "drift", "softness", "lights"):
        column.prop(wishes, name)
    if wishes.curve is not None and any(spline.use_cyclic_u for spline in wishes.curve.data.splines):
        column.prop(wishes, "laps")


CLASSES = (IMAGO_PT_drive, IMAGO_PT_roll)
