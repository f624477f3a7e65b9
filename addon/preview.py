"""preview.png: the photo, the fitted car over it, and three views of the car: rendered in a studio, in a draft only drawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import bpy
import cv2
import numpy as np
from PIL import Image

from ..core.types import Camera, CarAsset
from .scene.scene import CarObjects
from .scene.studio import draw_studio, orbit_camera, set_quick_cycles

TILE_PX = (420, 300)  # each of the three views
GAP_PX = 12
PAPER_SRGB = (245, 245, 246)
VIEWS_DEG = ((38.0, 12.0), (90.0, 6.0), (218.0, 12.0))  # azimuth, elevation: front three-quarter, left side, rear three-quarter
BACKDROP_SRGB01 = (0.91, 0.915, 0.925)  # behind drawn views
TINT_SRGB01 = (0.05, 0.75, 0.95)
TINT = 0.30
OVERLAY_PX = 600
SAMPLES = {"normal": 6, "high": 12}  # by quality; with the denoiser enough for paint and glass at a few hundred pixels


def draw_preview(asset: CarAsset, car: CarObjects, photo_srgb01: np.ndarray) -> Image.Image:
    """Photo and overlay in one row, three views below; may leave a studio in the scene, so save the scene before.

    The views are renders, which takes a second; a draft has drawn ones.
    photo_srgb01 is (H, W, 3) in the camera's image size or any other of the same proportions.
    """
    from ..core.asset.drawing import draw_from, model_of  # draws with torch, which Blender itself never loads
    from ..core.side_by_side import side_by_side

    model, cameras = model_of(asset), cameras_round(asset)

    def overlay() -> Image.Image:
        drawn = draw_from(model, _reduced(asset.camera, OVERLAY_PX), finer=1, with_shadow=False)  # half transparent: its steps do not show
        return _to_image(_overlay(drawn, photo_srgb01))

    def view(camera: Camera) -> Image.Image:
        return _to_image(_before_backdrop(draw_from(model, camera)))

    if asset.settings.quality == "draft":
        drawings: list[Callable[[], Image.Image]] = [overlay, *(partial(view, camera) for camera in cameras)]
        laid, *views = side_by_side(lambda draw: draw(), drawings)
    else:
        laid = overlay()
        set_quick_cycles(bpy.context.scene, TILE_PX, SAMPLES[asset.settings.quality])
        views = [_to_image(picture) for picture in draw_studio(car, cameras, _size_m(asset))]
    return _lay_out([_to_image(photo_srgb01), laid], views)


def cameras_round(asset: CarAsset) -> list[Camera]:
    """One a view, with the whole car in the middle of each."""
    along_m = asset.body.vertices_m[:, 1]
    middle_y_m = float(along_m.min() + along_m.max()) / 2
    return [orbit_camera(azimuth, elevation, _size_m(asset), TILE_PX, middle_y_m) for azimuth, elevation in VIEWS_DEG]


def _size_m(asset: CarAsset) -> tuple[float, float, float]:
    return asset.dimensions_m["length"], asset.dimensions_m["width"], asset.dimensions_m["height"]


def _reduced(camera: Camera, side_px: int) -> Camera:
    """The same view with the longer side of its picture at side_px."""
    width, height = camera.image_size_px
    scale = side_px / max(width, height)
    size_px = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Camera(size_px, camera.lens_mm, camera.camera_to_car, camera.sensor_width_mm)


def _overlay(car: np.ndarray, photo_srgb01: np.ndarray) -> np.ndarray:
    """The photo with the fitted car (H, W, 4 premultiplied) laid over it half transparent, tinted, and outlined."""
    height, width = car.shape[:2]
    below = cv2.resize(photo_srgb01, (width, height), interpolation=cv2.INTER_AREA)
    tint, alpha = np.array(TINT_SRGB01, np.float32), car[..., 3:]
    mixed = below * (1 - 0.6 * alpha) + 0.6 * ((1 - TINT) * car[..., :3] + TINT * tint * alpha)
    mixed[_outline(alpha[..., 0] > 0.5)] = tint
    return mixed


def _before_backdrop(drawn: np.ndarray) -> np.ndarray:
    """A premultiplied picture (H, W, 4) -> (H, W, 3)."""
    return drawn[..., :3] + (1 - drawn[..., 3:]) * np.array(BACKDROP_SRGB01, np.float32)


def _outline(inside: np.ndarray) -> np.ndarray:
    """The line, two pixels wide, round a (H, W) mask, where the mask does not run out of the picture."""
    return cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE) > 0


def _lay_out(top: list[Image.Image], views: list[Image.Image]) -> Image.Image:
    """Two pictures of any proportions share the width of the three views below them."""
    width = len(views) * TILE_PX[0] + (len(views) - 1) * GAP_PX
    cell = ((width - GAP_PX) // 2, round(TILE_PX[1] * 1.5))
    fitted = [_fit(picture, cell) for picture in top]
    row_height = max(picture.height for picture in fitted)
    page = Image.new("RGB", (width + 2 * GAP_PX, row_height + TILE_PX[1] + 3 * GAP_PX), PAPER_SRGB)
    for column, picture in enumerate(fitted):
        left = GAP_PX + column * (cell[0] + GAP_PX) + (cell[0] - picture.width) // 2
        page.paste(picture, (left, GAP_PX + (row_height - picture.height) // 2))
    for column, picture in enumerate(views):
        page.paste(picture, (GAP_PX + column * (TILE_PX[0] + GAP_PX), row_height + 2 * GAP_PX))
    return page


def _fit(picture: Image.Image, cell: tuple[int, int]) -> Image.Image:
    scale = min(cell[0] / picture.width, cell[1] / picture.height)
    return picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.LANCZOS)


def _to_image(picture_srgb01: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(picture_srgb01, 0, 1) * 255).astype(np.uint8))
