"""`build.py views`: the car of a photograph from twelve sides; with a second photograph, what the two can lend each other.

    python3 build.py views PHOTO [--with OTHER] [--quality draft|normal|high] [--out views.png]

Rows of the picture: the photograph through the generator's window, the car as it is drawn again, and the car turning.  With a second one
the same for it, then each car's shape in the other's paint, turning, and last each car standing in the other's photograph as its view,
before the other's background.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..asset.aside import write_whole
from ..asset.pictures import to_bytes
from ..asset.png import png_bytes
from ..device import one_thread
from ..errors import UserInputError, WeightsError
from ..generator.latent import Latent
from ..generator.views import draw_views, on_ground, shown01, views_around
from ..generator.weights import CarGenerator, loaded
from ..types import Matte, Photo, Report, Settings
from .invert import QUALITIES, Inversion, in_reach, invert
from .posed import pose

SIDES = 12
GROUND01 = 0.75  # behind pictures of cars
PASTED_PX = 384  # height of a photograph in the sheet's last row
HOLE_PX = 5  # round a car that is taken out of its photograph


@dataclass(frozen=True, eq=False)
class Seen:
    """A photograph and its car in the latent space."""

    photo: Photo
    matte: Matte
    inversion: Inversion


def look_at(photo_path: Path, settings: Settings, parts: CarGenerator, report: Report) -> Seen:
    """Read, fit and invert a photograph.

    Raises UserInputError where there is no car, or where the camera stands too near for the generator's window.
    """
    with one_thread():
        posed = pose(photo_path, None, settings, report)
        if not in_reach(posed.camera, posed.solid.box):
            raise UserInputError("the camera stood nearer than the car is long, take a picture from further away.")
        inversion = invert(posed.photo, posed.matte, posed.camera, posed.solid, parts, QUALITIES[settings.quality], report)
    return Seen(posed.photo, posed.matte, inversion)


def sheet(parts: CarGenerator, one: Seen, other: Seen | None = None) -> np.ndarray:
    """(H, W, 3) sRGB 0..1; see the top of this file."""
    with one_thread():
        rows = [_turning(parts, seen, seen.inversion.latent) for seen in (one, other) if seen is not None]
        if other is not None:
            pairs = ((one, other), (other, one))
            rows += [_turning(parts, a, a.inversion.latent.with_group("paint", b.inversion.latent)) for a, b in pairs]
            rows.append(_fitted([exchanged(parts, a, b.inversion) for a, b in pairs], rows[0].shape[1]))
    return np.concatenate(rows, 0)


def _turning(parts: CarGenerator, seen: Seen, latent: Latent) -> np.ndarray:
    """A row: what was seen, drawn again, from all sides."""
    azimuth, elevation, distance = view = seen.inversion.window.view
    views = np.concatenate([view[None], views_around(SIDES, elevation, distance, azimuth)])
    drawn = draw_views(parts.generator, latent, seen.inversion.solid, views)
    return np.concatenate(list(on_ground(np.concatenate([shown01(seen.inversion.picture), drawn]), GROUND01)), 1)


def exchanged(parts: CarGenerator, seen: Seen, other: Inversion) -> np.ndarray:
    """(H, W, 3): a photograph in which another car stands, under that photograph's light, from its view, before its background.

    The background behind the old car is filled in from round it (Telea 2004), so that a smaller car leaves no rim of it.
    """
    inversion = seen.inversion
    lit = other.latent.with_group("light", inversion.latent)
    drawn = draw_views(parts.generator, lit, other.solid, inversion.window.view[None])[0]
    pasted = inversion.window.put_back(drawn, seen.photo.size_px)
    hole = cv2.dilate((seen.matte.alpha01 > 0.05).astype(np.uint8), np.ones((HOLE_PX, HOLE_PX), np.uint8))
    behind = cv2.inpaint(to_bytes(seen.photo.image_srgb01), hole, HOLE_PX, cv2.INPAINT_TELEA).astype(np.float32) / 255
    return (pasted[..., :3] + (1 - pasted[..., 3:]) * behind).clip(0, 1)


def _fitted(pictures: list[np.ndarray], width_px: int) -> np.ndarray:
    """Pictures side by side, scaled to one height and onto a canvas of a width."""
    row = np.concatenate(
        [cv2.resize(p, (round(p.shape[1] * PASTED_PX / p.shape[0]), PASTED_PX), interpolation=cv2.INTER_AREA) for p in pictures], 1
    )
    if row.shape[1] > width_px:
        row = cv2.resize(row, (width_px, round(row.shape[0] * width_px / row.shape[1])), interpolation=cv2.INTER_AREA)
    return np.pad(row, ((0, 0), (0, width_px - row.shape[1]), (0, 0)), constant_values=GROUND01).clip(0, 1)


def write_sheet(photos: Sequence[Path], settings: Settings, out: Path, report: Report) -> None:
    """Write the sheet of one or two photographs as PNG, aside and then renamed.

    Raises UserInputError for a photograph that cannot be used or a file that cannot be written, WeightsError for missing weights.
    """
    parts = loaded()
    write_whole(out, png_bytes(to_bytes(sheet(parts, *(look_at(photo, settings, parts, report) for photo in photos)))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; exit code 0, or 2 where the user has to mend something."""
    parser = argparse.ArgumentParser("build.py views", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path, metavar="PHOTO")
    parser.add_argument("--with", type=Path, dest="other", metavar="OTHER")
    parser.add_argument("--quality", choices=tuple(QUALITIES), default="normal")
    parser.add_argument("--out", type=Path, default=Path("views.png"), metavar="FILE")
    given = parser.parse_args(arguments)
    try:
        photos = [given.photo, *([given.other] if given.other else [])]
        write_sheet(photos, Settings(quality=given.quality), given.out, lambda stage, share01: None)
    except (UserInputError, WeightsError) as problem:
        print(problem, file=sys.stderr)
        return 2
    print(given.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
