"""What is going on, in any panel: the set-up, the progress, a problem with the button that mends it."""

from __future__ import annotations

import textwrap

import bpy

from ...core.errors import Trouble
from ..chosen import worker_python
from ..places import ROOT
from ..remedies import REMEDIES
from ..runtime.environment import wheels_folder
from ..session import SESSION, progress_text, share_text

FETCH = "Once per machine: fetch what making a car needs, 0.3 GB (on Linux up to 3 GB). It goes to your user folder."
PX_PER_LETTER = 7.0  # of Blender's interface font at scale 1


def draw_set_up(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The one button of a fresh install, or how far its work is; nothing once that is done."""
    state = SESSION.set_up_state
    if SESSION.set_up is not None and state is not None:
        column = layout.column(align=True)
        column.progress(factor=state.fraction01, text=share_text(state.stage, state.fraction01, state.left_s), type="BAR")
        column.operator("imago.cancel_set_up", icon="CANCEL")
    elif worker_python() is None:
        column = layout.column()
        wrapped(column, context, "Once per machine: unpack what making a car needs." if wheels_folder(ROOT) else FETCH)
        row = column.row()
        row.scale_y = 1.6
        row.operator("imago.set_up", icon="IMPORT")


def draw_problem(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The last problem: its sentence, the button that mends it, and one that takes it away."""
    problem = SESSION.problem
    if problem is None:
        return
    box = layout.box()
    row = box.row()
    column = row.column(align=True)
    column.alert = not_well = problem.trouble is not Trouble.SEVERAL_CARS  # of which one was made all the same
    wrapped(column, context, problem.sentence, icon="ERROR" if not_well else "INFO")
    row.operator("imago.dismiss", text="", icon="X", emboss=False)
    remedy = REMEDIES[problem.trouble]
    button = box.operator(remedy.operator, text=remedy.text, icon=remedy.icon)
    for name, value in remedy.properties.items():
        setattr(button, name, value)
    if remedy.operator != "imago.show_log" and problem.detail:
        box.operator("imago.show_log", icon="TEXT")


def draw_progress(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """Stage, percentage, time left and Cancel of the car in the making."""
    column = layout.column(align=True)
    job = SESSION.job
    if job is None:
        wrapped(column, context, "The car is ready: it appears when you are back in Object Mode.", icon="INFO")
        return
    column.label(text=job.photo_name, icon="AUTO")
    column.progress(factor=job.fraction01, text=progress_text(job), type="BAR")
    column.operator("imago.cancel", text="Cancel  (Esc)", icon="CANCEL")
    for notice in job.notices:
        wrapped(column, context, notice.sentence, icon="INFO")


def wrapped(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """A sentence over as many lines as the region's width needs; labels do not wrap by themselves."""
    width_px = context.region.width if context.region else 300
    letters = max(20, int((width_px / (context.preferences.system.ui_scale or 1.0) - 60) / PX_PER_LETTER))
    for number, line in enumerate(textwrap.wrap(text, letters)):
        layout.label(text=line, icon=icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE"))
