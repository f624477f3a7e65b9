"""Spot lights before the headlights: they throw light on the road, one object for each side and beam, switched by the rig.

Each is hidden while its switch is at 0.  The switch drives the object and not its light data, which duplicates of a car share.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...core.types import Light
from ..scene.made import ROLE
from .drivers import drive
from .rig import hang_on_bone


@dataclass(frozen=True)
class Beam:
    """Watts, cone and its soft share, how far it points down, and the colour (linear)."""

    watts: float
    cone_rad: float
    soft01: float
    down_rad: float
    colour: tuple[float, float, float]


BEAMS = {
    "headlight": Beam(220.0, math.radians(64), 0.55, math.radians(4.5), (1.0, 0.90, 0.75)),
    "high_beam": Beam(420.0, math.radians(30), 0.7, math.radians(1.0), (1.0, 0.95, 0.88)),
}
BEFORE_LENS_M = 0.05
LENS_RADIUS_M = 0.06
LAMP = "imago_lamp"  # on a beam: the role of its lamp


def make_beams(
    rig: bpy.types.Object, lamps: dict[str, bpy.types.Object], lights: tuple[Light, ...], collection: bpy.types.Collection
) -> None:
    """One beam for each headlight and high beam whose lamp is there; called again, it makes what is new and removes what is gone."""
    there = beams_among(rig.children)
    wanted = {_role(light): light for light in lights if light.kind in BEAMS and light.name in lamps}
    for role, light in wanted.items():
        if role not in there:
            _make(role, light, rig, collection)
    for role, thing in there.items():
        if role not in wanted:
            data = thing.data
            bpy.data.objects.remove(thing)
            if not data.users:
                bpy.data.lights.remove(data)
    place_beams(rig, lamps)


def place_beams(rig: bpy.types.Object, lamps: dict[str, bpy.types.Object]) -> None:
    """Stand every beam before the middle of its lamp's mesh; the artist's other changes stay."""
    for thing in beams_among(rig.children).values():
        lamp = lamps.get(thing.get(LAMP, ""))
        if lamp is None or not len(lamp.data.vertices):
            continue
        points = np.empty(3 * len(lamp.data.vertices), np.float32)
        lamp.data.vertices.foreach_get("co", points)
        thing.location = Vector(points.reshape(-1, 3).mean(0).tolist()) - Vector((0, BEFORE_LENS_M, 0))


def beams_among(things: Iterable[bpy.types.Object]) -> dict[str, bpy.types.Object]:
    """The car's own spot lights by role."""
    return {thing[ROLE]: thing for thing in things if thing.type == "LIGHT" and ROLE in thing}


def _role(light: Light) -> str:
    """beam_low_left ..., since lamps may be named high_beam_left."""
    return f"beam_{'low' if light.kind == 'headlight' else 'high'}_{'left' if light.center_car[0] > 0 else 'right'}"


def _make(role: str, light: Light, rig: bpy.types.Object, collection: bpy.types.Collection) -> bpy.types.Object:
    beam = BEAMS[light.kind]
    data = bpy.data.lights.new(role, "SPOT")
    data.energy, data.color, data.spot_size, data.spot_blend = beam.watts, beam.colour, beam.cone_rad, beam.soft01
    data.shadow_soft_size = LENS_RADIUS_M
    thing = bpy.data.objects.new(role, data)
    thing[ROLE], thing[LAMP] = role, light.name
    # straight ahead and a little down, whichever way the lens looks; a spot shines along its -Z
    thing.rotation_euler = Matrix.Rotation(-math.pi / 2 + beam.down_rad, 3, "X").to_euler()
    collection.objects.link(thing)
    hang_on_bone(thing, rig, "body")
    for switch in ("hide_render", "hide_viewport"):
        drive(thing, switch, -1, rig, (light.kind,), gain=-1.0, rest=1.0)
    return thing
