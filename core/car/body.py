"""Feature lines -> the vertices of the left half's grids, differentiable in the measures.  Car frame, metres.

The half body is a box of quad grids, welded along shared edges by template.py:
top       nose face, hood, windshield, roof, rear window, trunk, tail face: STATIONS x (ACROSS + 1), middle to side
flank     ROWS x COLUMNS, rail to sill; round each wheel a block of it gives way to a ring of quads that ends on the arch
underside COLUMNS x (ACROSS + 1)
well      what closes the wheel house behind an arch
"""

from __future__ import annotations

import numpy as np

from . import arrays as xp
from .arrays import Array
from .measure_table import by_name
from .profile import COLUMN, COLUMNS, ByKey, Curves, curves
from .sections import GLASS_ROWS, ROWS, flank_x, mix, rows

ACROSS = 7  # faces from the middle to the side
END = ROWS - 1  # faces down the nose and the tail
STATIONS = 2 * END + COLUMNS
BLOCK_ROW = GLASS_ROWS + 2  # uppermost row of an arch's block
BLOCK_COLUMNS = 8
BLOCK_SIDE = END - BLOCK_ROW
ARC = 2 * BLOCK_SIDE + BLOCK_COLUMNS  # faces along an arch
RING = 3  # faces from the block's border to the arch
DEPTH = 2  # faces into the wheel house
WALL = ARC // 2 - 1  # faces up the inner wall of a wheel house
BED_ACROSS = 5  # grid lines of the pickup's bed floor from the middle
BLOCKS = (("front", COLUMN["AF"], -1.0), ("rear", COLUMN["CC"], 1.0))  # name, first column, side of the origin

# Raw vertices, in this order; template.py welds them.
SIZES = {"top": (STATIONS, ACROSS + 1), "flank": (ROWS, COLUMNS), "underside": (COLUMNS, ACROSS + 1)}
for _name, _column, _side in BLOCKS:
    SIZES |= {
        f"ring_{_name}": (RING, ARC + 1),
        f"well_{_name}": (DEPTH, ARC + 1),
        f"wall_{_name}": (WALL, 1),
        f"filler_{_name}": (2, RING - 1),
    }


def raw_index(name: str) -> np.ndarray:
    """Raw vertex numbers of one grid, in the grid's own shape, int64."""
    start = 0
    for other, (n, k) in SIZES.items():
        if other == name:
            return np.arange(start, start + n * k).reshape(n, k)
        start += n * k
    raise KeyError(name)


RAW_COUNT = sum(n * k for n, k in SIZES.values())


def raw_vertices(measures: Array) -> Array:
    """(B, P) measures -> (B, RAW_COUNT, 3) vertices of the left half's grids."""
    m = by_name(measures)
    lines = _over_wheels(curves(measures), m)
    flank = _make_room(rows(lines.rail, lines.belt, lines.widest, lines.sill), m)
    top = _top(lines, flank, m)
    grids = {"top": top, "flank": flank, "underside": _underside(flank, top, m)}
    for name, first, side in BLOCKS:
        grids |= _arch(name, first, side, flank, grids["underside"], lines, m)
    return xp.cat([grids[name].reshape(len(measures), -1, 3) for name in SIZES], 1)


def _circle_height(y: Array, m: ByKey, margin_m: float) -> Array:
    """Upper edge z (B, n) of circles `margin_m` outside the wheel arches, 0 away from them."""
    height = xp.zeros_like(y)
    radius = (m["wheel_radius"] + m["arch_gap"] + margin_m)[:, None]
    for _, _, side in BLOCKS:
        reach = radius**2 - (y - side * 0.5 * m["wheelbase"][:, None]) ** 2
        circle = m["wheel_radius"][:, None] + xp.sqrt(xp.clamp(reach, 1e-6))
        height = xp.maximum(height, xp.where(reach > 0, circle, xp.zeros_like(circle)))
    return height


def _over_wheels(lines: Curves, m: ByKey) -> Curves:
    """Lift belt, rail and middle where a low hood or deck would cut into an arch."""

    def raised(points: Array, floor: Array) -> Array:
        return xp.stack([points[..., 0], points[..., 1], xp.maximum(points[..., 2], floor)], -1)

    belt = raised(lines.belt, _circle_height(lines.widest[..., 1], m, 0.06))
    rail = raised(lines.rail, belt[..., 2] + 0.03)
    centre = raised(lines.centre, rail[..., 2])
    return Curves(rail, belt, lines.widest, lines.sill, centre, lines.nose, lines.tail)


