"""Photographs of made cars: the record tells exactly where the car is, and boxes know what they hide."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from random import Random

import bpy
import numpy as np
import pytest
import trimesh
from trimesh.visual.material import PBRMaterial

from imago.addon.photograph import photograph
from imago.addon.photograph.aim import draw_aim
from imago.addon.photograph.boxes import Box
from imago.addon.photograph.camera import take_cover
from imago.addon.photograph.scenery import panoramas_in
from imago.core.dataset.cars import CarModel, read_cars, read_model
from imago.core.dataset.deform import widen
from imago.core.dataset.form import Form
from imago.core.dataset.zbuffer import rasterize

SIZE_PX = 48
CAR_M = np.random.default_rng(0).uniform((-0.8, -2, 0), (0.8, 2, 1.4), (300, 3))


def write_cars(folder: Path) -> None:
    """Two wedges on four wheels, in glTF's axes, with their table."""
    paint, rubber = PBRMaterial(name="Body_Paint", baseColorFactor=[180, 20, 20, 255]), PBRMaterial(name="Tire")
    lines = ["name,split,body,author,licence,source"]
    for name, length in (("short", 3.4), ("long", 4.6)):
        scene = trimesh.Scene()
        corners = [
            (x, y, z) for x in (-0.8, 0.8) for y, z in ((0.2, length / 2), (0.8, length / 2), (1.3, -length / 4), (0.2, -length / 2))
        ]
        pieces = {"Shell": trimesh.convex.convex_hull(np.array(corners))}
        for corner, x, z in (("FL", 0.7, 1.1), ("FR", -0.7, 1.1), ("RL", 0.7, -1.1), ("RR", -0.7, -1.1)):
            turned = trimesh.transformations.rotation_matrix(math.pi / 2, (0, 1, 0))
            pieces[f"Wheel_{corner}"] = trimesh.creation.cylinder(0.3, 0.2, sections=16, transform=turned).apply_translation((x, 0.3, z))
        for node, mesh in pieces.items():
            look = trimesh.visual.TextureVisuals(uv=np.zeros((len(mesh.vertices), 2)), material=rubber if "Wheel" in node else paint)
            scene.add_geometry(trimesh.Trimesh(mesh.vertices, mesh.faces, visual=look, process=False), node_name=node)
        (folder / f"{name}.glb").write_bytes(scene.export(file_type="glb"))
        lines.append(f"{name},train,sedan,me,CC0,here")
    (folder / "cars.csv").write_text("\n".join(lines) + "\n")


def visible(models: dict[str, CarModel], folder: Path, shot: dict, size_px: int) -> np.ndarray:
    """(S, S) bool: where the record in a car's folder says that it is seen, other cars taken into account."""
    seed, form, camera = shot["widen_seed"], shot["form"], np.array(shot["camera_to_world"])
    car = models[folder.name] if seed is None else widen(models[folder.name], np.random.default_rng(seed))
    car = car if form is None else Form.read(folder / form).of(car)
    pieces = [car.positions_m]
    for other in shot["others"]:
        matrix = np.array(other["matrix"])
        pieces.append(models[other["car"]].positions_m @ matrix[:3, :3].T + matrix[:3, 3])
    local = (np.concatenate(pieces) - camera[:3, 3]) @ camera[:3, :3]
    depth = -local[..., 2]
    focal_px = shot["lens_mm"] / shot["sensor_width_mm"] * size_px
    corners = np.stack([local[..., 0], -local[..., 1]], -1) * focal_px / np.maximum(depth, 1e-6)[..., None] + size_px / 2
    triangle = rasterize(corners, depth, size_px)[0]
    return (triangle >= 0) & (triangle < len(car.positions_m))


def grey(file: Path) -> np.ndarray:
    image = bpy.data.images.load(str(file))
    width, height = image.size
    found = np.array(image.pixels[:], np.float32).reshape(height, width, 4)[::-1, :, 0]
    bpy.data.images.remove(image)  # the next picture may have the same name
    return found


