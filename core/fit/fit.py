"""Photograph, matte and perception -> camera and shape: several starts, coarse to fine, by differentiable rasterisation.

Minimises over pose, whitened measures z and the learned modes' coefficients w about the typical ones
    (1 - IoU) + distance terms + a (|z|^2 / 2 + camera priors) + b |w|^2 / 2
with Adam, the outline drawn by the project's rasteriser (antialiased, so that edges carry gradients), at growing sizes; starts
are weeded out by that cost, the picture inside the outline and the perceived direction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
import torch

from ..car.car import triangles_on, whole, whole_vertices
from ..car.prior import ShapePrior, shape_prior
from ..car.space import shape_space
from ..device import choose_device
from ..types import CarShape, Fit, Matte, Perception, Photo, Report, Settings, Show
from . import appearance
from .linear_car import linearise
from .pose import AZIMUTH, ELEVATION, LOG_DISTANCE, POSE_SIZE, ROLL, Crop, camera_to_car, crop_projection, to_camera
from .shapes import Shapes, to_shape
from .silhouette import Target, coverage, make_target, silhouette_loss, soft_iou
from .starts import Start, azimuth_log_probability, make_starts


@dataclass(frozen=True)
class Stage:
    """One round: how many hypotheses enter, at which size, for how many steps, re-expanding the template every `relinearise` steps."""

    hypotheses: int
    size_px: int
    steps: int
    relinearise: int
    rate: float


@dataclass(frozen=True)
class FitConfig:
    """Weights in units of 1 - IoU; spreads of the camera's priors in radians and log metres; modes: how many of the
    learned ones may move, None for all."""

    stages: tuple[Stage, ...]
    modes: int | None = 16
    prior_weight: float = 0.0007
    coefficient_weight: float = 0.003
    appearance_weight: float = 0.05
    red_weight: float = 0.1
    direction_weight: float = 0.012
    azimuth_spread_rad: float = 0.1
    elevation_spread_rad: float = 0.05
    roll_spread_rad: float = 0.035
    distance_spread: float = 0.3
    margin: float = 0.12  # of the matte's box, round the crop


QUALITIES = {
    "draft": FitConfig((Stage(4, 64, 25, 25, 1.0), Stage(1, 96, 25, 25, 0.6)), modes=8),
    "normal": FitConfig((Stage(8, 64, 60, 60, 1.0), Stage(4, 96, 90, 30, 0.8), Stage(2, 160, 120, 30, 0.6), Stage(1, 256, 200, 40, 0.5))),
    "high": FitConfig(
        (Stage(8, 64, 60, 60, 1.0), Stage(4, 112, 100, 25, 0.8), Stage(2, 192, 160, 27, 0.6), Stage(1, 320, 300, 30, 0.5)), modes=None
    ),
}
POSE_RATE = torch.tensor([0.03, 0.02, 0.008, 0.02, 0.05, 0.008, 0.008])
MEASURE_RATE = 0.12
COEFFICIENT_RATE = 0.06
OVERLAP_PX = 320  # size at which the final overlap is measured


@dataclass(frozen=True)
class _Scene:
    """What does not change during a fit."""

    photo: Photo
    matte: Matte
    perception: Perception
    crop: Crop


@dataclass
class _State:
    """The hypotheses still alive: pose (B, 7), z (B, P), w (B, k), whence they came, and their cost and overlap after the last stage."""

    pose: torch.Tensor
    z: torch.Tensor
    w: torch.Tensor
    starts: list[Start]
    cost: torch.Tensor
    iou: torch.Tensor

    def keep(self, order: torch.Tensor) -> _State:
        chosen = [self.starts[k] for k in order.tolist()]
        return _State(self.pose[order], self.z[order], self.w[order], chosen, self.cost[order], self.iou[order])

    def vectors(self, number: int, prior: ShapePrior) -> tuple[torch.Tensor, torch.Tensor]:
        """Measures (1, P) and coefficients (1, K) of one hypothesis."""
        one = slice(number, number + 1)
        return Shapes.of(prior, self.starts[one]).at(self.z[one], self.w[one])

    def shape(self, number: int, prior: ShapePrior) -> CarShape:
        """One hypothesis as a value."""
        measures, coefficients = self.vectors(number, prior)
        return to_shape(measures[0], coefficients[0], self.starts[number].body_type)


def fit(
    photo: Photo,
    matte: Matte,
    perception: Perception,
    settings: Settings,
    report: Report,
    prior: ShapePrior | None = None,
    show: Show | None = None,
) -> Fit:
    """Find the camera and the shape; `show` gets the first guess and the best after each stage.

    Returns a Fit whose mask_iou is the overlap of the drawn outline with the matte, and whose confidence01 is the share of belief in
    the chosen direction times how well the outline fits.  Raises what report raises, UserInputError for a device that is not there.
    """
    config = QUALITIES[settings.quality]
    prior = prior or shape_prior()
    box = matte_box(matte.alpha01)
    side = (1 + 2 * config.margin) * max(box[2] - box[0], box[3] - box[1])
    crop = Crop((box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2, side, photo.size_px)
    scene, device = _Scene(photo, matte, perception, crop), choose_device(settings.device)
    starts = make_starts(perception, prior, box, photo.size_px, config.stages[0].hypotheses)
    count = len(starts)
    poses, z = torch.stack([s.pose for s in starts]), torch.zeros(count, prior.factor.shape[0])
    mode_count = shape_space().mode_count
    w = torch.zeros(count, mode_count if config.modes is None else min(config.modes, mode_count))
    state = _State(poses, z, w, starts, torch.zeros(count), torch.zeros(count))
    done, total = 0, sum(stage.steps for stage in config.stages)
    believed = 1.0
    _show(state, 0, prior, show)
    for stage in config.stages:
        state = state.keep(torch.argsort(state.cost)[: stage.hypotheses])
        report("fit", done / total)
        tick = partial(_tell, report, done, total)
        state = _descend(state, stage, config, prior, scene, device, tick)
        if len(state.starts) > 1:
            believed = _belief(state)
        done += stage.steps
        _show(state, int(state.cost.argmin()), prior, show)
    best = int(state.cost.argmin())
    pose = state.pose[best]
    with torch.no_grad():
        vertices = whole_vertices(*state.vectors(best, prior))
    iou = overlap(vertices, pose, matte.alpha01, crop)
    confidence = believed * float(np.clip((iou - 0.6) / 0.35, 0, 1))
    return Fit(state.shape(best, prior), to_camera(pose, photo.size_px), iou, confidence)


def _show(state: _State, number: int, prior: ShapePrior, show: Show | None) -> None:
    """Hand one hypothesis to whoever watches."""
    if show is not None:
        show(state.shape(number, prior))


def _tell(report: Report, done: int, total: int, step: int) -> None:
    report("fit", (done + step) / total)


@torch.no_grad()
def overlap(vertices: torch.Tensor, pose: torch.Tensor, alpha01: np.ndarray, crop: Crop) -> float:
    """Intersection over union of a car's outline (1, V, 3) with the matte (half transparent counts as outside), inside the photograph."""
    alpha, valid = cut(alpha01, crop, OVERLAP_PX) > 0.5, cut(np.ones_like(alpha01), crop, OVERLAP_PX) > 0.5
    matrix, projection = camera_to_car(pose[None]), crop_projection(pose[None], crop)
    drawn = coverage(vertices, matrix, projection, whole().triangles, OVERLAP_PX)[0].numpy()[::-1] > 0.5
    return float((drawn & alpha).sum() / max(((drawn | alpha) & valid).sum(), 1))


