"""The one topology: the half body's grids welded, panes and lamps set in, mirrors grown, mirrored to the whole body, unwrapped.

Built once a process (about 0.2 s) and never changed; only vertices move (see car.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from . import body
from .atlas import Atlas
from .body import ACROSS, ARC, BLOCKS, DEPTH, END, RING, raw_index
from .faces import grid_faces
from .inset import Insets, set_in
from .measures import BODY_TYPES, to_vector
from .mirror import grow_mirror
from .profile import COLUMNS


@dataclass(frozen=True)
class Template:
    """Everything about the body that does not move.

    half_source (N,) raw vertex of each half vertex; inset_* describe the vertices of set-in panes: weights (K, N) of half vertices,
    depth (K,), inset_quads (Q, 4) their faces in inset numbering; mirror_weights (N,) averages the mirror's foot; mirror_offsets (R, 3);
    centre (H,) bool marks half vertices on x = 0; keep (V,) the vertices of the two halves that faces use; quads (F, 4) of the whole
    body; uv01 (F, 4, 2); part_index (F,) into part_names.
    """

    half_source: torch.Tensor
    inset_weights: torch.Tensor
    inset_depth_m: torch.Tensor
    inset_quads: torch.Tensor
    mirror_weights: torch.Tensor
    mirror_offsets: torch.Tensor
    centre: torch.Tensor
    keep: torch.Tensor
    quads: np.ndarray
    uv01: np.ndarray
    part_index: np.ndarray
    part_names: tuple[str, ...]

    def half_vertices(self, raw: torch.Tensor) -> torch.Tensor:
        """(B, RAW_COUNT, 3) -> (B, H, 3): welded, panes set in along their normals, mirrors on their feet."""
        welded = raw[:, self.half_source]
        panes = torch.einsum("kn,bnc->bkc", self.inset_weights, welded)
        quads = self.inset_quads
        a, b, c, d = (panes[:, quads[:, k]] for k in range(4))
        face_normal = torch.linalg.cross(c - a, d - b)
        normal = torch.zeros_like(panes)
        for k in range(4):
            normal = normal.index_add(1, quads[:, k], face_normal)
        normal = normal / normal.norm(dim=-1, keepdim=True).clamp_min(1e-9)
        panes = panes - normal * self.inset_depth_m[:, None]
        foot = torch.einsum("n,bnc->bc", self.mirror_weights, welded)
        vertices = torch.cat([welded, panes, foot[:, None] + self.mirror_offsets], 1)
        on_side = torch.where(self.centre, 0.0, 1.0).to(vertices.dtype)
        return torch.stack([vertices[..., 0] * on_side, vertices[..., 1], vertices[..., 2]], -1)

    def whole(self, half: torch.Tensor) -> torch.Tensor:
        """(B, H, 3) left half -> (B, V, 3) whole body: the left half, then the mirrored vertices off the middle."""
        flip = torch.tensor([-1.0, 1.0, 1.0], dtype=half.dtype, device=half.device)
        return torch.cat([half, half[:, ~self.centre] * flip], 1)[:, self.keep]


def _weld() -> np.ndarray:
    """(RAW_COUNT,) canonical raw vertex of every raw vertex."""
    canonical = np.arange(body.RAW_COUNT)
    top, flank, under = (raw_index(n).numpy() for n in ("top", "flank", "underside"))
    canonical[top[:END, ACROSS]] = flank[END:0:-1, 0]
    canonical[top[END : END + COLUMNS, ACROSS]] = flank[0]
    canonical[top[END + COLUMNS :, ACROSS]] = flank[1:, -1]
    canonical[under[:, ACROSS]] = flank[END]
    canonical[under[0, :ACROSS]] = top[0, :ACROSS]
    canonical[under[-1, :ACROSS]] = top[-1, :ACROSS]
    for name, first, _ in BLOCKS:
        well, wall = raw_index(f"well_{name}").numpy(), raw_index(f"wall_{name}").numpy()
        inner = under[first + RING : first + RING + 3, ACROSS - DEPTH]
        canonical[inner] = [well[-1, 0], wall[0, 0], well[-1, ARC]]
    return canonical


def _on_centre() -> np.ndarray:
    """(RAW_COUNT,) bool: the raw vertices on x = 0."""
    on_centre = np.zeros(body.RAW_COUNT, bool)
    on_centre[raw_index("top")[:, 0]] = on_centre[raw_index("underside")[:, 0]] = True
    return on_centre


@cache
def template() -> Template:
    """The body's topology; the same object at every call."""
    canonical, on_centre = _weld(), _on_centre()
    faces = grid_faces()
    faces.corners = [tuple(int(canonical[v]) for v in face) for face in faces.corners]
    insets = set_in(faces, body.RAW_COUNT, on_centre)
    foot, offsets = grow_mirror(faces, body.RAW_COUNT + len(insets.weights))
    corners = np.array(faces.corners)

    sources, number = _half_numbering(corners, insets, len(offsets))
    half_quads = number[corners]
    centre = np.concatenate([on_centre[sources], on_centre[insets.source], np.zeros(len(offsets), bool)])
    quads, keep = _both_halves(half_quads, centre)
    names = [name.replace("SIDE", side) for side in ("left", "right") for name in faces.part]
    part_names = tuple(sorted(set(names)))
    atlas = reference_atlas()
    left, right = (atlas.unwrap(corners, faces.chart, insets.weights, foot, mirrored) for mirrored in (False, True))
    return Template(
        half_source=torch.from_numpy(sources),
        inset_weights=_inset_weights(insets, number, len(sources)),
        inset_depth_m=torch.tensor(insets.depth_m),
        inset_quads=torch.from_numpy(half_quads[insets.faces] - len(sources)),
        mirror_weights=_mean_weights(number[foot], len(sources)),
        mirror_offsets=torch.from_numpy(offsets.astype(np.float32)),
        centre=torch.from_numpy(centre),
        keep=torch.from_numpy(keep),
        quads=quads,
        uv01=np.concatenate([left, right[:, ::-1]]).astype(np.float32),
        part_index=np.array([part_names.index(name) for name in names], np.int32),
        part_names=part_names,
    )


