"""What the photograph tells about points of the car: their colours, and how far each may be believed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..errors import check_shape
from ..frames import FAR_M, NEAR_M, car_to_clip, car_to_px, clip_from_camera, focal_px
from ..render.rasterize import nearest_triangles
from ..types import Camera, Matte, Photo
from .texels import Texels, gather_at_vertices, vertex_normals

DEPTH_SIDE_PX = 1280
BIAS_M = 0.008
GRAZING_COS, FULL_COS = 0.12, 0.5  # surfaces seen at flatter angles than the first are not believed, steeper than the second fully
MATTE_INSET = 0.006  # of the matte's extent: the rim where background shines through the matte


@dataclass(frozen=True)
class View:
    """The photograph with what is needed to judge a point in it; pixel maps have their origin top left."""

    camera: Camera
    image_srgb01: np.ndarray  # (H, W, 3) float32
    trust01: np.ndarray  # (H, W) float32: well inside the matte
    depth_m: np.ndarray  # (h, w) float32: nearest surface in the neighbourhood of each pixel, the picture at another scale

    @property
    def position_car(self) -> np.ndarray:
        return self.camera.camera_to_car[:3, 3]


@dataclass(frozen=True)
class Sighting:
    """What the photograph shows at N texels: srgb01 (N, 3) float32 and belief01 (N,) float32, 0 where nothing."""

    srgb01: np.ndarray
    belief01: np.ndarray


def open_view(photo: Photo, matte: Matte, camera: Camera, vertices_car: np.ndarray, triangles: np.ndarray) -> View:
    """Prepare a photograph; vertices and triangles are the whole car, wheels too, since they hide one another.  Raises ShapeError."""
    check_shape("matte", matte.alpha01.shape, photo.image_srgb01.shape[:2])
    return View(
        camera, np.ascontiguousarray(photo.image_srgb01, np.float32), _trust(matte.alpha01), _depth_map(camera, vertices_car, triangles)
    )


def _trust(alpha01: np.ndarray) -> np.ndarray:
    """0 at the matte's edge, 1 from MATTE_INSET inwards; the picture's own border is no edge."""
    solid = (alpha01 > 0.9).astype(np.uint8)
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    if not len(rows):
        return np.zeros(alpha01.shape, np.float32)
    extent = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    inset = max(1.5, MATTE_INSET * extent)
    distance = cv2.distanceTransform(solid, cv2.DIST_L2, 5)
    return np.clip(distance / inset - 1, 0, 1).astype(np.float32)


def _depth_map(camera: Camera, vertices_car: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Metres along the camera's axis to the nearest surface; each pixel holds the least of its 5 x 5 neighbours, FAR_M where nothing is."""
    width, height = camera.image_size_px
    scale = DEPTH_SIDE_PX / max(width, height)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    projection = clip_from_camera(focal_px(camera), width, height)
    to_car = torch.from_numpy(np.asarray(camera.camera_to_car, np.float32))
    pos = car_to_clip(torch.from_numpy(np.asarray(vertices_car, np.float32))[None], to_car[None], projection)
    with torch.no_grad():
        ids, z = nearest_triangles(pos, torch.from_numpy(triangles), size)
    depth = 2 * FAR_M * NEAR_M / ((FAR_M + NEAR_M) - z * (FAR_M - NEAR_M))
    upright = torch.where(ids > 0, depth, torch.full_like(depth, FAR_M))[0].flip(0).numpy()
    # Taking the least keeps colours of what stands in front from bleeding onto what it half hides.
    return cv2.erode(np.ascontiguousarray(upright), np.ones((5, 5), np.uint8))


