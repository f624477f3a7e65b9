"""A synthetic car that drives, steers, rolls, brakes and blinks by the artist's own keys, with a door of his that opens."""

from __future__ import annotations

import bpy
import numpy as np

from imago.addon.scene.scene import CarObjects, build_car

from .synthetic import synthetic_car

FIRST, LAST = 3, 27
STANDS = (5.0, 3.0, 0.0)


def moving_car(fps: int = 24, fps_base: float = 1.0) -> CarObjects:
    """In an empty file, at frame FIRST.  Object and root bone both move."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = fps, fps_base
    car = build_car(synthetic_car(), location=STANDS)
    rig, root, door = car.rig, car.rig.pose.bones["root"], _door(car)
    rig["tail"] = rig["indicator_left"] = 1.0
    for frame, way_m, turn_rad in ((FIRST, 0.0, 0.0), (15, -2.0, 0.4), (LAST, -5.0, 1.0)):
        root.location, root.rotation_euler = (0, way_m, 0), (0, 0, turn_rad)
        root.keyframe_insert("location", frame=frame)
        root.keyframe_insert("rotation_euler", frame=frame)
        rig.location.z = 0.1 * turn_rad
        rig.keyframe_insert("location", index=2, frame=frame)
        door.rotation_euler.z = turn_rad
        door.keyframe_insert("rotation_euler", index=2, frame=frame)
        figures = {"steer": 0.5 * turn_rad, "wheel_turn": -way_m / 2, "roll": 0.1 * turn_rad, "brake": float(way_m < -1)}
        for name, value in {**figures, "headlight": float(turn_rad > 0.9)}.items():
            rig[name] = value
            rig.keyframe_insert(f'["{name}"]', frame=frame)
    bpy.context.scene.frame_set(FIRST)
    return car


def _door(car: CarObjects) -> bpy.types.Object:
    mesh = bpy.data.meshes.new("door")
    mesh.from_pydata([(0, 0, 0), (0, 1, 0), (0, 1, 0.6), (0, 0, 0.6)], [], [(0, 1, 2, 3)])
    door = bpy.data.objects.new("door", mesh)
    car.collection.objects.link(door)
    door.parent, door.location = car.body, (0.85, -0.4, 0.4)
    return door


def played(car: CarObjects, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """(F, 4, 4) evaluated world matrices of objects by name, in the user's scene; its frame is moved."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for frame in range(FIRST, LAST + 1):
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        for name, row in found.items():
            row.append(np.array(bpy.data.objects[name].evaluated_get(graph).matrix_world))
    return {name: np.array(rows) for name, rows in found.items()}


def lamp_values(car: CarObjects, lamp: str, kind: str) -> np.ndarray:
    """(F,) of one property of a lamp as evaluated."""
    values = []
    for frame in range(FIRST, LAST + 1):
        bpy.context.scene.frame_set(frame)
        values.append(car.lamps[lamp].evaluated_get(bpy.context.evaluated_depsgraph_get())[kind])
    return np.array(values, float)
