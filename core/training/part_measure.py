"""How alike two cars look by part: maps of their parts drawn from all round, and the overlap of each part.

Classes are those of dataset/part_table.py, named parts of the template coming to them by half_body.class_of.  Three merges keep to what
real car models tell:
- interior counts as body: the template is closed, and what shows of seats shows through a hole where a panel or pane is missing;
- a class that the real car does not name (most have no doors of their own, some no hood) counts as body on both sides;
- accessories (roof racks, bull bars, beacons) are left out of the real car's map: no part of the car as it was sold.
A part's overlap is that of its pixels over all views together, so that views in which it is a sliver do not count as much as those that
show it; the measure of a car is the mean over the classes that it names, small or large alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from ..car.car import whole
from ..car.parts import rename_for
from ..car.wheels import PARTS as WHEEL_PARTS
from ..dataset.labelled import LabelledCar
from ..dataset.part_table import PART_INDEX, PARTS
from ..errors import check_shape
from ..frames import car_to_clip, clip_from_camera, orbit
from ..render.rasterize import nearest_triangles
from .half_body import class_of, with_wheels

AZIMUTHS_DEG, ELEVATIONS_DEG = tuple(range(0, 360, 45)), (10, 35)
SIZE_PX = 256
DISTANCE_RADII = 12  # a long lens: the picture hardly differs from a parallel one
MARGIN = 1.05
EMPTY = -1
SEEN_PX = 40  # over all views; a class with fewer pixels is not seen, as far as a measure goes


@dataclass(frozen=True)
class Drawable:
    """Triangles of vertices_m (V, 3), triangles (T, 3), each with its class part (T,) into PARTS; car frame."""

    vertices_m: np.ndarray
    triangles: np.ndarray
    part: np.ndarray

    @property
    def soup_m(self) -> np.ndarray:
        """(T, 3, 3)"""
        return self.vertices_m[self.triangles]


@dataclass(frozen=True)
class Frame:
    """What the cameras look at: the middle of the real car's box, half its size, and the radius of the ball round it."""

    middle_car: tuple[float, float, float]
    half_size_m: tuple[float, float, float]

    @property
    def radius_m(self) -> float:
        return math.hypot(*self.half_size_m)


def real_drawable(car: LabelledCar, accessories: bool = False) -> Drawable:
    """A real car's triangles, all that is there but for the accessories."""
    kept = np.ones(len(car.part), bool) if accessories else car.part != PART_INDEX["accessory"]
    corners = car.triangles_m[kept].reshape(-1, 3)
    return Drawable(corners, np.arange(len(corners)).reshape(-1, 3), car.part[kept])


def fitted_drawable(body_m: np.ndarray, measures: np.ndarray, body_type: str) -> Drawable:
    """The template with its body at body_m (V, 3) and the wheels of measures (P,).  Raises ShapeError."""
    check_shape("body_m", body_m.shape, (body_count(), 3))
    return Drawable(with_wheels(body_m, measures), whole().triangles.numpy(), classes_of_whole(body_type))


def body_count() -> int:
    """V: vertices of the whole body without wheels."""
    triangles, names = whole().triangles.numpy(), np.array(whole().part_names)
    on_wheel = np.isin(names[whole().part_index.numpy()], WHEEL_PARTS)
    return int(triangles[~on_wheel].max()) + 1


def classes_of_whole(body_type: str) -> np.ndarray:
    """(T,) class into PARTS of each triangle of car.whole(), for one body type."""
    renamed = rename_for(body_type)
    table = [PART_INDEX["wheel" if name in WHEEL_PARTS else class_of(renamed.get(name, name))] for name in whole().part_names]
    return np.array(table)[whole().part_index.numpy()]


def frame_of(car: Drawable) -> Frame:
    """Cameras that hold this car."""
    low, high = car.vertices_m.min(0).astype(float), car.vertices_m.max(0).astype(float)
    (x, y, z), (a, b, c) = ((low + high) / 2).tolist(), ((high - low) / 2).tolist()
    return Frame((x, y, z), (a, b, c))


def part_maps(car: Drawable, frame: Frame, size_px: int = SIZE_PX) -> np.ndarray:
    """(views, size, size) int64 class of each pixel into PARTS, EMPTY beside the car; row 0 = top."""
    return np.where((ids := _triangles_seen(car, frame, size_px)) > 0, car.part[np.maximum(ids, 1) - 1], EMPTY)


def _triangles_seen(car: Drawable, frame: Frame, size_px: int) -> np.ndarray:
    distance = DISTANCE_RADII * frame.radius_m
    projection = clip_from_camera(0.5 * size_px * distance / (MARGIN * frame.radius_m), size_px, size_px)
    views = [orbit(math.radians(a), math.radians(e), distance, frame.middle_car) for e in ELEVATIONS_DEG for a in AZIMUTHS_DEG]
    vertices = torch.from_numpy(np.ascontiguousarray(car.vertices_m, np.float32))[None]
    triangles = torch.from_numpy(np.ascontiguousarray(car.triangles, np.int64))
    drawn = []
    for view in views:
        clip = car_to_clip(vertices, torch.tensor(view, dtype=torch.float32)[None], projection)
        drawn.append(nearest_triangles(clip, triangles, (size_px, size_px))[0][0].flip(0).long().numpy())
    return np.stack(drawn)


def merged(real: np.ndarray, fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both maps with interior, and classes that the real car does not show, as body."""
    counts = np.bincount(real[real >= 0], minlength=len(PARTS))
    kept = counts >= SEEN_PX
    kept[[PART_INDEX["interior"], PART_INDEX["accessory"]]] = False
    table = np.append(np.where(kept, np.arange(len(PARTS)), PART_INDEX["body"]), EMPTY)  # EMPTY, -1, is the last
    return table[real], table[fitted]


def part_ious(real: np.ndarray, fitted: np.ndarray) -> dict[str, float]:
    """{part: overlap 0..1} over all views, for the classes that the real car shows; maps as part_maps draws them."""
    real, fitted = merged(real, fitted)
    return {PARTS[k]: _iou(real == k, fitted == k) for k in np.unique(real[real >= 0]).tolist()}


def silhouette_iou(real: np.ndarray, fitted: np.ndarray) -> float:
    """Overlap of the outlines over all views together."""
    return _iou(real >= 0, fitted >= 0)


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.count_nonzero(first & second) / np.count_nonzero(first | second))
