"""The user's settings for all files: where the worker's Python comes from, and how long things are kept."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
import sys
from pathlib import Path

import bpy

from .places import PACKAGE, ROOT, worker_folder
from .runtime.environment import ready_python


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
        from .panels.states import draw_problem, draw_set_up

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


def preferences(context: bpy.types.Context | None = None) -> ImagoPreferences:
    """The extension's preferences."""
    return (context or bpy.context).preferences.addons[PACKAGE].preferences


def chosen_python() -> Path | None:
    """The Python named in the preferences; None for Blender's own."""
    name = preferences().worker_python.strip()
    return Path(bpy.path.abspath(name)) if name else None


def blender_python() -> Path:
    """The Python that Blender runs."""
    return Path(sys.executable)


def worker_python() -> Path | None:
    """The Python the worker can be started with; None until set-up is done.  Cheap enough for every redraw."""
    return ready_python(worker_folder(), ROOT, chosen_python())


CLASSES = (ImagoPreferences,)
