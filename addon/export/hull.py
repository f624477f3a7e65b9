"""A convex hull with few faces round some points: closed, and nothing sticks out of it.

A few planes are chosen among those of the exact hull, large ones first, and moved outward until every point is behind them; the hull
is what all of them leave.  Blender's own hull is too coarse for more than the choice: it counts a point half a millimetre off as on a face.
"""

from __future__ import annotations

from itertools import combinations

import bmesh
import bpy
import numpy as np

MOST_PLANES = 40
APART01 = 0.94  # cosine between two planes that are worth having both
AROUND_M = 1e-4  # between the points and the hull
SAME_M = 1e-5  # corners that lie together are one
LEAST_PLANES = np.concatenate([np.eye(3), -np.eye(3)])


def hull_mesh(name: str, points: np.ndarray) -> bpy.types.Mesh:
    """The hull of (N, 3) points that span a solid, one polygon for each plane.  The caller removes it."""
    normals = _planes(points)
    distance = (points @ normals.T).max(0) + AROUND_M
    corners = _corners(normals, distance)
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(corners.tolist(), [], _polygons(normals, distance, corners))
    mesh.validate()
    return mesh


def _planes(points: np.ndarray) -> np.ndarray:
    """(P, 3) unit normals: the six sides of a box, then those of the exact hull by the area that looks that way."""
    normals, areas = _exact(points)
    chosen = list(LEAST_PLANES)
    for normal in normals[np.argsort(-areas)]:
        if len(chosen) >= MOST_PLANES:
            break
        if max(float(normal @ other) for other in chosen) < APART01:
            chosen.append(normal)
    return np.array(chosen)


def _exact(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(F, 3) normals and (F,) areas of Blender's hull."""
    work = bmesh.new()
    try:
        for point in points:
            work.verts.new(point.tolist())
        bmesh.ops.convex_hull(work, input=work.verts)
        bmesh.ops.recalc_face_normals(work, faces=work.faces)
        faces = [(tuple(face.normal), face.calc_area()) for face in work.faces if face.calc_area() > 1e-8]
    finally:
        work.free()
    return np.array([normal for normal, _ in faces], float), np.array([area for _, area in faces])


def _corners(normals: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """(C, 3) points where three planes meet that are behind all others, each once."""
    triples = np.array(list(combinations(range(len(normals)), 3)))
    steep = np.abs(np.linalg.det(normals[triples])) > 1e-6
    met = np.linalg.solve(normals[triples[steep]], distance[triples[steep]][..., None])[..., 0]
    corners: list[np.ndarray] = []
    for point in met[(met @ normals.T <= distance + SAME_M / 10).all(1)]:
        if all(np.abs(point - other).max() > SAME_M for other in corners):
            corners.append(point)
    return np.array(corners)


def _polygons(normals: np.ndarray, distance: np.ndarray, corners: np.ndarray) -> list[list[int]]:
    """The corners of each plane, counter-clockwise seen from outside; planes that only touch a corner or an edge have none."""
    polygons = []
    for normal, far in zip(normals, distance, strict=True):
        on_it = np.flatnonzero(np.abs(corners @ normal - far) < 4 * SAME_M)
        if len(on_it) < 3:
            continue
        across = np.cross(normal, LEAST_PLANES[np.abs(normal).argmin() % 3])
        up = np.cross(normal, across)
        from_middle = corners[on_it] - corners[on_it].mean(0)
        polygons.append(on_it[np.argsort(np.arctan2(from_middle @ up, from_middle @ across))].tolist())
    return polygons
