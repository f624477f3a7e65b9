"""What is measured of a car to tell whether it can be one: wheels against arches, panes against frames, lamps and proportions.

All functions take vertices (B, V, 3) of the whole body and the named measures, car frame and metres, and return (B,) figures by name.
The left half speaks for both (see the symmetry figure).
"""

from __future__ import annotations

import numpy as np

from . import outline, parts
from .measure_table import by_name
from .template import template

Figures = dict[str, np.ndarray]
# Regulation (EU) 1009/2010: a wheel has to be covered from 30 degrees before its top to 50 degrees behind it.
COVERED_RAD = (-np.radians(30), np.radians(50))
FOLDED_RAD = np.radians(150)  # between the outward normals of two faces; no edge of sheet metal or frame is as sharp
ENDS = (("front", -1.0), ("rear", 1.0))
PANES = ("windshield", "rear_window", "side_window_front_left", "side_window_rear_left")
HEAD_LAMPS = ("headlight_left", "high_beam_left", "fog_light_left", "indicator_front_left")
TAIL_LAMPS = ("taillight_left", "brake_light_left", "reverse_light_left", "indicator_rear_left")


def symmetry_figures(vertices: np.ndarray) -> Figures:
    """How far the right half is from the left one's mirror image."""
    other = vertices[:, outline.mirrored()] * np.array([-1, 1, 1], vertices.dtype)
    return {"uneven_m": np.abs(other - vertices).max((1, 2))}


def wheel_figures(vertices: np.ndarray, measures: np.ndarray) -> Figures:
    """The worse of the two left wheels: how far it stands out of its arch, cuts the body, is hidden or off its arch's middle."""
    found = [_wheel(vertices, measures, end, side) for end, side in ENDS]
    return {name: np.maximum(found[0][name], found[1][name]) for name in found[0]}


def _wheel(vertices: np.ndarray, measures: np.ndarray, end: str, side: float) -> Figures:
    m = by_name(measures)
    radius, hub_y, hub_x = m["wheel_radius"][:, None], side * 0.5 * m["wheelbase"][:, None], 0.5 * (m["width"] * m["track_ratio"])[:, None]
    outer = hub_x + 0.5 * m["tyre_width"][:, None]
    x, y, z = np.moveaxis(vertices[:, outline.lip(end)], -1, 0)
    reach, behind_top = np.hypot(y - hub_y, z - radius), np.arctan2(y - hub_y, z - radius)
    covered = (behind_top >= COVERED_RAD[0]) & (behind_top <= COVERED_RAD[1])
    many = np.maximum(covered.sum(1), 1)
    upper = np.abs(behind_top) < np.pi / 3
    points = _skin_points(vertices)
    depth = radius - np.hypot(points[..., 1] - hub_y, points[..., 2] - radius)
    outside = (points[..., 0] > hub_x) & (points[..., 0] < outer)  # what reaches into a tyre from its inner side is not seen
    return {
        "tyre_out_m": np.where(covered.any(1), np.where(covered, outer - x, -np.inf).max(1), np.inf),
        "tyre_hidden_m": (np.where(covered, x - outer, 0).sum(1) / many),
        "tyre_cut_m": np.where(outside, depth, -1.0).max(1),
        "arch_gap_m": np.where(upper, reach - radius, 0).sum(1) / np.maximum(upper.sum(1), 1),
        "arch_off_m": np.abs(y.mean(1) - hub_y[:, 0]),
    }


def _skin_points(vertices: np.ndarray) -> np.ndarray:
    """(B, N, 3) vertices and middles of faces of the left half's skin: close enough to find whatever reaches into a tyre."""
    quads = outline.left_quads()
    seen = quads[np.isin(quads, outline.skin_vertices()).all(1)]
    return np.concatenate([vertices[:, outline.skin_vertices()], vertices[:, seen].mean(2)], 1)


def fold_figures(vertices: np.ndarray) -> Figures:
    """Share of the left half's surface that lies folded back under a neighbour, where it may hide from every eye."""
    normals = _face_normals(vertices, outline.left_quads())
    area = np.linalg.norm(normals, axis=-1)
    unit = normals / np.maximum(area, 1e-12)[..., None]
    one, two = outline.skin_neighbours().T
    back = (unit[:, one] * unit[:, two]).sum(-1) < np.cos(FOLDED_RAD)
    return {"folded_share": (np.minimum(area[:, one], area[:, two]) * back).sum(1) / area.sum(1)}


def pane_figures(vertices: np.ndarray, measures: np.ndarray) -> Figures:
    """The worst pane's dent, and how far panes stand out of their frames, lie sunk in them or reach over them."""
    found = [_pane(vertices, pane) for pane in PANES]
    is_bed = by_name(measures)["cab_drop"] > 0.5  # there the faces called rear_window lie in a pickup's bed
    for values in found[PANES.index("rear_window")].values():
        values[is_bed] = -1.0
    return {name: np.max([figures[name] for figures in found], 0) for name in found[0]}


def _pane(vertices: np.ndarray, pane: str) -> Figures:
    normal = _vertex_normals(vertices, outline.part_quads(pane))
    rim, frame = outline.rim_and_frame(pane)
    apart = vertices[:, rim] - vertices[:, frame]
    out = (apart * normal[:, rim]).sum(-1)
    beside = np.linalg.norm(apart - out[..., None] * normal[:, rim], axis=-1)
    middle = vertices[:, outline.part_vertices(pane)].mean(1, keepdims=True)
    inwards = middle - vertices[:, frame]
    over = -(apart * inwards).sum(-1) / np.linalg.norm(inwards, axis=-1)
    return {
        "pane_dent_m": np.max([_dent(vertices, normal, line) for line in outline.grid_lines(pane)], 0),
        "pane_out_m": out.max(1), "pane_sunk_m": (-out).max(1), "pane_over_m": over.max(1), "pane_loose_m": beside.max(1),
    }  # fmt: skip


