"""Turntables: one car under two looks, each seen from several sides, with matte, view and everything the generator's groups know.

Pictures are drawn through the generator's own window (core/generator/window.py), so nothing of them depends on lens or framing.
"""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from ..frames import focal_px
from ..generator.groups import FACTORS, LIGHT_FLOOR, LIGHT_SIDES
from ..generator.surface import Solid, surface_maps
from ..generator.window import CarBox, window_camera, window_of
from ..perceive.heads import PART_CLASSES
from ..types import BODY_TYPES, Camera
from .cars import NOT_ONE_PAINT, CarModel
from .draw import Look, View, draw, shown_base
from .drawn import random_look
from .label_maps import label_maps
from .pictures import Row, Shot
from .sky import Sky, look, sky_of
from .subject import Subject
from .surfaces import linear_of_srgb, srgb_of_linear
from .wheel_swap import has_wheels, swap_wheels, wheel_srgb01

TURNTABLE_PX = 128
DRAWN_SCALE = 2  # pixels drawn for one of the picture, along a side
LOOKS, VIEWS = 2, 4  # of a car
MOST_DISTANCE_LENGTHS = 4.5
LAMPS = {"headlight": ("headlights_on", (6.0, 5.7, 5.0)), "taillight": ("taillights_on", (2.5, 0.12, 0.08))}
VIVID_SHARE = 0.3
EVEN_SHARE = 0.3  # of the looks are lit by a white sky all round, which shows a car's own colours
LAMP_SHARE = 0.35  # of the looks have headlights on, as many taillights
LOG_EXPOSED = (math.log(0.45), math.log(1.2))  # light on a white slope, the mean of five sides, 1 is a picture's white
SIDE_NORMALS = {"left": (1, 0, 0), "right": (-1, 0, 0), "nose": (0, -1, 0), "tail": (0, 1, 0), "up": (0, 0, 1), "down": (0, 0, -1)}


@dataclass(frozen=True, eq=False)
class Turntables:
    """N pictures of S x S pixels.  rgba (N, S, S, 4) uint8, sRGB premultiplied by alpha; view (N, 3) float32 as groups.VIEW; factors (N, F)
    float32 as groups.FACTORS, nan where unknown; car, look (N,) int64: pictures with the same number show the same car, and under the same
    light and paint; name (N,) of the model; drawn (N,) bool: not photographed by Cycles; surface (N, LAYERS, S, S) uint8 as
    surface_maps()."""

    rgba: np.ndarray
    view: np.ndarray
    factors: np.ndarray
    car: np.ndarray
    look: np.ndarray
    name: np.ndarray
    drawn: np.ndarray
    surface: np.ndarray

    def __len__(self) -> int:
        return len(self.rgba)


def turntable_rows(
    model: CarModel, subject: Subject, skies: Sequence[Sky], donors: Sequence[CarModel], random: np.random.Generator, number: int
) -> list[Row]:
    """LOOKS x VIEWS pictures of a model, whose subject it is; `number` tells this car from others of the same shard."""
    solid = solid_of(subject)
    usable = [donor for donor in donors if has_wheels(donor)]
    rows: list[Row] = []
    for look_number in range(LOOKS):
        dressed, part = model, subject.part_class
        if usable and has_wheels(model) and random.random() < 0.7:
            brightness = math.exp(random.normal(0, 0.4))
            dressed, source = swap_wheels(model, usable[random.integers(len(usable))], brightness)
            part = np.where(source < 0, PART_CLASSES.index("wheel"), subject.part_class[source]).astype(np.uint8)
        lighting = _even if random.random() < EVEN_SHARE else _exposed
        look_, lit = _with_lamps(_vivid(lighting(random_look(skies, random), random), random), part, random)
        factors = known_factors(subject, dressed, part, look_, lit)
        for _ in range(VIEWS):
            view = random_view(solid.box, random)
            picture = _picture(dressed, subject.shift_m, view, solid.box, look_)
            rows.append(_row(picture, view, factors, number, LOOKS * number + look_number, solid, model.row.name, True))
    return rows


