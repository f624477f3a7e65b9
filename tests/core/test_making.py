"""What a request becomes, in process: the files of a run, and one sentence for each thing that can go wrong."""

from __future__ import annotations

import ast
import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from imago.core import making, making_progress
from imago.core.asset.asset import car_json, load_asset
from imago.core.car.car import build_body
from imago.core.car.measure_table import to_array
from imago.core.car.reshape import reshaped
from imago.core.car.reshape_file import read_reshape
from imago.core.errors import Cancelled, Trouble, UserInputError, WeightsError
from imago.core.making_problems import is_gpu_memory, problem_from
from imago.core.messages import MakeRequest, Word, part_folder
from imago.core.pipeline import photo_to_car
from imago.core.sketch import read_sketch
from imago.core.types import CarAsset, Settings
from imago.core.weights import is_there

EXAMPLE = Path(__file__).parents[1] / "data" / "example.jpg"
SETTINGS = {"quality": "draft", "texture_size_px": 256}
FILES = ["arrays.npz", "asset.json", "car.json", "confidence.png", "matte.png", "photo.png", "reshape.npz", "run.json", "thumbnail.png"]


class Listener:
    """Takes the place of Blender; reads each sketch while it is there."""

    def __init__(self) -> None:
        self.said: list[tuple[Word, dict]] = []
        self.sketches = []

    def __call__(self, word: Word, **fields) -> None:
        self.said.append((word, fields))
        if word is Word.SKETCH:
            self.sketches.append(read_sketch(Path(fields["file"])))

    def of(self, word: Word) -> list[dict]:
        return [fields for said, fields in self.said if said is word]


def nothing() -> None:
    pass


def request(folder: Path, photo: Path = EXAMPLE, **settings) -> MakeRequest:
    return MakeRequest("the-job", str(photo), str(folder), None, SETTINGS | settings)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Listener, tuple[Word, dict]]:
    folder, listener = tmp_path_factory.mktemp("runs") / "the-job", Listener()
    return folder, listener, making.attend(request(folder), listener, nothing)


@pytest.fixture(scope="module")
def asset(made) -> CarAsset:
    return load_asset(made[0])


@pytest.fixture
def quick(monkeypatch, asset):
    """The real writing after a pipeline that takes no time."""
    monkeypatch.setattr(making, "photo_to_car", lambda photo, mask, settings, *rest: replace(asset, settings=settings))


def answer(folder: Path, **settings) -> tuple[dict, Listener]:
    """The fields of FAILED; nothing of the job may be left."""
    listener = Listener()
    word, fields = making.attend(request(folder, **settings), listener, nothing)
    assert word is Word.FAILED
    assert not folder.exists() and not part_folder(str(folder)).exists()
    sentence = fields["sentence"]
    assert sentence[0].isupper() and sentence[-1] == "." and "--" not in sentence
    return fields, listener


@pytest.mark.slow
def test_the_folder_of_a_run(made):
    folder, _, (word, fields) = made
    assert word is Word.MADE and fields["folder"] == str(folder) and fields["seconds"] > 0
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    run = json.loads((folder / "run.json").read_text())
    assert run["job"] == "the-job" and run["photo"] == str(EXAMPLE) and run["quality"] == "draft" and run["device"] == "cpu"
    assert run["seconds"] == fields["seconds"] and run["format"] == 1 and run["body_type"] and run["made_at"].startswith("20")
    reshape, asset = read_reshape(folder / "reshape.npz"), load_asset(folder)
    assert reshape.base["wheelbase"] == pytest.approx(asset.measures["wheelbase"], abs=1e-5)
    base = to_array(reshape.base)
    assert np.abs(reshaped(base[None], base, reshape.offset_m)[0] - asset.body.vertices_m).max() < 1e-6 < np.abs(reshape.offset_m).max()
    assert np.abs(build_body(asset.shape).vertices_m - asset.body.vertices_m).max() < 1e-6 and len(asset.coefficients)


@pytest.mark.slow
@pytest.mark.skipif(not is_there("generator"), reason="no weights of the generator have been released")
def test_an_invented_car_comes_with_its_picture(tmp_path):
    """Its photograph is a file of the run, and the same seed is the same car."""
    cars = []
    for job in ("one", "other"):
        photo = tmp_path / job / "invented_4.png"
        word, fields = making.attend(request(tmp_path / job, photo, invented=True, seed=4, unseen="generator"), Listener(), nothing)
        assert word is Word.MADE, fields
        assert sorted(path.name for path in photo.parent.iterdir()) == sorted([*FILES, photo.name, "views.png"])
        cars.append(load_asset(photo.parent))
        assert cars[-1].photo_path == str(photo) and cars[-1].settings.invented
        with Image.open(photo) as picture:
            assert picture.mode == "RGBA"
    assert cars[0].measures == cars[1].measures and np.array_equal(cars[0].texture.photo_srgb01, cars[1].texture.photo_srgb01)


