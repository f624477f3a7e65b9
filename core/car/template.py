"""The one topology: the half body's grids welded, panes and lamps set in, mirrors grown, mirrored to the whole body, unwrapped.

Built once a process (about 0.2 s) and never changed; only vertices move (see car.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import torch

from . import body, parts
from .atlas import Atlas
from .body import ACROSS, ARC, BLOCK_COLUMNS, BLOCK_ROW, BLOCKS, DEPTH, END, RING, STATIONS, WALL, raw_index
from .measures import BODY_TYPES, to_vector
from .profile import COLUMN, COLUMNS, ROWS

# part prefix -> (share of the way to the neighbouring faces' middles, depth in metres inwards, part of the frame that appears round it)
INSETS = {
    "windshield": (0.22, 0.004, "window_trim"), "rear_window": (0.22, 0.004, "rear_window_frame"),
    "side_window_front": (0.22, 0.006, "window_trim"), "side_window_rear": (0.22, 0.006, "window_trim"),
    "side_window_quarter": (0.22, 0.006, "quarter_frame_SIDE"), "headlight": (0.22, 0.006, "lamp_housing"),
    "taillight": (0.18, 0.004, "lamp_housing"), "grille": (0.25, 0.018, "bumper_front"), "grille_lower": (0.25, 0.02, "bumper_front"),
    "license_plate_front": (0.12, -0.006, "bumper_front"),
    "license_plate_rear": (0.12, -0.006, "bumper_rear"), "fog_light": (0.3, 0.012, "bumper_front"),
    "indicator_front": (0.18, 0.004, "lamp_housing"), "indicator_rear": (0.18, 0.004, "lamp_housing"),
}  # fmt: skip
TOGETHER = {"high_beam": "headlight", "brake_light": "taillight", "reverse_light": "taillight"}  # lamps that share one housing
MIRROR_RINGS = (((0.04, 0.0, 0.03), 0.35), ((0.08, -0.01, 0.075), 1.0), ((0.155, -0.005, 0.08), 1.0), ((0.185, 0.0, 0.08), 0.7))
MIRROR_SIZE_M = (0.045, 0.062)  # half depth along y, half height
TOP_CHART, FLANK_CHART, HIDDEN_CHART, WALL_CHART, MIRROR_CHART = "top", "flank", "hidden", "wall", "mirror"


@dataclass
class _Faces:
    """Growing lists of the half body's faces: corners, part, chart and the raw vertex each corner takes its chart position from."""

    corners: list[tuple[int, ...]] = field(default_factory=list)
    part: list[str] = field(default_factory=list)
    chart: list[str] = field(default_factory=list)

    def add(self, corners: Iterable[int], part: str, chart: str) -> None:
        self.corners.append(tuple(int(c) for c in corners))
        self.part.append(part)
        self.chart.append(chart)

    def grid(
        self, ids: np.ndarray, part: Callable[[int, int], str], chart: str, skip: Callable[[int, int], bool] = lambda r, c: False
    ) -> None:
        """Quads (r, c), (r + 1, c), (r + 1, c + 1), (r, c + 1) of an (n, k) array of vertices."""
        for r in range(ids.shape[0] - 1):
            for c in range(ids.shape[1] - 1):
                if not skip(r, c):
                    self.add((ids[r, c], ids[r + 1, c], ids[r + 1, c + 1], ids[r, c + 1]), part(r, c), chart)


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


def _grid_faces() -> _Faces:
    faces = _Faces()
    top, flank, under = (raw_index(n).numpy() for n in ("top", "flank", "underside"))
    faces.grid(top.T, lambda j, s: parts.top_part(s, j), TOP_CHART)
    inside = {(r, c) for _, first, _ in BLOCKS for r in range(BLOCK_ROW, END) for c in range(first, first + BLOCK_COLUMNS)}
    (row_0, row_1), (column_0, column_1) = parts.mirror_block()
    mirror = {(r, c) for r in range(row_0, row_1) for c in range(column_0, column_1)}
    faces.grid(flank, parts.flank_part, FLANK_CHART, lambda r, c: (r, c) in inside | mirror)
    notch = {(c, j) for _, first, _ in BLOCKS for c in range(first, first + BLOCK_COLUMNS) for j in range(ACROSS - DEPTH, ACROSS)}
    faces.grid(under, lambda c, j: "underbody", HIDDEN_CHART, lambda c, j: (c, j) in notch)
    for name, first, _ in BLOCKS:
        _arch_faces(faces, name, first, flank, under)
    return faces


