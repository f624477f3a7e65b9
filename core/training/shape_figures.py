"""A real car and what was fitted to it, compared in every way that the shape space is judged by."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..car.prior import ShapePrior, shape_prior
from ..car.space import ShapeSpace
from ..dataset.cars import CarRow
from ..dataset.labelled import LabelledCar, read_labelled
from ..dataset.part_table import PART_INDEX
from .half_body import whole_body
from .part_measure import Drawable, Frame, fitted_drawable, frame_of, part_ious, part_maps, real_drawable, silhouette_iou
from .solid_measure import Measured, compare, measured
from .surface_fit import SpaceFit, fit_free, fit_space
from .surface_target import SurfaceTarget, make_surface_target

Figures = dict[str, Any]
MEANS = ("voxel_iou", "fscore", "chamfer_pct", "silhouette_iou", "part_iou")


@dataclass(frozen=True)
class Fitting:
    """The calls that fit; a test gives quick ones."""

    target: Callable[[LabelledCar], SurfaceTarget] = make_surface_target
    space: Callable[[SurfaceTarget, ShapePrior, ShapeSpace | None, int | None], SpaceFit] = fit_space
    free: Callable[[SurfaceTarget, SpaceFit], np.ndarray] = fit_free
    prior: Callable[[], ShapePrior] = shape_prior


@dataclass(frozen=True)
class RealCar:
    """A real car ready for comparing: solid is the whole model as its file has it; drawable, frame and maps leave out accessories."""

    row: CarRow
    drawable: Drawable
    frame: Frame
    maps: np.ndarray
    solid: Measured
    has_accessories: bool
    target: SurfaceTarget
    target_s: float

    def figures(self, half_m: np.ndarray, measures: np.ndarray) -> Figures:
        """MEANS, and parts {name: overlap}, of a half body (H, 3) on the wheels of measures (P,)."""
        car = self.fitted(half_m, measures)
        maps = part_maps(car, self.frame)
        parts = part_ious(self.maps, maps)
        whole = {"silhouette_iou": silhouette_iou(self.maps, maps), "part_iou": float(np.mean(list(parts.values()))), "parts": parts}
        return compare(measured(car.soup_m), self.solid) | whole

    def fitted(self, half_m: np.ndarray, measures: np.ndarray) -> Drawable:
        """The whole car of a half body (H, 3)."""
        return fitted_drawable(whole_body(half_m), measures, self.row.body_type)


def real_car(folder: Path, row: CarRow, fitting: Fitting) -> RealCar:
    """Read FOLDER/NAME.glb and make it ready."""
    labelled = read_labelled(folder, row)
    started = time.monotonic()
    target = fitting.target(labelled)
    target_s = time.monotonic() - started
    drawable = real_drawable(labelled)
    frame, solid = frame_of(drawable), measured(labelled.triangles_m, seed=1)
    accessories = bool((labelled.part == PART_INDEX["accessory"]).any())
    return RealCar(row, drawable, frame, part_maps(drawable, frame), solid, accessories, target, target_s)


@dataclass(frozen=True)
class Compared:
    """figures by "space" and "free"; seconds by step; space the fit, free_half_m (H, 3)."""

    figures: dict[str, Figures]
    seconds: dict[str, float]
    space: SpaceFit
    free_half_m: np.ndarray


def fit_and_compare(car: RealCar, space: ShapeSpace, fitting: Fitting) -> Compared:
    """Fit the space, then every vertex, and compare both with the real car."""
    started = time.monotonic()
    within = fitting.space(car.target, fitting.prior(), space, None)
    between = time.monotonic()
    free_half_m = fitting.free(car.target, within)
    seconds = {"target": car.target_s, "space": between - started, "free": time.monotonic() - between}
    found = {"space": car.figures(within.half_m, within.measures), "free": car.figures(free_half_m, within.measures)}
    return Compared(found, seconds | {"fit": sum(seconds.values())}, within, free_half_m)


def means(figures: list[Figures]) -> Figures:
    """The mean of each of MEANS, and of each part over the cars that name it."""
    names = sorted({name for found in figures for name in found["parts"]})
    parts = {name: float(np.mean([found["parts"][name] for found in figures if name in found["parts"]])) for name in names}
    return {key: float(np.mean([found[key] for found in figures])) for key in MEANS} | {"parts": parts}
