"""Set Up: the worker's environment, made once, with progress, by a process of its own."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
import bpy

from ...core.errors import Trouble
from ...core.messages import Problem
from ..chosen import blender_python, chosen_python, preferences, worker_python
from ..places import PACKAGE, ROOT, compiled_folder, worker_folder
from ..runtime.set_up import SetUp
from ..session import SESSION
from .later import invoke_later
from .polls import nothing_runs
from .redraw import redraw_all, show_panel

TICK_S = 0.2


def _start() -> SetUp:
    SESSION.problem = None
    SESSION.stop_worker()
    started = SetUp(
        worker_folder(), ROOT, chosen_python(), blender_python(), bpy.app.online_access, preferences().extra_index, compiled_folder()
    )
    started.start()
    SESSION.set_up, SESSION.set_up_state = started, started.poll()
    return started


def _take(running: SetUp) -> bool:
    """Look how far it is; False when it has ended."""
    state = running.poll()
    SESSION.set_up_state = state
    if not state.done:
        return True
    SESSION.set_up = SESSION.set_up_state = None
    SESSION.problem = state.problem
    return False


def _tick() -> float | None:
    """A timer of Blender's, since set-up touches no data and may outlast the open file."""
    if SESSION.set_up is None:
        return None
    going_on = _take(SESSION.set_up)
    redraw_all()
    if going_on:
        return TICK_S
    then, SESSION.photos_after_set_up = SESSION.photos_after_set_up, None
    if then is not None and worker_python() is not None:
        folder, names = then
        invoke_later("imago.create_car", directory=folder, files=[{"name": name} for name in names])
    return None


class IMAGO_OT_set_up(bpy.types.Operator):
    """Fetch what making a car needs (once, some minutes); it is kept in your user folder and survives upgrades"""

    bl_idname = "imago.set_up"
    bl_label = "Set Up"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if SESSION.set_up is not None:
            cls.poll_message_set("It is being set up already")
            return False
        return nothing_runs(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """In a window: start and return at once; without one: to the end."""
        started = _start()
        if not bpy.app.background:
            bpy.app.timers.register(_tick, first_interval=TICK_S, persistent=True)
            show_panel()
            return {"FINISHED"}
        started.wait()
        _take(started)
        if SESSION.problem is not None:
            self.report({"ERROR"}, SESSION.problem.sentence)
            return {"CANCELLED"}
        return {"FINISHED"}


class IMAGO_OT_cancel_set_up(bpy.types.Operator):
    """Stop setting up; what was fetched so far is removed"""

    bl_idname = "imago.cancel_set_up"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return SESSION.set_up is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        SESSION.photos_after_set_up = None
        if SESSION.set_up is not None:
            SESSION.set_up.cancel()
        return {"FINISHED"}


class IMAGO_OT_set_up_first(bpy.types.Operator):
    """Set up, then make the car"""

    bl_idname = "imago.set_up_first"
    bl_label = "Set Up Imago First?"
    bl_options = {"INTERNAL"}
    directory: bpy.props.StringProperty(options={"SKIP_SAVE", "HIDDEN"})  # type: ignore[valid-type]
    files: bpy.props.CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self, width=440, confirm_text="Set Up and Make the Car")

    def draw(self, context: bpy.types.Context) -> None:
        column = self.layout.column(align=True)
        column.label(text="Making a car needs PyTorch and a few other packages, once.")
        column.label(text="They go to your user folder; Blender itself stays as it is.")
        column.label(text="The car follows at once. Progress shows in the sidebar, tab Imago.")

    def execute(self, context: bpy.types.Context) -> set[str]:
        if SESSION.set_up is not None:
            SESSION.problem = Problem(Trouble.BUSY, "Imago is being set up already: wait until it is done.")
            return {"CANCELLED"}
        SESSION.photos_after_set_up = (self.directory, tuple(file.name for file in self.files))
        return bpy.ops.imago.set_up()


class IMAGO_OT_open_preferences(bpy.types.Operator):
    """Open Blender's preferences where this is mended"""

    bl_idname = "imago.open_preferences"
    bl_label = "Open Preferences"
    bl_options = {"INTERNAL"}
    page: bpy.props.EnumProperty(  # type: ignore[valid-type]
        items=(("ADDONS", "Add-ons", ""), ("EXTENSIONS", "Get Extensions", ""), ("SYSTEM", "System", "")), default="ADDONS"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        if bpy.app.background:
            self.report({"INFO"}, f"Edit > Preferences > {self.page.title()}")
            return {"FINISHED"}
        if self.page == "ADDONS":
            bpy.ops.preferences.addon_show(module=PACKAGE)
        else:
            bpy.ops.screen.userpref_show(section=self.page)
        return {"FINISHED"}


CLASSES = (IMAGO_OT_set_up, IMAGO_OT_cancel_set_up, IMAGO_OT_set_up_first, IMAGO_OT_open_preferences)
