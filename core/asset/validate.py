"""What every CarAsset promises, checked before it is saved or built."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ..errors import check_shape
from ..types import Camera, CarAsset, MeshData, Texture, Wheel

WHEEL_NAMES = ("wheel_front_left", "wheel_front_right", "wheel_rear_left", "wheel_rear_right")
LIGHT_KINDS = ("headlight", "high_beam", "tail", "brake", "indicator", "reverse", "fog")
DIMENSION_NAMES = ("length", "width", "height", "wheelbase", "track_front", "track_rear")
TOUCH_M = 1e-3  # the wheels stand on z = 0 to the millimetre
SIZE_TOLERANCE = 0.02  # of the length: dimensions are rounded, bounding boxes are not


def validate_asset(asset: CarAsset, pictures: bool = True) -> None:
    """Raise ValueError (or ShapeError) that names what is wrong, the value found and the value wanted; else do nothing.

    Without `pictures` texture, confidence and matte may be stand-ins and are not looked at.
    """
    _check_mesh("body", asset.body)
    found = tuple(sorted(wheel.name for wheel in asset.wheels))
    if found != tuple(sorted(WHEEL_NAMES)):
        raise ValueError(f"the wheels are named {found}, wanted {WHEEL_NAMES}")
    for wheel in asset.wheels:
        _check_wheel(wheel)
    _check_lights(asset)
    _check_materials(asset)
    _check_camera(asset.camera)
    if pictures:
        _check_texture(asset.texture)
        check_shape("matte01", asset.matte01.shape, asset.camera.image_size_px[::-1])
        _check_range("matte01", asset.matte01)
    _check_dimensions(asset)
    for name, value in asset.quality.items():
        _check_range(f"quality[{name}]", np.asarray(value))


def _check_mesh(name: str, mesh: MeshData) -> None:
    if not np.isfinite(mesh.vertices_m).all():
        raise ValueError(f"{name} has {int((~np.isfinite(mesh.vertices_m)).any(1).sum())} vertices that are not finite, wanted 0")
    _check_index(f"{name} quads", mesh.quads, len(mesh.vertices_m))
    _check_index(f"{name} part_index", mesh.part_index, len(mesh.part_names))
    _check_range(f"{name} uv01", mesh.uv01)
    corners = np.sort(mesh.quads, 1)
    collapsed = int((corners[:, 1:] == corners[:, :-1]).any(1).sum())
    if collapsed:
        raise ValueError(f"{name} has {collapsed} quads that use a vertex twice, wanted 0")
    if len(set(mesh.part_names)) != len(mesh.part_names):
        raise ValueError(f"{name} has {len(mesh.part_names)} part names, {len(set(mesh.part_names))} of them different, wanted all")


def _check_index(name: str, index: np.ndarray, count: int) -> None:
    if index.size and (index.min() < 0 or index.max() >= count):
        raise ValueError(f"{name} runs from {index.min()} to {index.max()}, wanted 0 to {count - 1}")


def _check_range(name: str, values: np.ndarray) -> None:
    """Within 0..1, with room for float32 rounding; NaN fails."""
    low, high = float(np.min(values)), float(np.max(values))
    if not (low >= -1e-4 and high <= 1 + 1e-4):
        raise ValueError(f"{name} runs from {low:.4g} to {high:.4g}, wanted 0 to 1")


def _check_wheel(wheel: Wheel) -> None:
    _check_mesh(wheel.name, wheel.mesh)
    lowest_m = wheel.center_car[2] + float(wheel.mesh.vertices_m[:, 2].min())
    if abs(lowest_m) > TOUCH_M:
        raise ValueError(f"{wheel.name} has its lowest point at z = {lowest_m:.4f} m, wanted 0 within {TOUCH_M} m")
    reach_m = float(np.linalg.norm(wheel.mesh.vertices_m[:, 1:], axis=1).max())
    if abs(reach_m - wheel.radius_m) > TOUCH_M:
        raise ValueError(f"{wheel.name} reaches {reach_m:.4f} m from its axle, wanted its radius of {wheel.radius_m:.4f} m")


def _check_lights(asset: CarAsset) -> None:
    for light in asset.lights:
        if light.kind not in LIGHT_KINDS:
            raise ValueError(f"{light.name} is of kind {light.kind!r}, wanted one of {LIGHT_KINDS}")
        if not len(asset.body.faces_of(light.name)):
            raise ValueError(f"the lamp {light.name} has 0 faces on the body, wanted 1 or more")


def _check_texture(texture: Texture) -> None:
    _check_range("photo_srgb01", texture.photo_srgb01)
    _check_range("confidence01", texture.confidence01)


def _check_materials(asset: CarAsset) -> None:
    """Every part that has faces wears exactly one material."""
    worn = Counter(part for spec in asset.texture.materials for part in spec.parts)
    for name, mesh in (("body", asset.body), *((wheel.name, wheel.mesh) for wheel in asset.wheels)):
        for index in np.unique(mesh.part_index):
            part = mesh.part_names[index]
            if worn[part] != 1:
                raise ValueError(f"the part {part} of {name} wears {worn[part]} materials, wanted 1")


def _check_camera(camera: Camera) -> None:
    rotation = camera.camera_to_car[:3, :3]
    error = float(np.abs(rotation @ rotation.T - np.eye(3)).max())
    if not error < 1e-4 or np.linalg.det(rotation) < 0:
        raise ValueError(
            f"the camera's rotation is off orthonormal by {error:.3g} (determinant {np.linalg.det(rotation):.3f}), wanted 0 and 1"
        )
    if min(*camera.image_size_px, camera.lens_mm, camera.sensor_width_mm) <= 0:
        raise ValueError(
            f"the camera has {camera.image_size_px} px, lens {camera.lens_mm} mm, sensor {camera.sensor_width_mm} mm, wanted all above 0"
        )


def _check_dimensions(asset: CarAsset) -> None:
    """Length and height against the meshes; width is quoted without mirrors, so it is not checked."""
    missing = [name for name in DIMENSION_NAMES if name not in asset.dimensions_m]
    if missing:
        raise ValueError(f"dimensions_m lacks {missing}, wanted {DIMENSION_NAMES}")
    points = np.concatenate([asset.body.vertices_m, *(wheel.mesh.vertices_m + np.asarray(wheel.center_car) for wheel in asset.wheels)])
    extent_m = np.ptp(points, axis=0)
    tolerance_m = SIZE_TOLERANCE * asset.dimensions_m["length"]
    for name, found_m in (("length", float(extent_m[1])), ("height", float(points[:, 2].max()))):
        if abs(found_m - asset.dimensions_m[name]) > tolerance_m:
            raise ValueError(
                f"the meshes have a {name} of {found_m:.3f} m, wanted {asset.dimensions_m[name]:.3f} m within {tolerance_m:.3f} m"
            )
