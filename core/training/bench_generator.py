"""Measure the image generator: how near its pictures come to training pictures, whether it obeys, how well photographs are inverted.

    python3 build.py bench generator --turntables FOLDER... [--bench BENCH_DIR] [--count 5000] [--weights FOLDER] [--json FILE]

frechet_*: Frechet distance on the perceiver's features, of generated pictures and of other training pictures (the floor) to training
pictures, whole or shrunk to 64 pixels.  azimuth_*: degrees between the view that was asked for and the perceiver's.  paint_error: mean
absolute difference in sRGB of the paint that was asked for and the middle colour of the drawn body under even light;
paint_error_of_training: the same of training pictures under even light, whose gloss lightens them too; paint_error_of_same: how far from
the middle colour of such a picture that of the generator's lies, told the same factors and nothing else.  leak: by how much the change of
one group changes what is read of another, over what a new draw of everything changes.  inversion_*: BENCH_DIR's photographs through the
window, encoder alone and optimised.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from ..dataset.turntables import Turntables, read_turntables
from ..generator.groups import FACTOR_MEAN, FACTOR_SCALE, FACTOR_SLICE, FACTORS, FREE_COUNT, NAMES, WIDTH
from ..generator.invent import drawn_shape, solid_of_shape
from ..generator.latent import EVEN_LIGHT, Latent, with_body_types
from ..generator.views import draw_surfaces, shown01
from ..generator.weights import CarGenerator, load_generator
from ..invert.invert import QUALITIES, in_reach, invert, likeness
from ..invert.posed import pose
from ..perceive.network import CarNetwork
from ..perceive.perceive import loaded
from ..types import Settings
from ..weights import FOLDER
from .frechet import frechet_distance
from .generator_loss import at_size
from .perceived import azimuth_and_shape, colours_of_parts, features_of
from .sample_sheet import random_latents
from .turntable_batches import TurntableBatches, pictures_of, surfaces_of

CHUNK = 32
PAINT = [FACTORS.index(f"paint_{name}") for name in ("red", "green", "blue")]
NEARLY = 0.1  # of a factor of the light
TRUNCATION01 = 0.7  # of the shapes that obey
READ_OF_PARTS = {"paint": ("body",), "wheels": ("wheel",), "lamps": ("headlight", "taillight")}


def frechet(
    parts: CarGenerator, network: CarNetwork, turntables: Turntables, batches: TurntableBatches, count: int, size_px: int
) -> dict[str, float]:
    """Of `count` generated pictures, and of as many other training pictures, to as many training pictures."""
    order = np.random.default_rng(3).permutation(np.flatnonzero(turntables.drawn))
    count = min(count, len(order) // 2)

    def real(numbers: np.ndarray) -> Iterator[np.ndarray]:
        for chunk in np.array_split(numbers, math.ceil(len(numbers) / CHUNK)):
            yield shrunk(shown01(pictures_of(turntables, chunk, np.zeros(len(chunk), bool))), size_px)

    def drawn() -> Iterator[np.ndarray]:
        shapes = order[-count:]  # seen from where none of the `truth` was
        latents = random_latents(batches, shapes, parts.generator.size.content_layers, 1)
        for first in range(0, count, CHUNK):
            some = slice(first, first + CHUNK)
            surfaces = surfaces_of(turntables, shapes[some], np.zeros(len(shapes[some]), bool))
            yield shrunk(draw_surfaces(parts.generator, latents.chosen(some), surfaces, turntables.view[shapes[some]]), size_px)

    truth = features_of(network, real(order[:count]))
    found, other = features_of(network, drawn()), features_of(network, real(order[count : 2 * count]))
    return {"count": count, "generated": frechet_distance(found, truth), "floor": frechet_distance(other, truth)}


def shrunk(pictures01: np.ndarray, size_px: int) -> np.ndarray:
    """(N, S, S, 4) premultiplied -> (N, size_px, size_px, 4): area means."""
    return at_size(torch.from_numpy(pictures01).permute(0, 3, 1, 2), size_px).permute(0, 2, 3, 1).contiguous().numpy()


def obedience(parts: CarGenerator, network: CarNetwork, turntables: Turntables, batches: TurntableBatches, count: int) -> dict[str, object]:
    """View, paint and groups of `count` draws of the shape space; see the top of this file."""
    generator, chosen = parts.generator, np.random.default_rng(4).choice(np.flatnonzero(turntables.drawn), count)
    views, side = turntables.view[chosen].astype(np.float64), parts.generator.size.picture_px
    cars = [drawn_shape(seed, TRUNCATION01) for seed in range(count)]
    solids = [solid_of_shape(car) for car in cars]
    own, others = (
        torch.cat([solid.surfaces(view[None], side) for solid, view in zip(some, views, strict=True)])
        for some in (solids, solids[-1:] + solids[:-1])
    )
    latent = with_body_types(random_latents(batches, chosen, generator.size.content_layers, 2), [car.body_type for car in cars])
    before = _read(parts, network, draw_surfaces(generator, latent, own, views), own, views)
    turn = np.degrees(np.abs((before["view"][:, 0] - views[:, 0] + np.pi) % (2 * np.pi) - np.pi))
    even = latent.evenly_lit()
    asked = even.factors[:, PAINT].numpy()
    paint = np.abs(colours_of_parts(draw_surfaces(generator, even, own, views), own, READ_OF_PARTS["paint"]) - asked)
    other = latent.chosen(np.roll(np.arange(count), 1))
    anew = _changes(before, _read(parts, network, draw_surfaces(generator, other, others, views), others, views))
    leak = {}
    for name in NAMES:
        surfaces = others if name == "shape" else own
        drawn = draw_surfaces(generator, latent.with_group(name, other), surfaces, views)
        after = _changes(before, _read(parts, network, drawn, surfaces, views))
        leak[name] = {read: round(after[read] / max(anew[read], 1e-6), 3) for read in anew if read != name}
    return {
        "azimuth_median_deg": float(np.median(turn)), "azimuth_worst_tenth_deg": float(np.quantile(turn, 0.9)),
        "paint_error": float(np.nanmean(paint)), "leak": leak,
    }  # fmt: skip


def paint_of_same(parts: CarGenerator, turntables: Turntables, count: int) -> dict[str, float]:
    """paint_error_of_training and paint_error_of_same of up to `count` drawn pictures under even light; {} where there are none."""
    even = turntables.factors[:, [FACTORS.index(name) for name in EVEN_LIGHT]]
    told = ~np.isnan(turntables.factors[:, PAINT]).any(1)
    numbers = np.flatnonzero(turntables.drawn & told & (np.abs(even - list(EVEN_LIGHT.values())) < NEARLY).all(1))
    numbers = np.random.default_rng(5).permutation(numbers)[:count]
    if not len(numbers):
        return {}
    factors, surfaces = turntables.factors[numbers], torch.from_numpy(turntables.surface[numbers])
    shown = colours_of_parts(turntables.rgba[numbers] / np.float32(255), surfaces, READ_OF_PARTS["paint"])
    same = torch.from_numpy(np.where(np.isnan(factors), np.array(FACTOR_MEAN, np.float32), factors))
    latent = Latent(torch.zeros(len(same), FREE_COUNT), same, torch.zeros(len(same), parts.generator.size.content_layers, WIDTH))
    drawn = draw_surfaces(parts.generator, latent, surfaces, turntables.view[numbers].astype(np.float64))
    again = colours_of_parts(drawn, surfaces, READ_OF_PARTS["paint"])
    return {
        "paint_error_of_training": float(np.nanmean(np.abs(shown - factors[:, PAINT]))),
        "paint_error_of_same": float(np.nanmean(np.abs(again - shown))),
    }


def _read(
    parts: CarGenerator, network: CarNetwork, pictures: np.ndarray, surfaces: torch.Tensor, views: np.ndarray
) -> dict[str, np.ndarray]:
    """What is read of pictures, by name: rows of numbers whose differences mean something, nan where nothing is to be seen."""
    azimuth, shape = azimuth_and_shape(network, pictures)
    with torch.no_grad():
        told = torch.from_numpy(pictures.transpose(0, 3, 1, 2) * 2 - 1)
        factors = parts.encoder(told, torch.from_numpy(views.astype(np.float32))).factors / torch.tensor(FACTOR_SCALE)
    colours = {name: colours_of_parts(pictures, surfaces, classes) for name, classes in READ_OF_PARTS.items()}
    return {"view": azimuth[:, None], "shape": shape, **colours, "light": factors[:, FACTOR_SLICE["light"]].numpy()}


def _changes(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> dict[str, float]:
    """Mean absolute change of each that is seen both times; the view is no group and left out: a new draw keeps it."""
    changes = {name: np.abs(after[name] - before[name]) for name in before if name != "view"}
    return {name: float(change[~np.isnan(change)].mean()) if not np.isnan(change).all() else math.nan for name, change in changes.items()}


def inversion(parts: CarGenerator, bench: Path) -> dict[str, object]:
    """Means over the photographs of a bench with its masks, by quality: psnr_db, feature_distance, seconds."""
    rows: dict[str, list[list[float]]] = {"draft": [], "normal": []}
    for file in sorted(bench.glob("*.jpg")):
        posed = pose(file, file.with_name(f"{file.stem}_mask.png"), Settings(quality="draft"), lambda stage, share01: None)
        if not in_reach(posed.camera, posed.solid.box):
            continue
        for quality, results in rows.items():
            began = time.perf_counter()
            done = invert(posed.photo, posed.matte, posed.camera, posed.solid, parts, QUALITIES[quality], lambda stage, share01: None)
            results.append([*likeness(parts, done).values(), time.perf_counter() - began])
    return {
        quality: dict(zip(("psnr_db", "feature_distance", "seconds"), np.mean(results, 0).round(3).tolist(), strict=True))
        | {"photographs": len(results)}
        for quality, results in rows.items()
    }


def main(arguments: list[str] | None = None) -> None:
    """Command line; also called by build.py bench generator."""
    parser = argparse.ArgumentParser(prog="bench generator", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turntables", nargs="+", type=Path, required=True)
    parser.add_argument("--bench", type=Path)
    parser.add_argument("--count", type=int, default=5000, help="pictures for the Frechet distance")
    parser.add_argument("--obeyed", type=int, default=128, help="cars for the measures of obedience")
    parser.add_argument("--weights", type=Path, default=FOLDER)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    parts, network = load_generator(given.weights), loaded(FOLDER, "cpu")
    turntables = read_turntables(given.turntables)
    batches = TurntableBatches(turntables, np.arange(len(turntables)), 1, 1, 0, 0)
    obeyed = obedience(parts, network, turntables, batches, given.obeyed) | paint_of_same(parts, turntables, given.obeyed)
    found: dict[str, object] = {"obedience": obeyed}
    print(json.dumps(found), flush=True)
    if given.bench is not None:
        found["inversion"] = inversion(parts, given.bench)
        print(json.dumps(found["inversion"]), flush=True)
    for size_px in sorted({64, parts.generator.size.picture_px}) if given.count else ():
        found[f"frechet_{size_px}"] = frechet(parts, network, turntables, batches, given.count, size_px)
        print(size_px, json.dumps(found[f"frechet_{size_px}"]), flush=True)
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
