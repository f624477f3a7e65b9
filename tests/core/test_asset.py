"""Saving, loading and checking of CarAsset, and car.json."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imago.core.asset.asset import car_json, load_asset, save_asset, save_picture, validate_asset
from imago.core.asset.png import write_png
from imago.core.types import CarAsset, CarShape, MeshData


def _synthetic() -> ModuleType:
    """tests/addon/synthetic.py needs no bpy; loaded by path since the two test folders are no package together."""
    spec = importlib.util.spec_from_file_location("synthetic", Path(__file__).parents[1] / "addon" / "synthetic.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def asset() -> CarAsset:
    return _synthetic().synthetic_car()


def same(one: Any, other: Any) -> bool:
    """Equal in type, dtype and every bit, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if dataclasses.is_dataclass(one):
        return all(same(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one))
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_round_trip_is_bit_identical(asset: CarAsset, tmp_path: Path) -> None:
    save_asset(asset, tmp_path / "box")
    loaded = load_asset(tmp_path / "box")
    for field in dataclasses.fields(asset):
        assert same(getattr(asset, field.name), getattr(loaded, field.name)), field.name
    assert {path.name for path in tmp_path.iterdir()} == {"box"}


def test_coefficients_come_back_and_older_assets_have_none(asset: CarAsset, tmp_path: Path) -> None:
    bent = dataclasses.replace(asset, coefficients=(0.1, -1 / 3, 2.5e-7))
    save_asset(bent, tmp_path / "box")
    loaded = load_asset(tmp_path / "box")
    assert loaded.coefficients == bent.coefficients and loaded.shape == bent.shape == CarShape(
        asset.measures, asset.body_type, bent.coefficients
    )
    assert car_json(loaded)["shape"] == {"measures": pytest.approx(asset.measures, abs=1e-5), "coefficients": [0.1, -0.33333, 0.0]}
    path = tmp_path / "box" / "asset.json"
    plain = json.loads(path.read_text())
    del plain["coefficients"]
    path.write_text(json.dumps(plain))
    assert load_asset(tmp_path / "box").coefficients == () == asset.coefficients


