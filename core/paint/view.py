"""What the photograph tells about points of the car: their colours, and how far each may be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch

from ..device import one_thread
from ..errors import check_shape
from ..frames import FAR_M, NEAR_M, car_to_clip, clip_from_camera, focal_px
from ..render.rasterize import nearest_triangles
from ..side_by_side import PIECES, side_by_side
from ..types import Camera, Matte, Photo
from .texels import Texels, gather_at_vertices, vertex_normals

DEPTH_SIDE_PX = (640, 1280)  # of the depth map: least and most
DEPTH_TO_TEXTURE = 5 / 8  # its side, of the texture's: a finer one would tell small textures nothing
BIAS_M = 0.008
GRAZING_COS, FULL_COS = 0.12, 0.5  # surfaces seen at flatter angles than the first are not believed, steeper than the second fully
FLAT_COS, STEEP_COS = (
    0.3,
    0.9,
)  # the same for strange colours: seen flatly, a point a little off its place shows another part, seen steeply not
MIRROR = np.array([-1.0, 1.0, 1.0], np.float32)
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
    """What the photograph shows of a mesh: at M of its N texels something, of the others nothing.

    sharpest_px: how many of its pixels fall on a texel where it shows the mesh best (the tenth part that is sharpest begins there).
    """

    place: np.ndarray  # (M,) int64, ascending, which texels
    srgb01: np.ndarray  # (M, 3) float32
    belief01: np.ndarray  # (M,) float32, above 0
    steep01: np.ndarray  # (M,) float32: 0 where it is seen so flatly that a fit a little off shows something else, 1 where it never does
    sharpest_px: float


def open_view(photo: Photo, matte: Matte, camera: Camera, vertices_car: np.ndarray, triangles: np.ndarray, texture_size_px: int) -> View:
    """Prepare a photograph for a texture of that size.

    Vertices and triangles are the whole car, wheels too, since they hide one another.  Raises ShapeError.
    """
    check_shape("matte", matte.alpha01.shape, photo.image_srgb01.shape[:2])
    depth_m = _depth_map(camera, vertices_car, triangles, float(np.clip(DEPTH_TO_TEXTURE * texture_size_px, *DEPTH_SIDE_PX)))
    return View(camera, np.ascontiguousarray(photo.image_srgb01, np.float32), _trust(matte.alpha01), depth_m)


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


def _depth_map(camera: Camera, vertices_car: np.ndarray, triangles: np.ndarray, side_px: float) -> np.ndarray:
    """Metres along the camera's axis to the nearest surface; each pixel holds the least of its 5 x 5 neighbours, FAR_M where nothing is."""
    width, height = camera.image_size_px
    scale = side_px / max(width, height)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    projection = clip_from_camera(focal_px(camera), width, height)
    to_car = torch.from_numpy(np.asarray(camera.camera_to_car, np.float32))
    pos = car_to_clip(torch.from_numpy(np.asarray(vertices_car, np.float32))[None], to_car[None], projection)
    with torch.no_grad(), one_thread():
        ids, z = nearest_triangles(pos, torch.from_numpy(triangles), size, front_only=True)
        depth = 2 * FAR_M * NEAR_M / ((FAR_M + NEAR_M) - z * (FAR_M - NEAR_M))
        upright = torch.where(ids > 0, depth, torch.full_like(depth, FAR_M))[0].flip(0).numpy()
    # Taking the least keeps colours of what stands in front from bleeding onto what it half hides.
    return cv2.erode(np.ascontiguousarray(upright), np.ones((5, 5), np.uint8))


def look(view: View, texels: Texels, vertices_car: np.ndarray) -> Sighting:
    """Sample the photograph at the texels of a mesh whose vertices lie at vertices_car (V, 3).

    Belief is the product of: inside the matte, not hidden, seen steeply enough, and not stretched (photo pixels a texel, along the worse
    direction, against the best in the picture).
    """
    normals = vertex_normals(vertices_car, texels.triangles)
    return _look(view, texels, vertices_car, normals, np.ones(len(texels.index), bool), None)


def look_mirrored(view: View, texels: Texels, vertices_car: np.ndarray, wanted: np.ndarray, sharpest_px: float) -> Sighting:
    """The same for the mesh's mirror image in x, at the `wanted` texels (N,) bool; sharpest_px is that of the direct sight."""
    normals = vertex_normals(vertices_car, texels.triangles)
    return _look(view, texels, vertices_car * MIRROR, normals * MIRROR, wanted, sharpest_px)