def _arch_faces(faces: _Faces, name: str, first: int, flank: np.ndarray, under: np.ndarray) -> None:
    ring, well, wall, filler = (raw_index(f"{kind}_{name}").numpy() for kind in ("ring", "well", "wall", "filler"))
    border_cells = body.block_border(first)
    border = np.array([flank[r, c] for r, c in border_cells])
    rings = np.concatenate([border[None], ring])

    def ring_part(_: int, k: int) -> str:
        (r0, c0), (r1, c1) = border_cells[k], border_cells[k + 1]
        return parts.flank_part(min(r0, r1) if r0 != r1 else BLOCK_ROW, max(min(c0, c1) - (c0 == c1 == first + BLOCK_COLUMNS), first))

    faces.grid(rings, ring_part, FLANK_CHART)
    arch = f"wheel_arch_{name}_SIDE"
    faces.grid(np.concatenate([ring[-1:], well]), lambda d, k: arch, HIDDEN_CHART)
    levels = np.stack([well[-1, :WALL], wall[:, 0], well[-1, ARC : ARC - WALL : -1]], 1)
    levels = np.concatenate([levels, well[-1, WALL : WALL + 3][None]])
    faces.grid(levels.T, lambda h, i: arch, WALL_CHART)
    for end, (k, column, step) in enumerate(((0, first, 1), (ARC, first + BLOCK_COLUMNS, -1))):
        rows_ = [[under[column, ACROSS - d] for d in range(DEPTH + 1)]]
        rows_ += [[ring[j - 1, k], filler[end, j - 1], under[column + step * j, ACROSS - DEPTH]] for j in range(1, RING)]
        rows_ += [[ring[-1, k], well[0, k], well[1, k]]]
        grid = np.array(rows_)  # runs towards the wheel: rearwards at the front end, forwards at the rear end
        faces.grid(grid if end else grid.T, lambda d, j: "underbody", HIDDEN_CHART)


def _inset(faces: _Faces, next_vertex: int, on_centre: np.ndarray) -> tuple[list[tuple[int, dict[int, float]]], list[float], list[int]]:
    """Set panes, lamps, grille and plates into their surroundings.

    Returns per new vertex its chart source, its weights over old vertices as {vertex: weight}, its depth; and the pane faces in old
    corner order.
    """
    groups: dict[str, list[int]] = {}
    for f, name in enumerate(faces.part):
        base = TOGETHER.get(parts.base_name(name), parts.base_name(name))
        if base in INSETS:
            groups.setdefault(base, []).append(f)
    weights: list[tuple[int, dict[int, float]]] = []
    depths: list[float] = []
    pane_faces: list[int] = []
    for base, members in groups.items():
        share, depth, frame = INSETS[base]
        edges: dict[frozenset, int] = {}
        around: dict[int, list[int]] = {}
        for f in members:
            for k in range(4):
                pair = frozenset((faces.corners[f][k], faces.corners[f][(k + 1) % 4]))
                edges[pair] = edges.get(pair, 0) + 1
                around.setdefault(faces.corners[f][k], []).append(f)
        rim = {pair for pair, count in edges.items() if count == 1 and not all(on_centre[v] for v in pair)}
        rim_vertices = set().union(*rim)
        new = {v: next_vertex + len(weights) + i for i, v in enumerate(around)}
        for v, beside in around.items():
            mixed = {v: 1.0 - (share if v in rim_vertices else 0.0)}
            if v in rim_vertices:
                for f in beside:
                    for corner in faces.corners[f]:
                        mixed[corner] = mixed.get(corner, 0.0) + share / (4 * len(beside))
            weights.append((v, mixed))
            depths.append(depth)
        for f in members:
            old = faces.corners[f]
            for k in range(4):
                if frozenset((old[k], old[(k + 1) % 4])) in rim:
                    a, b = old[k], old[(k + 1) % 4]
                    faces.add((a, b, new[b], new[a]), frame, faces.chart[f])
            faces.corners[f] = tuple(new[v] for v in old)
            pane_faces.append(f)
    return weights, depths, pane_faces


