"""Mattes as automatic ones come out: grown, shrunk, bitten, with pieces of background, shadow or the wrong colours."""

from __future__ import annotations

import cv2
import numpy as np

SMALLEST_SHARE = 0.35  # of the true car that a spoilt matte keeps; less is no matte at all


def spoil(matte01: np.ndarray, image_u8: np.ndarray, random: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """A worse matte (H, W) float32 of the same car; strength 0..1 scales the probabilities of all faults."""
    truth = matte01 > 0.5
    matte = truth.astype(np.uint8)
    if not truth.any():
        return matte01
    faults = (
        (0.45, _grow_or_shrink),
        (0.2, _bite),
        (0.2, _blob),
        (0.25, _shadow),
        (0.12, _cut_wheels),
        (0.15, _wrong_colour),
        (0.1, _cut_side),
    )
    for probability, fault in faults:
        if random.random() < probability * strength:
            matte = fault(matte, image_u8, random)
    if random.random() < 0.04 * strength:
        matte = _box(truth)
    if (matte.astype(bool) & truth).sum() < SMALLEST_SHARE * truth.sum():
        matte = truth.astype(np.uint8)
    sharp = matte.astype(np.float32)
    return cv2.GaussianBlur(sharp, (0, 0), random.uniform(0.4, 1.5)) if random.random() < 0.7 else sharp


def _grow_or_shrink(matte: np.ndarray, image_u8: np.ndarray, random: np.random.Generator) -> np.ndarray:
    side = int(random.integers(2, 8))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(matte, kernel) if random.random() < 0.6 else cv2.erode(matte, kernel)


def _ellipse(place: np.ndarray, largest_px: float, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    drawn = np.zeros(shape, np.uint8)
    axes = tuple(int(v) for v in random.uniform(2, largest_px, 2))
    cv2.ellipse(drawn, (int(place[1]), int(place[0])), axes, random.uniform(0, 180), 0, 360, 1, -1)
    return drawn


def _bite(matte: np.ndarray, image_u8: np.ndarray, random: np.random.Generator) -> np.ndarray:
    places = np.argwhere(matte)
    for _ in range(random.integers(1, 4)):
        matte = matte & ~_ellipse(places[random.integers(len(places))], 14, matte.shape, random) & 1
    return matte if matte.any() else (matte | 1)


def _blob(matte: np.ndarray, image_u8: np.ndarray, random: np.random.Generator) -> np.ndarray:
    rim = np.argwhere(cv2.dilate(matte, np.ones((5, 5), np.uint8)) - matte)
    for _ in range(random.integers(1, 4) if len(rim) else 0):
        matte = matte | _ellipse(rim[random.integers(len(rim))], 16, matte.shape, random)
    return matte


def _shadow(matte: np.ndarray, image_u8: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The lower third again, moved down and sideways."""
    rows = np.flatnonzero(matte.any(1))
    lower = matte.copy()
    lower[: int(rows[0] + 0.65 * (rows[-1] - rows[0]))] = 0
    move = np.array([[1, 0, random.normal(0, 4)], [0, 1, random.uniform(1, 9)]])
    closed = cv2.morphologyEx(lower, cv2.MORPH_CLOSE, np.ones((5, 41), np.uint8))
    return matte | cv2.warpAffine(closed, move, matte.shape[::-1], flags=cv2.INTER_NEAREST)


def _cut_wheels(matte: np.ndarray, image_u8: np.ndarray, random: np.random.Generator) -> np.ndarray:
    rows = np.flatnonzero(matte.any(1))
    cut = matte.copy()
    cut[int(rows[-1] - random.uniform(0.04, 0.2) * (rows[-1] - rows[0])) :] = 0
    return cut if cut.any() else matte


def _cut_side(matte: np.ndarray, image_u8: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The car reaches out of the picture or behind something on one side."""
    columns = np.flatnonzero(matte.any(0))
    share = random.uniform(0.03, 0.22) * (columns[-1] - columns[0])
    cut = matte.copy()
    if random.random() < 0.5:
        cut[:, : int(columns[0] + share)] = 0
    else:
        cut[:, int(columns[-1] - share) :] = 0
    return cut if cut.any() else matte


def _wrong_colour(matte: np.ndarray, image_u8: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """What a colour model confuses: car pixels of some colour dropped, or background of a car's colour taken in."""
    places = np.argwhere(matte)
    row, column = places[random.integers(len(places))]
    near = np.abs(image_u8.astype(np.int16) - image_u8[row, column]).max(2) < random.uniform(8, 28)
    near_clean = cv2.morphologyEx(near.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if random.random() < 0.5:
        cut = matte & (1 - near_clean)
        return cut if cut.any() else matte
    reach = cv2.dilate(matte, np.ones((25, 25), np.uint8))
    return matte | (near_clean & reach)


def _box(truth: np.ndarray) -> np.ndarray:
    """No matte at all but the car's box."""
    filled = np.zeros(truth.shape, np.uint8)
    rows, columns = np.flatnonzero(truth.any(1)), np.flatnonzero(truth.any(0))
    filled[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 1
    return filled
