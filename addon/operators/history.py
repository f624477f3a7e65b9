"""The history's buttons."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
import bpy

from ...core.errors import UserInputError
from .. import history
from ..places import runs_folder
from ..placing import load_run, place_run
from ..session import SESSION
from .polls import in_object_mode, nothing_runs


class _OfRun(bpy.types.Operator):
    job: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})  # type: ignore[valid-type]

    def _run(self) -> history.Run | None:
        run = history.find_run(runs_folder(), self.job)
        if run is None:
            self.report({"ERROR"}, "This car is no longer in the history: make it again from its photo.")
        return run


class IMAGO_OT_add_run(_OfRun):
    """Place this car once more, at the 3D cursor"""

    bl_idname = "imago.add_run"
    bl_label = "Add Car from History"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return in_object_mode(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        run = self._run()
        if run is None:
            return {"CANCELLED"}
        try:
            place_run(load_run(run.folder), tuple(context.scene.cursor.location))
        except UserInputError as problem:
            self.report({"ERROR"}, str(problem))
            return {"CANCELLED"}
        return {"FINISHED"}


class IMAGO_OT_delete_run(_OfRun):
    """Delete this car from the history and from disk; cars in your files are not touched"""

    bl_idname = "imago.delete_run"
    bl_label = "Delete from History"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        run = self._run()
        if run is None:
            return {"CANCELLED"}
        history.delete_run(run)
        return {"FINISHED"}


class IMAGO_OT_clear_history(bpy.types.Operator):
    """Delete all cars of the history from disk; cars in your files are not touched"""

    bl_idname = "imago.clear_history"
    bl_label = "Empty the History"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return nothing_runs(cls)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        history.prune(runs_folder(), 0)
        SESSION.problem = None
        return {"FINISHED"}


CLASSES = (IMAGO_OT_add_run, IMAGO_OT_delete_run, IMAGO_OT_clear_history)
