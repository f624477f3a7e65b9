"""What a hypothesis costs: its outline against the matte, places, parts and wheels against what the network tells, how unlikely it is."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..car.car import triangles_on
from ..car.measures import INDEX
from .dense import STRETCH_SIGMA, Lookup, Visible, dense_costs, face_classes, wheel_cost
from .pose import AZIMUTH, ELEVATION, LOG_DISTANCE, POSE_SIZE, ROLL, Crop, camera_to_car, crop_projection
from .silhouette import Target, coverage, silhouette_loss, soft_iou
from .solve import outer_hubs
from .told_figures import ToldFigures, figure_cost


@dataclass(frozen=True)
class Weights:
    """In units of 1 - IoU; spreads of the camera's priors in radians and log metres."""

    places: float = 2.5
    parts: float = 0.02
    wheels: float = 0.006
    prior: float = 0.0007
    figures: float = 0.0007  # as the prior; thrice that is a little better where nothing is seen and costs too much of the outline
    coefficients: float = 0.002
    direction: float = 0.012
    body_type: float = 0.08  # panes and doors follow from it, and what the outline says against the network here was more often wrong
    azimuth_spread_rad: float = 0.03
    elevation_spread_rad: float = 0.03
    roll_spread_rad: float = 0.035
    distance_spread: float = 0.08  # tighter than it is told: left free, the camera comes nearer than it was
    stretch_spread: float = 0.5 * STRETCH_SIGMA  # as wrong as places are found to be, the outline would make cars too narrow and too low


@dataclass(frozen=True)
class Point:
    """Where the B hypotheses are: pose (B, 7), whitened measures z (B, P), coefficients w (B, k), stretch (B, 2) of the told places, and
    the car that they make: measures (B, P) and vertices (B, V, 3)."""

    pose: torch.Tensor
    z: torch.Tensor
    w: torch.Tensor
    stretch: torch.Tensor
    measures: torch.Tensor
    vertices: torch.Tensor


@dataclass(frozen=True)
class Evidence:
    """What the photograph says at one size: target of the matte, crop, lookup of the network's maps or None.

    classes (B, F) of the faces and first, the poses (B, 7) that the camera's priors are about, belong to the hypotheses.
    """

    target: Target
    crop: Crop
    size_px: int
    lookup: Lookup | None
    classes: torch.Tensor
    first: torch.Tensor
    figures: ToldFigures | None = None


def classes_of(body_types: list[str]) -> torch.Tensor:
    """(B, F) classes of the faces of cars of some body types."""
    return torch.stack([face_classes(kind) for kind in body_types])


def cost(point: Point, evidence: Evidence, visible: Visible | None, weights: Weights) -> tuple[torch.Tensor, torch.Tensor]:
    """(B,) cost and (B,) IoU, differentiable in the point."""
    pose, crop = point.pose, evidence.crop
    silhouettes = coverage(point.vertices, camera_to_car(pose), crop_projection(pose, crop), triangles_on(pose.device), evidence.size_px)
    total = silhouette_loss(silhouettes, evidence.target) + unlikely(point, evidence.first, weights)
    if evidence.lookup is not None and visible is not None:
        lookup, size = evidence.lookup, crop.photo_size_px
        places, parts = dense_costs(
            point.vertices, pose, point.measures[:, INDEX["length"]], evidence.classes, visible, lookup, size, point.stretch
        )
        total = total + weights.places * lookup.certainty01 * places + weights.parts * parts
        total = total + weights.wheels * wheel_cost(outer_hubs(point.measures, point.vertices), pose, lookup, size)
    if evidence.figures is not None:
        total = total + weights.figures * figure_cost(
            evidence.figures, point.vertices, point.measures[:, INDEX["wheelbase"]], point.stretch
        )
    return total, soft_iou(silhouettes, evidence.target)


def unlikely(point: Point, first: torch.Tensor, weights: Weights) -> torch.Tensor:
    """(B,) minus the logarithm of how likely camera and shape are beforehand, weighted."""
    spreads = torch.full((POSE_SIZE,), torch.inf)
    spreads[AZIMUTH], spreads[ELEVATION] = weights.azimuth_spread_rad, weights.elevation_spread_rad
    spreads[ROLL], spreads[LOG_DISTANCE] = weights.roll_spread_rad, weights.distance_spread
    camera = ((point.pose - first) / spreads.to(first)).square().sum(1)
    stretch = (point.stretch / weights.stretch_spread).square().sum(1)
    return weights.prior * 0.5 * (camera + point.z.square().sum(1) + stretch) + weights.coefficients * 0.5 * point.w.square().sum(1)
