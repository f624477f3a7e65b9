"""What never moves of the half body: its grids welded, panes set in, a mirror grown; and how its vertices follow the raw ones.

numpy alone, so that Blender's sliders have it too.  Built once a process, in about 30 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from . import arrays as xp
from . import body
from .arrays import Array
from .body import ACROSS, ARC, BLOCKS, DEPTH, END, RING, raw_index
from .faces import Faces, grid_faces
from .inset import Insets, set_in
from .mirror import grow_mirror
from .profile import COLUMNS


@dataclass(frozen=True)
class Skeleton:
    """Everything about the body that does not move, but for parts and UV.

    half_source (N,) raw vertex of each half vertex; inset_* describe the vertices of set-in panes: weights (K, N) of half vertices,
    depth (K,), inset_quads (Q, 4) their faces in inset numbering; mirror_weights (N,) averages the mirror's foot; mirror_offsets (R, 3);
    on_side (H,) 0 for half vertices on x = 0, else 1; off_centre (C,) the half vertices that have a mirrored one; keep (V,) the vertices
    of the two halves that faces use; quads (F, 4) of the whole body.
    faces, insets and foot (8,) are the half body's, corners being welded raw vertices, set-in vertices and then mirror vertices.
    """

    half_source: np.ndarray
    inset_weights: np.ndarray
    inset_depth_m: np.ndarray
    inset_quads: np.ndarray
    mirror_weights: np.ndarray
    mirror_offsets: np.ndarray
    on_side: np.ndarray
    off_centre: np.ndarray
    keep: np.ndarray
    quads: np.ndarray
    faces: Faces
    insets: Insets
    foot: list[int]

    def half_vertices(self, raw: Array) -> Array:
        """(B, RAW_COUNT, 3) -> (B, H, 3): welded, panes set in along their normals, mirrors on their feet."""

        def constant(values: np.ndarray) -> Array:
            return xp.like(values, raw)

        welded = raw[:, constant(self.half_source)]
        panes = xp.mixed(constant(self.inset_weights), welded)
        quads = constant(self.inset_quads)
        a, b, c, d = (panes[:, quads[:, k]] for k in range(4))
        face_normal = xp.cross(c - a, d - b)
        normal = xp.zeros_like(panes)
        for k in range(4):
            normal = xp.summed_at(normal, quads[:, k], face_normal)
        panes = panes - xp.unit(normal) * constant(self.inset_depth_m)[:, None]
        foot = xp.mixed(constant(self.mirror_weights)[None], welded)
        vertices = xp.cat([welded, panes, foot + constant(self.mirror_offsets)], 1)
        return xp.stack([vertices[..., 0] * constant(self.on_side), vertices[..., 1], vertices[..., 2]], -1)

    def whole(self, half: Array) -> Array:
        """(B, H, 3) left half -> (B, V, 3) whole body: the left half, then the mirrored vertices off the middle."""
        flip = xp.like(np.array([-1.0, 1.0, 1.0]), half)
        return xp.cat([half, half[:, xp.like(self.off_centre, half)] * flip], 1)[:, xp.like(self.keep, half)]


def weld() -> np.ndarray:
    """(RAW_COUNT,) canonical raw vertex of every raw vertex."""
    canonical = np.arange(body.RAW_COUNT)
    top, flank, under = (raw_index(n) for n in ("top", "flank", "underside"))
    canonical[top[:END, ACROSS]] = flank[END:0:-1, 0]
    canonical[top[END : END + COLUMNS, ACROSS]] = flank[0]
    canonical[top[END + COLUMNS :, ACROSS]] = flank[1:, -1]
    canonical[under[:, ACROSS]] = flank[END]
    canonical[under[0, :ACROSS]] = top[0, :ACROSS]
    canonical[under[-1, :ACROSS]] = top[-1, :ACROSS]
    for name, first, _ in BLOCKS:
        well, wall = raw_index(f"well_{name}"), raw_index(f"wall_{name}")
        inner = under[first + RING : first + RING + 3, ACROSS - DEPTH]
        canonical[inner] = [well[-1, 0], wall[0, 0], well[-1, ARC]]
    return canonical


def _on_centre() -> np.ndarray:
    """(RAW_COUNT,) bool: the raw vertices on x = 0."""
    on_centre = np.zeros(body.RAW_COUNT, bool)
    on_centre[raw_index("top")[:, 0]] = on_centre[raw_index("underside")[:, 0]] = True
    return on_centre


@cache
def skeleton() -> Skeleton:
    """The body's topology; the same object at every call."""
    canonical, on_centre = weld(), _on_centre()
    faces = grid_faces()
    faces.corners = [tuple(int(canonical[v]) for v in face) for face in faces.corners]
    insets = set_in(faces, body.RAW_COUNT, on_centre)
    foot, offsets = grow_mirror(faces, body.RAW_COUNT + len(insets.weights))
    sources, number = _half_numbering(np.array(faces.corners), insets, len(offsets))
    half_quads = number[np.array(faces.corners)]
    centre = np.concatenate([on_centre[sources], on_centre[insets.source], np.zeros(len(offsets), bool)])
    quads, keep = _both_halves(half_quads, centre)
    return Skeleton(
        half_source=sources,
        inset_weights=_inset_weights(insets, number, len(sources)),
        inset_depth_m=np.array(insets.depth_m, np.float32),
        inset_quads=half_quads[insets.faces] - len(sources),
        mirror_weights=_mean_weights(number[foot], len(sources)),
        mirror_offsets=offsets.astype(np.float32),
        on_side=np.where(centre, 0.0, 1.0).astype(np.float32),
        off_centre=np.flatnonzero(~centre),
        keep=keep,
        quads=quads,
        faces=faces,
        insets=insets,
        foot=foot,
    )


