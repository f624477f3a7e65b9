"""What the network tells of a car's shape, as rows of a linear least-squares problem about a present car.

An unfamiliar car is told too wide or too narrow, too high or too low as a whole: its width, the outline from above and the places of its
pixels err together.  Were they taken for witnesses that do not know each other, they would overrule what is known of real cars' dimensions.
So the two common errors are unknowns of their own, as uncertain as the network says that the proportions are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch

from ..car.car import whole
from ..car.measures import INDEX
from ..car.prior import ShapePrior
from ..perceive.heads import PLAN_STATIONS, TOP_STATIONS
from .dense import STRETCH_SIGMA, Lookup, axes_of, to_px, visible_faces
from .pose import Crop

Rows = tuple[torch.Tensor, torch.Tensor]  # (n, unknowns) and (n,): rows times the unknowns' change should be that
Told = dict[str, tuple[float, float]]

PLACE_SIGMA = 0.006  # of the length
FIGURE_SIGMA = 0.012  # of the length: how well an outline's single stations are told, their common error apart
RATIO_SIGMA = 0.01  # of a ratio's logarithm, likewise
RATIO_SHARE = 0.68  # of the told scale, for errors of proportions: cars differ from the usual one of the type they are taken for by more
# than the table of dimensions says, and what is told leans to the usual car already
LENGTH_SIGMA = 0.01  # nothing in a photograph tells the size
RATIOS = ("log_width", "log_height")


@dataclass(frozen=True)
class Moving:
    """A car that can move: vertices_m (V, 3), slope (n, V, 3) by the unknowns of the shape, its length, and the present stretch (2,) of
    what is told across and up.  The rows' unknowns are those n and then the stretch's two."""

    vertices_m: torch.Tensor
    slope: torch.Tensor
    length_m: float
    stretch: torch.Tensor


def ratio_spreads(told: Told) -> torch.Tensor:
    """(2,) standard deviations of the common errors of told widths and heights, logarithms."""
    return torch.tensor([RATIO_SHARE * told[name][1] if name in told else STRETCH_SIGMA for name in RATIOS])


def wheelbase_spread(told: Told) -> float:
    """Standard deviation of the logarithm of the wheelbase over the length."""
    return RATIO_SHARE * told["log_wheelbase"][1] + 0.005


def outline_spread(told: Told, name: str, axis: int) -> float:
    """Standard deviation of one station of an outline that reaches sideways (axis 0) or up (1), the common error apart."""
    mean, scale = told[name]
    common = mean * told[RATIOS[axis]][1] if RATIOS[axis] in told else 0.0
    return math.sqrt(max(scale**2 - common**2, 0.0)) + FIGURE_SIGMA


def outline_slices() -> list[tuple[str, int, tuple[float, float]]]:
    """Of each station of the outlines its name, the axis in which it reaches (0 sideways, 1 up), and where along the car its slice begins
    and ends, 0..1, rims left out.  From the side neither end is one: those are bumpers."""
    tops = [(f"top_{k:02d}", 1, k, TOP_STATIONS) for k in range(1, TOP_STATIONS - 1)]
    plans = [(f"plan_{k}", 0, k, PLAN_STATIONS) for k in range(PLAN_STATIONS)]
    return [(name, axis, ((k + 0.1) / count, (k + 0.9) / count)) for name, axis, k, count in tops + plans]


def place_rows(moving: Moving, pose: torch.Tensor, lookup: Lookup, crop: Crop, count: float) -> Rows:
    """Seen faces should be where their pixels are told to be; all of them count as `count` independent ones."""
    mesh, vertices = whole(), moving.vertices_m
    share = visible_faces(vertices[None], pose[None], crop).share[0]
    seen = torch.nonzero(share > 0)[:, 0]
    corners = mesh.triangles[seen]
    corner = vertices[corners]
    middle = corner.mean(1)
    with torch.no_grad():
        told = lookup.at(to_px(middle[None], pose[None], crop.photo_size_px))[0]
    normal = torch.nn.functional.normalize(torch.linalg.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), dim=1)
    place = told[:, :3] * axes_of(moving.stretch[None])
    apart = ((place - middle / moving.length_m) * normal).sum(1)
    robust = (1 + apart.square() / (4 * PLACE_SIGMA) ** 2).pow(-0.5)
    weight = (share[seen] * told[:, 3] * robust * count).sqrt() / PLACE_SIGMA
    first, second, third = (moving.slope.index_select(1, ends) for ends in corners.T)  # far quicker than gathering all corners at once
    moved = torch.einsum("pnc,nc->pn", (first + second + third) / 3, normal) / moving.length_m  # faces may slide along the surface
    across_and_up = -(place * normal)[:, [0, 2]].T
    return (torch.cat([moved, across_and_up]) * weight).T, apart * weight


def figure_rows(moving: Moving, told: Told) -> list[Rows]:
    """The body's width and height over its length, where its nose lies, and its outlines from the side and from above."""
    rows: list[Rows | None] = [_ratio_row(moving, told, axis) for axis in range(len(RATIOS)) if RATIOS[axis] in told]
    rows.append(_nose_row(moving, told))
    x, y, z = moving.vertices_m[outline_vertices()].unbind(1)
    along01 = (y - y.min()) / (y.max() - y.min())
    for name, axis, (low, high) in outline_slices():
        rows.append(_outline_row(moving, told, name, (along01 > low) & (along01 < high), (x, z)[axis], axis))
    return [row for row in rows if row is not None]


