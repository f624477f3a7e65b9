"""Labelled pictures in memory and on disk: photographs made by Cycles, with every label that the car and the camera give."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..perceive.heads import FIGURES
from ..types import BODY_TYPES
from .cars import CarModel
from .deform import widen
from .form import Form
from .label_maps import LabelMaps, label_maps
from .subject import Subject, SubjectMaker
from .surfaces import srgb_of_linear

STORED_PX = 224
EYE_HEIGHT_M = 0.7  # elevation is measured from this point above the car's middle, as in frames.azimuth_elevation
LEAST_SEEN = 0.35  # of the car inside the picture and not hidden
LEAST_SHARE = 0.01  # of the picture under the car
TOWARD_LEAST = 0.08  # cosine from which a wheel's outer side counts as turned to the camera


@dataclass(frozen=True, eq=False)
class Pictures:
    """N pictures of S x S pixels.  image (N, S, S, 3) uint8 sRGB; alpha, any_car, part, coordinates as in LabelMaps; any_known (N,) bool:
    whether any_car is the truth; azimuth_rad (N,); figures (N, F) float32 in the order of FIGURES; wheels (N, 4, 5) float32: x, y,
    half_width, half_height of the outer tyre's box in pixels, and 1 where it is turned to the camera; paint_srgb01 (N, 3); body_index (N,);
    whole (N,) bool: nothing of the car is beyond the border or hidden; car (N,) names."""

    image: np.ndarray
    alpha: np.ndarray
    any_car: np.ndarray
    part: np.ndarray
    coordinates: np.ndarray
    any_known: np.ndarray
    azimuth_rad: np.ndarray
    figures: np.ndarray
    wheels: np.ndarray
    paint_srgb01: np.ndarray
    body_index: np.ndarray
    whole: np.ndarray
    car: np.ndarray

    def __len__(self) -> int:
        return len(self.image)


Row = dict[str, np.ndarray]


def labelled_row(
    image: np.ndarray,
    maps: LabelMaps,
    subject: Subject,
    camera_to_car: np.ndarray,
    focal_px: float,
    paint_linear: np.ndarray,
    car: str,
    any_known: bool,
) -> Row | None:
    """One picture with its labels; camera in the subject's frame.  None where too little of the car is seen."""
    size = image.shape[0]
    seen = maps.alpha.sum() / 255
    whole_share = _whole_area(subject, camera_to_car, focal_px, size)
    if seen < LEAST_SHARE * size * size or seen < LEAST_SEEN * whole_share:
        return None
    x, y, z = camera_to_car[:3, 3] - (0, 0, EYE_HEIGHT_M)
    found = {"elevation_rad": math.atan2(z, math.hypot(x, y)), "log_distance_lengths": math.log(math.hypot(x, y, z) / subject.length_m)}
    found |= subject.figures()
    border = np.concatenate([maps.alpha[0], maps.alpha[-1], maps.alpha[:, 0], maps.alpha[:, -1]]).max()
    return {
        "image": image,
        **{field.name: getattr(maps, field.name) for field in fields(maps)},
        "any_known": np.array(any_known),
        "azimuth_rad": np.array(math.atan2(x, -y), np.float32),
        "figures": np.array([found[name] for name in FIGURES], np.float32),
        "wheels": wheel_boxes_px(subject, camera_to_car, focal_px, size),
        "paint_srgb01": srgb_of_linear(np.asarray(paint_linear, float)).astype(np.float32),
        "body_index": np.array(BODY_TYPES.index(subject.body_type)),
        "whole": np.array(border < 128 and seen > 0.97 * whole_share),
        "car": np.array(car),
    }


def _whole_area(subject: Subject, camera_to_car: np.ndarray, focal_px: float, size_px: int) -> float:
    """Pixels that the car would cover with nothing before it in a picture three times as wide."""
    third = size_px // 3
    alone = label_maps(subject, camera_to_car, focal_px * third / (3 * size_px), third)
    return float(alone.alpha.sum()) / 255 * (3 * size_px / third) ** 2


def wheel_boxes_px(subject: Subject, camera_to_car: np.ndarray, focal_px: float, size_px: int) -> np.ndarray:
    """(4, 5) float32: the box (middle and half sides, pixels) of each outer tyre's circle, and 1 where it is turned to the camera."""
    turn = 2 * np.pi * np.arange(32) / 32
    rows = []
    for number, (x, y, z, radius, width) in enumerate(subject.wheels):
        outward = 1.0 if number % 2 == 0 else -1.0
        ring = np.stack([np.full_like(turn, x + outward * width / 2), y + radius * np.cos(turn), z + radius * np.sin(turn)], 1)
        local = (ring - camera_to_car[:3, 3]) @ camera_to_car[:3, :3]
        flat = np.stack([local[:, 0], -local[:, 1]], 1) * focal_px / np.maximum(-local[:, 2:], 0.1) + size_px / 2
        toward = camera_to_car[:3, 3] - (x, y, z)
        turned = outward * toward[0] / np.linalg.norm(toward) > TOWARD_LEAST
        low, high = flat.min(0), flat.max(0)
        rows.append([*((low + high) / 2), *((high - low) / 2), turned])
    return np.array(rows, np.float32)


