"""What the network tells of each pixel, looked up where points of the car fall: their places, their parts, the wheels.

A visible point of the car should fall on a pixel whose canonical coordinates are its own, and on a pixel of its part; both are looked up
bilinearly, so that gradients move the point (as in the geodesic terms of DensePose fitting), without drawing anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import torch
from torch.nn import functional

from ..car.car import WHEEL_NAMES, whole
from ..car.part_classes import classes_of_parts
from ..car.parts import rename_for
from ..frames import car_to_clip
from ..render.rasterize import nearest_triangles
from ..types import Dense, Perception
from .pose import Crop, camera_to_car, crop_projection, focal_px

VISIBLE_PX = 192  # size of the drawing that tells which faces are seen
LEAST_CAR01 = 0.5
SURE_ERROR = 0.01  # of the length
PART_BLUR_CELLS = 1.2
LEAST_SHARE = 0.02  # of belief in a part: no point is pushed harder than by this
STRETCH_SIGMA = 0.1  # of the logarithms of width and height over length, by how much the places are wrong together (median 0.08, 0.06)
HUBER_SHARE = 0.02  # of the length: places further off than this pull no harder


@cache
def face_classes(body_type: str) -> torch.Tensor:
    """(F,) index into PART_CLASSES of every triangle of car.whole()."""
    mesh, renamed = whole(), rename_for(body_type)
    classes = classes_of_parts([renamed.get(name, name) for name in mesh.part_names])
    return torch.from_numpy(classes.astype(np.int64))[mesh.part_index]


@dataclass(frozen=True)
class Lookup:
    """What is told, ready to be looked up.

    maps (1, 4 + C, h, w): places over the length (3), their trust 0..1, log belief in each class; box_px of what they cover.
    hubs_px (4, 2) of the wheels with hub_trust (4,), already over their spread in pixels.
    certainty01: 1 where places are told within SURE_ERROR, less where they err more.
    """

    maps: torch.Tensor
    box_px: tuple[float, float, float, float]
    hubs_px: torch.Tensor
    hub_trust: torch.Tensor
    certainty01: float

    @classmethod
    def of(cls, perception: Perception) -> Lookup | None:
        """None where the perception holds nothing dense, or the network sees no car there: then what it tells of pixels means nothing."""
        dense = perception.dense
        if dense is None or perception.car01 < LEAST_CAR01:
            return None
        trust = trust_of(dense)
        share = np.stack([cv2.GaussianBlur(layer, (0, 0), PART_BLUR_CELLS) for layer in dense.part_share01])
        maps = np.concatenate([dense.coordinates, trust[None], np.log(share.clip(LEAST_SHARE, 1))]).astype(np.float32)
        hubs = {wheel.name: wheel for wheel in perception.wheels}
        centre = [hubs[name].centre_px if name in hubs else (0.0, 0.0) for name in WHEEL_NAMES]
        least = 0.004 * dense.box_px[2]
        weight = [hubs[name].visible01 / max(hubs[name].sigma_px, least) if name in hubs else 0.0 for name in WHEEL_NAMES]
        return cls(
            torch.from_numpy(maps)[None],
            dense.box_px,
            torch.tensor(centre),
            torch.tensor(weight),
            min(1.0, SURE_ERROR / usual_error(dense)),
        )

    def to(self, device: torch.device) -> Lookup:
        """The same on another device."""
        return Lookup(self.maps.to(device), self.box_px, self.hubs_px.to(device), self.hub_trust.to(device), self.certainty01)

    def at(self, points_px: torch.Tensor) -> torch.Tensor:
        """(B, N, 2) pixels of the photograph -> (B, N, 4 + C), differentiable; repeats the border beyond the window."""
        left, top, width, height = self.box_px
        place = torch.stack([(points_px[..., 0] - left) / width, (points_px[..., 1] - top) / height], -1) * 2 - 1
        found = functional.grid_sample(
            self.maps.expand(len(points_px), -1, -1, -1), place[:, None], align_corners=False, padding_mode="border", mode="bilinear"
        )
        return found[:, :, 0].transpose(1, 2)


def usual_error(dense: Dense) -> float:
    """The median of the scales of errors that the network expects inside the car, over the length."""
    inside = dense.matte01 > 0.5
    return float(np.median(dense.error_scale[inside])) if inside.any() else 1.0


def trust_of(dense: Dense) -> np.ndarray:
    """(h, w) 0..1: inside the car, and places told surely in comparison with the others."""
    usual = usual_error(dense)
    return (dense.matte01**2 * np.minimum(usual / np.maximum(dense.error_scale, 1e-4), 2.0) / 2).astype(np.float32)


def to_px(points_car: torch.Tensor, pose: torch.Tensor, photo_size_px: tuple[int, int]) -> torch.Tensor:
    """(B, N, 3) points through poses (B, 7) -> (B, N, 2) pixels of the photograph, differentiable."""
    matrix = camera_to_car(pose)
    local = (points_car - matrix[:, None, :3, 3]) @ matrix[:, :3, :3]
    flat = local[..., :2] / (-local[..., 2:]).clamp_min(0.05) * focal_px(pose)[:, None, None]
    return torch.stack([photo_size_px[0] / 2 + flat[..., 0], photo_size_px[1] / 2 - flat[..., 1]], -1)


@dataclass(frozen=True)
class Visible:
    """For each of B cars: area (B, F) share of the seen faces' pixels that each triangle has; zero for hidden ones."""

    share: torch.Tensor


