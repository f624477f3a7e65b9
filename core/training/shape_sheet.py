"""Pictures for an artist's eye: every real car beside the template fitted to it, with both part maps, and cars drawn at random."""

from __future__ import annotations

import io
import itertools
import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn import functional

from ..car.draw_car import draw_cars
from ..car.prior import shape_prior
from ..car.space import ShapeSpace, vertices_with
from ..dataset.cars import read_cars
from ..dataset.labelled import LabelledCar, read_labelled
from ..dataset.part_table import PARTS
from ..frames import clip_from_camera, orbit
from ..render.shade import Skin, render_views
from .half_body import template_half, whole_body
from .part_measure import Drawable, Frame, fitted_drawable, frame_of, real_drawable
from .shape_figures import Compared
from .surface_fit import fit_free, fit_space
from .surface_target import make_surface_target

SHADED = {  # sRGB 0..255
    "body": (134, 152, 172), "hood": (134, 152, 172), "door": (134, 152, 172), "bumper": (118, 132, 148), "mirror": (118, 132, 148),
    "windshield": (38, 46, 54), "rear_window": (38, 46, 54), "side_window": (38, 46, 54), "headlight": (240, 236, 214),
    "taillight": (196, 30, 32), "wheel": (62, 62, 64), "plate": (246, 246, 246), "grille": (40, 40, 42), "underbody": (48, 46, 44),
    "interior": (92, 84, 78), "accessory": (92, 84, 78),
}  # fmt: skip
FLAT = {
    "body": (205, 205, 208), "hood": (96, 168, 92), "door": (172, 210, 170), "bumper": (238, 142, 40), "mirror": (242, 100, 200),
    "windshield": (40, 116, 216), "rear_window": (22, 56, 156), "side_window": (96, 190, 248), "headlight": (250, 226, 70),
    "taillight": (222, 30, 32), "wheel": (44, 44, 46), "plate": (250, 250, 250), "grille": (122, 62, 160), "underbody": (118, 84, 52),
    "interior": (0, 170, 150), "accessory": (0, 170, 150),
}  # fmt: skip
VIEWS_DEG = ((38, 14), (142, 14))  # (azimuth, elevation): from the front left, from the rear left
TILE_PX, OVERSAMPLING = (128, 76), 3
DISTANCE_RADII = 12
BOX_FILL = 1.1  # of a tile's width or height that the box round a car takes; a car does not reach its corners
AMBIENT01 = 0.6
CARS_ACROSS, DRAWS, DRAWS_ACROSS, DRAW_TILE_PX, DRAW_SEED = 3, 24, 4, (190, 112), 4
LABEL_PX, KEY_PX = 13, 24
LARGEST_BYTES = 390_000
QUALITIES = (90, 86, 82, 78, 74, 70, 64, 58, 50)


@dataclass(frozen=True)
class Fitted:
    """body_m (V, 3) and measures (P,) of a car's fit."""

    body_m: np.ndarray
    measures: np.ndarray


def write_sheets(cars: Path, fits: Path, space: ShapeSpace, out: Path, found: dict[str, Compared], names: tuple[str, ...] = ()) -> None:
    """OUT/shape_cars.jpg of all cars, every vertex free, and OUT/shape_draws.jpg; a fit neither in `found` nor as FITS/NAME.npz is made."""
    out.mkdir(parents=True, exist_ok=True)
    blocks = []
    for row in read_cars(cars / "cars.csv"):
        if names and row.name not in names:
            continue
        car = read_labelled(cars, row)
        fitted = _fit_of(car, fits, found, space)
        label = row.name + (" (development)" if row.split == "dev" else "")
        blocks.append(block(label, real_drawable(car), fitted_drawable(fitted.body_m, fitted.measures, row.body_type)))
    if blocks:
        write_jpeg(out / "shape_cars.jpg", with_key(grid(blocks, CARS_ACROSS)))
    write_jpeg(out / "shape_draws.jpg", draws_sheet(space))


def _fit_of(car: LabelledCar, fits: Path, found: dict[str, Compared], space: ShapeSpace) -> Fitted:
    """As measured now, as the training left it, or made here."""
    name = car.row.name
    if name in found:
        return Fitted(whole_body(found[name].free_half_m), found[name].space.measures)
    if (fits / f"{name}.npz").is_file():
        with np.load(fits / f"{name}.npz") as held:
            return Fitted(whole_body(template_half(held["measures"]) + held["free_half_m"]), held["measures"])
    target = make_surface_target(car)
    start = fit_space(target, shape_prior(), space)
    return Fitted(whole_body(fit_free(target, start)), start.measures)


def block(label: str, real: Drawable, fitted: Drawable) -> np.ndarray:
    """(h, w, 3) uint8: real, fitted, part map of real, part map of fitted, a row for each of VIEWS_DEG, the label above."""
    frame = frame_of(real)
    columns = [draw(car, frame, flat, TILE_PX) for flat in (False, True) for car in (real, fitted)]
    return labelled(label, np.concatenate([np.concatenate(list(column)) for column in columns], 1))