@pytest.mark.slow
def test_the_record_is_the_command_lines(made):
    record = json.loads((made[0] / "car.json").read_text())
    other = json.loads(json.dumps(car_json(photo_to_car(EXAMPLE, None, Settings(**SETTINGS), lambda stage, fraction: None))))
    assert record.keys() == other.keys()
    assert {**record, "timings_s": 0} == {**other, "timings_s": 0}


@pytest.mark.slow
def test_a_told_body_type_is_the_cars(asset, tmp_path):
    """Whatever the picture looks like; the car still stands as it does there."""
    word, fields = making.attend(request(tmp_path / "the-job", body_type="wagon"), Listener(), nothing)
    assert word is Word.MADE, fields
    told = load_asset(tmp_path / "the-job")
    assert asset.body_type != told.body_type == told.settings.body_type == "wagon"
    assert "side_window_quarter_left" in told.body.part_names, "which only some kinds of cars have"
    assert told.quality["mask_iou"] > 0.8
    assert np.degrees(np.arccos(np.sum(told.camera.camera_to_car[:3, 2] * asset.camera.camera_to_car[:3, 2]))) < 5


@pytest.mark.slow
def test_progress_never_falls_and_names_every_stage(made):
    told = made[1].of(Word.PROGRESS)
    fractions = [fields["fraction01"] for fields in told]
    assert fractions == sorted(fractions) and fractions[0] >= 0 and fractions[-1] == 1
    assert list(dict.fromkeys(fields["stage"] for fields in told)) == ["photo", "matte", "perceive", "fit", "paint", "asset", "write"]
    assert told[0]["left_s"] is None and told[-1]["left_s"] == 0


@pytest.mark.slow
def test_sketches_show_the_car_in_its_colour(made, asset):
    first, *_, last = made[1].sketches
    assert np.abs(last.vertices_car[: len(asset.body.vertices_m)] - asset.body.vertices_m).max() < 1e-5, "the last is the car"
    assert np.abs(first.vertices_car - last.vertices_car).max() > 0.01, "the first was a guess"
    colours, counts = np.unique(last.colour_linear, axis=0, return_counts=True)
    red, green, blue = colours[counts.argmax()]
    assert blue > 2 * red and blue > green, "the example is blue"


@pytest.mark.slow
def test_the_thumbnail_shows_the_car(made):
    picture = np.asarray(Image.open(made[0] / "thumbnail.png"))
    assert picture.shape == (256, 256, 4)
    solid = picture[..., 3] > 250
    columns = np.flatnonzero(solid.any(0))
    assert np.ptp(columns) > 0.9 * 256 and 0.2 < solid.mean() < 0.6
    red, _, blue = np.median(picture[solid][:, :3], axis=0)
    assert blue > 1.3 * red and picture[solid][:, :3].std() > 20


