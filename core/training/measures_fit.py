"""The template's measures fitted to a car model in 3D: silhouettes and depths drawn from six sides, wheels and ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from ..car.car import wheel_centres, whole
from ..car.measures import BODY_TYPES, HIGH, INDEX, LOW, NAMES, to_vector
from ..dataset.cars import CarModel
from ..fit.linear_car import LinearCar, linearise
from ..fit.silhouette import coverage
from ..frames import car_to_clip, clip_from_camera, orbit
from ..render.render import rasterize

VIEWS_DEG = ((90.0, 0.0), (0.0, 3.0), (180.0, 3.0), (90.0, 89.0), (40.0, 18.0), (140.0, 18.0))


@dataclass(frozen=True)
class Config:
    """Saved beside the result."""

    steps: int = 150
    size_px: int = 96
    learning_rate: float = 0.2  # at the start, in units of SPREAD; falls along a half cosine
    relinearise_every: int = 15
    depth_weight: float = 8.0
    wheel_weight: float = 40.0  # also of the ends: bumpers are small in outlines, but they make the length
    default_weight: float = 0.002  # pull towards the body type's figures, for measures no view sees
    seed: int = 0


SPREAD = 0.12 * (HIGH - LOW)  # the unit in which each measure is searched
FREE = torch.tensor([0.0 if name == "cab_drop" else 1.0 for name in NAMES])
LAST_LEARNING_RATE = 0.002
FIGURES = ("silhouette_iou", "depth_error_of_length")
FARTHEST_APART = 0.06  # of the length; a surface farther from the template's is another surface (an open window, a spoiler)


@dataclass(frozen=True)
class Target:
    """A car model as the fit sees it, in the template's frame: what six cameras draw of it, its wheels and its ends.

    camera_to_car (6, 4, 4), projection (4, 4); mask (6, S, S) bool and depth_m (6, S, S) of the model; wheels (4, 4) x, y, z and radius of
    each hub or None; ends_m (2,) y of nose and tail; metres.
    """

    camera_to_car: torch.Tensor
    projection: torch.Tensor
    mask: torch.Tensor
    depth_m: torch.Tensor
    wheels: torch.Tensor | None
    ends_m: torch.Tensor
    height_m: float

    @property
    def length_m(self) -> float:
        """Nose to tail."""
        return float(self.ends_m[1] - self.ends_m[0])


@dataclass(frozen=True)
class Terms:
    """What a fit is judged by: errors of outline and depth over the views, of wheels and ends in shares of the length; mean IoU."""

    outline: torch.Tensor
    depth: torch.Tensor
    wheels: torch.Tensor
    ends: torch.Tensor
    silhouette_iou: float


def true_wheels(model: CarModel) -> torch.Tensor | None:
    """(4, 4): x, y, z of each hub and its radius, None where the model lacks the nodes of a wheel."""
    rows = []
    for corner in range(4):
        faces = model.positions_m[model.wheel_index == corner].reshape(-1, 3)
        if not len(faces):
            return None
        low, high = faces.min(0), faces.max(0)
        rows.append([*((low + high) / 2), (high[2] - low[2]) / 2])
    return torch.tensor(np.array(rows), dtype=torch.float32)


def make_target(model: CarModel, size_px: int) -> Target:
    """Draw a model from VIEWS_DEG, moved along y so that the axles, or else the ends, lie evenly about the origin."""
    points = torch.from_numpy(model.positions_m.reshape(-1, 3))
    wheels = true_wheels(model)
    ends = torch.stack([points[:, 1].min(), points[:, 1].max()])
    origin_y = float(wheels[:, 1].mean()) if wheels is not None else float(ends.mean())
    points, ends = points - torch.tensor([0.0, origin_y, 0.0]), ends - origin_y
    if wheels is not None:
        wheels = wheels - torch.tensor([0.0, origin_y, 0.0, 0.0])
    height = float(points[:, 2].max())
    matrices, projection = _cameras(float(ends[1] - ends[0]), (0.0, float(ends.mean()), height / 2))
    triangles = torch.arange(len(points)).view(-1, 3)
    with torch.no_grad():
        mask, depth = _depth(points[None].expand(len(matrices), -1, -1), triangles, matrices, projection, size_px)
    return Target(matrices, projection, mask, depth, wheels, ends, height)


def _cameras(length_m: float, middle: tuple[float, float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """camera_to_car (6, 4, 4) from far away, and the projection (4, 4) that the car's length just fills."""
    distance = 12 * length_m
    matrices = np.stack([orbit(math.radians(a), math.radians(e), distance, middle) for a, e in VIEWS_DEG])
    return torch.tensor(matrices, dtype=torch.float32), clip_from_camera(0.5 * distance / (0.56 * length_m), 1, 1)


