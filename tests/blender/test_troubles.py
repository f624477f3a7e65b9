"""Whatever goes wrong: the promised sentence in panel and report, nothing left in the file or on disk, and the next car can be made."""

from __future__ import annotations

import os
import signal
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from .test_create import EXAMPLE, add_last_run, create


def session(installed: ModuleType):
    return installed.module("addon.session").SESSION


def runs_on_disk(installed: ModuleType) -> list[str]:
    return sorted(path.name for path in installed.module("addon.places").runs_folder().iterdir())


def refused(installed: ModuleType, trouble: str, words: str, operator: Callable[..., object] | None = None, **properties: object) -> str:
    """Create a car, which must fail with this kind of trouble and these words in its sentence, and leave nothing; returns the sentence."""
    before, on_disk = installed.data_counts(), runs_on_disk(installed)
    with pytest.raises(RuntimeError) as raised:
        (operator or bpy.ops.imago.create_car)("EXEC_DEFAULT", True, quality="draft", **properties)
    problem = session(installed).problem
    assert problem.trouble == trouble, problem
    assert words in problem.sentence and problem.sentence in str(raised.value)
    assert installed.data_counts() == before and runs_on_disk(installed) == on_disk
    assert not session(installed).busy
    return problem.sentence


def write_png(path: Path, width: int, height: int, value: int = 200) -> Path:
    """A plain grey picture; a huge one takes no memory to write."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    squeeze = zlib.compressobj(1)
    row = b"\0" + bytes([value]) * width
    content = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b""))
    return path


def test_not_set_up(installed: ModuleType) -> None:
    installed.preferences().worker_python = "/nowhere/python"
    refused(installed, "not_set_up", "press Set Up once", filepath=str(EXAMPLE))


def test_set_up_with_a_python_that_is_not_there(installed: ModuleType) -> None:
    installed.preferences().worker_python = "/nowhere/python"
    with pytest.raises(RuntimeError, match="is not there"):
        bpy.ops.imago.set_up()
    assert session(installed).problem.trouble == "python"


def test_set_up_where_blender_may_not_go_online(installed: ModuleType) -> None:
    """The tests' Blender starts as every new one does: without leave to go online."""
    if bpy.app.online_access:
        pytest.skip("this Blender was started with online access")
    installed.preferences().worker_python = ""
    with pytest.raises(RuntimeError, match="Allow Online Access"):
        bpy.ops.imago.set_up()
    assert session(installed).problem.trouble == "offline"


@pytest.mark.slow
def test_no_photo_chosen(worker: ModuleType) -> None:
    refused(worker, "photo", "No photo is chosen")


@pytest.mark.slow
def test_no_picture_of_the_file_chosen(worker: ModuleType) -> None:
    bpy.context.window_manager.imago.source = "IMAGE"
    try:
        refused(worker, "photo", "No picture of this file is chosen")
    finally:
        bpy.context.window_manager.imago.source = "FILE"


@pytest.mark.slow
def test_photos_that_are_none(worker: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("no picture")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "cut short.jpg").write_bytes(EXAMPLE.read_bytes()[:3000])
    refused(worker, "photo", "no such file", filepath=str(tmp_path / "missing.jpg"))
    refused(worker, "photo", "not a picture of a known kind", filepath=str(tmp_path / "notes.jpg"))
    refused(worker, "photo", "is empty", filepath=str(tmp_path / "empty.jpg"))
    refused(worker, "photo", "damaged or cut short", filepath=str(tmp_path / "cut short.jpg"))
    refused(worker, "photo", "too few", filepath=str(write_png(tmp_path / "tiny.png", 16, 16)))
    refused(worker, "too_large", "too large", filepath=str(write_png(tmp_path / "huge.png", 40000, 100)))


@pytest.mark.slow
def test_masks_that_do_not_fit(worker: ModuleType, tmp_path: Path) -> None:
    mask = write_png(tmp_path / "mask.png", 64, 64)
    refused(worker, "mask", "save it in the photo's size", filepath=str(EXAMPLE), mask=str(mask))
    refused(worker, "mask", "no such file", filepath=str(EXAMPLE), mask=str(tmp_path / "missing.png"))
    assert "body" in {thing.get("imago_role") for thing in create(filepath=str(EXAMPLE)).children}, "the next car can be made"


@pytest.mark.slow
def test_a_photo_without_a_car(worker: ModuleType, tmp_path: Path) -> None:
    refused(worker, "no_car", "car", filepath=str(write_png(tmp_path / "wall.png", 640, 480)))


@pytest.mark.slow
def test_a_graphics_card_that_is_not_there(worker: ModuleType) -> None:
    refused(worker, "device", "No CUDA device", filepath=str(EXAMPLE), device="cuda")
    bpy.context.window_manager.imago.device = "cuda"
    assert bpy.ops.imago.use_processor() == {"FINISHED"} and bpy.context.window_manager.imago.device == "cpu"
    assert session(worker).problem is None


