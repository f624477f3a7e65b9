"""The one UV layout: every part of the car flattened into islands at one scale, packed into the unit square.

Islands, all from the reference sedan: `top` (nose, hood, glass, roof, trunk, tail as one strip, both halves), one flank a side, read
upright, `hidden` (floor and wheel houses, smaller), `wall` and `mirror` (both sides share them on purpose), and a disc and strip for the
wheels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import body
from .body import ACROSS, raw_index
from .sections import GLASS_ROWS

MARGIN_M = 0.035  # between islands; ten texels at 2048
HIDDEN_SCALE, WALL_SCALE, MIRROR_SCALE = 0.4, 0.4, 1.6
WHEEL_DISC_M, WHEEL_STRIP_M = 1.0, 0.16  # diameter of the face's disc; height of the tread's strip


@dataclass(frozen=True)
class WheelRegion:
    """Where all wheels take their texture: the outer face's disc and the tread's strip (u0, v0, u1, v1), in UV units."""

    disc_centre: tuple[float, float]
    disc_radius: float
    strip: tuple[float, float, float, float]


class Atlas:
    """Chart positions of the raw vertices in metres, and where each island lies in the unit square."""

    def __init__(self, reference_car: np.ndarray, canonical: np.ndarray) -> None:
        """reference_car (RAW_COUNT, 3) metres; canonical (RAW_COUNT,) welded vertex of each raw vertex."""
        places = {"top": _strip, "flank": _side, "hidden": _plan, "wall": _walls}
        self.charts = {name: _chart(*place(reference_car), canonical) for name, place in places.items()}
        self._pack()

    def _extent(self, chart: str) -> tuple[np.ndarray, np.ndarray]:
        known = self.charts[chart][~np.isnan(self.charts[chart][:, 0])]
        return known.min(0), known.max(0)

    def _pack(self) -> None:
        (top_low, top_high), (side_low, side_high) = self._extent("top"), self._extent("flank")
        (floor_low, floor_high), (wall_low, wall_high) = self._extent("hidden"), self._extent("wall")
        half = -top_low[1]
        size = top_high[0] - top_low[0] + 2 * MARGIN_M
        cursor = MARGIN_M + half
        self.origin = {"top": np.array([MARGIN_M - top_low[0], cursor])}
        cursor += half + MARGIN_M
        for side in ("left", "right"):
            self.origin[f"flank_{side}"] = np.array([MARGIN_M, cursor - side_low[1]])
            cursor += side_high[1] - side_low[1] + MARGIN_M
        self.flank_span = (side_low[0], side_high[0])
        disc = np.array([MARGIN_M + WHEEL_DISC_M / 2, cursor + WHEEL_DISC_M / 2])
        x = 2 * MARGIN_M + WHEEL_DISC_M
        strip = (x, cursor, size - MARGIN_M, cursor + WHEEL_STRIP_M)
        y = cursor + WHEEL_STRIP_M + MARGIN_M
        self.origin["hidden"] = np.array([x - HIDDEN_SCALE * floor_low[0], y - HIDDEN_SCALE * floor_low[1]])
        x += HIDDEN_SCALE * (floor_high[0] - floor_low[0]) + MARGIN_M
        self.origin["wall"] = np.array([x - WALL_SCALE * wall_low[0], y - WALL_SCALE * wall_low[1]])
        x += WALL_SCALE * (wall_high[0] - wall_low[0]) + MARGIN_M
        self.origin["mirror"] = np.array([x + MIRROR_SCALE * 0.15, y + MIRROR_SCALE * 0.15])
        self.size_m = max(size, cursor + WHEEL_DISC_M + MARGIN_M, y - 2 * HIDDEN_SCALE * floor_low[1] + MARGIN_M)
        scale = 1 / self.size_m
        u0, v0, u1, v1 = (s * scale for s in strip)
        self.wheel = WheelRegion((disc[0] * scale, disc[1] * scale), WHEEL_DISC_M / 2 * scale, (u0, v0, u1, v1))

    def unwrap(
        self, corners: np.ndarray, chart_names: list[str], weights: list[dict[int, float]], mirror_foot: list[int], mirrored: bool
    ) -> np.ndarray:
        """(F, 4, 2) UV of faces (F, 4), each in its chart, corners being welded raw vertices, set-in vertices and then mirror vertices.

        weights: of each set-in vertex over raw vertices; mirrored: for the right half.
        """
        inset_of = {body.RAW_COUNT + k: mixed for k, mixed in enumerate(weights)}
        first_mirror = body.RAW_COUNT + len(weights)
        flat = np.zeros((*corners.shape, 2))
        for f, name in enumerate(chart_names):
            for k, vertex in enumerate(corners[f]):
                if name == "mirror":
                    place = _mirror_place(int(vertex), mirror_foot, first_mirror)
                elif int(vertex) in inset_of:
                    mixed = inset_of[int(vertex)]
                    place = sum(w * self.charts[name][v] for v, w in mixed.items())
                else:
                    place = self.charts[name][vertex]
                flat[f, k] = self._to_square(name, np.asarray(place), mirrored)
        return flat / self.size_m

    def _to_square(self, chart: str, place: np.ndarray, mirrored: bool) -> np.ndarray:
        if chart == "flank":
            low, high = self.flank_span
            along = high - place[0] if mirrored else place[0] - low  # the right flank shows its nose on the right
            return self.origin["flank_right" if mirrored else "flank_left"] + [along, place[1]]
        if chart in ("top", "hidden"):
            scale = HIDDEN_SCALE if chart == "hidden" else 1.0
            return self.origin[chart] + scale * np.array([place[0], -place[1] if mirrored else place[1]])
        return self.origin[chart] + (WALL_SCALE if chart == "wall" else MIRROR_SCALE) * place


def _chart(ids: np.ndarray, places: np.ndarray, canonical: np.ndarray) -> np.ndarray:
    chart = np.full((body.RAW_COUNT, 2), np.nan)
    chart[canonical[ids.reshape(-1)]] = places.reshape(-1, 2)
    return chart


def _arc(points: np.ndarray, axis: int) -> np.ndarray:
    """Arc length along an axis of an (n, k, 3) grid, starting at 0."""
    steps = np.linalg.norm(np.diff(points, axis=axis), axis=-1)
    start = np.zeros_like(np.take(points, [0], axis)[..., 0])
    return np.concatenate([start, np.cumsum(steps, axis)], axis)


def _strip(reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Top: lengthwise along the grid's middle column, crosswise from the car's middle, left side towards lower v."""
    ids = raw_index("top")
    points = reference[ids]
    along = _arc(points, 0)[:, ACROSS // 2]
    return ids, np.stack([np.broadcast_to(along[:, None], ids.shape), -_arc(points, 1)], -1)


def _side(reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flank: y lengthwise; height below the belt, arc length above it, so that glass is not foreshortened."""
    ids = raw_index("flank")
    points = reference[ids]
    section = points * [1.0, 0.0, 1.0]
    arc = _arc(section, 0)
    rise = arc[GLASS_ROWS] - arc
    height = np.where(rise > 0, points[GLASS_ROWS, :, 2] + rise, points[..., 2])
    rings = [raw_index(f"ring_{name}").reshape(-1) for name, _, _ in body.BLOCKS]
    ring_ids = np.concatenate(rings)
    places = np.concatenate([np.stack([points[..., 1], height], -1).reshape(-1, 2), reference[ring_ids][:, 1:]])
    return np.concatenate([ids.reshape(-1), ring_ids]), places


def _plan(reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Floor and wheel houses from above: y lengthwise, x crosswise with the left side towards lower v."""
    names = ["underside"] + [f"{kind}_{name}" for name, _, _ in body.BLOCKS for kind in ("ring", "well", "filler")]
    ids = np.concatenate([raw_index(name).reshape(-1) for name in names])
    flank = raw_index("flank")[-1]
    ids = np.concatenate([ids, flank])
    return ids, reference[ids][:, [1, 0]] * [1.0, -1.0]


def _walls(reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inner walls of the wheel houses from the side."""
    names = [f"{kind}_{name}" for name, _, _ in body.BLOCKS for kind in ("well", "wall")]
    ids = np.concatenate([raw_index(name).reshape(-1) for name in names])
    return ids, reference[ids][:, 1:]


def _mirror_place(vertex: int, foot: list[int], first: int) -> np.ndarray:
    """A mirror is flattened from outside in: its foot is the outermost octagon."""
    index = foot.index(vertex) if vertex in foot else vertex - first + 8
    ring, k = divmod(index, 8)
    angle = 2 * np.pi * k / 8
    return (5 - ring) / 5 * 0.14 * np.array([np.cos(angle), np.sin(angle)])
