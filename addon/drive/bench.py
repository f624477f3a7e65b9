"""`build.py bench drive`: seconds that 1,000 frames take, along a path, on waves of 25,600 faces, and for the artist's own motion."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import bpy

from ...core.asset.asset import load_asset
from ...core.drive.drive import DriveWish
from ...core.drive.speed import SpeedWish
from ...core.drive.suspension import Springs
from ..fcurves import curves_of
from ..scene.bench import make_example
from ..scene.scene import build_car
from .actions import drive_action
from .drive import Course, drive_car, roll_along, stop_driving
from .proving_ground import add_eight, add_waves

FRAMES = 1000


def main() -> None:
    """Print a table in seconds, best of three."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "run"
        make_example(folder)
        bpy.ops.wm.read_factory_settings(use_empty=True)
        rig = build_car(load_asset(folder, pictures=False), picture=folder / "photo.png").rig
    curve, ground = add_eight(), add_waves()
    wish = DriveWish(SpeedWish(10.0), 24.0, frames=FRAMES - 1)
    print(f"Blender {bpy.app.version_string}, seconds for {FRAMES} frames\n\n| what | best of three |\n|---|---|")
    _row("along a path", lambda: drive_car(rig, Course(curve, None, 1, wish)))
    _row("along a path on wavy ground", lambda: drive_car(rig, Course(curve, ground, 1, wish)))
    _copy_to_artist(rig)
    _row("the artist's own motion", lambda: roll_along(rig, 1, FRAMES, Springs(), True))


def _row(what: str, work: Callable[[], object]) -> None:
    found = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    print(f"| {what} | {min(found):.2f} |")


def _copy_to_artist(rig: bpy.types.Object) -> None:
    """The drive's way as the artist's own keys."""
    curves = curves_of(drive_action(rig))
    rows = [
        (path, axis, curves.find(f'pose.bones["root"].{path}', index=axis)) for path in ("location", "rotation_euler") for axis in range(3)
    ]
    keys = {(path, axis): [curve.evaluate(frame) for frame in range(1, FRAMES + 1)] for path, axis, curve in rows if curve is not None}
    stop_driving(rig)
    root = rig.pose.bones["root"]
    for frame in range(FRAMES):
        for (path, axis), values in keys.items():
            getattr(root, path)[axis] = values[frame]
        root.keyframe_insert("location", frame=frame + 1)
        root.keyframe_insert("rotation_euler", frame=frame + 1)


if __name__ == "__main__":
    main()
