"""A point of the shape space -> the car: body and wheel meshes, lamps, dimensions.  The stage's entry module.

Vertices are made of measures alone (the bare template) or of measures and coefficients (the learned space: its offset and modes added).
A CarShape is always a point of the learned space.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from ..errors import ShapeError, check_shape
from ..types import CarShape, Light, MeshData, Wheel
from . import arrays as xp
from . import parts, skeleton
from .arrays import Array
from .measures import INDEX, NAMES, to_vector
from .space import shape_space, vertices_with
from .template import template
from .wheels import PARTS as WHEEL_PARTS
from .wheels import WHEEL_NAMES, wheel_centres, wheel_faces, wheel_uv01, wheel_vertices

FEW = 32  # cars: so many numpy makes twice to four times as quickly as torch, for which every small operation costs more


@dataclass(frozen=True)
class Whole:
    """Body and four wheels as one triangle mesh for the rasteriser: triangles (T, 3) int64 and each one's index into part_names (T,)."""

    triangles: torch.Tensor
    part_index: torch.Tensor
    part_names: tuple[str, ...]


def body_vertices(measures: torch.Tensor, coefficients: torch.Tensor | None = None) -> torch.Tensor:
    """(B, P) measures -> (B, V, 3) float32 body vertices, car frame, metres; differentiable.

    Those of the bare template; with coefficients (B, K) those of the learned space.  Raises ShapeError; WeightsError where the space
    is missing.
    """
    return _made(_bodies, measures, coefficients)


def whole_vertices(measures: torch.Tensor, coefficients: torch.Tensor | None = None, residual_m: np.ndarray | None = None) -> torch.Tensor:
    """Like body_vertices, (B, V + 4 W, 3): body, then the wheels in the order of WHEEL_NAMES; matches whole().triangles.

    residual_m (H, 3) moves the left half's vertices, and the right half's alike."""
    return _made(_cars, measures, coefficients, residual_m)


def _made(make: Callable[..., Array], measures: torch.Tensor, coefficients: torch.Tensor | None, *more: np.ndarray | None) -> torch.Tensor:
    """What `make` makes of the tensors, of a few cars by way of numpy unless torch has to follow: for gradients, on another device."""
    check_shape("measures", tuple(measures.shape), (None, len(NAMES)))
    given = [measures] if coefficients is None else [measures, coefficients]
    followed = any(tensor.device.type != "cpu" or (tensor.requires_grad and torch.is_grad_enabled()) for tensor in given)
    if len(measures) > FEW or followed:
        return make(measures, coefficients, *more)
    plain = [tensor.detach().numpy() for tensor in given]
    return torch.from_numpy(np.ascontiguousarray(make(plain[0], plain[1] if len(plain) > 1 else None, *more)))


def _bodies(measures: Array, coefficients: Array | None, residual_m: np.ndarray | None = None) -> Array:
    body = skeleton.body_vertices(measures) if coefficients is None else vertices_with(measures, coefficients, shape_space())
    return body if residual_m is None else body + skeleton.skeleton().whole(xp.like(residual_m, measures)[None])


def _cars(measures: Array, coefficients: Array | None, residual_m: np.ndarray | None) -> Array:
    body = _bodies(measures, coefficients, residual_m)
    wheel = wheel_vertices(measures[:, INDEX["wheel_radius"]], measures[:, INDEX["tyre_width"]])
    flip, centres = xp.like(np.array([-1.0, 1.0, 1.0]), wheel), wheel_centres(measures)
    return xp.cat([body, *((wheel if k % 2 == 0 else wheel * flip) + centres[:, k, None] for k in range(4))], 1)


def vectors(shape: CarShape) -> tuple[torch.Tensor, torch.Tensor]:
    """A shape as measures (1, P) and coefficients (1, K), zero where it gives none.  Raises ShapeError for more than the space has."""
    count = shape_space().mode_count
    given = torch.tensor(shape.coefficients, dtype=torch.float32)
    if len(given) > count:
        raise ShapeError(f"coefficients has {len(given)} entries, the shape space {count} modes")
    return to_vector(shape.measures)[None], torch.cat([given, torch.zeros(count - len(given))])[None]


