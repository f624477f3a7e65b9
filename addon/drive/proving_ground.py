"""A figure of eight and a field of waves, on which driving is measured and tested."""

from __future__ import annotations

import bpy
import numpy as np

ACROSS_M = 24.0
WAVE_M = 0.2
FIELD_M, FIELD_FACES = 40.0, 160


def add_eight() -> bpy.types.Object:
    """A closed smooth curve on the floor, 48 m across, in the scene."""
    data = bpy.data.curves.new("eight", "CURVE")
    data.dimensions = "3D"
    spline = data.splines.new("NURBS")
    turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    spline.points.add(len(turn) - 1)
    points = np.stack([ACROSS_M * np.sin(turn), 0.7 * ACROSS_M * np.sin(2 * turn), 0 * turn, 0 * turn + 1], 1)
    spline.points.foreach_set("co", points.ravel())
    spline.use_cyclic_u, spline.order_u = True, 4
    return _standing("eight", data)


def add_waves() -> bpy.types.Object:
    """25,600 faces of waves of WAVE_M, 80 m square, in the scene."""
    count = FIELD_FACES + 1
    x, y = np.meshgrid(*2 * [np.linspace(-FIELD_M, FIELD_M, count)], indexing="ij")
    number = np.arange(count * count).reshape(count, count)
    quads = np.stack([number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]], -1).reshape(-1, 4)
    data = bpy.data.meshes.new("waves")
    data.from_pydata(np.stack([x, y, WAVE_M * np.sin(x / 2.5) * np.cos(y / 3)], -1).reshape(-1, 3).tolist(), [], quads.tolist())
    return _standing("waves", data)


def _standing(name: str, data: bpy.types.ID) -> bpy.types.Object:
    thing = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(thing)
    return thing