def _make_room(flank: Array, m: ByKey) -> Array:
    """Push the rows between belt and arch up where they would lie inside it; (B, ROWS, COLUMNS, 3) in and out."""
    floors = xp.zeros_like(flank[..., 2])
    low_y = flank[:, END, :, 1]
    for row in range(GLASS_ROWS + 1, BLOCK_ROW + 1):
        margin = 0.03 + 0.03 * (BLOCK_ROW - row) / (BLOCK_ROW - GLASS_ROWS)
        floor = _circle_height(low_y, m, margin)
        inside = np.zeros(COLUMNS, bool)
        for _, first, _ in BLOCKS:
            inside[first : first + BLOCK_COLUMNS + 1] = True
        floors[:, row] = xp.where(xp.like(inside, floor), floor, xp.zeros_like(floor))
    return xp.cat([flank[..., :2], xp.maximum(flank[..., 2], floors)[..., None]], -1)


def _across(middle: Array, side: Array, plan_power: float) -> Array:
    """(B, n, 3) middle and side lines -> (B, n, ACROSS + 1, 3): crowned like a panel, flat in the middle and falling towards the side."""
    u = xp.steps(ACROSS + 1, middle) / ACROSS
    x = mix(middle[..., None, 0], side[..., None, 0], u)
    y = mix(middle[..., None, 1], side[..., None, 1], u**plan_power)
    z = mix(middle[..., None, 2], side[..., None, 2], u**2.4)
    return xp.stack([x, y, z], -1)


def _top(lines: Curves, flank: Array, m: ByKey) -> Array:
    nose = _across(xp.flip(lines.nose[:, 1:], 1), xp.flip(flank[:, 1:, 0], 1), 2.6)
    tail = _across(lines.tail[:, 1:], flank[:, 1:, -1], 2.6)
    upper = _across(lines.centre, flank[:, 0], 2.0)
    floor = np.zeros((COLUMNS, ACROSS + 1))
    floor[COLUMN["CC"] + 1 : COLUMN["G"] - 1, : BED_ACROSS + 1] = 1.0
    depth = (m["bed_depth"] * m["cab_drop"])[:, None, None] * xp.like(floor, upper)
    tub = np.zeros((COLUMNS, ACROSS + 1))
    tub[:, BED_ACROSS] = 1.0  # the floor's outermost line goes over the wheel houses
    over_wheel = _circle_height(upper[..., BED_ACROSS, 1], m, 0.03)[..., None] * xp.like(tub, upper)
    floor_z = xp.maximum(upper[..., 2] - depth, xp.minimum(upper[..., 2], over_wheel))
    upper = xp.stack([upper[..., 0], upper[..., 1], floor_z], -1)
    return xp.cat([nose, upper, tail], 1)


def _underside(flank: Array, top: Array, m: ByKey) -> Array:
    """Flat floor at the sill's height; in the arches' blocks its columns follow the wheel house (see _arch)."""
    sill = flank[:, END]
    y = xp.copy(sill[..., 1])
    for _, first, side in BLOCKS:
        start, end, low, high = sill[:, first, 1], sill[:, first + BLOCK_COLUMNS, 1], *_arch_ends(m, side, sill[:, first, 2])
        axle = side * 0.5 * m["wheelbase"]
        knots = [mix(start, low, 1 / 3), mix(start, low, 2 / 3), low, axle, high, mix(high, end, 1 / 3), mix(high, end, 2 / 3)]
        y[:, first + 1 : first + BLOCK_COLUMNS] = xp.stack(knots, 1)
    u = xp.steps(ACROSS + 1, y) / ACROSS
    along = xp.steps(COLUMNS, y)
    ends = (COLUMN["AF"], COLUMNS - 1 - COLUMN["D"])
    front, rear = xp.clamp(1 - along / ends[0], 0.0), xp.clamp(1 - (COLUMNS - 1 - along) / ends[1], 0.0)
    bowed = y[..., None] + front[:, None] * (top[:, 0, :, 1] - y[:, :1])[:, None] + rear[:, None] * (top[:, -1, :, 1] - y[:, -1:])[:, None]
    return xp.stack([sill[..., None, 0] * u, bowed, xp.expand_as(sill[..., None, 2], bowed)], -1)


