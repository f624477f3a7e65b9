"""build.py run from the outside: a fake pipeline and writer go in by parameter, everything else is real."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imago.addon import invent_line
from imago.addon.command_line import main, result_folders
from imago.addon.progress import ProgressLine
from imago.core.errors import UserInputError
from imago.core.matte import make_matte
from imago.core.photo import read_photo
from imago.core.types import Camera, CarAsset, MeshData, Settings, Texture


def empty_asset(photo_path: Path, settings: Settings) -> CarAsset:
    mesh = MeshData(np.zeros((0, 3)), np.zeros((0, 4), int), np.zeros((0, 4, 2)), np.zeros(0, int), ())
    texture = Texture(np.zeros((1, 1, 3)), np.zeros((1, 1)), (), (0.0, 0.0, 0.0))
    camera = Camera((64, 48), 50.0, np.eye(4))
    quality = {"mask_iou": 0.9, "confidence": 0.5}
    matte = np.zeros((1, 1))
    return CarAsset(
        photo_path.stem, str(photo_path), mesh, (), (), texture, camera, "sedan", {}, {}, quality, matte, settings, {"fit": 1.0}
    )


class FakeProgram:
    """Reads the photo and its mask in earnest; makes no car."""

    def __init__(self, breaks_on: str = "", notices: tuple[str, ...] = ()) -> None:
        self.breaks_on, self.notices = breaks_on, notices
        self.seen: list[tuple[str, Path | None, Settings]] = []

    def photo_to_car(self, photo_path, mask_path, settings, report, *, notice):
        report("matte", 0.2)
        for sentence in self.notices:
            notice(sentence)
        photo = read_photo(photo_path)
        if mask_path is not None or photo.alpha01 is not None:
            make_matte(photo, mask_path)
        if photo_path.stem == self.breaks_on:
            raise RuntimeError("a fault")
        self.seen.append((photo_path.name, mask_path, settings))
        return empty_asset(photo_path, settings)

    def write_outputs(self, asset, out_dir):
        (out_dir / "car.json").write_text(json.dumps({"name": asset.name, "timings_s": asset.timings_s}))
        (out_dir / "car.glb").write_bytes(b"glTF")

    def run(self, *arguments: object) -> int:
        return main([str(argument) for argument in arguments], self.photo_to_car, self.write_outputs)


@pytest.fixture
def program():
    return FakeProgram()


def picture(path: Path, size: tuple[int, int] = (64, 48)) -> Path:
    Image.new("RGB", size, (90, 120, 60)).save(path)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_one_photo(tmp_path, program, capsys):
    photo, out = picture(tmp_path / "a.jpg"), tmp_path / "deep" / "out"
    assert program.run(photo, "--out", out, "--quality", "draft", "--device", "cpu") == 0
    assert names(out) == ["a"] and names(out / "a") == ["car.glb", "car.json"]
    assert program.seen == [("a.jpg", None, Settings(quality="draft", device="cpu"))]
    timings = json.loads((out / "a" / "car.json").read_text())["timings_s"]
    assert timings["fit"] == 1.0 and 0 <= timings["scene"] <= timings["total"] < 5
    printed = capsys.readouterr().out
    assert "mask IoU 0.900" in printed and "confidence 0.50" in printed and str(out / "a") in printed


def bad_inputs(folder: Path) -> dict[str, Path]:
    """Every kind of bad photograph, and the word that its sentence must hold."""
    (folder / "text.jpg").write_text("not a picture at all\n" * 9)
    (folder / "empty.jpg").touch()
    picture(folder / "dot.png", (1, 1))
    Image.new("1", (30_000, 30_000)).save(folder / "huge.png")
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    Image.fromarray(noise).save(folder / "whole.jpg")
    (folder / "cut.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:9000])
    Image.new("RGBA", (64, 48), (255, 0, 0, 0)).save(folder / "clear.png")
    (folder / "bare").mkdir()
    return {
        "no such file": folder / "missing.jpg",
        "not a picture": folder / "text.jpg",
        "is empty": folder / "empty.jpg",
        "too few": folder / "dot.png",
        "too large": folder / "huge.png",
        "cut short": folder / "cut.jpg",
        "transparent everywhere": folder / "clear.png",
        "holds no picture": folder / "bare",
    }


def test_each_bad_photo_gets_its_sentence_and_leaves_nothing(tmp_path, capsys):
    for number, (words, path) in enumerate(bad_inputs(tmp_path).items()):
        out = tmp_path / f"out{number}"
        assert FakeProgram().run(path, "--out", out) == 2, words
        told = capsys.readouterr().err.splitlines()
        assert len(told) == 1 and told[0].startswith(f"{path}: ") and words in told[0] and told[0].endswith(".")
        assert not out.exists()


def test_good_photos_are_done_beside_bad_ones(tmp_path, program, capsys):
    bad = bad_inputs(tmp_path)
    good = picture(tmp_path / "good.png")
    out = tmp_path / "out"
    assert program.run(*bad.values(), good, "--out", out) == 2
    assert len(capsys.readouterr().err.splitlines()) == len(bad)
    assert names(out) == ["good"]


def test_mask_file_and_folder(tmp_path, program):
    photo, other = picture(tmp_path / "a.jpg"), picture(tmp_path / "b.jpg")
    masks = tmp_path / "masks"
    masks.mkdir()
    mask = np.zeros((48, 64), np.uint8)
    mask[10:40, 10:50] = 255
    Image.fromarray(mask).save(masks / "a.png")
    Image.fromarray(mask).save(masks / "b_mask.png")
    assert program.run(photo, other, "--out", tmp_path / "out", "--mask", masks) == 0
    assert [mask_path for _, mask_path, _ in program.seen] == [masks / "a.png", masks / "b_mask.png"]
    assert program.run(photo, "--out", tmp_path / "out", "--mask", masks / "a.png") == 0


def test_mask_of_another_size(tmp_path, program, capsys):
    photo, mask = picture(tmp_path / "a.jpg"), picture(tmp_path / "m.png", (64, 47))
    assert program.run(photo, "--out", tmp_path / "out", "--mask", mask) == 2
    told = capsys.readouterr().err
    assert "64 x 47" in told and "64 x 48" in told and not (tmp_path / "out").exists()


def test_missing_mask_does_not_stop_the_others(tmp_path, program, capsys):
    photo, other = picture(tmp_path / "a.jpg"), picture(tmp_path / "b.jpg")
    masks = tmp_path / "masks"
    masks.mkdir()
    Image.new("L", (64, 48), 0).save(masks / "b.png")
    Image.fromarray(np.pad(np.full((20, 20), 255, np.uint8), ((14, 14), (22, 22)))).save(masks / "b.png")
    assert program.run(photo, other, "--out", tmp_path / "out", "--mask", masks) == 2
    assert "neither a.png nor a_mask.png" in capsys.readouterr().err and names(tmp_path / "out") == ["b"]


@pytest.mark.parametrize("kind", ["file", "below a file"])
def test_output_that_cannot_be_written(tmp_path, program, capsys, kind):
    photo, block = picture(tmp_path / "a.jpg"), tmp_path / "block"
    block.write_text("x")
    assert program.run(photo, "--out", block if kind == "file" else block / "out") == 2
    told = capsys.readouterr().err
    assert "--out" in told and len(told.splitlines()) == 1 and not program.seen


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_output_folder(tmp_path, program, capsys):
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    assert program.run(picture(tmp_path / "a.jpg"), "--out", out) == 2
    assert "nothing can be written" in capsys.readouterr().err


def test_same_stem_gets_distinct_folders(tmp_path, program):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    photos = [picture(tmp_path / "one" / "car.jpg"), picture(tmp_path / "two" / "Car.png"), picture(tmp_path / "one" / "car.bmp")]
    assert program.run(*photos, "--out", tmp_path / "out") == 0
    assert names(tmp_path / "out") == ["Car_2", "car", "car_3"]


def test_result_folders_never_meet():
    photos = [Path("car_2.jpg"), Path("car.jpg"), Path("car.png")]
    assert len({folder.name for folder in result_folders(photos, Path("out"))}) == 3


def test_the_same_file_twice_is_one_car(tmp_path, program):
    photo = picture(tmp_path / "a.jpg")
    assert program.run(photo, tmp_path, photo, "--out", tmp_path / "out") == 0
    assert len(program.seen) == 1


def test_a_fault_of_the_program_is_exit_code_1_and_the_rest_is_done(tmp_path, capsys):
    photos = [picture(tmp_path / f"{name}.jpg") for name in "abc"]
    assert FakeProgram(breaks_on="b").run(*photos, tmp_path / "none.jpg", "--out", tmp_path / "out") == 1
    assert names(tmp_path / "out") == ["a", "c"]
    assert "RuntimeError: a fault" in capsys.readouterr().err


def test_a_writer_that_fails_leaves_nothing_and_keeps_the_older_result(tmp_path, program):
    photo, out = picture(tmp_path / "a.jpg"), tmp_path / "out"
    assert program.run(photo, "--out", out) == 0
    before = (out / "a" / "car.json").read_text()

    def half(asset, out_dir):
        (out_dir / "car.json").write_text("{")
        raise UserInputError("the disk is full, make room.")

    assert main([str(photo), "--out", str(out)], program.photo_to_car, half) == 2
    assert names(out) == ["a"] and (out / "a" / "car.json").read_text() == before


def test_stopping_leaves_nothing(tmp_path, program):
    def stopped(asset, out_dir):
        (out_dir / "car.glb").write_bytes(b"half")
        raise KeyboardInterrupt

    photos = [picture(tmp_path / "a.jpg"), picture(tmp_path / "b.jpg")]
    assert main([*map(str, photos), "--out", str(tmp_path / "out")], program.photo_to_car, stopped) == 130
    assert not (tmp_path / "out").exists() and [name for name, *_ in program.seen] == ["a.jpg"]


def test_a_second_run_replaces_the_car_and_keeps_what_the_user_put_there(tmp_path, program):
    photo, out = picture(tmp_path / "a.jpg"), tmp_path / "out"
    assert program.run(photo, "--out", out) == 0
    (out / "a" / "notes.txt").write_text("mine")
    (out / "a" / "car.glb").write_text("older")
    assert program.run(photo, "--out", out) == 0
    assert (out / "a" / "notes.txt").read_text() == "mine" and (out / "a" / "car.glb").read_bytes() == b"glTF"
    assert names(out) == ["a"]


def test_progress_in_a_log_is_one_line_a_stage(capsys):
    line = ProgressLine("a.jpg")
    for stage, fraction01 in (("matte", 0.0), ("fit", 0.3), ("fit", 0.5), ("paint", 0.2)):
        line.report(stage, fraction01)
    line.end()
    told = capsys.readouterr().out.splitlines()
    assert [text.split()[1] for text in told] == ["matte", "fit", "paint"]
    assert "50 %" in told[2]  # never falls back


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ((), Settings()),
        (("--which", "2"), Settings(which=2)),
        (("--box", "10,20.5,300,200"), Settings(box_px=(10.0, 20.5, 300.0, 200.0))),
        (("--box=-5,0,30,20", "--which", "0"), Settings(box_px=(-5.0, 0.0, 30.0, 20.0))),
        (("--matte", "rembg"), Settings(matte="rembg")),
        (("--body", "suv"), Settings(body_type="suv")),
        (("--unseen", "generator"), Settings(unseen="generator")),
    ],
)
def test_which_car_and_which_cut(tmp_path, program, arguments, settings):
    assert program.run(picture(tmp_path / "a.jpg"), "--out", tmp_path / "out", *arguments) == 0
    assert [seen for *_, seen in program.seen] == [settings]


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        *(("--box", text, "give left, top, right and bottom") for text in ("1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,nan,4", "1,2,inf,4", "")),
        *(("--which", text, "is no car's number") for text in ("two", "1.5", "-1", "")),
        ("--matte", "magic", "invalid choice"),
    ],
)
def test_nonsense_for_an_option_gets_a_sentence(tmp_path, program, capsys, option, text, words):
    with pytest.raises(SystemExit) as left:
        program.run(picture(tmp_path / "a.jpg"), "--out", tmp_path / "out", f"{option}={text}")
    assert left.value.code == 2 and words in capsys.readouterr().err and not program.seen


def test_a_body_type_that_is_none(tmp_path, program, capsys):
    assert program.run(picture(tmp_path / "a.jpg"), "--out", tmp_path / "out", "--body", "tank") == 2
    assert capsys.readouterr().err.startswith("there is no body type 'tank', choose sedan, ") and not program.seen
    assert not (tmp_path / "out").exists()


def test_number_and_box_together(tmp_path, program, capsys):
    assert program.run(picture(tmp_path / "a.jpg"), "--out", tmp_path / "out", "--which", "2", "--box", "1,2,30,40") == 2
    assert capsys.readouterr().err == "choose a car either by its number or by a box, not by both.\n"
    assert not program.seen and not (tmp_path / "out").exists()


def test_a_notice_is_a_line_of_its_own_and_no_failure(tmp_path, capsys):
    photo = picture(tmp_path / "a.jpg")
    assert FakeProgram(notices=("2 cars were found.",)).run(photo, "--out", tmp_path / "out") == 0
    told = capsys.readouterr()
    assert told.err == f"{photo}: 2 cars were found.\n" and [line.split()[1] for line in told.out.splitlines()[1:3]] == ["matte", "scene"]


def test_a_notice_on_a_terminal_first_clears_the_progress(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", sys.stdout)  # as on a terminal, where both share the lines
    photo = picture(tmp_path / "a.jpg")
    assert FakeProgram(notices=("2 cars were found.",)).run(photo, "--out", tmp_path / "out") == 0
    assert f"\r\033[K{photo}: 2 cars were found.\n" in capsys.readouterr().out


def test_invented_cars_are_a_seed_each(tmp_path):
    chosen = invent_line.parser().parse_args(
        ["--seed", "7", "--count", "2", "--toward", "3", "--share", "0.25", "--quality", "draft", "--out", str(tmp_path)]
    )
    (first, settings), (second, other) = invent_line.plan(chosen)
    assert first.photo == tmp_path / "invented_7_3_025.png" and first.folder == tmp_path / "invented_7_3_025" and first.mask is None
    assert settings == Settings(quality="draft", unseen="generator", invented=True, seed=7, toward_seed=3, share01=0.25)
    assert other == replace(settings, seed=8) and second.folder != first.folder
    ((_, settings),) = invent_line.plan(invent_line.parser().parse_args(["--body", "suv", "--paint", "#ff0033"]))
    assert settings.invented_body == "suv" and settings.invented_paint_srgb01 == (1.0, 0.0, 0.2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--truncation", "2"], "from 0 to 1"),
        (["--seed", "-4"], "whole numbers"),
        (["--count", "0"], "how many"),
        (["--body", "tank"], "van, pickup"),
    ],
)
def test_nonsense_for_an_invented_car_gets_a_sentence(tmp_path, capsys, arguments, words):
    assert invent_line.main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err and not (tmp_path / "out").exists()