def matte_box(alpha01: np.ndarray) -> tuple[float, float, float, float]:
    """(left, top, right, bottom) in pixels of what is more than half car."""
    rows, columns = np.flatnonzero((alpha01 > 0.5).any(1)), np.flatnonzero((alpha01 > 0.5).any(0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def cut(layer: np.ndarray, crop: Crop, size_px: int) -> np.ndarray:
    """The crop of a picture (H, W[, C]) as (size, size[, C]), zero outside the picture, area-filtered when it shrinks."""
    scale = size_px / crop.side_px
    if scale < 1:
        layer = cv2.GaussianBlur(layer, (0, 0), 0.4 / scale)
    # pixel centres at .5 on both sides
    matrix = np.array([[scale, 0, -scale * crop.left_px + 0.5 * scale - 0.5], [0, scale, -scale * crop.top_px + 0.5 * scale - 0.5]])
    return cv2.warpAffine(np.ascontiguousarray(layer, np.float32), matrix, (size_px, size_px), flags=cv2.INTER_LINEAR)


def _belief(state: _State) -> float:
    """Share of belief in the best hypothesis's direction against the others', by their costs."""
    weight = torch.softmax(-state.cost / 0.02, 0)
    best = int(weight.argmax())
    same = torch.cos(state.pose[:, AZIMUTH] - state.pose[best, AZIMUTH]) > math.cos(math.radians(20))
    return float(weight[same].sum())


def _descend(
    state: _State, stage: Stage, config: FitConfig, prior: ShapePrior, scene: _Scene, device: torch.device, tick: Callable[[int], None]
) -> _State:
    """Run one stage on a device; returns the state, on the CPU, with fresh costs."""
    alpha, valid = cut(scene.matte.alpha01, scene.crop, stage.size_px), cut(np.ones_like(scene.matte.alpha01), scene.crop, stage.size_px)
    target = make_target(alpha, (valid > 0.5).astype(np.float32))
    lab = cv2.cvtColor(cut(scene.photo.image_srgb01, scene.crop, stage.size_px), cv2.COLOR_RGB2LAB) / 100.0
    pose, z, w = (t.to(device).clone().requires_grad_() for t in (state.pose, state.z, state.w))
    optimiser = torch.optim.Adam([{"params": [pose]}, {"params": [z]}, {"params": [w]}], betas=(0.85, 0.99))
    first, shapes = torch.stack([s.pose for s in state.starts]).to(device), Shapes.of(prior, state.starts).to(device)
    moving, there = POSE_RATE.to(device), target.to(device)
    for step in range(stage.steps):
        tick(step)
        if step % stage.relinearise == 0:
            measures, coefficients = shapes.at(z.detach(), w.detach())
            car = linearise(measures.cpu(), coefficients.cpu(), w.shape[1])
            car_there = car.to(device)
        rate = stage.rate * (0.08 + 0.92 * 0.5 * (1 + math.cos(math.pi * step / stage.steps)))
        for group, length in zip(optimiser.param_groups, (1.0, MEASURE_RATE * rate, COEFFICIENT_RATE * rate), strict=True):
            group["lr"] = length
        loss, _ = _cost(pose, z, w, car_there.vertices(*shapes.at(z, w)), first, config, there, scene.crop, stage.size_px)
        optimiser.zero_grad()
        loss.sum().backward()
        before = pose.detach().clone()
        optimiser.step()
        with torch.no_grad():  # one Adam for all pose numbers, each with its own step length
            pose.copy_(before + (pose - before) * moving * rate)
    done = _State(pose.detach().cpu(), z.detach().cpu(), w.detach().cpu(), state.starts, state.cost, state.iou)
    with torch.no_grad():
        vertices = car.vertices(*Shapes.of(prior, done.starts).at(done.z, done.w))
        loss, iou = _cost(done.pose, done.z, done.w, vertices, first.cpu(), config, target, scene.crop, stage.size_px)
        picture = torch.from_numpy(np.ascontiguousarray(lab[::-1]))
        loss = loss + _picture_cost(done, vertices, picture, scene, config, target, stage.size_px)
    return replace(done, cost=loss, iou=iou)


def _cost(
    pose: torch.Tensor,
    z: torch.Tensor,
    w: torch.Tensor,
    vertices: torch.Tensor,
    first: torch.Tensor,
    config: FitConfig,
    target: Target,
    crop: Crop,
    size_px: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(B,) cost and (B,) IoU, differentiable in pose, z, w and vertices."""
    silhouettes = coverage(vertices, camera_to_car(pose), crop_projection(pose, crop), triangles_on(pose.device), size_px)
    spreads = torch.full((POSE_SIZE,), torch.inf)
    spreads[AZIMUTH], spreads[ELEVATION], spreads[ROLL] = config.azimuth_spread_rad, config.elevation_spread_rad, config.roll_spread_rad
    spreads[LOG_DISTANCE] = config.distance_spread
    unlikely = 0.5 * ((pose - first) / spreads.to(pose)).square().sum(1) + 0.5 * z.square().sum(1)
    unlikely = config.prior_weight * unlikely + config.coefficient_weight * 0.5 * w.square().sum(1)
    return silhouette_loss(silhouettes, target) + unlikely, soft_iou(silhouettes, target)


def _picture_cost(
    state: _State, vertices: torch.Tensor, picture: torch.Tensor, scene: _Scene, config: FitConfig, target: Target, size_px: int
) -> torch.Tensor:
    """(B,) what the picture (S, S, 3) inside the outline, as Lab / 100, and the perceived direction say against each hypothesis."""
    mesh = whole()
    costs = []
    for k, start in enumerate(state.starts):
        group, pose = appearance.face_groups(start.body_type), state.pose[k : k + 1]
        matrix, projection = camera_to_car(pose), crop_projection(pose, scene.crop)
        groups = appearance.group_map(vertices[k : k + 1], matrix, projection, mesh.triangles, group, size_px)
        cost = config.appearance_weight * appearance.appearance_cost(groups, picture, target.alpha01)
        cost = cost + config.red_weight * appearance.red_cost(groups, picture, target.alpha01)
        costs.append(cost[0] - config.direction_weight * azimuth_log_probability(scene.perception, float(pose[0, AZIMUTH])))
    return torch.stack(costs)
