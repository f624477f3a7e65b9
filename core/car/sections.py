"""Feature lines -> the cross-sections of a flank, from rail to sill, and the middle lines of nose and tail; differentiable."""

from __future__ import annotations

import numpy as np

from . import arrays as xp
from .arrays import Array

GLASS_ROWS, DOOR_ROWS = 5, 8  # rail to belt, belt to sill
ROWS = GLASS_ROWS + DOOR_ROWS + 1
WIDEST_ROW = 0.42  # where between belt (0) and sill (1) a flank is widest


def mix(a: Array, b: Array, t: Array | float) -> Array:
    """Linear interpolation, a at 0 and b at 1."""
    return a + (b - a) * t


def flank_x(belt_x: Array, widest_x: Array, sill_x: Array, s: Array) -> Array:
    """x of a flank at share s from belt (0) to sill (1): the quadratic of Lagrange through belt, widest row and sill."""
    w = WIDEST_ROW
    return belt_x * (s - w) * (s - 1) / w + widest_x * s * (s - 1) / (w * (w - 1)) + sill_x * s * (s - w) / (1 - w)


def rows(rail: Array, belt: Array, widest: Array, sill: Array, glass_bulge_m: float = 0.022) -> Array:
    """Cross-sections: (B, n, 3) feature lines -> (B, ROWS, n, 3), rail at row 0, belt at row GLASS_ROWS, sill last.

    Glass bulges outwards by a parabola; below the belt x follows flank_x, y reaches the sill's columns at the widest row, so that doors
    and arches stand upright.
    """
    t = (xp.steps(GLASS_ROWS, rail) / GLASS_ROWS)[None, :, None, None]
    glass = mix(rail[:, None], belt[:, None], t)
    outward = xp.like(np.array([1.0, 0.0, 0.0]), rail)
    glass = glass + glass_bulge_m * 4 * t * (1 - t) * outward
    s = xp.steps(DOOR_ROWS + 1, rail)[None, :, None] / DOOR_ROWS
    w = WIDEST_ROW
    x = flank_x(belt[:, None, :, 0], widest[:, None, :, 0], sill[:, None, :, 0], s)
    y_upper = mix(belt[:, None, :, 1], widest[:, None, :, 1], xp.clamp(s / w, None, 1.0))
    y = xp.where(s <= w, y_upper, mix(widest[:, None, :, 1], sill[:, None, :, 1], xp.clamp((s - w) / (1 - w), 0.0)))
    z = mix(belt[:, None, :, 2], sill[:, None, :, 2], s)
    return xp.cat([glass, xp.stack([x, y, z], -1)], 1)


def end_face(belt: Array, sill: Array, end_y: Array, slant: Array, top: Array, inward: float) -> Array:
    """Middle line of the nose (inward = 1) or tail (-1), (B, ROWS, 3), at the heights of the corner column."""
    zero = xp.zeros_like(end_y)
    points = [xp.stack([zero, y, p[:, 2]], -1) for y, p in ((top[:, 1], top), (end_y + inward * 0.35 * slant, belt))]
    widest = xp.stack([zero, end_y, mix(belt[:, 2], sill[:, 2], WIDEST_ROW)], -1)
    bottom = xp.stack([zero, end_y + inward * 0.07, sill[:, 2]], -1)
    return rows(points[0][:, None], points[1][:, None], widest[:, None], bottom[:, None], glass_bulge_m=0.0)[:, :, 0]
