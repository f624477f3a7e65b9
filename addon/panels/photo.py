"""Where a car begins: set-up, photo, progress, problems, and the history."""

from __future__ import annotations

import bpy

from .. import history
from ..chosen import worker_python
from ..places import runs_folder
from ..scene.find import find_rig
from ..session import SESSION
from .states import draw_problem, draw_progress, draw_set_up

SHOWN_RUNS = 8


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
    settings.prop(inputs, "texture")
    settings.prop(inputs, "device")
    settings.prop(inputs, "mask")
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