def _arch_start(m: ByKey, sill_z: Array) -> Array:
    """Angle above the hub's level, seen from the hub, at which an arch meets the sill, (B,) radians."""
    return xp.asin(xp.clamp((sill_z - m["wheel_radius"]) / (m["wheel_radius"] + m["arch_gap"]), -0.9, 0.6))


def _arch_ends(m: ByKey, side: float, sill_z: Array) -> tuple[Array, Array]:
    """y where an arch meets the sill, front and rear, each (B,)."""
    half = xp.cos(_arch_start(m, sill_z)) * (m["wheel_radius"] + m["arch_gap"])
    return side * 0.5 * m["wheelbase"] - half, side * 0.5 * m["wheelbase"] + half


def block_border(first: int) -> list[tuple[int, int]]:
    """(row, column) of the ARC + 1 flank vertices round an arch's block, from the sill in front over the top to the sill behind."""
    last = first + BLOCK_COLUMNS
    front = [(row, first) for row in range(END, BLOCK_ROW, -1)]
    upper = [(BLOCK_ROW, column) for column in range(first, last + 1)]
    return front + upper + [(row, last) for row in range(BLOCK_ROW + 1, END + 1)]


def _arch(name: str, first: int, side: float, flank: Array, underside: Array, lines: Curves, m: ByKey) -> dict[str, Array]:
    """The grids that close one wheel house, by name: the ring round the arch, its well, the inner wall and the fillers beside it."""
    border = xp.stack([flank[:, row, column] for row, column in block_border(first)], 1)
    lip = _lip(first + BLOCK_COLUMNS // 2, side, lines, m)
    ring = xp.stack([mix(border, lip, t / RING) for t in range(1, RING + 1)], 1)
    inner_x = xp.expand_as((0.5 * m["width"] * m["track_ratio"] - 0.5 * m["tyre_width"] - 0.05)[:, None], lip[..., 0])
    inner = xp.stack([inner_x, lip[..., 1], lip[..., 2]], -1)
    well = xp.stack([mix(lip, inner, t / DEPTH) for t in range(1, DEPTH + 1)], 1)
    wall = 0.5 * (inner[:, :WALL] + xp.flip(inner[:, ARC - WALL + 1 :], 1))
    fillers = []
    for end, column, step in ((0, first, 1), (ARC, first + BLOCK_COLUMNS, -1)):
        for j in range(1, RING):
            fillers.append(0.5 * (ring[:, j - 1, end] + underside[:, column + step * j, ACROSS - DEPTH]))
    return {f"ring_{name}": ring, f"well_{name}": well, f"wall_{name}": wall, f"filler_{name}": xp.stack(fillers, 1)}


def _lip(middle: int, side: float, lines: Curves, m: ByKey) -> Array:
    """(B, ARC + 1, 3) the outer edge of an arch, front to rear, on the flank as it is at the arch's middle column."""
    belt, widest, sill = lines.belt[:, middle], lines.widest[:, middle], lines.sill[:, middle]
    start = _arch_start(m, sill[:, 2])[:, None]
    angle = mix(start, np.pi - start, xp.steps(ARC + 1, belt) / ARC)
    radius = (m["wheel_radius"] + m["arch_gap"])[:, None]
    y = side * 0.5 * m["wheelbase"][:, None] - radius * xp.cos(angle)
    z = m["wheel_radius"][:, None] + radius * xp.sin(angle)
    s = xp.clamp((belt[:, None, 2] - z) / (belt[:, None, 2] - sill[:, None, 2]), 0.0, 1.0)
    x = flank_x(belt[:, None, 0], widest[:, None, 0], sill[:, None, 0], s)
    tyre_face = (0.5 * m["width"] * m["track_ratio"] + 0.5 * m["tyre_width"])[:, None]
    return xp.stack([xp.maximum(x + 0.008, tyre_face + 0.012), y, z], -1)  # never inside the tyre's outer face
