"""A car model in Blender: brought in, and changed like its copy in core.dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ...core.dataset.cars import wheel_of
from ..quiet import quiet_stdout

Change = Callable[[np.ndarray, np.ndarray], np.ndarray]  # points (N, 3) and the wheel of each, or NO_WHEEL, to their new places
QUIET = 50  # of the importer's log: it would print a line a mesh


def bring_in(file: Path) -> list[bpy.types.Object]:
    """The meshes of a GLB, each with data of its own, places applied."""
    before = set(bpy.data.objects)
    with quiet_stdout():
        bpy.ops.import_scene.gltf(filepath=str(file), loglevel=QUIET)
    meshes = [thing for thing in bpy.data.objects if thing not in before and thing.type == "MESH"]
    for mesh in meshes:
        place = mesh.matrix_world.copy()
        mesh.data = mesh.data.copy()
        mesh.parent = None
        mesh.data.transform(place)
        mesh.matrix_world = Matrix.Identity(4)
    return meshes


def _points(mesh: bpy.types.Object) -> np.ndarray:
    flat = np.empty(3 * len(mesh.data.vertices), np.float32)
    mesh.data.vertices.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def originals(meshes: list[bpy.types.Object]) -> list[np.ndarray]:
    """Every mesh's vertices as they came, (V, 3) each."""
    return [_points(mesh) for mesh in meshes]


def deform(meshes: list[bpy.types.Object], before: list[np.ndarray], change: Change | None) -> None:
    """Give the meshes another form; None: as they came."""
    points = np.concatenate(before)
    if change is not None:
        wheel = np.concatenate([np.full(len(p), wheel_of(mesh.name, p)) for mesh, p in zip(meshes, before, strict=True)])
        points = change(points, wheel).astype(np.float32)
    first = 0
    for mesh, own in zip(meshes, before, strict=True):
        mesh.data.vertices.foreach_set("co", np.ascontiguousarray(points[first : first + len(own)]).ravel())
        mesh.data.update()
        first += len(own)
