"""The `high` level of the template: quads split in four by Catmull and Clark's rules, folds and borders kept.  numpy alone.

E. Catmull and J. Clark 1978, "Recursively generated B-spline surfaces on arbitrary topological meshes"; semi-sharp creases by
T. DeRose, M. Kass and T. Truong 1998, "Subdivision surfaces in character animation", section 3 and appendix A.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import check_shape
from ..types import MeshData, Wheel
from .folds import CREASE, faces_beside, folded_edges
from .parts import material_of

SHARPNESS = 10 * CREASE**2  # Blender's crease 0..1 in the levels of DeRose 1998: an edge stays sharp for that many


@dataclass(frozen=True)
class Edges:
    """vertices (E, 2) ascending; of_face (F, 4) the edge from corner k to corner k + 1; faces (E,) how many faces it has."""

    vertices: np.ndarray
    of_face: np.ndarray
    faces: np.ndarray


def subdivide(mesh: MeshData, levels: int = 1, sharpness: np.ndarray | None = None) -> MeshData:
    """Every quad becomes four at each level; UV stays linear in each quad, parts stay, vertices keep their numbers.

    sharpness (E,): levels for which each edge of edges_of(mesh.quads) stays sharp, 0 smooth, inf for ever; None marks the car's folds
    (see fold_sharpness).  An edge with one face is always sharp.  Raises ShapeError.
    """
    edges = edges_of(mesh.quads)
    sharp = fold_sharpness(mesh, edges) if sharpness is None else np.asarray(sharpness, np.float64)
    check_shape("sharpness", sharp.shape, (len(edges.vertices),))
    for _ in range(levels):
        mesh, halves, halves_sharp = _once(mesh, edges, np.where(edges.faces == 1, np.inf, sharp))
        edges = edges_of(mesh.quads)
        sharp = _sharpness_of_children(edges, halves, halves_sharp)
    return mesh


def subdivide_wheel(wheel: Wheel, levels: int = 1) -> Wheel:
    """The same wheel, finer; the smoothing would draw its tread in by about a millimetre, so it is widened to its radius again."""
    mesh = subdivide(wheel.mesh, levels)
    radius = np.hypot(mesh.vertices_m[:, 1], mesh.vertices_m[:, 2]).max()
    return replace(wheel, mesh=replace(mesh, vertices_m=mesh.vertices_m * np.array([1, *[wheel.radius_m / radius] * 2], np.float32)))


def edges_of(quads: np.ndarray) -> Edges:
    """The edges of quads (F, 4)."""
    pairs = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1)
    vertices, of_face, faces = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    return Edges(vertices, of_face.reshape(-1, 4), faces)


def fold_sharpness(mesh: MeshData, edges: Edges) -> np.ndarray:
    """(E,) SHARPNESS on folds as Blender's mesh has them and where materials meet, 0 elsewhere.

    Frames are a few centimetres wide between faces of ten; smoothed, they would grow by half their width.
    """
    one, two = faces_beside(edges.of_face.ravel(), len(edges.vertices))
    worn = np.unique([material_of(name) for name in mesh.part_names], return_inverse=True)[1][mesh.part_index]
    return np.where(folded_edges(mesh, one, two) | (worn[one] != worn[two]), SHARPNESS, 0.0)


def _once(mesh: MeshData, edges: Edges, sharp: np.ndarray) -> tuple[MeshData, np.ndarray, np.ndarray]:
    """One level; also the children of edges, (2 E, 2) vertices, and their sharpness (2 E,)."""
    places = mesh.vertices_m.astype(np.float64)
    count, edge_count, quads = len(places), len(edges.vertices), mesh.quads.astype(np.int64)
    face_points = places[quads].mean(1)
    edge_points = _edge_points(places, face_points, edges, sharp)
    vertex_points = _vertex_points(places, face_points, quads, edges, sharp)
    on_edge = count + edges.of_face
    middle = np.broadcast_to((count + edge_count + np.arange(len(quads)))[:, None], quads.shape)
    children = np.stack([quads, on_edge, middle, np.roll(on_edge, 1, 1)], -1).reshape(-1, 4)
    halves = np.stack([edges.vertices, np.broadcast_to(count + np.arange(edge_count)[:, None], edges.vertices.shape)], -1).reshape(-1, 2)
    finer = replace(
        mesh,
        vertices_m=np.concatenate([vertex_points, edge_points, face_points]).astype(np.float32),
        quads=children.astype(np.int32),
        uv01=_quarters(mesh.uv01),
        part_index=np.repeat(mesh.part_index, 4),
    )
    return finer, halves, np.repeat(np.maximum(sharp - 1, 0), 2)


def _edge_points(places: np.ndarray, face_points: np.ndarray, edges: Edges, sharp: np.ndarray) -> np.ndarray:
    ends = places[edges.vertices]
    around = _summed(edges.of_face.ravel(), np.repeat(face_points, 4, 0), len(ends))
    middle = ends.mean(1)
    smooth = (ends.sum(1) + around) / (2 + edges.faces[:, None])
    return smooth + (middle - smooth) * np.minimum(sharp, 1)[:, None]


def _vertex_points(places: np.ndarray, face_points: np.ndarray, quads: np.ndarray, edges: Edges, sharp: np.ndarray) -> np.ndarray:
    """Smooth, crease and corner rule, blended by the mean sharpness of a vertex's sharp edges where that is below 1."""
    count, ends = len(places), edges.vertices.ravel()
    faces_at = np.bincount(quads.ravel(), minlength=count)
    edges_at = np.bincount(ends, minlength=count)
    face_mean = _summed(quads.ravel(), np.repeat(face_points, 4, 0), count) / np.maximum(faces_at, 1)[:, None]
    other = places[edges.vertices[:, ::-1].ravel()]
    neighbours = _summed(ends, other, count)
    middles = 0.5 * (places + neighbours / np.maximum(edges_at, 1)[:, None])
    valence = np.maximum(edges_at, 1)[:, None]
    smooth = (face_mean + 2 * middles + (valence - 3) * places) / valence
    is_sharp = np.repeat(sharp > 0, 2)
    sharp_at = np.bincount(ends, is_sharp, count)
    along = _summed(ends[is_sharp], other[is_sharp], count)
    crease = (6 * places + along) / 8
    total = np.bincount(ends, np.repeat(np.minimum(sharp, 1e6), 2), count)  # inf times 0 is no number
    share = np.where(sharp_at >= 2, np.minimum(total / np.maximum(sharp_at, 1), 1), 0)[:, None]
    target = np.where((sharp_at == 2)[:, None], crease, places)
    return smooth + (target - smooth) * share


