"""Levels of detail: fewer faces by Blender's decimation, in the car's own frame, where the body is the same left and right."""

from __future__ import annotations

import bpy
import numpy as np

FEWEST_TRIANGLES = 24  # smaller meshes stay as they are
NEAR01 = 0.01  # how near to the wanted share is good enough
TRIES = 3
SYMMETRY_M = 1e-4


def triangles_of(mesh: bpy.types.Mesh) -> int:
    """How many triangles the faces come to."""
    return len(mesh.loops) - 2 * len(mesh.polygons)


def decimated(mesh: bpy.types.Mesh, share01: float, scene: bpy.types.Scene) -> bpy.types.Mesh:
    """A new mesh with about that share of the triangles; UVs, materials and borders stay.  The caller removes it."""
    wanted = share01 * triangles_of(mesh)
    if triangles_of(mesh) <= FEWEST_TRIANGLES:
        return mesh.copy()
    symmetric, ratio = _is_symmetric(mesh), share01
    found = _decimate(mesh, ratio, symmetric, scene)
    for _ in range(TRIES - 1):
        if abs(triangles_of(found) - wanted) <= NEAR01 * triangles_of(mesh):
            break
        ratio *= wanted / max(triangles_of(found), 1)
        bpy.data.meshes.remove(found)
        found = _decimate(mesh, min(ratio, 1.0), symmetric, scene)
    return found


def _decimate(mesh: bpy.types.Mesh, ratio: float, symmetric: bool, scene: bpy.types.Scene) -> bpy.types.Mesh:
    thing = bpy.data.objects.new("imago decimation", mesh)
    modifier = thing.modifiers.new("fewer", "DECIMATE")
    modifier.decimate_type, modifier.ratio = "COLLAPSE", ratio
    modifier.use_symmetry, modifier.symmetry_axis = symmetric, "X"
    return through_modifiers(thing, scene)


def through_modifiers(thing: bpy.types.Object, scene: bpy.types.Scene) -> bpy.types.Mesh:
    """A new mesh, what an object's modifiers make of its own; the object, which stands nowhere yet, is gone afterwards."""
    scene.collection.objects.link(thing)
    try:
        layer = scene.view_layers[0]
        layer.update()
        graph = layer.depsgraph
        return bpy.data.meshes.new_from_object(thing.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    finally:
        bpy.data.objects.remove(thing)


def _is_symmetric(mesh: bpy.types.Mesh) -> bool:
    """Whether every vertex has its mirror image across x = 0."""
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    grid = np.rint(points.reshape(-1, 3) / SYMMETRY_M).astype(np.int64)
    mirrored = grid * [-1, 1, 1]
    return {tuple(row) for row in mirrored.tolist()} == {tuple(row) for row in grid.tolist()}
