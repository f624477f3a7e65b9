"""A car to be pictured, ready for its labels: its triangles by class of part, its figures, its wheels.  Deformed copies share the parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from ..perceive.heads import PART_CLASSES, PLAN_STATIONS, TOP_STATIONS, UNKNOWN_PART
from ..render.rasterize import nearest_triangles
from .cars import WIDTH_BELOW, CarModel
from .labelled import label, wheel_boxes
from .part_table import PART_INDEX, PARTS

CLASS_OF_PART = {"hood": "body", "bumper": "body", "door": "body", "mirror": "body", "interior": "underbody"}
OUTLINE_PX = 256  # of the side and plan views that the profile is read from
NO_OUTLINE = ("mirror", "accessory")


@dataclass(frozen=True, eq=False)
class Subject:
    """triangles_m (F, 3, 3) float32 in the car frame (origin midway between the axles); part_class (F,) uint8 into PART_CLASSES or
    UNKNOWN_PART; plain (F,) bool: neither mirror nor accessory; wheels (4, 5) hub x, y, z, radius, width; shift_m: what was added to the
    model's y to bring the origin between the axles."""

    triangles_m: np.ndarray
    part_class: np.ndarray
    plain: np.ndarray
    wheels: np.ndarray
    shift_m: float
    body_type: str

    @cached_property
    def length_m(self) -> float:
        """Bumper to bumper, without accessories."""
        return float(np.ptp(self.triangles_m[self.plain][..., 1]))

    def figures(self) -> dict[str, float]:
        """SHAPE_FIGURES by name, shares of the length."""
        return shape_figures(self.triangles_m[self.plain], self.wheels)


def shape_figures(triangles_m: np.ndarray, wheels: np.ndarray) -> dict[str, float]:
    """SHAPE_FIGURES of a car without mirrors and accessories: triangles (F, 3, 3) in the car frame, wheels (4, 5)."""
    y = triangles_m[..., 1]
    nose, length, height = -float(y.min()), float(np.ptp(y)), float(triangles_m[..., 2].max())
    width = float(np.ptp(triangles_m[triangles_m[..., 2].max(1) < WIDTH_BELOW * height][..., 0]))
    wheelbase = float(wheels[2:, 1].mean() - wheels[:2, 1].mean())
    found = {"log_width": np.log(width / length), "log_height": np.log(height / length), "log_wheelbase": np.log(wheelbase / length)}
    found |= {"nose": nose / length, "wheel_radius": float(wheels[:, 3].mean()) / length}
    top = _outline(triangles_m, 2, nose, length)
    plan = _outline(triangles_m, 0, nose, length)
    for name, outline, count in (("top", top, TOP_STATIONS), ("plan", plan, PLAN_STATIONS)):
        edges = np.linspace(0, OUTLINE_PX, count + 1).round().astype(int)
        digits = 2 if count > 10 else 1
        found |= {f"{name}_{k:0{digits}d}": float(np.median(outline[edges[k] : edges[k + 1]])) for k in range(count)}
    return {key: float(value) for key, value in found.items()}


def _outline(triangles_m: np.ndarray, axis: int, nose_m: float, length_m: float) -> np.ndarray:
    """(OUTLINE_PX,) how far the car reaches along an axis at each place from nose to tail, in shares of the length."""
    along = (triangles_m[..., 1] + nose_m) / length_m
    reach = triangles_m[..., axis] / length_m
    corners = np.stack([2 * along - 1, reach / 0.75 * 2 - 1, np.zeros_like(along), np.ones_like(along)], -1).astype(np.float32)
    with torch.no_grad():
        ids, _ = nearest_triangles(
            torch.from_numpy(corners.reshape(1, -1, 4)), torch.arange(3 * len(triangles_m)).view(-1, 3), (OUTLINE_PX, OUTLINE_PX)
        )
    filled = ids[0].numpy() > 0  # row 0 is the bottom
    highest = np.where(filled.any(1 - 1), OUTLINE_PX - np.argmax(filled[::-1], 0), 0)
    return highest / OUTLINE_PX * 0.75


class SubjectMaker:
    """Tells a model's parts once; they are those of every deformed copy."""

    def __init__(self, model: CarModel) -> None:
        self.model, named = model, label(model)
        table = np.full(len(PARTS), UNKNOWN_PART, np.uint8)
        for part, index in PART_INDEX.items():
            if part != "accessory":
                table[index] = PART_CLASSES.index(CLASS_OF_PART.get(part, part))
        self.tells_panes = not {"windshield", "side_window"} & set(named.lacks)
        if not self.tells_panes:
            table[PART_INDEX["body"]] = UNKNOWN_PART  # what is called body may be a pane
        self.part_class, self._part = table[named.part], named.part
        self.usable = named.wheels is not None
        self.plain = ~np.isin(named.part, [PART_INDEX[name] for name in NO_OUTLINE])

    def subject(self, model: CarModel) -> Subject:
        """The labels' car of the model itself or of a copy with other positions."""
        wheels = wheel_boxes(model.positions_m[self._part == PART_INDEX["wheel"]])
        if wheels is None:
            raise ValueError(f"{model.row.name} has no four wheels, so nothing tells where its origin is")
        shift = -float(wheels[:, 1].mean())
        wheels[:, 1] += shift
        triangles = model.positions_m + np.array([0, shift, 0], np.float32)
        return Subject(triangles, self.part_class, self.plain, wheels, shift, model.row.body_type)
