"""Cars that never were: a draw of the shape space that wears numbers drawn at random, and its picture, a photograph like any other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from ..asset.aside import write_whole
from ..asset.png import png_bytes
from ..car.car import build_body, build_wheels
from ..car.draw_car import draw_cars
from ..car.measures import to_dict
from ..car.prior import shape_prior
from ..car.space import shape_space
from ..types import Camera, CarShape, Settings
from .generator import Generator
from .groups import FACTOR_SLICE, FACTORS, FREE_COUNT, WIDTH
from .latent import Latent, with_body_types
from .surface import Solid
from .views import draw_views, straight
from .weights import CarGenerator
from .window import window_camera

PAINT = ("paint_red", "paint_green", "paint_blue")
SIDE_PX = 512  # of the picture that is handed on; the generator's own is smaller
SHOWN_VIEW = (math.radians(38), math.radians(9), 0.75)  # three-quarter from the front left, as groups.VIEW


@dataclass(frozen=True, eq=False)
class Invented:
    """One car: its look, its shape, and that shape as the generator is told it."""

    latent: Latent
    shape: CarShape
    solid: Solid

    @property
    def paint_srgb01(self) -> tuple[float, float, float]:
        """What the generator was told of the paint."""
        told = (self.latent.factors[0, [FACTORS.index(name) for name in PAINT]]).clamp(0, 1).tolist()
        return told[0], told[1], told[2]

    @property
    def camera(self) -> Camera:
        """Of picture_of(), car frame."""
        return window_camera(np.array(SHOWN_VIEW), self.solid.box, SIDE_PX)


def invent(parts: CarGenerator, settings: Settings) -> Invented:
    """The car of settings.seed, or one between it and that of settings.toward_seed, of the body type and paint that are asked for, evenly
    lit.  Raises WeightsError."""
    shape = drawn_shape(settings.seed, settings.truncation01, settings.invented_body)
    latent = _look(parts, settings.seed, settings.truncation01)
    if settings.toward_seed is not None:
        other = drawn_shape(settings.toward_seed, settings.truncation01, settings.invented_body)
        shape = between(shape, other, settings.share01)
        latent = latent.toward(_look(parts, settings.toward_seed, settings.truncation01), settings.share01)
    if settings.invented_paint_srgb01 is not None:
        latent = latent.with_factors(**dict(zip(PAINT, settings.invented_paint_srgb01, strict=True)))
    return Invented(with_body_types(latent, [shape.body_type]), shape, solid_of_shape(shape))


def drawn_shape(seed: int, truncation01: float, body_type: str = "") -> CarShape:
    """A draw of the shape space, of any body type or of one, drawn toward its type's typical car by the truncation (Karras et al., CVPR
    2019, appendix B)."""
    cars = draw_cars(1, seed, shape_prior(), shape_space(), truncation01, body_type=body_type)
    return CarShape(to_dict(cars.measures[0]), cars.body_types[0], tuple(map(float, cars.coefficients[0])))


def between(one: CarShape, other: CarShape, share01: float) -> CarShape:
    """The straight way from one shape to another; the nearer one's body type."""
    measures = {name: (1 - share01) * value + share01 * other.measures[name] for name, value in one.measures.items()}
    coefficients = (1 - share01) * np.array(one.coefficients) + share01 * np.array(other.coefficients)
    return CarShape(measures, (one if share01 < 0.5 else other).body_type, tuple(map(float, coefficients)))


def solid_of_shape(shape: CarShape) -> Solid:
    """A point of the shape space as the generator is told it."""
    return Solid.of_car(build_body(shape), build_wheels(shape))


def _look(parts: CarGenerator, seed: int, truncation01: float) -> Latent:
    """z and, group by group, the factors of some training picture; both drawn toward the mean by the truncation."""
    random = np.random.default_rng([seed, 9])
    free = torch.from_numpy(random.standard_normal((1, FREE_COUNT)).astype(np.float32)) * truncation01
    known, mean = parts.known_factors, parts.known_factors.mean(0)
    factors = mean[None].clone()
    for columns in FACTOR_SLICE.values():
        found = known[int(random.integers(len(known))), columns]
        factors[0, columns] = torch.lerp(mean[columns], found, math.sqrt(truncation01))  # group means are grey: stay nearer to real ones
    layers = parts.generator.size.content_layers
    return Latent(free, factors, torch.zeros((1, layers, WIDTH))).evenly_lit()


def picture_of(generator: Generator, invented: Invented) -> np.ndarray:
    """(SIDE_PX, SIDE_PX, 4) uint8 sRGB with straight alpha, three-quarter from the front."""
    rgba = draw_views(generator, invented.latent, invented.solid, np.array([SHOWN_VIEW]))[0]
    large = cv2.resize(rgba, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    return np.rint(straight(large) * 255).astype(np.uint8)


def write_picture(generator: Generator, invented: Invented, path: Path) -> None:
    """Write picture_of() as PNG, aside and then renamed.  Raises UserInputError where it cannot be written."""
    write_whole(path, png_bytes(picture_of(generator, invented)))
