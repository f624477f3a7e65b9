"""Which place of the template's half body belongs to which point of a real car's surface."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial import cKDTree

from ..dataset.part_table import PARTS
from .half_body import half_body, part_classes, sample_weights, samples
from .surface_target import CELL_M, SurfaceTarget

NORMAL_M = 0.22  # a normal turned by 60 degrees counts as this far away


@dataclass(frozen=True)
class Border:
    """How a part finds its like: apart_m counts as the distance to any other part; of pairs with the same part, along is the share of
    point-to-point, weight a factor and reach_m the least distance up to which they are believed."""

    apart_m: float
    along: float
    weight: float
    reach_m: float


PLAIN = Border(0.08, 0.04, 1.0, 0.0)
BORDERS = {
    **dict.fromkeys(("windshield", "rear_window", "side_window"), Border(0.4, 0.6, 3.0, 0.2)),
    **dict.fromkeys(("headlight", "taillight", "plate"), Border(0.5, 1.0, 6.0, 0.3)), "mirror": Border(0.4, 1.0, 4.0, 0.3),
    "grille": Border(0.3, 0.6, 4.0, 0.2), "hood": Border(0.2, 0.4, 1.5, 0.12), "bumper": Border(0.2, 0.4, 1.5, 0.12),
    "door": Border(0.15, 0.2, 1.0, 0.1),
}  # fmt: skip
END_WEIGHT = 2.0  # square metres of surface that nose and tail count for


@dataclass(frozen=True)
class Pairs:
    """Places on the half body, corners (n, 4) and weights (n, 4), each wanted at point (n, 3) along normal (n, 3) with weight (n,), and at
    the point itself with along (n,)."""

    corners: np.ndarray
    weights: np.ndarray
    point: np.ndarray
    normal: np.ndarray
    weight: np.ndarray
    along: np.ndarray


def pairs(half_m: np.ndarray, target: SurfaceTarget, radius_m: float, visible: np.ndarray) -> Pairs:
    """Closest points both ways, weighed down beyond radius_m."""
    half, weights = half_body(), sample_weights()
    classes = part_classes(target.body_type)
    classes = np.where(np.isin(classes, np.unique(target.part)), classes, PARTS.index("body"))  # what the car does not name
    points, normals, areas = samples(half_m)
    faces = np.flatnonzero(visible)
    count = points.shape[1]
    model, model_normal = points[faces].reshape(-1, 3), np.repeat(normals[faces], count, 0)
    model_class = np.repeat(classes[faces], count)
    model_feature, target_feature = _feature(model, model_normal, model_class), _feature(target.points_m, target.normals, target.part)
    to_model = cKDTree(model_feature).query(target_feature)[1]
    to_target = cKDTree(target_feature).query(model_feature)[1]
    face = np.r_[faces[to_model // count], np.repeat(faces, count)]
    place = np.r_[to_model % count, np.tile(np.arange(count), len(faces))]
    source = np.r_[to_model, np.arange(len(model))]
    goal = np.r_[np.arange(len(target.points_m)), to_target]
    area = np.r_[np.full(len(target.points_m), CELL_M**2), np.repeat(areas[faces] / count, count)]
    apart = np.linalg.norm(model[source] - target.points_m[goal], axis=1)
    facing = (model_normal[source] * target.normals[goal]).sum(1)
    same = model_class[source] == target.part[goal]
    along, factor, reach = (
        np.where(same, table[target.part[goal]], plain) for table, plain in zip(_pulls(), (PLAIN.along, 1.0, 0.0), strict=True)
    )
    weight = factor * area / (1 + (apart / np.maximum(radius_m, reach)) ** 2) ** 2 * (facing > 0.3)
    found = Pairs(half.quads[face], weights[place], target.points_m[goal], target.normals[goal], weight, along)
    return _with_ends(found, half_m, target)


def _feature(points: np.ndarray, normals: np.ndarray, part: np.ndarray) -> np.ndarray:
    """What nearness is measured in: place, direction, and one axis for each part."""
    apart = np.array([BORDERS.get(name, PLAIN).apart_m for name in PARTS]) / np.sqrt(2)
    one_hot = np.zeros((len(points), len(PARTS)))
    one_hot[np.arange(len(points)), part] = apart[part]
    return np.concatenate([points, NORMAL_M * normals, one_hot], 1)


@cache
def _pulls() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """along, weight and reach_m of every part, in the order of PARTS."""
    borders = [BORDERS.get(name, PLAIN) for name in PARTS]
    return np.array([b.along for b in borders]), np.array([b.weight for b in borders]), np.array([b.reach_m for b in borders])


def _with_ends(found: Pairs, half_m: np.ndarray, target: SurfaceTarget) -> Pairs:
    """The foremost and the rearmost vertex at the target's ends: bumpers are few points, but they make the length."""
    y = np.where(half_body().used, half_m[:, 1], 0.0)
    ends = np.array([int(y.argmin()), int(y.argmax())])
    point = half_m[ends].copy()
    point[:, 1] = target.ends_m
    return Pairs(
        np.concatenate([found.corners, np.repeat(ends[:, None], 4, 1)]),
        np.concatenate([found.weights, np.full((2, 4), 0.25)]),
        np.concatenate([found.point, point]),
        np.concatenate([found.normal, [[0.0, 1.0, 0.0]] * 2]),
        np.r_[found.weight, END_WEIGHT, END_WEIGHT],
        np.r_[found.along, 0.0, 0.0],
    )
