"""The canvas that pictures without a car are painted on: anti-aliased shapes with light, grain and soft shadows.

Coordinates are shares of the picture's height, y down; the right edge lies at `Canvas.wide`. Colours are sRGB 0..255, floats.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence

import cv2
import numpy as np

Colour = np.ndarray | Sequence[float]
Points = np.ndarray | Sequence[Sequence[float]]
SHIFT = 4  # fractional bits of cv2's fixed-point coordinates
BALL = (0.22, 0.22)  # how a ball's lightness falls towards its edge: a `bulge`
TUBE = (0.28, 0.0)
FAR_PX = 4000.0  # fixed-point coordinates stay well within cv2's range


class Canvas:
    """A picture in work: `pixels` (height, width, 3) float32 0..255, and the random numbers it is drawn by."""

    def __init__(self, width_px: int, height_px: int, random: np.random.Generator) -> None:
        self.random = random
        self.wide = width_px / height_px
        self.pixels = np.zeros((height_px, width_px, 3), np.float32)
        self._noise = random.standard_normal((height_px, width_px), np.float32)
        self._fur = cv2.blur(self._noise, (1, 6)) * np.float32(1.7) + cv2.blur(self._noise, (3, 13)) * np.float32(2.5)

    @property
    def size_px(self) -> tuple[int, int]:
        """Width, height."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def ramp(self, top: Colour, bottom: Colour, until: float = 1.0) -> None:
        """Everything painted from `top` above to `bottom` at height `until` and below."""
        height_px = len(self.pixels)
        share = np.minimum(np.arange(height_px, dtype=np.float32) / (height_px * until), 1)[:, None]
        row = np.asarray(top, np.float32) * (1 - share) + np.asarray(bottom, np.float32) * share
        self.pixels[:] = row[:, None]

    def ramp_light(self, slant: float) -> None:
        """Everything lit from the left (negative `slant`) or the right, by that share at the edges."""
        self.pixels *= np.linspace(1 - slant, 1 + slant, self.pixels.shape[1], dtype=np.float32)[None, :, None]

    def mottle(self, strength: float, points: Points | None = None, cells: tuple[int, int] = (6, 4)) -> None:
        """Clouds of lightness over everything, or within a polygon: `strength` is their spread as a share of the lightness."""
        factor = 1 + strength * (smooth_noise(self.size_px, cells, self.random) - 0.5) * 2
        if points is not None:
            inside = np.zeros(self.pixels.shape[:2], np.uint8)
            cv2.fillPoly(inside, [self._fixed(points)], 255, cv2.LINE_AA, SHIFT)
            factor = np.where(inside > 127, factor, 1)
        self.pixels *= factor[..., None]

    def fill(
        self,
        points: Points,
        colour: Colour,
        light: tuple[float, float] = (0.0, -0.15),
        bulge: tuple[float, float] = (0.0, 0.0),
        grain: float = 0.02,
        fur: float = 0.0,
        alpha: float = 1.0,
    ) -> None:
        """A polygon (n, 2). Across its box the lightness changes by `light` (to the right, downwards), falls by `bulge` towards the sides
        (as on a cylinder or a ball lit from the upper left), and varies by `grain` (fine) and `fur` (in strands)."""
        fixed = self._fixed(points)
        box = self._box_px(fixed, 1)
        if box is None:
            return
        left, top, right, bottom = box
        mask = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillPoly(mask, [fixed - np.int32([left, top]) * 2**SHIFT], 255, cv2.LINE_AA, SHIFT)
        low, high = fixed.min(0) / 2**SHIFT, fixed.max(0) / 2**SHIFT
        span = np.maximum(high - low, 1)
        u = ((np.arange(left, right, dtype=np.float32) + 0.5 - low[0]) / span[0])[None] * 2 - 1
        v = ((np.arange(top, bottom, dtype=np.float32) + 0.5 - low[1]) / span[1])[:, None] * 2 - 1
        shade = 1 + light[0] * u + light[1] * v - bulge[0] * (u + 0.3) ** 2 - bulge[1] * (v + 0.35) ** 2
        shade = shade + grain * self._noise[top:bottom, left:right]
        if fur:
            shade = shade + fur * self._fur[top:bottom, left:right]
        self._blend(box, mask * np.float32(alpha / 255), np.maximum(shade, 0.05)[..., None] * np.asarray(colour, np.float32))

    def line(self, points: Points, colour: Colour, thickness: float, closed: bool = False, alpha: float = 1.0) -> None:
        """A line through points (n, 2); what is thinner than a pixel is drawn a pixel wide and fainter."""
        fixed = self._fixed(points)
        thickness_px = thickness * len(self.pixels)
        box = self._box_px(fixed, math.ceil(thickness_px / 2) + 2)
        if box is None:
            return
        left, top, right, bottom = box
        mask = np.zeros((bottom - top, right - left), np.uint8)
        shifted = fixed - np.int32([left, top]) * 2**SHIFT
        cv2.polylines(mask, [shifted], closed, 255, max(1, round(thickness_px)), cv2.LINE_AA, SHIFT)
        self._blend(box, mask * np.float32(alpha * min(1, max(thickness_px, 0.35)) / 255), np.asarray(colour, np.float32))

    def shadow(self, points: Points, strength: float = 0.5, blur: float = 0.03) -> None:
        """The inside of a polygon darkened by `strength`, with an edge as soft as `blur`; a negative strength is a glow."""
        fixed = self._fixed(points)
        blur_px = max(1, round(blur * len(self.pixels)))
        box = self._box_px(fixed, 2 * blur_px + 1)
        if box is None:
            return
        left, top, right, bottom = box
        mask = np.zeros((bottom - top, right - left), np.uint8)
        cv2.fillPoly(mask, [fixed - np.int32([left, top]) * 2**SHIFT], 255, cv2.LINE_AA, SHIFT)
        kernel = (2 * blur_px + 1, 2 * blur_px + 1)
        soft = cv2.blur(cv2.blur(mask, kernel, borderType=cv2.BORDER_CONSTANT), kernel, borderType=cv2.BORDER_CONSTANT)
        self.pixels[top:bottom, left:right] *= 1 - soft[..., None] * np.float32(strength / 255)

    def _blend(self, box: tuple[int, int, int, int], alpha: np.ndarray, colour: np.ndarray) -> None:
        left, top, right, bottom = box
        under = self.pixels[top:bottom, left:right]
        under += (colour - under) * alpha[..., None]

    def _fixed(self, points: Points) -> np.ndarray:
        pixels = np.clip(np.asarray(points, np.float64) * len(self.pixels), -FAR_PX, FAR_PX)
        return np.round(pixels * 2**SHIFT).astype(np.int32)

    def _box_px(self, fixed: np.ndarray, margin_px: int) -> tuple[int, int, int, int] | None:
        low, high = (fixed.min(0) >> SHIFT) - margin_px, (fixed.max(0) >> SHIFT) + margin_px + 1
        width_px, height_px = self.size_px
        left, top, right, bottom = max(int(low[0]), 0), max(int(low[1]), 0), min(int(high[0]), width_px), min(int(high[1]), height_px)
        return (left, top, right, bottom) if left < right and top < bottom else None