def solid_of(subject: Subject) -> Solid:
    """The car as the generator is told it."""
    return Solid(subject.triangles_m, subject.part_class, CarBox.around(subject.triangles_m[subject.plain]))


def random_view(box: CarBox, random: np.random.Generator) -> np.ndarray:
    """(3,) azimuth all round, elevation -3..40 degrees (mode 8), the camera as near as its field of view allows up to 4.5 lengths away."""
    azimuth, elevation = random.uniform(-math.pi, math.pi), math.radians(random.triangular(-3, 8, 40))
    least = 1.4 * box.radius_m / box.length_m
    distance = math.exp(random.uniform(math.log(least), math.log(MOST_DISTANCE_LENGTHS)))
    lowest = (box.middle_m[2] - 0.25) / (distance * box.length_m)  # a camera above the ground
    return np.array([azimuth, max(elevation, -math.asin(min(lowest, 1.0))), math.log(distance)])


def photograph_row(shot: Shot, car: str, number: int) -> Row | None:
    """A photograph through the window, a turntable with one picture; None where something of the car is cut off or hidden."""
    size = shot.image.shape[0]
    border = np.concatenate([shot.maps.alpha[0], shot.maps.alpha[-1], shot.maps.alpha[:, 0], shot.maps.alpha[:, -1]]).max()
    solid = solid_of(shot.subject)
    box = solid.box
    camera = Camera((size, size), shot.focal_px / size * 36, shot.camera_to_car)
    if border > 12 or np.linalg.norm(shot.camera_to_car[:3, 3] - box.middle_m) < 1.05 * box.radius_m or not _free(shot):
        return None
    window = window_of(camera, box, TURNTABLE_PX)
    alpha = shot.maps.alpha[..., None].astype(np.float32) / 255
    picture = window.cut(np.concatenate([shot.image / 255 * alpha, alpha], 2))
    factors = _shape_factors(shot.subject) | {"headlights_on": 0.0, "taillights_on": 0.0}
    if car not in NOT_ONE_PAINT:
        factors |= dict(zip(("paint_red", "paint_green", "paint_blue"), srgb_of_linear(shot.paint_linear), strict=True))
    return _row(picture, window.view, factors, number, LOOKS * number, solid, car, False)


def _free(shot: Shot) -> bool:
    """Whether nothing stands before the car: its matte is what the car alone would leave."""
    alone = label_maps(shot.subject, shot.camera_to_car, shot.focal_px, shot.image.shape[0])
    return float(shot.maps.alpha.sum()) > 0.985 * float(alone.alpha.sum())


def known_factors(subject: Subject, model: CarModel, part_class: np.ndarray, look_: Look, lit: dict[str, float]) -> dict[str, float]:
    """By name, in the units of groups.FACTORS, of a dressed model whose parts are told; what is not known is left out."""
    found = _shape_factors(subject) | lit
    body = np.flatnonzero(part_class == PART_CLASSES.index("body"))
    colours = {"wheel": wheel_srgb01(model)}
    if len(body):
        colours["paint"] = srgb_of_linear(shown_base(model, body, look_))
    for prefix, colour in colours.items():
        found |= {f"{prefix}_{name}": float(value) for name, value in zip(("red", "green", "blue"), colour, strict=True)}
    if look_.paint_linear is not None:
        found |= {"paint_roughness": look_.paint_roughness, "paint_metal": look_.paint_metal}
    return found | _light_factors(look_)


def _shape_factors(subject: Subject) -> dict[str, float]:
    return {f"body_{name}": float(name == subject.body_type) for name in BODY_TYPES}


def _light_factors(look_: Look) -> dict[str, float]:
    normals = np.array([SIDE_NORMALS[side] for side in LIGHT_SIDES], float)
    light = look(look_.sky.irradiance, normals, look_.yaw_rad)
    if look_.ground_linear is not None:
        light[LIGHT_SIDES.index("down")] = look_.ground_linear * light[LIGHT_SIDES.index("up")]
    told = np.log(light * look_.exposure + LIGHT_FLOOR)
    names = [name for name in FACTORS if name.startswith("light_")]
    return dict(zip(names, map(float, told.ravel()), strict=True)) | {"filmic": float(look_.filmic)}


