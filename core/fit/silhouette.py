"""How far the rendered outline is from the matte: overlap and distance terms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch

from ..errors import check_shape
from ..frames import car_to_clip
from ..render.render import antialias_topology, silhouette


@dataclass(frozen=True)
class Target:
    """The matte's crop at one size, row 0 = bottom as the rasteriser draws.

    alpha01 (S, S); outside and inside (S, S): the distance of each pixel outside to the car and of each pixel inside to the background, in
    shares of the crop's side; valid (S, S) is 0 beyond the photograph, where nobody knows.
    """

    alpha01: torch.Tensor
    outside: torch.Tensor
    inside: torch.Tensor
    valid: torch.Tensor

    def to(self, device: torch.device) -> Target:
        """The same on another device."""
        return Target(self.alpha01.to(device), self.outside.to(device), self.inside.to(device), self.valid.to(device))


def make_target(alpha01: np.ndarray, valid: np.ndarray) -> Target:
    """alpha01 and valid (S, S) float, row 0 = top."""
    check_shape("alpha01", alpha01.shape, (alpha01.shape[0], alpha01.shape[0]))
    check_shape("valid", valid.shape, alpha01.shape)
    size = alpha01.shape[0]
    binary = (alpha01 > 0.5).astype(np.uint8)
    outside = cv2.distanceTransform(1 - binary, cv2.DIST_L2, 5) / size
    inside = cv2.distanceTransform(binary, cv2.DIST_L2, 5) / size
    layers = (alpha01 * valid, outside * valid, inside * valid, valid)
    return Target(*(torch.from_numpy(np.ascontiguousarray(layer[::-1], dtype=np.float32)) for layer in layers))


def coverage(
    vertices_car: torch.Tensor, matrix: torch.Tensor, projection: torch.Tensor, triangles: torch.Tensor, size_px: int
) -> torch.Tensor:
    """(B, S, S) antialiased silhouettes of closed meshes, row 0 = bottom, differentiable in vertices (B, V, 3) and cameras (B, 4, 4)."""
    clip = car_to_clip(vertices_car, matrix, projection)
    return silhouette(clip, triangles, (size_px, size_px), topology(triangles), front_only=True)[..., 0]


@lru_cache(maxsize=4)
def topology(triangles: torch.Tensor) -> torch.Tensor:
    """The edge table of a constant triangle list, made once (tensors hash by identity)."""
    return antialias_topology(triangles)


def soft_iou(silhouettes: torch.Tensor, target: Target) -> torch.Tensor:
    """(B,) intersection over union of (B, S, S) soft silhouettes with the matte."""
    silhouettes = silhouettes * target.valid
    both = (silhouettes * target.alpha01).sum((1, 2))
    either = (silhouettes + target.alpha01 - silhouettes * target.alpha01).sum((1, 2))
    return both / either.clamp_min(1e-6)


def silhouette_loss(silhouettes: torch.Tensor, target: Target, distance_weight: float = 6.0) -> torch.Tensor:
    """(B,) 1 - IoU, plus the mean distance by which wrong pixels are wrong, weighted: outlines far off pull harder than ragged ones."""
    area = target.alpha01.sum().clamp_min(1.0)
    wrong = silhouettes * target.outside + (1 - silhouettes) * target.inside
    return 1 - soft_iou(silhouettes, target) + distance_weight * wrong.sum((1, 2)) / area
