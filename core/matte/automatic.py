"""The cut without a network: GrabCut from several starts that a linear model of the picture proposes, and the best of them.

GrabCut: Rother, Kolmogorov, Blake, SIGGRAPH 2004; its starts, otherwise drawn by a user, come from prior.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from ..errors import check_shape
from .prior import car_logit
from .refine import refine

CUT_SIDE_PX = 256  # prior.py was fitted at this size; finer, colour models see grain instead of paint
ROUNDS = 4


@dataclass(frozen=True)
class Start:
    """Log-odds above `likely` begin as car; those beyond +-`sure` stay what they are.  `vivid` cuts in Lab with less lightness,
    where a shadow looks like the ground it falls on."""

    likely: float
    sure: float
    vivid: bool


STARTS = (Start(0, 3, False), Start(-1, 2, False), Start(0, 3, True), Start(0, 2, True), Start(1, 3, True))
AGREEMENT_WEIGHT, SOLIDITY_WEIGHT, SHARE_WEIGHT = 0.75, 0.1, 1.0  # fitted to the IoU on rendered training cars; cuts fail by losing parts


def cut(image_srgb01: np.ndarray) -> tuple[np.ndarray, float]:
    """(H, W, 3) float32 -> alpha01 (H, W) float32 and a confidence 0..1; the same picture gives the same cut."""
    check_shape("image_srgb01", image_srgb01.shape, (None, None, 3))
    small = _resized(image_srgb01, CUT_SIDE_PX)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2Lab)
    logit = car_logit(lab)
    pictures = {False: (small * 255).astype(np.uint8), True: _vivid(lab)}
    cuts = [_clean(_grab_cut(pictures[start.vivid], logit, start)) for start in STARTS] + [_clean(logit > 0)]
    votes = np.mean(cuts, 0)
    best = max([*cuts, _clean(votes > 0.5)], key=lambda mask: _merit(mask, votes))
    return refine(image_srgb01, best), _confidence(best, cuts, lab)


def _resized(image: np.ndarray, long_side_px: int) -> np.ndarray:
    scale = long_side_px / max(image.shape[:2])
    size = (max(8, round(image.shape[1] * scale)), max(8, round(image.shape[0] * scale)))
    return np.clip(cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), 0, 1)


def _vivid(lab: np.ndarray) -> np.ndarray:
    stretched = np.stack([lab[..., 0] * 1.8 + 30, 128 + lab[..., 1] * 2, 128 + lab[..., 2] * 2], -1)
    return np.clip(stretched, 0, 255).astype(np.uint8)


def _grab_cut(picture: np.ndarray, logit: np.ndarray, start: Start) -> np.ndarray:
    """Boolean (H, W).  A start without enough pixels on either side for a colour model stays as the prior has it."""
    label = np.where(logit > start.likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    label[logit < -start.sure] = cv2.GC_BGD
    label[logit > start.sure] = cv2.GC_FGD
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


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union, also of soft masks."""
    return float(np.minimum(one, other).sum() / max(np.maximum(one, other).sum(), 1e-6))


def _merit(mask: np.ndarray, votes: np.ndarray) -> float:
    if not mask.any():
        return -1.0
    return AGREEMENT_WEIGHT * _overlap(mask, votes) + SOLIDITY_WEIGHT * _solidity(mask) + SHARE_WEIGHT * float(mask.mean())


def _solidity(mask: np.ndarray) -> float:
    """Share of its convex hull that the mask fills; cars fill most of it."""
    hull = cv2.convexHull(np.argwhere(mask)[:, ::-1].astype(np.int32))
    return float(mask.sum() / max(cv2.contourArea(hull), 1.0))


def _confidence(best: np.ndarray, cuts: list[np.ndarray], lab: np.ndarray) -> float:
    """How much the starts agree on the cut, times how far colours differ across its outline."""
    if not best.any():
        return 0.0
    agreement = float(np.median([_overlap(best, mask) for mask in cuts]))
    return agreement * (0.5 + 0.5 * _contrast(best, lab))


def _contrast(mask: np.ndarray, lab: np.ndarray) -> float:
    """Mean Lab distance between the near inside and the near outside along the outline, 1 from 25 on."""
    inside, outside = mask.astype(np.float32), (~mask).astype(np.float32)
    means = [cv2.blur(lab * part[..., None], (7, 7)) / np.maximum(cv2.blur(part, (7, 7)), 1e-3)[..., None] for part in (inside, outside)]
    outline = mask & ~ndimage.binary_erosion(mask, np.ones((3, 3)))
    return float(np.minimum(np.linalg.norm(means[0] - means[1], axis=-1)[outline] / 25, 1).mean())