@cache
def triangles_on(device: torch.device) -> torch.Tensor:
    """whole().triangles on a device; the same tensor at every call."""
    return whole().triangles.to(device)


@cache
def whole() -> Whole:
    """The triangles of body and wheels; constant, like the template."""
    shared = template()
    wheel_quads, wheel_part = wheel_faces()
    names = shared.part_names + WHEEL_PARTS
    body_count = int(shared.quads.max()) + 1
    wheel_count = int(wheel_quads.max()) + 1
    quads, part = [shared.quads], [shared.part_index]
    for k in range(4):
        turned = wheel_quads if k % 2 == 0 else wheel_quads[:, ::-1]
        quads.append(turned + body_count + k * wheel_count)
        part.append(wheel_part + len(shared.part_names))
    both = np.concatenate(quads)
    triangles = np.concatenate([both[:, [0, 1, 2]], both[:, [0, 2, 3]]]).astype(np.int64)
    index = np.concatenate(part).astype(np.int64)
    return Whole(torch.from_numpy(triangles), torch.from_numpy(np.concatenate([index, index])), names)


def build_body(shape: CarShape) -> MeshData:
    """The body as named quads with UV, car frame."""
    shared = template()
    vertices = _made(_bodies, *vectors(shape), shape.residual_m)[0].numpy()
    renamed = parts.rename_for(shape.body_type)
    final = [renamed.get(name, name) for name in shared.part_names]
    names = tuple(sorted(set(final)))
    part_index = np.array([names.index(name) for name in final], np.int32)[shared.part_index]
    return MeshData(vertices, shared.quads, shared.uv01, part_index, names)


def build_wheels(shape: CarShape) -> tuple[Wheel, ...]:
    """The four wheels, in the order of WHEEL_NAMES."""
    vector = to_vector(shape.measures)[None]
    radius, width = shape.measures["wheel_radius"], shape.measures["tyre_width"]
    vertices = wheel_vertices(vector[:, INDEX["wheel_radius"]], vector[:, INDEX["tyre_width"]])[0].numpy()
    quads, part_index = wheel_faces()
    uv01, wheels = wheel_uv01(), []
    for k, centre in enumerate(wheel_centres(vector)[0].tolist()):
        left = k % 2 == 0
        mesh = MeshData(
            vertices if left else (vertices * np.array([-1, 1, 1], np.float32)), quads if left else np.ascontiguousarray(quads[:, ::-1]),
            uv01 if left else np.ascontiguousarray(uv01[:, ::-1]), part_index, WHEEL_PARTS,
        )  # fmt: skip
        wheels.append(Wheel(WHEEL_NAMES[k], (centre[0], centre[1], centre[2]), radius, width, "front" in WHEEL_NAMES[k], mesh))
    return tuple(wheels)


def build_lights(body: MeshData) -> tuple[Light, ...]:
    """Every lamp of the body with the centre and mean outward normal of its faces."""
    lights = []
    for name in body.part_names:
        kind = parts.LIGHT_KINDS.get(parts.base_name(name))
        if kind is None:
            continue
        corners = body.vertices_m[body.quads[body.faces_of(name)]]
        normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        area = np.linalg.norm(normal, axis=1)
        centre = (corners.mean(1) * area[:, None]).sum(0) / area.sum()
        mean = normal.sum(0) / np.linalg.norm(normal.sum(0))
        lights.append(Light(name, kind, tuple(map(float, centre)), tuple(map(float, mean))))  # type: ignore[arg-type]
    return tuple(lights)


def dimensions_m(shape: CarShape, body: MeshData) -> dict[str, float]:
    """length, width (without mirrors), height, wheelbase, track_front, track_rear in metres."""
    extent = np.ptp(body.vertices_m, axis=0)
    mirrors = [k for k, name in enumerate(body.part_names) if name.startswith("mirror")]
    width = np.ptp(body.vertices_m[body.quads[~np.isin(body.part_index, mirrors)], 0])
    track = shape.measures["width"] * shape.measures["track_ratio"]
    return {
        "length": float(extent[1]), "width": float(width), "height": float(body.vertices_m[:, 2].max()),
        "wheelbase": shape.measures["wheelbase"], "track_front": track, "track_rear": track,
    }  # fmt: skip
