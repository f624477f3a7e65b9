"""Colours of real cars' parts in the template's UV: what lamps, panes, trim and paint look like, and how they vary from car to car."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from scipy.spatial import cKDTree

from ..car.colour_draw import PICTURE_SIZE, PREFIX, Tensors, colour_parts
from ..car.parts import base_name, material_of
from ..car.template import template
from ..dataset.cars import CarModel, CarRow, read_cars, read_model
from ..dataset.labelled import PANES, LabelledCar, label
from ..dataset.part_table import PART_INDEX
from ..dataset.surfaces import sample
from ..errors import UserInputError
from ..render.render import rasterize
from .half_body import class_of, face_parts, half_body, template_half

MODES, SEED, PER_TRIANGLE, SAMPLES = 8, 0, 4, 30_000
BEHIND_GLASS_LINEAR = 0.02  # what a pane's transparency lets through: a dark cabin
OPAQUE = 0.5  # less opaque texels of decals are holes
NEAR_M = {"paint": 0.10, "glass": 0.15, "trim": 0.06}  # farther away lies another surface; others 0.15
FEWEST_LAMP_SAMPLES = 50
MOSTLY_PAINTED = 0.85  # a part that more cars than this have painted is painted; the rest are slips of the fit
LAMPS = ("headlight", "taillight")
PICTURED = ("glass", "trim", "grille", "headlight_lens", "tail_lens", "indicator_lens", "plate")
SAME_AS = {"fog_light": "high_beam"}  # the names of real cars do not tell fog lights from indicators in the bumper
RINGS = {"tyre": (0.85, 0.98), "rim": (0.2, 0.6), "hub": (0.0, 0.12)}  # by the wheel's radius


@dataclass(frozen=True)
class Colours:
    """Points on a car folded onto its left half: points_m (S, 3), linear (S, 3), part (S,) into PARTS, is_paint (S,) bool."""

    points_m: np.ndarray
    linear: np.ndarray
    part: np.ndarray
    is_paint: np.ndarray


@dataclass(frozen=True)
class Texels:
    """The texels of the left half's faces: row, column (N, 2), face (N,) of half_body().quads, weights (N, 4) of its corners."""

    place: np.ndarray
    face: np.ndarray
    weights: np.ndarray


@cache
def texels() -> Texels:
    """Which face each texel of the picture shows; the same object at every call."""
    quads = len(half_body().quads)
    uv = torch.from_numpy(template().uv01[:quads].reshape(-1, 2) * 2 - 1)
    clip = torch.cat([uv, torch.zeros(len(uv), 1), torch.ones(len(uv), 1)], 1)
    corner = torch.arange(4 * quads).view(quads, 4)
    triangles = torch.cat([corner[:, [0, 1, 2]], corner[:, [0, 2, 3]]])
    rast = rasterize(clip[None], triangles, (PICTURE_SIZE, PICTURE_SIZE), grad_db=False, with_db=False)[0][0].numpy()
    row, column = np.nonzero(rast[..., 3] > 0)
    u, v, triangle = rast[row, column, 0], rast[row, column, 1], rast[row, column, 3].astype(int) - 1
    corners = np.stack([u, v, 1 - u - v], 1)  # of the triangle's three corners, in order
    weights = np.zeros((len(row), 4))
    for k, (first, second) in enumerate(((0, 0), (1, 2), (2, 3))):
        weights[np.arange(len(row)), np.where(triangle < quads, first, second)] += corners[:, k]
    return Texels(np.stack([row, column], 1), triangle % quads, weights)


def colours_of(model: CarModel, car: LabelledCar) -> Colours:
    """Points on the outside, and inside the lamps, with their albedo; panes as they look before a dark cabin."""
    generator = np.random.default_rng(SEED)
    wanted = car.skin | np.isin(car.part, [PART_INDEX[name] for name in LAMPS])
    corners = model.positions_m.astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) * wanted
    small = wanted & ~np.isin(car.part, [PART_INDEX[name] for name in ("body", "wheel", "underbody")])
    extra = np.repeat(np.flatnonzero(small), PER_TRIANGLE)
    triangle = np.concatenate([generator.choice(len(area), SAMPLES, p=area / area.sum()), extra])
    weights = generator.dirichlet(np.ones(3), len(triangle))
    points = np.einsum("sk,skc->sc", weights, corners[triangle])
    points[:, 1] += car.triangles_m[..., 1].mean() - model.positions_m[..., 1].mean()  # the template's frame
    points[:, 0] = np.abs(points[:, 0])
    uv = np.einsum("sk,skc->sc", weights, model.uv01[triangle])
    surface = model.surface_index[triangle]
    rgba = np.concatenate([np.zeros((len(uv), 3)), np.ones((len(uv), 1))], 1)
    for number, held in enumerate(model.surfaces):
        rgba[surface == number] = sample(held.base, uv[surface == number])
    glass, paint = (np.array([getattr(s, name) for s in model.surfaces])[surface] for name in ("is_glass", "is_paint"))
    part = car.part[triangle]
    kept = (glass | (rgba[:, 3] > OPAQUE)) & ~_lenses_over_lamps(part, glass)
    before = np.where(glass[:, None], rgba[:, :3] * rgba[:, 3:] + BEHIND_GLASS_LINEAR * (1 - rgba[:, 3:]), rgba[:, :3])
    return Colours(points[kept], before[kept], part[kept], paint[kept])


