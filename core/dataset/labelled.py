"""A car model as its outer surface by part, in the template's frame: what the shape space is fitted to and judged by."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .cars import WIDTH_BELOW, CarModel, CarRow, read_cars, read_model
from .outer_skin import seen_from_outside
from .part_refine import chassis_or_trim, mirrors, panes_and_lamps_by_texture, unnamed_underside
from .part_split import areas_and_normals, corners, high_brake_lights, lamp_panes, split_lamps, split_panes
from .part_table import ANY_PANE, CHASSIS_OR_TRIM, LAMPS_OF_BOTH_ENDS, PART_INDEX, PARTS, REAR_PANES, part_named

EXPECTED = (
    "body",
    "windshield",
    "rear_window",
    "side_window",
    "headlight",
    "taillight",
    "wheel",
    "plate",
    "hood",
    "bumper",
    "grille",
    "door",
    "mirror",
)
NEVER_SKIN = ("interior", "accessory")
PANES = ("windshield", "rear_window", "side_window")
KINDS = (*PARTS, LAMPS_OF_BOTH_ENDS, ANY_PANE, REAR_PANES, CHASSIS_OR_TRIM)


@dataclass(frozen=True)
class LabelledCar:
    """Triangles (F, 3, 3) float32 in the template's frame: metres, x centred, wheels on z = 0, y = 0 midway between the axles.

    part (F,) int64 into PARTS; skin (F,) bool: seen from outside, and no interior or accessory (roof rack, bull bar, beacon); triangles of
    the skin run counter-clockwise seen from outside.  wheels (4, 5) float64: hub x, y, z, radius, width of front left, front right, rear
    left, rear right, or None; dimensions_m: length, width (without mirrors), height, and wheelbase, front_track, rear_track where there are
    wheels; lacks: the parts this car has not or does not name.
    """

    row: CarRow
    triangles_m: np.ndarray
    part: np.ndarray
    skin: np.ndarray
    wheels: np.ndarray | None
    dimensions_m: dict[str, float]
    lacks: tuple[str, ...]


def read_labelled(folder: Path, row: CarRow) -> LabelledCar:
    """Read FOLDER/NAME.glb and tell its parts."""
    return label(read_model(folder, row))


def label(model: CarModel) -> LabelledCar:
    """Tell the parts of a model that was read."""
    named = np.array([KINDS.index(part_named(node, s.name)) for node, s in zip(model.nodes, model.surfaces, strict=True)])
    kind = named[model.surface_index]
    wheels = wheel_boxes(model.positions_m[kind == PART_INDEX["wheel"]])
    triangles = model.positions_m.astype(np.float32).copy()
    triangles[..., 1] -= _middle_y(triangles, wheels)
    if wheels is not None:
        wheels[:, 1] -= wheels[:, 1].mean()
    part = _split(triangles, kind, _wheelbase(wheels, triangles))
    outside = part != PART_INDEX["accessory"]
    seen = seen_from_outside(triangles[outside])
    skin, above, inside_out = (_spread(values, outside) for values in (seen.seen, seen.above, seen.inside_out))
    triangles[inside_out] = triangles[inside_out][:, ::-1]
    part = _refine(model, triangles, part, skin, above, wheels)
    skin &= ~np.isin(part, [PART_INDEX[name] for name in NEVER_SKIN])
    lacks = tuple(name for name in EXPECTED if not (skin & (part == PART_INDEX[name])).any())
    return LabelledCar(model.row, triangles, part, skin, wheels, _dimensions(triangles, part, skin, wheels), lacks)


def _spread(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Values of the chosen triangles among all of them, False elsewhere."""
    whole = np.zeros(len(chosen), bool)
    whole[chosen] = values
    return whole


def _split(triangles_m: np.ndarray, kind: np.ndarray, wheelbase_m: float) -> np.ndarray:
    """Kinds of the table, of panes and lamps, to PARTS."""
    part, height_m = kind.astype(np.int64), float(triangles_m[..., 2].max())
    glass = np.flatnonzero(np.isin(kind, [KINDS.index(name) for name in ("windshield", ANY_PANE, REAR_PANES)]))
    part[glass[lamp_panes(triangles_m[glass], height_m, wheelbase_m)]] = KINDS.index(LAMPS_OF_BOTH_ENDS)
    for name, behind in ((ANY_PANE, False), (REAR_PANES, True)):
        chosen = part == KINDS.index(name)
        part[chosen] = split_panes(triangles_m[chosen], behind)
    chosen = part == KINDS.index(LAMPS_OF_BOTH_ENDS)
    part[chosen] = split_lamps(triangles_m[chosen], wheelbase_m)
    tail = np.flatnonzero(part == PART_INDEX["taillight"])
    part[tail[high_brake_lights(triangles_m[tail], height_m)]] = PART_INDEX["body"]
    return part


