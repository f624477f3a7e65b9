"""Vertices of a mesh that know which vertices of the template they are, and move as those do."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import bpy
import numpy as np
from mathutils.kdtree import KDTree

from .mesh import attribute, shift_shape_keys

TEMPLATE, VERTEX, HOME, OFFSET = "imago_template", ".imago_vertex", ".imago_home", ".imago_offset"
BODY, WHEELS = "body", {"wheel_left": 1.0, "wheel_right": -1.0}  # kinds of mesh; of wheels the sign of their outer side
AWAY_M = 1e-3  # meshes further from the template than this are another car
MOVED_M = 1e-5  # a vertex whose home is not its template vertex's was made by the artist from several
BESIDE = 4  # template vertices that such a vertex follows

_followed: dict[str, tuple[int, np.ndarray, np.ndarray]] = {}  # by mesh: checksum of its homes, what _follow gave


def mesh_of(thing: bpy.types.Object) -> bpy.types.Mesh:
    """The object's own mesh, not the evaluated one."""
    return thing.data


def mark(mesh: bpy.types.Mesh, kind: str, vertices: np.ndarray, home_m: np.ndarray, offset_m: np.ndarray) -> None:
    """Note which template vertices (n,) the mesh's are, where those stand (n, 3), and how far from there the mesh's do (n, 3).

    Raises: ValueError where they stand elsewhere.
    """
    count = len(mesh.vertices)
    if count != len(vertices) or np.abs(_places(mesh) - home_m - offset_m).max(initial=0) > AWAY_M:
        raise ValueError(f"the mesh {mesh.name} is not the template's")
    mesh[TEMPLATE] = kind
    attribute(mesh, VERTEX, "INT", "POINT").data.foreach_set("value", np.ascontiguousarray(vertices, np.int32))
    for name, vectors in ((HOME, home_m), (OFFSET, offset_m)):
        attribute(mesh, name, "FLOAT_VECTOR", "POINT").data.foreach_set("vector", np.ascontiguousarray(vectors, np.float32).ravel())


def stored_places(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Template vertex (n,) int32 and home (n, 3) float32 of every vertex.  Raises KeyError for a mesh without."""
    vertex, home = np.empty(len(mesh.vertices), np.int32), np.empty(3 * len(mesh.vertices), np.float32)
    mesh.attributes[VERTEX].data.foreach_get("value", vertex)
    mesh.attributes[HOME].data.foreach_get("vector", home)
    return vertex, home.reshape(-1, 3)


def stored_offset(mesh: bpy.types.Mesh) -> np.ndarray:
    """How far from its home every vertex stood when the car was made, (n, 3) float32; zeros for a car of an older version."""
    offset = np.zeros(3 * len(mesh.vertices), np.float32)
    if OFFSET in mesh.attributes:
        mesh.attributes[OFFSET].data.foreach_get("vector", offset)
    return offset.reshape(-1, 3)


def template_offset(meshes: Iterable[bpy.types.Mesh], base_m: np.ndarray) -> np.ndarray:
    """The offset of every template vertex (V, 3) that one of the meshes still has, zero for others; base_m (V, 3) are their homes."""
    gathered = np.zeros_like(base_m, np.float32)
    for mesh in meshes:
        vertex, home = stored_places(mesh)
        own = _is_own(vertex, home, base_m)
        gathered[vertex[own]] = stored_offset(mesh)[own]
    return gathered


def move(mesh: bpy.types.Mesh, change_m: np.ndarray, base_m: np.ndarray, stretch: np.ndarray) -> None:
    """Add to every vertex the change (V, 3) of its template vertex, and `stretch` (3,) times its own offset; shape keys move alike.

    base_m (V, 3) are the template's homes.
    """
    beside, weights = _follow(mesh, base_m)
    step = change_m[beside[:, 0]] if weights.shape[1] == 1 else (change_m[beside] * weights[..., None]).sum(1)
    step = (step + stored_offset(mesh) * stretch).astype(np.float32)
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


def _is_own(vertex: np.ndarray, home: np.ndarray, base_m: np.ndarray) -> np.ndarray:
    """(n,) whether each vertex is the template's own, not one that an artist made between several."""
    inside = np.clip(vertex, 0, len(base_m) - 1)
    return (inside == vertex) & (np.abs(base_m[inside] - home).max(1, initial=0) <= MOVED_M)


def _follow_anew(vertex: np.ndarray, home: np.ndarray, base_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of the template follow themselves; those between them the nearest ones, by inverse squared distance of their homes."""
    between = np.flatnonzero(~_is_own(vertex, home, base_m))
    vertex = np.clip(vertex, 0, len(base_m) - 1)
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
