"""A first car and camera in closed form, from what the network tells of each pixel: no drawing of outlines, a third of a second.

The camera is the one through which the told places fall on their pixels (reprojection error, Hartley and Zisserman, chapter 7, by
Levenberg-Marquardt).  The shape is the likeliest of the shape space for the told places of its visible faces and the told figures: a
linear least-squares problem in the whitened measures and coefficients, solved a few times as the faces move.  How much too wide and too
high the told places and figures are, all alike, is found with it (told_rows.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..car.car import WHEEL_NAMES, whole
from ..car.measures import INDEX
from ..car.prior import ShapePrior
from ..types import Dense, Perception
from .dense import Lookup, axes_of, to_px, trust_of, usual_error
from .linear_car import LinearCar
from .pose import AZIMUTH, ELEVATION, LOG_DISTANCE, LOG_SCALE, ROLL, Crop
from .shapes import Shapes
from .starts import Start
from .told_rows import PLACE_SIGMA, Moving, figure_rows, measure_rows, place_rows, ratio_spreads

POINTS = 500
POSE_STEPS, FEW_STEPS = 12, 3
POSE_STEP = 1e-6  # of the forward differences, in float64
FREE_MODES = 24
PIXELS_COUNT_AS = 60.0  # independent observations in all pixels' places, told within PLACE_SIGMA: neighbours err together
LAPLACE_SIGMA = math.sqrt(2)  # standard deviation of a Laplace error of scale 1: scales are what the network tells
AZIMUTH_SIGMA_RAD = 0.04  # of what the network tells, where it does not take nose for tail


@dataclass(frozen=True)
class Solved:
    """z (P,) and w (FREE_MODES,) of a car, stretch (2,) of the places and outlines told of it (see dense.axes_of), and the pose (7,)."""

    z: torch.Tensor
    w: torch.Tensor
    stretch: torch.Tensor
    pose: torch.Tensor


def solve_poses(starts: list[Start], perception: Perception, crop: Crop) -> torch.Tensor:
    """(B, 7) the camera of each start; perception.dense must be there."""
    assert perception.dense is not None, "solve_poses() is for perceptions with dense maps"
    places, pixels, trust = told_places(perception.dense)
    count = observations(perception.dense)
    found: dict[float, tuple[torch.Tensor, float]] = {}
    poses = []
    for start in starts:
        length_m = float(start.origin[INDEX["length"]])
        first, steps, azimuth = start.pose, POSE_STEPS, float(start.pose[AZIMUTH])
        if azimuth in found:  # the same places in another size: nearly the same camera, further off
            first, other_m = found[azimuth]
            first, steps = first.clone(), FEW_STEPS
            first[LOG_DISTANCE] += math.log(length_m / other_m)
            first[LOG_SCALE] -= math.log(length_m / other_m)
        pose = solve_pose(first, places * length_m, pixels, trust, pose_prior(start.pose, perception), crop, count, steps)
        found.setdefault(azimuth, (pose, length_m))
        poses.append(pose)
    return torch.stack(poses)


def solve_shape(
    start: Start, car: LinearCar, pose: torch.Tensor, perception: Perception, lookup: Lookup, prior: ShapePrior, crop: Crop, rounds: int
) -> Solved:
    """The likeliest car about a start, at first seen through a pose (7,); car: the start's, typical_expanded()."""
    assert perception.dense is not None, "solve_shape() is for perceptions with dense maps"
    shapes, length_m = Shapes.of(prior, [start]), float(start.origin[INDEX["length"]])
    found = Solved(torch.zeros(prior.factor.shape[0]), torch.zeros(FREE_MODES), torch.zeros(2), pose)
    (places, pixels, trust), count = told_places(perception.dense), observations(perception.dense)
    for number in range(rounds):
        about = car if number == 0 else car.moved(*shapes.at(found.z[None], found.w[None]))
        found = _shape_round(about, found, perception, prior, crop, lookup)
        if number < rounds - 1:  # a car of other proportions is seen through another camera
            points = places * axes_of(found.stretch[None])[0].double() * length_m
            expected = pose_prior(start.pose, perception)
            found = replace(found, pose=solve_pose(found.pose, points, pixels, trust, expected, crop, count, FEW_STEPS))
    return found


def observations(dense: Dense) -> float:
    """As how many places told within PLACE_SIGMA all pixels count, the network's own word on its errors taken."""
    return PIXELS_COUNT_AS / (1 + (usual_error(dense) / PLACE_SIGMA) ** 2)


