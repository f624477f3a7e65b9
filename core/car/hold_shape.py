"""Coefficients of the shape space held to what cars have: glass that does not dent inwards, and wheels under the lips of their arches.

A dent of a pane is, but for the slow turning of its normal, linear in the coefficients, so each step solves a small least-squares
problem: the least change with a penalty on whatever is violated (Nocedal and Wright 2006, section 17.1).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from . import outline
from .figures import COVERED_RAD, ENDS
from .measure_table import INDEX
from .skeleton import skeleton
from .space import ShapeSpace, scale, vertices_with

PANES = ("windshield", "rear_window", "side_window_front_left", "side_window_rear_left")
MOST_M = 0.008  # of a dent, and of a tyre outside its lip: under the faults' limits, for what the linearisation misses
STEPS, STIFFNESS = 8, 4e5  # a centimetre of dent weighs like some six standard deviations


def held_shape(measures: np.ndarray, coefficients: np.ndarray, space: ShapeSpace) -> np.ndarray:
    """(B, P), (B, K) -> (B, K) coefficients close by whose panes do not dent and whose arches reach over the tyres."""
    held = coefficients.astype(np.float32)
    if not space.mode_count or not len(held):
        return held
    return np.stack([_held(m, c, space) for m, c in zip(measures, held, strict=True)])


def _held(measures: np.ndarray, wanted: np.ndarray, space: ShapeSpace) -> np.ndarray:
    """(P,), (K,) -> (K,): each step from half way between what was wanted and where the last one led, lest old dents come back."""
    panes = [pane for pane in PANES if pane != "rear_window" or measures[INDEX["cab_drop"]] < 0.5]  # a pickup's lies in its bed
    found = wanted
    for _ in range(STEPS):
        vertices = vertices_with(measures[None], found[None], space)[0].astype(np.float64)
        rows = [_dents(vertices, measures, pane, space) for pane in panes] + [_tyres_out(vertices, measures, end, space) for end in ENDS]
        depth, slope = (np.concatenate(of_kind) for of_kind in zip(*rows, strict=True))
        if not len(depth):
            break
        short = MOST_M - depth + slope @ found
        normal = np.eye(len(wanted)) + STIFFNESS * slope.T @ slope
        found = np.linalg.solve(normal, 0.5 * (wanted + found) + STIFFNESS * slope.T @ short).astype(np.float32)
    return found


def _dents(vertices: np.ndarray, measures: np.ndarray, pane: str, space: ShapeSpace) -> tuple[np.ndarray, np.ndarray]:
    """(N,) how deep the vertices of a pane that lie too deep are behind their lines' ends, and (N, K) how the coefficients move it."""
    middle, start, end, line = _line_points(pane)
    along = vertices[end] - vertices[start]
    share = (((vertices[middle] - vertices[start]) * along).sum(1) / (along * along).sum(1))[:, None]
    quads = outline.part_quads(pane)
    face = np.cross(vertices[quads[:, 2]] - vertices[quads[:, 0]], vertices[quads[:, 3]] - vertices[quads[:, 1]])
    total = np.zeros_like(vertices)
    for k in range(4):
        np.add.at(total, quads[:, k], face)
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    of_line = np.stack([total[vertices_of].mean(0) for vertices_of in outline.grid_lines(pane)])  # the fault looks along this too
    outward = (of_line / np.linalg.norm(of_line, axis=1, keepdims=True))[line]
    dent = -((vertices[middle] - (1 - share) * vertices[start] - share * vertices[end]) * outward).sum(1)
    over = dent > MOST_M
    dent, middle, start, end, share, outward = (values[over] for values in (dent, middle, start, end, share, outward))

    def moved(vertex: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return _moved(vertex, weight, measures, space)

    return dent, -moved(middle, outward) + moved(start, (1 - share) * outward) + moved(end, share * outward)


def _tyres_out(vertices: np.ndarray, measures: np.ndarray, end: tuple[str, float], space: ShapeSpace) -> tuple[np.ndarray, np.ndarray]:
    """(N,) how far the tyre at one end stands out of the arch's vertices that have to cover it, where too far, and (N, K) as in _dents."""
    name, side = end
    m = {key: float(measures[k]) for key, k in INDEX.items()}
    lip = outline.lip(name)
    x, y, z = vertices[lip].T
    behind_top = np.arctan2(y - side * 0.5 * m["wheelbase"], z - m["wheel_radius"])
    out = 0.5 * (m["width"] * m["track_ratio"] + m["tyre_width"]) - x
    over = (out > MOST_M) & (behind_top > COVERED_RAD[0] - 0.1) & (behind_top < COVERED_RAD[1] + 0.1)
    sideways = np.broadcast_to(np.array([1.0, 0.0, 0.0]), (int(over.sum()), 3))
    return out[over], -_moved(lip[over], sideways, measures, space)


def _moved(vertex: np.ndarray, weight: np.ndarray, measures: np.ndarray, space: ShapeSpace) -> np.ndarray:
    """(N, K) what the coefficients do to vertices (N,) of the whole body along the weights (N, 3)."""
    half, sign = _half_of()
    turned = weight * scale(measures[None])[0] * np.stack([sign[vertex], np.ones(len(vertex)), np.ones(len(vertex))], 1)
    return np.einsum("knc,nc->nk", space.modes_m[:, half[vertex]], turned)


@cache
def _line_points(pane: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(N,) the inner vertices of a pane's grid lines on the left half, the ends of the line of each, and its place in grid_lines."""
    left = set(np.unique(outline.left_quads()).tolist())
    found = [(v, line[0], line[-1], k) for k, line in enumerate(outline.grid_lines(pane)) for v in line[1:-1].tolist() if v in left]
    middle, start, end, place = np.array(found).T
    return middle, start, end, place


@cache
def _half_of() -> tuple[np.ndarray, np.ndarray]:
    """(V,) the half vertex of each vertex of the whole body, and the sign of its x."""
    shared = skeleton()
    half = np.concatenate([np.arange(len(shared.on_side)), shared.off_centre])
    sign = np.concatenate([np.ones(len(shared.on_side)), -np.ones(len(shared.off_centre))])
    return half[shared.keep], sign[shared.keep]