def _dent(vertices: np.ndarray, normal: np.ndarray, line: np.ndarray) -> np.ndarray:
    """(B,) how deep a line of a pane's grid lies behind the straight line between its ends."""
    points, start, end = vertices[:, line], vertices[:, line[:1]], vertices[:, line[-1:]]
    along = end - start
    share = ((points - start) * along).sum(-1, keepdims=True) / (along * along).sum(-1, keepdims=True)
    outward = normal[:, line].mean(1, keepdims=True)
    outward = outward / np.linalg.norm(outward, axis=-1, keepdims=True)
    return -((points - start - share * along) * outward).sum(-1).min(1)


def _vertex_normals(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """(B, V, 3) unit normals of the vertices of some faces, zero elsewhere."""
    normals = _face_normals(vertices, quads)
    total = np.zeros_like(vertices)
    for k in range(4):
        np.add.at(total.swapaxes(0, 1), quads[:, k], normals.swapaxes(0, 1))
    return total / np.maximum(np.linalg.norm(total, axis=-1, keepdims=True), 1e-12)


def _face_normals(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """(B, F, 3) outward normals, twice the faces' areas long."""
    a, b, c, d = (vertices[:, quads[:, k]] for k in range(4))
    return np.cross(c - a, d - b)


def lamp_figures(vertices: np.ndarray) -> Figures:
    """Where the worst lamp sits and looks: distance from the car's end and side, height, and share of its normal along the car."""
    low, high = vertices.min(1), vertices.max(1)
    found = []
    for lamps, side in ((HEAD_LAMPS, -1.0), (TAIL_LAMPS, 1.0)):
        for lamp in lamps:
            quads = outline.part_quads(lamp)
            normals = _face_normals(vertices, quads)
            area = np.linalg.norm(normals, axis=-1)
            centre = (vertices[:, quads].mean(2) * area[..., None]).sum(1) / area.sum(1)[:, None]
            normal = normals.sum(1) / np.linalg.norm(normals.sum(1), axis=-1, keepdims=True)
            end = high[:, 1] if side > 0 else -low[:, 1]
            from_end = (end - side * centre[:, 1]) / (high[:, 1] - low[:, 1])
            ahead = np.maximum(side * normal[:, 1], normal[:, 0] if "indicator" in lamp else -1.0)  # indicators may look to the side
            found.append(
                {"lamp_from_end_share": from_end, "lamp_ahead": -ahead, "lamp_height_m": centre[:, 2], "lamp_low_m": -centre[:, 2]}
            )
    figures = {name: np.max([f[name] for f in found], 0) for name in found[0]}
    return figures | {"lamp_from_side_m": _lamp_from_side(vertices)}


def _lamp_from_side(vertices: np.ndarray) -> np.ndarray:
    """(B,) distance of the outer edges of the main lamps from the flank's widest point, the farther one's."""
    mirror = outline.part_vertices("mirror_left", "mirror_right")
    wide = np.delete(vertices[..., 0], mirror, 1).max(1)
    edges = [vertices[:, outline.part_vertices(lamp), 0].max(1) for lamp in ("headlight_left", "taillight_left")]
    return wide - np.minimum(*edges)


def proportion_figures(vertices: np.ndarray, measures: np.ndarray) -> Figures:
    """Sizes and angles of the whole car that no car leaves."""
    m = by_name(measures)
    body = np.delete(vertices, outline.part_vertices("mirror_left", "mirror_right"), 1)
    low, high = body.min(1), body.max(1)
    width, length, height = high[:, 0] - low[:, 0], high[:, 1] - low[:, 1], high[:, 2]

    def span(axis: int, *names: str) -> np.ndarray:
        return np.ptp(vertices[:, outline.part_vertices(*names), axis], axis=1)

    def rise(part: str) -> np.ndarray:
        normal = _face_normals(vertices, outline.part_quads(part)).sum(1)
        return np.degrees(np.arctan2(normal[:, 2], np.hypot(normal[:, 0], normal[:, 1])))

    is_bed = m["cab_drop"] > 0.5
    roof_z = vertices[:, outline.part_vertices("roof"), 2].max(1)
    hood_z = vertices[:, outline.part_vertices("hood"), 2].max(1)
    return {
        "ground_m": low[:, 2], "height_by_width": height / width, "length_by_width": length / width,
        "base_by_length": m["wheelbase"] / length, "wheels_by_height": 2 * m["wheel_radius"] / height,
        "roof_over_hood_m": roof_z - hood_z, "side_glass_m": span(2, "side_window_front_left"),
        "roof_by_length": span(1, "roof", "roof_band", "roof_rear") / length,
        "windshield_rise_deg": rise("windshield"), "rear_rise_deg": np.where(is_bed, 30.0, rise("rear_window")),
        "front_overhang_share": (-0.5 * m["wheelbase"] - low[:, 1]) / length,
        "rear_overhang_share": (high[:, 1] - 0.5 * m["wheelbase"]) / length,
        "roof_by_width": span(0, "roof") / width,
    }  # fmt: skip


assert set(HEAD_LAMPS + TAIL_LAMPS) == {n for n in template().part_names if parts.base_name(n) in parts.LIGHT_KINDS and n.endswith("_left")}