@pytest.mark.slow
@pytest.mark.parametrize("forms", [False, True])
def test_the_record_says_where_the_car_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forms: bool) -> None:
    write_cars(tmp_path)
    monkeypatch.setattr(photograph, "COMPANY", (0, 1))
    monkeypatch.setattr(photograph.company, "SHOWN_SHARE", 1.0)
    monkeypatch.setattr("imago.addon.photograph.clutter.BEFORE_SHARE", 1.0)
    monkeypatch.setattr("imago.addon.photograph.camera.BLURRED_SHARE", 0.0)
    rows = tuple(read_cars(tmp_path / "cars.csv", "train"))
    models = {row.name: read_model(tmp_path, row) for row in rows}
    request = photograph.Request(tmp_path, rows, panoramas_in(tmp_path)[:2], tmp_path / "out", SIZE_PX, 1, 2, tmp_path / "forms")
    if forms:  # as high as it is long, and twice as wide
        monkeypatch.setattr(photograph, "CHANGED_SHARE", 1.0)
        monkeypatch.setattr(photograph, "FORM_SHARE", 1.0)
        (tmp_path / "forms" / "short").mkdir(parents=True)
        model = models["short"]
        bigger = replace(model, positions_m=model.positions_m * np.float32([2, 1, 2.5]))
        Form.between(model, bigger).write(tmp_path / "forms" / "short" / "0.npz")
    visit = photograph.Visit(request, rows[0], Random(4))
    for taken in visit.pictures(4):
        take_cover(visit.scene, visit.car, tmp_path / "seen.png")
        rendered, cover = grey(tmp_path / "seen.png") > 0.5, np.zeros((SIZE_PX, SIZE_PX))
        if taken.cover is not None:
            cover = grey(visit.folder / taken.cover)
        told = visible(models, visit.folder, json.loads((visit.folder / "shots.jsonl").read_text().splitlines()[-1]), SIZE_PX) & (
            cover < 0.5
        )
        assert (rendered & told).sum() > 0.93 * (rendered | told).sum(), taken
        assert (visit.folder / taken.file).stat().st_size > 500 and taken.occluders == (taken.cover is not None)
    shots = [json.loads(line) for line in (visit.folder / "shots.jsonl").read_text().splitlines()]
    assert len(shots) == 4 and any(shot["others"] for shot in shots) and any(shot["occluders"] for shot in shots)
    assert not list(visit.folder.glob("part_*")) and {shot["form"] for shot in shots} == ({"0.npz"} if forms else {None})


@pytest.mark.slow
def test_a_form_that_pictures_were_taken_of_stays_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though another of its name is handed in later: their labels are read from it."""
    write_cars(tmp_path)
    for share in ("CHANGED_SHARE", "FORM_SHARE"):
        monkeypatch.setattr(photograph, share, 1.0)
    rows = tuple(read_cars(tmp_path / "cars.csv", "train"))
    model = read_model(tmp_path, rows[0])
    (tmp_path / "forms" / "short").mkdir(parents=True)
    request = photograph.Request(tmp_path, rows, panoramas_in(tmp_path)[:2], tmp_path / "out", SIZE_PX, 1, 2, tmp_path / "forms")
    for height in (2.5, 1.5):
        higher = replace(model, positions_m=model.positions_m * np.float32([1, 1, height]))
        Form.between(model, higher).write(tmp_path / "forms" / "short" / "0.npz")
        visit = photograph.Visit(request, rows[0], Random(4))
        assert next(visit.pictures(1)).form == "0.npz"
        seen = np.concatenate(photograph.originals(visit.car))
        assert seen[:, 2].max() == pytest.approx(2.5 * model.positions_m[..., 2].max(), rel=1e-4)


def test_boxes_know_what_they_touch_and_hide() -> None:
    box, eye = Box(0.0, -4.0, 0.5, 0.5, math.pi / 4, 1.0), np.array([0.0, -8.0, 0.5])
    behind, above = np.array([[0.0, 0.0, 0.5], [0.0, -4.0, 0.5]]), np.array([[0.0, 0.0, 3.0], [3.0, 0.0, 0.5]])
    assert box.hides(eye, behind) == 1 and box.hides(eye, above) == 0 and box.hides(eye, np.array([[0.0, -7.0, 0.5]])) == 0
    assert box.clear_of(Box(1.3, -4.0, 0.5, 0.5, 0.0, 1.0)) and not box.clear_of(Box(1.1, -4.0, 0.5, 0.5, 0.0, 1.0))
    assert not box.clear_of(Box(1.3, -4.0, 0.5, 0.5, 0.0, 1.0), gap_m=0.2)
    assert box.distance_m(np.array([0.0, -4.0, 9.0])) == 0


def test_every_aim_has_the_car_before_the_camera_and_fills_the_frame_as_wanted() -> None:
    draw = Random(1)
    for _ in range(20):
        aim = draw_aim(CAR_M, draw)
        turn, seen = aim.camera_to_world[:3, :3], aim.seen(CAR_M)
        assert np.allclose(turn.T @ turn, np.eye(3), atol=1e-9) and np.linalg.det(turn) > 0 and aim.eye_m[2] > 0.1
        assert ((CAR_M - aim.eye_m) @ turn[:, 2]).max() < -0.5
        assert 0.25 < np.ptp(seen, 0).max() / 2 < 2.5 and np.abs(np.median(seen, 0)).max() < 1
        assert math.degrees(aim.elevation_rad) < 46
