"""Pictures with true mattes for the automatic cut: the renders as they are, cut close to the car, and cars pasted on panoramas."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..dataset.cars import CarModel
from ..dataset.sky import Sky, look
from ..dataset.views import mask_of

LEAST_SEEN, LEAST_SHARE = 0.6, 0.03  # of the car inside the picture, of the picture under the car
PASTED_WIDTH_PX = 320
MOST_ENLARGED = 3.0  # a car pasted larger than this times its render would be a blur
GAMMA = 2.2


@dataclass(frozen=True)
class MattePicture:
    """image_srgb01 (H, W, 3) float32, mask (H, W) bool; kind is render, close or pasted."""

    car: str
    kind: str
    image_srgb01: np.ndarray
    mask: np.ndarray


def rendered(renders: Path, model: CarModel, count: int, random: np.random.Generator) -> list[MattePicture]:
    """Up to `count` renders of a car, drawn by lot from every folder of RENDERS_DIR (one a batch, in it one a car)."""
    shots = [
        (log.parent / shot["file"], shot)
        for log in sorted(renders.glob(f"*/{model.row.name}/shots.jsonl"))
        for shot in map(json.loads, log.read_text().splitlines())
    ]
    found: list[MattePicture] = []
    for index in random.permutation(len(shots)):
        if len(found) == count:
            break
        picture = _with_mask(shots[index][0], shots[index][1], model)
        if picture is not None:
            found.append(picture)
    return found


def _with_mask(file: Path, shot: dict, model: CarModel) -> MattePicture | None:
    """None where the picture is missing (the renderer was stopped) or shows too little of the car."""
    bgr = cv2.imread(str(file))
    if bgr is None:
        return None
    size, camera = bgr.shape[0], np.array(shot["camera_to_world"])
    focal_px = shot["lens_mm"] / shot["sensor_width_mm"] * size
    mask = mask_of(model, camera, focal_px, size)
    whole = 4 * mask_of(model, camera, focal_px / 2, size).sum()
    if mask.mean() < LEAST_SHARE or mask.sum() < LEAST_SEEN * whole:
        return None
    return MattePicture(model.row.name, "render", bgr[..., ::-1].astype(np.float32) / 255, mask)


def close(picture: MattePicture, random: np.random.Generator) -> MattePicture:
    """The same cut to a box a little wider than the car, with its own ground and shadow, as most photographs are framed."""
    rows, columns = np.flatnonzero(picture.mask.any(1)), np.flatnonzero(picture.mask.any(0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    beyond = random.uniform((0.05, 0.03, 0.02, 0.02), (0.4, 0.3, 0.2, 0.2)) * (height, height, width, width)
    top, bottom = max(0, round(rows[0] - beyond[0])), round(rows[-1] + 1 + beyond[1])
    left, right = max(0, round(columns[0] - beyond[2])), round(columns[-1] + 1 + beyond[3])
    box = np.s_[top:bottom, left:right]
    return MattePicture(picture.car, "close", picture.image_srgb01[box], picture.mask[box])


def pasted(picture: MattePicture, sky: Sky, random: np.random.Generator) -> MattePicture | None:
    """The car, larger, before another background, with a soft shadow under it; None where the render does not show the whole
    car, or too small."""
    rows, columns = np.flatnonzero(picture.mask.any(1)), np.flatnonzero(picture.mask.any(0))
    size = picture.mask.shape[0]
    if min(rows[0], columns[0]) < 2 or max(rows[-1], columns[-1]) > size - 3:
        return None
    scale = random.uniform(0.74, 0.96) * PASTED_WIDTH_PX / (np.ptp(columns) + 1)
    car_height_px = scale * (np.ptp(rows) + 1)
    height = round(car_height_px / random.uniform(0.68, 0.9))
    if height > 1.2 * PASTED_WIDTH_PX or scale > MOST_ENLARGED:
        return None
    top_px = (height - car_height_px) * random.uniform(0.35, 0.7)
    left_px = PASTED_WIDTH_PX * (0.5 + random.uniform(-0.02, 0.02)) - scale * (columns[0] + columns[-1] + 1) / 2
    place = np.array([[scale, 0, left_px], [0, scale, top_px - scale * rows[0]]])
    frame = (PASTED_WIDTH_PX, height)
    alpha = cv2.erode(picture.mask.astype(np.float32), np.ones((2, 2)))  # a render's outline holds half of its old background
    alpha = cv2.warpAffine(cv2.GaussianBlur(alpha, (0, 0), 0.7), place, frame)
    flattened = np.array([[1, 0, 0], [0, 0.25, 0.78 * (top_px + car_height_px)]])
    shadow = cv2.GaussianBlur(cv2.warpAffine(alpha, flattened, frame), (0, 0), 4)
    behind = backdrop(sky, *frame, random) * (1 - random.uniform(0.3, 0.8) * shadow[..., None])
    image = behind + (cv2.warpAffine(picture.image_srgb01, place, frame) - behind) * alpha[..., None]
    return MattePicture(picture.car, "pasted", np.clip(image, 0, 1).astype(np.float32), alpha > 0.5)


def backdrop(sky: Sky, width: int, height: int, random: np.random.Generator) -> np.ndarray:
    """A photograph (height, width, 3) float32 sRGB 0..1 into a panorama, level or looking a little down."""
    panorama = sky.levels[0]
    focal_px = width / 2 / math.tan(math.radians(random.uniform(40, 60)) / 2)
    pitch, yaw = random.uniform(-0.25, 0), random.uniform(0, 2 * math.pi)
    x, y = np.meshgrid((np.arange(width) + 0.5 - width / 2) / focal_px, (np.arange(height) + 0.5 - height / 2) / focal_px)
    forward, up = math.cos(pitch) + y * math.sin(pitch), math.sin(pitch) - y * math.cos(pitch)
    directions = np.stack([forward, -x, up], -1).reshape(-1, 3)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    exposure = 0.45 / np.percentile(panorama.mean(-1), 70)
    seen = look(panorama, directions, yaw) * exposure
    return np.clip(seen, 0, 1).reshape(height, width, 3).astype(np.float32) ** np.float32(1 / GAMMA)


def varied(picture: MattePicture, random: np.random.Generator) -> MattePicture:
    """The same by another camera: exposure, white balance, contrast, sharpened outlines, grain of several sizes."""
    image = picture.image_srgb01
    height, width = image.shape[:2]
    sharper = image + random.uniform(0, 1.5) * (image - cv2.GaussianBlur(image, (0, 0), 1.0))
    grain = np.zeros((height, width), np.float32)
    for cells in (16, 48, 128, 256):
        noise = random.normal(0, random.uniform(0, 0.035), (max(2, cells * height // width), cells)).astype(np.float32)
        grain += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    exposed = np.clip(sharper, 0, 1) ** random.uniform(0.75, 1.3) * random.normal(1, 0.06, 3) * math.exp(random.normal(0, 0.12))
    changed = np.clip(exposed * (1 + grain[..., None]), 0, 1).astype(np.float32)
    return MattePicture(picture.car, picture.kind, changed, picture.mask)


def pictures_of(model: CarModel, renders: Path, skies: list[Sky], count: int, random: np.random.Generator) -> Iterator[MattePicture]:
    """`count` renders of a car, and of each a close one and, with panoramas, a pasted one, these two by varied cameras."""
    for picture in rendered(renders, model, count, random):
        yield picture
        yield varied(close(picture, random), random)
        other = pasted(picture, skies[random.integers(len(skies))], random) if skies else None
        if other is not None:
            yield varied(other, random)
