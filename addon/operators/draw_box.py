"""Draw a Box: in the Image Editor, round the car that is meant."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
from pathlib import Path

import bpy
import gpu
from gpu_extras.batch import batch_for_shader  # type: ignore[import-not-found]

from ..photo_box import orientation_of, upright_box
from .photos import chosen_picture
from .polls import picture_shown
from .redraw import redraw_all

COLOUR_SRGBA01 = (1.0, 0.6, 0.1, 1.0)
LEAST_PX = 8  # the worker takes no smaller box either
HINT = "Press, drag and release to draw a box round the car  |  Esc, Right Mouse: Cancel"
Corners = list[tuple[float, float]]  # none or two opposite ones, shares from the bottom left, so that they stay while the view moves


class IMAGO_OT_draw_box(bpy.types.Operator):
    """Draw a box round the car that is meant, over the photograph in this editor"""

    bl_idname = "imago.draw_box"
    bl_label = "Draw a Box Round the Car"
    _handler = None

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return picture_shown(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self._corners01: Corners = []
        drawn = (context.area.as_pointer(), self._corners01)
        self._handler = bpy.types.SpaceImageEditor.draw_handler_add(_draw, drawn, "WINDOW", "POST_PIXEL")
        context.area.header_text_set(HINT)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        answer = {"CANCELLED"}
        try:
            answer = self._take(context, event)
        finally:
            if answer & {"FINISHED", "CANCELLED"}:
                self.cancel(context)
        return answer

    def cancel(self, context: bpy.types.Context) -> None:
        """However it ends, also when Blender ends it because another file is opened: nothing is drawn any more."""
        if self._handler is not None:
            bpy.types.SpaceImageEditor.draw_handler_remove(self._handler, "WINDOW")
            self._handler = None
        if context.area is not None:
            context.area.header_text_set(None)
            context.area.tag_redraw()

    def _take(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type in {"ESC", "RIGHTMOUSE"} or not picture_shown(type(self), context):
            return {"CANCELLED"}
        region = next(region for region in context.area.regions if region.type == "WINDOW")  # the button's is the sidebar
        x, y = event.mouse_x - region.x, event.mouse_y - region.y
        place01 = tuple(min(max(share, 0.0), 1.0) for share in region.view2d.region_to_view(x, y))
        pressed = event.type == "LEFTMOUSE" and event.value == "PRESS"
        if pressed and not (0 <= x < region.width and 0 <= y < region.height):
            return {"CANCELLED", "PASS_THROUGH"}  # the user went on to something else
        if not (pressed or (self._corners01 and event.type in {"LEFTMOUSE", "MOUSEMOVE"})):
            return {"PASS_THROUGH"}  # zooming and the like
        self._corners01[:] = (place01 if pressed else self._corners01[0], place01)
        context.area.tag_redraw()
        if event.type == "LEFTMOUSE" and event.value == "RELEASE":
            if take_box(context, context.space_data.image, self._corners01):
                return {"FINISHED"}
            self._corners01.clear()  # a click, or next to nothing
        return {"RUNNING_MODAL"}


def take_box(context: bpy.types.Context, image: bpy.types.Image, corners01: Corners) -> bool:
    """Put the box into the panel, and the picture too where it holds another; False for a box too small to hold a car."""
    inputs = context.window_manager.imago
    shown, named = (Path(bpy.path.abspath(name)) for name in (image.filepath_from_user(), inputs.photo))
    if inputs.source != "FILE" or not inputs.photo or shown.resolve() != named.resolve():
        inputs.source, inputs.image = "IMAGE", image.name
    left, top, right, bottom = upright_box(corners01, tuple(image.size), orientation_of(Path(chosen_picture(context))))
    if min(right - left, bottom - top) < LEAST_PX:
        return False
    inputs.box = left, top, right, bottom
    redraw_all()
    return True


def _draw(area: int, corners01: Corners) -> None:
    """`area` is the address of the editor that it is drawn in, of several."""
    if not corners01 or bpy.context.area.as_pointer() != area:
        return
    (left, low), (right, high) = (bpy.context.region.view2d.view_to_region(*corner, clip=False) for corner in corners01)
    corners = [(left, low, 0), (right, low, 0), (right, high, 0), (left, high, 0), (left, low, 0)]
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    shader.uniform_float("color", COLOUR_SRGBA01)
    batch_for_shader(shader, "LINE_STRIP", {"pos": corners}).draw(shader)


CLASSES = (IMAGO_OT_draw_box,)