@pytest.mark.slow
def test_a_second_car_of_the_same_name_takes_the_place(quick, tmp_path):
    folder = tmp_path / "the-job"
    folder.mkdir()
    (folder / "old.txt").write_text("old")
    assert making.attend(request(folder), Listener(), nothing)[0] is Word.MADE
    assert sorted(path.name for path in folder.iterdir()) == FILES and len(list(tmp_path.iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("target", ["save_asset", "save_thumbnail", "write_reshape", "_write_json"])
def test_a_full_disk(quick, monkeypatch, tmp_path, target):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(making, target, full)
    fields, _ = answer(tmp_path / "the-job")
    assert fields["trouble"] == Trouble.DISK_FULL and str(tmp_path) in fields["sentence"] and "free some space" in fields["sentence"]


def test_a_full_disk_before_anything_is_written(monkeypatch, tmp_path):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    assert making.attend(request(tmp_path / "the-job"), Listener(), nothing)[1]["trouble"] == Trouble.DISK_FULL


@pytest.mark.slow
@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("CUDNN_STATUS_ALLOC_FAILED (cuda)")])
def test_a_full_graphics_card_leaves_it_to_the_processor(asset, monkeypatch, tmp_path, error):
    devices = []

    def pipeline(photo, mask, settings, report, *rest):
        devices.append(settings.device)
        report("fit", 0.3)
        if settings.device != "cpu":
            raise error
        return replace(asset, settings=settings)

    monkeypatch.setattr(making, "photo_to_car", pipeline)
    listener, folder = Listener(), tmp_path / "the-job"
    word, _ = making.attend(request(folder, device="cuda"), listener, nothing)
    assert word is Word.MADE and devices == ["cuda", "cpu"]
    assert listener.of(Word.NOTICE) == [
        {
            "job": "the-job",
            "trouble": "gpu_memory",
            "sentence": "The graphics card ran out of memory; the car is made on the processor instead.",
        }
    ]
    assert json.loads((folder / "run.json").read_text())["device"] == "cpu"
    fractions = [fields["fraction01"] for fields in listener.of(Word.PROGRESS)]
    assert fractions == sorted(fractions)


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (UserInputError("the picture is too large, pick a smaller one.", Trouble.TOO_LARGE), Trouble.TOO_LARGE),
        (UserInputError("the matte is empty, crop the picture or give a mask.", Trouble.NO_CAR), Trouble.NO_CAR),
        (WeightsError("perceive.safetensors is damaged; run `python3 build.py train perceive`."), Trouble.WEIGHTS),
        (MemoryError(), Trouble.MEMORY),
        (np.exceptions.AxisError("a fault"), Trouble.INTERNAL),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."), Trouble.MEMORY),
        (torch.OutOfMemoryError("CUDA out of memory."), Trouble.GPU_MEMORY),
        (cv2.error("OpenCV: Insufficient memory"), Trouble.MEMORY),
        (PermissionError(errno.EACCES, "Permission denied", "x"), Trouble.INTERNAL),
        (OSError(getattr(errno, "EDQUOT", errno.ENOSPC), "Disk quota exceeded"), Trouble.DISK_FULL),
        (ZeroDivisionError("a fault"), Trouble.INTERNAL),
    ],
)
def test_every_error_has_its_sentence(monkeypatch, tmp_path, error, trouble):
    def pipeline(*_):
        raise error

    monkeypatch.setattr(making, "photo_to_car", pipeline)
    fields, _ = answer(tmp_path / "the-job", device="cpu")
    assert fields["trouble"] == trouble
    if trouble is Trouble.INTERNAL:
        assert "Traceback" in fields["detail"] and "show the log" in fields["sentence"]


def test_options_of_the_command_line_are_not_spoken_of():
    """core serves panel and command line alike, so no sentence of it names an option."""
    said = []
    for path in sorted(Path(making.__file__).parent.rglob("*.py")):
        if "training" not in path.parts and "dataset" not in path.parts:  # developers' commands
            for call in ast.walk(ast.parse(path.read_text())):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "UserInputError":
                    said += [(path.name, node.value) for node in ast.walk(call) if isinstance(node, ast.Constant)]
    texts = [(name, text) for name, text in said if isinstance(text, str)]
    assert len(texts) > 20 and not [(name, text) for name, text in texts if "--" in text]


def test_a_sentence_begins_large():
    told = problem_from(UserInputError("the file is empty, copy it again.", Trouble.PHOTO), Path("a"))
    assert told.sentence == "The file is empty, copy it again." and told.trouble is Trouble.PHOTO


def test_only_the_cards_memory_is_the_cards():
    assert not is_gpu_memory(RuntimeError("shape mismatch")) and not is_gpu_memory(RuntimeError("DefaultCPUAllocator: not enough memory"))


def test_cancelled_at_any_report(monkeypatch, tmp_path):
    folder, reports = tmp_path / "the-job", 0

    def check() -> None:
        nonlocal reports
        reports += 1
        if reports > 2:
            raise Cancelled

    assert making.attend(request(folder), Listener(), check) == (Word.CANCELLED, {})
    assert not list(tmp_path.iterdir()), "nothing of it may stay"


def test_several_cars_are_told_of_and_a_box_arrives(monkeypatch, tmp_path):
    seen = []

    def pipeline(photo, mask, settings, report, show, see, notice):
        seen.append(settings)
        notice("2 cars were found; the first from the left was taken.")
        raise Cancelled

    monkeypatch.setattr(making, "photo_to_car", pipeline)
    listener = Listener()
    assert making.attend(request(tmp_path / "the-job", box_px=[10, 20, 300, 200], which=0), listener, nothing)[0] is Word.CANCELLED
    sentence = "2 cars were found; the first from the left was taken."
    assert listener.of(Word.NOTICE) == [{"job": "the-job", "trouble": "several_cars", "sentence": sentence}]
    assert seen == [Settings(**SETTINGS, box_px=(10, 20, 300, 200))]


