"""Photograph, matte and perception -> camera and shape.

Each likely direction and body type is solved in closed form from what the network tells of each pixel (solve.py); that is all of a draft.
Then the best few minimise
    (1 - IoU) + distance terms + places + parts + wheels + a (|z|^2 / 2 + camera priors) + b |w|^2 / 2
over pose, whitened measures z and coefficients w with Adam, the outline drawn by the project's rasteriser (antialiased, so that edges carry
gradients), at growing sizes.  Last comes a free, smooth residual on the vertices (residual.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import cv2
import numpy as np
import torch

from ..car.car import whole, whole_vertices
from ..car.prior import ShapePrior, shape_prior
from ..car.space import shape_space
from ..device import choose_device, one_thread
from ..side_by_side import side_by_side
from ..types import CarShape, Fit, Matte, Perception, Photo, Report, Settings, Show
from .dense import Lookup, Visible, visible_faces
from .linear_car import LinearCar, linearise
from .objective import Evidence, Point, Weights, classes_of, cost
from .pose import AZIMUTH, Crop, camera_to_car, crop_projection, to_camera
from .residual import ResidualConfig, find_residual
from .shapes import Shapes, to_shape
from .silhouette import coverage, make_target
from .solve import FREE_MODES, Solved, solve_poses, solve_shape
from .starts import RULED_OUT, Start, azimuth_log_probability, best_of_each_direction, make_starts
from .told_figures import ToldFigures
from .typical import typical_expanded, typical_vertices


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
    """starts: how many hypotheses are solved, each `rounds` times, of body types that have at least `least_share` of the belief; stages:
    none for a draft; modes: how many of the learned ones may move, None for all; residual: None for none; solve_first: whether the closed
    form is used (it needs the network's maps)."""

    starts: int
    stages: tuple[Stage, ...]
    rounds: int = 3
    least_share: float = RULED_OUT
    modes: int | None = FREE_MODES
    weights: Weights = field(default_factory=Weights)
    residual: ResidualConfig | None = None
    solve_first: bool = True
    margin: float = 0.12  # of the matte's box, round the crop


QUALITIES = {
    "draft": FitConfig(2, (), rounds=2, least_share=0.05),
    "normal": FitConfig(
        4,
        (Stage(2, 96, 20, 20, 0.6), Stage(1, 160, 40, 20, 0.6), Stage(1, 256, 40, 20, 0.5)),
        residual=ResidualConfig(size_px=256, steps=40, rate=0.0025),
    ),
    "high": FitConfig(
        6, (Stage(3, 96, 60, 60, 0.7), Stage(2, 160, 120, 30, 0.6), Stage(1, 320, 240, 30, 0.5)), modes=None, residual=ResidualConfig()
    ),
}
POSE_RATE = torch.tensor([0.03, 0.02, 0.008, 0.02, 0.05, 0.008, 0.008])
RATES = (0.12, 0.06, 0.02)  # of measures, coefficients and stretch
OVERLAP_PX = 320  # size at which the final overlap is measured
SOLVED01 = 0.15  # of the stage, what the closed form takes
LEAST_SOLVED_IOU = 0.7  # of the best one's outline; usual are 0.85 to 0.95
UNSOLVED_SPREADS = {"azimuth_spread_rad": 0.1, "elevation_spread_rad": 0.05, "distance_spread": 0.3}  # of a camera no places were told for
RANK_PX = 96  # and at which solved hypotheses are compared


@dataclass(frozen=True)
class _Scene:
    """What does not change during a fit."""

    photo: Photo
    matte: Matte
    perception: Perception
    crop: Crop
    lookup: Lookup | None


@dataclass
class _State:
    """The hypotheses still alive: pose (B, 7), z (B, P), w (B, k), stretch (B, 2) of the told places, whence they came, the poses (B, 7)
    that their priors are about, and their cost and overlap after the last stage."""

    pose: torch.Tensor
    z: torch.Tensor
    w: torch.Tensor
    stretch: torch.Tensor
    starts: list[Start]
    first: torch.Tensor
    cost: torch.Tensor
    iou: torch.Tensor

    def keep(self, order: torch.Tensor) -> _State:
        chosen = [self.starts[k] for k in order.tolist()]
        moving = (self.pose[order], self.z[order], self.w[order], self.stretch[order])
        return _State(*moving, chosen, self.first[order], self.cost[order], self.iou[order])

    def best(self, count: int) -> _State:
        """The `count` of least cost, the best first."""
        return self.keep(torch.argsort(self.cost)[:count])

    def best_of_each_direction(self, count: int) -> _State:
        """The same of every direction that is open, see starts.py."""
        return self.keep(torch.tensor(best_of_each_direction(self.starts, self.cost.tolist(), count)))

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
    config: FitConfig | None = None,
) -> Fit:
    """Find the camera and the shape; `show` gets the first guess and the best after each stage; config replaces that of settings.quality.

    Returns a Fit whose mask_iou is the overlap of the drawn outline with the matte, and whose confidence01 is the share of belief in
    the chosen direction times how well the outline fits.  Raises what report raises, UserInputError for a device that is not there.
    """
    config, prior = config or QUALITIES[settings.quality], prior or shape_prior()
    box = matte.box_px
    side = (1 + 2 * config.margin) * max(box[2] - box[0], box[3] - box[1])
    crop = Crop((box[0] + box[2] - side) / 2, (box[1] + box[3] - side) / 2, side, photo.size_px)
    scene, device = _Scene(photo, matte, perception, crop, Lookup.of(perception)), choose_device(settings.device)
    report("fit", 0.0)
    starts = make_starts(perception, prior, box, photo.size_px, config.least_share)
    state = None
    if config.solve_first and scene.lookup is not None:
        state = _by_places(starts, scene, config, prior, partial(_show, number=0, prior=prior, show=show))
    if state is None:
        config = _outline_counts(config, contradicted=scene.lookup is not None and config.solve_first)
        plain = _unsolved(starts, torch.stack([start.pose for start in starts]), config, prior)
        state = _ranked(plain, _typical(starts, prior), scene, config, prior).best_of_each_direction(config.starts)
    believed, done, total = _belief(state), 0, sum(stage.steps for stage in config.stages)
    total += config.residual.steps if config.residual is not None else 0
    _show(state, 0, prior, show)
    report("fit", SOLVED01)
    for stage in config.stages:
        state = state.best_of_each_direction(stage.hypotheses) if stage is config.stages[0] else state.best(stage.hypotheses)
        state = _descend(state, stage, config, prior, scene, device, partial(_tell, report, done, total))
        believed = _belief(state) if len(state.starts) > 1 else believed
        done += stage.steps
        _show(state, int(state.cost.argmin()), prior, show)
    return _finished(state, scene, config, prior, believed, partial(_tell, report, done, total))


