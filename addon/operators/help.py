"""The buttons beside an error."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
import bpy

from ...core.messages import Problem
from ..places import log_file, worker_folder
from ..session import SESSION
from .polls import nothing_runs
from .redraw import new_editor

LOG_LINES = 400
SHOWN_LINES = 40


class IMAGO_OT_dismiss(bpy.types.Operator):
    """Take the message away"""

    bl_idname = "imago.dismiss"
    bl_label = "Dismiss"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        SESSION.problem = None
        return {"FINISHED"}


class IMAGO_OT_use_processor(bpy.types.Operator):
    """Make cars on the processor, which works everywhere"""

    bl_idname = "imago.use_processor"
    bl_label = "Use the Processor"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.window_manager.imago.device = "cpu"
        SESSION.problem = None
        return {"FINISHED"}


class IMAGO_OT_stop_worker(bpy.types.Operator):
    """End the worker process; memory and graphics card are free, and the next car starts a new one"""

    bl_idname = "imago.stop_worker"
    bl_label = "End the Worker"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return nothing_runs(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        SESSION.stop_worker()
        SESSION.problem = None
        return {"FINISHED"}


class IMAGO_OT_show_log(bpy.types.Operator):
    """Show what worker and set-up have written, newest last, in a window of Blender's text editor"""

    bl_idname = "imago.show_log"
    bl_label = "Show the Log"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        text = bpy.data.texts.get("Imago Log") or bpy.data.texts.new("Imago Log")
        text.use_fake_user = False  # not to be saved with the file
        text.from_string(log_text(SESSION.problem))
        if not bpy.app.background:
            editor = new_editor(context, "TEXT_EDITOR")
            editor.text = text
            editor.top = max(0, len(text.lines) - SHOWN_LINES)
        return {"FINISHED"}


def log_text(problem: Problem | None) -> str:
    """The last problem's details, then the ends of both logs."""
    parts = [f"{problem.sentence}\n{problem.detail}"] if problem else []
    for path in (worker_folder() / "set_up.log", log_file()):
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
            parts.append("\n".join([f"--- {path}", *lines]))
    return "\n\n".join(parts) or "Nothing has been logged yet."


CLASSES = (IMAGO_OT_dismiss, IMAGO_OT_use_processor, IMAGO_OT_stop_worker, IMAGO_OT_show_log)
