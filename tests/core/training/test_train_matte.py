"""The learning of the cut's looks, two steps on pictures made here, and the pictures it learns from."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from imago.core.dataset.cars import read_cars, read_model
from imago.core.dataset.sky import Sky, sky_of
from imago.core.dataset.views import mask_of
from imago.core.errors import UserInputError
from imago.core.frames import orbit
from imago.core.matte.looks import WIDTHS, read_looks
from imago.core.training.matte_pictures import MattePicture, close, pasted, pictures_of, varied
from imago.core.training.train_matte import MatteConfig, fit_look, learn, measure, read_pictures, train

TINY = MatteConfig(renders_per_car=1, pixels_per_picture=200, hidden=(4,), steps=2, batch=64, held_out=("kept",))
SIZE_PX, LENS_MM, SENSOR_MM = 160, 50.0, 36.0
RED, GREY = (0.75, 0.1, 0.12), (0.55, 0.55, 0.53)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CARS and RENDERS of two box cars, red on grey, photographed from four sides; their masks are known."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "cars").mkdir()
    with (folder / "cars/cars.csv").open("w", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(["name", "split", "body", "author", "licence"])
        table.writerows([[name, split, "sedan", "test", "none"] for name, split in (("used", "train"), ("kept", "train"), ("shut", "dev"))])
    for name in ("used", "kept", "shut"):
        body = trimesh.creation.box((1.8, 1.0, 4.4), trimesh.transformations.translation_matrix((0, 0.7, 0)))
        cabin = trimesh.creation.box((1.5, 0.5, 2.0), trimesh.transformations.translation_matrix((0, 1.4, -0.2)))
        trimesh.Scene([_coloured(body), _coloured(cabin)]).export(folder / f"cars/{name}.glb")
    for row in read_cars(folder / "cars/cars.csv"):
        _photograph(folder / "cars", folder / "renders/batch" / row.name, row)
    return folder


def _coloured(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    material = trimesh.visual.material.PBRMaterial(baseColorFactor=[190, 25, 30, 255])
    mesh.visual = trimesh.visual.TextureVisuals(uv=np.zeros((len(mesh.vertices), 2)), material=material)
    return mesh


def _photograph(cars: Path, folder: Path, row) -> None:
    folder.mkdir(parents=True)
    model, shots = read_model(cars, row), []
    for number, azimuth in enumerate((0.4, 1.6, 2.7, 4.5)):
        camera = orbit(azimuth, 0.2, 8.0, (0.0, 0.0, 0.8))
        mask = mask_of(model, camera, LENS_MM / SENSOR_MM * SIZE_PX, SIZE_PX)
        picture = np.where(mask[..., None], RED, GREY) + np.random.default_rng(number).normal(0, 0.02, (SIZE_PX, SIZE_PX, 3))
        cv2.imwrite(str(folder / f"{number}.png"), (picture[..., ::-1] * 255).clip(0, 255).astype(np.uint8))
        shots.append({"file": f"{number}.png", "lens_mm": LENS_MM, "sensor_width_mm": SENSOR_MM, "camera_to_world": camera.tolist()})
    shots.append({**shots[0], "file": "never_written.png"})
    (folder / "shots.jsonl").write_text("".join(json.dumps(shot) + "\n" for shot in shots))


@pytest.fixture(scope="module")
def sky() -> Sky:
    radiance = np.zeros((64, 128, 3), np.float32)
    radiance[:32], radiance[32:] = (0.3, 0.5, 0.9), (0.2, 0.4, 0.1)
    return sky_of(radiance)


def _is_red(picture: MattePicture) -> np.ndarray:
    return picture.image_srgb01[..., 0] > 1.8 * picture.image_srgb01[..., 1:].max(-1)


def test_every_kind_of_picture_has_its_mask_on_the_car(data: Path, sky: Sky) -> None:
    model = read_model(data / "cars", read_cars(data / "cars/cars.csv", "train")[0])
    found = list(pictures_of(model, data / "renders", [sky], 4, np.random.default_rng(0)))
    assert [picture.kind for picture in found].count("render") == 4
    assert {picture.kind for picture in found} == {"render", "close", "pasted"}
    for picture in found:
        assert picture.image_srgb01.dtype == np.float32 and 0 <= picture.image_srgb01.min() and picture.image_srgb01.max() <= 1
        red = _is_red(picture)
        assert (red & picture.mask).sum() / (red | picture.mask).sum() > 0.9, picture.kind


def test_close_pictures_are_filled_by_the_car(data: Path, sky: Sky) -> None:
    mask = np.zeros((SIZE_PX, SIZE_PX), bool)
    mask[60:110, 30:130] = True
    picture = MattePicture("used", "render", np.where(mask[..., None], RED, GREY).astype(np.float32), mask)
    random = np.random.default_rng(3)
    for _ in range(5):
        near, other = close(picture, random), pasted(picture, sky, random)
        assert near.mask.sum() == mask.sum() and near.mask.mean() > 0.35 and near.image_srgb01.shape[:2] == near.mask.shape
        assert other is not None and other.mask.mean() > 0.35


def test_a_car_beyond_the_frame_is_not_pasted(sky: Sky) -> None:
    mask = np.zeros((SIZE_PX, SIZE_PX), bool)
    mask[60:110, :100] = True
    assert pasted(MattePicture("used", "render", np.zeros((SIZE_PX, SIZE_PX, 3), np.float32), mask), sky, np.random.default_rng(0)) is None


def test_varied_pictures_differ_by_the_lot_only(data: Path) -> None:
    mask = np.zeros((40, 60), bool)
    picture = MattePicture("used", "render", np.full((40, 60, 3), 0.5, np.float32), mask)
    one, same, other = (varied(picture, np.random.default_rng(seed)).image_srgb01 for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.01


def test_two_steps_leave_weights_that_can_be_read(data: Path, tmp_path: Path) -> None:
    pictures = read_pictures(data / "cars", data / "renders", None, TINY)
    assert {picture.car for picture in pictures} == {"used", "kept"}, "a dev car was read"
    scores = train(pictures, tmp_path / "run", tmp_path / "weights", TINY, "the test's")
    assert set(scores) == {"render", "close"} and all(0 <= figures["mean_iou"] <= 1 for figures in scores.values())
    entry = json.loads((tmp_path / "weights/manifest.json").read_text())["matte"]
    assert entry["seed"] == TINY.seed and entry["scores"]["held_out_cars"] == scores and entry["machine"] == "the test's"
    assert json.loads((tmp_path / "run/config.json").read_text())["held_out"] == ["kept"]
    assert tuple(len(look.mean) for look in read_looks(tmp_path / "weights")) == WIDTHS


def test_learning_again_gives_the_same(data: Path) -> None:
    pictures = read_pictures(data / "cars", data / "renders", None, TINY)
    used = [picture for picture in pictures if picture.car == "used"][:2]
    lines: list[str] = []
    first, second = (learn(used, TINY, lines.append) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.layers[0][0], other.layers[0][0])
    assert len(lines) == 2 * len(WIDTHS) and "2 pictures" in lines[0]


@pytest.mark.slow
def test_a_longer_run_finds_the_other_car(data: Path) -> None:
    config = MatteConfig(renders_per_car=4, pixels_per_picture=500, hidden=(8,), steps=150, batch=512, held_out=("kept",))
    pictures = read_pictures(data / "cars", data / "renders", None, config)
    lines: list[str] = []
    looks = learn([p for p in pictures if p.car == "used"], config, lines.append)
    assert float(lines[-1].split()[-1]) < 0.1, "cross entropy, 0.69 before learning"
    assert measure([p for p in pictures if p.car == "kept"], looks)["render"]["mean_iou"] > 0.9


def test_a_look_separates_what_a_line_cannot() -> None:
    random = np.random.default_rng(0)
    values = random.normal(3, 2, (4000, 2)).astype(np.float32)
    truth = ((values[:, 0] > 3) ^ (values[:, 1] > 3)).astype(np.float32)
    look, loss = fit_look(values, truth, MatteConfig(hidden=(16,), steps=600, batch=512))
    log_odds = look.log_odds(values)
    assert ((log_odds > 0) == (truth > 0.5)).mean() > 0.95
    said = np.logaddexp(0, -log_odds * (2 * truth - 1)).mean()
    assert math.isclose(said, loss, rel_tol=1e-3), "the look answers otherwise than the network that was learned"


def test_a_folder_without_renders_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="no renders"):
        read_pictures(data / "cars", tmp_path, None, TINY)
