"""Subdivision: Catmull and Clark's rules on shapes whose answer is known, and the car at its high level."""

from __future__ import annotations

import numpy as np
import pytest

from imago.core.car.car import build_body, build_wheels
from imago.core.car.measures import BODY_TYPES
from imago.core.car.subdivide import SHARPNESS, edges_of, fold_sharpness, subdivide, subdivide_wheel
from imago.core.errors import ShapeError
from imago.core.types import CarShape, MeshData

CUBE = np.array([[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]], np.int32)
CUBE_CORNERS = np.array([[x, y, z] for z in (-1, 1) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))], np.float32)


def mesh_of(vertices: np.ndarray, quads: np.ndarray) -> MeshData:
    uv01 = np.broadcast_to(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32), (len(quads), 4, 2)).copy()
    return MeshData(vertices.astype(np.float32), quads.astype(np.int32), uv01, np.zeros(len(quads), np.int32), ("all",))


def grid(columns: int, rows: int, closed: bool) -> np.ndarray:
    """Quads over rows x columns vertices; closed joins the ends both ways, a torus."""
    ids = np.arange(rows * columns).reshape(rows, columns)
    if closed:
        ids = np.pad(ids, ((0, 1), (0, 1)), mode="wrap")
    return np.stack([ids[:-1, :-1], ids[:-1, 1:], ids[1:, 1:], ids[1:, :-1]], -1).reshape(-1, 4)


def volume(mesh: MeshData) -> float:
    corner = mesh.vertices_m[mesh.quads].astype(np.float64)
    return sum(np.einsum("ij,ij->i", corner[:, 0], np.cross(corner[:, a], corner[:, b])).sum() / 6 for a, b in ((1, 2), (2, 3)))


def areas(corners: np.ndarray, part_index: np.ndarray, parts: int) -> np.ndarray:
    """Area of each part; in UV signed, as mirrored islands are."""
    one, two = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    size = np.linalg.norm(np.cross(one, two), axis=1) if corners.shape[2] == 3 else np.cross(one, two)
    return np.bincount(part_index, 0.5 * size, parts)


def test_a_smooth_cube_shrinks_towards_its_known_limit() -> None:
    cube, smooth = mesh_of(CUBE_CORNERS, CUBE), np.zeros(12)
    assert volume(cube) == pytest.approx(8)
    once = subdivide(cube, 1, smooth)
    assert len(once.quads) == 24 and len(once.vertices_m) == 8 + 12 + 6
    assert np.allclose(once.vertices_m[:8], CUBE_CORNERS * 5 / 9), "(F + 2 R + 0 P) / 3 at a corner of three edges"
    assert np.allclose(np.abs(once.vertices_m[8:20]).max(1), 0.75) and np.allclose(np.abs(once.vertices_m[20:]).max(1), 1.0)
    assert len(subdivide(cube, 4, smooth).quads) == 6 * 4**4
    two, three, four = (volume(subdivide(cube, level, smooth)) for level in (2, 3, 4))
    assert (three - four) / (two - three) == pytest.approx(0.25, abs=0.03), "each level goes a quarter of the last one's way"


def test_a_torus_gets_the_analytic_volume_and_keeps_it() -> None:
    around, along = np.meshgrid(np.arange(48) * 2 * np.pi / 48, np.arange(64) * 2 * np.pi / 64, indexing="ij")
    ring = 3 + np.cos(around)
    vertices = np.stack([ring * np.cos(along), ring * np.sin(along), np.sin(around)], -1).reshape(-1, 3)
    torus = mesh_of(vertices, grid(64, 48, True)[:, ::-1])
    fine = subdivide(torus, 2, np.zeros(len(edges_of(torus.quads).vertices)))
    assert len(fine.quads) == 16 * len(torus.quads)
    exact = 2 * np.pi**2 * 3
    assert abs(volume(torus)) == pytest.approx(exact, rel=0.01) and abs(volume(fine)) == pytest.approx(exact, rel=0.015)
    tube = np.hypot(np.hypot(fine.vertices_m[:, 0], fine.vertices_m[:, 1]) - 3, fine.vertices_m[:, 2])
    assert np.ptp(tube) < 0.01, "the finer surface is not as round as the coarse one"


