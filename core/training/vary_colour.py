"""Pictures as other cameras, paints and lights would have made them: the gap between drawn and photographed cars is in the tones."""

from __future__ import annotations

import cv2
import numpy as np


def vary(image_u8: np.ndarray, random: np.random.Generator, keep_hue: bool = False) -> np.ndarray:
    """Another rendering of a picture (H, W, 3) uint8 -> uint8: colour, tone, light, sharpness, noise, compression.

    keep_hue: colours stay what they are called, so that a paint's name remains true.
    """
    image = _colour(image_u8, random, keep_hue)
    image = _light(image, random) if random.random() < 0.4 else image
    image = _sharpness(image, random) if random.random() < 0.5 else image
    if random.random() < 0.3:
        noise = random.normal(0, random.uniform(1, 12), image.shape[:2] + (int(random.choice([1, 3])),))
        image = (image + noise).clip(0, 255).astype(np.uint8)
    if random.random() < 0.3:
        packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 90))])[1]
        image = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return image


def _colour(image: np.ndarray, random: np.random.Generator, keep_hue: bool) -> np.ndarray:
    """Hue and saturation through a 3 x 3 matrix, then one random rising curve a channel."""
    if keep_hue:
        curve = _rising_curve(random, 0.25)
        return cv2.LUT(image, (np.stack([curve * random.normal(1, 0.04) for _ in range(3)], 1) * 255).clip(0, 255).astype(np.uint8)[None])
    grey = np.full((3, 3), 1 / 3)
    saturation = 0.0 if random.random() < 0.2 else random.uniform(0.3, 1.5)
    mix = (
        saturation * _hue_turn(random.uniform(-np.pi, np.pi) if random.random() < 0.25 else random.normal(0, 0.12))
        + (1 - saturation) * grey
    )
    turned = cv2.transform(image, mix)
    shared = _rising_curve(random, 0.5)
    tables = [shared + random.normal(0, 0.25) * (_rising_curve(random, 0.5) - shared) for _ in range(3)]
    table = (np.stack(tables, 1) * 255).clip(0, 255).astype(np.uint8)
    return cv2.LUT(turned, table[None])


def _hue_turn(angle_rad: float) -> np.ndarray:
    """Rotation of RGB about the grey axis (Rodrigues' formula)."""
    axis = np.ones(3) / np.sqrt(3)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + np.sin(angle_rad) * cross + (1 - np.cos(angle_rad)) * cross @ cross


def _rising_curve(random: np.random.Generator, strength: float) -> np.ndarray:
    """A random tone curve (256,): gamma, lifted black, lowered white and an S or inverse S."""
    x = np.linspace(0, 1, 256)
    curve = x ** np.exp(random.normal(0, strength))
    bend = random.uniform(-0.8, 0.8) * strength
    curve = curve + bend * np.sin(2 * np.pi * curve) / (2 * np.pi) * -1
    low, high = random.uniform(0, 0.15) * (random.random() < 0.4), random.uniform(0.8, 1.3)
    return low + curve * (high - low)


def _light(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Smooth changes of brightness over the picture, as shade and reflections make."""
    side = int(random.integers(2, 6))
    field = np.exp(random.normal(0, random.uniform(0.1, 0.5), (side, side))).astype(np.float32)
    smooth = cv2.resize(field, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    lift = cv2.resize(
        random.normal(0, random.uniform(0, 25), (side, side)).astype(np.float32), image.shape[1::-1], interpolation=cv2.INTER_CUBIC
    )
    return (image * smooth[..., None] + lift[..., None]).clip(0, 255).astype(np.uint8)


def _sharpness(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    kind = random.random()
    if kind < 0.4:
        return cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, 1.6))
    if kind < 0.7:
        small = cv2.resize(image, None, fx=(f := random.uniform(0.35, 0.9)), fy=f, interpolation=cv2.INTER_AREA)
        return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(image, (0, 0), random.uniform(0.7, 2))
    return cv2.addWeighted(image, 1 + (amount := random.uniform(0.2, 1.2)), soft, -amount, 0)
