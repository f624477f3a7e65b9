"""Real cars in other cars' shapes: a model's details on any body of the shape space, carried along by the template that was fitted to it.

A saloon's lamps, panes and seams on a wagon's, an SUV's or a modern hatchback's body, in the proportions that real cars have: kinds of
cars of which there is no model.  The template's vertices say where each goes; between them a biharmonic spline of some of them, and near
the skin what that leaves, by the nearest ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from ..car.arrays import Array
from ..car.draw_car import KINDS, draw_once, held_together
from ..car.faults import faults
from ..car.measure_table import by_name
from ..car.prior import ShapePrior
from ..car.skeleton import body_vertices, skeleton
from ..car.space import ShapeSpace, scale
from ..car.wheels import wheel_centres
from .cars import NO_WHEEL, CarModel

CONTROLS = 500  # at most about so many of the template's vertices the spline passes near
SMOOTHING = 1e-4  # of the spline; what it leaves is added near the skin
NEIGHBOURS = 12
NEAR_M = 0.02  # about the distance of a model's skin from its fitted template
FADES_M = 0.12  # inside the car what the spline leaves fades over so much
OWN_PROPORTIONS = 0.3  # at most this share of its own measures a car keeps
DRAW_TRUNCATION = 0.8
DRAWN_AT_ONCE = 4
OPEN_OR_LOADED = ("pickup", "van")  # bodies whose models have no cabin or no panes where others have; they become their own type alone


@dataclass(frozen=True)
class FittedTemplate:
    """measures (P,) float32 and offset_m (H, 3) of the half body's vertices from the bare template, as `train shape` leaves them."""

    measures: np.ndarray
    offset_m: np.ndarray

    @classmethod
    def read(cls, file: Path) -> FittedTemplate:
        """FITS/NAME.npz of `train shape`."""
        with np.load(file) as held:
            return cls(held["measures"].astype(np.float32), held["free_half_m"].astype(np.float32))

    def body_m(self) -> np.ndarray:
        """(V, 3)."""
        return bodies_m(self.measures[None], self.offset_m[None])[0]


@dataclass(frozen=True)
class Shape:
    """Where a recast car's template lies: body_m (V, 3) and measures (P,), of one of BODY_TYPES."""

    body_m: np.ndarray
    measures: np.ndarray
    body_type: str


class Recaster:
    """Carries one model, whose wheels are told and whose y is shift_m less than the template's, to other shapes."""

    def __init__(self, model: CarModel, fit: FittedTemplate, shift_m: float) -> None:
        self.model, self.fit, self.shift_m = model, fit, shift_m
        self.from_m = fit.body_m().astype(np.float64)
        corners = model.positions_m.reshape(-1, 3) + np.array([0, shift_m, 0], np.float32)
        self.points_m, self.of_corner = np.unique(corners, axis=0, return_inverse=True)
        spread = np.random.default_rng(0).permutation(len(self.from_m))  # any vertex is as likely as any other, so flat parts get few
        self.controls = _far_apart(self.from_m, spread, CONTROLS)
        distance, self.near = cKDTree(self.from_m).query(self.points_m, NEIGHBOURS)
        reach = NEAR_M + 0.5 * distance[:, :1]
        weight = np.exp(-0.5 * ((distance - distance[:, :1]) / reach) ** 2) / (NEAR_M + distance)
        self.weight = weight / weight.sum(1, keepdims=True) * np.exp(-((distance[:, :1] / FADES_M) ** 2))

    def recast(self, shape: Shape) -> CarModel:
        """The model in another shape, on the ground and centred along y; wheels go whole and stay round."""
        moved = self._moved(shape.body_m - self.from_m)[self.of_corner.ravel()]
        moved = self._with_wheels(moved, shape.measures)
        moved[:, 2] -= moved[:, 2].min()
        moved[:, 1] -= (moved[:, 1].max() + moved[:, 1].min()) / 2
        positions = moved.reshape(-1, 3, 3).astype(np.float32)
        normals = turned_normals(self.model.positions_m, positions, self.model.normals)
        return replace(self.model, row=replace(self.model.row, body_type=shape.body_type), positions_m=positions, normals=normals)

    def _moved(self, by_m: np.ndarray) -> np.ndarray:
        """The model's own points where the template's vertices move by (V, 3)."""
        spline = RBFInterpolator(self.from_m[self.controls], by_m[self.controls], kernel="linear", smoothing=SMOOTHING)
        left = by_m - spline(self.from_m)
        return self.points_m + spline(self.points_m) + np.einsum("nk,nkc->nc", self.weight, left[self.near])

    def _with_wheels(self, moved: np.ndarray, measures: np.ndarray) -> np.ndarray:
        """Every wheel goes by its hub, as far from the template's as it was across and along, and gets the template's radius."""
        hubs = wheel_centres(np.stack([self.fit.measures, measures]).astype(np.float64))
        old, new = by_name(self.fit.measures[None]), by_name(measures[None])
        radius_m, wide = float(new["wheel_radius"][0]), float(new["tyre_width"][0] / old["tyre_width"][0])
        numbers, corners = np.repeat(self.model.wheel_index, 3), self.points_m[self.of_corner.ravel()]
        for wheel in range(NO_WHEEL):
            chosen = numbers == wheel
            if chosen.any():
                low, high = corners[chosen].min(0).astype(np.float64), corners[chosen].max(0).astype(np.float64)
                centre, round_ = (low + high) / 2, 2 * radius_m / (high[2] - low[2])
                hub = np.array([*(centre + hubs[1, wheel] - hubs[0, wheel])[:2], radius_m])
                moved[chosen] = hub + (corners[chosen] - centre) * [wide, round_, round_]
        return moved


