"""The newcomer's walk through the real window, where a harness for one is at hand (README.md beside this file)."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

needs_window = pytest.mark.skipif("IMAGO_GUI" not in os.environ, reason="no window: IMAGO_GUI names no harness (tests/gui/README.md)")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory):
    """walk(driver) -> the FACT lines it printed, by name."""
    folder = tmp_path_factory.mktemp("walk")
    subprocess.run([sys.executable, str(ROOT / "build.py"), "package", "--out", str(folder)], check=True)
    extension = next(folder.glob("imago-*.zip")).rename(folder / "imago.zip")
    photo = folder / "car.jpg"
    photo.write_bytes((ROOT / "tests" / "data" / "example.jpg").read_bytes())

    def run(driver: str) -> dict[str, str]:
        out = folder / driver
        values = {"driver": HERE / driver, "zip": extension, "photo": photo, "out": out, "python": os.environ["IMAGO_WORKER_PYTHON"]}
        log = folder / f"{driver}.txt"
        with open(log, "w") as file:  # a file, since a pipe would stay open with whatever the harness leaves running
            subprocess.run(shlex.split(os.environ["IMAGO_GUI"].format(**values)), stdout=file, stderr=subprocess.STDOUT, timeout=900)
        facts = [line.split(maxsplit=2) for line in log.read_text().splitlines() if line.startswith("FACT ")]
        assert facts, log.read_text()
        return {name: rest[0] if rest else "" for _, name, *rest in facts}

    return run


@needs_window
@pytest.mark.slow
def test_from_the_zip_to_a_car(walk) -> None:
    facts = walk("walk.drv")
    assert int(facts["clicks"]) <= 4, "from the zip to a first car"
    assert int(facts["longest_tick_ms"]) <= 100, "we never keep the window waiting for longer"
    assert facts["rig"].startswith("['Car'] problem None")
    assert facts["after_undo"] == "3 1" and int(facts["after_redo"]) > 20


@needs_window
@pytest.mark.slow
def test_what_goes_wrong_is_said(walk) -> None:
    facts = walk("errors.drv")
    assert float(facts["cancel_s"]) < 1.0 and facts["after_cancel"] == "3 None"
    assert facts["edit_mode"] == "True 3", "a finished car waits while the artist is in another mode"
    assert int(facts["after_edit_mode"]) > 20
    assert facts["after_working"] == "2 0.0" and facts["after_one_undo"] == "1", "work and undo in between do no harm"
    assert facts["after_opening"] == "False 3", "another file ends the job"
    assert facts["wrong_file"] == "photo" and facts["no_set_up"] == "not_set_up"
    assert facts["worker_after_quit"] == "none"
