"""The car in the making, drawn into the viewports: no objects, so that undo, saving and cancelling never meet half a car."""

from __future__ import annotations

import bpy
import gpu
import numpy as np

from ..core.paint.colour import srgb_from_linear
from ..core.sketch import Sketch
from .session import SESSION

LIGHT = np.array([0.35, -0.5, 0.79], np.float32)  # from the front left, above
AMBIENT = 0.42

_handler: object | None = None
_drawn: tuple[int, tuple[float, float, float], gpu.types.GPUBatch] | None = None


def shaded_corners(sketch: Sketch) -> tuple[np.ndarray, np.ndarray]:
    """Flat-shaded triangle corners: place (3 T, 3) and display colour (3 T, 4), which is what Blender's shader takes, float32."""
    corner = sketch.vertices_car[sketch.triangles]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    light = AMBIENT + (1 - AMBIENT) * (normal @ LIGHT).clip(0, 1)
    colour = np.ones((len(corner), 4), np.float32)
    colour[:, :3] = srgb_from_linear(sketch.colour_linear * light[:, None])
    return np.ascontiguousarray(corner.reshape(-1, 3), np.float32), np.repeat(colour, 3, axis=0)


def attach() -> None:
    """Nothing to draw on without a window."""
    global _handler
    if not bpy.app.background:
        _handler = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW")


def detach() -> None:
    global _handler, _drawn
    if _handler is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handler, "WINDOW")
    _handler = _drawn = None


def _draw() -> None:
    global _drawn
    sketch, place = SESSION.sketch, SESSION.place
    if sketch is None or place is None:
        _drawn = None
        return
    if _drawn is None or _drawn[:2] != (id(sketch), place):
        _drawn = (id(sketch), place, _batch(sketch, place))
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    gpu.state.face_culling_set("BACK")
    _drawn[2].draw(gpu.shader.from_builtin("FLAT_COLOR"))
    gpu.state.face_culling_set("NONE")
    gpu.state.depth_mask_set(False)
    gpu.state.depth_test_set("NONE")


def _batch(sketch: Sketch, place: tuple[float, float, float]) -> gpu.types.GPUBatch:
    position, colour = shaded_corners(sketch)
    form = gpu.types.GPUVertFormat()
    form.attr_add(id="pos", comp_type="F32", len=3, fetch_mode="FLOAT")
    form.attr_add(id="color", comp_type="F32", len=4, fetch_mode="FLOAT")
    buffer = gpu.types.GPUVertBuf(form, len(position))
    buffer.attr_fill("pos", position + np.asarray(place, np.float32))
    buffer.attr_fill("color", colour)
    return gpu.types.GPUBatch(type="TRIS", buf=buffer)
