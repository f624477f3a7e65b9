"""A curve object -> the line that a car follows."""

from __future__ import annotations

import bpy
import numpy as np

from ...core.drive.path import Path, path_through
from ...core.errors import Trouble, UserInputError

FINE = 64  # points between two control points


def path_of(curve: bpy.types.Object) -> Path:
    """The first spline of a curve as it lies in the world, modifiers included.  Raises: UserInputError where there is none."""
    if curve.type != "CURVE" or not curve.data.splines:
        raise UserInputError(f"{curve.name} has no line to follow: choose a curve with at least two points.", Trouble.SCENE)
    points, closed = _line(curve)
    matrix = np.array(curve.matrix_world)
    return path_through(points @ matrix[:3, :3].T + matrix[:3, 3], closed)


def _line(curve: bpy.types.Object) -> tuple[np.ndarray, bool]:
    """(M, 3) points of a fine copy of its own frame; the copy has neither thickness nor cross-section."""
    copy = curve.copy()
    copy.data = curve.data.copy()
    try:
        data = copy.data
        data.resolution_u, data.bevel_depth, data.extrude, data.bevel_object, data.dimensions = FINE, 0.0, 0.0, None, "3D"
        for spline in list(data.splines)[1:]:
            data.splines.remove(spline)
        data.splines[0].resolution_u = FINE
        bpy.context.scene.collection.objects.link(copy)  # only what stands in the scene is evaluated
        mesh = copy.evaluated_get(bpy.context.evaluated_depsgraph_get()).to_mesh()
        if mesh is None or len(mesh.vertices) < 2:
            raise UserInputError(f"{curve.name} has no line to follow: choose a curve with at least two points.", Trouble.SCENE)
        points = np.empty(3 * len(mesh.vertices), np.float32)
        mesh.vertices.foreach_get("co", points)
        return points.reshape(-1, 3).astype(np.float64), bool(data.splines[0].use_cyclic_u)
    finally:
        thrown = copy.data
        bpy.data.objects.remove(copy)
        bpy.data.curves.remove(thrown)