def told_places(dense: Dense) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Up to POINTS cells inside the car: places over the length (n, 3), pixels of the photograph (n, 2), trust (n,)."""
    trust = np.where(dense.matte01 > 0.6, trust_of(dense), 0)
    rows, columns = np.nonzero(trust > 0.05)
    step = max(1, len(rows) // POINTS)
    rows, columns = rows[::step], columns[::step]
    left, top, width, height = dense.box_px
    cells_y, cells_x = dense.matte01.shape
    pixels = np.stack([left + (columns + 0.5) * width / cells_x, top + (rows + 0.5) * height / cells_y], 1)
    places = dense.coordinates[:, rows, columns].T
    return tuple(torch.from_numpy(np.ascontiguousarray(a)).double() for a in (places, pixels, trust[rows, columns]))  # type: ignore[return-value]


def solve_pose(
    first: torch.Tensor,
    points_car: torch.Tensor,
    pixels: torch.Tensor,
    trust: torch.Tensor,
    expected: tuple[torch.Tensor, torch.Tensor],
    crop: Crop,
    count: float,
    steps: int,
) -> torch.Tensor:
    """The pose (7,) near `first` through which points (n, 3) fall on pixels (n, 2), which count as `count` independent ones; `expected`: a
    pose and how sure each number is."""
    told, spread = expected
    scale = 200.0 / crop.side_px  # residuals in two-hundredths of the crop
    weight = (trust / trust.sum().clamp_min(1e-6) * count).sqrt()[:, None]

    steps_aside = torch.cat([torch.zeros(1, len(first)), POSE_STEP * torch.eye(len(first))]).double()

    def rows_at(pose: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        around = pose + steps_aside
        missed = (to_px(points_car.expand(len(around), -1, -1), around, crop.photo_size_px) - pixels) * scale
        apart, slope = missed[0], ((missed[1:] - missed[0]) / POSE_STEP).permute(1, 2, 0)
        robust = (1 + apart.square().sum(1, keepdim=True) / 9).pow(-0.25)  # square root of the Huber-like weight
        rows = torch.cat([(weight * robust * apart).flatten(), (pose - told) / spread])
        return rows, torch.cat([(weight * robust)[..., None].mul(slope).flatten(0, 1), torch.diag(1 / spread)])

    pose, damping = first.double().clone(), 1e-2
    rows, matrix = rows_at(pose)
    for _ in range(steps):
        normal = matrix.T @ matrix
        trial = pose - torch.linalg.solve(normal + damping * torch.diag(torch.diag(normal)), matrix.T @ rows)
        there = rows_at(trial)
        better = bool(there[0].square().sum() < rows.square().sum())  # never where it is not a number
        damping = damping * (0.4 if better else 4)
        if better:
            pose, (rows, matrix) = trial, there
    return pose.float()


def pose_prior(first: torch.Tensor, perception: Perception) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the pose is expected, and how surely (7,) each."""
    told = first.double().clone()
    spread = torch.full((len(first),), 1e3, dtype=torch.float64)
    spread[AZIMUTH], spread[ROLL] = AZIMUTH_SIGMA_RAD, 0.035
    spread[ELEVATION] = LAPLACE_SIGMA * perception.estimates.get("elevation_rad", (0.0, 0.05))[1] + 0.005
    spread[LOG_DISTANCE] = LAPLACE_SIGMA * perception.estimates.get("log_distance_lengths", (0.0, 0.25))[1]
    return told, spread


def _shape_round(car: LinearCar, last: Solved, perception: Perception, prior: ShapePrior, crop: Crop, lookup: Lookup) -> Solved:
    """The likeliest shape and stretch, with the car expanded about the present one."""
    slope = torch.cat([prior.factor.T @ car.slope[0], (car.stretch * car.modes.view(FREE_MODES, -1, 3)).flatten(1)])  # (P + k, V * 3)
    moving = Moving(car.origin[0], slope.view(len(slope), -1, 3), float(car.at[0, INDEX["length"]]), last.stretch)
    count, told = observations(perception.dense), perception.estimates  # type: ignore[arg-type]
    rows = [place_rows(moving, last.pose, lookup, crop, count), *figure_rows(moving, told), *measure_rows(moving, car.at[0], prior, told)]
    matrix, wanted = torch.cat([r[0] for r in rows]).double(), torch.cat([r[1] for r in rows]).double()
    spread = ratio_spreads(told)
    matrix[:, -2:] *= spread
    at = torch.cat([last.z, last.w, last.stretch / spread]).double()
    # rows: matrix (x - at) = wanted, and x a standard normal
    normal = matrix.T @ matrix + torch.eye(len(at), dtype=torch.float64)
    found = torch.linalg.solve(normal, matrix.T @ (wanted + matrix @ at)).float()
    return Solved(found[: len(last.z)], found[len(last.z) : -2], found[-2:] * spread, last.pose)


def outer_hubs(measures: torch.Tensor, vertices: torch.Tensor) -> torch.Tensor:
    """(B, 4, 3) middles of the wheels' outer sides, in the order of WHEEL_NAMES; measures (B, P), vertices (B, V, 3) of the whole car."""
    per_wheel = (vertices.shape[1] - body_count()) // len(WHEEL_NAMES)
    wheels = vertices[:, body_count() :].unflatten(1, (len(WHEEL_NAMES), per_wheel))
    outward = vertices.new_tensor([1.0, -1.0, 1.0, -1.0])[:, None] * vertices.new_tensor([[0.5, 0, 0]])
    return wheels.mean(2) + outward * measures[:, INDEX["tyre_width"], None, None]


def body_count() -> int:
    """Vertices of the body, which come before the wheels'."""
    mesh = whole()
    wheels = torch.tensor([k for k, name in enumerate(mesh.part_names) if name in ("tyre", "rim", "hub")])
    return int(mesh.triangles[torch.isin(mesh.part_index, wheels)].min())