def paint_of(model: CarModel) -> np.ndarray:
    """(3,) linear: the usual colour of the surface that paints most of a model."""
    painted = [k for k, surface in enumerate(model.surfaces) if surface.is_paint]
    if not painted:
        return np.full(3, 0.2)
    count = np.bincount(model.surface_index, minlength=len(model.surfaces))
    base = model.surfaces[max(painted, key=lambda k: count[k])].base
    return np.median(base.reshape(-1, 4)[::37, :3], 0)


@dataclass(frozen=True, eq=False)
class Shot:
    """One photograph: image (S, S, 3) uint8, its label maps, the car and its camera, both in the subject's frame; number: its line in the
    record; any_known: whether the maps know of all cars in it."""

    image: np.ndarray
    maps: LabelMaps
    subject: Subject
    camera_to_car: np.ndarray
    focal_px: float
    paint_linear: np.ndarray
    any_known: bool
    number: int


def told_pictures(album: Path, first: int = 0) -> Iterator[tuple[int, np.ndarray, dict[str, Any]]]:
    """The photographs in one car's folder from line `first` of its record on: the line's number, the picture (H, W, 3) uint8, the line."""
    log = album / "shots.jsonl"
    for number, line in enumerate((log.read_text().splitlines() if log.is_file() else [])[first:], first):
        told = json.loads(line)
        bgr = cv2.imread(str(album / told["file"]))
        if bgr is not None:  # else the photographer was stopped between the picture and its line
            yield number, np.ascontiguousarray(bgr[..., ::-1]), told


class Album:
    """Reads photographs of one car: FOLDER/NAME/shots.jsonl and its pictures, from several folders."""

    def __init__(self, model: CarModel, models: dict[str, CarModel]) -> None:
        self.model, self.models, self.maker = model, models, SubjectMaker(model)
        self._subjects: dict[tuple[int | None, Path | None], Subject] = {}

    def rows(self, folder: Path, first: int = 0) -> Iterator[Row]:
        """The labelled pictures of a folder from line `first` of its record on; those that show too little of the car are left out."""
        for shot in self.shots(folder, first):
            row = labelled_row(
                shot.image,
                shot.maps,
                shot.subject,
                shot.camera_to_car,
                shot.focal_px,
                shot.paint_linear,
                self.model.row.name,
                shot.any_known,
            )
            if row is not None:
                yield row

    def shots(self, folder: Path, first: int = 0) -> Iterator[Shot]:
        """The photographs of a folder from line `first` of its record on."""
        album = folder / self.model.row.name
        for number, image, told in told_pictures(album, first):
            yield self._shot(image, told, album, number)

    def _shot(self, image: np.ndarray, told: dict[str, Any], folder: Path, number: int) -> Shot:
        size = image.shape[0]
        if size != STORED_PX:
            raise ValueError(f"pictures are {size} pixels wide, not {STORED_PX}")
        focal_px = told["lens_mm"] / told["sensor_width_mm"] * size
        subject = self._subject(told.get("widen_seed"), folder / told["form"] if told.get("form") else None)
        camera = np.array(told["camera_to_world"], np.float64)
        camera[1, 3] += subject.shift_m
        others = [self._other(placed, subject.shift_m) for placed in told.get("others", ())]
        cover_file = folder / told["cover"] if told.get("cover") else None
        cover = cv2.imread(str(cover_file), cv2.IMREAD_GRAYSCALE) if cover_file else None
        maps = label_maps(subject, camera, focal_px, size, others, cover)
        paint = told["paint"] if told["paint"] is not None else paint_of(self.model)
        known = "others" in told or not told.get("clutter", False)
        return Shot(image, maps, subject, camera, focal_px, np.asarray(paint), known, number)

    def _subject(self, seed: int | None, form: Path | None) -> Subject:
        if (seed, form) not in self._subjects:
            model = self.model if form is None else Form.read(form).of(self.model)
            model = model if seed is None else widen(model, np.random.default_rng(seed))
            self._subjects = {(seed, form): self.maker.subject(model)}  # a visit's pictures share one
        return self._subjects[seed, form]

    def _other(self, placed: dict, shift_m: float) -> np.ndarray:
        matrix = np.array(placed["matrix"], np.float64)
        points = self.models[placed["car"]].positions_m @ matrix[:3, :3].T + matrix[:3, 3]
        return (points + [0, shift_m, 0]).astype(np.float32)


def write_shard(file: Path, rows: Sequence[Row]) -> None:
    """Write the pictures of one car, aside first and then renamed."""
    aside = file.with_suffix(".part.npz")
    np.savez(aside, **{key: np.stack([row[key] for row in rows]) for key in rows[0]})
    os.replace(aside, file)


def read_shards(folders: Sequence[Path]) -> Pictures:
    """All pictures under some folders, in the order of the file names.  Raises FileNotFoundError where there are none."""
    files = [f for folder in folders for f in sorted(folder.glob("*.npz")) if not f.name.endswith(".part.npz")]
    if not files:
        raise FileNotFoundError(f"{', '.join(map(str, folders))} holds no pictures; make them with core/dataset/make_pictures.py")
    names = [field.name for field in fields(Pictures)]
    shards = [np.load(file) for file in files]
    counts = [len(shard["azimuth_rad"]) for shard in shards]
    joined = {name: np.empty((sum(counts), *shards[0][name].shape[1:]), shards[0][name].dtype) for name in names if name != "car"}
    first = 0
    for shard, count in zip(shards, counts, strict=True):
        for name, values in joined.items():
            values[first : first + count] = shard[name]
        first += count
    return Pictures(**joined, car=np.concatenate([shard["car"] for shard in shards]))
