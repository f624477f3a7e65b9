"""A first car and camera in closed form, from what the network tells of each pixel: no drawing of outlines, a third of a second.

The camera is the one through which the told places fall on their pixels (solve_camera.py).  The shape is the likeliest of the shape space
for the told places of its visible faces and the told figures: a linear least-squares problem in the whitened measures and coefficients,
solved a few times as the faces move.  How much too wide and too high the told places and figures are, all alike, is found with the camera
first, and as far as that leaves it open with the shape (told_rows.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ..car.car import WHEEL_NAMES, whole
from ..car.measures import INDEX
from ..car.prior import ShapePrior
from ..types import Perception
from .dense import Lookup
from .linear_car import LinearCar
from .pose import AZIMUTH, LOG_DISTANCE, LOG_SCALE, POSE_SIZE, Crop
from .shapes import Shapes
from .solve_camera import observations, pose_prior, solve_camera, stretch_prior, told_places
from .starts import Start
from .told_rows import Moving, figure_rows, measure_rows, place_rows, ratio_spreads

CAMERA_STEPS, FEW_STEPS = 12, 3
FREE_MODES = 24


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
        first, steps, azimuth = start.pose, CAMERA_STEPS, float(start.pose[AZIMUTH])
        if azimuth in found:  # the same places in another size: nearly the same camera, further off
            first, other_m = found[azimuth]
            first, steps = first.clone(), FEW_STEPS
            first[LOG_DISTANCE] += math.log(length_m / other_m)
            first[LOG_SCALE] -= math.log(length_m / other_m)
        pose, _ = solve_camera(first, places * length_m, pixels, trust, pose_prior(start.pose, perception), crop, count, steps)
        found.setdefault(azimuth, (pose, length_m))
        poses.append(pose)
    return torch.stack(poses)


def solve_shape(
    start: Start, car: LinearCar, pose: torch.Tensor, perception: Perception, lookup: Lookup, prior: ShapePrior, crop: Crop, rounds: int
) -> Solved:
    """The likeliest car about a start, at first seen through a pose (7,); car: the start's, typical_expanded()."""
    assert perception.dense is not None, "solve_shape() is for perceptions with dense maps"
    shapes = Shapes.of(prior, [start])
    pose, stretch, spread = _stretched_view(start, pose, perception, crop)
    found = Solved(torch.zeros(prior.factor.shape[0]), torch.zeros(FREE_MODES), stretch, pose)
    for number in range(rounds):
        about = car if number == 0 else car.moved(*shapes.at(found.z[None], found.w[None]))
        found = _shape_round(about, found, (stretch, spread), perception, prior, lookup, crop)
    return found


def _stretched_view(
    start: Start, pose: torch.Tensor, perception: Perception, crop: Crop
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A pose (7,) near another that shows what is told of the pixels, stretched as it has to be; the stretch (2,), how sure it is (2,)."""
    assert perception.dense is not None
    (places, pixels, trust), count = told_places(perception.dense), observations(perception.dense)
    expected = [torch.cat(both) for both in zip(pose_prior(start.pose, perception), stretch_prior(perception.estimates), strict=True)]
    first, length_m = torch.cat([pose, torch.zeros(2)]), float(start.origin[INDEX["length"]])
    found, spread = solve_camera(first, places * length_m, pixels, trust, (expected[0], expected[1]), crop, count, CAMERA_STEPS)
    return found[:POSE_SIZE], found[POSE_SIZE:], spread[POSE_SIZE:]


def _shape_round(
    car: LinearCar,
    last: Solved,
    stretch: tuple[torch.Tensor, torch.Tensor],
    perception: Perception,
    prior: ShapePrior,
    lookup: Lookup,
    crop: Crop,
) -> Solved:
    """The likeliest shape and stretch, with the car expanded about the present one; stretch: the expected one (2,), and how surely (2,)."""
    slope = torch.cat([prior.factor.T @ car.slope[0], (car.stretch * car.modes.view(FREE_MODES, -1, 3)).flatten(1)])  # (P + k, V * 3)
    moving = Moving(car.origin[0], slope.view(len(slope), -1, 3), float(car.at[0, INDEX["length"]]), last.stretch)
    count, told = observations(perception.dense), perception.estimates  # type: ignore[arg-type]
    rows = [place_rows(moving, last.pose, lookup, crop, count), *figure_rows(moving, told), *measure_rows(moving, car.at[0], prior, told)]
    matrix, wanted = torch.cat([r[0] for r in rows]).double(), torch.cat([r[1] for r in rows]).double()
    expected, spread = stretch[0], (stretch[1] ** -2 + ratio_spreads(told) ** -2) ** -0.5
    matrix[:, -2:] *= spread
    at = torch.cat([last.z, last.w, (last.stretch - expected) / spread]).double()
    # rows: matrix (x - at) = wanted, and x a standard normal
    normal = matrix.T @ matrix + torch.eye(len(at), dtype=torch.float64)
    found = torch.linalg.solve(normal, matrix.T @ (wanted + matrix @ at)).float()
    return Solved(found[: len(last.z)], found[len(last.z) : -2], expected + found[-2:] * spread, last.pose)


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