def _look(
    view: View, texels: Texels, vertices_car: np.ndarray, normals: np.ndarray, wanted: np.ndarray, sharpest_px: float | None
) -> Sighting:
    px, cosine = px_and_cosine(view, vertices_car, normals)
    # A texel's cosine lies between those of its triangle's corners: where all three graze, nothing of it is believed.
    faces = (cosine[texels.triangles] > GRAZING_COS).any(1)
    places = np.array_split(np.flatnonzero(faces.take(texels.triangle) & wanted), PIECES)
    # Perspective bends little within a face, so what varies smoothly is worked out at the vertices.
    at_vertices = np.concatenate([in_camera(view, vertices_car), cosine[:, None], _footprint(texels, px, len(px))[:, None]], 1)
    judged = side_by_side(lambda place: _judge(view, texels.spread(at_vertices, place)), places)
    if sharpest_px is None:
        sharpest_px = _upper_decile(np.concatenate([one.stretch[one.belief > 0.2] for one in judged]))

    def colour(piece: tuple[np.ndarray, _Judged]) -> tuple[np.ndarray, ...]:
        place, here = piece
        belief = here.belief * _smooth(here.stretch, 0.08 * sharpest_px, 0.5 * sharpest_px)
        shown = np.flatnonzero(belief)
        steep = _smooth(here.cosine[shown], FLAT_COS, STEEP_COS)
        return place[shown], _sample(view.image_srgb01, here.px[shown], cv2.INTER_CUBIC).clip(0, 1), belief[shown], steep

    place, srgb01, belief, steep = map(np.concatenate, zip(*side_by_side(colour, zip(places, judged, strict=True)), strict=True))
    return Sighting(place, srgb01, belief, steep, sharpest_px)


class _Judged(NamedTuple):
    """Of N texels: px (N, 3), belief (N,) but for stretch, cosine (N,) at which they are seen, stretch (N,)."""

    px: np.ndarray
    belief: np.ndarray
    cosine: np.ndarray
    stretch: np.ndarray


def _judge(view: View, spread: np.ndarray) -> _Judged:
    """Texels with their place in the camera, cosine and stretch (N, 5)."""
    px = camera_to_px(spread[:, :3], view.camera)
    return _Judged(px, belief_at(view, px, spread[:, 3]), spread[:, 3], spread[:, 4])


def _upper_decile(values: np.ndarray) -> float:
    """The value that a tenth of them exceed, from a sample, above 0; next to 0 where there are none."""
    return max(float(np.quantile(values[:: max(1, len(values) // 20_000)], 0.9)), 1e-9) if len(values) else 1e-9


def in_camera(view: View, points_car: np.ndarray) -> np.ndarray:
    """(N, 3) car frame -> (N, 3) float32 in the camera's frame."""
    return ((points_car - view.position_car) @ view.camera.camera_to_car[:3, :3]).astype(np.float32)


def camera_to_px(points_camera: np.ndarray, camera: Camera) -> np.ndarray:
    """(N, 3) in the camera's frame -> (N, 3) float32: pixel x, pixel y, depth in metres; each lies by itself in memory."""
    x, y, depth = points_camera.T[0], points_camera.T[1], -points_camera.T[2]
    found = np.empty((3, len(depth)), np.float32)
    scale = np.float32(focal_px(camera)) / np.maximum(depth, np.float32(NEAR_M))
    np.multiply(x, scale, out=found[0])
    np.multiply(y, -scale, out=found[1])
    found[:2] += np.array(camera.image_size_px, np.float32)[:, None] / 2
    found[2] = depth
    return found.T


def px_and_cosine(view: View, points_car: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where points (N, 3) with unit normals lie in the photograph (N, 3), and the cosine at which they are seen (N,)."""
    toward = view.position_car - points_car
    return camera_to_px(in_camera(view, points_car), view.camera), (normals * toward).sum(1) / np.linalg.norm(toward, axis=1)


def belief_at(view: View, px: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """(N,) float32 0..1 for points at px (N, 3: x, y, depth in metres) whose surface meets the line of sight at `cosine`."""
    height, width = view.trust01.shape
    x, y, depth = px.T
    inside = (depth > NEAR_M) & (x > 0.5) & (y > 0.5) & (x < width - 0.5) & (y < height - 0.5)
    trust = _sample(view.trust01, px[:, :2], cv2.INTER_LINEAR)
    scale = np.array([view.depth_m.shape[1] / width, view.depth_m.shape[0] / height], np.float32)
    nearest = _sample(view.depth_m, (px.T[:2] * scale[:, None]).T, cv2.INTER_NEAREST)
    steep = np.clip(cosine, GRAZING_COS, 1).astype(np.float32)
    pixel = np.float32(3.5 / (focal_px(view.camera) * scale[0]))  # of depth, in metres
    bias = BIAS_M + pixel * depth * np.sqrt(1 - steep * steep) / steep
    return trust * (inside & (depth < nearest + bias)) * _smooth(cosine, GRAZING_COS, FULL_COS)


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
    """Values (N,) or (N, C) of a picture at pixel places (N, 2 or more), whose centres lie at .5."""
    count = len(px)
    columns = 4096  # OpenCV's maps must be a picture of moderate sides
    rows = max(1, -(-count // columns))
    place = np.zeros((2, rows * columns), np.float32)
    for here, wanted, side in zip(place, px.T[:2], picture.shape[1::-1], strict=True):
        np.clip(wanted - np.float32(0.5), -1, side, out=here[:count])
    across, down = place.reshape(2, rows, columns)
    found = cv2.remap(picture, across, down, filter_mode, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(rows * columns, *picture.shape[2:])[:count]


def _smooth(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Smooth step from 0 at low to 1 at high, float32."""
    t = ((values - np.float32(low)) * np.float32(1 / (high - low))).astype(np.float32)
    np.clip(t, 0, 1, out=t)
    return t * t * (3 - 2 * t)