def _by_places(starts: list[Start], scene: _Scene, config: FitConfig, prior: ShapePrior, look: Callable[[_State], None]) -> _State | None:
    """The best starts solved in closed form, the best first; `look` gets them before their shapes are known.

    None where the told places contradict one another, as those of a tail half taken for a nose, so that no outline comes near the matte.
    """
    posed = _unsolved(starts, solve_poses(starts, scene.perception, scene.crop), config, prior)
    posed = _ranked(posed, _typical(starts, prior), scene, config, prior).best_of_each_direction(config.starts)
    look(posed)
    solved = _solved(posed, scene, config, prior)
    with torch.no_grad():
        vertices = whole_vertices(*Shapes.of(prior, solved.starts).at(solved.z, solved.w))
    solved = _ranked(solved, vertices, scene, config, prior)
    return solved if float(solved.iou.max()) >= LEAST_SOLVED_IOU else None


def _outline_counts(config: FitConfig, contradicted: bool) -> FitConfig:
    """Where nothing is solved the outline must be descended to, in a draft too, from a camera that is known less well; contradicting places
    and wheels are not listened to."""
    stages = config.stages or QUALITIES["normal"].stages
    unheard = {"places": 0.0, "wheels": 0.0} if contradicted else {}
    return replace(config, stages=stages, weights=replace(config.weights, **UNSOLVED_SPREADS, **unheard))