def _half_numbering(corners: np.ndarray, insets: Insets, mirror_count: int) -> tuple[np.ndarray, np.ndarray]:
    """sources (N,): the raw vertices that a face or a pane needs; number: the half vertex of each raw, set-in and mirror vertex."""
    mixed = [v for weights in insets.weights for v in weights]
    sources = np.unique(np.concatenate([corners[corners < body.RAW_COUNT], mixed]).astype(np.int64))
    new_count = len(insets.weights) + mirror_count
    number = np.full(body.RAW_COUNT + new_count, -1)
    number[sources] = np.arange(len(sources))
    number[body.RAW_COUNT :] = len(sources) + np.arange(new_count)
    return sources, number


def _inset_weights(insets: Insets, number: np.ndarray, source_count: int) -> torch.Tensor:
    matrix = torch.zeros(len(insets.weights), source_count)
    for row, mixed in enumerate(insets.weights):
        for vertex, weight in mixed.items():
            matrix[row, number[vertex]] = weight
    return matrix


def _mean_weights(vertices: np.ndarray, source_count: int) -> torch.Tensor:
    weights = torch.zeros(source_count)
    weights[vertices] = 1 / len(vertices)
    return weights


def _both_halves(half_quads: np.ndarray, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """quads (F, 4) int32 of the whole body and the vertices of both halves that they use: those only panes were measured from are loose."""
    mirrored = np.where(centre, np.arange(len(centre)), len(centre) - 1 + np.cumsum(~centre))
    quads = np.concatenate([half_quads, mirrored[half_quads][:, ::-1]])
    keep, quads = np.unique(quads, return_inverse=True)
    return quads.reshape(-1, 4).astype(np.int32), keep


@cache
def reference_atlas() -> Atlas:
    """The UV layout, from the reference sedan."""
    return Atlas(body.raw_vertices(to_vector(BODY_TYPES["sedan"])[None])[0].numpy(), _weld())