def draws_sheet(space: ShapeSpace) -> np.ndarray:
    """(h, w, 3) uint8: random draws, those with a fault drawn again, each from both sides."""
    drawn = draw_cars(DRAWS, DRAW_SEED, shape_prior(), space)
    bodies = vertices_with(drawn.measures, drawn.coefficients, space)
    blocks = []
    for body_m, measures, kind, faulty in zip(bodies, drawn.measures, drawn.body_types, drawn.faulty, strict=True):
        car = fitted_drawable(body_m, measures, kind)
        blocks.append(
            labelled(kind + (" (fault)" if faulty else ""), np.concatenate(list(draw(car, frame_of(car), False, DRAW_TILE_PX)), 1))
        )
    return grid(blocks, DRAWS_ACROSS)


def draw(car: Drawable, frame: Frame, flat: bool, size_px: tuple[int, int]) -> np.ndarray:
    """(views, height, width, 3) uint8 of a car from VIEWS_DEG, its parts shaded or, as a map, in flat colours."""
    distance, (width, height) = DISTANCE_RADII * frame.radius_m, (OVERSAMPLING * side for side in size_px)
    views = [orbit(math.radians(a), math.radians(e), distance, frame.middle_car) for a, e in VIEWS_DEG]
    projection = clip_from_camera(_focal_px(frame, views, width, height), width, height)
    table = torch.tensor([(FLAT if flat else SHADED)[name] for name in PARTS], dtype=torch.float32) / 255
    skin = Skin(face_srgb01=table[torch.from_numpy(car.part)])
    vertices, triangles = (torch.from_numpy(np.ascontiguousarray(values)) for values in (car.vertices_m, car.triangles))
    ambient01 = 1.0 if flat else AMBIENT01
    with torch.no_grad():
        cameras = torch.tensor(np.stack(views), dtype=torch.float32)
        pictures = render_views(vertices[None].float(), triangles, cameras, projection, (height, width), skin, ambient01)
    small = functional.avg_pool2d(pictures[..., :3].permute(0, 3, 1, 2), OVERSAMPLING).permute(0, 2, 3, 1)
    return (small.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def _focal_px(frame: Frame, views: list[np.ndarray], width: int, height: int) -> float:
    """That at which the car's box fills the picture in the view that needs most room."""
    half = np.array(frame.half_size_m)
    corners = np.array(frame.middle_car) + half * np.array(list(itertools.product((-1, 1), repeat=3)))
    needed = []
    for view in views:
        x, y, z = np.abs((corners - view[:3, 3]) @ view[:3, :3]).T
        needed += [float((x / z).max()) / width, float((y / z).max()) / height]
    return 0.5 * BOX_FILL / max(needed)


def labelled(text: str, picture: np.ndarray) -> np.ndarray:
    """A picture with a line of text above."""
    image = Image.new("RGB", (picture.shape[1], LABEL_PX + picture.shape[0]), "white")
    image.paste(Image.fromarray(picture), (0, LABEL_PX))
    ImageDraw.Draw(image).text((4, 1), text, fill="black")
    return np.asarray(image)


def grid(blocks: list[np.ndarray], across: int) -> np.ndarray:
    """Blocks of one size in rows, the last one filled up with white."""
    blocks = [np.pad(block_, ((4, 4), (4, 4), (0, 0)), constant_values=255) for block_ in blocks]
    across = min(across, len(blocks))
    blocks += [np.full_like(blocks[0], 255)] * (-len(blocks) % across)
    return np.concatenate([np.concatenate(blocks[k : k + across], 1) for k in range(0, len(blocks), across)])


def with_key(picture: np.ndarray) -> np.ndarray:
    """A line below that names the colours of the part maps, as far as it is wide enough."""
    image = Image.new("RGB", (picture.shape[1], picture.shape[0] + KEY_PX), "white")
    image.paste(Image.fromarray(picture))
    pen, top, left = ImageDraw.Draw(image), picture.shape[0] + 4, 8
    for name, colour in FLAT.items():
        pen.rectangle((left, top, left + 12, top + 12), fill=colour, outline="black")
        pen.text((left + 17, top), name, fill="black")
        left += 30 + int(pen.textlength(name))
    return np.asarray(image)


def write_jpeg(path: Path, picture: np.ndarray) -> None:
    """Written aside, then renamed; as good as LARGEST_BYTES allow."""
    for quality in QUALITIES:
        content = io.BytesIO()
        Image.fromarray(picture).save(content, "JPEG", quality=quality, optimize=True, progressive=True)
        if content.tell() <= LARGEST_BYTES:
            break
    aside = path.with_name(path.name + ".part")
    aside.write_bytes(content.getvalue())
    os.replace(aside, path)
