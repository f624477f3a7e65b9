"""The left half of the template as the fits see it: faces, sample points on them, classes of their parts, smoothness."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.sparse as sparse
import torch

from ..car import body
from ..car.car import whole_vertices
from ..car.parts import base_name, rename_for
from ..car.skeleton import skeleton
from ..car.template import template
from ..dataset.part_table import PARTS

CLASS_WORDS = (  # first match decides which class of real cars' parts a part of the template is compared with
    ("windshield", "windshield"), ("rear_window_frame", "body"), ("rear_window", "rear_window"), ("side_window", "side_window"),
    ("headlight", "headlight"), ("high_beam", "headlight"), ("indicator_front", "headlight"), ("fog", "headlight"),
    ("taillight", "taillight"), ("brake", "taillight"), ("reverse", "taillight"), ("indicator_rear", "taillight"),
    ("license", "plate"), ("grille", "grille"), ("hood", "hood"), ("bumper", "bumper"), ("door", "door"), ("mirror", "mirror"),
    ("underbody", "underbody"), ("wheel_arch", "underbody"), ("sill", "body"), ("", "body"),
)  # fmt: skip
WHERE_ON_FACE = np.array([[u, v] for u in (0.25, 0.75) for v in (0.25, 0.75)])


@dataclass(frozen=True)
class HalfBody:
    """quads (Q, 4) of half vertices, in the template's order; on_side (H,) 0 for vertices of the middle plane, else 1; used (H,) bool: some
    face has the vertex; edges (E, 2)."""

    quads: np.ndarray
    on_side: np.ndarray
    used: np.ndarray
    edges: np.ndarray

    @property
    def count(self) -> int:
        return len(self.on_side)


@cache
def half_body() -> HalfBody:
    """The same object at every call."""
    shared = skeleton()
    left = shared.quads[: len(shared.quads) // 2]
    quads = shared.keep[left]
    pairs = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1)
    used = np.zeros(len(shared.on_side), bool)
    used[quads] = True
    return HalfBody(quads, shared.on_side.astype(np.float64), used, np.unique(pairs, axis=0))


def template_half(measures: np.ndarray) -> np.ndarray:
    """(P,) measures -> (H, 3) float64: the bare template's left half."""
    return skeleton().half_vertices(body.raw_vertices(measures[None].astype(np.float64)))[0]


def whole_body(half_m: np.ndarray) -> np.ndarray:
    """(H, 3) half body -> (V, 3) both halves."""
    return skeleton().whole(half_m[None])[0]


def with_wheels(body_m: np.ndarray, measures: np.ndarray) -> np.ndarray:
    """A body (V, 3) and the wheels of measures (P,), numbered as car.whole() is; float64."""
    vertices = whole_vertices(torch.as_tensor(measures, dtype=torch.float32)[None])[0].double().numpy()
    vertices[: len(body_m)] = body_m
    return vertices


@cache
def face_parts(body_type: str) -> list[str]:
    """The name of each face's part (Q), for one body type."""
    renamed, shared = rename_for(body_type), template()
    return [renamed.get(shared.part_names[k], shared.part_names[k]) for k in shared.part_index[: len(half_body().quads)]]


@cache
def part_classes(body_type: str) -> np.ndarray:
    """(Q,) index into PARTS of each face of the half, for one body type."""
    return np.array([PARTS.index(class_of(name)) for name in face_parts(body_type)])


def class_of(part: str) -> str:
    """The class of real cars' parts that a named part of the template is compared with."""
    word = base_name(part)
    return next(kind for start, kind in CLASS_WORDS if word.startswith(start))


@cache
def sample_weights() -> np.ndarray:
    """(S, 4) weights of a face's corners at its sample points."""
    u, v = WHERE_ON_FACE.T
    return np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], 1)


def samples(half_m: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, 3) -> points (Q, S, 3) on the faces, unit normals (Q, 3) outwards and areas (Q,)."""
    corners = half_m[half_body().quads]
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    double = np.linalg.norm(normal, axis=1)
    return np.einsum("sk,qkc->qsc", sample_weights(), corners), normal / np.maximum(double, 1e-12)[:, None], double / 2


@cache
def laplacian() -> sparse.csr_matrix:
    """(H, H) vertex minus the mean of its neighbours, those across the middle plane counted by mirroring; zero rows for loose vertices."""
    half = half_body()
    a, b = half.edges.T
    count = half.count
    ones = np.ones(len(a))
    touching = sparse.coo_matrix((np.r_[ones, ones], (np.r_[a, b], np.r_[b, a])), (count, count)).tocsr()
    off_middle = sparse.diags(half.on_side)
    middle = sparse.diags(1 - half.on_side)
    touching = touching + middle @ touching @ off_middle  # a neighbour off the middle stands for its mirror image too
    degree = np.asarray(touching.sum(1)).ravel()
    return (sparse.diags((degree > 0).astype(float)) - sparse.diags(1 / np.maximum(degree, 1)) @ touching).tocsr()
