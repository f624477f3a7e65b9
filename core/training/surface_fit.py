"""The template brought onto a real car's surface: Gauss-Newton on closest points, over the shape space or over free vertices.

Non-rigid iterative closest points in the manner of Amberg, Romdhani & Vetter (CVPR 2007): pairs in both directions between the target's
points and points on the template's faces, near in place, normal and part; point-to-plane with a little point-to-point; robust weights that
tighten.  Only the left half is solved for, the target being folded onto it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import scipy.sparse as sparse
import torch
from scipy.sparse.linalg import splu

from ..car import body
from ..car.car import whole
from ..car.measure_table import INDEX, NAMES
from ..car.measures import HIGH, LOW
from ..car.prior import ShapePrior
from ..car.skeleton import skeleton
from ..car.soundness import Soundness
from ..car.space import ShapeSpace, scale
from ..dataset.part_table import PARTS
from .half_body import face_parts, half_body, laplacian, part_classes, samples, whole_body, with_wheels
from .surface_pairs import Pairs, pairs
from .surface_target import SurfaceTarget, seen_surface

SMALL, FARTHEST_M = ("headlight", "taillight", "plate"), 0.22  # parts that may sit elsewhere, and how far they are followed
WHEEL_WEIGHT = 30.0  # against square metres of surface: wheels are exact
MEASURE_PRIOR, MODE_PRIOR = 3e-5, 3e-5  # just enough for what no point decides
# how far pairs are believed, by step; free vertices: the same and the weight of bending, ever softer
SPACE_RADII_M = (0.4, 0.3, 0.25, 0.2, 0.15, 0.12, 0.1, 0.1, 0.08, 0.08, 0.07, 0.07)
FREE_STEPS = ((0.15, 0.3), (0.12, 0.1), (0.1, 0.03), (0.08, 0.015), (0.07, 0.008), (0.06, 0.005), (0.06, 0.004), (0.06, 0.004))
EDGE_WEIGHT = 4e-6  # over the edge's squared length
WIDEST_TYRE = 0.75  # by the wheel's radius
REPAIRS = 6  # more steps where faces are still folded
RIGID, RIGID_PARTS = 60.0, ("plate", "mirror", "fog_light")  # edges of such faces are that much stiffer
FOLDED = 8.0  # and those of folded faces this much, each time they are found folded


@dataclass(frozen=True)
class SpaceFit:
    """measures (P,) float32, coefficients (K,) float32, half_m (H, 3) float64: the half body they make."""

    measures: np.ndarray
    coefficients: np.ndarray
    half_m: np.ndarray


def fit_space(
    target: SurfaceTarget, prior: ShapePrior, space: ShapeSpace | None, modes: int | None = None, measure_prior: float = MEASURE_PRIOR
) -> SpaceFit:
    """Measures, and coefficients of the first `modes` modes (all by default; none without a space), that bring the template closest."""
    count = 0 if space is None else (space.mode_count if modes is None else modes)
    origin = start_measures(target, prior)
    factor = prior.factor.double().numpy()
    typical = np.zeros(count) if space is None else space.typical[target.body_type][:count].astype(np.float64)
    z, c = np.zeros(len(NAMES)), typical.copy()
    visible = np.ones(len(half_body().quads), bool)
    for step, radius in enumerate(SPACE_RADII_M):
        measures = np.clip(origin + factor @ z, LOW.numpy(), HIGH.numpy())
        half, slope = _half_and_slope(measures, factor)
        half, slope = _with_modes(half, slope, measures, c, space, count)
        if step % 4 == 0:
            visible = visible_faces(measures, half)
        full, right = _equations(pairs(half, target, radius, visible), half)
        steps = slope.reshape(-1, slope.shape[2])
        matrix, vector = steps.T @ (full @ steps), steps.T @ right
        _add_wheels(matrix, vector, target, measures, factor)
        prior_weight = np.r_[np.full(len(z), measure_prior), np.full(count, MODE_PRIOR)]
        matrix[np.diag_indices_from(matrix)] += prior_weight
        vector -= prior_weight * np.r_[z, c - typical]
        change = np.linalg.solve(matrix, vector)
        change *= min(1.0, 2.0 / np.abs(change).max())
        z, c = z + change[: len(z)], c + change[len(z) :]
        inside = np.clip(origin + factor @ z, LOW.numpy(), HIGH.numpy())
        z = z if np.allclose(inside, origin + factor @ z) else np.linalg.lstsq(factor, inside - origin, rcond=1e-6)[0]
    measures = np.clip(origin + factor @ z, LOW.numpy(), HIGH.numpy())
    half, slope = _half_and_slope(measures, factor)
    half, _ = _with_modes(half, slope, measures, c, space, count)
    return SpaceFit(measures.astype(np.float32), c.astype(np.float32), half)


def fit_free(target: SurfaceTarget, start: SpaceFit) -> np.ndarray:
    """Every vertex by itself, smoothly: the half body (H, 3) nearest the target."""
    target = _within_reach(target, start.half_m)
    vertices, stiffness = start.half_m.copy(), _stiffness(target.body_type)
    sound = Soundness(start.measures)
    for step, (radius, smooth) in enumerate(FREE_STEPS + REPAIRS * FREE_STEPS[-1:]):
        if step % 3 == 0:
            visible = visible_faces(start.measures, vertices)
        matrix, vector = _equations(pairs(vertices, target, radius, visible), vertices)
        rigid = sparse.kron(smooth * _bending() + _edges(start.half_m, stiffness), sparse.eye(3)).tocsr()
        vertices = vertices + _solved(matrix + rigid, vector - rigid @ (vertices - start.half_m).ravel())
        folded = sound.folded_faces(whole_body(vertices)[None])[0]
        if step >= len(FREE_STEPS) - 1 and not folded.any():
            break
        stiffness = np.where(folded, FOLDED * stiffness, stiffness)
    return vertices


def _within_reach(target: SurfaceTarget, half_m: np.ndarray) -> SurfaceTarget:
    """Lamps and plates that sit elsewhere than the template's count as body: to drag those there would crumple what lies between."""
    points, _, areas = samples(half_m)
    classes, part = part_classes(target.body_type), target.part.copy()
    for name in SMALL:
        there, here = part == PARTS.index(name), classes == PARTS.index(name)
        for front in (True, False):
            goal, ours = there & ((target.points_m[:, 1] < 0) == front), here & ((points[:, 0, 1] < 0) == front)
            if goal.any() and ours.any():
                middle = np.average(points[ours].mean(1), axis=0, weights=areas[ours])
                if np.linalg.norm(target.points_m[goal].mean(0) - middle) > FARTHEST_M:
                    part[goal] = PARTS.index("body")
    return replace(target, part=part)


