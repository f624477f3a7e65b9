"""Measures -> the car's feature lines, sampled at the columns and rows of the template's grids.

Only the left half (x >= 0) is described; every curve is a piecewise linear polyline through named keys, rounded by
smoothing, so all points are differentiable in the measures.  Car frame, metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import arrays as xp
from .arrays import Array
from .measure_table import by_name
from .sections import WIDEST_ROW, end_face, mix

# Column keys along a flank, front to rear: F front corner, AF..AE front arch, A foot of the windshield, W roof front,
# B..BB B-pillar, C rear edge of the rear door, CC start of the rear arch, D roof rear and end of the arch, E foot of the rear window,
# G rear corner.
SEGMENTS = (("F", 4), ("AF", 8), ("AE", 3), ("A", 6), ("W", 4), ("B", 1), ("BB", 4), ("C", 2), ("CC", 8), ("D", 5), ("E", 4))
KEYS = tuple(name for name, _ in SEGMENTS) + ("G",)
COLUMN = {name: sum(count for _, count in SEGMENTS[:k]) for k, name in enumerate(KEYS)}
COLUMNS = COLUMN["G"] + 1
ARCH_BLOCK_RATIO = 1.26  # half length of the block of columns round an arch, by the arch's radius

ByKey = dict[str, Array]  # one (B,) value a column key, or a measure


@dataclass(frozen=True)
class Curves:
    """Feature lines, car frame, metres.

    At every column, each (B, COLUMNS, 3): rail (hood edge, pillar tops, roof rail), belt, widest, sill; and `centre`, the middle of hood,
    glass, roof and trunk above the rail.  nose and tail are (B, ROWS, 3): the middle of the front and rear faces, top to bottom.
    """

    rail: Array
    belt: Array
    widest: Array
    sill: Array
    centre: Array
    nose: Array
    tail: Array


def _sample(keys: ByKey) -> Array:
    """Key values, each (B,), -> (B, COLUMNS) by linear interpolation between the keys' columns."""
    pieces = []
    for (name, count), following in zip(SEGMENTS, KEYS[1:], strict=True):
        t = xp.steps(count, keys[name]) / count
        pieces.append(keys[name][:, None] * (1 - t) + keys[following][:, None] * t)
    return xp.cat([*pieces, keys["G"][:, None]], 1)


def _smooth(values: Array, passes: int, softness: Array | None = None) -> Array:
    """Round the corners of (B, n) by repeated quarter-half-quarter averaging, but not the ends; softness (B, n): how far at each point."""
    smooth = values
    for _ in range(passes):
        inner = 0.25 * smooth[:, :-2] + 0.5 * smooth[:, 1:-1] + 0.25 * smooth[:, 2:]
        smooth = xp.cat([smooth[:, :1], inner, smooth[:, -1:]], 1)
    return smooth if softness is None else values + (smooth - values) * softness


def _softness(m: ByKey) -> Array:
    """(B, COLUMNS) how far corners of rail and middle are rounded: `roundness`, but a pickup's cab ends with an edge."""
    cab_end = np.zeros(COLUMNS)
    cab_end[COLUMN["C"] - 1 : COLUMN["CC"] + 2] = 1.0
    return m["roundness"][:, None] * (1 - m["cab_drop"][:, None] * xp.like(cab_end, m["cab_drop"]))


def _arch_blocks(m: ByKey) -> ByKey:
    """Ends along y of the blocks of columns that hold the wheel arches, each (B,); never beyond the corners of nose and tail."""
    half_base, arch = 0.5 * m["wheelbase"], m["wheel_radius"] + m["arch_gap"]
    nose = -half_base - m["front_overhang"]
    tail = nose + m["length"]
    front_room = xp.clamp(-half_base - arch - nose, 0.06)
    rear_room = xp.clamp(tail - half_base - arch, 0.06)
    reach = (ARCH_BLOCK_RATIO - 1) * arch
    return {
        "nose": nose, "tail": tail,
        "nose_round": xp.minimum(m["nose_round"], 0.6 * front_room), "tail_round": xp.minimum(m["tail_round"], 0.6 * rear_room),
        "AF": -half_base - arch - xp.minimum(reach, 0.3 * front_room), "AE": -half_base + arch + reach,
        "CC": half_base - arch - reach, "D": half_base + arch + xp.minimum(reach, 0.3 * rear_room),
    }  # fmt: skip


