"""The wheel: tyre, rim with spokes and hub as one mesh of quads, turned about the axle; all four are the same mesh, mirrored on the right.

Hub frame: origin at the hub, axle along X, outer side +X, metres.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from . import arrays as xp
from .arrays import Array
from .atlas import WheelRegion
from .measure_table import by_name
from .template import reference_atlas

SEGMENTS, SPOKES = 40, 5
RIM_RATIO = 0.66  # rim by tyre radius
SPOKE_DEPTH = 0.28  # how far the gaps between spokes lie behind them, by the tyre's width
# (x by half the tyre's width, radius: 1 the tread, 0 the axle; part of the faces towards the next ring), inner side first
PROFILE = (
    (-0.80, 0.55, "rim"), (-0.90, 0.66, "tyre"), (-1.00, 0.80, "tyre"), (-0.97, 0.93, "tyre"), (-0.80, 0.992, "tyre"), (-0.35, 1.0, "tyre"),
    (0.35, 1.0, "tyre"), (0.80, 0.992, "tyre"), (0.97, 0.93, "tyre"), (1.00, 0.80, "tyre"), (0.90, 0.67, "rim"), (0.93, 0.645, "rim"),
    (0.80, 0.61, "rim"), (0.72, 0.54, "rim"), (0.70, 0.42, "rim"), (0.72, 0.28, "rim"), (0.78, 0.19, "hub"), (0.82, 0.13, "hub"),
    (0.84, 0.06, "hub"),
)  # fmt: skip
FIRST_FACE_RING = 9  # rings from here on lie in the disc of the UV layout
SPOKE_RINGS = {13: 0.9, 14: 1.0, 15: 0.75}  # rings that dip between the spokes, and how deep
PARTS = ("hub", "rim", "tyre")
WHEEL_NAMES = ("wheel_front_left", "wheel_front_right", "wheel_rear_left", "wheel_rear_right")


def wheel_vertices(radius_m: Array, width_m: Array) -> Array:
    """(B,) radius and tread width -> (B, V, 3) in the hub frame; the lowest point lies exactly one radius below the hub."""
    profile = xp.like(np.array([(x, r) for x, r, _ in PROFILE]), radius_m)
    angle = 2 * np.pi * xp.steps(SEGMENTS, radius_m) / SEGMENTS
    wave = 0.5 - 0.5 * xp.cos(SPOKES * angle)
    gap = xp.clamp(2.2 * wave - 0.6, 0.0, 1.0)
    depth = xp.like(np.array([SPOKE_RINGS.get(k, 0.0) for k in range(len(PROFILE))]), radius_m)
    x = 0.5 * width_m[:, None, None] * (profile[:, :1] - 2 * SPOKE_DEPTH * depth[:, None] * gap)
    radius = radius_m[:, None, None] * profile[:, 1:]
    y, z = -radius * xp.sin(angle), -radius * xp.cos(angle)
    rings = xp.stack([xp.expand_as(x, y), y, z], -1).reshape(len(y), -1, 3)
    cap_x = 0.5 * width_m[:, None] * profile[[0, -1], 0]
    caps = xp.stack([cap_x, xp.zeros_like(cap_x), xp.zeros_like(cap_x)], -1)
    return xp.cat([rings, caps], 1)


def wheel_centres(measures: Array) -> Array:
    """(B, P) measures -> (B, 4, 3) hubs in the order of WHEEL_NAMES; one wheel radius above the ground."""
    m = by_name(measures)
    x, y, z = 0.5 * m["width"] * m["track_ratio"], 0.5 * m["wheelbase"], m["wheel_radius"]
    return xp.stack([xp.stack([sx * x, sy * y, z], -1) for sy in (-1, 1) for sx in (1, -1)], 1)


@cache
def wheel_faces() -> tuple[np.ndarray, np.ndarray]:
    """quads (F, 4) and part_index (F,) into PARTS.  Caps are quads too: two segments share one."""
    ring = np.arange(len(PROFILE) * SEGMENTS).reshape(len(PROFILE), SEGMENTS)
    following = np.roll(ring, -1, 1)
    quads = [np.stack([ring[k], ring[k + 1], following[k + 1], following[k]], 1) for k in range(len(PROFILE) - 1)]
    part = [np.full(SEGMENTS, PARTS.index(PROFILE[k][2])) for k in range(len(PROFILE) - 1)]
    even = np.arange(0, SEGMENTS, 2)
    inner, outer = ring.size, ring.size + 1
    quads.append(np.stack([ring[0, even], ring[0, even + 1], np.roll(ring[0], -2)[even], np.full(len(even), inner)], 1))
    quads.append(np.stack([ring[-1, even], np.full(len(even), outer), np.roll(ring[-1], -2)[even], ring[-1, even + 1]], 1))
    part += [np.full(len(even), PARTS.index("rim")), np.full(len(even), PARTS.index("hub"))]
    return np.concatenate(quads).astype(np.int32), np.concatenate(part).astype(np.int32)


@cache
def wheel_uv01() -> np.ndarray:
    """(F, 4, 2): the outer face as a disc seen from outside, tread and inner side as a strip."""
    region: WheelRegion = reference_atlas().wheel
    quads, _ = wheel_faces()
    vertex_ring = np.minimum(quads // SEGMENTS, len(PROFILE))
    column = quads % SEGMENTS
    radii = np.array([r for _, r, _ in PROFILE])
    ring_of_face = vertex_ring.min(1)
    on_disc = (ring_of_face >= FIRST_FACE_RING - 1) & (ring_of_face < len(PROFILE))
    is_inner_cap = (quads == len(PROFILE) * SEGMENTS).any(1)
    radius = np.where(vertex_ring < len(PROFILE), radii[np.minimum(vertex_ring, len(PROFILE) - 1)], 0.0)
    angle = 2 * np.pi * column / SEGMENTS
    # seen from outside (+X towards the viewer) +Y runs to the right and +Z up
    disc = np.array(region.disc_centre) + region.disc_radius * radius[..., None] * np.stack([-np.sin(angle), -np.cos(angle)], -1)
    u0, v0, u1, v1 = region.strip
    turn = np.where((column == 0) & (column.max(1) == SEGMENTS - 1)[:, None], SEGMENTS, column) / SEGMENTS
    rise = np.where(vertex_ring < len(PROFILE), vertex_ring, 0) / (FIRST_FACE_RING - 1)
    strip = np.stack([u0 + (u1 - u0) * turn, v0 + (v1 - v0) * np.clip(rise, 0, 1)], -1)
    strip[is_inner_cap] = [u0, v0]
    return np.where((on_disc & ~is_inner_cap)[:, None, None], disc, strip).astype(np.float32)
