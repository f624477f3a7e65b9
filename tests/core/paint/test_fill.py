"""The carried tint runs along the surface and stays within a material; colours are measured robustly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imago.core.paint.colour import (
    dominant_colour,
    linear_from_srgb,
    oklab_from_srgb,
    srgb_from_linear,
    srgb_from_oklab,
    weighted_median,
)
from imago.core.paint.fill import CARRY_M, carried_tint
from imago.core.paint.texels import Texels, nearest_covered, padding_of, texels_of
from imago.core.types import MeshData

CELL_M = 0.05


def sheet(length_m: float = 6.0) -> tuple[MeshData, Texels]:
    """A strip of quads along Y, unwrapped plainly."""
    cells = round(length_m / CELL_M)
    y = np.arange(cells + 1) * CELL_M
    vertices = np.concatenate([np.stack([np.full_like(y, x), y, 0 * y], 1) for x in (0.0, 0.1)]).astype(np.float32)
    k = np.arange(cells)
    quads = np.stack([k, k + cells + 1, k + cells + 2, k + 1], 1).astype(np.int32)
    uv = np.stack([vertices[:, 0] / 0.1, vertices[:, 1] / length_m], 1).astype(np.float32)
    mesh = MeshData(vertices, quads, uv[quads], np.zeros(cells, np.int32), ("roof",))
    return mesh, texels_of(mesh, 256)


def test_texels_lie_where_the_layout_says():
    """In the UV square itself: spreading the corners' UV gives back the middle of every texel."""
    mesh, texels = sheet()
    assert len(texels.index) > 0.95 * 256**2 and (np.diff(texels.index) > 0).all()
    middle = np.stack([texels.index % 256 + 0.5, 255.5 - texels.index // 256], 1) / 256
    assert np.abs(texels.between(texels.triangle_uv01) - middle).max() < 1e-4
    places = np.array([3, 500, 7])
    assert (texels.between(texels.triangle_uv01, places) == texels.between(texels.triangle_uv01)[places]).all()
    assert texels_of(mesh, 256).index is texels.index, "the layout is rasterised once"


def test_tint_is_held_where_seen_and_fades_with_distance():
    mesh, texels = sheet()
    y = texels.spread(mesh.vertices_m)[:, 1]
    place = np.flatnonzero(y < 1.0)
    difference = np.tile(np.array([[0.2, -0.1, 0.0]], np.float32), (len(place), 1))
    kind, belief = np.zeros(len(texels.triangles), np.int64), np.ones(len(place), np.float32)
    tint = texels.between(carried_tint(texels, mesh.vertices_m, kind, place, difference, belief))
    assert np.abs(tint[y < 0.9] - [0.2, -0.1, 0.0]).max() < 0.02
    beside, near, far = (tint[np.abs(y - at) < 0.05, 0].mean() for at in (1.1, 1 + CARRY_M / 2, 5.5))
    assert 0.15 < beside < 0.2 and far < 0.01 and far < near < beside


def test_tint_does_not_cross_into_another_material():
    mesh, texels = sheet()
    y = texels.spread(mesh.vertices_m)[:, 1]
    centre = mesh.vertices_m[texels.triangles].mean(1)[:, 1]
    kind, place = (centre > 2.0).astype(np.int64), np.flatnonzero(y < 1.5)
    difference, belief = np.full((len(place), 3), 0.3, np.float32), np.ones(len(place), np.float32)
    tint = texels.between(carried_tint(texels, mesh.vertices_m, kind, place, difference, belief))
    assert tint[y < 1.4].min() > 0.25 and tint[y > 2.1].max() == 0


def test_without_any_sight_there_is_no_tint():
    mesh, texels = sheet()
    kind, nothing = np.zeros(len(texels.triangles), np.int64), np.zeros(0, np.int64)
    assert (carried_tint(texels, mesh.vertices_m, kind, nothing, np.zeros((0, 3), np.float32), np.zeros(0, np.float32)) == 0).all()


def test_padding_repeats_the_nearest_covered_texel():
    picture = np.zeros((6, 6), np.float32)
    covered = np.zeros((6, 6), bool)
    picture[1, 1], picture[4, 4] = 0.25, 0.75
    covered[1, 1] = covered[4, 4] = True
    outside, source = nearest_covered(covered)
    assert len(outside) == 34
    picture.reshape(-1)[outside] = picture.reshape(-1)[source]
    assert picture[0, 0] == picture[2, 1] == 0.25 and picture[5, 5] == picture[5, 3] == 0.75


def test_padding_is_of_all_the_islands_together():
    mesh, left = sheet()
    right = texels_of(replace(mesh, uv01=(mesh.uv01 * [0.25, 1]).astype(np.float32)), 256)
    outside, _ = padding_of([right])
    assert len(outside) == 256**2 - len(right.index) and len(padding_of([right, left])[0]) == 256**2 - len(left.index)


def test_dominant_colour_is_the_mode_and_not_the_mean():
    random = np.random.default_rng(0)
    red = np.clip(np.array([0.6, 0.1, 0.1]) * random.uniform(0.8, 1.2, (550, 1)), 0, 1)
    samples = np.concatenate([red, np.full((300, 3), 0.97), np.full((150, 3), 0.02)])
    assert np.abs(np.array(dominant_colour(samples, np.ones(1000))) - [0.6, 0.1, 0.1]).max() < 0.02
    assert dominant_colour(samples, np.zeros(1000)) is None


def test_weights_decide_the_dominant_colour():
    samples = np.repeat([[0.2, 0.4, 0.8], [0.8, 0.3, 0.2]], 100, axis=0)
    weights = np.repeat([0.2, 0.8], 100)
    assert np.allclose(dominant_colour(samples, weights), [0.8, 0.3, 0.2], atol=1e-6)
    assert weighted_median(np.array([[1.0], [2.0], [3.0]]), np.array([1.0, 1.0, 5.0])) == [3.0]


def test_oklab_there_and_back_and_its_white():
    colours = np.random.default_rng(1).uniform(0, 1, (50, 3))
    assert np.allclose(srgb_from_oklab(oklab_from_srgb(colours)), colours, atol=1e-6)
    assert np.allclose(oklab_from_srgb(np.ones(3)), [1, 0, 0], atol=1e-3)


def test_a_glossy_paints_own_colour_lies_behind_what_it_mirrors():
    """Two thirds of a red car mirror a white sky more or less, in linear light; a black bumper and a neutral floor lie beside it."""
    random = np.random.default_rng(0)
    red, sky = linear_from_srgb(np.array([0.75, 0.08, 0.06])), 0.6
    mirrored = np.maximum(random.uniform(-0.5, 1, (4000, 1)), 0)
    shade = random.uniform(0.85, 1.15, (4000, 1))
    car = srgb_from_linear(red * shade * (1 - 0.5 * mirrored) + sky * 0.5 * mirrored)
    samples = np.concatenate([car, np.full((900, 3), 0.04), np.full((600, 3), 0.5)])
    told = dominant_colour(samples, np.ones(len(samples)), glossy=True)
    plain = dominant_colour(samples, np.ones(len(samples)))
    assert told is not None and plain is not None
    assert np.abs(np.array(told) - [0.75, 0.08, 0.06]).max() < 0.05 < np.abs(np.array(plain) - [0.75, 0.08, 0.06]).max()
