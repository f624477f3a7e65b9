"""Fewer faces that still are the car, and a hull that is convex, closed and round everything."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest

from imago.addon.export.export import export_car
from imago.addon.export.hull import hull_mesh
from imago.addon.export.lods import decimated, triangles_of
from imago.addon.export.options import LOD_SHARES01, Exported, ExportOptions
from imago.addon.scene.scene import CarObjects, build_car

from .glb_reader import GlbReader
from .template_car import template_car


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Exported, list[GlbReader]]:
    folder = tmp_path_factory.mktemp("lods")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    done = export_car(build_car(template_car()), folder / "car.glb", ExportOptions(lods=True, collision=True))
    assert done.files == tuple(folder / name for name in ("car.glb", "car_LOD1.glb", "car_LOD2.glb"))
    return done, [GlbReader(path) for path in done.files]


def test_levels_have_the_faces_that_are_told(exported: tuple[Exported, list[GlbReader]]) -> None:
    done, files = exported
    assert [level.level for level in done.levels] == [0, 1, 2]
    for level, glb, wanted in zip(done.levels, files, LOD_SHARES01, strict=True):
        hull = part_triangles(glb, "body_collision") if level.level == 0 else 0
        assert glb.triangles() == level.triangles + hull and (hull == 0 or 6 <= done.hull_faces <= hull)
        assert level.share01 == pytest.approx(level.triangles / done.levels[0].triangles)
        assert abs(level.share01 - wanted) < 0.02
        assert set(glb.nodes) - {"body_collision"} == set(files[0].nodes) - {"body_collision"}
    assert "body_collision" in files[0].nodes and "body_collision" not in files[1].nodes
    wheels = [sum(part_triangles(glb, f"wheel_{name}") for name in ("front_left", "rear_right")) for glb in files]
    assert abs(wheels[1] / wheels[0] - 0.5) < 0.03 and abs(wheels[2] / wheels[0] - 0.2) < 0.03


def part_triangles(glb: GlbReader, name: str) -> int:
    mesh = glb.content["meshes"][glb.nodes[name]["mesh"]]
    return sum(glb.content["accessors"][part["indices"]]["count"] // 3 for part in mesh["primitives"])


def test_levels_keep_size_uv_and_materials(exported: tuple[Exported, list[GlbReader]]) -> None:
    for glb in exported[1][1:]:
        assert {material["name"] for material in glb.content["materials"]} == set(exported[1][0].materials) - {"collision"}
        for name in ("body", "wheel_front_left"):
            (low, high), (low_first, high_first) = bounds(glb, name), bounds(exported[1][0], name)
            assert np.abs(low - low_first).max() < 0.03 and np.abs(high - high_first).max() < 0.03
            for part in glb.content["meshes"][glb.nodes[name]["mesh"]]["primitives"]:
                uv = glb.numbers(part["attributes"]["TEXCOORD_0"])
                assert uv.min() > -0.01 and uv.max() < 1.01 and np.ptp(uv, axis=0).min() > 0.01


def bounds(glb: GlbReader, name: str) -> tuple[np.ndarray, np.ndarray]:
    parts = glb.content["meshes"][glb.nodes[name]["mesh"]]["primitives"]
    places = np.concatenate([glb.numbers(part["attributes"]["POSITION"]) for part in parts])
    return places.min(0), places.max(0)


@pytest.mark.parametrize("share01", LOD_SHARES01[1:])
def test_the_body_stays_symmetric(share01: float) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    car = build_car(template_car())
    fewer = decimated(car.body.data, share01, bpy.context.scene)
    places = vertices(fewer)
    mirrored = places * [-1, 1, 1]
    nearest = np.array([np.linalg.norm(places - point, axis=1).min() for point in mirrored])
    assert np.quantile(nearest, 0.99) < 1e-3 and abs(triangles_of(fewer) / triangles_of(car.body.data) - share01) < 0.02
    old = car.body.data.uv_layers[0].data, fewer.uv_layers[0].data
    assert fewer.uv_layers[0].name == car.body.data.uv_layers[0].name and len(old[1]) == len(fewer.loops)


def test_the_hull_is_convex_closed_and_round_the_body() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    car = build_car(template_car())
    points = np.concatenate([vertices(thing.data) for thing in (car.body, *car.lamps.values())])
    hull = hull_mesh("hull", points)
    corners, (normals, distances) = vertices(hull), planes(hull)
    assert (normals @ points.T - distances[:, None]).max() < 0, "everything is inside"
    assert (normals @ corners.T - distances[:, None]).max() <= 1e-4, "convex"
    import bmesh  # there once bpy is

    work = bmesh.new()
    work.from_mesh(hull)
    assert all(len(edge.link_faces) == 2 for edge in work.edges) and work.calc_volume(signed=True) > 0, "closed, normals out"
    exact = work.copy()
    exact.clear()
    for point in points:
        exact.verts.new(point)
    bmesh.ops.convex_hull(exact, input=exact.verts)
    assert work.calc_volume() < 1.12 * exact.calc_volume(), "tight"
    assert len(hull.polygons) <= 40 and len(hull.vertices) <= 96, "few enough for any engine"


def vertices(mesh: bpy.types.Mesh) -> np.ndarray:
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    return points.reshape(-1, 3).astype(float)


def planes(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Normals and distances of the faces that are wide enough to have a normal."""
    wide = [face for face in mesh.polygons if face.area > 1e-4]
    normals = np.array([tuple(face.normal) for face in wide])
    return normals, (normals * np.array([tuple(face.center) for face in wide])).sum(1)


def test_an_empty_share_of_small_things_changes_nothing() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    mesh = bpy.data.meshes.new("square")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], [], [(0, 1, 2, 3)])
    assert triangles_of(mesh) == 2 and triangles_of(decimated(mesh, 0.2, bpy.context.scene)) == 2


def car_with_modifier() -> CarObjects:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    car = build_car(template_car())
    car.body.modifiers.new("finer", "SUBSURF").levels = 1
    return car


def test_modifiers_count_in_every_level(tmp_path: Path) -> None:
    plain = triangles_of(car_with_modifier().body.data)
    done = export_car(car_with_modifier(), tmp_path / "car.glb", ExportOptions(lods=True))
    body = [part_triangles(GlbReader(path), "body") for path in done.files]
    assert body[0] == 4 * plain and abs(body[2] / body[0] - 0.2) < 0.02
