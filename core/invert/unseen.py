"""What the inverted car gives the painter: the photograph without its light, and the car from all sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..device import one_thread
from ..generator.generator import Generator
from ..generator.invent import SHOWN_VIEW, Invented
from ..generator.latent import Latent
from ..generator.surface import Solid
from ..generator.views import draw_views, imagine, straight, views_around
from ..generator.weights import loaded
from ..paint.materials import imagined_counts
from ..types import Camera, Imagined, Matte, MeshData, Photo, Report, Wheel
from .invert import QUALITIES, in_reach, invert
from .relight import without_light

TURNTABLE = 12  # pictures of the sheet
LIGHT_TAKEN_OFF = 0.5  # of what the generator tells; on training cars that it had not seen better than all of it and than nothing


@dataclass(frozen=True, eq=False)
class Unseen:
    """photo: to be painted from.  imagined: the car from all sides, None where no material would take it; sheet_srgb01 (H, W, 4) straight
    alpha: the same to be looked at, None where the generator was not asked.  paint_srgb01: of a car that was made up, its own colour."""

    photo: Photo
    imagined: Imagined | None = None
    sheet_srgb01: np.ndarray | None = None
    paint_srgb01: tuple[float, float, float] | None = None


def unseen_sides(
    photo: Photo, matte: Matte, camera: Camera, body: MeshData, wheels: tuple[Wheel, ...], quality: str, report: Report
) -> Unseen:
    """Ask the generator, if its window can hold the car: not from a camera as near as the car is long.

    Raises WeightsError where the generator's file is missing or damaged, and what `report` raises.
    """
    solid = Solid.of_car(body, wheels)
    if not in_reach(camera, solid.box):
        return Unseen(photo)
    parts = loaded()
    with one_thread():
        inversion = invert(photo, matte, camera, solid, parts, QUALITIES[quality], report)
        imagined = imagine(parts.generator, inversion.latent, solid) if imagined_counts() else None
        sheet = sheet_of(turntable(parts.generator, inversion.latent, solid, inversion.window.view))
        return Unseen(without_light(photo, inversion, parts, LIGHT_TAKEN_OFF), imagined, sheet)


def unseen_of_invented(photo: Photo, invented: Invented) -> Unseen:
    """The same of a car that the generator made up: no light is to be taken off, and it wears the materials.  Raises WeightsError."""
    generator = loaded().generator
    with one_thread():
        sheet = sheet_of(turntable(generator, invented.latent, invented.solid, np.array(SHOWN_VIEW)))
        return Unseen(photo, None, sheet, invented.paint_srgb01)


def turntable(generator: Generator, latent: Latent, solid: Solid, view: np.ndarray) -> np.ndarray:
    """(TURNTABLE, S, S, 4) premultiplied: the car turning, first as from a view (3,)."""
    azimuth, elevation, distance = view
    return draw_views(generator, latent, solid, views_around(TURNTABLE, elevation, distance, azimuth))


def sheet_of(pictures: np.ndarray, columns: int = 6) -> np.ndarray:
    """(N, S, S, 4) premultiplied -> (rows S, columns S, 4), straight alpha, row by row; N must fill the rows."""
    rows = [np.concatenate(list(pictures[first : first + columns]), 1) for first in range(0, len(pictures), columns)]
    return straight(np.concatenate(rows, 0))