def measure_rows(moving: Moving, measures: torch.Tensor, prior: ShapePrior, told: Told) -> list[Rows]:
    """What is told of a measure itself, the wheelbase, and the length, which stays: measures (P,) are the present ones."""
    free, along = prior.factor.shape[0], prior.factor[INDEX["length"]] / moving.length_m

    def row(values: torch.Tensor, wanted: float, spread: float) -> Rows:
        whole_row = torch.nn.functional.pad(values, (0, len(moving.slope) + 2 - free))
        return (whole_row / spread)[None], torch.tensor([wanted / spread])

    rows = [row(along, 0.0, LENGTH_SIGMA)]
    if "log_wheelbase" in told:
        mean, spread = told["log_wheelbase"][0], wheelbase_spread(told)
        wheelbase = float(measures[INDEX["wheelbase"]])
        change = prior.factor[INDEX["wheelbase"]] / wheelbase - along
        rows.append(row(change, mean - math.log(wheelbase / moving.length_m), spread))
    return rows


def _ratio_row(moving: Moving, told: Told, axis: int) -> Rows:
    """Width (axis 0) or height (1) over the length, as they are told."""
    body = outline_vertices()
    x, y, z = moving.vertices_m[body].unbind(1)
    front, rear = int(body[int(y.argmin())]), int(body[int(y.argmax())])
    length_m = float(y.max() - y.min())
    along = (moving.slope[:, rear, 1] - moving.slope[:, front, 1]) / length_m
    coordinate, reach, sides = ((0, x, 2), (2, z, 1))[axis]
    vertex, reach_m = int(body[int(reach.argmax())]), float(reach.max())
    row = torch.cat([moving.slope[:, vertex, coordinate] / reach_m - along, _of_stretch(axis, 1.0)])
    apart = told[RATIOS[axis]][0] + float(moving.stretch[axis]) - math.log(sides * reach_m / length_m)
    return (row / RATIO_SIGMA)[None], torch.tensor([apart / RATIO_SIGMA])


def _nose_row(moving: Moving, told: Told) -> Rows | None:
    """The front end's distance before the axles' middle, over the length."""
    if "nose" not in told:
        return None
    body = outline_vertices()
    y = moving.vertices_m[body, 1]
    front, rear = int(body[int(y.argmin())]), int(body[int(y.argmax())])
    length_m, nose = float(y.max() - y.min()), -float(y.min() / (y.max() - y.min()))
    slope = -moving.slope[:, front, 1] - nose * (moving.slope[:, rear, 1] - moving.slope[:, front, 1])
    mean, spread = told["nose"]
    return (torch.nn.functional.pad(slope / length_m, (0, 2)) / spread)[None], torch.tensor([(mean - nose) / spread])


def _outline_row(moving: Moving, told: Told, name: str, inside: torch.Tensor, reach_m: torch.Tensor, axis: int) -> Rows | None:
    """The furthest of outline_vertices() inside a slice, each reaching reach_m (N,) sideways (axis 0) or up (1), should reach as far as is
    told."""
    if name not in told or not bool(inside.any()):
        return None
    coordinate = 2 * axis
    vertex = int(outline_vertices()[int(torch.where(inside, reach_m, -torch.inf).argmax())])
    mean, spread = told[name][0], outline_spread(told, name, axis)
    wanted = mean * math.exp(float(moving.stretch[axis]))
    row = torch.cat([moving.slope[:, vertex, coordinate] / moving.length_m, _of_stretch(axis, wanted)])
    return (row / spread)[None], ((wanted - moving.vertices_m[vertex, coordinate] / moving.length_m) / spread)[None]


def _of_stretch(axis: int, by: float) -> torch.Tensor:
    """(2,) minus `by` at one axis: how a told value changes with its stretch, on the other side of the equation."""
    row = torch.zeros(2)
    row[axis] = -by
    return row


@cache
def outline_vertices() -> torch.Tensor:
    """Indices of the body's vertices that are no mirror's."""
    mesh = whole()
    names = [k for k, name in enumerate(mesh.part_names) if not name.startswith(("mirror", "tyre", "rim", "hub"))]
    return torch.unique(mesh.triangles[torch.isin(mesh.part_index, torch.tensor(names))])
