"""A first car and camera in closed form, from what the network tells of each pixel: no drawing of outlines, a third of a second.

The camera is the one through which the told places fall on their pixels (reprojection error, Hartley and Zisserman, chapter 7, by
Levenberg-Marquardt).  The shape is the likeliest of the shape space for the told places of its visible faces and the told figures: a
linear least-squares problem in the whitened measures and coefficients, solved a few times as the faces move.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from ..car.car import WHEEL_NAMES, whole
from ..car.measures import INDEX
from ..car.prior import ShapePrior
from ..perceive.heads import PLAN_STATIONS, TOP_STATIONS
from ..types import Dense, Perception
from .dense import Lookup, to_px, trust_of, usual_error, visible_faces
from .linear_car import LinearCar, linearise
from .pose import AZIMUTH, ELEVATION, LOG_DISTANCE, LOG_SCALE, ROLL, Crop
from .shapes import Shapes
from .starts import Start

POINTS = 500
POSE_STEPS, FEW_STEPS = 12, 3
POSE_STEP = 1e-6  # of the forward differences, in float64
FREE_MODES = 24
PIXELS_COUNT_AS = 60.0  # independent observations in all pixels' places, told within PLACE_SIGMA: neighbours err together
PLACE_SIGMA = 0.006  # of the length
FIGURE_SIGMA = 0.012  # of the length, likewise


def solve_poses(starts: list[Start], perception: Perception, crop: Crop) -> torch.Tensor:
    """(B, 7) the camera of each start; perception.dense must be there."""
    assert perception.dense is not None, "solve_poses() is for perceptions with dense maps"
    places, pixels, trust = told_places(perception.dense)
    count = observations(perception.dense)
    found: dict[float, tuple[torch.Tensor, float]] = {}
    poses = []
    for start in starts:
        length_m = float(start.origin[INDEX["length"]])
        first, steps, azimuth = start.pose, POSE_STEPS, float(start.pose[AZIMUTH])
        if azimuth in found:  # the same places in another size: nearly the same camera, further off
            first, other_m = found[azimuth]
            first, steps = first.clone(), FEW_STEPS
            first[LOG_DISTANCE] += math.log(length_m / other_m)
            first[LOG_SCALE] -= math.log(length_m / other_m)
        pose = solve_pose(first, places * length_m, pixels, trust, pose_prior(start.pose, perception), crop, count, steps)
        found.setdefault(azimuth, (pose, length_m))
        poses.append(pose)
    return torch.stack(poses)


def solve_shape(
    start: Start, car: LinearCar, pose: torch.Tensor, perception: Perception, lookup: Lookup, prior: ShapePrior, crop: Crop, rounds: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """z (P,) and w (FREE_MODES,) of the likeliest car about a start, seen through a pose (7,); car: the start's, expanded()."""
    shapes, z, w = Shapes.of(prior, [start]), torch.zeros(prior.factor.shape[0]), torch.zeros(FREE_MODES)
    for number in range(rounds):
        about = car if number == 0 else car.moved(*shapes.at(z[None], w[None]))
        z, w = _shape_round(about, pose, z, w, perception, prior, crop, lookup)
    return z, w


def expanded(start: Start, prior: ShapePrior) -> LinearCar:
    """The car that a start is about, and how it moves with its measures and its first FREE_MODES modes."""
    nothing = torch.zeros(1, prior.factor.shape[0]), torch.zeros(1, FREE_MODES)
    return linearise(*Shapes.of(prior, [start]).at(*nothing), FREE_MODES)


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


