"""Groups of the body's faces and vertices that checks ask for: parts, panes' grid lines, rims and frames, arches' lips.  numpy, cached."""

from __future__ import annotations

from functools import cache

import numpy as np

from .skeleton import skeleton
from .template import template


@cache
def part_quads(*parts: str) -> np.ndarray:
    """Corners (F, 4) of the faces of some parts, each named as in template().part_names."""
    shared = template()
    return shared.quads[np.isin(shared.part_index, [shared.part_names.index(part) for part in parts])]


@cache
def part_vertices(*parts: str) -> np.ndarray:
    """(N,) the vertices of those faces, ascending."""
    return np.unique(part_quads(*parts))


@cache
def left_quads() -> np.ndarray:
    """(F / 2, 4) faces of the left half."""
    quads = template().quads
    return quads[: len(quads) // 2]


@cache
def triangles() -> np.ndarray:
    """(2 F, 3) int64: two a face of the whole body."""
    quads = template().quads
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int64)


@cache
def mirrored() -> np.ndarray:
    """(V,) the vertex on the other side of each vertex; itself on the middle."""
    shared = skeleton()
    half = len(shared.on_side)
    other = np.arange(half + len(shared.off_centre))
    other[half:] = shared.off_centre
    other[shared.off_centre] = half + np.arange(len(shared.off_centre))
    number = np.full(len(other), -1)
    number[shared.keep] = np.arange(len(shared.keep))
    return number[other[shared.keep]]


@cache
def lip(end: str) -> np.ndarray:
    """(N,) the vertices on the outer edge of the left arch at one end, front or rear: where wheel house and flank meet."""
    house = part_vertices(f"wheel_arch_{end}_left")
    outside = [name for name in template().part_names if not name.startswith(("wheel_arch", "underbody"))]
    return np.intersect1d(house, part_vertices(*outside))


@cache
def skin_vertices() -> np.ndarray:
    """(N,) vertices of the left half that one sees, arches with their wheel houses and lips included, but not the floor."""
    named = [name for name in template().part_names if name != "underbody" and not name.endswith("_right")]
    return np.intersect1d(part_vertices(*named), np.unique(left_quads()))


@cache
def skin_neighbours() -> np.ndarray:
    """(E, 2) faces of left_quads() that share an edge, both on the outer skin: neither floor nor wheel house."""
    shared, quads = template(), left_quads()
    hidden = [k for k, name in enumerate(shared.part_names) if name.startswith(("wheel_arch", "underbody"))]
    skin = ~np.isin(shared.part_index[: len(quads)], hidden)
    edges = np.sort(np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2), 1)
    order = np.lexsort(edges.T)
    same = (edges[order][1:] == edges[order][:-1]).all(1)
    pairs = np.stack([order[:-1][same], order[1:][same]], 1) // 4
    return pairs[skin[pairs].all(1)]


@cache
def grid_lines(part: str) -> tuple[np.ndarray, ...]:
    """The lines of a pane's grid, in both directions, each (n,) vertices from rim to rim."""
    quads = part_quads(part)
    lines: list[np.ndarray] = []
    for along in (((0, 1), (3, 2)), ((0, 3), (1, 2))):
        lines += _chains(np.unique(np.sort(np.concatenate([quads[:, pair] for pair in along]), 1), axis=0))
    return tuple(lines)


def _chains(edges: np.ndarray) -> list[np.ndarray]:
    """Edges (E, 2) that form open lines -> the vertices of each line in order."""
    beside: dict[int, list[int]] = {}
    for a, b in edges.tolist():
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    chains, done = [], set[int]()
    for start in sorted(v for v, others in beside.items() if len(others) == 1):
        if start in done:
            continue
        chain = [start]
        while following := [v for v in beside[chain[-1]] if v not in chain[-2:]]:
            chain.append(following[0])
        done |= {chain[0], chain[-1]}
        chains.append(np.array(chain))
    return chains


@cache
def rim_and_frame(part: str) -> tuple[np.ndarray, np.ndarray]:
    """(N,) vertices on the rim of a pane that is set in, and (N,) the frame's vertex beside each."""
    quads, all_quads = part_quads(part), template().quads
    own = np.unique(quads)
    frame_faces = all_quads[np.isin(all_quads, own).any(1) & ~np.isin(all_quads, own).all(1)]
    pairs = np.concatenate([frame_faces[:, [k, (k + 1) % 4]] for k in range(4)])
    inside = np.isin(pairs, own)
    pairs = np.concatenate([pairs[inside[:, 0] & ~inside[:, 1]], pairs[~inside[:, 0] & inside[:, 1]][:, ::-1]])
    pairs = np.unique(pairs, axis=0)
    return pairs[:, 0], pairs[:, 1]
