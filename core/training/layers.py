"""A picture at the network's size with its labels as layers, and what can be done to both at once: pasting and hiding."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..dataset.pictures import Pictures
from ..perceive.heads import INPUT_SIZE_PX, UNKNOWN_PART

WIDTH, HEIGHT = INPUT_SIZE_PX


@dataclass(frozen=True, eq=False)
class Layers:
    """All (H, W): image (.., 3) uint8; valid uint8, 0 beyond the picture; alpha, any_car uint8; part uint8; coordinates (.., 3) uint8;
    accessory bool: places are told though the part is not; any_known; count: cars in sight, where any_known."""

    image: np.ndarray
    valid: np.ndarray
    alpha: np.ndarray
    any_car: np.ndarray
    part: np.ndarray
    coordinates: np.ndarray
    accessory: np.ndarray
    any_known: bool
    count: int


def car_layers(pictures: Pictures, number: int, place: np.ndarray) -> Layers:
    """A stored picture through an affine map (2, 3) of pixels whose centres lie at .5."""
    scale = float(np.sqrt(abs(np.linalg.det(place[:, :2]))))
    centred = np.concatenate([place[:, :2], place[:, 2:] + place[:, :2].sum(1, keepdims=True) / 2 - 0.5], 1)
    smooth = np.dstack([pictures.image[number], pictures.alpha[number], pictures.any_car[number]])
    if scale < 0.75:
        smooth = (
            np.dstack([cv2.GaussianBlur(smooth[..., k : k + 4], (0, 0), 0.4 / scale) for k in (0, 4)]) if smooth.shape[2] > 4 else smooth
        )
    warped = np.dstack([_warp(smooth[..., :4], centred, cv2.INTER_LINEAR), _warp(smooth[..., 4], centred, cv2.INTER_LINEAR)])
    classes = np.dstack([pictures.part[number], pictures.coordinates[number]])
    classes = _warp(classes, centred, cv2.INTER_NEAREST)
    valid = _warp(np.full(pictures.image.shape[1:3], 255, np.uint8), centred, cv2.INTER_NEAREST)
    told = classes[..., 1:].any(-1)
    known = bool(pictures.any_known[number])
    others = known and bool(((warped[..., 4] > 127) & (warped[..., 3] < 127)).sum() > 150)
    return Layers(
        np.ascontiguousarray(warped[..., :3]), valid, warped[..., 3], warped[..., 4], classes[..., 0], classes[..., 1:],
        told & (classes[..., 0] == UNKNOWN_PART), known, 1 + others,
    )  # fmt: skip


def background_layers(picture: np.ndarray, random: np.random.Generator) -> Layers:
    """A picture (h, w, 3) uint8 without a car, a random part of it, at times with grey beyond its border."""
    height, width = picture.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height) * random.uniform(1.0, 1.6)
    if random.random() < 0.2:
        scale = min(WIDTH / width, HEIGHT / height) * random.uniform(0.9, 1.0)
    free = np.array([WIDTH - scale * width, HEIGHT - scale * height])
    corner = free * random.uniform(0, 1, 2)
    place = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]])
    if random.random() < 0.5:
        picture = picture[:, ::-1]
    image = _warp(np.ascontiguousarray(picture), place, cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    valid = _warp(np.full((height, width), 255, np.uint8), place, cv2.INTER_NEAREST)
    empty = np.zeros((HEIGHT, WIDTH), np.uint8)
    return Layers(image, valid, empty, empty, empty, np.zeros((HEIGHT, WIDTH, 3), np.uint8), empty > 0, True, 0)


def _warp(layer: np.ndarray, place: np.ndarray, how: int) -> np.ndarray:
    return cv2.warpAffine(np.ascontiguousarray(layer), place, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR if how == cv2.INTER_AREA else how)


def paste(car: Layers, behind: Layers, random: np.random.Generator) -> Layers:
    """The car of one picture before the other, with a soft shadow under it; brightness brought nearer to the background's."""
    alpha = cv2.erode(car.alpha, np.ones((2, 2)))  # a render's outline holds half of its old background
    alpha01 = cv2.GaussianBlur(alpha, (0, 0), 0.6).astype(np.float32) / 255
    rows = np.flatnonzero((alpha > 127).any(1))
    bottom = float(rows[-1] + 1) if len(rows) else HEIGHT
    flat = random.uniform(0.15, 0.35)
    shadow = cv2.warpAffine(
        alpha01, np.array([[1, 0, random.normal(0, 4)], [0, flat, bottom * (1 - flat) + random.uniform(-3, 2)]]), (WIDTH, HEIGHT)
    )
    shadow = cv2.GaussianBlur(shadow, (0, 0), random.uniform(1.5, 6)) * random.uniform(0, 0.85)
    ground = behind.image.astype(np.float32) * (1 - shadow[..., None])
    body = car.image.astype(np.float32)
    inside = alpha > 127
    if inside.sum() > 50 and random.random() < 0.5:
        gain = np.clip((behind.image.mean() + 20) / (body[inside].mean() + 20), 0.5, 2) ** random.uniform(0, 1)
        body = body * gain
    image = (ground + (body - ground) * alpha01[..., None]).clip(0, 255).astype(np.uint8)
    mine = (alpha01 * 255).astype(np.uint8)
    rest = (behind.any_car * (1 - alpha01)).astype(np.uint8)
    other = (rest > 127).sum() > 150
    shown = inside & (car.part != 0)
    return Layers(
        image, np.full_like(behind.valid, 255), mine, np.maximum(mine, rest), np.where(shown, car.part, 0).astype(np.uint8),
        car.coordinates * shown[..., None],
        car.accessory & shown, behind.any_known, 1 + other * max(behind.count, 1),
    )  # fmt: skip


def occlude(layers: Layers, random: np.random.Generator) -> Layers:
    """A pole, a bush or a patch before the car, no part of any car."""
    cover = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y = int(random.integers(WIDTH)), int(random.integers(HEIGHT // 3, HEIGHT))
    kind = random.integers(3)
    if kind == 0:
        cv2.line(cover, (x, 0), (x + int(random.normal(0, 8)), HEIGHT), 255, int(random.integers(2, 10)), cv2.LINE_AA)
    elif kind == 1:
        for _ in range(int(random.integers(4, 16))):
            at = (x + int(random.normal(0, 12)), y + int(random.normal(0, 10)))
            cv2.ellipse(
                cover, at, tuple(int(v) for v in random.integers(2, 12, 2)), float(random.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA
            )
    else:
        size = random.integers(8, 46, 2)
        corners = cv2.boxPoints(((x, y), (float(size[0]), float(size[1])), float(random.uniform(-30, 30)))).astype(np.int32)
        cv2.fillPoly(cover, [corners], 255, cv2.LINE_AA)
    share = cover.astype(np.float32)[..., None] / 255
    tone = (
        random.integers(0, 256, 3) + random.normal(0, random.uniform(2, 30), (HEIGHT, WIDTH, 1)) + random.normal(0, 6, (HEIGHT, WIDTH, 3))
    )
    image = (layers.image * (1 - share) + tone * share).clip(0, 255).astype(np.uint8)
    left, free = 1 - share[..., 0], share[..., 0] < 0.5
    hidden = replace(
        layers, image=image, alpha=(layers.alpha * left).astype(np.uint8), any_car=(layers.any_car * left).astype(np.uint8),
        part=layers.part * free, coordinates=layers.coordinates * free[..., None], accessory=layers.accessory & free,
    )  # fmt: skip
    return hidden if (hidden.alpha > 127).sum() > 0.6 * (layers.alpha > 127).sum() else layers