def _lenses_over_lamps(part: np.ndarray, glass: np.ndarray) -> np.ndarray:
    """(S,) bool: glass before a lamp whose inside is modelled, and tells its colour better."""
    hidden = np.zeros(len(part), bool)
    for name in LAMPS:
        here = part == PART_INDEX[name]
        if (here & ~glass).sum() >= FEWEST_LAMP_SAMPLES:
            hidden |= here & glass
    return hidden


def paint_of(colours: Colours) -> np.ndarray | None:
    """(3,) linear: the median colour of the painted body, None where nothing is painted."""
    painted = colours.is_paint & np.isin(colours.part, [PART_INDEX[name] for name in ("body", "hood", "door")])
    return np.median(colours.linear[painted], 0) if painted.any() else None


def picture_of(colours: Colours, half_m: np.ndarray, body_type: str) -> tuple[np.ndarray, np.ndarray]:
    """A car's colours on the template fitted to it: linear (N, 3) by texel, nan where the car tells none, and painted (N,) bool.

    half_m (H, 3): the fitted left half's vertices.  Texels of parts that are not painted take nothing painted.
    """
    held = texels()
    points = np.einsum("nk,nkc->nc", held.weights, half_m[half_body().quads[held.face]])
    names = np.array(face_parts(body_type))[held.face]
    linear, painted = np.full((len(names), 3), np.nan), np.zeros(len(names), bool)
    trees: dict[tuple[str, bool], tuple[np.ndarray, cKDTree]] = {}
    for name in np.unique(names):
        here, material = names == name, material_of(name)
        key = (class_of(name), material == "paint")
        if key not in trees:
            chosen = _samples_for(colours, *key)
            trees[key] = chosen, cKDTree(colours.points_m[chosen])
        chosen, tree = trees[key]
        if len(chosen):
            distance, nearest = tree.query(points[here])
            found = np.where((distance < NEAR_M.get(material, 0.15))[:, None], colours.linear[chosen[nearest]], np.nan)
            linear[here], painted[here] = found, colours.is_paint[chosen[nearest]]
    words = np.array([base_name(name) for name in names])
    for name, like in SAME_AS.items():
        linear[words == name] = np.nanmedian(linear[words == like], 0) if (~np.isnan(linear[words == like, 0])).any() else np.nan
    return linear, painted & ~np.isnan(linear[:, 0])


def _samples_for(colours: Colours, kind: str, is_painted: bool) -> np.ndarray:
    """Indices of the samples that a part of this class may take its colour from."""
    same = colours.part == PART_INDEX[kind]
    if not same.any() and kind not in (*PANES, *LAMPS, "plate", "grille", "mirror"):
        same = colours.part == PART_INDEX["body"]
    return np.flatnonzero(same if is_painted else same & ~colours.is_paint)


def wheel_colours(colours: Colours, wheels: np.ndarray | None) -> dict[str, np.ndarray]:
    """Median linear colour of tyre, rim and hub, (3,) each: the outer sides' rings."""
    if wheels is None:
        return {}
    found: dict[str, list[np.ndarray]] = {name: [] for name in RINGS}
    for hub_x, hub_y, hub_z, radius, width in wheels[::2]:
        offset = colours.points_m - [hub_x, hub_y, hub_z]
        away = np.hypot(offset[:, 1], offset[:, 2]) / radius
        outside = (colours.part == PART_INDEX["wheel"]) & (offset[:, 0] > 0.1 * width)
        for name, (inner, outer) in RINGS.items():
            found[name].append(colours.linear[outside & (away >= inner) & (away < outer)])
    joined = {name: np.concatenate(values) for name, values in found.items()}
    return {name: np.median(values, 0) for name, values in joined.items() if len(values)}


@dataclass(frozen=True)
class CarColours:
    """One car: linear (N, 3) and painted (N,) by texel, colours of wheel parts, paint (3,) or None."""

    linear: np.ndarray
    painted: np.ndarray
    names: np.ndarray
    wheels: dict[str, np.ndarray]
    paint: np.ndarray | None


def read_colours(cars: Path, fits: Path, row: CarRow) -> CarColours:
    """The colours of one fitted car."""
    with np.load(fits / f"{row.name}.npz") as held:
        half_m = template_half(held["measures"]) + held["free_half_m"]
    model = read_model(cars, row)
    car = label(model)
    colours = colours_of(model, car)
    linear, painted = picture_of(colours, half_m, row.body_type)
    names = np.array([base_name(name) for name in face_parts(row.body_type)])[texels().face]
    return CarColours(linear, painted, names, wheel_colours(colours, car.wheels), paint_of(colours))


