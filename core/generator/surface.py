"""What the pixels of a picture show of a car whose shape is known: part, place and slope of its surface, from which the generator draws.

In place of StyleGAN's learned constant, the generator begins with the shape itself, drawn by the rasteriser; so no view has to be learned,
and its pictures fit the mesh to the pixel.  Rendering from such maps is deferred neural rendering (Thies et al., SIGGRAPH 2019), here with
the styles of a StyleGAN2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from ..car.part_classes import classes_of_parts
from ..car.parts import base_name
from ..errors import check_shape
from ..frames import focal_px
from ..perceive.heads import COORDINATE_REACH, PART_CLASSES, UNKNOWN_PART
from ..render.hits import hit_places, nearest_hits
from ..types import MeshData, Wheel
from .window import CarBox, window_camera

LAYERS = ("cover", "part", "x", "y", "z", "normal_x", "normal_y", "normal_z")
SAMPLES = 2  # along a pixel's side, for the cover
WAVES = (1, 2, 4, 8, 16)  # half waves of sines and cosines in a length
SURFACE_FEATURES = 1 + (len(PART_CLASSES) - 1) + 3 + 6 * len(WAVES) + 3 + 4
MIRRORED_LAYERS = (LAYERS.index("x"), LAYERS.index("normal_x"))


@dataclass(frozen=True, eq=False)
class Solid:
    """A car to be drawn.  triangles_m (F, 3, 3) float32 in the car frame; part_class (F,) uint8 into PART_CLASSES, UNKNOWN_PART counts as
    body; box without mirrors and accessories."""

    triangles_m: np.ndarray
    part_class: np.ndarray
    box: CarBox

    def __post_init__(self) -> None:
        check_shape("triangles_m", self.triangles_m.shape, (None, 3, 3))
        check_shape("part_class", self.part_class.shape, (len(self.triangles_m),))

    @classmethod
    def of_car(cls, body: MeshData, wheels: tuple[Wheel, ...]) -> Solid:
        """A made car; mirrors stand out of its box, as they do in training."""
        corners, classes, boxed = [body.vertices_m[body.quads]], [classes_of_parts(body.part_names)[body.part_index]], [~_is_mirror(body)]
        for wheel in wheels:
            corners.append((wheel.mesh.vertices_m + np.asarray(wheel.center_car, np.float32))[wheel.mesh.quads])
            classes.append(classes_of_parts(wheel.mesh.part_names)[wheel.mesh.part_index])
            boxed.append(np.ones(len(wheel.mesh.quads), bool))
        quads, part, plain = np.concatenate(corners), np.concatenate(classes), np.concatenate(boxed)
        return cls(np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]), np.concatenate([part, part]), CarBox.around(quads[plain]))

    def surfaces(self, views: np.ndarray, size_px: int) -> torch.Tensor:
        """(N, LAYERS, S, S) uint8 for views (N, 3) in the order of groups.VIEW, through the window of window_camera()."""
        return torch.from_numpy(np.stack([surface_maps(self, view, size_px) for view in views]))


def surface_maps(solid: Solid, view: np.ndarray, size_px: int) -> np.ndarray:
    """(LAYERS, S, S) uint8, row 0 = top: cover 0..255; part into PART_CLASSES, 0 where the pixel's middle shows nothing; places over the
    length, 0..255 for -COORDINATE_REACH..COORDINATE_REACH; normals toward the camera, 0..255 for -1..1, car frame.

    Raises ValueError where the camera stands inside the sphere round the box.
    """
    camera = window_camera(view, solid.box, size_px)
    to_car, focal = camera.camera_to_car, focal_px(camera)
    ids, _ = nearest_hits(solid.triangles_m, to_car, SAMPLES * focal, SAMPLES * size_px)
    maps = np.zeros((len(LAYERS), size_px, size_px), np.uint8)
    maps[0] = np.rint(255 * (ids >= 0).reshape(size_px, SAMPLES, size_px, SAMPLES).mean((1, 3)))
    middle = ids[SAMPLES // 2 :: SAMPLES, SAMPLES // 2 :: SAMPLES]
    row, column = np.nonzero(middle >= 0)
    hit = middle[row, column]
    part = solid.part_class[hit]
    maps[1, row, column] = np.where(part == UNKNOWN_PART, PART_CLASSES.index("body"), part)
    corners, offset = solid.triangles_m[hit].astype(np.float64), (SAMPLES // 2 + 0.5) / SAMPLES
    places = hit_places(corners, np.stack([column, row], 1) + offset, to_car, focal, size_px)
    maps[2:5, row, column] = _bytes(places.T / solid.box.length_m / COORDINATE_REACH)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    toward = np.sign((normal * (to_car[:3, 3] - places)).sum(1, keepdims=True))
    maps[5:8, row, column] = _bytes((normal * np.where(toward == 0, 1, toward)).T)
    return maps


def mirrored_surfaces(maps: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """(B, LAYERS, S, S) uint8 of which those marked (B,) bool become what the car's mirror image shows to the mirrored camera."""
    turned = maps[..., ::-1].copy()
    shown = (turned[:, 1] > 0)[:, None]
    turned[:, MIRRORED_LAYERS] = np.where(shown, 255 - turned[:, MIRRORED_LAYERS], 0)
    return np.where(mirrored[:, None, None, None], turned, maps)


@torch.no_grad()
def surface_features(surface: torch.Tensor, view: torch.Tensor, size_px: int) -> torch.Tensor:
    """Maps (B, LAYERS, S, S) uint8 and views (B, 3) -> (B, SURFACE_FEATURES, size_px, size_px) float32, about -1..1, area means.

    Cover, one layer a part, places with sines and cosines, normals, and where the view is mirrored to; zero where nothing is shown.
    Raises ShapeError; ValueError where the maps are smaller than what is asked.
    """
    check_shape("surface", tuple(surface.shape), (len(view), len(LAYERS), None, surface.shape[2]))
    side = surface.shape[2]
    if side % size_px:
        raise ValueError(f"maps of {side} pixels give none of {size_px}")
    shown = (surface[:, 1:2] > 0).float()
    parts = [(surface[:, 1:2] == index).float() for index in range(1, len(PART_CLASSES))]
    place = (surface[:, 2:5].float() / 127.5 - 1) * COORDINATE_REACH
    normal = surface[:, 5:8].float() / 127.5 - 1
    azimuth, elevation = view[:, 0], view[:, 1]
    toward = torch.stack([azimuth.sin() * elevation.cos(), -azimuth.cos() * elevation.cos(), elevation.sin()], 1)[:, :, None, None]
    facing = (normal * toward).sum(1, keepdim=True)
    waves = [wave(math.pi * k * place) for k in WAVES for wave in (torch.sin, torch.cos)]
    told = torch.cat([2 * place, *waves, normal, facing, 2 * facing * normal - toward], 1) * shown
    features = torch.cat([surface[:, 0:1].float() / 255, *parts, told], 1)
    return features if side == size_px else functional.avg_pool2d(features, side // size_px)


def _bytes(signed: np.ndarray) -> np.ndarray:
    """-1..1 -> uint8."""
    return np.clip((signed * 0.5 + 0.5) * 255 + 0.5, 0, 255).astype(np.uint8)


def _is_mirror(mesh: MeshData) -> np.ndarray:
    """(F,) bool."""
    return np.array([base_name(name) in ("mirror", "mirror_glass") for name in mesh.part_names])[mesh.part_index]
