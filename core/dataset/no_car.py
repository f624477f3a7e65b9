"""Pictures without a car, drawn here by a seeded generator: what must be refused, beside the backdrops of panoramas."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .no_car_canvas import Canvas
from .no_car_flat import dark, gradient, noise, pattern, sketch, text
from .no_car_living import animal, face
from .no_car_scenes import building, landscape, room, street
from .no_car_things import bicycle, machine, objects

PAINTERS: dict[str, Callable[[Canvas], None]] = {
    "noise": noise,
    "gradient": gradient,
    "text": text,
    "room": room,
    "face": face,
    "animal": animal,
    "landscape": landscape,
    "street": street,
    "objects": objects,
    "bicycle": bicycle,
    "pattern": pattern,
    "sketch": sketch,
    "dark": dark,
    "machine": machine,
    "building": building,
}
KINDS = tuple(PAINTERS)
TEST_KINDS = ("face", "animal", "objects", "pattern")  # never trained on: refusals are measured on these
TRAIN_KINDS = tuple(kind for kind in KINDS if kind not in TEST_KINDS)


def no_car_picture(kind: str, random: np.random.Generator, width_px: int = 320, height_px: int = 230) -> np.ndarray:
    """A new picture of a kind, (height, width, 3) uint8 sRGB; the same generator state gives the same picture. Raises ValueError for a kind
    that is not of KINDS."""
    if kind not in PAINTERS:
        raise ValueError(f"no kind of picture is called {kind!r}; there are {', '.join(KINDS)}")
    canvas = Canvas(width_px, height_px, random)
    PAINTERS[kind](canvas)
    seen = canvas.pixels if kind == "dark" else _photographed(canvas.pixels, random, mirrored=kind != "text" and random.random() < 0.5)
    return (seen.clip(0, 255) + 0.5).astype(np.uint8)


def _photographed(pixels: np.ndarray, random: np.random.Generator, mirrored: bool) -> np.ndarray:
    """As a camera might take it: mirrored, tilted, nearer, tinted, brighter or darker, out of focus, grey, noisy; float32 0..255."""
    seen = (pixels[:, ::-1] if mirrored else pixels).clip(0, 255)
    height_px, width_px = seen.shape[:2]
    if random.random() < 0.5:
        tilt = cv2.getRotationMatrix2D((width_px / 2, height_px / 2), random.normal(0, 3), random.uniform(1, 1.35))
        seen = cv2.warpAffine(seen, tilt, (width_px, height_px), borderMode=cv2.BORDER_REFLECT)
    if random.random() < 0.4:
        seen = cv2.GaussianBlur(seen, (0, 0), random.uniform(0.4, 1.3))
    if random.random() < 0.1:
        seen = np.repeat(seen.mean(-1, keepdims=True), 3, -1)
    contrast, tint = random.uniform(0.75, 1.15), random.uniform(0.92, 1.08, 3) * random.uniform(0.8, 1.1)
    seen = ((seen - 128) * np.float32(contrast) + 128) * tint.astype(np.float32)
    if random.random() < 0.7:
        seen += random.standard_normal(seen.shape, np.float32) * np.float32(random.uniform(0.5, 7))
    return seen
