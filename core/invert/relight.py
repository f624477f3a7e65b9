"""The light taken off a photograph: the generator draws the car as it was seen and again under a white sky, and tells their ratio.

Only what varies slowly is believed of the ratio, so every detail stays the photograph's (the quotient images of Riklin-Raviv & Shashua,
"The Quotient Image", PAMI 2001, section 3, with a generator in place of their three basis pictures).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from ..generator.views import draw_surfaces, straight
from ..generator.weights import CarGenerator
from ..paint.colour import linear_from_srgb, srgb_from_linear
from ..types import Photo
from .invert import Inversion

SLOW_PX = 5.0  # standard deviation, in pixels of the window, of what counts as varying slowly
LEAST, MOST = 0.4, 2.5  # of the ratio, in linear light
FLOOR = 0.02


def without_light(photo: Photo, inversion: Inversion, parts: CarGenerator, strength01: float = 1.0) -> Photo:
    """The photograph as if a white sky had lit the car; nothing but the car is meant by it.  strength01 0 leaves it as it is."""
    if strength01 <= 0:
        return photo
    ratio = light_ratio(inversion, parts) ** np.float32(strength01)
    spread = inversion.window.put_back(ratio, photo.size_px, carried_on=True)
    lit = linear_from_srgb(photo.image_srgb01.astype(np.float32))
    return replace(photo, image_srgb01=srgb_from_linear(lit * spread).astype(np.float32))


def light_ratio(inversion: Inversion, parts: CarGenerator) -> np.ndarray:
    """(S, S, 3) float32 in linear light: what to multiply the window by, smooth, and carried on beyond the car."""
    view, latents = inversion.window.view[None], (inversion.latent, inversion.latent.evenly_lit())
    seen, even = (draw_surfaces(parts.generator, latent, inversion.surface, view)[0] for latent in latents)
    car = np.minimum(seen[..., 3], even[..., 3])[..., None]
    slow = [_slow(_linear(picture) * car, car) for picture in (seen, even)]
    return np.clip((slow[1] + FLOOR) / (slow[0] + FLOOR), LEAST, MOST)


def _linear(picture: np.ndarray) -> np.ndarray:
    """(S, S, 3) linear light of a premultiplied picture."""
    return linear_from_srgb(straight(picture)[..., :3])


def _slow(weighted: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted means (S, S, 3) round every pixel; far from all weight those of the nearest."""
    found, total = weighted, weight
    sums, totals = np.zeros_like(weighted), np.zeros_like(weight)
    for wider in (1, 2, 4, 8):
        found, total = (
            cv2.GaussianBlur(layer, (0, 0), SLOW_PX * wider).reshape(weighted.shape[:2] + (-1,)) for layer in (weighted, weight)
        )
        share = 10.0 ** -(3 * (wider.bit_length() - 1))  # the widest speak only where the others are silent
        sums, totals = sums + share * found, totals + share * total
    return (sums / np.maximum(totals, 1e-12)).astype(np.float32)