def solve_pose(
    first: torch.Tensor,
    points_car: torch.Tensor,
    pixels: torch.Tensor,
    trust: torch.Tensor,
    expected: tuple[torch.Tensor, torch.Tensor],
    crop: Crop,
    count: float,
    steps: int,
) -> torch.Tensor:
    """The pose (7,) near `first` through which points (n, 3) fall on pixels (n, 2), which count as `count` independent ones; `expected`: a
    pose and how sure each number is."""
    told, spread = expected
    scale = 200.0 / crop.side_px  # residuals in two-hundredths of the crop
    weight = (trust / trust.sum().clamp_min(1e-6) * count).sqrt()[:, None]

    steps_aside = torch.cat([torch.zeros(1, len(first)), POSE_STEP * torch.eye(len(first))]).double()

    pose, damping, cost = first.double().clone(), 1e-2, math.inf
    for _ in range(steps):
        around = pose + steps_aside
        missed = (to_px(points_car.expand(len(around), -1, -1), around, crop.photo_size_px) - pixels) * scale
        apart, slope = missed[0], ((missed[1:] - missed[0]) / POSE_STEP).permute(1, 2, 0)
        robust = (1 + apart.square().sum(1, keepdim=True) / 9).pow(-0.25)  # square root of the Huber-like weight
        rows = torch.cat([(weight * robust * apart).flatten(), (pose - told) / spread])
        matrix = torch.cat([(weight * robust)[..., None].mul(slope).flatten(0, 1), torch.diag(1 / spread)])
        now = float(rows.square().sum())
        normal = matrix.T @ matrix
        damping = damping * 0.4 if now < cost else damping * 4
        cost = now
        pose = pose - torch.linalg.solve(normal + damping * torch.diag(torch.diag(normal)), matrix.T @ rows)
    return pose.float()


def pose_prior(first: torch.Tensor, perception: Perception) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the pose is expected, and how surely (7,) each."""
    told = first.double().clone()
    spread = torch.full((len(first),), 1e3, dtype=torch.float64)
    spread[AZIMUTH], spread[ROLL] = 0.35, 0.035
    spread[ELEVATION] = 2 * perception.estimates.get("elevation_rad", (0.0, 0.05))[1] + 0.02
    spread[LOG_DISTANCE] = 2 * perception.estimates.get("log_distance_lengths", (0.0, 0.25))[1] + 0.05
    return told, spread


def _shape_round(
    car: LinearCar,
    pose: torch.Tensor,
    z: torch.Tensor,
    w: torch.Tensor,
    perception: Perception,
    prior: ShapePrior,
    crop: Crop,
    lookup: Lookup,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest (z, w), with the car expanded about the present one."""
    vertices, measures = car.origin, car.at
    slope = torch.cat([prior.factor.T @ car.slope[0], (car.stretch * car.modes.view(FREE_MODES, -1, 3)).flatten(1)])  # (P + k, V * 3)
    slope = slope.view(len(slope), -1, 3)
    length_m = float(measures[0, INDEX["length"]])
    count = observations(perception.dense)  # type: ignore[arg-type]
    rows = [
        _place_rows(vertices, slope, pose, length_m, lookup, crop, count),
        *_figure_rows(vertices, slope, measures, prior, perception, length_m),
    ]
    matrix, wanted = torch.cat([r[0] for r in rows]).double(), torch.cat([r[1] for r in rows]).double()
    at = torch.cat([z, w]).double()
    # rows: matrix (x - at) = wanted, and x a standard normal
    normal = matrix.T @ matrix + torch.eye(len(at), dtype=torch.float64)
    found = torch.linalg.solve(normal, matrix.T @ (wanted + matrix @ at)).float()
    return found[: len(z)], found[len(z) :]


