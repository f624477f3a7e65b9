"""Draw a car model on the ground under a panorama: fast, not photoreal; the mask is exact."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..paint.colour import weighted_median
from .cars import CarModel
from .sky import Sky, bilinear, look
from .surfaces import sample, srgb_of_linear
from .zbuffer import rasterize

DARKEST_LINEAR = 0.005  # no real paint is blacker
UNDER_CAR_M = 0.35  # below this height the ground hides part of the sky


@dataclass(frozen=True)
class View:
    """A square pinhole view: camera_to_car (4, 4); pixel = centre + focal * (x, -y) / -z in the camera's frame."""

    camera_to_car: np.ndarray
    focal_px: float
    centre_px: tuple[float, float]
    size_px: int


@dataclass(frozen=True)
class Look:
    """What may differ between two pictures of one car from one place; paint_linear None leaves the author's paint."""

    sky: Sky
    yaw_rad: float
    exposure: float
    ground_linear: np.ndarray | None
    ground_noise: np.ndarray
    ground_scale: float
    paint_linear: np.ndarray | None
    paint_roughness: float
    paint_metal: float
    filmic: bool
    glow_linear: np.ndarray | None = None  # (F, 3) what each of the model's triangles shines by itself: lamps


def draw(model: CarModel, view: View, look_: Look) -> tuple[np.ndarray, np.ndarray]:
    """Picture (S, S, 3) float32 sRGB 0..1 with its background, and the car's exact mask (S, S) bool."""
    rays = _rays(view)
    ground = _ground(model, view, rays, look_)
    picture = ground.reshape(view.size_px, view.size_px, 3).copy()
    glass_face = np.array([s.is_glass for s in model.surfaces])[model.surface_index]
    solid, solid_depth = _layer(model, view, rays, look_, ~glass_face)
    clear, clear_depth = _layer(model, view, rays, look_, glass_face)
    has_solid, front = np.isfinite(solid_depth), clear_depth < solid_depth
    picture[has_solid] = solid[has_solid, :3]
    alpha = clear[front, 3:]
    picture[front] = clear[front, :3] + (1 - alpha) * picture[front]
    return _develop(picture, look_), has_solid | np.isfinite(clear_depth)


def _rays(view: View) -> np.ndarray:
    """Unit viewing directions (S * S, 3) in the car frame."""
    axis = np.arange(view.size_px) + 0.5
    x, y = np.meshgrid((axis - view.centre_px[0]) / view.focal_px, -(axis - view.centre_px[1]) / view.focal_px)
    rays = np.stack([x, y, -np.ones_like(x)], -1).reshape(-1, 3) @ view.camera_to_car[:3, :3].T
    return rays / np.linalg.norm(rays, axis=1, keepdims=True)