def test_a_plane_stays_plane_and_its_border_a_straight_line() -> None:
    vertices = np.array([[x, y, 0.3 * x - 0.2 * y] for y in range(4) for x in range(5)], float)
    fine = subdivide(mesh_of(vertices, grid(5, 4, False)), 2, np.zeros(31))
    x, y, z = fine.vertices_m.T
    assert np.allclose(z, 0.3 * x - 0.2 * y, atol=1e-6)
    assert x.min() == pytest.approx(0, abs=1e-6) and x.max() == pytest.approx(4, abs=1e-6), "the border moved inwards"


def test_sharp_edges_stay_and_half_sharp_ones_lie_between() -> None:
    cube = mesh_of(CUBE_CORNERS, CUBE)
    sizes = [volume(subdivide(cube, 3, np.full(12, sharp))) for sharp in (0.0, 0.5, 1.0, 2.0, np.inf)]
    assert sizes == sorted(sizes) and len(set(sizes)) == 5
    assert sizes[-1] == pytest.approx(8, abs=1e-5)
    edges = edges_of(CUBE)
    rim = np.where((CUBE_CORNERS[edges.vertices][..., 2] > 0).all(1), np.inf, 0.0)
    lid = subdivide(cube, 2, rim).vertices_m
    top = lid[lid[:, 2] > 1 - 1e-6]
    assert len(top) == 25, "the lid inside its crease stays flat"
    assert np.hypot(top[:, 0], top[:, 1]).max() < 1.0, "a crease alone is a smooth curve: its corners are rounded off"


def test_wrong_sharpness_is_refused() -> None:
    with pytest.raises(ShapeError):
        subdivide(mesh_of(CUBE_CORNERS, CUBE), 1, np.zeros(11))


@pytest.mark.parametrize("kind", ["sedan", "pickup"])
def test_the_car_at_the_high_level(kind: str) -> None:
    shape = CarShape(BODY_TYPES[kind], kind)
    body, wheels = build_body(shape), build_wheels(shape)
    fine, fine_wheels = subdivide(body), [subdivide_wheel(wheel) for wheel in wheels]
    count = len(body.quads) + sum(len(wheel.mesh.quads) for wheel in wheels)
    assert len(fine.quads) + sum(len(wheel.mesh.quads) for wheel in fine_wheels) == 4 * count and 20_000 < 4 * count <= 40_000
    edges = edges_of(fine.quads)
    assert (edges.faces == 2).all() and len(fine.vertices_m) - len(edges.vertices) + len(fine.quads) == 2, "not one closed body any more"
    assert volume(fine) == pytest.approx(volume(body), rel=0.01)
    parts = len(body.part_names)
    uv_before, uv_after = (areas(m.uv01.astype(np.float64), m.part_index, parts) for m in (body, fine))
    assert np.allclose(uv_before, uv_after, rtol=1e-4, atol=1e-9)
    before, after = (areas(m.vertices_m[m.quads].astype(np.float64), m.part_index, parts) for m in (body, fine))
    assert np.abs(after / before - 1).max() < 0.06 and after.sum() == pytest.approx(before.sum(), rel=0.01)
    moved = np.linalg.norm(fine.vertices_m[: len(body.vertices_m)] - body.vertices_m, axis=1)
    skin = np.unique(body.quads[np.array([name != "underbody" for name in body.part_names])[body.part_index]])
    assert moved[skin].max() < 0.05 and np.median(moved[skin]) < 0.002
    for wheel, fine_wheel in zip(wheels, fine_wheels, strict=True):
        assert np.abs(fine_wheel.mesh.vertices_m[:, 2]).max() == pytest.approx(wheel.radius_m, abs=2e-4)


def test_folds_of_the_body_are_sharp_and_panels_are_not() -> None:
    body = build_body(CarShape(BODY_TYPES["sedan"], "sedan"))
    edges = edges_of(body.quads)
    sharp = fold_sharpness(body, edges)
    assert set(np.unique(sharp)) == {0.0, SHARPNESS} and 0.05 < (sharp > 0).mean() < 0.5
    roof = np.isin(edges.of_face[body.faces_of("roof")], np.flatnonzero(sharp)).mean()
    assert roof < 0.1, "the roof is full of creases"
