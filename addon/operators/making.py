"""Create Car and Update Car: a photograph to the worker, its car into the scene.

In a window a modal operator with a timer asks the worker every twentieth of a second; without one, or called by a script, execute()
waits for the worker.  Either way nothing is in the scene until the car is whole, and it comes as one undo step.
"""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
import time
import traceback
from pathlib import Path
from typing import Any

import bpy

from ...core.errors import Trouble, UserInputError
from ...core.messages import MakeRequest, Problem, problem_of
from .. import history
from ..chosen import preferences, worker_python
from ..places import runs_folder
from ..placing import LoadedRun, load_run, place_run, update_from_run, wake_one
from ..properties import BODIES_IN_PHOTOS, BODY_IN_PHOTO, BOX, DEVICES, QUALITIES, TEXTURES, UNSEEN, WHICH, ImagoInputs
from ..scene.find import find_rig
from ..session import SESSION, Outcome, new_job, progress_text
from ..warm_worker import ensure_worker
from .later import invoke_later
from .photos import chosen_picture
from .polls import car_selected, nothing_runs
from .redraw import redraw, show_panel

TICK_S = 0.05
FAULT = "A fault of the program stopped the car; show the log and report it."
APART_M = 2.6  # several photographs at once become cars side by side


class Making(bpy.types.Operator):
    """What Create and Update share; not registered itself."""

    bl_options = {"UNDO"}  # no REGISTER: its redo panel would make the car again at every change
    _called_by_script = False
    _timer = None  # only in a window
    _made = 0

    filepath: bpy.props.StringProperty(name="Photo", subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE", "HIDDEN"})  # type: ignore[valid-type]
    files: bpy.props.CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE", "HIDDEN"})  # type: ignore[valid-type]
    mask: bpy.props.StringProperty(name="Mask", subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    which: bpy.props.IntProperty(name="Car", description=WHICH, min=0, max=20, options={"SKIP_SAVE"})  # type: ignore[valid-type]
    box: bpy.props.IntVectorProperty(name="Box", description=BOX, size=4, min=0, options={"SKIP_SAVE"})  # type: ignore[valid-type]
    body_type: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="Body", description=BODY_IN_PHOTO, items=BODIES_IN_PHOTOS, default="AUTO", options={"SKIP_SAVE"}
    )
    quality: bpy.props.EnumProperty(name="Quality", items=QUALITIES, default="normal", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    texture: bpy.props.EnumProperty(name="Texture", items=TEXTURES, default="2048", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    device: bpy.props.EnumProperty(name="Device", items=DEVICES, default="auto", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    unseen: bpy.props.EnumProperty(name="Other Sides", items=UNSEEN, default="plain", options={"SKIP_SAVE"})  # type: ignore[valid-type]

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return nothing_runs(cls)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """All of it, while the caller waits."""
        self._called_by_script = True
        try:
            self._begin(context)
            while self._left:
                self._next(context)
                outcome = None
                while outcome is None:
                    outcome = SESSION.tick(wait_s=0.2)
                self._take(context, outcome)
        except UserInputError as error:
            self._complain(problem_of(error))
        finally:
            SESSION.abandon()
            self._tidy(context)
        return self._result()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """In a window: start, and come back at every tick."""
        try:
            photos = self._photos(context)
            if worker_python() is None:
                folder = str(Path(photos[0]).parent)
                invoke_later("imago.set_up_first", directory=folder, files=[{"name": Path(photo).name} for photo in photos])
                return {"CANCELLED"}
            self._begin(context)
            self._next(context)
            self._keep_in_panel(context, photos)
            self._timer = context.window_manager.event_timer_add(TICK_S, window=context.window)
            context.window_manager.modal_handler_add(self)
        except UserInputError as error:
            self._complain(problem_of(error))
            return {"CANCELLED"}
        except Exception:
            self.cancel(context)
            raise
        finally:
            show_panel()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS" and SESSION.job is not None:
            SESSION.cancel()
            self._left.clear()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        began = time.perf_counter()
        try:
            going_on = self._tick(context)
        except UserInputError as error:
            self._complain(problem_of(error))
            going_on = False
        except Exception:
            SESSION.problem = Problem(Trouble.INTERNAL, FAULT, traceback.format_exc())
            self.cancel(context)
            raise
        SESSION.longest_tick_s = max(SESSION.longest_tick_s, time.perf_counter() - began)
        if going_on:
            return {"PASS_THROUGH"}
        self._tidy(context)
        return self._result()

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator by itself: another file is opened, or the window is closed."""
        SESSION.abandon()
        self._tidy(context)

    def _begin(self, context: bpy.types.Context) -> None:
        """What must be known before anything starts.  Raises UserInputError."""
        SESSION.problem = None
        self._left = self._photos(context)
        self._made = 0
        self._ready: Outcome | None = None
        self._loaded: LoadedRun | None = None
        inputs = context.window_manager.imago
        given = self.properties.is_property_set
        mask = self.mask if given("mask") else ("" if given("filepath") or given("files") else inputs.mask)
        self._mask = bpy.path.abspath(mask) or None
        self._settings = {
            "quality": self.quality if given("quality") else inputs.quality,
            "texture_size_px": int(self.texture if given("texture") else inputs.texture),
            "unseen": self.unseen if given("unseen") else inputs.unseen,
            "device": self.device if given("device") else inputs.device,
            **self._meant(inputs),
        }
        self._prepare(context)

    def _meant(self, inputs: ImagoInputs) -> dict[str, object]:
        """The settings that say which car of the photo is meant and of what kind it is; those of the panel are of the panel's photo."""
        given = self.properties.is_property_set
        other = given("filepath") or given("files")

        def told(name: str, nothing: Any) -> Any:
            return getattr(self, name) if given(name) else nothing if other else getattr(inputs, name)

        box, kind = list(told("box", ())), told("body_type", "AUTO")
        car = {"which": 0, "box_px": box} if any(box) else {"which": told("which", 0), "box_px": None}
        return car | {"body_type": "" if kind == "AUTO" else kind}

    def _prepare(self, context: bpy.types.Context) -> None:
        """What this operator alone has to know.  Raises UserInputError."""
        raise NotImplementedError

    def _photos(self, context: bpy.types.Context) -> list[str]:
        """Absolute paths: what was dropped or named, else what the panel holds.  Raises UserInputError where that is nothing."""
        folder = Path(bpy.path.abspath(self.directory))
        named = [str(folder / file.name) for file in self.files if file.name]
        if not named and self.filepath:
            named = [bpy.path.abspath(self.filepath)]
        return named or [chosen_picture(context)]

    def _keep_in_panel(self, context: bpy.types.Context, photos: list[str]) -> None:
        """What was dropped stands in the panel, to be made again with other settings."""
        if len(photos) == 1 and (self.filepath or self.directory):
            inputs = context.window_manager.imago
            inputs.source, inputs.photo = "FILE", photos[0]  # which forgets the other photo's car
            inputs.which, inputs.box = self._settings["which"], self._settings["box_px"] or (0, 0, 0, 0)
            inputs.body_type = self._settings["body_type"] or "AUTO"

    def _next(self, context: bpy.types.Context) -> None:
        """Hand the next photograph to the worker.  Raises UserInputError."""
        history.prune(runs_folder(), preferences().keep_runs)
        ensure_worker()
        SESSION.begin(self._job(self._left.pop(0)))

    def _job(self, photo: str) -> MakeRequest:
        return new_job(photo, runs_folder(), self._mask, self._settings)

    def _tick(self, context: bpy.types.Context) -> bool:
        """Look what the worker has said; False when all is done."""
        outcome = self._ready or SESSION.tick()
        if redraw(context):
            context.workspace.status_text_set(f"Imago: {progress_text(SESSION.job)}  |  Esc: Cancel" if SESSION.job else None)
        if outcome is None:
            if SESSION.job is not None:
                wake_one(SESSION.job.request.photo)
            return True
        SESSION.placing = outcome.folder is not None and not self._may_build(context, outcome.folder)
        self._ready = outcome if SESSION.placing else None
        if SESSION.placing:
            return True
        self._take(context, outcome)
        if self._left:
            self._next(context)
        return bool(SESSION.job)

    def _may_build(self, context: bpy.types.Context, folder: Path) -> bool:
        """Not at the tick that reads the run, so that each is short; and in Object Mode only, or the car would join another mode's undo."""
        if self._loaded is None:
            self._loaded = load_run(folder)
            return False
        return context.mode == "OBJECT"

    def _take(self, context: bpy.types.Context, outcome: Outcome) -> None:
        """The end of one photograph."""
        if outcome.folder is not None:
            self._finish(context, self._loaded or load_run(outcome.folder))
            self._made += 1
            self._loaded = None
            for notice in outcome.notices:  # the car is there; the panel offers what helps the next one
                SESSION.problem = notice
                self.report({"WARNING"}, notice.sentence)
        elif outcome.problem is not None:
            self._complain(outcome.problem)
        else:
            self._left.clear()  # cancelled

    def _finish(self, context: bpy.types.Context, run: LoadedRun) -> None:
        """Put the finished car into the scene.  Raises UserInputError."""
        raise NotImplementedError

    def _complain(self, problem: Problem) -> None:
        """In the panel, with the button that mends it; and in the status bar, or as an exception for a script that waits."""
        SESSION.problem = problem
        self.report({"ERROR" if self._called_by_script else "WARNING"}, problem.sentence)  # an error would pop up over the panel

    def _result(self) -> set[str]:
        return {"FINISHED"} if self._made else {"CANCELLED"}

    def _tidy(self, context: bpy.types.Context) -> None:
        SESSION.placing, SESSION.sketch = False, None
        SESSION.place = None
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            context.workspace.status_text_set(None)
        redraw(context, everything=True)


class CreateMaking(Making):
    """A new car at the 3D cursor; not registered itself."""

    def _prepare(self, context: bpy.types.Context) -> None:
        SESSION.place = tuple(context.scene.cursor.location)

    def _finish(self, context: bpy.types.Context, run: LoadedRun) -> None:
        assert SESSION.place is not None, "_prepare() sets it"
        place_run(run, SESSION.place)
        SESSION.place = (SESSION.place[0] + APART_M, *SESSION.place[1:])


class IMAGO_OT_create_car(CreateMaking):
    """Make a textured, rigged car from a photograph, at the 3D cursor"""

    bl_idname = "imago.create_car"
    bl_label = "Make a Car from This Photo"


class IMAGO_OT_update_car(Making):
    """Give the selected car the shape and paint of another photograph; its rig, animation, place and your edits of materials stay"""

    bl_idname = "imago.update_car"
    bl_label = "Update Car from Photo"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return car_selected(cls, context) and super().poll(context)

    def _prepare(self, context: bpy.types.Context) -> None:
        del self._left[1:]
        rig = find_rig(context.active_object)
        if rig is None:
            raise UserInputError("No car is selected: click one that Imago made.")
        self._rig_name = rig.name

    def _finish(self, context: bpy.types.Context, run: LoadedRun) -> None:
        rig = bpy.data.objects.get(self._rig_name)
        if rig is None or find_rig(rig) is None:
            raise UserInputError("The car to update is no longer there: select another one and start again.")
        for notice in update_from_run(rig, run):
            self.report({"WARNING"}, notice)


class IMAGO_OT_cancel(bpy.types.Operator):
    """Stop making the car; nothing of it stays (Esc does the same)"""

    bl_idname = "imago.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return SESSION.job is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        SESSION.cancel()
        return {"FINISHED"}


CLASSES = (IMAGO_OT_create_car, IMAGO_OT_update_car, IMAGO_OT_cancel)