def test_a_number_and_a_box_are_refused_with_their_sentence(tmp_path):
    fields, _ = answer(tmp_path / "the-job", box_px=[10, 20, 300, 200], which=1)
    assert fields["trouble"] == Trouble.NO_CAR
    assert fields["sentence"] == "Choose a car either by its number or by a box, not by both."


def test_old_parts_are_removed_young_ones_stay(monkeypatch, tmp_path):
    young, old = part_folder(str(tmp_path / "young")), part_folder(str(tmp_path / "old"))
    young.mkdir()
    old.mkdir()
    os.utime(old, (0, 0))
    making.remove_stale(tmp_path)
    assert list(tmp_path.iterdir()) == [young]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["box", "squares", "ball", "house"])
def test_a_picture_without_a_car(tmp_path, name):
    picture = np.full((600, 800, 3), (120, 170, 230), np.uint8)
    if name == "box":
        picture[:] = (200, 200, 205)
        cv2.rectangle(picture, (150, 220), (650, 480), (60, 60, 70), -1)
    elif name == "squares":
        picture = np.repeat(np.kron(np.indices((15, 20)).sum(0) % 2, np.ones((40, 40)))[..., None] * 255, 3, 2).astype(np.uint8)
    elif name == "ball":
        cv2.circle(picture, (400, 320), 40, (30, 90, 200), -1)
    else:
        picture[450:] = (90, 140, 60)
        cv2.rectangle(picture, (200, 250), (600, 480), (200, 180, 150), -1)
        cv2.fillPoly(picture, [np.array([[170, 250], [630, 250], [400, 100]])], (150, 60, 40))
    photo = tmp_path / f"{name}.png"
    Image.fromarray(picture).save(photo)
    listener, folder = Listener(), tmp_path / "runs" / "the-job"
    word, fields = making.attend(request(folder, photo), listener, nothing)
    assert word is Word.FAILED and fields["trouble"] == Trouble.NO_CAR and "mask" in fields["sentence"]
    assert not folder.exists() and not part_folder(str(folder)).exists()


@pytest.mark.slow
def test_a_mask_vouches_for_the_car(tmp_path):
    """Noise once more, but the user shows where the car is."""
    photo, mask = tmp_path / "noise.png", tmp_path / "mask.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)).save(photo)
    shown = np.zeros((300, 400), np.uint8)
    cv2.fillPoly(shown, [np.array([[60, 210], [60, 160], [140, 150], [180, 110], [280, 110], [330, 160], [330, 210]])], 255)
    cv2.circle(shown, (110, 210), 28, 255, -1)
    cv2.circle(shown, (285, 210), 28, 255, -1)
    Image.fromarray(shown).save(mask)
    asked = replace(request(tmp_path / "runs" / "the-job", photo), mask=str(mask))
    assert making.attend(asked, Listener(), nothing)[0] is Word.MADE


def test_expected_seconds_are_learned():
    settings = Settings(quality="high", texture_size_px=999)
    usual = making_progress.expected_s(settings)
    assert list(usual) == ["photo", "matte", "perceive", "fit", "invert", "paint", "asset", "write"]
    making_progress.Progress("job", settings, Listener(), nothing).learn({"fit": 123.0})
    assert making_progress.expected_s(settings) == usual | {"fit": 123.0}


def test_a_car_made_sooner_than_can_be_told_still_ends_at_nothing_left(monkeypatch):
    monkeypatch.setattr(making_progress.time, "perf_counter", lambda: 0.0)
    listener = Listener()
    progress = making_progress.Progress("job", Settings(quality="draft"), listener, nothing)
    progress.report("fit", 0.3)
    progress.report("write", 1.0)
    assert [fields["left_s"] for fields in listener.of(Word.PROGRESS)] == [None, 0.0]


def test_time_left_follows_the_expected_seconds(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(making_progress.time, "perf_counter", lambda: clock[0])
    listener, settings = Listener(), Settings(quality="normal", seed=77)
    making_progress.Progress("job", settings, listener, nothing).learn(
        {"photo": 0.0, "matte": 1.0, "perceive": 0.0, "fit": 8.0, "invert": 0.0, "paint": 1.0, "asset": 0.0, "write": 0.0}
    )
    progress = making_progress.Progress("job", settings, listener, nothing)
    for seconds, fraction01 in ((0.0, 0.1), (6.0, 0.3)):
        clock[0] = seconds
        progress.report("fit", fraction01)
    first, last = listener.of(Word.PROGRESS)
    assert first["left_s"] is None and last["fraction01"] == pytest.approx(0.5, abs=0.01) and last["left_s"] == pytest.approx(6, abs=0.2)
