"""The car as it moves and shines over a range of frames, whatever moves it: looked at from a scene of its own.

Empties that copy the transforms of the car's parts, and drivers that read its lamps, stand in that scene.  Blender evaluates there
just what they depend on, hidden things included, and writes nothing back: the user's scene, its frame and changes that are not keyed stay.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from ..rig.bones import ROOT
from ..scene.scene import CarObjects
from .lamps import emission_of
from .members import Members
from .tracks import Track, track_of

FAST_RAD, MOST_LOOKS = 2.0, 8  # between two keys a wheel may turn by less than half a turn


@dataclass(frozen=True, eq=False)
class Motion:
    """One value a frame of everything: the car against the world, each part against what is above it in the file, emission strength of
    each lamp, watts of each spot light.  Metres, car frame; fps frames a second; frames (F,) may lie between whole ones."""

    frames: np.ndarray
    fps: float
    car: Track
    parts: dict[bpy.types.Object, Track]
    strength: dict[bpy.types.Object, np.ndarray]
    watts: dict[bpy.types.Object, np.ndarray]

    @property
    def first_frame(self) -> int:
        return round(float(self.frames[0]))

    @property
    def last_frame(self) -> int:
        return round(float(self.frames[-1]))


@dataclass(frozen=True)
class _Probes:
    """The empties by what they look at; values by (object, data path)."""

    car: bpy.types.Object
    parts: dict[bpy.types.Object, bpy.types.Object]
    values: dict[tuple[bpy.types.Object, str], bpy.types.Object]


def sample(car: CarObjects, members: Members, frames: tuple[int, int], between: bool = False) -> Motion:
    """Look at every frame from the first to the last; with `between` more often while wheels turn so fast that two frames would not tell
    which way."""
    shining = {lamp: emission_of(lamp) for lamp in car.lamps.values()}
    wanted = [(lamp, f'["{kind}"]') for lamp, emission in shining.items() if emission for kind in emission.strengths if kind in lamp]
    wanted += [(light, path) for light in members.lights for path in ("hide_render", "data.energy")]
    with _own_scene() as scene:
        probes = _Probes(
            _probe(scene, car.rig, ROOT if ROOT in car.rig.pose.bones else ""),
            {thing: _probe(scene, thing) for thing in (*members.meshes, *members.lights)},
            {key: _reader(scene, *key) for key in wanted},
        )
        looked_at = np.arange(frames[0], frames[1] + 1, dtype=float)
        rig, world, values = _look(scene, probes, looked_at)
        often = _looks_a_frame(list(car.wheels.values()), world) if between else 1
        if often > 1:
            looked_at = np.arange((frames[1] - frames[0]) * often + 1) / often + frames[0]
            rig, world, values = _look(scene, probes, looked_at)
        fps = scene.render.fps / scene.render.fps_base
    bone = car.rig.data.bones.get(ROOT)
    root = [matrix @ bone.matrix_local.inverted() if bone else matrix for matrix in rig]
    strength = {
        lamp: sum((gain * values[lamp, f'["{kind}"]'] for kind, gain in emission.strengths.items() if kind in lamp), np.zeros(len(root)))
        for lamp, emission in shining.items()
        if emission is not None
    }
    watts = {light: np.where(values[light, "hide_render"] > 0.5, 0.0, values[light, "data.energy"]) for light in members.lights}
    parts = {thing: track_of(_against(world[thing], world.get(members.above[thing], root))) for thing in world}
    return Motion(looked_at, fps, track_of(root), parts, strength, watts)


@contextlib.contextmanager
def _own_scene() -> Iterator[bpy.types.Scene]:
    """With the frame rate of the user's."""
    rate = bpy.context.scene.render
    scene = bpy.data.scenes.new("imago sampling")
    scene.render.fps, scene.render.fps_base = rate.fps, rate.fps_base
    try:
        yield scene
    finally:
        for thing in list(scene.collection.objects):
            bpy.data.objects.remove(thing)
        bpy.data.scenes.remove(scene)


def _probe(scene: bpy.types.Scene, thing: bpy.types.Object, bone: str = "") -> bpy.types.Object:
    probe = bpy.data.objects.new("probe", None)
    scene.collection.objects.link(probe)
    constraint = probe.constraints.new("COPY_TRANSFORMS")
    constraint.target = thing
    if bone:
        constraint.subtarget = bone
    return probe


def _reader(scene: bpy.types.Scene, thing: bpy.types.Object, path: str) -> bpy.types.Object:
    probe = bpy.data.objects.new("reader", None)
    scene.collection.objects.link(probe)
    probe["value"] = 0.0
    driver = probe.driver_add('["value"]').driver
    driver.type = "SUM"
    variable = driver.variables.new()
    variable.targets[0].id, variable.targets[0].data_path = thing, path
    return probe


def _look(
    scene: bpy.types.Scene, probes: _Probes, frames: np.ndarray
) -> tuple[list[Matrix], dict[bpy.types.Object, list[Matrix]], dict[tuple[bpy.types.Object, str], np.ndarray]]:
    """World matrices of the car and of its parts, and values (F,)."""
    car: list[Matrix] = []
    parts: dict[bpy.types.Object, list[Matrix]] = {thing: [] for thing in probes.parts}
    values: dict[tuple[bpy.types.Object, str], list[float]] = {key: [] for key in probes.values}
    for frame in frames.tolist():
        scene.frame_set(math.floor(frame), subframe=frame - math.floor(frame))
        graph = scene.view_layers[0].depsgraph
        car.append(probes.car.evaluated_get(graph).matrix_world.copy())
        for thing, probe in probes.parts.items():
            parts[thing].append(probe.evaluated_get(graph).matrix_world.copy())
        for key, reader in probes.values.items():
            values[key].append(float(reader.evaluated_get(graph)["value"]))
    return car, parts, {key: np.array(row) for key, row in values.items()}


def _looks_a_frame(wheels: list[bpy.types.Object], world: dict[bpy.types.Object, list[Matrix]]) -> int:
    """So many that a rolling wheel turns by FAST_RAD at most between two."""
    fastest_rad = 0.0
    for wheel in wheels:
        way_m = np.linalg.norm(np.diff([matrix.translation for matrix in world[wheel]], axis=0), axis=1)
        radius_m = max(abs(corner[2]) for corner in wheel.bound_box) * world[wheel][0].median_scale
        fastest_rad = max(fastest_rad, float(way_m.max(initial=0.0)) / max(radius_m, 1e-3))
    return min(math.ceil(fastest_rad / FAST_RAD), MOST_LOOKS) if fastest_rad > FAST_RAD else 1


def _against(things: list[Matrix], above: list[Matrix]) -> list[Matrix]:
    return [parent.inverted_safe() @ thing for thing, parent in zip(things, above, strict=True)]
