"""Pictures drawn here, by the thousand: changed and recast copies of the training cars and draws of the shape space under panoramas."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Iterator, Sequence
from itertools import islice

import cv2
import numpy as np
import torch

from ..car.car import whole, whole_vertices
from ..car.draw_car import DrawnCars
from ..car.part_classes import classes_of_parts
from ..car.parts import rename_for
from ..car.prior import shape_prior
from ..car.space import shape_space
from ..frames import orbit
from ..paint.materials import KIND_NAMES, KINDS, kind_of_parts
from .cars import CarModel, CarRow
from .deform import remould, widen
from .draw import Look, View, draw
from .label_maps import label_maps
from .pictures import STORED_PX, Row, labelled_row, paint_of
from .recast import FittedTemplate, Recaster, shapes
from .sky import Sky
from .subject import Subject, SubjectMaker
from .surfaces import Surface, linear_of_srgb

REMOULDED_SHARE = 0.75
WIDENED_SHARE = 0.5  # of recast cars, stretched further than real cars are: proportions are to be seen, not guessed from the kind of car
VIEWED_POINTS = 5000  # of a car, about as many as decide whether it fits the picture
DRAWN_SCALE = 1.5  # pixels drawn for one of the picture, along a side


def random_look(skies: Sequence[Sky], random: np.random.Generator) -> Look:
    """Sky, ground, paint and exposure at random."""
    octaves = [cv2.resize(random.random((n, n)).astype(np.float32), (256, 256), interpolation=cv2.INTER_CUBIC) for n in (8, 32, 128, 256)]
    noise = sum((o - 0.5) * w for o, w in zip(octaves, random.uniform(0, 0.6, 4), strict=True)) + np.float32(1)
    grey = math.exp(random.uniform(math.log(0.01), math.log(0.8)))
    saturation = random.choice([0.0, random.uniform(0.3, 1)])
    tint = colorsys.hsv_to_rgb(random.choice([0.0, 0.6, random.random()]), saturation, 1)
    return Look(
        sky=skies[random.integers(len(skies))],
        yaw_rad=random.uniform(0, 2 * math.pi),
        exposure=math.exp(random.uniform(-0.5, 0.9)),
        ground_linear=None if random.random() < 0.15 else random.uniform(0.03, 0.5) * random.uniform(0.85, 1.15, 3),
        ground_noise=np.asarray(noise, np.float32).clip(0.05, 2),
        ground_scale=math.exp(random.uniform(-2, 1.5)),
        paint_linear=None if random.random() < 0.25 else grey * np.array(tint),
        paint_roughness=random.uniform(0.08, 0.5),
        paint_metal=random.choice([0.0, random.uniform(0, 0.9)]),
        filmic=bool(random.random() < 0.5),
    )


def random_view(subject: Subject, random: np.random.Generator) -> tuple[np.ndarray, float]:
    """camera_to_car (4, 4) and the focal length in shares of the picture's side.

    Azimuth all round, elevation triangular -5..45 degrees (mode 6), lens 24..120 mm, the car 0.5 to 1.05 of the side.
    """
    azimuth, elevation = random.uniform(0, 2 * math.pi), math.radians(random.triangular(-5, 6, 45))
    focal, fill = math.exp(random.uniform(math.log(24), math.log(120))) / 36, random.uniform(0.5, 1.05)
    points = subject.triangles_m.reshape(-1, 3)[:: max(3, len(subject.triangles_m) // VIEWED_POINTS)].astype(np.float64)
    target = (points.min(0) + points.max(0)) / 2 + random.normal(0, (0.25, 0.25, 0.12))
    distance = 2.0
    for _ in range(400):
        camera = orbit(azimuth, elevation, distance, tuple(target))
        camera[2, 3] = max(camera[2, 3], 0.15)
        local = (points - camera[:3, 3]) @ camera[:3, :3]
        if local[:, 2].max() < -0.3 and np.abs(local[:, :2] / -local[:, 2:]).max() * focal < fill / 2:
            break
        distance *= 1.03
    roll = random.normal(0, math.radians(1.5))
    camera[:3, :3] = camera[:3, :3] @ np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    return camera, focal


def drawn_row(model: CarModel, subject: Subject, skies: Sequence[Sky], random: np.random.Generator) -> Row | None:
    """One picture of a model, whose subject it is; None where too little of it is seen."""
    camera, focal = random_view(subject, random)
    look, size = random_look(skies, random), round(DRAWN_SCALE * STORED_PX)
    of_model = camera.copy()
    of_model[1, 3] -= subject.shift_m
    picture, _ = draw(model, View(of_model, focal * size, (size / 2, size / 2), size), look)
    image = (cv2.resize(picture, (STORED_PX, STORED_PX), interpolation=cv2.INTER_AREA).clip(0, 1) * 255 + 0.5).astype(np.uint8)
    maps = label_maps(subject, camera, focal * STORED_PX, STORED_PX)
    paint = look.paint_linear if look.paint_linear is not None else paint_of(model)
    return labelled_row(image, maps, subject, camera, focal * STORED_PX, paint, model.row.name, True)


def changed_copies(model: CarModel, random: np.random.Generator) -> Iterator[CarModel]:
    """Endless: a training car stretched, three of four bent as well."""
    while True:
        other = widen(model, random)
        yield remould(other, random) if random.random() < REMOULDED_SHARE else other


def recast_copies(model: CarModel, maker: SubjectMaker, fit: FittedTemplate, random: np.random.Generator) -> Iterator[CarModel]:
    """Endless: a training car, whose maker and fitted template these are, in other shapes of the shape space, half of them stretched."""
    recaster = Recaster(model, fit, maker.subject(model).shift_m)
    for shape in shapes(fit, model.row.body_type, shape_prior(), shape_space(), random):
        copy = recaster.recast(shape)
        yield widen(copy, random) if random.random() < WIDENED_SHARE else copy


def rows_of_copies(
    copies: Iterator[CarModel], maker: SubjectMaker, skies: Sequence[Sky], count: int, random: np.random.Generator
) -> list[Row]:
    """`count` pictures, each of the next copy of the car whose maker this is; those that show too little of it are left out."""
    found = (drawn_row(copy, maker.subject(copy), skies, random) for copy in islice(copies, count))
    return [row for row in found if row is not None]


def invented_rows(cars: DrawnCars, skies: Sequence[Sky], random: np.random.Generator) -> list[Row]:
    """Two pictures of every draw of the shape space."""
    rows: list[Row] = []
    for measures, coefficients, body_type in zip(cars.measures, cars.coefficients, cars.body_types, strict=True):
        model, subject = invented_model(measures, coefficients, body_type)
        rows += [row for _ in range(2) if (row := drawn_row(model, subject, skies, random)) is not None]
    return rows


def invented_model(measures: np.ndarray, coefficients: np.ndarray, body_type: str) -> tuple[CarModel, Subject]:
    """A point of the shape space as a model with plain materials, and its labels' subject."""
    mesh = whole()
    with torch.no_grad():
        vertices = whole_vertices(torch.from_numpy(measures)[None], torch.from_numpy(coefficients)[None])[0].numpy()
    triangles = vertices[mesh.triangles.numpy()].astype(np.float32)
    renamed = rename_for(body_type)
    names = tuple(renamed.get(name, name) for name in mesh.part_names)
    part = mesh.part_index.numpy()
    kind = kind_of_parts(names)[part]
    per_wheel = _wheel_numbers(triangles, np.array([name in ("tyre", "rim", "hub") for name in names])[part])
    normals = _smooth_normals(vertices, mesh.triangles.numpy())
    row = CarRow(f"invented_{body_type}", "train", body_type, "Imago", "GPL-3.0-or-later")
    surfaces = tuple(_surface(name) for name in KIND_NAMES)
    model = CarModel(row, triangles, normals, np.zeros((len(triangles), 3, 2), np.float32), kind, surfaces, per_wheel)
    plain = np.array([not name.startswith("mirror") for name in names])[part]
    classes = classes_of_parts(names)[part]
    return model, Subject(triangles, classes, plain, _wheel_rows(triangles, model.wheel_index), 0.0, body_type)