def smooth_noise(size_px: tuple[int, int], cells: tuple[int, int], random: np.random.Generator, octaves: int = 3) -> np.ndarray:
    """(height, width) float32 clouds about 0.5; `cells` are the coarsest octave's counts across and down."""
    total = np.zeros((size_px[1], size_px[0]), np.float32)
    for octave in range(octaves):
        across, down = (min(count * 2**octave, side) for count, side in zip(cells, size_px, strict=True))
        coarse = random.random((down + 1, across + 1), np.float32) - np.float32(0.5)
        total += cv2.resize(coarse, size_px, interpolation=cv2.INTER_CUBIC) * np.float32(0.6**octave)
    return total + np.float32(0.5)


def colour_of(
    random: np.random.Generator,
    lightness: tuple[float, float] = (0.2, 0.95),
    saturation: tuple[float, float] = (0.0, 0.8),
    hue: tuple[float, float] = (0.0, 1.0),
) -> np.ndarray:
    """(3,) sRGB 0..255 with HSV figures drawn from the ranges."""
    figures = (random.uniform(*hue) % 1, random.uniform(*saturation), random.uniform(*lightness))
    return np.array(colorsys.hsv_to_rgb(*figures), np.float32) * 255


def oval(x: float, y: float, radius_x: float, radius_y: float, turn_rad: float = 0.0, corners: int = 32) -> np.ndarray:
    """(corners, 2): an ellipse's outline."""
    angle = np.arange(corners) * (2 * math.pi / corners)
    across, down = np.cos(angle) * radius_x, np.sin(angle) * radius_y
    cosine, sine = math.cos(turn_rad), math.sin(turn_rad)
    return np.stack([x + across * cosine - down * sine, y + across * sine + down * cosine], 1)


def box(left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> np.ndarray:
    """(4, 2), or (24, 2) with round corners."""
    if radius <= 0:
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    angle = np.linspace(0, math.pi / 2, 6)
    arc = np.stack([np.cos(angle), np.sin(angle)], 1) * radius
    turned = [arc, arc[:, ::-1] * (-1, 1), -arc, arc[:, ::-1] * (1, -1)]
    middles = [
        (right - radius, bottom - radius),
        (left + radius, bottom - radius),
        (left + radius, top + radius),
        (right - radius, top + radius),
    ]
    return np.concatenate([part + middle for part, middle in zip(turned, middles, strict=True)])


def limb(x0: float, y0: float, x1: float, y1: float, width0: float, width1: float) -> np.ndarray:
    """(4, 2): a tapered bar from one point to another."""
    along = np.array([x1 - x0, y1 - y0])
    side = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6) / 2
    start, end = np.array([x0, y0]), np.array([x1, y1])
    return np.stack([start + side * width0, end + side * width1, end - side * width1, start - side * width0])


def on_quad(quad: Points, points: Points) -> np.ndarray:
    """(n, 2): points of the unit square seen in perspective on a quad (4, 2) given from the upper left, clockwise."""
    unit = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    perspective = cv2.getPerspectiveTransform(unit, np.asarray(quad, np.float32))
    return cv2.perspectiveTransform(np.asarray(points, np.float64)[None], perspective)[0]
