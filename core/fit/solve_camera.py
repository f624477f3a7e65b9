"""The camera through which the places told of pixels fall on those pixels, and with it how much they are stretched.

Reprojection error (Hartley and Zisserman, chapter 7) by Levenberg-Marquardt.  Seen from afar, pixels tell eight numbers of known places
and a camera has six, so the two stretches of what is told, across and up, are found with it.  Were they sought one after the other, a
wrong camera would explain wrong proportions and these the wrong camera.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from ..types import Dense, Perception
from .dense import STRETCH_SIGMA, axes_of, to_px, trust_of, usual_error
from .pose import AZIMUTH, ELEVATION, LOG_DISTANCE, POSE_SIZE, ROLL, Crop
from .told_rows import PLACE_SIGMA, RATIOS, Told

POINTS = 500
STEP = 1e-6  # of the forward differences, in float64
PIXELS_COUNT_AS = 60.0  # independent observations in all pixels' places, told within PLACE_SIGMA: neighbours err together
LAPLACE_SIGMA = math.sqrt(2)  # standard deviation of a Laplace error of scale 1: scales are what the network tells
AZIMUTH_SIGMA_RAD = 0.04  # of what the network tells, where it does not take nose for tail
DISTANCE_SHARE = 0.5  # of the told scale, for errors of the distance: told places would bring the camera nearer than it was


def observations(dense: Dense) -> float:
    """As how many places told within PLACE_SIGMA all pixels count, the network's own word on its errors taken."""
    return PIXELS_COUNT_AS / (1 + (usual_error(dense) / PLACE_SIGMA) ** 2)


def told_places(dense: Dense) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Up to POINTS cells inside the car: places over the length (n, 3), pixels of the photograph (n, 2), trust (n,)."""
    trust = np.where(dense.matte01 > 0.6, trust_of(dense), 0)
    rows, columns = np.nonzero(trust > 0.05)
    step = max(1, len(rows) // POINTS)
    rows, columns = rows[::step], columns[::step]
    left, top, width, height = dense.box_px
    cells_y, cells_x = dense.matte01.shape
    pixels = np.stack([left + (columns + 0.5) * width / cells_x, top + (rows + 0.5) * height / cells_y], 1)
    places = dense.coordinates[:, rows, columns].T
    return tuple(torch.from_numpy(np.ascontiguousarray(a)).double() for a in (places, pixels, trust[rows, columns]))  # type: ignore[return-value]


def solve_camera(
    first: torch.Tensor,
    points_car: torch.Tensor,
    pixels: torch.Tensor,
    trust: torch.Tensor,
    expected: tuple[torch.Tensor, torch.Tensor],
    crop: Crop,
    count: float,
    steps: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The pose (7,) near `first` through which points (n, 3) fall on pixels (n, 2), which count as `count` independent ones, and the
    standard deviation of each number.

    Where `first` is (9,) its last two are the points' stretch (see dense.axes_of) and found as well.  expected: where each number is
    expected, and how surely."""
    told, spread = expected
    scale = 200.0 / crop.side_px  # residuals in two-hundredths of the crop
    weight = (trust / trust.sum().clamp_min(1e-6) * count).sqrt()[:, None]
    steps_aside = torch.cat([torch.zeros(1, len(first)), STEP * torch.eye(len(first))]).double()

    def rows_at(there: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        around = there + steps_aside
        pose, stretch = around[:, :POSE_SIZE], around[:, POSE_SIZE:]
        points = points_car * axes_of(stretch)[:, None] if len(first) > POSE_SIZE else points_car.expand(len(around), -1, -1)
        missed = (to_px(points, pose, crop.photo_size_px) - pixels) * scale
        apart, slope = missed[0], ((missed[1:] - missed[0]) / STEP).permute(1, 2, 0)
        robust = weight * (1 + apart.square().sum(1, keepdim=True) / 9).pow(-0.25)  # square root of the Huber-like weight
        rows = torch.cat([(robust * apart).flatten(), (there - told) / spread])
        return rows, torch.cat([robust[..., None].mul(slope).flatten(0, 1), torch.diag(1 / spread)])

    here, damping = first.double().clone(), 1e-2
    rows, matrix = rows_at(here)
    for _ in range(steps):
        normal = matrix.T @ matrix
        trial = here - torch.linalg.solve(normal + damping * torch.diag(torch.diag(normal)), matrix.T @ rows)
        there = rows_at(trial)
        better = bool(there[0].square().sum() < rows.square().sum())  # never where it is not a number
        damping = damping * (0.4 if better else 4)
        if better:
            here, (rows, matrix) = trial, there
    return here.float(), torch.linalg.inv(matrix.T @ matrix).diag().sqrt().float()


def pose_prior(first: torch.Tensor, perception: Perception) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the pose is expected, and how surely (7,) each."""
    told = first.double().clone()
    spread = torch.full((len(first),), 1e3, dtype=torch.float64)
    spread[AZIMUTH], spread[ROLL] = AZIMUTH_SIGMA_RAD, 0.035
    spread[ELEVATION] = LAPLACE_SIGMA * perception.estimates.get("elevation_rad", (0.0, 0.05))[1] + 0.005
    spread[LOG_DISTANCE] = DISTANCE_SHARE * perception.estimates.get("log_distance_lengths", (0.0, 0.5))[1]
    return told, spread


def stretch_prior(told: Told) -> tuple[torch.Tensor, torch.Tensor]:
    """The same of the stretch, (2,) each: none, as surely as the network is of widths and heights."""
    spread = [LAPLACE_SIGMA * told[name][1] if name in told else STRETCH_SIGMA for name in RATIOS]
    return torch.zeros(2, dtype=torch.float64), torch.tensor(spread, dtype=torch.float64)