def learn_texture_modes(cars: Path, fits: Path) -> Tensors:
    """Colours of all training cars of CARS/cars.csv that FITS holds, as colour_draw.Tensors.  Raises UserInputError where it holds none."""
    rows = [row for row in read_cars(cars / "cars.csv", "train") if (fits / f"{row.name}.npz").is_file()]
    if len(rows) < 2:
        raise UserInputError(f"The folder {fits} holds fewer than two fits of the cars in {cars}; run the shape training first.")
    return summarise([read_colours(cars, fits, row) for row in rows])


def summarise(cars: list[CarColours]) -> Tensors:
    """Figures by part, and modes of the picture of what is not painted."""
    part_of_face = [base_name(template().part_names[k]) for k in template().part_index[: len(half_body().quads)]]
    part_of_texel = np.array([colour_parts().index(name) for name in part_of_face])[texels().face]
    pictured = np.isin(part_of_texel, [k for k, name in enumerate(colour_parts()) if material_of(name) in PICTURED])
    picture = np.stack([np.where(_same(car, part_of_texel)[:, None], car.linear, np.nan)[pictured] for car in cars])
    pictured = np.flatnonzero(pictured)[~np.isnan(picture).all((0, 2))]
    picture = picture[:, ~np.isnan(picture).all((0, 2))]
    mean, modes, coefficients = _modes(picture)
    paints = np.stack([car.paint for car in cars if car.paint is not None])
    places = {"texel": texels().place[pictured].astype(np.int16), "part_of_texel": part_of_texel[pictured].astype(np.int16)}
    floats = {"mean": mean, "modes": modes, "coefficients": coefficients, "paint": paints} | _by_part(cars)
    return {PREFIX + name: value for name, value in places.items()} | {PREFIX + k: v.astype(np.float16) for k, v in floats.items()}


def _same(car: CarColours, part_of_texel: np.ndarray) -> np.ndarray:
    """(N,) bool: texels whose part is the same in this car's body type as in the plain template."""
    return car.names == np.array(colour_parts())[part_of_texel]


def _modes(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(C, N, 3) with nan -> mean (N, 3), up to MODES modes (K, N, 3) of one standard deviation, coefficients (C, K).

    What a car does not tell counts as usual.
    """
    mean = np.nanmean(picture, 0)
    apart = np.where(np.isnan(picture), 0.0, picture - mean).reshape(len(picture), -1)
    scores, sizes, axes = np.linalg.svd(apart, full_matrices=False)
    count, root = min(MODES, len(picture) - 1), np.sqrt(len(picture) - 1)
    modes = axes[:count] * sizes[:count, None] / root
    return mean, modes.reshape(count, *mean.shape), scores[:, :count] * root


def _by_part(cars: list[CarColours]) -> dict[str, np.ndarray]:
    """part_colour (C, P, 3), painted (C, P), part_mean and part_spread (P, 3), of each part's median where it is not painted.

    A car that does not tell a part's colour has the mean; one that does not tell whether it is painted does as most cars do.
    """
    seen = np.full((len(cars), len(colour_parts()), 3), np.nan)
    painted = np.full(seen.shape[:2], np.nan)
    for c, car in enumerate(cars):
        for k, name in enumerate(colour_parts()):
            here = (car.names == name) & ~np.isnan(car.linear[:, 0])
            painted[c, k] = car.painted[here].mean() > 0.5 if here.any() else np.nan
            if (here & ~car.painted).any():
                seen[c, k] = np.median(car.linear[here & ~car.painted], 0)
            seen[c, k] = car.wheels.get(name, seen[c, k])
    told = ~np.isnan(seen[..., 0])
    count = np.maximum(told.sum(0), 1)[:, None]
    mean = np.where(told[..., None], seen, 0).sum(0) / count
    spread = np.sqrt(np.where(told[..., None], (seen - mean) ** 2, 0).sum(0) / count)
    paintable = np.array([material_of(name) == "paint" for name in colour_parts()])
    known = ~np.isnan(painted)
    share = np.where(known.any(0), np.where(known, painted, 0).sum(0) / np.maximum(known.sum(0), 1), paintable)
    painted = np.where((share > MOSTLY_PAINTED) & paintable, 1.0, np.where(known, painted, share > 0.5))
    return {"part_colour": np.where(told[..., None], seen, mean), "painted": painted, "part_mean": mean, "part_spread": spread}


def main(argv: list[str] | None = None) -> int:
    """Learn and print the figures by part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cars", type=Path, help="folder with cars.csv and the GLB files")
    parser.add_argument("fits", type=Path, help="folder with the fits, NAME.npz")
    arguments = parser.parse_args(argv)
    tensors = learn_texture_modes(arguments.cars, arguments.fits)
    for k, name in enumerate(colour_parts()):
        mean, spread = tensors[PREFIX + "part_mean"][k], tensors[PREFIX + "part_spread"][k]
        print(f"{name:24} {np.round(mean, 3)} +- {np.round(spread, 3)}, painted {tensors[PREFIX + 'painted'][:, k].mean():.2f}")
    print(f"{sum(value.nbytes for value in tensors.values()) / 2**20:.2f} MiB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