def _summed(index: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """(count, 3) sums of the values (N, 3) that share an index (N,)."""
    return np.stack([np.bincount(index, values[:, k], count) for k in range(values.shape[1])], 1)


def _quarters(uv01: np.ndarray) -> np.ndarray:
    """(F, 4, 2) -> (4 F, 4, 2): each quad's UV cut at the middles of its edges."""
    after, before = 0.5 * (uv01 + np.roll(uv01, -1, 1)), 0.5 * (uv01 + np.roll(uv01, 1, 1))
    middle = np.broadcast_to(uv01.mean(1, keepdims=True), uv01.shape)
    return np.stack([uv01, after, middle, before], 2).reshape(-1, 4, 2).astype(np.float32)


def _sharpness_of_children(edges: Edges, halves: np.ndarray, sharp: np.ndarray) -> np.ndarray:
    """(E',) sharpness of a finer mesh's edges: that of the halves, 0 where a face was cut."""
    base = int(edges.vertices.max()) + 1
    key = edges.vertices[:, 0].astype(np.int64) * base + edges.vertices[:, 1]
    found = np.searchsorted(key, halves.min(1).astype(np.int64) * base + halves.max(1))  # np.unique sorted them
    result = np.zeros(len(key))
    result[found] = sharp
    return result
