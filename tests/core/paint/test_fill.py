"""The carried tint runs along the surface and stays within a material; colours are measured robustly."""

from __future__ import annotations

import numpy as np

from imago.core.paint.colour import dominant_colour, oklab_from_srgb, srgb_from_oklab, weighted_median
from imago.core.paint.fill import CARRY_M, carried_tint, pad_islands
from imago.core.paint.texels import Texels, texels_of
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


def test_tint_is_held_where_seen_and_fades_with_distance():
    mesh, texels = sheet()
    y = texels.spread(mesh.vertices_m)[:, 1]
    seen = (y < 1.0).astype(np.float32)
    difference = np.where(seen[:, None] > 0, [0.2, -0.1, 0.0], 9.9)  # what is not seen must not matter
    tint = carried_tint(texels, mesh.vertices_m, np.zeros(len(texels.triangles), np.int64), difference, seen)
    assert np.abs(tint[y < 0.9] - [0.2, -0.1, 0.0]).max() < 0.02
    beside, near, far = (tint[np.abs(y - at) < 0.05, 0].mean() for at in (1.1, 1 + CARRY_M / 2, 5.5))
    assert 0.15 < beside < 0.2 and far < 0.01 and far < near < beside


def test_tint_does_not_cross_into_another_material():
    mesh, texels = sheet()
    y = texels.spread(mesh.vertices_m)[:, 1]
    centre = mesh.vertices_m[texels.triangles].mean(1)[:, 1]
    kind = (centre > 2.0).astype(np.int64)
    tint = carried_tint(texels, mesh.vertices_m, kind, np.full((len(y), 3), 0.3), (y < 1.5).astype(np.float32))
    assert tint[y < 1.4].min() > 0.25 and tint[y > 2.1].max() == 0


def test_padding_repeats_the_nearest_covered_texel():
    picture = np.zeros((6, 6, 3), np.float32)
    covered = np.zeros((6, 6), bool)
    picture[1, 1], picture[4, 4] = 0.25, 0.75
    covered[1, 1] = covered[4, 4] = True
    padded = pad_islands(picture, covered)
    assert (padded[0, 0] == 0.25).all() and (padded[2, 1] == 0.25).all() and (padded[5, 5] == 0.75).all() and (padded[5, 3] == 0.75).all()


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