def during_the_job(installed: ModuleType, monkeypatch: pytest.MonkeyPatch, stage: str, act: Callable[[object], None]) -> None:
    """Do something once when the worker is in a stage, as a user or the system would beside the waiting operator."""
    found, done = session(installed), []
    tick = found.tick

    def meddling(wait_s: float = 0.0) -> object:
        if not done and found.job is not None and found.job.stage == stage:
            done.append(True)
            act(found)
        return tick(min(wait_s, 0.02))

    monkeypatch.setattr(found, "tick", meddling)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["fit", "paint"])
def test_cancel_is_answered_within_a_second_and_leaves_nothing(worker: ModuleType, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    before, on_disk, asked = worker.data_counts(), runs_on_disk(worker), []

    def cancel(found) -> None:
        asked.append(time.monotonic())
        assert bpy.ops.imago.cancel() == {"FINISHED"}

    during_the_job(worker, monkeypatch, stage, cancel)
    assert bpy.ops.imago.create_car("EXEC_DEFAULT", True, filepath=str(EXAMPLE), quality="draft") == {"CANCELLED"}
    assert time.monotonic() - asked[0] < 1.0
    assert worker.data_counts() == before and runs_on_disk(worker) == on_disk
    assert session(worker).problem is None, "cancelling is no error"


@pytest.mark.slow
def test_a_killed_worker(worker: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    during_the_job(worker, monkeypatch, "fit", lambda found: os.kill(found.worker.pid, getattr(signal, "SIGKILL", signal.SIGTERM)))
    sentence = refused(worker, "worker_died", "ended by itself", filepath=str(EXAMPLE))
    assert bpy.ops.imago.show_log() == {"FINISHED"} and sentence in bpy.data.texts["Imago Log"].as_string()
    monkeypatch.undo()
    assert create(filepath=str(EXAMPLE)).type == "ARMATURE", "a new worker makes the next car"


@pytest.mark.slow
def test_a_corrupt_weight_file(worker: ModuleType) -> None:
    file = worker.folder() / "weights" / "car_shape.safetensors"
    content = file.read_bytes()
    assert bpy.ops.imago.stop_worker() == {"FINISHED"}
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        refused(worker, "weights", "missing or damaged; install the extension again", filepath=str(EXAMPLE))
    finally:
        file.write_bytes(content)
        bpy.ops.imago.stop_worker()


@pytest.mark.slow
def test_a_fault_while_building_leaves_no_half_car(worker: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    add_last_run(worker)
    job = bpy.context.view_layer.objects.active["imago_run"]
    before = worker.data_counts()

    def fail(*_: object) -> None:
        raise ValueError("a fault for the test")

    monkeypatch.setattr(worker.module("addon.placing").reshape, "keep", fail)
    with pytest.raises(RuntimeError, match="a fault for the test"):
        bpy.ops.imago.add_run("EXEC_DEFAULT", True, job=job)
    assert worker.data_counts() == before


@pytest.mark.slow
def test_a_run_that_is_gone(worker: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="no longer in the history"):
        bpy.ops.imago.add_run(job="20200101-000000-abcdef")


@pytest.mark.slow
@pytest.mark.parametrize("file", ["asset.json", "arrays.npz", "reshape.npz"])
def test_a_damaged_run(worker: ModuleType, file: str) -> None:
    job = add_last_run(worker)["imago_run"]
    before, damaged = worker.data_counts(), worker.module("addon.places").runs_folder() / job / file
    content = damaged.read_bytes()
    damaged.write_bytes(content[: len(content) // 2])
    try:
        with pytest.raises(RuntimeError, match="cannot be read; make the car again from its photo"):
            bpy.ops.imago.add_run("EXEC_DEFAULT", True, job=job)
    finally:
        damaged.write_bytes(content)
    assert worker.data_counts() == before


@pytest.mark.slow
def test_export_to_a_folder_that_is_not_there(worker: ModuleType, tmp_path: Path) -> None:
    add_last_run(worker)
    with pytest.raises(RuntimeError, match="There is no folder"):
        bpy.ops.imago.export_car(filepath=str(tmp_path / "nowhere" / "car.glb"))


@pytest.mark.slow
def test_sliders_say_why_they_do_not_move(worker: ModuleType) -> None:
    rig = add_last_run(worker)
    body = next(thing for thing in rig.children if thing.get("imago_role") == "body")
    before = rig.imago.height
    bpy.context.view_layer.objects.active = body
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        rig.imago.height = before + 0.1
        assert rig.imago.height == before
        assert "go back to Object Mode" in session(worker).problem.sentence and session(worker).problem.trouble == "scene"
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
    rig.imago.height = before + 0.1
    assert rig.imago.height > before + 0.05


@pytest.mark.slow
def test_buttons_say_why_they_are_grey(worker: ModuleType) -> None:
    bpy.context.view_layer.objects.active = None
    for name in ("update_car", "export_car", "mark_asset", "photo_camera", "reset_measures"):
        assert not getattr(bpy.ops.imago, name).poll()
        with pytest.raises(RuntimeError, match="Select a car"):
            getattr(bpy.ops.imago, name)()
