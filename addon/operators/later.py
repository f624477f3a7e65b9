"""Calling an operator after the present one: dialogs and file browsers end by execute(), from which no modal operator can start."""

from __future__ import annotations

from typing import Any

import bpy


def invoke_later(operator: str, **properties: Any) -> None:
    """Invoke AREA.NAME as if the user had clicked it in a 3D viewport, as soon as Blender is idle."""
    area_name, name = operator.split(".")

    def call() -> None:
        window = bpy.context.window or bpy.context.window_manager.windows[0]
        with bpy.context.temp_override(window=window, **viewport_of(window)):
            getattr(getattr(bpy.ops, area_name), name)("INVOKE_DEFAULT", **properties)

    bpy.app.timers.register(call, first_interval=0.01)


def viewport_of(window: bpy.types.Window) -> dict[str, Any]:
    """area and region of the window's largest 3D viewport, for temp_override; empty where it shows none."""
    areas = [area for area in window.screen.areas if area.type == "VIEW_3D"]
    if not areas:
        return {}
    area = max(areas, key=lambda area: area.width * area.height)
    return {"area": area, "region": next(region for region in area.regions if region.type == "WINDOW")}
