"""Having Blender draw again what of ours has changed."""

from __future__ import annotations

import bpy

from ..session import SESSION

PANEL_TAB = "Imago"
_shown: tuple[object, ...] = ()


def redraw(context: bpy.types.Context, everything: bool = False) -> None:
    """Redraw our panels when the progress changed, and the viewports when the car in the making did."""
    global _shown
    job = SESSION.job
    progress = (job.stage, round(job.fraction01, 2), job.left_s and round(job.left_s)) if job else ()
    state = (*progress, id(job.sketch) if job else None, SESSION.waits_for_object_mode)
    if everything or state != _shown:
        redraw_all(viewports=everything or state[-2:] != _shown[-2:])
    _shown = state


def redraw_all(viewports: bool = False) -> None:
    """Every sidebar and the preferences; with `viewports` what stands beside the sidebars too."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "PREFERENCES":
                area.tag_redraw()
            for region in area.regions if area.type == "VIEW_3D" else ():
                if region.type == "UI" or (viewports and region.type == "WINDOW"):
                    region.tag_redraw()


def show_panel(context: bpy.types.Context) -> None:
    """Open the sidebar of the viewport at our tab, so that progress is seen wherever the photo was dropped."""
    area = context.area
    if area is None or area.type != "VIEW_3D":
        return
    area.spaces.active.show_region_ui = True
    for region in area.regions:
        if region.type == "UI" and not region.bl_rna.properties["active_panel_category"].is_readonly:
            region.active_panel_category = PANEL_TAB
