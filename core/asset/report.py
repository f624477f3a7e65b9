"""car.json: what a run says about the car it made."""

from __future__ import annotations

import platform
import tomllib
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..types import CarAsset

FIGURES = 5  # decimals of metres in car.json: a hundredth of a millimetre


def car_json(asset: CarAsset) -> dict[str, Any]:
    """The contents of car.json: plain values in metres, seconds and the car frame, keys as the README lists them."""
    camera = asset.camera
    return {
        "image_size": list(camera.image_size_px),
        "camera": {
            "lens_mm": float(camera.lens_mm),
            "sensor_width_mm": float(camera.sensor_width_mm),
            "camera_to_world": camera.camera_to_car.tolist(),
        },
        "dimensions_m": {name: _rounded(value) for name, value in asset.dimensions_m.items()},
        "wheels": [
            {
                "name": wheel.name,
                "center_m": [_rounded(value) for value in wheel.center_car],
                "radius_m": _rounded(wheel.radius_m),
                "width_m": _rounded(wheel.width_m),
                "steers": bool(wheel.steers),
            }
            for wheel in asset.wheels
        ],
        "lights": [
            {
                "name": light.name,
                "kind": light.kind,
                "center_m": [_rounded(value) for value in light.center_car],
                "normal": [_rounded(value) for value in light.normal_car],
            }
            for light in asset.lights
        ],
        "parts": list(asset.body.part_names),
        "body_type": asset.body_type,
        "shape": {
            "measures": {name: _rounded(value) for name, value in asset.measures.items()},
            "coefficients": [_rounded(value) for value in asset.coefficients],
        },
        "paint": {"srgb01": [_rounded(value) for value in asset.texture.paint_srgb01], "hex": _hex(asset.texture.paint_srgb01)},
        "quality": {name: float(value) for name, value in asset.quality.items()},
        "timings_s": {name: round(float(value), 3) for name, value in asset.timings_s.items()},
        "versions": dict(_versions()),
        "settings": asdict(asset.settings),
    }


def _rounded(value: float) -> float:
    return round(float(value), FIGURES)


def _hex(color_srgb01: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(min(max(value, 0.0), 1.0) * 255):02x}" for value in color_srgb01)


@cache
def _versions() -> dict[str, str]:
    """Of Python, this program and the packages that decide the result; a package that is not installed is left out."""
    found = {"python": platform.python_version()}
    manifest = Path(__file__).parents[2] / "blender_manifest.toml"
    if manifest.is_file():
        found["imago"] = tomllib.loads(manifest.read_text())["version"]
    for name in ("torch", "numpy", "bpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # bpy is no package inside Blender, torch is none beside it
    return found
