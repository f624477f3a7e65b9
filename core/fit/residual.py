"""What neither measures nor modes can say: a free, symmetric and smooth offset of the body's vertices, found last.

Minimises the fit's cost plus thin-plate energy |L d|^2 and |d|^2 over offsets d of the left half, with Adam; the camera stands still.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from ..car.car import whole_vertices
from ..car.skeleton import skeleton
from ..car.space import half_count
from .dense import visible_faces
from .objective import Evidence, Point, Weights, cost

LOWER_EDGE = (0.25, 0.4)  # of the height: below the first nothing moves up or down, above the second everything may


@dataclass(frozen=True)
class ResidualConfig:
    """Costs are in units of 1 - IoU per square metre: of the mean bending and of the mean offset; rate is Adam's, in metres."""

    size_px: int = 320
    steps: int = 80
    bending: float = 1500.0
    offset: float = 12.0
    rate: float = 0.0015
    most_m: float = 0.08


@cache
def half_laplacian() -> torch.Tensor:
    """(H, H) sparse: each half vertex minus the mean of its neighbours."""
    used = skeleton().quads
    half = half_of_whole()[used]
    pairs = np.concatenate([np.stack([half[:, k], half[:, (k + 1) % 4]], 1) for k in range(4)])
    pairs = np.unique(np.sort(pairs, 1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    both = np.concatenate([pairs, pairs[:, ::-1]])
    degree = np.bincount(both[:, 0], minlength=half_count())
    values = np.concatenate([np.where(degree > 0, 1.0, 0.0), -1.0 / degree[both[:, 0]]])
    index = np.concatenate([np.stack([np.arange(half_count())] * 2, 1), both]).T
    return torch.sparse_coo_tensor(index, values.astype(np.float32), (half_count(), half_count()), check_invariants=False).coalesce()


@cache
def half_of_whole() -> np.ndarray:
    """(V,) the half vertex that each vertex of the body is, or is the mirror image of."""
    marks = torch.zeros(1, half_count(), 3)
    marks[0, :, 1] = torch.arange(half_count())
    return skeleton().whole(marks)[0, :, 1].round().long().numpy()


def find_residual(
    measures: torch.Tensor,
    coefficients: torch.Tensor,
    pose: torch.Tensor,
    stretch: torch.Tensor,
    evidence: Evidence,
    weights: Weights,
    config: ResidualConfig,
    tick: Callable[[int], None],
) -> np.ndarray:
    """(H, 3) float32 metres, for a car's left half: measures (1, P), coefficients (1, K), pose (7,), stretch (2,).

    tick(step) is called before each step and may raise.
    """
    with torch.no_grad():
        base = whole_vertices(measures, coefficients)
    laplacian, freedom = half_laplacian(), freedom_of(base[0])
    free = torch.zeros(half_count(), 3, requires_grad=True)
    optimiser = torch.optim.Adam([free], config.rate, betas=(0.9, 0.99))
    nothing = torch.zeros(1, 1)
    wheels = base.new_zeros(1, base.shape[1] - len(half_of_whole()), 3)
    visible = visible_faces(base, pose[None], evidence.crop)
    for step in range(config.steps):
        tick(step)
        held = free * freedom
        vertices = base + torch.cat([skeleton().whole(held[None]), wheels], 1)
        loss, _ = cost(Point(pose[None], nothing, nothing, stretch[None], measures, vertices), evidence, visible, weights)
        bent = torch.sparse.mm(laplacian, held).square().sum(1).mean()
        total = loss.sum() + config.bending * bent + config.offset * held.square().sum(1).mean()
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    with torch.no_grad():
        return (free * freedom).clamp(-config.most_m, config.most_m).numpy()


def freedom_of(vertices_m: torch.Tensor) -> torch.Tensor:
    """(H, 3) 0..1, how far each half vertex of a whole car (V, 3) may move across, along and up: those on the middle stay there, and the
    lower edge, which shadows blur in every photograph, stays as high as it is."""
    height_m = torch.zeros(half_count())
    height_m[torch.from_numpy(half_of_whole())] = vertices_m[: len(half_of_whole()), 2]
    up = ((height_m / float(height_m.max()) - LOWER_EDGE[0]) / (LOWER_EDGE[1] - LOWER_EDGE[0])).clamp(0, 1)
    return torch.stack([torch.from_numpy(skeleton().on_side), torch.ones_like(up), up], 1)