def _lengthwise(m: ByKey, b: ByKey) -> tuple[ByKey, ByKey]:
    """y of every key on the sill and on the rail."""
    drop, bow = m["cab_drop"], m["windshield_bow"]
    cowl = -0.5 * m["wheelbase"] + m["cowl_offset"]
    roof_front, roof_rear = cowl + m["windshield_run"], 0.5 * m["wheelbase"] + m["roof_rear_offset"]
    deck_end = b["tail"] - m["tail_slant"] - b["tail_round"]
    low = {"F": b["nose"] + b["nose_round"], "G": b["tail"] - b["tail_round"], **{k: b[k] for k in ("AF", "AE", "CC", "D")}}
    low["A"] = b["AE"] + 0.08 * (b["CC"] - b["AE"])
    rail = {"F": b["nose"] + m["nose_slant"] + 0.9 * b["nose_round"], "A": cowl + bow, "W": roof_front + 0.45 * bow, "G": deck_end}
    rail["AF"], rail["AE"] = mix(rail["F"], rail["A"], 0.25), mix(rail["F"], rail["A"], 0.78)
    rail["C"] = mix(rail["W"], roof_rear, m["c_pillar"])
    low["C"] = mix(b["CC"] - 0.04, xp.minimum(b["CC"] - 0.04, rail["C"] - 0.05), drop)  # a cab ends upright, or its last pillar folds over
    low["B"] = mix(low["A"], low["C"], mix(m["b_pillar"], 0.62 + xp.zeros_like(drop), 0.5))
    low["BB"] = low["B"] + 0.05
    low["W"], low["E"] = mix(low["A"], low["B"], 0.55), mix(low["D"], low["G"], 0.55)
    rail["B"] = mix(rail["W"], rail["C"], m["b_pillar"])
    rail["BB"] = rail["B"] + 0.06
    rail["D"] = mix(roof_rear, xp.maximum(b["D"], rail["C"] + 0.3), drop)
    rail["CC"] = mix(mix(rail["C"], rail["D"], 0.25), rail["C"] + xp.clamp(m["rear_window_run"], 0.08), drop)
    closed = xp.minimum(roof_rear + xp.clamp(m["rear_window_run"], 0.02), deck_end - 0.03)
    rail["E"] = mix(closed, mix(rail["D"], rail["G"], 0.5), drop)
    return low, rail


def _heights(m: ByKey) -> tuple[ByKey, Array]:
    """z of every key on the centre line, and the roof's arch (B, COLUMNS) that is added between roof front and rear."""
    drop, top = m["cab_drop"], m["height"]
    front, rear = top - m["roof_front_drop"], top - m["roof_rear_drop"]
    z = {"F": m["hood_front_height"], "A": m["cowl_height"], "W": front, "E": m["deck_front_height"], "G": m["deck_rear_height"]}
    z["AF"], z["AE"] = mix(z["F"], z["A"], 0.34), mix(z["F"], z["A"], 0.82)
    z["C"] = mix(mix(front, rear, m["c_pillar"]), rear, drop)
    z["B"], z["BB"] = mix(front, z["C"], m["b_pillar"]), mix(front, z["C"], m["b_pillar"] + 0.05)
    z["CC"] = mix(mix(z["C"], rear, 0.25), m["deck_front_height"], drop)
    z["D"] = mix(rear, m["deck_front_height"], drop)
    last = xp.where(drop > 0.5, COLUMN["C"] + xp.zeros_like(drop), COLUMN["D"] + xp.zeros_like(drop))[:, None]
    t = (xp.steps(COLUMNS, top) - COLUMN["W"]) / (last - COLUMN["W"])
    arch = xp.clamp(4 * t * (1 - t), 0.0) * (0.5 * (m["roof_front_drop"] + m["roof_rear_drop"]))[:, None]
    return z, arch


def _widths(m: ByKey) -> tuple[ByKey, ByKey]:
    """x of every key on the widest line and on the rail."""
    half, drop = 0.5 * m["width"], m["cab_drop"]
    one = 1 + xp.zeros_like(half)
    plan = dict.fromkeys(KEYS, one)
    plan |= {"F": m["nose_width"], "AF": mix(m["nose_width"], one, 0.85), "E": mix(m["tail_width"], one, 0.75), "G": m["tail_width"]}
    bed = 0.93 * one
    rail = dict.fromkeys(("W", "B", "BB", "C"), m["roof_width"])
    rail["F"] = xp.minimum(m["hood_width"], 0.94 * m["nose_width"])
    rail["AF"], rail["AE"], rail["A"] = mix(rail["F"], m["hood_width"], 0.6), m["hood_width"], m["hood_width"]
    rail["CC"] = mix(m["roof_width"], bed, drop)
    rail["D"] = mix(0.97 * m["roof_width"], bed, drop)
    rail["E"] = mix(xp.maximum(mix(m["roof_width"], m["hood_width"], 0.6), m["roof_width"]), bed, drop)
    rail["G"] = xp.minimum(0.94 * m["tail_width"], mix(mix(m["hood_width"], one, 0.2), bed, drop))
    return {k: half * v for k, v in plan.items()}, {k: half * v for k, v in rail.items()}