def _finished(state: _State, scene: _Scene, config: FitConfig, prior: ShapePrior, believed: float, tick: Callable[[int], None]) -> Fit:
    """The best hypothesis as a value, its residual found where that is wanted."""
    best = int(state.cost.argmin())
    pose, shape = state.pose[best], state.shape(best, prior)
    measures, coefficients = state.vectors(best, prior)
    if config.residual is not None:
        evidence = _evidence(state.keep(torch.tensor([best])), config.residual.size_px, scene)
        found = find_residual(measures, coefficients, pose, state.stretch[best], evidence, config.weights, config.residual, tick)
        shape = replace(shape, residual_m=found)
    with torch.no_grad():
        vertices = whole_vertices(measures, coefficients, shape.residual_m)
    iou = overlap(vertices, pose, scene.matte.alpha01, scene.crop)
    return Fit(shape, to_camera(pose, scene.photo.size_px), iou, believed * float(np.clip((iou - 0.6) / 0.35, 0, 1)))


def _solved(state: _State, scene: _Scene, config: FitConfig, prior: ShapePrior) -> _State:
    """Every hypothesis's shape in closed form."""
    assert scene.lookup is not None, "_solved() is for perceptions with dense maps"
    perception, crop, lookup = scene.perception, scene.crop, scene.lookup

    def solve(number: int) -> Solved:
        start = state.starts[number]
        with one_thread():
            car = typical_expanded(prior, start.body_type, FREE_MODES)
            return solve_shape(start, car, state.pose[number], perception, lookup, prior, crop, config.rounds)

    found = side_by_side(solve, range(len(state.starts)))
    z, w, stretch, pose = (torch.stack([getattr(one, name) for one in found]) for name in ("z", "w", "stretch", "pose"))
    return replace(state, pose=pose, z=z, w=torch.nn.functional.pad(w, (0, _mode_count(config) - FREE_MODES)), stretch=stretch)


def _unsolved(starts: list[Start], poses: torch.Tensor, config: FitConfig, prior: ShapePrior) -> _State:
    count, nothing = len(starts), torch.zeros(len(starts))
    z, w = torch.zeros(count, prior.factor.shape[0]), torch.zeros(count, _mode_count(config))
    return _State(poses, z, w, torch.zeros(count, 2), starts, poses.clone(), nothing, nothing)


def _mode_count(config: FitConfig) -> int:
    return shape_space().mode_count if config.modes is None else min(config.modes, shape_space().mode_count)


def _show(state: _State, number: int, prior: ShapePrior, show: Show | None) -> None:
    """Hand one hypothesis to whoever watches."""
    if show is not None:
        show(state.shape(number, prior))


def _tell(report: Report, done: int, total: int, step: int) -> None:
    report("fit", SOLVED01 + (1 - SOLVED01) * (done + step) / total)


@torch.no_grad()
def overlap(vertices: torch.Tensor, pose: torch.Tensor, alpha01: np.ndarray, crop: Crop) -> float:
    """Intersection over union of a car's outline (1, V, 3) with the matte (half transparent counts as outside), inside the photograph."""
    alpha, valid = cut(alpha01, crop, OVERLAP_PX) > 0.5, cut(np.ones_like(alpha01), crop, OVERLAP_PX) > 0.5
    matrix, projection = camera_to_car(pose[None]), crop_projection(pose[None], crop)
    drawn = coverage(vertices, matrix, projection, whole().triangles, OVERLAP_PX)[0].numpy()[::-1] > 0.5
    return float((drawn & alpha).sum() / max(((drawn | alpha) & valid).sum(), 1))


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


def _evidence(state: _State, size_px: int, scene: _Scene) -> Evidence:
    alpha, valid = cut(scene.matte.alpha01, scene.crop, size_px), cut(np.ones_like(scene.matte.alpha01), scene.crop, size_px)
    target = make_target(alpha, (valid > 0.5).astype(np.float32))
    classes = classes_of([start.body_type for start in state.starts])
    return Evidence(target, scene.crop, size_px, scene.lookup, classes, state.first, ToldFigures.of(scene.perception.estimates))


