"""The judges of the formats: the Khronos glTF validator and OpenUSD's validators find no error in any preset's file."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

from imago.addon.export.export import export_car
from imago.addon.export.options import ExportOptions
from imago.addon.export.presets import PRESETS

from .moving_car import FIRST, LAST, lamp_values, moving_car, played

HERE = Path(__file__).parent
SMALLEST_TURN_RAD = 1e-3  # OpenUSD takes the angle from the quaternion's w, a float that is 1 for anything smaller
VALIDATOR = "gltf-validator@2.0.0-dev.3.10"


@pytest.fixture(scope="module")
def khronos(request: pytest.FixtureRequest) -> Path:
    """A folder with the validator in node_modules, installed once and kept in pytest's cache."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("the Khronos validator needs node and npm, which this machine lacks")
    folder = Path(request.config.cache.mkdir(VALIDATOR.replace("@", "-")))
    if not (folder / "node_modules" / "gltf-validator").is_dir():
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", VALIDATOR]
        if subprocess.run(command, capture_output=True, timeout=300).returncode != 0:
            pytest.skip("npm cannot fetch the Khronos validator here")
    return folder


def test_the_khronos_validator_finds_no_error(khronos: Path, tmp_path: Path) -> None:
    car = moving_car()
    export_car(car, tmp_path / "rest.glb", ExportOptions())
    for preset in PRESETS:
        every = preset in ("GENERIC", "UNITY")
        export_car(car, tmp_path / f"{preset}.glb", ExportOptions("GLB", preset, (FIRST, LAST), lods=every, collision=True))
    files = sorted(tmp_path.glob("*.glb"))
    assert len(files) == len(PRESETS) + 3, "two further levels of GENERIC"
    command = ["node", str(HERE / "validate_gltf.cjs"), str(khronos), *map(str, files)]
    reports = [json.loads(line) for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()]
    assert [report["file"] for report in reports] == [path.name for path in files]
    for report in reports:
        assert report["numErrors"] == 0 and report["numWarnings"] == 0, report["messages"]


@pytest.mark.skipif(not bpy.app.build_options.usd, reason="this Blender cannot write USD")
@pytest.mark.skipif(importlib.util.find_spec("pxr") is None, reason="OpenUSD's validators need usd-core, which is not installed")
def test_openusd_finds_no_error_and_the_motion(tmp_path: Path) -> None:
    car = moving_car()
    export_car(car, tmp_path / "rest.usda", ExportOptions("USD"))
    for preset in PRESETS:
        export_car(car, tmp_path / f"{preset}.usda", ExportOptions("USD", preset, (FIRST, LAST), collision=True))
    files = sorted(tmp_path.glob("*.usda"))
    answer = subprocess.run([sys.executable, str(HERE / "check_usd.py"), *map(str, files)], check=True, capture_output=True, text=True)
    stages = {Path(stage["file"]).stem: stage for stage in map(json.loads, answer.stdout.splitlines())}
    assert set(stages) == {"rest", *PRESETS}
    for stage in stages.values():
        assert stage["validators"] >= 25 and not stage["errors"] and not stage["others"], stage
        assert (stage["up"], stage["unit_m"], stage["default"]) == ("Z", 1.0, "/root")
    assert stages["GENERIC"]["range"] == [FIRST, LAST, 24.0]
    _compare(stages["GENERIC"]["places"], played(car, ("wheel_front_left", "body", "door")), np.eye(4))
    on = lamp_values(car, "headlight_left", "headlight") > 0.001
    assert set(stages["GENERIC"]["lights"]) == {"beam_low_left", "beam_low_right"} and 0 < on.sum() < len(on)
    for samples in stages["GENERIC"]["lights"].values():
        assert all((intensity > 0) == on[int(time) - FIRST] for time, intensity in samples) and len(samples) > 1
    quarter = np.array([[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])  # the nose from -Y to +X
    physx = {path.replace("FrontLeftWheel", "wheel_front_left"): place for path, place in stages["OMNIVERSE"]["places"].items()}
    _compare(physx, played(car, ("wheel_front_left",)), quarter)


def _compare(places: dict[str, Any], truth: dict[str, np.ndarray], turn: np.ndarray) -> None:
    """Every sample of every named prim is where Blender evaluated the object."""
    for name, wanted in truth.items():
        place = next(place for path, place in places.items() if path.endswith(f"/{name}"))
        if name != "body":  # which stands still on the car, apart from its roll
            assert place["times"] == [float(frame) for frame in range(FIRST, LAST + 1)]
        for time, found in zip(place["times"], place["world"], strict=True):
            error = np.abs(np.array(found) - turn @ wanted[int(time) - FIRST] @ turn.T)
            assert error.max() < SMALLEST_TURN_RAD, (name, time)
