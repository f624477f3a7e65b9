"""What an estimate of the matte says about each pixel: where it lies in the car, whose colours it has, whether it is ground in shadow.

Looking again with the last estimate's surroundings as features is auto-context (Tu, CVPR 2008, eq. 4).
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy import ndimage

NAMES = (
    *("estimate", "estimate_near", "estimate_around", "estimate_wide", "enclosed", "enclosed_upright"),
    *("off_centre_of_box", "down_in_box", "aspect_of_box", "share"),
    *("like_car", "like_car_near", "like_car_by_chroma", "darker_than_ground", "other_hue_than_ground", "texture"),
    *(f"{way}_{reach}_{which}" for reach in ("close", "far", "across") for way in ("level", "up", "down") for which in ("least", "most")),
    *(f"{way}_{reach}" for reach in ("close", "far", "across") for way in ("above", "below")),
)
BINS = (12, 16, 16)  # of the colour histograms
BIN_LOW, BIN_HIGH = np.array([0, -48, -48], np.float32), np.array([100, 48, 48], np.float32)
CHROMA_ONLY = np.array([0.4, 1.5, 1.5], np.float32)  # lightness pressed into few bins: shadow and lit paint fall together
REACHES = ((0.12, 0.02), (0.3, 0.03), (0.6, 0.05))  # how far to look, in box sides, and how blurred, in picture sides
LIMIT = 5.0  # of a log-likelihood ratio of colours


def around(lab: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    """Lab (H, W, 3) float32, estimate (H, W) 0..1 -> (H, W, len(NAMES)) float32; a mirrored picture gives the mirrored features."""
    estimate = estimate.astype(np.float32)
    box = box_of(estimate)
    height, width = estimate.shape
    least = min(height, width)
    blurred = [cv2.GaussianBlur(estimate, (0, 0), share * least) for share in (0.02, 0.05, 0.12)]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    off_centre = np.clip(np.abs(x - (box[0] + box[1]) / 2) / (box[1] - box[0]) * 2, 0, 2)
    down = np.clip((y - box[2]) / (box[3] - box[2]) * 2 - 1, -2, 2)
    aspect, share = np.log((box[1] - box[0]) / (box[3] - box[2])), estimate.mean()
    place = [off_centre, down, np.full_like(x, aspect), np.full_like(x, share)]
    smooth = cv2.bilateralFilter(lab, 5, 8, 2)
    columns = [estimate, *blurred, *_enclosed(blurred[0]), *place, *_colours(smooth, estimate), *_ground(smooth, blurred[0], down)]
    return np.stack([*columns, *_surroundings(estimate, box)], -1).astype(np.float32)


def box_of(estimate: np.ndarray) -> tuple[int, int, int, int]:
    """left, right, top, bottom in pixels of the box that holds all but 1 % of the estimate on each side."""
    likely = np.where(estimate > 0.3, estimate, 0)
    if likely.sum() < 20:
        return 0, estimate.shape[1], 0, estimate.shape[0]
    ends = []
    for axis in (0, 1):
        share = np.cumsum(likely.sum(axis)) / likely.sum()
        ends += [int(np.searchsorted(share, 0.01)), int(np.searchsorted(share, 0.99)) + 1]
    return ends[0], ends[1], ends[2], ends[3]


def _enclosed(estimate: np.ndarray) -> list[np.ndarray]:
    """How much car there is on the side that has least of it: of all four sides, and of above and below (windows, wheel gaps)."""
    ways = [np.maximum.accumulate(estimate[::step], 0)[::step] for step in (1, -1)]
    across = [np.maximum.accumulate(estimate[:, ::step], 1)[:, ::step] for step in (1, -1)]
    upright = np.minimum(*ways)
    return [np.minimum(upright, np.minimum(*across)), upright]


def _colours(smooth: np.ndarray, estimate: np.ndarray) -> list[np.ndarray]:
    """Log-likelihood ratios of each pixel's colour, car against the rest."""
    full = _log_ratio(smooth, estimate)
    return [full, cv2.GaussianBlur(full, (0, 0), 0.02 * min(estimate.shape)), _log_ratio(smooth * CHROMA_ONLY, estimate)]


def _log_ratio(lab: np.ndarray, estimate: np.ndarray) -> np.ndarray:
    places = np.clip((lab - BIN_LOW) / (BIN_HIGH - BIN_LOW), 0, 0.999) * np.array(BINS)
    index = np.ravel_multi_index(tuple(np.moveaxis(places.astype(np.int64), -1, 0)), BINS)
    shares = []
    for weight in (estimate, 1 - estimate):
        count = np.bincount(index.ravel(), weight.ravel(), minlength=int(np.prod(BINS))).reshape(BINS)
        count = ndimage.gaussian_filter(count, 0.8)
        shares.append(count.ravel() / max(count.sum(), 1e-6) + 1e-4)
    return np.clip(np.log(shares[0] / shares[1]), -LIMIT, LIMIT)[index].astype(np.float32)


def _ground(smooth: np.ndarray, estimate_near: np.ndarray, down: np.ndarray) -> list[np.ndarray]:
    """How much darker than the ground nearby, how far from that ground's hue in shadow, and how restless a pixel is."""
    sigma = 0.12 * min(down.shape)
    outside = np.clip(1 - 1.5 * estimate_near, 0, 1) * (down > 0)
    weight = cv2.GaussianBlur(outside, (0, 0), sigma)
    near = cv2.GaussianBlur(smooth * outside[..., None], (0, 0), sigma) / (weight + 1e-4)[..., None]
    everywhere = (smooth * outside[..., None]).sum((0, 1)) / outside.sum() if outside.sum() > 30 else smooth[-3:].mean((0, 1))
    ground = np.where((weight > 0.01)[..., None], near, everywhere)
    darker = np.clip((ground[..., 0] - smooth[..., 0]) / (ground[..., 0] + 10), -1.5, 1)
    hue = smooth[..., 1:] - ground[..., 1:] * np.clip(1 - darker, 0, 1.5)[..., None]  # chroma falls with the light
    slopes = [cv2.Sobel(smooth[..., 0], cv2.CV_32F, *axis) / 4 for axis in ((1, 0), (0, 1))]
    texture = cv2.GaussianBlur(np.minimum(np.hypot(*slopes), 20), (0, 0), 0.012 * min(down.shape))
    return [darker, np.log1p(np.linalg.norm(hue, axis=-1) / 2), np.log1p(texture)]


def _surroundings(estimate: np.ndarray, box: tuple[int, int, int, int]) -> list[np.ndarray]:
    """The estimate at eight places round each pixel, three reaches; of a left and right pair the least and the most."""
    height, width = estimate.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    pairs, singles = [], []
    for reach, blur in REACHES:
        source = cv2.GaussianBlur(estimate, (0, 0), blur * min(height, width))
        step_x, step_y = reach * (box[1] - box[0]), reach * (box[3] - box[2])
        for right, down in ((1, 0), (0.7, -0.7), (0.7, 0.7)):
            two = [_shifted(source, x + sign * right * step_x, y + down * step_y) for sign in (-1, 1)]
            pairs += [np.minimum(*two), np.maximum(*two)]
        singles += [_shifted(source, x, y + sign * step_y) for sign in (-1, 1)]
    return pairs + singles


def _shifted(source: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return cv2.remap(source, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