def look(view: View, texels: Texels, vertices_car: np.ndarray, inside_out: bool = False) -> Sighting:
    """Sample the photograph at the texels of a mesh whose vertices lie at vertices_car (V, 3).

    inside_out: the vertices are a mirror image, whose triangles face inwards.  Belief is the product of: inside the matte, not hidden, seen
    steeply enough, and not stretched (photo pixels a texel, along the worse direction, against the best in the picture).
    """
    normals = vertex_normals(vertices_car, texels.triangles) * (-1 if inside_out else 1)
    projected, cosine = px_and_cosine(view, vertices_car, normals)
    pixel_a_texel = _footprint(texels, projected, len(vertices_car))
    # Perspective bends little within a face, so what varies smoothly is worked out at the vertices.
    at_vertices = np.concatenate([vertices_car, cosine[:, None], pixel_a_texel[:, None]], 1)
    point, cosine, stretch = np.split(texels.spread(at_vertices), [3, 4], 1)
    px = car_to_px(point, view.camera).astype(np.float32)
    belief = belief_at(view, px, cosine[:, 0])
    seen = belief > 0.2
    if seen.any():
        best = float(np.quantile(stretch[seen, 0][:: max(1, int(seen.sum()) // 20_000)], 0.9))
        belief *= _smooth(stretch[:, 0] / max(best, 1e-9), 0.08, 0.5)
    return Sighting(_sample(view.image_srgb01, px[:, :2], cv2.INTER_CUBIC).clip(0, 1), belief)


def px_and_cosine(view: View, points_car: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where points (N, 3) with unit normals lie in the photograph (N, 3), and the cosine at which they are seen (N,)."""
    toward = view.position_car - points_car
    return car_to_px(points_car, view.camera).astype(np.float32), (normals * toward).sum(1) / np.linalg.norm(toward, axis=1)


def belief_at(view: View, px: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """(N,) 0..1 for points at px (N, 3: x, y, depth in metres) whose surface meets the line of sight at `cosine`."""
    height, width = view.trust01.shape
    inside = (px[:, 2] > NEAR_M) & (px[:, 0] > 0.5) & (px[:, 1] > 0.5) & (px[:, 0] < width - 0.5) & (px[:, 1] < height - 0.5)
    trust = _sample(view.trust01, px[:, :2], cv2.INTER_LINEAR)
    scale = np.array([view.depth_m.shape[1] / width, view.depth_m.shape[0] / height], np.float32)
    nearest = _sample(view.depth_m, px[:, :2] * scale, cv2.INTER_NEAREST)
    steep = np.clip(cosine, GRAZING_COS, 1)
    pixel_m = px[:, 2] / (focal_px(view.camera) * scale[0])
    bias = BIAS_M + 3.5 * pixel_m * np.sqrt(1 - steep**2) / steep
    return (inside & (px[:, 2] < nearest + bias)) * trust * _smooth(cosine, GRAZING_COS, FULL_COS)


def _footprint(texels: Texels, projected: np.ndarray, vertices: int) -> np.ndarray:
    """(V,) photo pixels that one texel covers along the direction where it covers fewest: the smaller singular value of d px / d texel."""
    uv = texels.triangle_uv01 * texels.size_px
    px = projected[texels.triangles][..., :2]
    along = np.stack([uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]], 2)
    across = np.stack([px[:, 1] - px[:, 0], px[:, 2] - px[:, 0]], 2)
    area = along[:, 0, 0] * along[:, 1, 1] - along[:, 0, 1] * along[:, 1, 0]
    inverse = np.stack([along[:, 1, 1], -along[:, 0, 1], -along[:, 1, 0], along[:, 0, 0]], 1).reshape(-1, 2, 2)
    jacobian = across @ inverse / np.where(np.abs(area) < 1e-9, 1e9, area)[:, None, None]
    half = 0.5 * (jacobian**2).sum((1, 2))
    smaller = np.sqrt(np.maximum(half - np.sqrt(np.maximum(half**2 - np.linalg.det(jacobian) ** 2, 0)), 0))
    size = np.abs(area) + 1e-9
    total = gather_at_vertices(np.repeat(np.stack([smaller * size, size], 1)[:, None], 3, 1), texels.triangles, vertices)
    return total[:, 0] / np.maximum(total[:, 1], 1e-12)


def _sample(picture: np.ndarray, px: np.ndarray, filter_mode: int) -> np.ndarray:
    """Values (N,) or (N, C) of a picture at pixel places (N, 2), whose centres lie at .5."""
    count = len(px)
    columns = 4096  # OpenCV's maps must be a picture of moderate sides
    rows = -(-count // columns)
    place = np.zeros((rows * columns, 2), np.float32)
    place[:count] = np.nan_to_num(px - 0.5, nan=-1.0, posinf=-1.0, neginf=-1.0).clip(-1, max(picture.shape[:2]) + 1)
    place = place.reshape(rows, columns, 2)
    found = cv2.remap(picture, place, None, filter_mode, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(rows * columns, *picture.shape[2:])[:count]


def _smooth(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Smooth step from 0 at low to 1 at high."""
    t = ((values - low) / (high - low)).clip(0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)
