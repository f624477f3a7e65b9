"""Where a car begins: set-up, photo, progress, problems, and the history."""

from __future__ import annotations

from functools import cache

import bpy

from ...core.weights import is_there
from .. import history
from ..chosen import worker_python
from ..places import runs_folder
from ..properties import ImagoInputs
from ..scene.find import find_rig
from ..session import SESSION
from .states import draw_problem, draw_progress, draw_set_up

SHOWN_RUNS = 8


@cache
def can_invent() -> bool:
    """Whether this copy of the extension brings the generator."""
    return is_there("generator")


class ImagoPanel(bpy.types.Panel):
    """In the sidebar of the 3D viewport, on our tab."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Imago"


class IMAGO_PT_photo(ImagoPanel):
    bl_label = "Photo"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        draw_problem(layout, context)
        if SESSION.busy:
            draw_progress(layout, context)
        elif worker_python() is None or SESSION.set_up is not None:
            draw_set_up(layout, context)
        else:
            _draw_inputs(layout, context)


class IMAGO_PT_box(bpy.types.Panel):
    """In the sidebar of the Image Editor, where the photograph can be shown."""

    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Imago"
    bl_label = "Several Cars"

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        column.operator("imago.draw_box", icon="SELECT_SET")
        _draw_box(column, context.window_manager.imago)


class IMAGO_PT_history(ImagoPanel):
    bl_label = "History"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(history.runs(runs_folder()))

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column()
        for run in history.runs(runs_folder())[:SHOWN_RUNS]:
            row = column.row()
            row.template_icon(icon_value=history.thumbnail_icon(run), scale=3.0)
            facts = row.column(align=True)
            facts.label(text=run.name)
            facts.label(text=f"{run.body_type}, {run.quality}, {run.seconds:.0f} s")
            buttons = row.column(align=True)
            buttons.operator("imago.add_run", text="", icon="ADD").job = run.job
            buttons.operator("imago.delete_run", text="", icon="TRASH").job = run.job
        column.operator("imago.clear_history", icon="TRASH")


def _draw_inputs(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    inputs = context.window_manager.imago
    layout.row().prop(inputs, "source", expand=True)
    column = layout.column()
    if inputs.source == "FILE":
        column.prop(inputs, "photo", text="")
        chosen = bool(inputs.photo)
        if not chosen:
            column.label(text="or drop a photo onto the viewport", icon="INFO")
    else:
        column.prop_search(inputs, "image", bpy.data, "images", text="")
        chosen = bool(inputs.image)
    settings = layout.column()
    settings.use_property_split = True
    settings.use_property_decorate = False
    settings.prop(inputs, "quality")
    settings.prop(inputs, "body_type")
    settings.prop(inputs, "texture")
    settings.prop(inputs, "device")
    if can_invent():
        settings.prop(inputs, "unseen")
    settings.prop(inputs, "mask")
    _draw_several(layout, inputs)
    _draw_invent(layout, inputs)
    buttons = layout.column()
    row = buttons.row()
    row.scale_y = 1.6
    if chosen:
        row.operator("imago.create_car", text="Create Car", icon="AUTO")
    else:
        row.operator("imago.import_photo", text="Choose a Photo and Create Car", icon="AUTO")
    if find_rig(context.active_object) is not None:
        if chosen:
            buttons.operator("imago.update_car", text="Update the Selected Car", icon="FILE_REFRESH")
        else:
            buttons.operator("imago.import_photo", text="Update the Selected Car", icon="FILE_REFRESH").update = True


def _draw_invent(layout: bpy.types.UILayout, inputs: ImagoInputs) -> None:
    """Cars without a photograph; closed, since most users come with one."""
    if not can_invent():
        return
    header, body = layout.panel("imago_invent", default_closed=True)
    header.label(text="Invent a Car")
    if body is not None:
        column = body.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(inputs, "seed")
        column.prop(inputs, "variety", slider=True)
        column.prop(inputs, "toward")
        column.prop(inputs, "share", slider=True)
        column.prop(inputs, "body")
        row = column.row(heading="Own Paint")
        row.prop(inputs, "own_paint", text="")
        colour = row.row()
        colour.active = inputs.own_paint
        colour.prop(inputs, "paint", text="")
        body.operator("imago.invent_car", icon="SHADERFX")


def _draw_several(layout: bpy.types.UILayout, inputs: ImagoInputs) -> None:
    """Which of several cars is meant; closed, since most photographs show one."""
    header, body = layout.panel("imago_several", default_closed=True)
    header.label(text="Several Cars")
    if body is not None:
        column = body.column()
        row = column.row()
        row.active = not any(inputs.box)  # a box counts instead
        row.prop(inputs, "which", text="Car, from the Left")
        column.label(text="0 makes the largest in the middle", icon="INFO")
        column.label(text="Or a box round it, in pixels:")
        _draw_box(column, inputs)


def _draw_box(layout: bpy.types.UILayout, inputs: ImagoInputs) -> None:
    column = layout.column(align=True)
    for index, side in enumerate(("Left", "Top", "Right", "Bottom")):
        column.prop(inputs, "box", index=index, text=side)
