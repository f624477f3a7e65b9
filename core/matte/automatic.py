"""The cut without an image network: three looks at every pixel (looks.py), GrabCut between the first and the second and at the end.

GrabCut: Rother, Kolmogorov, Blake, SIGGRAPH 2004; its starts, otherwise drawn by a user, come from the looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from ..errors import check_shape
from .around import around
from .features import pixel_features
from .looks import Look, read_looks
from .refine import refine

CUT_SIDE_PX = 256  # the looks were learned at this size; finer, colour models see grain instead of paint
ROUNDS = 4


@dataclass(frozen=True)
class Start:
    """Log-odds above `likely` begin as car; those beyond +-`sure` stay what they are.  `vivid` cuts in Lab with less lightness,
    where a shadow looks like the ground it falls on."""

    likely: float
    sure: float
    vivid: bool


STARTS = (Start(0, 3, False), Start(-1, 2, False), Start(0, 3, True), Start(0, 2, True), Start(1, 3, True))
LAST_START = Start(0, 1, False)  # only what the last look doubts


def cut(image_srgb01: np.ndarray, looks: tuple[Look, ...] | None = None) -> tuple[np.ndarray, float]:
    """(H, W, 3) float32 -> alpha01 (H, W) float32 and a confidence 0..1; the same picture gives the same cut.

    Raises WeightsError where no looks are given and those of the weights folder cannot be read.
    """
    check_shape("image_srgb01", image_srgb01.shape, (None, None, 3))
    first, *others = looks or read_looks()
    small = resized(image_srgb01, CUT_SIDE_PX)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2Lab)
    own = pixel_features(lab)
    estimate = first_estimate(small, lab, own, first)
    for look in others:
        log_odds = look.log_odds(with_surroundings(own, lab, estimate))
        estimate = likelihood(log_odds)
    mask = _clean(_grab_cut(_bytes(small), log_odds, LAST_START))
    return refine(image_srgb01, mask), _confidence(mask, estimate, lab)


def first_estimate(small_srgb01: np.ndarray, lab: np.ndarray, own: np.ndarray, look: Look) -> np.ndarray:
    """Picture, Lab (H, W, 3) and pixel_features -> (H, W) float32, 0..1: how many of the cuts that the first look starts hold a pixel,
    its own word counted as one more."""
    log_odds = look.log_odds(own)
    pictures = {False: _bytes(small_srgb01), True: _vivid(lab)}
    cuts = [_clean(_grab_cut(pictures[start.vivid], log_odds, start)) for start in STARTS]
    return np.mean([*cuts, likelihood(log_odds)], 0, dtype=np.float32)


def with_surroundings(own: np.ndarray, lab: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """The features (H, W, F) of every look but the first."""
    return np.concatenate([own, around(lab, estimate)], -1)


def likelihood(log_odds: np.ndarray) -> np.ndarray:
    """Log-odds -> 0..1."""
    return 1 / (1 + np.exp(-np.clip(log_odds, -15, 15)))


def resized(image: np.ndarray, long_side_px: int) -> np.ndarray:
    """A picture or mask of float32 0..1 brought to a long side, never to fewer than 8 pixels."""
    scale = long_side_px / max(image.shape[:2])
    size = (max(8, round(image.shape[1] * scale)), max(8, round(image.shape[0] * scale)))
    return np.clip(cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), 0, 1)


def _bytes(image_srgb01: np.ndarray) -> np.ndarray:
    return (image_srgb01 * 255).astype(np.uint8)


def _vivid(lab: np.ndarray) -> np.ndarray:
    stretched = np.stack([lab[..., 0] * 1.8 + 30, 128 + lab[..., 1] * 2, 128 + lab[..., 2] * 2], -1)
    return np.clip(stretched, 0, 255).astype(np.uint8)


def _grab_cut(picture: np.ndarray, log_odds: np.ndarray, start: Start) -> np.ndarray:
    """Boolean (H, W).  A start without enough pixels on either side for a colour model stays as the look has it."""
    label = np.where(log_odds > start.likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    label[log_odds < -start.sure] = cv2.GC_BGD
    label[log_odds > start.sure] = cv2.GC_FGD
    car = (label == cv2.GC_PR_FGD) | (label == cv2.GC_FGD)
    if min(car.sum(), (~car).sum()) < 50:
        return car
    cv2.setRNGSeed(1)  # GrabCut draws its first colour clusters
    cv2.grabCut(picture, label, None, np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    return (label == cv2.GC_PR_FGD) | (label == cv2.GC_FGD)


def _clean(mask: np.ndarray) -> np.ndarray:
    """The largest piece, weighed by nearness to the middle, without whiskers and without holes."""
    opened = ndimage.binary_opening(mask, np.ones((3, 3)))
    piece, count = ndimage.label(opened)
    if count == 0:
        return opened
    y, x = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]]
    nearness = np.exp(-(((x / mask.shape[1] - 0.5) / 0.3) ** 2) - ((y / mask.shape[0] - 0.55) / 0.3) ** 2)
    weight = ndimage.sum_labels(nearness, piece, np.arange(1, count + 1))
    return ndimage.binary_fill_holes(piece == 1 + int(np.argmax(weight)))


def _confidence(mask: np.ndarray, estimate: np.ndarray, lab: np.ndarray) -> float:
    """The overlap with the truth that the last look expects, times how far colours differ across the outline."""
    if not mask.any():
        return 0.0
    expected = float(estimate[mask].sum() / (mask.sum() + estimate[~mask].sum()))
    return expected * (0.5 + 0.5 * _contrast(mask, lab))


def _contrast(mask: np.ndarray, lab: np.ndarray) -> float:
    """Mean Lab distance between the near inside and the near outside along the outline, 1 from 25 on."""
    inside, outside = mask.astype(np.float32), (~mask).astype(np.float32)
    means = [cv2.blur(lab * part[..., None], (7, 7)) / np.maximum(cv2.blur(part, (7, 7)), 1e-3)[..., None] for part in (inside, outside)]
    outline = mask & ~ndimage.binary_erosion(mask, np.ones((3, 3)))
    return float(np.minimum(np.linalg.norm(means[0] - means[1], axis=-1)[outline] / 25, 1).mean())
