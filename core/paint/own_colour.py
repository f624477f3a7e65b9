"""The colour of the paint itself, without the light that fell on it.

A grey car in the sun and a white one in the shade may look alike.  What stands under the same light tells them apart: tyres are black
however bright they are in the picture, windows mirror the sky, and a paint's shadows and highlights lie about its own lightness.  The
estimate is linear in such cues and was learned from renders of cars whose paint is known (core/training/train_paint.py).

Colours are L, a / L, b / L of OKLab here: more or less light moves only the first of them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from .. import weights
from ..errors import WeightsError, check_shape
from ..perceive.heads import PART_CLASSES
from ..perceive.look import Window, cut_window
from ..types import Dense
from .colour import dominant_colour, oklab_from_srgb, srgb_from_oklab
from .materials import Colour

KEY, FILE = "paint", "paint.safetensors"
GLASS = ("windshield", "rear_window", "side_window")
INSIDE01, OUTSIDE01 = 0.9, 0.1  # of the matte: cells that are car, and cells that are not
LEAST_BODY, LEAST_OTHER = 30, 9  # cells from which a part tells anything
LEAST_AROUND = 15
BODY_SHARES, OTHER_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95), (0.1, 0.5, 0.9)  # quantiles of lightness that are cues
CUES = 3 + 3 + len(BODY_SHARES) + 3 + 2 * len(OTHER_SHARES)
DARKEST = 0.15  # below this L quotients with it are noise
FURTHEST = 4.0  # spreads from the usual: beyond what was learned from, nothing is extrapolated


@dataclass(frozen=True)
class OwnColour:
    """L, a / L, b / L of the paint = offset + ((cues - usual) / spread) . matrix, a missing cue counting as usual; float32.

    usual, spread (CUES,); matrix (CUES, 3); offset (3,).
    """

    usual: np.ndarray
    spread: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray

    def __post_init__(self) -> None:
        for name, shape in (("usual", (CUES,)), ("spread", (CUES,)), ("matrix", (CUES, 3)), ("offset", (3,))):
            check_shape(name, getattr(self, name).shape, shape)

    def oklab(self, cues: np.ndarray) -> np.ndarray:
        """(..., CUES) -> (..., 3) L, a, b."""
        return oklab_from_tinted(self.offset + self.weighed(cues) @ self.matrix)

    def weighed(self, cues: np.ndarray) -> np.ndarray:
        """(..., CUES) in spreads from the usual, within FURTHEST, 0 where missing."""
        return np.nan_to_num((cues - self.usual) / self.spread).clip(-FURTHEST, FURTHEST)


def tinted(oklab: np.ndarray) -> np.ndarray:
    """(..., 3) L, a, b -> L, a / L, b / L."""
    return np.concatenate([oklab[..., :1], oklab[..., 1:] / np.maximum(oklab[..., :1], DARKEST)], -1)


def oklab_from_tinted(colour: np.ndarray) -> np.ndarray:
    """The inverse of tinted()."""
    return np.concatenate([colour[..., :1], colour[..., 1:] * np.maximum(colour[..., :1], DARKEST)], -1)


def own_colour(image_srgb01: np.ndarray, dense: Dense | None, folder: Path = weights.FOLDER) -> Colour | None:
    """sRGB 0..1 of the paint of the car that `dense` tells of in a photograph (H, W, 3).

    None where nothing is told or too little of the body is seen.  Raises WeightsError.
    """
    cues = paint_cues(image_srgb01, dense) if dense is not None else None
    if cues is None:
        return None
    red, green, blue = srgb_from_oklab(_loaded(folder).oklab(cues)).tolist()
    return red, green, blue


def paint_cues(image_srgb01: np.ndarray, dense: Dense) -> np.ndarray | None:
    """(CUES,) float64 of a photograph (H, W, 3), NaN for what is not seen; None where too little of the body is.

    The body's commonest colour, its median and the quantiles of its lightness, the mean of what is about the car, quantiles of the
    lightness of wheels and of glass.
    """
    cells, known = _cells(image_srgb01, dense)
    lab, part = oklab_from_srgb(cells), dense.part_share01.argmax(0)
    inside = dense.matte01 > INSIDE01

    def of(*names: str) -> np.ndarray:
        return inside & np.isin(part, [PART_CLASSES.index(name) for name in names])

    def lightness_of(*names: str) -> np.ndarray:
        mask = of(*names)
        return np.quantile(lab[mask][:, 0], OTHER_SHARES) if mask.sum() >= LEAST_OTHER else np.full(len(OTHER_SHARES), np.nan)

    body, around = of("body"), known & (dense.matte01 < OUTSIDE01)
    commonest = dominant_colour(cells[body], np.ones(int(body.sum()), np.float32), glossy=True) if body.sum() >= LEAST_BODY else None
    if commonest is None:
        return None
    return np.concatenate(
        [
            tinted(oklab_from_srgb(np.array(commonest))),
            tinted(np.median(lab[body], 0)),
            np.quantile(lab[body][:, 0], BODY_SHARES),
            tinted(lab[around].mean(0)) if around.sum() >= LEAST_AROUND else np.full(3, np.nan),
            lightness_of("wheel"),
            lightness_of(*GLASS),
        ]
    )


def _cells(image_srgb01: np.ndarray, dense: Dense) -> tuple[np.ndarray, np.ndarray]:
    """The photograph at the cells of what is told: colours (h, w, 3) float32, and which of them lie in it (h, w) bool."""
    left, top, width, _ = dense.box_px
    image, valid = cut_window(image_srgb01, Window(left, top, width))
    size = dense.matte01.shape[::-1]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return small, cv2.resize(valid, size, interpolation=cv2.INTER_AREA) > 200


def content_of(model: OwnColour) -> bytes:
    """A file's content that _loaded() reads."""
    return save({field.name: np.ascontiguousarray(getattr(model, field.name), np.float32) for field in fields(OwnColour)})


@cache
def _loaded(folder: Path) -> OwnColour:
    content = weights.read_checked(folder, KEY)
    try:
        return OwnColour(**load(content))
    except (SafetensorError, TypeError, ValueError) as problem:
        raise WeightsError(f"{FILE} is of another version ({problem}); make it with `python3 build.py train {KEY}`.") from problem