def _mirror(faces: _Faces, next_vertex: int) -> tuple[list[int], np.ndarray]:
    """Grow the mirror out of the block left open in the flank; returns the foot's vertices and the new vertices' offsets from their mean
    (R, 3)."""
    flank = raw_index("flank").numpy()
    (row_0, row_1), (column_0, column_1) = parts.mirror_block()
    r, c = row_0, column_0
    loop = [(r, c), (r + 1, c), (row_1, c), (row_1, c + 1), (row_1, column_1), (r + 1, column_1), (r, column_1), (r, c + 1)]
    foot = [int(flank[p]) for p in loop]
    directions = np.array([(-1, 1), (-1.15, 0), (-1, -1), (0, -1.15), (1, -1), (1.15, 0), (1, 1), (0, 1.15)], float)
    offsets: list[np.ndarray] = []
    previous = foot
    for (x, y, z), size in MIRROR_RINGS:
        for d in directions:
            offsets.append(np.array([x, y + size * MIRROR_SIZE_M[0] * d[0], z + size * MIRROR_SIZE_M[1] * d[1]]))
        current = list(range(next_vertex + len(offsets) - 8, next_vertex + len(offsets)))
        for k in range(8):
            faces.add((previous[k], previous[(k + 1) % 8], current[(k + 1) % 8], current[k]), "mirror_SIDE", MIRROR_CHART)
        previous = current
    last, size = MIRROR_RINGS[-1]
    offsets.append(np.array(last) + [0.004, 0, 0])
    tip = next_vertex + len(offsets) - 1
    for k in (0, 2, 4, 6):
        faces.add((previous[k], previous[(k + 1) % 8], tip, previous[k - 1]), "mirror_SIDE", MIRROR_CHART)
    return foot, np.stack(offsets)


@cache
def template() -> Template:
    """The body's topology; the same object at every call."""
    canonical = _weld()
    faces = _grid_faces()
    faces.corners = [tuple(int(canonical[v]) for v in face) for face in faces.corners]
    on_centre = np.zeros(body.RAW_COUNT, bool)
    on_centre[raw_index("top")[:, 0]] = on_centre[raw_index("underside")[:, 0]] = True
    weights, depths, pane_faces = _inset(faces, body.RAW_COUNT, on_centre)
    foot, offsets = _mirror(faces, body.RAW_COUNT + len(weights))
    corners = np.array(faces.corners)

    # half vertices: raw ones that a face or a pane needs, then set-in ones, then mirrors
    sources = np.unique(np.concatenate([corners[corners < body.RAW_COUNT], [v for _, mixed in weights for v in mixed]]).astype(np.int64))
    number = np.full(body.RAW_COUNT + len(weights) + len(offsets), -1)
    number[sources] = np.arange(len(sources))
    number[body.RAW_COUNT :] = len(sources) + np.arange(len(weights) + len(offsets))
    matrix = np.zeros((len(weights), len(sources)), np.float32)
    for row, (_, mixed) in enumerate(weights):
        for v, w in mixed.items():
            matrix[row, number[v]] += w
    mirror_weights = np.zeros(len(sources), np.float32)
    mirror_weights[number[foot]] = 1 / len(foot)
    centre = np.concatenate([on_centre[sources], [on_centre[v] for v, _ in weights], np.zeros(len(offsets), bool)]).astype(bool)

    half_quads = number[corners]
    mirrored = np.where(centre, np.arange(len(centre)), len(centre) - 1 + np.cumsum(~centre))
    quads = np.concatenate([half_quads, mirrored[half_quads][:, ::-1]])
    keep, quads = np.unique(quads, return_inverse=True)  # vertices that only panes were measured from would be loose
    names = [name.replace("SIDE", side) for side in ("left", "right") for name in faces.part]
    part_names = tuple(sorted(set(names)))
    atlas = reference_atlas()
    uv = [atlas.unwrap(corners, faces.chart, weights, foot, mirrored=m) for m in (False, True)]
    return Template(
        half_source=torch.from_numpy(sources), inset_weights=torch.from_numpy(matrix), inset_depth_m=torch.tensor(depths),
        inset_quads=torch.from_numpy(half_quads[pane_faces] - len(sources)), mirror_weights=torch.from_numpy(mirror_weights),
        mirror_offsets=torch.from_numpy(offsets.astype(np.float32)), centre=torch.from_numpy(centre), keep=torch.from_numpy(keep),
        quads=quads.reshape(-1, 4).astype(np.int32), uv01=np.concatenate([uv[0], uv[1][:, ::-1]]).astype(np.float32),
        part_index=np.array([part_names.index(name) for name in names], np.int32), part_names=part_names,
    )  # fmt: skip


@cache
def reference_atlas() -> Atlas:
    """The UV layout, from the reference sedan."""
    return Atlas(body.raw_vertices(to_vector(BODY_TYPES["sedan"])[None])[0].numpy(), _weld())


assert STATIONS == 2 * END + COLUMNS and ROWS == END + 1 and COLUMN["G"] == COLUMNS - 1