def _stiffness(body_type: str) -> np.ndarray:
    """(Q,) how stiff each face is."""
    names = face_parts(body_type)
    return np.where([any(word in name for word in RIGID_PARTS) for name in names], RIGID, 1.0)


@cache
def _bending() -> sparse.csr_matrix:
    bend = laplacian()
    return (bend.T @ bend).tocsr()


def _edges(half_m: np.ndarray, stiffness: np.ndarray) -> sparse.csr_matrix:
    """(H, H) quadratic form: squared differences of the offsets along the edges of faces, stiffer where the edge is short."""
    quads = half_body().quads
    a, b = quads.ravel(), np.roll(quads, -1, 1).ravel()
    length = np.linalg.norm(half_m[a] - half_m[b], axis=1)
    weight = 0.5 * EDGE_WEIGHT * np.repeat(stiffness, 4) / np.maximum(length, 0.01) ** 2
    edge = sparse.coo_matrix((np.r_[weight, weight], (np.r_[a, b], np.r_[b, a])), (len(half_m),) * 2).tocsr()
    return (sparse.diags(np.asarray(edge.sum(1)).ravel() + 1e-9) - edge).tocsr()


def _solved(matrix: sparse.csr_matrix, vector: np.ndarray) -> np.ndarray:
    """(H, 3): the change that solves the equations, vertices of the middle plane staying in it."""
    half = half_body()
    free = np.ones((half.count, 3))
    free[:, 0] = half.on_side
    keep = sparse.diags(free.ravel())
    held = sparse.diags(1.0 - free.ravel() + 1e-9)
    return splu((keep @ matrix @ keep + held).tocsc()).solve(free.ravel() * vector).reshape(-1, 3)


def start_measures(target: SurfaceTarget, prior: ShapePrior) -> np.ndarray:
    """(P,) the typical car of the body type with what can be read off the target."""
    start = prior.typical[target.body_type].double().numpy().copy()
    start[INDEX["length"]], start[INDEX["height"]] = target.length_m, target.height_m
    if target.wheels is not None:
        hubs = target.wheels
        front, rear = hubs[:2, 1].mean(), hubs[2:, 1].mean()
        start[INDEX["wheelbase"]], start[INDEX["front_overhang"]] = rear - front, front - target.ends_m[0]
        start[INDEX["wheel_radius"]] = hubs[:, 3].mean()
    return np.clip(start, LOW.numpy(), HIGH.numpy())