def body_vertices(measures: Array) -> Array:
    """(B, P) measures -> (B, V, 3) body vertices, car frame, metres; differentiable where measures are tensors."""
    shared = skeleton()
    return shared.whole(shared.half_vertices(body.raw_vertices(measures)))


def _half_numbering(corners: np.ndarray, insets: Insets, mirror_count: int) -> tuple[np.ndarray, np.ndarray]:
    """sources (N,): the raw vertices that a face or a pane needs; number: the half vertex of each raw, set-in and mirror vertex."""
    mixed = [v for weights in insets.weights for v in weights]
    sources = np.unique(np.concatenate([corners[corners < body.RAW_COUNT], mixed]).astype(np.int64))
    new_count = len(insets.weights) + mirror_count
    number = np.full(body.RAW_COUNT + new_count, -1)
    number[sources] = np.arange(len(sources))
    number[body.RAW_COUNT :] = len(sources) + np.arange(new_count)
    return sources, number


def _inset_weights(insets: Insets, number: np.ndarray, source_count: int) -> np.ndarray:
    matrix = np.zeros((len(insets.weights), source_count), np.float32)
    for row, mixed in enumerate(insets.weights):
        for vertex, weight in mixed.items():
            matrix[row, number[vertex]] = weight
    return matrix


def _mean_weights(vertices: np.ndarray, source_count: int) -> np.ndarray:
    weights = np.zeros(source_count, np.float32)
    weights[vertices] = 1 / len(vertices)
    return weights


def _both_halves(half_quads: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """quads (F, 4) int32 of the whole body and the vertices of both halves that they use: those only panes were measured from are loose."""
    mirrored = np.where(centre, np.arange(len(centre)), len(centre) - 1 + np.cumsum(~centre))
    quads = np.concatenate([half_quads, mirrored[half_quads][:, ::-1]])
    keep, quads = np.unique(quads, return_inverse=True)
    return quads.reshape(-1, 4).astype(np.int32), keep
