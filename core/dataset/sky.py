"""Light from a panorama: what a direction sees, sharp or blurred, and how much light falls on a slope."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

WIDTHS_PX = (512, 128, 32)  # sharp for the background, then for glossy and for rough surfaces
IRRADIANCE_WIDTH_PX = 32


@dataclass(frozen=True)
class Sky:
    """levels: equirectangular radiance (h, w, 3) float32, row 0 up, mean 1; irradiance (16, 32, 3): light on a white slope, over pi."""

    levels: tuple[np.ndarray, ...]
    irradiance: np.ndarray


def read_sky(file: Path) -> Sky:
    """Read a Radiance HDR panorama and prepare its blurred copies."""
    bgr = cv2.imread(str(file), cv2.IMREAD_UNCHANGED | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    if bgr is None:
        raise FileNotFoundError(f"{file} is no readable panorama")
    return sky_of(bgr[..., ::-1].astype(np.float32))


def sky_of(radiance: np.ndarray) -> Sky:
    """Prepare an equirectangular radiance map (h, w, 3)."""
    radiance = np.ascontiguousarray(radiance) / max(float(radiance.mean()), 1e-6)
    levels = tuple(cv2.resize(radiance, (w, w // 2), interpolation=cv2.INTER_AREA) for w in WIDTHS_PX)
    coarse = cv2.resize(radiance, (64, 32), interpolation=cv2.INTER_AREA)
    source, target = _directions(64), _directions(IRRADIANCE_WIDTH_PX)
    solid_angle = np.sin((np.arange(32) + 0.5) / 32 * np.pi).repeat(64) * (np.pi / 32) ** 2
    weights = (target @ source.T).clip(0) * solid_angle / np.pi
    irradiance = (weights @ coarse.reshape(-1, 3)).reshape(IRRADIANCE_WIDTH_PX // 2, IRRADIANCE_WIDTH_PX, 3)
    return Sky(levels, irradiance.astype(np.float32))


def look(panorama: np.ndarray, directions: np.ndarray, yaw_rad: float) -> np.ndarray:
    """Bilinear radiance (n, 3) seen along unit directions (n, 3), +Z up, the panorama turned by yaw_rad."""
    height, width = panorama.shape[:2]
    turn = (np.arctan2(directions[:, 1], directions[:, 0]) + yaw_rad) / (2 * np.pi)
    column = ((turn % 1) * width).astype(np.float32)
    row = (np.arccos(directions[:, 2].clip(-1, 1)) / np.pi * height - 0.5).astype(np.float32)
    return bilinear(panorama, column % width, row.clip(0, height - 1))


def bilinear(picture: np.ndarray, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Values (n, ...) of a picture (h, w, ...) at texel centres' coordinates (n,), wrapping round."""
    count = len(column)
    if not count:
        return np.zeros((0, *picture.shape[2:]), picture.dtype)
    across = min(count, 4096)  # OpenCV's remap takes no longer side than 32767
    places = np.zeros((2, -(-count // across) * across), np.float32)
    places[0, :count], places[1, :count] = column, row
    maps = places.reshape(2, -1, across)
    found = cv2.remap(picture, maps[0], maps[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return found.reshape(-1, *picture.shape[2:])[:count]


def _directions(width: int) -> np.ndarray:
    height = width // 2
    polar = (np.arange(height) + 0.5)[:, None] / height * np.pi
    turn = np.arange(width)[None] / width * 2 * np.pi
    parts = [np.sin(polar) * np.cos(turn), np.sin(polar) * np.sin(turn), np.cos(polar) * np.ones_like(turn)]
    return np.stack(parts, -1).reshape(-1, 3)
