"""Vertices of a mesh that know which vertices of the template they are, and move as those do."""

from __future__ import annotations

import zlib

import bpy
import numpy as np
from mathutils.kdtree import KDTree

from .mesh import attribute, shift_shape_keys

TEMPLATE, VERTEX, HOME = "imago_template", ".imago_vertex", ".imago_home"
BODY, WHEELS = "body", {"wheel_left": 1.0, "wheel_right": -1.0}  # kinds of mesh; of wheels the sign of their outer side
AWAY_M = 1e-3  # meshes further from the template than this are another car
MOVED_M = 1e-5  # a vertex whose home is not its template vertex's was made by the artist from several
BESIDE = 4  # template vertices that such a vertex follows

_followed: dict[str, tuple[int, np.ndarray, np.ndarray]] = {}  # by mesh: checksum of its homes, what _follow gave


def mesh_of(thing: bpy.types.Object) -> bpy.types.Mesh:
    """The object's own mesh, not the evaluated one."""
    return thing.data


def mark(mesh: bpy.types.Mesh, kind: str, vertices: np.ndarray, home_m: np.ndarray) -> None:
    """Note which template vertices (n,) the mesh's are, and where those stand (n, 3).  Raises: ValueError where they stand elsewhere."""
    count = len(mesh.vertices)
    if count != len(vertices) or np.abs(_places(mesh) - home_m).max(initial=0) > AWAY_M:
        raise ValueError(f"the mesh {mesh.name} is not the template's")
    mesh[TEMPLATE] = kind
    attribute(mesh, VERTEX, "INT", "POINT").data.foreach_set("value", np.ascontiguousarray(vertices, np.int32))
    attribute(mesh, HOME, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", np.ascontiguousarray(home_m, np.float32).ravel())


def stored_places(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Template vertex (n,) int32 and home (n, 3) float32 of every vertex.  Raises KeyError for a mesh without."""
    vertex, home = np.empty(len(mesh.vertices), np.int32), np.empty(3 * len(mesh.vertices), np.float32)
    mesh.attributes[VERTEX].data.foreach_get("value", vertex)
    mesh.attributes[HOME].data.foreach_get("vector", home)
    return vertex, home.reshape(-1, 3)


def move(mesh: bpy.types.Mesh, offsets_m: np.ndarray, base_m: np.ndarray) -> None:
    """Add to every vertex the offset (V, 3) of its template vertex; base_m (V, 3) are the template's homes.  Shape keys move alike."""
    beside, weights = _follow(mesh, base_m)
    step = offsets_m[beside[:, 0]] if weights.shape[1] == 1 else (offsets_m[beside] * weights[..., None]).sum(1)
    step = step.astype(np.float32)
    mesh.vertices.foreach_set("co", (_places(mesh) + step).ravel())
    shift_shape_keys(mesh, step)
    mesh.update()


def _places(mesh: bpy.types.Mesh) -> np.ndarray:
    places = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", places)
    return places.reshape(-1, 3)


def _follow(mesh: bpy.types.Mesh, base_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Template vertices (n, k) that each vertex follows and their weights (n, k); k is 1 while no vertex was added between others."""
    vertex, home = stored_places(mesh)
    checksum = zlib.crc32(home.tobytes(), zlib.crc32(vertex.tobytes(), zlib.crc32(base_m.tobytes())))
    known = _followed.get(mesh.name_full)
    if known is None or known[0] != checksum:
        if len(_followed) > 200:
            _followed.clear()
        known = checksum, *_follow_anew(vertex, home, base_m)
        _followed[mesh.name_full] = known
    return known[1], known[2]


def _follow_anew(vertex: np.ndarray, home: np.ndarray, base_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of the template follow themselves; those between them the nearest ones, by inverse squared distance of their homes."""
    vertex = np.clip(vertex, 0, len(base_m) - 1)
    between = np.flatnonzero(np.abs(base_m[vertex] - home).max(1, initial=0) > MOVED_M)
    if not len(between):
        return vertex[:, None], np.ones((len(vertex), 1), np.float32)
    tree = KDTree(len(base_m))
    for k, place in enumerate(base_m.tolist()):
        tree.insert(place, k)
    tree.balance()
    beside = np.repeat(vertex[:, None], BESIDE, 1)
    weights = np.zeros((len(vertex), BESIDE), np.float32)
    weights[:, 0] = 1
    for k in between.tolist():
        found = tree.find_n(home[k], BESIDE)
        near = np.array([1 / max(distance, 1e-6) ** 2 for _, _, distance in found])
        beside[k], weights[k] = [index for _, index, _ in found], near / near.sum()
    return beside, weights