def test_arrays_are_no_pickle(asset: CarAsset, tmp_path: Path) -> None:
    save_asset(asset, tmp_path / "box")
    with np.load(tmp_path / "box" / "arrays.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files) and len(arrays.files) == 21


def test_failed_save_leaves_the_older_asset(asset: CarAsset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_asset(asset, tmp_path / "box")

    def fails(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("imago.core.asset.asset.save_picture", fails)
    with pytest.raises(OSError, match="disk full"):
        save_asset(dataclasses.replace(asset, name="other"), tmp_path / "box")
    assert load_asset(tmp_path / "box").name == asset.name and len(list(tmp_path.iterdir())) == 1


def test_another_format_is_refused_with_both_numbers(asset: CarAsset, tmp_path: Path) -> None:
    save_asset(asset, tmp_path / "box")
    path = tmp_path / "box" / "asset.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 9'))
    with pytest.raises(ValueError, match="format 9.*reads 1"):
        load_asset(tmp_path / "box")


def test_car_json_has_the_documented_keys(asset: CarAsset) -> None:
    report = json.loads(json.dumps(car_json(asset)))
    assert list(report) == [
        "image_size", "camera", "dimensions_m", "wheels", "lights", "parts", "body_type", "shape", "paint", "quality", "timings_s",
        "versions", "settings",
    ]  # fmt: skip
    assert set(report["camera"]) == {"lens_mm", "sensor_width_mm", "camera_to_world"}
    assert np.array_equal(report["camera"]["camera_to_world"], asset.camera.camera_to_car)
    assert set(report["dimensions_m"]) == {"length", "width", "height", "wheelbase", "track_front", "track_rear"}
    assert report["wheels"][0] == {
        "name": "wheel_front_left",
        "center_m": [0.75, -1.3, 0.31],
        "radius_m": 0.31,
        "width_m": 0.2,
        "steers": True,
    }
    assert set(report["lights"][0]) == {"name", "kind", "center_m", "normal"} and len(report["lights"]) == 11
    assert report["paint"]["hex"] == "#c93026" and report["parts"] == list(asset.body.part_names)
    assert report["settings"]["quality"] == "normal" and "numpy" in report["versions"]


def with_wheel(asset: CarAsset, **changes: Any) -> CarAsset:
    return dataclasses.replace(asset, wheels=(dataclasses.replace(asset.wheels[0], **changes), *asset.wheels[1:]))


def with_body(asset: CarAsset, **changes: Any) -> CarAsset:
    return dataclasses.replace(asset, body=dataclasses.replace(asset.body, **changes))


def with_light(asset: CarAsset, **changes: Any) -> CarAsset:
    return dataclasses.replace(asset, lights=(dataclasses.replace(asset.lights[0], **changes), *asset.lights[1:]))


def with_texture(asset: CarAsset, **changes: Any) -> CarAsset:
    return dataclasses.replace(asset, texture=dataclasses.replace(asset.texture, **changes))


def mirrored(asset: CarAsset) -> CarAsset:
    camera_to_car = asset.camera.camera_to_car @ np.diag([-1.0, 1, 1, 1])
    return dataclasses.replace(asset, camera=dataclasses.replace(asset.camera, camera_to_car=camera_to_car))


def bent(mesh: MeshData) -> np.ndarray:
    quads = mesh.quads.copy()
    quads[3, 1] = quads[3, 0]
    return quads


BREAKAGES = {
    "floating wheel": (lambda a: with_wheel(a, center_car=(0.75, -1.3, 0.35)), "z = 0.0400 m, wanted 0"),
    "wrong radius": (lambda a: with_wheel(a, radius_m=0.4), "0.3100 m from its axle, wanted its radius of 0.4000"),
    "wrong wheel name": (lambda a: with_wheel(a, name="wheel_1"), "wheel_1"),
    "bad index": (lambda a: with_body(a, quads=a.body.quads + 10**6), "wanted 0 to"),
    "collapsed quad": (lambda a: with_body(a, quads=bent(a.body)), "1 quads that use a vertex twice, wanted 0"),
    "uv outside": (lambda a: with_body(a, uv01=a.body.uv01 * 2), "0 to 2, wanted 0 to 1"),
    "nan": (lambda a: with_body(a, vertices_m=a.body.vertices_m * np.float32(np.nan)), "not finite, wanted 0"),
    "lamp without faces": (lambda a: with_light(a, name="lamp"), "lamp has 0 faces"),
    "unknown kind": (lambda a: with_light(a, kind="disco"), "disco"),
    "bare part": (lambda a: with_texture(a, materials=a.texture.materials[1:]), "wears 0 materials"),
    "wrong length": (lambda a: dataclasses.replace(a, dimensions_m={**a.dimensions_m, "length": 5.0}), "4.200 m, wanted 5.000 m"),
    "matte of another size": (lambda a: dataclasses.replace(a, matte01=a.matte01[:50]), "50, 180"),
    "mirrored camera": (mirrored, "determinant -1.000"),
    "overbright texture": (lambda a: with_texture(a, photo_srgb01=a.texture.photo_srgb01 * 3), "wanted 0 to 1"),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_wrong_is_named_with_both_numbers(asset: CarAsset, name: str) -> None:
    validate_asset(asset)
    breaks, message = BREAKAGES[name]
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        validate_asset(breaks(asset))


def test_without_pictures_everything_else_is_the_same(asset: CarAsset, tmp_path: Path) -> None:
    save_asset(asset, tmp_path / "box")
    for picture in ("photo.png", "confidence.png", "matte.png"):
        (tmp_path / "box" / picture).unlink()
    loaded = load_asset(tmp_path / "box", pictures=False)
    for name in ("body", "wheels", "lights", "camera", "dimensions_m", "measures", "quality", "settings", "timings_s"):
        assert same(getattr(asset, name), getattr(loaded, name)), name
    assert loaded.texture.materials == asset.texture.materials
    assert loaded.texture.photo_srgb01.shape == (1, 1, 3) and loaded.matte01.shape == (1, 1)
    with pytest.raises(ValueError, match="matte01"):
        validate_asset(loaded)


def test_without_pictures_an_asset_that_does_not_hold_together_is_refused(asset: CarAsset, tmp_path: Path) -> None:
    save_asset(asset, tmp_path / "box")
    file = tmp_path / "box" / "asset.json"
    file.write_text(file.read_text().replace('"headlight_left"', '"headlight_middle"', 1))
    with pytest.raises(ValueError):
        load_asset(tmp_path / "box", pictures=False)


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (3, 4, 3), (700, 900, 3), (2, 3, 4)])
def test_png_files_hold_the_picture_bit_for_bit(shape: tuple[int, ...], tmp_path: Path) -> None:
    """The large one is compressed in several pieces."""
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    write_png(picture, tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as image:
        image.load()
        assert image.mode == {2: "L"}.get(len(shape), {3: "RGB", 4: "RGBA"}.get(shape[-1])) and (np.asarray(image) == picture).all()


def test_pictures_are_rounded_and_cut_to_bytes(tmp_path: Path) -> None:
    save_picture(np.array([[0.0, 1.0 + 5e-5, 0.5, 100.4 / 255]], np.float32), tmp_path / "grey.png")
    assert np.asarray(Image.open(tmp_path / "grey.png")).tolist() == [[0, 255, 128, 100]]


def test_pillow_is_not_needed_without_pictures(asset: CarAsset, tmp_path: Path) -> None:
    save_asset(asset, tmp_path / "box")
    code = (
        "import sys; sys.modules['PIL'] = None; from imago.core.asset.asset import load_asset;"
        f"print(load_asset({str(tmp_path / 'box')!r}, pictures=False).name)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (answer.returncode, answer.stdout.strip()) == (0, asset.name), answer.stderr
