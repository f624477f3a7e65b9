"""Having Blender draw again what of ours has changed."""

from __future__ import annotations

import bpy

from ..session import SESSION
from .later import viewport_of

PANEL_TAB = "Imago"
TRIES, TRY_AGAIN_S = 20, 0.1
_shown: tuple[object, ...] = ()


def redraw(context: bpy.types.Context, everything: bool = False) -> bool:
    """Redraw our panels when the progress changed, and the viewports when the car in the making did.  True where something changed."""
    global _shown
    job = SESSION.job
    progress = (job.stage, round(job.fraction01, 2), job.left_s and round(job.left_s)) if job else ()
    state = (*progress, id(SESSION.sketch), SESSION.placing)
    changed = everything or state != _shown
    if changed:
        redraw_all(viewports=everything or state[-2:] != _shown[-2:])
    _shown = state
    return changed


def redraw_all(viewports: bool = False) -> None:
    """Every sidebar and the preferences; with `viewports` what stands beside the sidebars too."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            for region in area.regions if area.type == "VIEW_3D" else ():
                if region.type == "UI" or (viewports and region.type == "WINDOW"):
                    region.tag_redraw()


def new_editor(context: bpy.types.Context, kind: str) -> bpy.types.Space:
    """An editor of a kind that fills a new window."""
    bpy.ops.wm.window_new()
    area = max(context.window_manager.windows[-1].screen.areas, key=lambda area: area.width * area.height)
    area.type = kind
    return area.spaces.active


def show_panel() -> None:
    """Open our tab in the sidebar of the largest viewport, so that progress is seen wherever the photo was dropped."""
    if bpy.app.background:
        return
    left = [TRIES]

    def try_again() -> float | None:
        left[0] -= 1
        return None if _tab_shown() or left[0] <= 0 else TRY_AGAIN_S

    bpy.app.timers.register(try_again, first_interval=0.0)


def _tab_shown() -> bool:
    """Show the tab; False where a sidebar that was closed has not been drawn yet and so does not know its tabs."""
    window = bpy.context.window_manager.windows[0]
    area = viewport_of(window).get("area")
    if area is None:
        return True
    area.spaces.active.show_region_ui = True
    sidebar = next(region for region in area.regions if region.type == "UI")
    try:
        sidebar.active_panel_category = PANEL_TAB
    except (AttributeError, TypeError):  # read-only until it was drawn; and then it knows only tabs that have panels to show
        return False
    return True
