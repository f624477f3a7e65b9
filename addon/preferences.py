"""The user's settings for all files: where the worker's Python comes from, and how long things are kept."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
import bpy

from .chosen import worker_python
from .panels.states import draw_problem, draw_set_up
from .places import PACKAGE


class ImagoPreferences(bpy.types.AddonPreferences):
    bl_idname = PACKAGE

    worker_python: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Python",
        description="Python (3.11 to 3.14) that makes the worker's environment, or one that has its packages already; empty: Blender's own",
        subtype="FILE_PATH",
    )
    extra_index: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Extra Package Index",
        description="Address of one more package index, such as one with PyTorch for processors only, which saves gigabytes on Linux",
    )
    idle_minutes: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Worker Idle Minutes",
        description="Minutes without work after which the warm worker gives its memory back; the next car then takes some seconds longer",
        default=10,
        min=1,
        soft_max=120,
    )
    keep_runs: bpy.props.IntProperty(  # type: ignore[valid-type]
        name="Cars Kept in the History",
        description="Older ones are deleted from disk (about 6 MB each); cars in your files are never touched",
        default=20,
        min=1,
        soft_max=200,
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        draw_set_up(layout, context)
        draw_problem(layout, context)
        if worker_python() is not None:
            layout.label(text="Imago is set up: its panel is in the 3D viewport's sidebar (N), tab Imago", icon="CHECKMARK")
        layout.use_property_split = True
        column = layout.column()
        column.prop(self, "worker_python")
        column.prop(self, "extra_index")
        column.prop(self, "idle_minutes")
        column.prop(self, "keep_runs")
        row = layout.row()
        row.operator("imago.show_log", icon="TEXT")
        row.operator("imago.stop_worker", icon="CANCEL")


CLASSES = (ImagoPreferences,)