def _wheel_numbers(triangles: np.ndarray, is_wheel: np.ndarray) -> np.ndarray:
    middle = triangles.mean(1)
    corner = np.where(middle[:, 1] < 0, 0, 2) + np.where(middle[:, 0] > 0, 0, 1)
    return np.where(is_wheel, corner, 4)


def _wheel_rows(triangles: np.ndarray, wheel_index: np.ndarray) -> np.ndarray:
    rows = []
    for number in range(4):
        points = triangles[wheel_index == number].reshape(-1, 3).astype(np.float64)
        low, high = points.min(0), points.max(0)
        rows.append([*((low + high) / 2), (high[2] - low[2]) / 2, high[0] - low[0]])
    return np.array(rows)


def _smooth_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    corner = vertices[triangles]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    total = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(total, triangles[:, k], face)
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
    return total[triangles].astype(np.float32)


def _surface(kind: str) -> Surface:
    figures = KINDS[kind]
    base = np.array([*linear_of_srgb(np.array(figures.srgb01)), 0.5 if kind == "glass" else 1.0], np.float32).reshape(1, 1, 4)
    rough_metal = np.array([figures.roughness, figures.metallic], np.float32).reshape(1, 1, 2)
    return Surface(kind, base, rough_metal, kind == "glass", kind == "paint")
