"""Coefficients of the shape space held to what cars have: glass that does not dent inwards, and wheels under the lips of their arches.

A dent of a pane is, but for the slow turning of its normal, linear in the coefficients, so the nearest coefficients without dents are a
small least-squares problem with inequalities, solved by penalties on whatever is violated (Nocedal and Wright 2006, section 17.1).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from . import outline
from .figures import wheel_figures
from .measure_table import INDEX, MEASURES
from .skeleton import skeleton
from .space import ShapeSpace, scale, vertices_with

PANES = ("windshield", "rear_window", "side_window_front_left", "side_window_rear_left")
MOST_DENT_M = 0.008  # under the fault's limit, for what the linearisation misses
STEPS, STIFFNESS = 8, 4e5  # a centimetre of dent weighs like some six standard deviations
INSIDE_M = 0.004  # the tyre behind its lip
TRACK = INDEX["track_ratio"]


def held_shape(measures: np.ndarray, coefficients: np.ndarray, space: ShapeSpace) -> tuple[np.ndarray, np.ndarray]:
    """(B, P), (B, K) -> the nearest coefficients whose panes do not dent, and measures whose track leaves the tyres inside."""
    held = coefficients.astype(np.float32)
    if space.mode_count:
        held = np.stack([_without_dents(m, c, space) for m, c in zip(measures, held, strict=True)])
    measures = measures.copy()
    for _ in range(2):  # wheel houses follow the track a little
        out = wheel_figures(vertices_with(measures, held, space), measures)["tyre_out_m"]
        narrower = 2 * np.maximum(np.where(np.isfinite(out), out, 0) + INSIDE_M, 0) / measures[:, INDEX["width"]]
        measures[:, TRACK] = np.maximum(measures[:, TRACK] - narrower, MEASURES[TRACK].low)
    return measures, held


def _without_dents(measures: np.ndarray, wanted: np.ndarray, space: ShapeSpace) -> np.ndarray:
    """(P,), (K,) -> (K,) the least changed coefficients."""
    panes = [pane for pane in PANES if pane != "rear_window" or measures[INDEX["cab_drop"]] < 0.5]  # a pickup's lies in its bed
    found = wanted
    for _ in range(STEPS):
        vertices = vertices_with(measures[None], found[None], space)[0].astype(np.float64)
        dent, slope = (
            np.concatenate(found_by_pane) for found_by_pane in zip(*[_dents(vertices, measures, p, space) for p in panes], strict=True)
        )
        if not len(dent):
            break
        short = MOST_DENT_M - dent + slope @ found
        normal = np.eye(len(wanted)) + STIFFNESS * slope.T @ slope
        found = np.linalg.solve(normal, wanted + STIFFNESS * slope.T @ short).astype(np.float32)
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
    over = dent > MOST_DENT_M
    dent, middle, start, end, share, outward = (values[over] for values in (dent, middle, start, end, share, outward))
    stretch = scale(measures[None])[0]
    half, sign = _half_of()

    def moved(vertex: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(N, K) what the coefficients do to the vertices along the weights (N, 3)."""
        turned = weight * stretch * np.stack([sign[vertex], np.ones(len(vertex)), np.ones(len(vertex))], 1)
        return np.einsum("knc,nc->nk", space.modes_m[:, half[vertex]], turned)

    return dent, -moved(middle, outward) + moved(start, (1 - share) * outward) + moved(end, share * outward)


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
