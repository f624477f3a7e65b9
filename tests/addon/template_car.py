"""A car of the real template in plain colours, made with numpy alone, so that it can be built where no torch is.

Its body stands beside the template as a car of the shape space does: an offset for each vertex, stretched with the car's size.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from imago.core.car import parts
from imago.core.car.measure_table import BODY_TYPES, INDEX, to_array
from imago.core.car.reshape import Reshape, make_reshape
from imago.core.car.skeleton import body_vertices
from imago.core.car.space import scale
from imago.core.car.template import template
from imago.core.car.wheels import PARTS, WHEEL_NAMES, wheel_centres, wheel_faces, wheel_uv01, wheel_vertices
from imago.core.types import CarAsset, Light, MaterialSpec, MeshData, Wheel

from .synthetic import synthetic_car

TYPICAL = "hatchback"


def typical_offset() -> np.ndarray:
    """(V, 3) metres in a car of typical size: a smooth bend of some centimetres, the same left and right."""
    x, y, z = body_vertices(to_array(BODY_TYPES[TYPICAL])[None])[0].T
    return np.stack([0.05 * x * np.sin(1.5 * y + z), 0.03 * np.cos(2 * z), 0.04 * np.cos(y) * z], 1).astype(np.float32)


def template_body(measures: np.ndarray, body_type: str) -> MeshData:
    shared, renamed = template(), parts.rename_for(body_type)
    final = [renamed.get(name, name) for name in shared.part_names]
    names = tuple(sorted(set(final)))
    part = np.array([names.index(name) for name in final], np.int32)[shared.part_index]
    vertices = body_vertices(measures[None])[0] + scale(measures[None])[0] * typical_offset()
    return MeshData(vertices, shared.quads, shared.uv01, part, names)


def template_wheels(measures: np.ndarray) -> tuple[Wheel, ...]:
    radius, width = (measures[None, INDEX[name]] for name in ("wheel_radius", "tyre_width"))
    vertices, (quads, part), uv01 = wheel_vertices(radius, width)[0], wheel_faces(), wheel_uv01()
    wheels = []
    for name, centre in zip(WHEEL_NAMES, wheel_centres(measures[None])[0].tolist(), strict=True):
        mesh = MeshData(vertices, quads, uv01, part, PARTS)
        if name.endswith("right"):
            mirrored = (vertices * np.array([-1, 1, 1], np.float32), np.ascontiguousarray(quads[:, ::-1]))
            mesh = MeshData(*mirrored, np.ascontiguousarray(uv01[:, ::-1]), part, PARTS)
        wheels.append(Wheel(name, tuple(centre), float(radius[0]), float(width[0]), "front" in name, mesh))
    return tuple(wheels)


def _lights(body: MeshData) -> tuple[Light, ...]:
    lights = []
    for name in body.part_names:
        kind = parts.LIGHT_KINDS.get(parts.base_name(name))
        if kind:
            centre = body.vertices_m[body.quads[body.faces_of(name)]].mean((0, 1))
            lights.append(Light(name, kind, tuple(map(float, centre)), (0.0, math.copysign(1.0, centre[1]), 0.0)))
    return tuple(lights)


def template_car(body_type: str = TYPICAL, **changed: float) -> CarAsset:
    """A valid asset: the type's usual measures, some of them changed."""
    measures = BODY_TYPES[body_type] | changed
    vector = to_array(measures)
    body, wheels = template_body(vector, body_type), template_wheels(vector)
    extent = body.vertices_m.max(0) - body.vertices_m.min(0)
    plain = synthetic_car()
    paint = MaterialSpec("paint", body.part_names, (0.6, 0.03, 0.02), 0.0, 0.35, coat=1.0)
    rubber = MaterialSpec("rubber", PARTS, (0.02, 0.02, 0.02), 0.0, 0.85)
    track = measures["width"] * measures["track_ratio"]
    return replace(
        plain,
        body=body,
        wheels=wheels,
        lights=_lights(body),
        texture=replace(plain.texture, materials=(paint, rubber)),
        body_type=body_type,
        measures=measures,
        dimensions_m={
            "length": float(extent[1]),
            "width": measures["width"],
            "height": float(body.vertices_m[:, 2].max()),
            "wheelbase": measures["wheelbase"],
            "track_front": track,
            "track_rear": track,
        },
    )


def template_reshape(asset: CarAsset) -> Reshape:
    return make_reshape(asset.shape, asset.body.vertices_m)
