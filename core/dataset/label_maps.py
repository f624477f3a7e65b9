"""Exact labels of a picture: matte, parts and canonical coordinates of the car at each pixel, by rasterising it and its surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..perceive.heads import COORDINATE_REACH, UNKNOWN_PART
from ..render.hits import hit_places, nearest_hits
from .subject import Subject

SAMPLES = 2  # a pixel's side, for the mattes


@dataclass(frozen=True, eq=False)
class LabelMaps:
    """alpha, any_car (S, S) uint8: how much of a pixel is the visible car, and any car; part (S, S) uint8 into PART_CLASSES (0 is
    background) or UNKNOWN_PART; coordinates (S, S, 3) uint8: places over the length, 0..255 for -COORDINATE_REACH..COORDINATE_REACH."""

    alpha: np.ndarray
    any_car: np.ndarray
    part: np.ndarray
    coordinates: np.ndarray


def label_maps(
    subject: Subject,
    camera_to_car: np.ndarray,
    focal_px: float,
    size_px: int,
    others: Sequence[np.ndarray] = (),
    cover: np.ndarray | None = None,
) -> LabelMaps:
    """Labels of a square picture; camera_to_car (4, 4) in the subject's frame, others: triangles (F, 3, 3) of other cars in that
    frame; cover (S, S) 0..255: where something that is no car stands in front."""
    fine = SAMPLES * size_px
    ids, depth = nearest_hits(subject.triangles_m, camera_to_car, SAMPLES * focal_px, fine)
    behind = np.full_like(depth, np.inf)
    for triangles in others:
        behind = np.minimum(behind, nearest_hits(triangles, camera_to_car, SAMPLES * focal_px, fine)[1])
    seen = (ids >= 0) & (depth <= behind)
    free = 1.0 if cover is None else 1 - cv2.resize(cover, (fine, fine), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
    alpha = _reduced(seen * free, size_px)
    any_car = _reduced(((ids >= 0) | np.isfinite(behind)) * free, size_px)
    centre = slice(SAMPLES // 2, None, SAMPLES)  # one sample stands for the classes and places of its pixel
    triangle, shown = ids[centre, centre], seen[centre, centre] & (np.broadcast_to(free, seen.shape)[centre, centre] > 0.5)
    part = np.where(shown, subject.part_class[triangle], 0).astype(np.uint8)
    part[(alpha > 12) & ~shown] = UNKNOWN_PART
    coordinates = np.zeros((size_px, size_px, 3), np.uint8)
    row, column = np.nonzero(shown)
    offset = (SAMPLES // 2 + 0.5) / SAMPLES  # the sample that was taken lies beside the pixel's middle
    pixels = np.stack([column + offset, row + offset], 1)
    places = hit_places(subject.triangles_m[triangle[row, column]], pixels, camera_to_car, focal_px, size_px)
    coordinates[shown] = quantised(places / subject.length_m)
    return LabelMaps(alpha, any_car, part, coordinates)


def quantised(places: np.ndarray) -> np.ndarray:
    """Places over the length (..., 3) -> uint8."""
    return np.clip((places / COORDINATE_REACH * 0.5 + 0.5) * 255 + 0.5, 0, 255).astype(np.uint8)


def _reduced(fine01: np.ndarray, size_px: int) -> np.ndarray:
    return (cv2.resize(fine01.astype(np.float32), (size_px, size_px), interpolation=cv2.INTER_AREA) * 255 + 0.5).astype(np.uint8)