def _exposed(look_: Look, random: np.random.Generator) -> Look:
    """Exposed for the car, as a photographer would: some part of what falls on its sides on the average."""
    light = look(look_.sky.irradiance, np.array([SIDE_NORMALS[side] for side in LIGHT_SIDES if side != "down"], float), look_.yaw_rad)
    return replace(look_, exposure=math.exp(random.uniform(*LOG_EXPOSED)) / max(float(light.mean()), 1e-3))


def _even(look_: Look, random: np.random.Generator) -> Look:
    """Under a white sky all round, over no ground, as latent.EVEN_LIGHT has it."""
    return replace(look_, sky=_white_sky(), exposure=1.0, ground_linear=None, filmic=False)


@cache
def _white_sky() -> Sky:
    return sky_of(np.ones((64, 128, 3), np.float32))


def _vivid(look_: Look, random: np.random.Generator) -> Look:
    """Some cars in strong colours: most real ones are grey, and a paint that is never seen cannot be set."""
    if random.random() > VIVID_SHARE:
        return look_
    paint = linear_of_srgb(np.array(colorsys.hsv_to_rgb(random.random(), random.uniform(0.6, 1), random.uniform(0.3, 0.95))))
    return replace(look_, paint_linear=paint)


def _with_lamps(look_: Look, part_class: np.ndarray, random: np.random.Generator) -> tuple[Look, dict[str, float]]:
    glow, lit = np.zeros((len(part_class), 3), np.float32), {}
    for part, (factor, radiance) in LAMPS.items():
        lit[factor] = float(random.random() < LAMP_SHARE)
        glow[part_class == PART_CLASSES.index(part)] = lit[factor] * np.array(radiance) / look_.exposure
    return replace(look_, glow_linear=glow if any(lit.values()) else None), lit


def _picture(model: CarModel, shift_m: float, view: np.ndarray, box: CarBox, look_: Look) -> np.ndarray:
    """(S, S, 4) float32 0..1, premultiplied."""
    size = DRAWN_SCALE * TURNTABLE_PX
    camera = window_camera(view, box, size)
    of_model = camera.camera_to_car.copy()
    of_model[1, 3] -= shift_m
    colour, mask = draw(model, View(of_model, focal_px(camera), (size / 2, size / 2), size), look_)
    drawn = np.concatenate([colour.clip(0, 1) * mask[..., None], mask[..., None]], 2).astype(np.float32)
    return cv2.resize(drawn, (TURNTABLE_PX, TURNTABLE_PX), interpolation=cv2.INTER_AREA)


def _row(
    picture: np.ndarray, view: np.ndarray, factors: dict[str, float], car: int, look_number: int, solid: Solid, name: str, drawn: bool
) -> Row:
    return {
        "rgba": (picture.clip(0, 1) * 255 + 0.5).astype(np.uint8), "view": view.astype(np.float32),
        "factors": np.array([factors.get(key, np.nan) for key in FACTORS], np.float32), "car": np.array(car), "look": np.array(look_number),
        "name": np.array(name), "drawn": np.array(drawn), "surface": surface_maps(solid, view, TURNTABLE_PX),
    }  # fmt: skip


def read_turntables(folders: Sequence[Path]) -> Turntables:
    """All pictures under some folders, in the order of the file names.  Raises FileNotFoundError where there are none."""
    files = [f for folder in folders for f in sorted(folder.glob("*.npz")) if not f.name.endswith(".part.npz")]
    if not files:
        raise FileNotFoundError(f"{', '.join(map(str, folders))} holds no turntables; make them with core/dataset/make_turntables.py")
    shards: list[dict[str, np.ndarray]] = []
    first_car = 0
    for file in files:
        with np.load(file) as content:
            shard = {field.name: content[field.name] for field in fields(Turntables)}
        shard["car"], shard["look"] = shard["car"] + first_car, shard["look"] + LOOKS * first_car
        first_car = int(shard["car"].max()) + 1
        shards.append(shard)
    return Turntables(**{field.name: np.concatenate([shard[field.name] for shard in shards]) for field in fields(Turntables)})
