"""The bench of the shape space on made cars, with fits whose outcome is known."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from imago.core.car.measure_table import BODY_TYPES, to_array
from imago.core.car.prior import ShapePrior
from imago.core.car.space import ShapeSpace, half_count
from imago.core.dataset.labelled import LabelledCar
from imago.core.device import one_thread
from imago.core.errors import UserInputError
from imago.core.training import bench_shape, shape_figures, shape_sheet, solid_measure
from imago.core.training.bench_shape import Wanted, bench
from imago.core.training.half_body import half_body, template_half
from imago.core.training.part_measure import part_maps
from imago.core.training.run_record import write_json
from imago.core.training.shape_figures import Fitting
from imago.core.training.surface_fit import SpaceFit
from imago.core.training.surface_target import SurfaceTarget

from .made_cars import template_car, write_car

SEDAN = to_array(BODY_TYPES["sedan"])


def quick_target(car: LabelledCar) -> SurfaceTarget:
    none = np.zeros((0, 3))
    return SurfaceTarget(none, none, np.zeros(0, np.int64), car.wheels, (-2.0, 2.0), 1.4, car.row.body_type)


def taller(target: SurfaceTarget, prior: object, space: ShapeSpace | None, modes: int | None) -> SpaceFit:
    """A fit that is a fifth too tall with no modes, and a little less so with every mode."""
    count = 0 if space is None else space.mode_count if modes is None else modes
    half = template_half(SEDAN) * np.array([1, 1, 1.2 - 0.05 * count])
    return SpaceFit(SEDAN, np.zeros(count, np.float32), half)


def exact(target: SurfaceTarget, start: SpaceFit) -> np.ndarray:
    return template_half(SEDAN)


@cache
def prior() -> ShapePrior:
    return ShapePrior({kind: torch.from_numpy(to_array(of)) for kind, of in BODY_TYPES.items()}, 0.01 * torch.eye(len(SEDAN)))


QUICK = Fitting(quick_target, taller, exact, prior)


def two_modes() -> ShapeSpace:
    modes = np.zeros((2, half_count(), 3), np.float32)
    modes[:, :, 2] = 0.01
    return ShapeSpace(np.zeros((half_count(), 3), np.float32), modes, {kind: np.zeros(2, np.float32) for kind in BODY_TYPES})


@pytest.fixture(autouse=True)
def without_waiting() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def cars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(solid_measure, "POINTS", 60_000)
    monkeypatch.setattr(shape_figures, "part_maps", lambda car, frame: part_maps(car, frame, 96))
    monkeypatch.setattr(shape_sheet, "shape_prior", prior)
    monkeypatch.setattr(bench_shape, "MODE_COUNTS", (0, 1))
    write_car(tmp_path / "cars", "sedan", template_car(BODY_TYPES["sedan"]), "dev", "unseen")
    (tmp_path / "fits").mkdir()
    for number, name in enumerate(("first", "second", "third")):
        write_car(tmp_path / "cars", "sedan", template_car(BODY_TYPES["sedan"]), "train", name)
        offset = np.zeros((half_count(), 3), np.float32)
        offset[:, 2] = 0.01 * number * half_body().used
        np.savez(tmp_path / "fits" / f"{name}.npz", measures=SEDAN, coefficients=np.zeros(0), free_half_m=offset, seconds=1.0)
    return tmp_path


def test_development_cars(cars: Path, capsys: pytest.CaptureFixture[str]):
    report, fits = bench(Wanted(cars / "cars", cars / "fits", ("cars",)), two_modes(), QUICK)
    found = report["cars"]["cars"]
    assert list(found) == list(fits) == ["unseen"]
    assert found["unseen"]["free"]["voxel_iou"] > 0.97 and found["unseen"]["free"]["fscore"] > 0.99
    assert found["unseen"]["free"]["silhouette_iou"] > 0.98
    assert found["unseen"]["space"]["voxel_iou"] < 0.95 and found["unseen"]["space"]["part_iou"] < found["unseen"]["free"]["part_iou"]
    curve = report["cars"]["modes"]
    assert list(curve) == [0, 1, 2]
    assert curve[0]["silhouette_iou"] < curve[1]["silhouette_iou"] < curve[2]["silhouette_iou"]
    assert curve[2]["voxel_iou"] == report["cars"]["mean"]["space"]["voxel_iou"]
    printed = capsys.readouterr().out
    assert "| unseen |" in printed and "| mean |" in printed and "| part | body | " in printed
    write_json(cars / "out" / "bench.json", report)
    assert json.loads((cars / "out" / "bench.json").read_text())["cars"]["cars"]["unseen"]["seconds"]["fit"] >= 0


def test_cars_left_out_are_not_learned_from(cars: Path, monkeypatch: pytest.MonkeyPatch):
    learned: list[list[str]] = []
    real_learn = bench_shape.learn_space
    monkeypatch.setattr(bench_shape, "learn_space", lambda fits, config: learned.append([f.name for f in fits]) or real_learn(fits, config))
    report, _ = bench(Wanted(cars / "cars", cars / "fits", ("left-out",), names=("first",)), two_modes(), QUICK)
    assert learned == [["second", "third"]]
    assert report["left_out"]["cars"]["first"]["free"]["voxel_iou"] > 0.97
    assert report["left_out"]["modes"] == {}


def test_draws(cars: Path, capsys: pytest.CaptureFixture[str]):
    report, _ = bench(Wanted(cars / "cars", cars / "fits", ("draws",), draws=2), two_modes(), QUICK)
    assert report["draws"]["count"] == 2 and 0 <= report["draws"]["first_free"] <= report["draws"]["handed_out_free"] <= 1
    assert set(report["draws"]["first_faults"]) == set(bench_shape.FAULTS)
    assert "2 random draws" in capsys.readouterr().out


def test_unknown_section_is_refused(tmp_path: Path):
    with pytest.raises(UserInputError, match="colour"):
        bench_shape.main([str(tmp_path), "--fits", str(tmp_path), "--only", "colour"])


def test_sheet_shows_real_and_fitted_alike(cars: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shape_sheet, "DRAWS", 1)
    shape_sheet.write_sheets(cars / "cars", cars / "fits", two_modes(), cars / "out", {}, ("first",))
    picture = np.asarray(Image.open(cars / "out" / "shape_cars.jpg")).astype(int)
    width, height = shape_sheet.TILE_PX
    assert picture.shape == (8 + 2 * height + shape_sheet.LABEL_PX + shape_sheet.KEY_PX, 8 + 4 * width, 3)
    body = picture[4 + shape_sheet.LABEL_PX : -4 - shape_sheet.KEY_PX, 4:-4]
    tiles = [body[:, k * width : (k + 1) * width] for k in range(4)]
    outlines = [tile.min(2) < 200 for tile in tiles]
    assert outlines[0].mean() > 0.2
    assert all((outline != outlines[0]).mean() < 0.05 for outline in outlines[:2])
    assert np.abs(tiles[0] - tiles[2]).mean() > 5
    assert (cars / "out" / "shape_draws.jpg").stat().st_size < 400_000


def test_jpeg_stays_small(tmp_path: Path):
    noise = np.random.default_rng(0).integers(0, 255, (600, 900, 3)).astype(np.uint8)
    shape_sheet.write_jpeg(tmp_path / "noise.jpg", noise)
    plain = io.BytesIO()
    Image.fromarray(noise).save(plain, "JPEG", quality=90)
    assert (tmp_path / "noise.jpg").stat().st_size <= shape_sheet.LARGEST_BYTES < plain.tell()
    assert list(tmp_path.iterdir()) == [tmp_path / "noise.jpg"]