def bodies_m(measures: Array, offsets_m: np.ndarray) -> Array:
    """(B, P) measures and (B, H, 3) offsets from the bare template -> (B, V, 3)."""
    return body_vertices(measures) + skeleton().whole(offsets_m)


def _far_apart(points: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
    """Indices of about `count` points of which no two are near each other, earlier ones of an order first."""
    tree, free, chosen = cKDTree(points), np.ones(len(points), bool), []
    span = np.ptp(points, axis=0)
    radius = np.sqrt(2 * (span[0] * span[1] + span[1] * span[2] + span[0] * span[2]) / count) * 0.75
    for k in order:
        if free[k]:
            chosen.append(k)
            free[tree.query_ball_point(points[k], radius)] = False
    return np.array(chosen)


def turned_normals(before_m: np.ndarray, after_m: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Corners' normals (F, 3, 3) turned as the triangles (F, 3, 3) that carry them are, where those have an area; corners that shared a
    normal go on doing so."""
    (old, was), (new, is_) = _frames(before_m), _frames(after_m)
    turned = np.einsum("fij,fkj,fck->fci", new, old, normals.astype(np.float64))
    turned[~(was & is_)] = normals[~(was & is_)]
    key = np.concatenate([before_m.reshape(-1, 3), normals.reshape(-1, 3)], 1).round(4)
    _, shared = np.unique(key, axis=0, return_inverse=True)
    area = np.linalg.norm(np.cross(after_m[:, 1] - after_m[:, 0], after_m[:, 2] - after_m[:, 0]), axis=1)
    total = np.zeros((shared.max() + 1, 3))
    np.add.at(total, shared.ravel(), (turned * area[:, None, None]).reshape(-1, 3))
    mean = total[shared.ravel()].reshape(normals.shape)
    length = np.linalg.norm(mean, axis=2, keepdims=True)
    return np.where(length > 1e-12, mean / np.maximum(length, 1e-12), normals).astype(np.float32)


def _frames(triangles_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(F, 3, 3) orthonormal columns: along the first edge, across it in the plane, the normal; and (F,) bool where there is an area."""
    a, b = (triangles_m[:, k].astype(np.float64) - triangles_m[:, 0] for k in (1, 2))
    normal = np.cross(a, b)
    area, length = np.linalg.norm(normal, axis=1), np.linalg.norm(a, axis=1)
    sound = (area > 1e-12) & (length > 1e-9)
    first, up = a / np.maximum(length, 1e-9)[:, None], normal / np.maximum(area, 1e-12)[:, None]
    return np.stack([first, np.cross(up, first), up], 2), sound


def shapes(fit: FittedTemplate, own_type: str, prior: ShapePrior, space: ShapeSpace, random: np.random.Generator) -> Iterator[Shape]:
    """Endless: measures of a random car, with up to OWN_PROPORTIONS of the model's own; of its own styling, the offsets, any share.

    A shape with a fault is not handed out.  Pickups and vans stay what they are, and nothing becomes one."""
    types = [own_type] if own_type in OPEN_OR_LOADED else [kind for kind in KINDS if kind not in OPEN_OR_LOADED]
    own_offset = fit.offset_m / scale(fit.measures[None])[0]
    while True:
        kinds = np.array([KINDS.index(types[k]) for k in random.integers(len(types), size=DRAWN_AT_ONCE)])
        other, coefficients = draw_once(kinds, random, prior, space, DRAW_TRUNCATION)
        own, styled = random.uniform(0, OWN_PROPORTIONS, (DRAWN_AT_ONCE, 1)), random.random((DRAWN_AT_ONCE, 1, 1))
        measures = held_together((own * fit.measures + (1 - own) * other).astype(np.float32))
        drawn = space.offset_m + np.tensordot(coefficients, space.modes_m, 1)
        bodies = bodies_m(measures, (scale(measures) * (styled * own_offset + (1 - styled) * drawn)).astype(np.float32))
        faulty = np.any(list(faults(bodies, measures).values()), 0)
        for k in np.flatnonzero(~faulty):
            yield Shape(bodies[k], measures[k], KINDS[kinds[k]])
