"""The files of a run; a real render shows that lamps and looks reach the shaders."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest
from PIL import Image

from imago.addon import headless
from imago.addon.scene.scene import CarObjects, build_car
from imago.addon.scene.studio import add_sky, render, set_quick_cycles
from imago.core.errors import UserInputError
from imago.core.types import Camera, CarAsset

from .synthetic import look_at, synthetic_car

FILES = {"car.blend", "car.glb", "car.json", "matte.png", "preview.png", "texture.png"}


@pytest.fixture
def asset(tmp_path: Path) -> CarAsset:
    ramp = np.linspace(60, 200, 180).astype(np.uint8)
    Image.fromarray(np.stack([np.tile(ramp, (120, 1))] * 3, -1)).save(tmp_path / "box.png")
    return synthetic_car(photo_path=str(tmp_path / "box.png"))


@pytest.mark.slow
def test_all_files_are_made_and_nothing_else(asset: CarAsset, tmp_path: Path) -> None:
    out = tmp_path / "results" / "box"
    headless.write_outputs(asset, out)
    assert {path.name for path in out.iterdir()} == FILES and {path.name for path in out.parent.iterdir()} == {"box"}
    report = json.loads((out / "car.json").read_text())
    assert report["image_size"] == [180, 120] and report["timings_s"]["total"] == 1.5
    assert np.array_equal(np.asarray(Image.open(out / "matte.png")) > 127, asset.matte01 > 0.5)
    texture = np.asarray(Image.open(out / "texture.png"), np.float32) / np.float32(255)
    assert np.array_equal(texture, asset.texture.photo_srgb01)
    assert np.asarray(Image.open(out / "preview.png")).std() > 10
    os.remove(asset.photo_path)
    bpy.ops.wm.open_mainfile(filepath=str(out / "car.blend"))
    assert all(image.packed_file for image in bpy.data.images if image.users)
    scene = bpy.context.scene
    assert np.allclose(np.array(scene.camera.matrix_world), asset.camera.camera_to_car, atol=1e-5)
    assert (scene.render.resolution_x, scene.render.resolution_y) == (180, 120)
    background = scene.camera.data.background_images[0].image
    assert tuple(background.size) == (180, 120) and background.packed_file
    assert not [thing.name for thing in bpy.data.objects if "softbox" in thing.name or "floor" in thing.name]


def test_failure_leaves_nothing(asset: CarAsset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no space left")

    monkeypatch.setattr(headless, "draw_preview", fails)
    (tmp_path / "results").mkdir()
    with pytest.raises(RuntimeError, match="no space left"):
        headless.write_outputs(asset, tmp_path / "results" / "box")
    assert list((tmp_path / "results").iterdir()) == []


def test_lost_photo_is_the_users_to_mend(asset: CarAsset, tmp_path: Path) -> None:
    os.remove(asset.photo_path)
    with pytest.raises(UserInputError):
        headless.write_outputs(asset, tmp_path / "box")
    assert not (tmp_path / "box").exists()


@pytest.fixture
def lit_scene() -> CarObjects:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    car = build_car(synthetic_car())
    add_sky(bpy.context.scene)
    set_quick_cycles(bpy.context.scene, (96, 64))
    return car


def picture(car: CarObjects, azimuth_rad: float, **properties: float) -> np.ndarray:
    for name, value in properties.items():
        car.rig[name] = value
    car.rig.update_tag()
    return render(bpy.context.scene, Camera((96, 64), 50.0, look_at(azimuth_rad, 0.1, 5.5)))[..., :3]


def test_brake_light_shines_where_the_tail_lamps_are(lit_scene: CarObjects) -> None:
    dark = picture(lit_scene, math.pi, photo_look=0.0)
    lit = picture(lit_scene, math.pi, brake=1.0)
    gained = (lit - dark)[..., 0] > 0.2
    columns = np.flatnonzero(gained.any(0))
    assert gained.sum() > 20 and columns.min() < 40 and columns.max() > 56 and not gained[:, 44:52].any()
    assert np.abs(picture(lit_scene, math.pi, brake=0.0) - dark).max() < 0.15


def test_photo_look_changes_colour(lit_scene: CarObjects) -> None:
    """The clean paint is red, the synthetic photograph has as much green and blue as red on the flank."""
    flank = (slice(34, 44), slice(40, 56))
    clean = picture(lit_scene, math.pi / 2, photo_look=0.0)[flank].mean((0, 1))
    photo = picture(lit_scene, math.pi / 2, photo_look=1.0)[flank].mean((0, 1))
    assert clean[0] > 2 * clean[1] and clean[0] > 2 * clean[2]
    assert photo[1] > 0.7 * photo[0] and photo[2] > 0.7 * photo[0]


@pytest.mark.slow
def test_process_ends(tmp_path: Path) -> None:
    """bpy 4.5 hangs at exit when classes stay registered, or when glTF was exported beside torch; a run must not."""
    lines = (
        "import torch, bpy, sys",
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})",
        "import imago.addon as addon",
        "from imago.addon.export.export import export_glb",
        "from imago.addon.scene.scene import build_car",
        "from synthetic import synthetic_car",
        "addon.register()",
        "bpy.ops.wm.read_factory_settings(use_empty=True)",
        "export_glb(build_car(synthetic_car()), 'car.glb')",
        "print('done')",
    )
    ended = subprocess.run([sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert ended.returncode == 0 and ended.stdout == "done\n" and "Traceback" not in ended.stderr
