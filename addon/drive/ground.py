"""Mesh objects of the scene -> how high the ground is."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree

from ...core.drive.ground import Heights

OVERHEAD_M = 2.0  # bridges and branches higher than this above the wheel are not the ground
FAR_M = 1e5


def heights_of(ground: bpy.types.Object) -> Heights:
    """Heights of one object as it is now, modifiers included, looked up straight down."""
    graph = bpy.context.evaluated_depsgraph_get()
    seen = ground.evaluated_get(graph)
    mesh = seen.to_mesh()
    try:
        tree = BVHTree.FromPolygons(
            [tuple(ground.matrix_world @ vertex.co) for vertex in mesh.vertices], [tuple(polygon.vertices) for polygon in mesh.polygons]
        )
    finally:
        seen.to_mesh_clear()
    down = Vector((0, 0, -1))

    def height(x: float, y: float, near: float) -> float:
        hit = tree.ray_cast(Vector((x, y, near + OVERHEAD_M)), down)[0] or tree.ray_cast(Vector((x, y, FAR_M)), down)[0]
        return hit.z if hit is not None else float("nan")

    def heights(places: np.ndarray, near: np.ndarray) -> np.ndarray:
        return np.array([height(x, y, z) for (x, y), z in zip(places.tolist(), near.tolist(), strict=True)])

    return heights
