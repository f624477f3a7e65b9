"""What the bones look like: thin lines, made once a file and shared by all cars.

The meshes stand in no collection: a bone that shows one is all that keeps it.
"""

from __future__ import annotations

import math

import bpy

from ...core.types import CarAsset
from .bones import BODY, DRIFT, ROOT, STEERING, of_wheel

PREFIX = "WGT_imago_"
Line = list[tuple[float, float, float]]


def add_widgets(rig: bpy.types.Object, asset: CarAsset) -> None:
    """Give every bone that an animator may take its shape, in metres, whatever the bone's length."""
    length, width = asset.dimensions_m["length"], asset.dimensions_m["width"]
    _show(rig, ROOT, "root", (0.62 * width, 0.56 * length, 1.0))
    _show(rig, DRIFT, "arc", (0.5 * length, 0.5 * length, 1.0))
    _show(rig, STEERING, "handle", (0.35, 0.35, 0.35))
    _show(rig, BODY, "frame", (0.55 * width, 0.5 * length, 1.0), (0.0, 0.0, asset.dimensions_m["height"]))
    for wheel in asset.wheels:
        outward = math.copysign(0.5 * wheel.width_m + 0.03, wheel.center_car[0])
        _show(rig, wheel.name, "ring", (1.0, wheel.radius_m, wheel.radius_m), (outward, 0.0, 0.0))
        _show(rig, of_wheel("travel", wheel.name), "post", (1.0, 1.0, 0.4), (outward, 0.0, wheel.radius_m))
        _show(rig, of_wheel("ground", wheel.name), "cross", (0.25, 0.25, 0.25), (2.0 * outward, 0.0, 0.0))


def _show(
    rig: bpy.types.Object, bone: str, shape: str, scale: tuple[float, float, float], place: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> None:
    pose_bone = rig.pose.bones[bone]
    pose_bone.custom_shape = _widget(shape)
    pose_bone.use_custom_shape_bone_size = False
    pose_bone.custom_shape_scale_xyz, pose_bone.custom_shape_translation = scale, place


def _widget(shape: str) -> bpy.types.Object:
    name = PREFIX + shape
    found = next((thing for thing in bpy.data.objects if thing.name == name and thing.library is None), None)
    if found is not None:
        return found
    points, edges = _SHAPES[shape]()
    data = bpy.data.meshes.new(name)
    data.from_pydata(points, edges, [])
    return bpy.data.objects.new(name, data)


def _joined(*lines: Line) -> tuple[Line, list[tuple[int, int]]]:
    """Open lines as points and edges."""
    points: Line = []
    edges = []
    for line in lines:
        edges += [(len(points) + k, len(points) + k + 1) for k in range(len(line) - 1)]
        points += line
    return points, edges


def _circle(axis: int, first: float = 0.0, last: float = 2 * math.pi, count: int = 32) -> Line:
    """Part of a circle of radius 1 about an axis (0 X, 2 Z); 0 points to the front, or up about X."""
    turn = [first + (last - first) * k / count for k in range(count + 1)]
    return [(0.0, -math.sin(a), math.cos(a)) if axis == 0 else (math.sin(a), -math.cos(a), 0.0) for a in turn]


def _root() -> tuple[Line, list[tuple[int, int]]]:
    """A floor plan with an arrow at the nose."""
    plan = [(-1.0, -0.9, 0.0), (-1.0, 1.0, 0.0), (1.0, 1.0, 0.0), (1.0, -0.9, 0.0)]
    arrow = [(1.0, -0.9, 0.0), (0.45, -0.9, 0.0), (0.45, -1.08, 0.0), (0.7, -1.08, 0.0), (0.0, -1.3, 0.0)]
    return _joined(plan, arrow, [(-x, y, z) for x, y, z in arrow][::-1] + [(-1.0, -0.9, 0.0)])


def _arc() -> tuple[Line, list[tuple[int, int]]]:
    """An arc behind the tail with an arrow at either end."""
    a, b = 0.84 * math.pi, 1.16 * math.pi
    barbs = [[(math.sin(end) * r, -math.cos(end) * r, 0.0) for end, r in ((end + turn, 1.06), (end, 1.0), (end + turn, 0.94))]
             for end, turn in ((a, 0.05), (b, -0.05))]  # fmt: skip
    return _joined(_circle(2, a, b, 16), *barbs)


def _handle() -> tuple[Line, list[tuple[int, int]]]:
    """A steering wheel seen from above."""
    return _joined(_circle(2), *([(0.0, 0.0, 0.0), (math.sin(a), -math.cos(a), 0.0)] for a in (0.0, 2.1, -2.1)))


def _frame() -> tuple[Line, list[tuple[int, int]]]:
    """Four corners over the roof."""
    return _joined(*([(0.6 * x, y, 0.0), (x, y, 0.0), (x, 0.6 * y, 0.0)] for x in (-1.0, 1.0) for y in (-1.0, 1.0)))


_SHAPES = {
    "root": _root,
    "arc": _arc,
    "handle": _handle,
    "frame": _frame,
    "ring": lambda: _joined(_circle(0)),
    "post": lambda: _joined([(0.0, 0.0, 0.0), (0.0, 0.0, 0.6)], [(0.0, -0.08, 0.45), (0.0, 0.0, 0.6), (0.0, 0.08, 0.45)]),
    "cross": lambda: _joined([(-1.0, 0.0, 0.0), (1.0, 0.0, 0.0)], [(0.0, -1.0, 0.0), (0.0, 1.0, 0.0)], _circle(2, count=24)),
}
