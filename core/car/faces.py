"""The half body's faces: quads over the raw grids, each with the part it belongs to and the UV chart it is flattened in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from . import body, parts
from .body import ACROSS, ARC, BLOCK_COLUMNS, BLOCK_ROW, BLOCKS, DEPTH, END, RING, WALL, raw_index

TOP_CHART, FLANK_CHART, HIDDEN_CHART, WALL_CHART, MIRROR_CHART = "top", "flank", "hidden", "wall", "mirror"


@dataclass
class Faces:
    """Growing lists, one entry a face: its four corners, counter-clockwise from outside, its part and its chart."""

    corners: list[tuple[int, ...]] = field(default_factory=list)
    part: list[str] = field(default_factory=list)
    chart: list[str] = field(default_factory=list)

    def add(self, corners: Iterable[int], part: str, chart: str) -> None:
        """One more face."""
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


def grid_faces() -> Faces:
    """All faces over the raw vertices (not welded yet); a hole is left where the mirror grows."""
    faces = Faces()
    top, flank, under = (raw_index(n) for n in ("top", "flank", "underside"))
    faces.grid(top.T, lambda j, s: parts.top_part(s, j), TOP_CHART)
    inside = {(r, c) for _, first, _ in BLOCKS for r in range(BLOCK_ROW, END) for c in range(first, first + BLOCK_COLUMNS)}
    (row_0, row_1), (column_0, column_1) = parts.mirror_block()
    open_ = inside | {(r, c) for r in range(row_0, row_1) for c in range(column_0, column_1)}
    faces.grid(flank, parts.flank_part, FLANK_CHART, lambda r, c: (r, c) in open_)
    notch = {(c, j) for _, first, _ in BLOCKS for c in range(first, first + BLOCK_COLUMNS) for j in range(ACROSS - DEPTH, ACROSS)}
    faces.grid(under, lambda c, j: "underbody", HIDDEN_CHART, lambda c, j: (c, j) in notch)
    for name, first, _ in BLOCKS:
        _ring_faces(faces, name, first, flank)
        _house_faces(faces, name)
        _floor_faces(faces, name, first, under)
    return faces


def _ring_faces(faces: Faces, name: str, first: int, flank: np.ndarray) -> None:
    """The ring between an arch's block of the flank and the arch; its parts go on from the flank round it."""
    border_cells = body.block_border(first)
    border = np.array([flank[r, c] for r, c in border_cells])

    def ring_part(_: int, k: int) -> str:
        (r0, c0), (r1, c1) = border_cells[k], border_cells[k + 1]
        return parts.flank_part(min(r0, r1) if r0 != r1 else BLOCK_ROW, max(min(c0, c1) - (c0 == c1 == first + BLOCK_COLUMNS), first))

    faces.grid(np.concatenate([border[None], raw_index(f"ring_{name}")]), ring_part, FLANK_CHART)


def _house_faces(faces: Faces, name: str) -> None:
    """A wheel house: its arched well and the inner wall behind it."""
    ring, well, wall = (raw_index(f"{kind}_{name}") for kind in ("ring", "well", "wall"))
    arch = f"wheel_arch_{name}_SIDE"
    faces.grid(np.concatenate([ring[-1:], well]), lambda d, k: arch, HIDDEN_CHART)
    levels = np.stack([well[-1, :WALL], wall[:, 0], well[-1, ARC : ARC - WALL : -1]], 1)
    levels = np.concatenate([levels, well[-1, WALL : WALL + 3][None]])
    faces.grid(levels.T, lambda h, i: arch, WALL_CHART)


def _floor_faces(faces: Faces, name: str, first: int, under: np.ndarray) -> None:
    """What is left of the floor before and behind a wheel house."""
    ring, well, filler = (raw_index(f"{kind}_{name}") for kind in ("ring", "well", "filler"))
    for end, (k, column, step) in enumerate(((0, first, 1), (ARC, first + BLOCK_COLUMNS, -1))):
        lines = [[under[column, ACROSS - d] for d in range(DEPTH + 1)]]
        lines += [[ring[j - 1, k], filler[end, j - 1], under[column + step * j, ACROSS - DEPTH]] for j in range(1, RING)]
        lines += [[ring[-1, k], well[0, k], well[1, k]]]
        grid = np.array(lines)  # runs towards the wheel: rearwards at the front end, forwards at the rear end
        faces.grid(grid if end else grid.T, lambda d, j: "underbody", HIDDEN_CHART)