def visible_faces(measures: np.ndarray, half_m: np.ndarray) -> np.ndarray:
    """(Q,) bool: the faces of the half that some camera round the car sees."""
    triangles = whole().triangles.numpy()
    _, _, triangle = seen_surface(with_wheels(whole_body(half_m), measures), triangles)
    faces = len(triangles) // 2  # both triangles of a quad, half the list apart
    seen = np.zeros(faces, bool)
    seen[triangle % faces] = True
    return seen[: len(half_body().quads)]


def _half_and_slope(measures: np.ndarray, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The half body (H, 3) of measures, and its derivative (H, 3, P) by whitened measures."""
    shared = skeleton()

    def half(point: torch.Tensor) -> torch.Tensor:
        return shared.half_vertices(body.raw_vertices(point[None]))[0]

    at = torch.tensor(measures, dtype=torch.float32)
    with torch.no_grad():
        here = half(at)
    directions = torch.tensor(factor.T, dtype=torch.float32)
    slope = torch.func.vmap(lambda d: torch.func.jvp(half, (at,), (d,))[1])(directions)
    return here.double().numpy(), slope.detach().permute(1, 2, 0).double().numpy()


def _with_modes(
    half: np.ndarray, slope: np.ndarray, measures: np.ndarray, c: np.ndarray, space: ShapeSpace | None, count: int
) -> tuple[np.ndarray, np.ndarray]:
    if space is None:
        return half, slope
    size = scale(measures[None])[0]
    modes = space.modes_m[:count].astype(np.float64)
    moved = half + size * (space.offset_m + np.tensordot(c, modes, 1))
    return moved, np.concatenate([slope, (size * modes).transpose(1, 2, 0)], 2)


def _residuals(found: Pairs, half_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances along the normals (n,) and vectors (n, 3) from where the places are to where they should be."""
    there = (half_m[found.corners] * found.weights[..., None]).sum(1)
    vector = found.point - there
    return (vector * found.normal).sum(1), vector


def _equations(found: Pairs, half_m: np.ndarray) -> tuple[sparse.csr_matrix, np.ndarray]:
    """J^T W J (3 H, 3 H) and J^T W r (3 H,) over every vertex's x, y and z."""
    count = len(half_m)
    distance, vector = _residuals(found, half_m)
    n = len(distance)
    row = np.repeat(np.arange(n), 4)
    place = sparse.coo_matrix((found.weights.ravel(), (row, found.corners.ravel())), (n, count)).tocsr()
    matrix = sparse.kron(place.T @ sparse.diags(found.weight * found.along) @ place, sparse.eye(3)).tocsr()
    right = (place.T @ (vector * (found.weight * found.along)[:, None])).ravel()
    column = (3 * found.corners[..., None] + np.arange(3)).reshape(n, -1)
    value = (found.weights[..., None] * found.normal[:, None]).reshape(n, -1)
    plane = sparse.coo_matrix((value.ravel(), (np.repeat(np.arange(n), 12), column.ravel())), (n, 3 * count)).tocsr()
    matrix = matrix + plane.T @ sparse.diags(found.weight) @ plane
    return matrix.tocsr(), right + plane.T @ (found.weight * distance)


def _add_wheels(matrix: np.ndarray, vector: np.ndarray, target: SurfaceTarget, measures: np.ndarray, factor: np.ndarray) -> None:
    """Wheelbase, track, wheel radius and tyre width as they are; linear in the measures but for the track."""
    if target.wheels is None:
        return
    hubs, slopes, errors = target.wheels, [], []
    wanted = {
        "wheelbase": hubs[2:, 1].mean() - hubs[:2, 1].mean(),
        "wheel_radius": hubs[:, 3].mean(),
        "tyre_width": min(hubs[:, 4].mean(), WIDEST_TYRE * hubs[:, 3].mean()),  # the models' wheels bring hubs and discs along
        "track_ratio": (hubs[[0, 2], 0].mean() - hubs[[1, 3], 0].mean()) / measures[INDEX["width"]],
    }
    for name, value in wanted.items():
        slopes.append(factor[INDEX[name]])
        errors.append(value - measures[INDEX[name]])
    rows = np.stack(slopes)
    matrix[: len(factor), : len(factor)] += WHEEL_WEIGHT * rows.T @ rows
    vector[: len(factor)] += WHEEL_WEIGHT * rows.T @ np.array(errors)
