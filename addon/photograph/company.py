"""Other cars in the picture: behind and beside the car, parked in a row with it, seldom before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

import bpy
import numpy as np
from mathutils import Matrix

from .aim import Aim
from .boxes import Box

SHOWN_SHARE, ROW_SHARE, BEFORE_SHARE = 0.65, 0.3, 0.15
HIDES_BEHIND, HIDES_BEFORE, HIDES_IN_ROW = (0.0, 0.06), (0.02, 0.4), (0.0, 0.5)  # share of the car that another may hide
GAP_M = (0.5, 1.4)  # between parked cars
TRIES = 25


@dataclass(frozen=True)
class Companion:
    """Another car: its name, its meshes (moved together) and its box where it was brought in."""

    name: str
    meshes: list[bpy.types.Object]
    box: Box

    def put(self, matrix: np.ndarray) -> dict:
        """Show it at a place; returns what the record says of it."""
        for mesh in self.meshes:
            mesh.matrix_world, mesh.hide_render = Matrix(matrix.tolist()), False
        return {"car": self.name, "matrix": [[round(float(value), 6) for value in line] for line in matrix]}

    def hide(self) -> None:
        for mesh in self.meshes:
            mesh.hide_render = True


def arrange(companions: Sequence[Companion], aim: Aim, car_m: np.ndarray, car: Box, draw: Random) -> tuple[list[dict], list[Box]]:
    """Place some of them round the car (some of its points (N, 3) are given); returns the record's entries and their boxes."""
    entries: list[dict] = []
    taken = [car]
    in_row, side = draw.random() < ROW_SHARE, draw.choice((-1, 1))
    for number, companion in enumerate(companions):
        companion.hide()
        if draw.random() > SHOWN_SHARE:
            continue
        before = draw.random() < BEFORE_SHARE
        if in_row:
            step = side * (-1) ** number * (1 + number // 2)
            propose, hides = partial(_in_row, companion.box, car, step, draw), HIDES_IN_ROW
        else:
            propose, hides = partial(_anywhere, companion.box, aim, car_m, before, draw), HIDES_BEFORE if before else HIDES_BEHIND
        found = _first_fit(propose, aim, car_m, taken, hides)
        if found is not None:
            entries.append(companion.put(found.matrix()))
            taken.append(found)
    return entries, taken[1:]


def _first_fit(propose: Callable[[], Box], aim: Aim, car_m: np.ndarray, taken: Sequence[Box], hides: tuple[float, float]) -> Box | None:
    for _ in range(TRIES):
        box = propose()
        fits = box.distance_m(aim.eye_m) > 0.6 and all(box.clear_of(other, 0.3) for other in taken)
        if fits and hides[0] <= box.hides(aim.eye_m, car_m) <= hides[1]:
            return box
    return None


def _turned(box: Box, x_m: float, y_m: float, turn_rad: float) -> Box:
    """The box of a car whose own origin, not its middle, stands at (x, y): good enough for keeping clear."""
    return Box(x_m, y_m, box.half_x_m, box.half_y_m, turn_rad, box.height_m)


def _in_row(box: Box, car: Box, steps: int, draw: Random) -> Box:
    """Side by side or nose to tail, the `steps`-th to the left or right."""
    gap, turn = draw.uniform(*GAP_M), draw.choice((0.0, 0.0, math.pi)) + draw.gauss(0, 0.02)
    if draw.random() < 0.7:
        pitch = car.half_x_m + box.half_x_m + gap
        return _turned(box, steps * pitch, draw.gauss(0, 0.25), turn)
    pitch = car.half_y_m + box.half_y_m + gap
    return _turned(box, draw.gauss(0, 0.1), steps * pitch, turn)


def _anywhere(box: Box, aim: Aim, car_m: np.ndarray, before: bool, draw: Random) -> Box:
    """Behind or beside the car as the camera sees it; or between the two."""
    eye = aim.eye_m[:2]
    turn = draw.choice((0.0, math.pi, draw.uniform(-math.pi, math.pi))) + draw.gauss(0, 0.1)
    if before:
        target = car_m[draw.randrange(len(car_m)), :2]
        place = eye + draw.uniform(0.2, 0.75) * (target - eye) + np.array([draw.gauss(0, 1.5), draw.gauss(0, 1.5)])
        return _turned(box, float(place[0]), float(place[1]), turn)
    bearing = math.atan2(-eye[1], -eye[0]) + math.atan(aim.half_view) * draw.uniform(-1.3, 1.3)
    distance = float(np.hypot(*eye)) + draw.uniform(-1, 14)
    return _turned(box, float(eye[0] + distance * math.cos(bearing)), float(eye[1] + distance * math.sin(bearing)), turn)