@torch.no_grad()
def visible_faces(vertices: torch.Tensor, pose: torch.Tensor, crop: Crop) -> Visible:
    """Draw the cars (B, V, 3) and count."""
    mesh = whole()
    clip = car_to_clip(vertices, camera_to_car(pose), crop_projection(pose, crop))
    ids, _ = nearest_triangles(clip, mesh.triangles, (VISIBLE_PX, VISIBLE_PX), front_only=True)
    count = torch.stack([torch.bincount(image.flatten().long(), minlength=len(mesh.triangles) + 1)[1:] for image in ids]).float()
    return Visible(count / count.sum(1, keepdim=True).clamp_min(1))


def axes_of(stretch: torch.Tensor) -> torch.Tensor:
    """(B, 2) logarithms -> (B, 3) by how much told places are stretched across, along and up.

    Where on a car a pixel lies the network knows better than how wide and high a car of its length is: so its proportions are found."""
    across, up = stretch.exp().unbind(1)
    return torch.stack([across, torch.ones_like(across), up], 1)


def dense_costs(
    vertices: torch.Tensor,
    pose: torch.Tensor,
    lengths: torch.Tensor,
    classes: torch.Tensor,
    visible: Visible,
    lookup: Lookup,
    photo_size_px: tuple[int, int],
    stretch: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(B,) mean distance between the seen faces' places and those told there, over the length, and (B,) mean surprise at their parts, nats.

    lengths (B,) metres; classes (B, F) into PART_CLASSES; stretch (B, 2), see axes_of().
    """
    mesh = whole()
    seen = visible.share.sum(0) > 0
    share, triangles = visible.share[:, seen], mesh.triangles[seen]
    middle = vertices[:, triangles].mean(2)
    told = lookup.at(to_px(middle, pose, photo_size_px))
    apart = (middle / lengths[:, None, None] - told[..., :3] * axes_of(stretch)[:, None]).square().sum(-1)
    distance = HUBER_SHARE * ((1 + apart / HUBER_SHARE**2).sqrt() - 1)
    trust = told[..., 3].detach() * share
    places = (distance * trust).sum(1) / trust.sum(1).clamp_min(1e-6)
    belief = told[..., 4:].gather(2, classes[:, seen, None])[..., 0]
    return places, -(belief * share).sum(1)


def wheel_cost(hubs_car: torch.Tensor, pose: torch.Tensor, lookup: Lookup, photo_size_px: tuple[int, int]) -> torch.Tensor:
    """(B,) mean over the wheels that are told of how far the outer hubs (B, 4, 3) fall from where they are seen, in spreads, at most 6."""
    apart = (to_px(hubs_car, pose, photo_size_px) - lookup.hubs_px).square().sum(-1).add(1e-6).sqrt() * lookup.hub_trust
    told = (lookup.hub_trust > 0).sum().clamp_min(1)
    return (6 * torch.tanh(apart / 6)).sum(1) / told
