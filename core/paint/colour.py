"""Colour spaces and robust colours: sRGB, linear RGB, OKLab, and the dominant colour of a cloud of samples.

OKLab: Ottosson 2020, "A perceptual color space for image processing".
"""

from __future__ import annotations

import numpy as np

_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]]
)
_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]]
)
# once for all: each call would wake the threads of the linear algebra, which then spin beside us for a while
_LMS_BACK, _LAB_BACK = np.linalg.inv(_LMS), np.linalg.inv(_LAB)
TINT_BIN, TINT_REACH = 0.02, 0.07  # in a / L and b / L, which shading leaves alone
LIGHTNESS_BIN, LIGHTNESS_REACH = 0.02, 0.2  # how far shading moves a paint about its most frequent lightness
VIVID, VIVID_FROM = 15.0, 0.1  # reflections are greyer than the paint below (Shafer 1985): vivid samples count more
PURE = 0.8  # share of the samples of a hue that count as mixed with reflections
MAX_SAMPLES = 30_000
ALIKE_CELLS = 20  # along each of red, green and blue; a cell and those that touch it are alike


def linear_from_srgb(srgb01: np.ndarray) -> np.ndarray:
    """Display values 0..1 -> linear light 0..1, any shape (IEC 61966-2-1); float32 stays float32."""
    srgb01 = _floating(srgb01)
    return np.where(srgb01 <= 0.04045, srgb01 / 12.92, ((np.maximum(srgb01, 0) + 0.055) / 1.055) ** 2.4)


def srgb_from_linear(linear01: np.ndarray) -> np.ndarray:
    """Linear light 0..1 -> display values 0..1, any shape; float32 stays float32."""
    linear01 = np.clip(_floating(linear01), 0, 1)
    return np.where(linear01 <= 0.0031308, linear01 * 12.92, 1.055 * linear01 ** (1 / 2.4) - 0.055)


def oklab_from_srgb(srgb01: np.ndarray) -> np.ndarray:
    """(..., 3) display values 0..1 -> L 0..1, a, b."""
    return _mixed(np.cbrt(_mixed(linear_from_srgb(srgb01), _LMS)), _LAB)


def srgb_from_oklab(oklab: np.ndarray) -> np.ndarray:
    """(..., 3) L, a, b -> display values, cut to 0..1."""
    return srgb_from_linear(_mixed(_mixed(np.asarray(oklab), _LAB_BACK) ** 3, _LMS_BACK))


