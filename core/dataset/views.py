"""Labelled square crops of cars, from renders with known cameras or drawn here, and the files that hold them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..perceive.network import BODY_TYPES
from .cars import CarModel, proportions
from .zbuffer import rasterize

STORED_PX = 128
STORED_MARGIN = 1.35  # side of the stored square over the longer side of the car's box: room for crop jitter and grown mattes
EYE_HEIGHT_M = 0.7  # elevation is measured from this point above the car's middle, as in frames.azimuth_elevation
LABELS = ("azimuth_rad", "elevation_rad", "log_distance_lengths", "log_width", "log_height", "log_wheelbase")


@dataclass(frozen=True)
class Views:
    """image (N, 128, 128, 3) uint8 sRGB with its background; mask (N, 128, 128) uint8 0/255; labels (N, 6) float32 in the order of LABELS
    (ratios are to the car's length, log_wheelbase nan where unknown); body_index (N,) into BODY_TYPES; car (N,) names; drawn (N,) bool."""

    image: np.ndarray
    mask: np.ndarray
    labels: np.ndarray
    body_index: np.ndarray
    car: np.ndarray
    drawn: np.ndarray


def labels_of(model: CarModel, camera_to_car: np.ndarray) -> np.ndarray:
    """The row of LABELS for one model and camera, (6,) float32."""
    x, y, z = camera_to_car[:3, 3]
    share = proportions(model)
    distance = float(np.linalg.norm([x, y, z - EYE_HEIGHT_M]))
    values = [np.arctan2(x, -y), np.arctan2(z - EYE_HEIGHT_M, np.hypot(x, y)), np.log(distance / share["length_m"])]
    return np.array([*values, *(np.log(share[k]) for k in ("width", "height", "wheelbase"))], np.float32)


def mask_of(model: CarModel, camera_to_car: np.ndarray, focal_px: float, size_px: int) -> np.ndarray:
    """Silhouette (S, S) bool of a model in a square picture with a centred principal point."""
    points = (model.positions_m - camera_to_car[:3, 3]) @ camera_to_car[:3, :3]
    depth = -points[..., 2]
    corners = np.stack([points[..., 0], -points[..., 1]], -1) * focal_px / np.maximum(depth, 1e-6)[..., None] + size_px / 2
    return rasterize(corners, depth, size_px)[0] >= 0


def crop(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The stored square round the mask's box; None where nothing of the car is in the picture."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    side = STORED_MARGIN * max(int(np.ptp(rows)), int(np.ptp(columns)), 8) / STORED_PX
    middle_x, middle_y = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
    back = np.array(
        [[side, 0, middle_x - side * STORED_PX / 2 + side / 2 - 0.5], [0, side, middle_y - side * STORED_PX / 2 + side / 2 - 0.5]]
    )
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    soft = cv2.GaussianBlur(image, (0, 0), 0.4 * side) if side > 1.5 else image  # a warp alone would alias
    square = cv2.warpAffine(soft, back, (STORED_PX, STORED_PX), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    cut = cv2.warpAffine(mask.astype(np.uint8) * 255, back, (STORED_PX, STORED_PX), flags=flags)
    return square, cut


def read_renders(folder: Path, model: CarModel) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """(image, mask, labels) of every picture in FOLDER/NAME named by its shots.jsonl; left out are pictures that show
    less than 60 % of the car."""
    log = folder / model.row.name / "shots.jsonl"
    for line in log.read_text().splitlines() if log.is_file() else []:
        shot = json.loads(line)
        bgr = cv2.imread(str(log.parent / shot["file"]))
        if bgr is None:
            continue  # the renderer was stopped between the picture and its line
        size, camera = bgr.shape[0], np.array(shot["camera_to_world"])
        focal = shot["lens_mm"] / shot["sensor_width_mm"] * size
        mask = mask_of(model, camera, focal, size)
        if mask.sum() < 0.6 * mask_of(model, camera, focal / 2, size).sum() * 4:
            continue
        square = crop(bgr[..., ::-1], mask)
        if square is not None:
            yield *square, labels_of(model, camera)


def write_shard(file: Path, items: list[tuple[np.ndarray, np.ndarray, np.ndarray]], model: CarModel, drawn: bool) -> None:
    """Write the views of one car, aside first and then renamed."""
    images, masks, labels = (np.stack(column) for column in zip(*items, strict=True))
    body, count = BODY_TYPES.index(model.row.body_type), len(items)
    aside = file.with_suffix(".part.npz")
    np.savez(
        aside,
        image=images,
        mask=masks,
        labels=labels,
        body_index=np.full(count, body),
        car=np.full(count, model.row.name),
        drawn=np.full(count, drawn),
    )
    os.replace(aside, file)


def read_shards(folder: Path) -> Views:
    """All views under a folder, joined in the order of the file names.  Raises FileNotFoundError where there are none."""
    files = sorted(f for f in folder.glob("*.npz") if not f.name.endswith(".part.npz"))
    if not files:
        raise FileNotFoundError(f"{folder} holds no views; make them with core/dataset/make_views.py")
    shards = [np.load(file) for file in files]
    return Views(*(np.concatenate([shard[key] for shard in shards]) for key in ("image", "mask", "labels", "body_index", "car", "drawn")))