def _layer(model: CarModel, view: View, rays: np.ndarray, look_: Look, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Premultiplied colour and alpha (S, S, 4) and depth (S, S, inf where empty) of some of the faces."""
    size = view.size_px
    chosen = np.flatnonzero(faces)
    points = (model.positions_m[chosen] - view.camera_to_car[:3, 3]) @ view.camera_to_car[:3, :3]
    depth = -points[..., 2]
    corners = np.stack([points[..., 0], -points[..., 1]], -1) * view.focal_px / np.maximum(depth, 1e-6)[..., None] + view.centre_px
    index, barycentric = rasterize(corners, depth, size)
    colour, far = np.zeros((size, size, 4), np.float32), np.full((size, size), np.inf, np.float32)
    seen = index >= 0
    local, weights = index[seen], barycentric[seen]
    far[seen] = (weights * depth[local]).sum(1)
    colour[seen] = _shade(model, chosen[local], weights, rays[seen.ravel()], look_)
    return colour, far


def _shade(model: CarModel, face: np.ndarray, weights: np.ndarray, rays: np.ndarray, look_: Look) -> np.ndarray:
    """Premultiplied colour and alpha (n, 4): Lambert plus Schlick's Fresnel (1994, eq. 15) times the reflected panorama."""
    normal, place, uv = (np.einsum("nk,nkc->nc", weights, values[face]) for values in (model.normals, model.positions_m, model.uv01))
    normal = normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    facing = (normal * rays).sum(1)
    normal = np.where(facing[:, None] > 0, -normal, normal)  # many shells are open or turned inside out
    cosine = np.abs(facing).clip(0, 1)
    base, rough, metal = _materials(model, face, uv, look_)
    reflected = rays + 2 * cosine[:, None] * normal
    open_sky = np.where(normal[:, 2] < 0.3, (0.25 + 0.75 * place[:, 2] / UNDER_CAR_M).clip(0.25, 1), 1)[:, None]
    diffuse = look(look_.sky.irradiance, normal, look_.yaw_rad) * open_sky
    mirror = np.where((rough < 0.35)[:, None], _surround(look_, reflected, 1), _surround(look_, reflected, 2))
    straight = 0.04 * (1 - metal) + base[:, :3] * metal
    fresnel = straight + (1 - straight) * ((1 - cosine) ** 5)[:, None] * (1 - rough[:, None]) ** 2
    opaque = base[:, 3:]
    shine = fresnel * mirror * open_sky
    rest = base[:, :3] * (1 - metal) * diffuse * (1 - fresnel) * opaque + shine
    alpha = np.maximum(opaque, fresnel.mean(1, keepdims=True))
    if look_.glow_linear is not None:
        glow = look_.glow_linear[face]
        rest, alpha = rest + glow, np.maximum(alpha, glow.max(1, keepdims=True) > 0)
    return np.concatenate([rest, alpha], 1)


def _materials(model: CarModel, face: np.ndarray, uv: np.ndarray, look_: Look) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Base colour with alpha (n, 4), roughness (n,), metal (n, 1)."""
    base, rough_metal = np.empty((len(face), 4), np.float32), np.empty((len(face), 2), np.float32)
    surface = model.surface_index[face]
    for k in np.unique(surface):
        chosen, material = surface == k, model.surfaces[k]
        base[chosen], rough_metal[chosen] = sample(material.base, uv[chosen]), sample(material.rough_metal, uv[chosen])
        if not material.is_glass:
            base[chosen, 3] = 1
        if material.is_paint and look_.paint_linear is not None:
            usual = np.median(material.base.reshape(-1, 4)[::37, :3], 0)
            base[chosen, :3] = np.maximum(base[chosen, :3] + look_.paint_linear - usual, DARKEST_LINEAR)
            rough_metal[chosen] = (look_.paint_roughness, look_.paint_metal)
    return base, rough_metal[:, 0], rough_metal[:, 1:]


def shown_base(model: CarModel, faces: np.ndarray, look_: Look) -> np.ndarray:
    """(3,) linear: the usual base colour of some faces (n,), each counting by its area, painted as the look has it.

    What a model calls its paint may be its windows' or its livery's colour too; this is what is there to be seen.
    """
    corners = model.positions_m[faces].astype(np.float64)
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    base, _, _ = _materials(model, faces, model.uv01[faces].mean(1), look_)
    return weighted_median(base[:, :3], area)


def _surround(look_: Look, directions: np.ndarray, level: int) -> np.ndarray:
    """Radiance (n, 3): the panorama, its lower half covered by the ground where there is one."""
    seen = look(look_.sky.levels[level], directions, look_.yaw_rad)
    if look_.ground_linear is None:
        return seen
    lit = look_.ground_linear * look(look_.sky.irradiance, np.array([[0.0, 0.0, 1.0]]), look_.yaw_rad)
    below = (-directions[:, 2:] * 20 + 0.5).clip(0, 1)
    return seen * (1 - below) + lit * below


def _ground(model: CarModel, view: View, rays: np.ndarray, look_: Look) -> np.ndarray:
    """Background radiance (S * S, 3): the panorama above, a blotched ground with the car's soft shadow below."""
    picture = look(look_.sky.levels[0], rays, look_.yaw_rad)
    below = rays[:, 2] < -1e-3
    if look_.ground_linear is None or not below.any():
        return picture
    eye = view.camera_to_car[:3, 3]
    place = eye[:2] + rays[below, :2] * (-eye[2] / rays[below, 2])[:, None]
    half = np.abs(model.positions_m[..., :2]).reshape(-1, 2).max(0)
    outside = np.linalg.norm((np.abs(place) - half * 0.9).clip(0), axis=1)
    shadow = 1 - 0.85 * np.exp(-((outside / 0.35) ** 2))
    texel = (place * look_.ground_scale * 16).astype(np.float32)
    side = look_.ground_noise.shape[0]
    blotch = bilinear(look_.ground_noise, texel[:, 0] % side, texel[:, 1] % side)
    light = look(look_.sky.irradiance, np.array([[0.0, 0.0, 1.0]]), look_.yaw_rad)
    picture[below] = look_.ground_linear * light * (shadow * blotch)[:, None]
    return picture


def _develop(radiance: np.ndarray, look_: Look) -> np.ndarray:
    """Exposure and tone: plain sRGB, or Reinhard's curve (2002, eq. 4) with white at 4."""
    exposed = radiance * look_.exposure
    toned = exposed * (1 + exposed / 16) / (1 + exposed) * 1.3 if look_.filmic else exposed
    return srgb_of_linear(toned).astype(np.float32)