def _place_rows(
    vertices: torch.Tensor, slope: torch.Tensor, pose: torch.Tensor, length_m: float, lookup: Lookup, crop: Crop, count: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Seen faces should be where their pixels are told to be."""
    mesh = whole()
    share = visible_faces(vertices, pose[None], crop).share[0]
    seen = torch.nonzero(share > 0)[:, 0]
    corners = mesh.triangles[seen]
    middle = vertices[0, corners].mean(1)
    with torch.no_grad():
        told = lookup.at(to_px(middle[None], pose[None], crop.photo_size_px))[0]
    corner = vertices[0, corners]
    normal = torch.nn.functional.normalize(torch.linalg.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), dim=1)
    apart = ((told[:, :3] - middle / length_m) * normal).sum(1)
    robust = (1 + apart.square() / (4 * PLACE_SIGMA) ** 2).pow(-0.5)
    weight = (share[seen] * told[:, 3] * robust * count).sqrt() / PLACE_SIGMA
    moved = torch.einsum("pnc,nc->pn", slope[:, corners].mean(2), normal) / length_m  # faces may slide along the surface
    return (moved * weight).T, apart * weight


def _figure_rows(
    vertices: torch.Tensor, slope: torch.Tensor, measures: torch.Tensor, prior: ShapePrior, perception: Perception, length_m: float
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The told figures: those that are measures, and the outlines from above and from the side."""
    rows: list[tuple[torch.Tensor, torch.Tensor] | None] = []
    count, free = len(slope), prior.factor.shape[0]
    told = perception.estimates
    named = {"log_width": "width", "log_height": "height", "log_wheelbase": "wheelbase"}
    for name, measure in named.items():
        if name in told:
            mean, sigma = told[name]
            row = torch.zeros(1, count)
            row[0, :free] = prior.factor[INDEX[measure]] / measures[0, INDEX[measure]] - prior.factor[INDEX["length"]] / length_m
            apart = mean - math.log(float(measures[0, INDEX[measure]]) / length_m)
            spread = 0.8 * sigma + 0.005
            rows.append((row / spread, torch.tensor([apart / spread])))
    row = torch.zeros(1, count)
    row[0, :free] = prior.factor[INDEX["length"]] / length_m
    rows.append((row / 0.01, torch.zeros(1)))  # nothing in a photograph tells the size
    rows += [_outline_row(vertices, slope, told, f"top_{k:02d}", k, TOP_STATIONS, 2, length_m) for k in range(1, TOP_STATIONS - 1)]
    rows += [_outline_row(vertices, slope, told, f"plan_{k}", k, PLAN_STATIONS, 0, length_m) for k in range(PLAN_STATIONS)]
    return [row for row in rows if row is not None]


def _outline_row(
    vertices: torch.Tensor,
    slope: torch.Tensor,
    told: dict[str, tuple[float, float]],
    name: str,
    station: int,
    count: int,
    axis: int,
    length_m: float,
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The furthest vertex of a slice of the body across its length should reach as far as is told."""
    if name not in told:
        return None
    body = outline_vertices()
    y = vertices[0, body, 1]
    low, high = y.min(), y.max()
    share = (y - low) / (high - low) * count
    inside = (share > station + 0.1) & (share < station + 0.9)
    if not bool(inside.any()):
        return None
    reach = torch.where(inside, vertices[0, body, axis], -torch.inf)
    vertex = int(body[int(reach.argmax())])
    mean, sigma = told[name]
    spread = sigma + FIGURE_SIGMA
    return (slope[:, vertex, axis] / length_m / spread)[None], ((mean - vertices[0, vertex, axis] / length_m) / spread)[None]


def outline_vertices() -> torch.Tensor:
    """Indices of the body's vertices that are no mirror's."""
    global _OUTLINE
    if _OUTLINE is None:
        mesh = whole()
        names = [k for k, name in enumerate(mesh.part_names) if not name.startswith(("mirror", "tyre", "rim", "hub"))]
        _OUTLINE = torch.unique(mesh.triangles[torch.isin(mesh.part_index, torch.tensor(names))])
    return _OUTLINE


_OUTLINE: torch.Tensor | None = None


def outer_hubs(measures: torch.Tensor, vertices: torch.Tensor) -> torch.Tensor:
    """(B, 4, 3) middles of the wheels' outer sides, in the order of WHEEL_NAMES; measures (B, P), vertices (B, V, 3) of the whole car."""
    per_wheel = (vertices.shape[1] - body_count()) // len(WHEEL_NAMES)
    wheels = vertices[:, body_count() :].unflatten(1, (len(WHEEL_NAMES), per_wheel))
    outward = vertices.new_tensor([1.0, -1.0, 1.0, -1.0])[:, None] * vertices.new_tensor([[0.5, 0, 0]])
    return wheels.mean(2) + outward * measures[:, INDEX["tyre_width"], None, None]


def body_count() -> int:
    """Vertices of the body, which come before the wheels'."""
    mesh = whole()
    wheels = torch.tensor([k for k, name in enumerate(mesh.part_names) if name in ("tyre", "rim", "hub")])
    return int(mesh.triangles[torch.isin(mesh.part_index, wheels)].min())