def _refine(
    model: CarModel, triangles_m: np.ndarray, part: np.ndarray, skin: np.ndarray, above: np.ndarray, wheels: np.ndarray | None
) -> np.ndarray:
    """What only the drawn car tells, once its triangles face outward; a car without wheels gives no places to tell it by."""
    chassis = part == KINDS.index(CHASSIS_OR_TRIM)
    if wheels is None:
        return np.where(chassis, PART_INDEX["underbody"], part)
    height_m, body = float(triangles_m[skin][..., 2].max()), part == PART_INDEX["body"]
    if not np.isin(part, [PART_INDEX[name] for name in PANES]).any():
        index, told = panes_and_lamps_by_texture(model, triangles_m, skin & body, height_m, _wheelbase(wheels, triangles_m))
        part[index] = told
    if chassis.any():
        lamps = np.abs(triangles_m[skin & (part == PART_INDEX["headlight"])].mean(1)[:, 0])
        lamp_x_m = float(np.median(lamps)) if len(lamps) else 0.7 * float(np.abs(wheels[:, 0]).max())
        part[chassis] = chassis_or_trim(triangles_m[chassis], above[chassis], wheels, height_m, lamp_x_m)
    else:
        part[body] = np.where(unnamed_underside(triangles_m[body], above[body], wheels, height_m), PART_INDEX["underbody"], part[body])
    part[(part == PART_INDEX["hood"]) & (triangles_m[..., 1].mean(1) > 0)] = PART_INDEX["body"]  # a lid over an engine in the tail
    part[mirrors(triangles_m, skin & (part == PART_INDEX["body"]), wheels, height_m)] = PART_INDEX["mirror"]
    return part


def wheel_boxes(triangles_m: np.ndarray) -> np.ndarray | None:
    """(4, 5) hub x, y, z, radius, width from the boxes of the wheels' triangles; None where a corner has none."""
    if not len(triangles_m):
        return None
    corner = corners(triangles_m.mean(1).astype(np.float64))
    if len(np.unique(corner)) < 4:
        return None
    rows = []
    for number in range(4):
        points = triangles_m[corner == number].reshape(-1, 3).astype(np.float64)
        low, high = points.min(0), points.max(0)
        rows.append([*((low + high) / 2), (high[2] - low[2]) / 2, high[0] - low[0]])
    return np.array(rows)


def _middle_y(triangles_m: np.ndarray, wheels: np.ndarray | None) -> float:
    return float((triangles_m[..., 1].min() + triangles_m[..., 1].max()) / 2 if wheels is None else wheels[:, 1].mean())


def _wheelbase(wheels: np.ndarray | None, triangles_m: np.ndarray) -> float:
    return 0.6 * float(np.ptp(triangles_m[..., 1])) if wheels is None else float(wheels[2:, 1].mean() - wheels[:2, 1].mean())


def _dimensions(triangles_m: np.ndarray, part: np.ndarray, skin: np.ndarray, wheels: np.ndarray | None) -> dict[str, float]:
    points = triangles_m[skin & (part != PART_INDEX["mirror"])].reshape(-1, 3)
    height = float(points[:, 2].max())
    low = points[points[:, 2] < WIDTH_BELOW * height]
    found = {"length": float(np.ptp(points[:, 1])), "width": float(np.ptp(low[:, 0])), "height": height}
    if wheels is not None:
        found |= {"wheelbase": float(wheels[2:, 1].mean() - wheels[:2, 1].mean())}
        found |= {"front_track": float(wheels[0, 0] - wheels[1, 0]), "rear_track": float(wheels[2, 0] - wheels[3, 0])}
    return found


def report_parts(folder: Path) -> str:
    """A table of every car of FOLDER/cars.csv by part: share of the skin's area in per cent, and what the car lacks."""
    lines = ["car".ljust(26) + " ".join(name[:8].rjust(8) for name in PARTS) + "   lacks"]
    for row in read_cars(folder / "cars.csv"):
        car = read_labelled(folder, row)
        area = areas_and_normals(car.triangles_m)[0] * car.skin
        share = 100 * np.bincount(car.part, area, len(PARTS)) / area.sum()
        lines.append(row.name.ljust(26) + " ".join(f"{value:8.2f}" for value in share) + "   " + " ".join(car.lacks))
    return "\n".join(lines)


if __name__ == "__main__":
    print(report_parts(Path(sys.argv[1])))
