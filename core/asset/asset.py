"""CarAsset <-> a folder of asset.json, arrays.npz (no pickle) and PNG pictures."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ..types import Camera, CarAsset, Light, MaterialSpec, MeshData, Settings, Texture, Wheel
from .aside import written_aside
from .pictures import load_picture, save_picture
from .report import car_json
from .validate import validate_asset

__all__ = ["car_json", "load_asset", "save_asset", "save_picture", "validate_asset"]

FORMAT = 1
MESH_ARRAYS = ("vertices_m", "quads", "uv01", "part_index")
PLAIN_FIELDS = ("name", "photo_path", "body_type", "dimensions_m", "measures", "quality", "timings_s")


def save_asset(asset: CarAsset, folder: str | os.PathLike[str]) -> None:
    """Write the asset; an older one in the same folder is replaced only when everything is written.

    Meshes, camera and figures come back bit for bit.  Pictures are kept at 8 bits a channel, as they came from the
    photograph: what load_asset returned is saved again without any change.
    Raises: ValueError or ShapeError from validate_asset; UserInputError where the folder cannot be written.
    """
    validate_asset(asset)
    arrays = {"camera/camera_to_car": asset.camera.camera_to_car, **_mesh_arrays("body", asset.body)}
    for wheel in asset.wheels:
        arrays |= _mesh_arrays(wheel.name, wheel.mesh)
    with written_aside(folder) as aside:
        (aside / "asset.json").write_text(json.dumps(_plain(asset), indent=1))
        np.savez(aside / "arrays.npz", **arrays)
        save_picture(asset.texture.photo_srgb01, aside / "photo.png")
        save_picture(asset.texture.confidence01, aside / "confidence.png")
        save_picture(asset.matte01, aside / "matte.png")
        if asset.views_srgb01 is not None:
            save_picture(asset.views_srgb01, aside / "views.png")  # to look at; nothing reads it back


def load_asset(folder: str | os.PathLike[str], pictures: bool = True) -> CarAsset:
    """Read what save_asset wrote, and validate it.

    Without `pictures` texture, confidence and matte are grey stand-ins of one pixel and no file of theirs is opened; this needs no Pillow.
    Raises: OSError where a file is missing; ValueError for another format or an asset that does not hold together.
    """
    root = Path(folder)
    plain = json.loads((root / "asset.json").read_text())
    if plain["format"] != FORMAT:
        raise ValueError(f"{root} holds asset format {plain['format']}, this program reads {FORMAT}")
    with np.load(root / "arrays.npz", allow_pickle=False) as file:
        arrays = dict(file)
    photo_srgb01, confidence01, matte01 = _pictures(root) if pictures else _stand_ins()
    materials = tuple(MaterialSpec(**_tuples(spec)) for spec in plain["materials"])
    texture = Texture(photo_srgb01, confidence01, materials, tuple(plain["paint_srgb01"]))
    wheels = tuple(Wheel(**_tuples(wheel), mesh=_mesh(wheel["name"], arrays, plain)) for wheel in plain["wheels"])
    camera = Camera(camera_to_car=arrays["camera/camera_to_car"], **_tuples(plain["camera"]))
    asset = CarAsset(
        **{name: plain[name] for name in PLAIN_FIELDS},
        coefficients=tuple(plain.get("coefficients", ())),  # older assets have none
        body=_mesh("body", arrays, plain),
        wheels=wheels,
        lights=tuple(Light(**_tuples(light)) for light in plain["lights"]),
        texture=texture,
        camera=camera,
        matte01=matte01,
        settings=Settings(**plain["settings"]),
    )
    validate_asset(asset, pictures)
    return asset


def _pictures(root: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return load_picture(root / "photo.png"), load_picture(root / "confidence.png"), load_picture(root / "matte.png")


def _stand_ins() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.full((1, 1, 3), 0.5, np.float32), np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32)


def _plain(asset: CarAsset) -> dict[str, Any]:
    """All of the asset that is not an array."""
    camera, texture = asset.camera, asset.texture
    meshes = {"body": asset.body, **{wheel.name: wheel.mesh for wheel in asset.wheels}}
    return {
        "format": FORMAT,
        **{name: getattr(asset, name) for name in PLAIN_FIELDS},
        "coefficients": list(asset.coefficients),
        "part_names": {name: list(mesh.part_names) for name, mesh in meshes.items()},
        "wheels": [{key: getattr(wheel, key) for key in ("name", "center_car", "radius_m", "width_m", "steers")} for wheel in asset.wheels],
        "lights": [asdict(light) for light in asset.lights],
        "materials": [asdict(spec) for spec in texture.materials],
        "paint_srgb01": list(texture.paint_srgb01),
        "camera": {"image_size_px": camera.image_size_px, "lens_mm": camera.lens_mm, "sensor_width_mm": camera.sensor_width_mm},
        "settings": asdict(asset.settings),
    }


def _mesh_arrays(prefix: str, mesh: MeshData) -> dict[str, np.ndarray]:
    return {f"{prefix}/{name}": getattr(mesh, name) for name in MESH_ARRAYS}


def _mesh(prefix: str, arrays: dict[str, np.ndarray], plain: dict[str, Any]) -> MeshData:
    return MeshData(**{name: arrays[f"{prefix}/{name}"] for name in MESH_ARRAYS}, part_names=tuple(plain["part_names"][prefix]))


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    """JSON knows only lists; the dataclasses hold tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
