"""The colour of the paint itself, without the light that fell on it.

A grey car in the sun and a white one in the shade may look alike.  What stands under the same light tells them apart: tyres are black
however bright they are in the picture, and a paint's shadows and highlights lie about its own lightness.  The estimate is linear in such
cues and was learned from renders of cars whose paint is known (core/training/train_paint.py).  Windows, which mirror the sky in renders,
are no cue: one sees through those of real cars, and what is behind passed for a bright light that darkened the paint.

More or less light scales L, a and b of OKLab alike, so the tint, a / L and b / L, is that of the body's commonest colour; but a weak blue
is the sky's: most cars are white, grey or black.
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
INSIDE01, OUTSIDE01 = 0.9, 0.1  # of the matte: cells that are car, and cells that are not
LEAST_BODY, LEAST_WHEEL = 30, 9  # cells from which a part tells anything
LEAST_AROUND = 15
BODY_SHARES, WHEEL_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95), (0.1, 0.5, 0.9)  # quantiles of lightness that are cues
CUES = 2 + len(BODY_SHARES) + 1 + len(WHEEL_SHARES)
DARKEST = 0.02  # below this L a colour has no tint that could be made lighter
MOST_MOVED = 0.15  # real photographs differ from renders in more than their light: three in four renders are moved by less
SKY_TINT = (0.04, 0.08)  # of a blue tint: up to the first it is the sky's, from the second the paint's (on renders, a quarter of which
# are grey, as good as any; of the cars sold most are)
SKY_HUE = (0.7, 0.9)  # cosine of the angle to OKLab's blue, from which and to which a tint becomes that of a sky
FURTHEST = 4.0  # spreads from the usual: beyond what was learned from, nothing is extrapolated


@dataclass(frozen=True)
class OwnLightness:
    """OKLab's L of the paint = offset + ((cues - usual) / spread) . slope, a missing cue counting as usual; within MOST_MOVED of the first
    cue, the commonest colour's.

    usual, spread, slope (CUES,), offset (1,), float32.
    """

    usual: np.ndarray
    spread: np.ndarray
    slope: np.ndarray
    offset: np.ndarray

    def __post_init__(self) -> None:
        for field in fields(self):
            check_shape(field.name, getattr(self, field.name).shape, (1,) if field.name == "offset" else (CUES,))

    def __call__(self, cues: np.ndarray) -> np.ndarray:
        """(..., CUES) -> (...) lightness 0..1."""
        commonest = cues[..., 0]
        free = self.offset[0] + self.weighed(cues) @ self.slope
        return np.asarray(free.clip(commonest - MOST_MOVED, commonest + MOST_MOVED).clip(0, 1))

    def weighed(self, cues: np.ndarray) -> np.ndarray:
        """(..., CUES) in spreads from the usual, within FURTHEST, 0 where missing."""
        return np.nan_to_num((cues - self.usual) / self.spread).clip(-FURTHEST, FURTHEST)


def own_colour(image_srgb01: np.ndarray, dense: Dense | None, folder: Path = weights.FOLDER) -> Colour | None:
    """sRGB 0..1 of the paint of the car that `dense` tells of in a photograph (H, W, 3).

    None where nothing is told or too little of the body is seen.  Raises WeightsError.
    """
    seen = paint_cues(image_srgb01, dense) if dense is not None else None
    if seen is None:
        return None
    cues, commonest = seen
    red, green, blue = srgb_from_oklab(at_lightness(without_sky(commonest), _loaded(folder)(cues))).tolist()
    return red, green, blue


def at_lightness(oklab: np.ndarray, lightness: np.ndarray) -> np.ndarray:
    """Colours (..., 3) L, a, b of another L (...) and the same tint."""
    return np.asarray(oklab * (lightness / np.maximum(oklab[..., 0], DARKEST))[..., None])


def without_sky(oklab: np.ndarray) -> np.ndarray:
    """Colours (..., 3) L, a, b, those with a weak blue tint turned grey."""
    tint = oklab[..., 1:] / np.maximum(oklab[..., :1], DARKEST)
    strength = np.linalg.norm(tint, axis=-1)
    (weak, strong), (near, at) = SKY_TINT, SKY_HUE
    sky = ((-tint[..., 1] / np.maximum(strength, 1e-9) - near) / (at - near)).clip(0, 1)
    kept = 1 - sky * (1 - ((strength - weak) / (strong - weak)).clip(0, 1))
    return np.concatenate([oklab[..., :1], oklab[..., 1:] * kept[..., None]], -1)


def paint_cues(image_srgb01: np.ndarray, dense: Dense) -> tuple[np.ndarray, np.ndarray] | None:
    """(CUES,) float64 of a photograph (H, W, 3), all lightnesses in OKLab, NaN for what is not seen; and the body's commonest colour (3,)
    in OKLab.  None where too little of the body is seen.

    The commonest colour's, the body's median and quantiles, the mean of what is about the car, quantiles of the wheels.
    """
    cells, known = _cells(image_srgb01, dense)
    lightness, part = oklab_from_srgb(cells)[..., 0], dense.part_share01.argmax(0)
    inside = dense.matte01 > INSIDE01

    def of(name: str) -> np.ndarray:
        return inside & (part == PART_CLASSES.index(name))

    body, wheel, around = of("body"), of("wheel"), known & (dense.matte01 < OUTSIDE01)
    found = dominant_colour(cells[body], np.ones(int(body.sum()), np.float32), glossy=True) if body.sum() >= LEAST_BODY else None
    if found is None:
        return None
    commonest = oklab_from_srgb(np.array(found))
    own = [commonest[0], np.median(lightness[body]), *np.quantile(lightness[body], BODY_SHARES)]
    about = lightness[around].mean() if around.sum() >= LEAST_AROUND else np.nan
    wheels = np.quantile(lightness[wheel], WHEEL_SHARES) if wheel.sum() >= LEAST_WHEEL else np.full(len(WHEEL_SHARES), np.nan)
    return np.array([*own, about, *wheels]), commonest


def _cells(image_srgb01: np.ndarray, dense: Dense) -> tuple[np.ndarray, np.ndarray]:
    """The photograph at the cells of what is told: colours (h, w, 3) float32, and which of them lie in it (h, w) bool."""
    left, top, width, _ = dense.box_px
    image, valid = cut_window(image_srgb01, Window(left, top, width))
    size = dense.matte01.shape[::-1]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return small, cv2.resize(valid, size, interpolation=cv2.INTER_AREA) > 200


def content_of(model: OwnLightness) -> bytes:
    """A file's content that _loaded() reads."""
    return save({field.name: np.ascontiguousarray(getattr(model, field.name), np.float32) for field in fields(OwnLightness)})


@cache
def _loaded(folder: Path) -> OwnLightness:
    content = weights.read_checked(folder, KEY)
    try:
        return OwnLightness(**load(content))
    except (SafetensorError, TypeError, ValueError) as problem:
        raise WeightsError(f"{FILE} is of another version ({problem}); make it with `python3 build.py train {KEY}`.") from problem