def _depth(
    vertices: torch.Tensor, triangles: torch.Tensor, matrix: torch.Tensor, projection: torch.Tensor, size_px: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Covered (B, S, S) bool and distance from the camera plane in metres (B, S, S), differentiable."""
    clip = car_to_clip(vertices, matrix, projection)
    rast, _ = rasterize(clip, triangles, (size_px, size_px), grad_db=False, with_db=False)
    a, b = projection[2, 2], projection[2, 3]
    return rast[..., 3] > 0, b / (rast[..., 2] + a)


def start_measures(target: Target, body_type: str) -> torch.Tensor:
    """The body type's measures (P,) with what can be read off the target."""
    start = to_vector(BODY_TYPES[body_type])
    start[INDEX["length"]], start[INDEX["height"]] = target.length_m, target.height_m
    if target.wheels is not None:
        front_y, rear_y = target.wheels[:2, 1].mean(), target.wheels[2:, 1].mean()
        start[INDEX["wheelbase"]] = rear_y - front_y
        start[INDEX["front_overhang"]] = front_y - target.ends_m[0]
        start[INDEX["wheel_radius"]] = target.wheels[:, 3].mean()
    return start


def compare(target: Target, measures: torch.Tensor, car: LinearCar) -> Terms:
    """The car of measures (1, P) against the target; differentiable."""
    vertices = car.vertices(measures)
    views = vertices.expand(len(target.camera_to_car), -1, -1)
    size_px, mask, triangles = target.mask.shape[1], target.mask.float(), whole().triangles
    projections = target.projection.expand(len(views), -1, -1)
    silhouettes = coverage(views, target.camera_to_car, projections, triangles, size_px)
    covered, drawn_m = _depth(views, triangles, target.camera_to_car, target.projection, size_px)
    apart = ((drawn_m - target.depth_m).abs() / target.length_m).clamp_max(FARTHEST_APART)[covered & target.mask].mean()
    ends = torch.stack([vertices[0, :, 1].min(), vertices[0, :, 1].max()]) - target.ends_m
    wheels = torch.zeros(())
    if target.wheels is not None:
        found = torch.cat([wheel_centres(measures)[0], measures[0, INDEX["wheel_radius"]].expand(4, 1)], 1)
        wheels = ((found - target.wheels) / target.length_m).square().sum(1).mean()
    inside = silhouettes.detach() > 0.5
    iou = (inside & target.mask).sum((1, 2)) / (inside | target.mask).sum((1, 2))
    outline = (((silhouettes - mask) ** 2).sum((1, 2)) / mask.sum((1, 2))).mean()
    return Terms(outline, apart, wheels, (ends / target.length_m).square().sum(), float(iou.mean()))


def fit_car(model: CarModel, config: Config) -> tuple[torch.Tensor, dict[str, float]]:
    """The measures (P,) that bring the template closest to a model, and mean silhouette IoU and depth error as figures."""
    target = make_target(model, config.size_px)
    start = start_measures(target, model.row.body_type)
    z = torch.zeros(1, len(NAMES), requires_grad=True)
    optimiser = torch.optim.Adam([z], config.learning_rate)
    figures: dict[str, float] = {}
    for step in range(config.steps):
        falling = 0.5 * (1 + math.cos(math.pi * step / config.steps))
        optimiser.param_groups[0]["lr"] = config.learning_rate * falling + LAST_LEARNING_RATE
        measures = (start + z * SPREAD * FREE).clamp(LOW, HIGH)
        if step % config.relinearise_every == 0:
            car = linearise(measures)
        terms = compare(target, measures, car)
        pull = ((measures - start) / SPREAD).square().sum()
        loss = terms.outline + config.depth_weight * terms.depth + config.wheel_weight * (terms.wheels + terms.ends)
        loss = loss + config.default_weight * pull
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        figures = dict(zip(FIGURES, (terms.silhouette_iou, float(terms.depth.detach())), strict=True))
    return (start + z.detach()[0] * SPREAD * FREE).clamp(LOW, HIGH), figures