def _typical(starts: list[Start], prior: ShapePrior) -> torch.Tensor:
    """(B, V, 3) the cars that starts are about."""
    return torch.stack([typical_vertices(prior, start.body_type) for start in starts])


def _ranked(state: _State, vertices: torch.Tensor, scene: _Scene, config: FitConfig, prior: ShapePrior) -> _State:
    """The hypotheses, whose vertices are (B, V, 3), with their costs as they are, and sorted by them."""
    measures, _ = Shapes.of(prior, state.starts).at(state.z, state.w)
    point = Point(state.pose, state.z, state.w, state.stretch, measures, vertices)
    found = _judged(state, point, _evidence(state, RANK_PX, scene), config, scene)
    return found.keep(torch.argsort(found.cost))


@torch.no_grad()
def _judged(state: _State, point: Point, evidence: Evidence, config: FitConfig, scene: _Scene) -> _State:
    """The state with fresh costs, the perceived direction and body type counted."""
    visible = visible_faces(point.vertices, point.pose, evidence.crop) if evidence.lookup is not None else None
    loss, iou = cost(point, evidence, visible, config.weights)
    direction = torch.tensor([azimuth_log_probability(scene.perception, float(pose[AZIMUTH])) for pose in state.pose])
    kind = torch.tensor([start.type_log_probability for start in state.starts])
    return replace(state, cost=loss - config.weights.direction * direction - config.weights.body_type * kind, iou=iou)


def _descend(
    state: _State, stage: Stage, config: FitConfig, prior: ShapePrior, scene: _Scene, device: torch.device, tick: Callable[[int], None]
) -> _State:
    """Run one stage on a device; returns the state, on the CPU, with fresh costs."""
    evidence, shapes = _evidence(state, stage.size_px, scene), Shapes.of(prior, state.starts)
    there = _on(evidence, device)
    pose, z, w, stretch = moving = [t.to(device).clone().requires_grad_() for t in (state.pose, state.z, state.w, state.stretch)]
    optimiser = torch.optim.Adam([{"params": [tensor]} for tensor in moving], betas=(0.85, 0.99))
    shapes_there, pose_rate = shapes.to(device), POSE_RATE.to(device)
    here: LinearCar | None = None
    for step in range(stage.steps):
        tick(step)
        if step % stage.relinearise == 0 or here is None:
            measures, coefficients = (vector.cpu() for vector in shapes_there.at(z.detach(), w.detach()))
            here = linearise(measures, coefficients, w.shape[1]) if here is None else here.moved(measures, coefficients)
            car = here.to(device)
            visible = Visible(visible_faces(here.origin, pose.detach().cpu(), scene.crop).share.to(device))
        rate = stage.rate * (0.08 + 0.92 * 0.5 * (1 + math.cos(math.pi * step / stage.steps)))
        for group, length in zip(optimiser.param_groups, (1.0, *(r * rate for r in RATES)), strict=True):
            group["lr"] = length
        measures, coefficients = shapes_there.at(z, w)
        loss, _ = cost(Point(pose, z, w, stretch, measures, car.vertices(measures, coefficients)), there, visible, config.weights)
        optimiser.zero_grad()
        loss.sum().backward()
        before = pose.detach().clone()
        optimiser.step()
        with torch.no_grad():  # one Adam for all pose numbers, each with its own step length
            pose.copy_(before + (pose - before) * pose_rate * rate)
    pose, z, w, stretch = (tensor.detach().cpu() for tensor in moving)
    done = replace(state, pose=pose, z=z, w=w, stretch=stretch)
    measures, coefficients = shapes.at(done.z, done.w)
    with torch.no_grad():
        vertices = whole_vertices(measures, coefficients)
    return _judged(done, Point(pose, z, w, stretch, measures, vertices), evidence, config, scene)


def _on(evidence: Evidence, device: torch.device) -> Evidence:
    if device.type == "cpu":
        return evidence
    lookup = evidence.lookup.to(device) if evidence.lookup is not None else None
    figures = evidence.figures.to(device) if evidence.figures is not None else None
    target, classes, first = evidence.target.to(device), evidence.classes.to(device), evidence.first.to(device)
    return replace(evidence, target=target, lookup=lookup, classes=classes, first=first, figures=figures)