def _crown(m: ByKey) -> ByKey:
    """How far the middle lies above the rail."""
    closed = 1 - m["cab_drop"]
    crown = dict.fromkeys(("W", "B", "BB", "C"), m["roof_crown"])
    crown |= {"F": 0.4 * m["hood_crown"], "AF": 0.8 * m["hood_crown"], "AE": m["hood_crown"], "A": m["hood_crown"]}
    return crown | {"CC": m["roof_crown"] * closed, "D": m["roof_crown"] * closed, "E": 0.04 * closed, "G": 0.03 * closed}


def _bow(m: ByKey, b: ByKey) -> ByKey:
    """How far the middle lies before the rail."""
    closed = 1 - m["cab_drop"]
    bow = {key: xp.zeros_like(closed) for key in KEYS}
    bow |= {"F": 0.9 * b["nose_round"], "AF": 0.6 * b["nose_round"], "AE": 0.6 * m["windshield_bow"], "A": m["windshield_bow"]}
    return bow | {"W": 0.45 * m["windshield_bow"], "D": -0.07 * closed, "E": -0.12 * closed, "G": -b["tail_round"]}


def _belt_heights(m: ByKey, rail_z: ByKey) -> ByKey:
    """z of the belt line: straight beside the glass, just under the rail beside hood and trunk, never above it."""
    shares = {"W": 0.25, "B": 0.45, "BB": 0.48, "C": 0.75, "CC": 0.8}
    line = {key: mix(m["belt_front"], m["belt_rear"], share) for key, share in shares.items()}
    line |= {"A": m["belt_front"], "D": m["belt_rear"]}
    line |= {key: rail_z[key] - under for key, under in (("F", 0.10), ("AF", 0.09), ("AE", 0.08), ("E", 0.05), ("G", 0.07))}
    return {key: xp.minimum(line[key], rail_z[key] - 0.04) for key in KEYS}


def _belt_lengthwise(m: ByKey, b: ByKey, low_y: ByKey, rail_y: ByKey) -> ByKey:
    """y of the belt line: between sill and rail, at the corners between bumper and hood or trunk."""
    belt_y = {key: mix(low_y[key], rail_y[key], 0.45) for key in KEYS}
    belt_y["CC"] = mix(belt_y["CC"], rail_y["CC"] + 0.03, m["cab_drop"])
    belt_y["F"] = b["nose"] + 0.4 * m["nose_slant"] + b["nose_round"]
    belt_y["G"] = b["tail"] - 0.4 * m["tail_slant"] - b["tail_round"]
    return belt_y


def curves(measures: Array) -> Curves:
    """(B, P) measures -> the feature lines."""
    m = by_name(measures)
    b = _arch_blocks(m)
    low_y, rail_y = _lengthwise(m, b)
    centre_z, roof_arch = _heights(m)
    wide_x, rail_x = _widths(m)
    crown = _crown(m)
    rail_z = {key: centre_z[key] - crown[key] for key in KEYS}
    belt_y, belt_z = _belt_lengthwise(m, b, low_y, rail_y), _belt_heights(m, rail_z)
    belt_x = {key: wide_x[key] - m["side_bulge"] * (0.6 if key in ("F", "G") else 1.0) for key in KEYS}
    sill_x = {key: wide_x[key] - m["sill_tuck"] for key in KEYS}
    widest_z = {key: mix(belt_z[key], m["clearance"], WIDEST_ROW) for key in KEYS}
    sill_z = _sample(dict.fromkeys(KEYS, m["clearance"]))

    soft = _softness(m)
    rail_parts = (_smooth(_sample(rail_x), 2, soft), _smooth(_sample(rail_y), 1, soft), _smooth(_sample(rail_z) + roof_arch, 2, soft))
    rail = xp.stack(rail_parts, -1)
    belt = xp.stack([_smooth(_sample(belt_x), 2), _smooth(_sample(belt_y), 1), _smooth(_sample(belt_z), 2)], -1)
    widest = xp.stack([_smooth(_sample(wide_x), 2), _sample(low_y), _sample(widest_z)], -1)
    sill = xp.stack([_smooth(_sample(sill_x), 2), _sample(low_y), sill_z], -1)
    lift, forward = _smooth(_sample(crown), 2), _smooth(_sample(_bow(m, b)), 2)
    centre = xp.stack([xp.zeros_like(lift), rail[..., 1] - forward, rail[..., 2] + lift], -1)
    nose = end_face(belt[:, 0], sill[:, 0], b["nose"], m["nose_slant"], centre[:, 0], 1.0)
    tail = end_face(belt[:, -1], sill[:, -1], b["tail"], m["tail_slant"], centre[:, -1], -1.0)
    return Curves(rail, belt, widest, sill, centre, nose, tail)