def _mixed(values: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """(..., 3) values, each turned by a (3, 3) matrix; no matrix product, since that too wakes threads."""
    return np.einsum("...c,kc->...k", values, matrix.astype(values.dtype))


def _floating(values: np.ndarray) -> np.ndarray:
    """float32 as it is, four times faster than float64; all else as float64."""
    values = np.asarray(values)
    return values if values.dtype == np.float32 else values.astype(np.float64)


def weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(N, C) values, (N,) weights -> the weighted median of each channel (C,)."""
    return np.array([_weighted_median(np.ascontiguousarray(column), weights) for column in values.T])


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    running = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(running, running[-1] / 2)]])


def dominant_colour(srgb01: np.ndarray, weights: np.ndarray, glossy: bool = False) -> tuple[float, float, float] | None:
    """The colour that most of the samples (N, 3), weighted (N,), have in common; None where fewer than 20 samples weigh anything.

    Light that is k times weaker scales L, a and b alike by the cube root of k, so a / L and b / L tell paint from what is not paint
    whatever its shade: first their fullest cell, then the most frequent lightness in it, then the median of what lies near both.
    Highlights, dark gaps and stickers do not pull it as they would a mean.  Of something `glossy` vivid samples count more, and the purest
    of them most: the others are mixed with what they mirror.
    """
    used = np.flatnonzero(weights > 0)
    if len(used) < 20:
        return None
    used = sampled(used)
    lab, weight = oklab_from_srgb(srgb01[used]), weights[used].astype(np.float64)
    tint = lab[:, 1:] / np.maximum(lab[:, :1], 0.15)  # near black the quotient is noise
    if glossy:
        near = _purest(tint, weight)
    else:
        near = np.linalg.norm(tint - _fullest_cell(tint, weight, TINT_BIN, 1), axis=1) < TINT_REACH
    lab, weight = lab[near], weight[near]
    centre = _fullest_cell(lab[:, :1], weight, LIGHTNESS_BIN, 4)
    near = np.abs(lab[:, 0] - centre) < LIGHTNESS_REACH
    red, green, blue = srgb_from_oklab(weighted_median(lab[near], weight[near])).tolist()
    return red, green, blue


def _purest(tint: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(N,) bool: the samples of the fullest cell of tints (N, 2), where vivid ones count more; if it is vivid, the purest of its hue.

    Reflections move a glossy paint's colour along a line toward the light's (Shafer, "Using Color to Separate Reflection Components",
    1985), so its own colour is at the far end.
    """
    vivid = 1 + VIVID * ((np.linalg.norm(tint, axis=1) - VIVID_FROM) / VIVID_FROM).clip(0, 1)
    centre = _fullest_cell(tint, weight * vivid, TINT_BIN, 1)
    chroma = float(np.linalg.norm(centre))
    if chroma < VIVID_FROM:
        return np.linalg.norm(tint - centre, axis=1) < TINT_REACH
    along = tint @ (centre / chroma)
    same_hue = (np.abs(tint @ np.array([-centre[1], centre[0]]) / chroma) < TINT_REACH) & (along > chroma - TINT_REACH)
    order = np.flatnonzero(same_hue)[np.argsort(along[same_hue])]
    running = np.cumsum(weight[order])
    purest = along[order[min(int(np.searchsorted(running, PURE * running[-1])), len(order) - 1)]]
    return same_hue & (along > purest - TINT_BIN)


def share_alike(srgb01: np.ndarray, among: np.ndarray) -> np.ndarray:
    """(N,) float32: which share of the colours `among` (M, 3) are about the same as each of srgb01 (N, 3); zeros where M is none."""
    side = ALIKE_CELLS

    def cells(values: np.ndarray) -> np.ndarray:
        red, green, blue = (values.T * np.float32(side)).astype(np.int32).clip(0, side - 1)
        return np.asarray((red * side + green) * side + blue)

    counted = np.bincount(cells(among[sampled(np.arange(len(among)))]), minlength=side**3).reshape(side, side, side)
    padded = np.pad(counted, 1)
    near = np.sum([padded[i : i + side, j : j + side, k : k + side] for i, j, k in np.ndindex(3, 3, 3)], 0)
    return (near / max(float(counted.sum()), 1.0)).astype(np.float32).reshape(-1)[cells(srgb01)]


def sampled(places: np.ndarray) -> np.ndarray:
    """Every so many of the places (N,), so that about MAX_SAMPLES are left."""
    return places[:: max(1, len(places) // MAX_SAMPLES)]


def _fullest_cell(values: np.ndarray, weight: np.ndarray, size: float, spread: int) -> np.ndarray:
    """Centre (C,) of the histogram cell with most weight (N,) of values (N, C), after `spread` rounds of blurring."""
    columns = np.ascontiguousarray(values.T)  # numpy is slow along short rows
    low = columns.min(1) - (spread + 1) * size
    cells = ((columns - low[:, None]) / size).astype(np.int64)
    shape = cells.max(1) + spread + 2
    filled = np.bincount(np.ravel_multi_index(tuple(cells), tuple(shape)), weight, int(shape.prod())).reshape(shape)
    for _ in range(spread):
        for axis in range(filled.ndim):
            filled = filled + 0.5 * (np.roll(filled, 1, axis) + np.roll(filled, -1, axis))
    return low + (np.array(np.unravel_index(filled.argmax(), filled.shape)) + 0.5) * size
