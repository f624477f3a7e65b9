"""Indicators that flash by themselves: a wave over the scene's frames, and which side is switched on.

Drivers know frames, not seconds, so the wave is laid out for the scene's frame rate and anew when that changes.
"""

from __future__ import annotations

import bpy

from .drivers import FRAME, drive, driver_of, map_through
from .properties import BLINK, SIGNAL, RigProperty, add_property

FLASHES_HZ = 1.5
PERIOD = "blink_frames"  # on the rig: for what the wave is laid out


def add_blinker(rig: bpy.types.Object) -> None:
    """blink goes 1, 0, 1, 0 with time; signal_left and signal_right are the switches or the hazard's."""
    add_property(rig, RigProperty(BLINK, "1 while blinking lamps are bright; it follows the time by itself"))
    for side, name in SIGNAL.items():
        add_property(rig, RigProperty(name, f"Whether the {side} indicators are on; it follows the switches by itself"))
        drive(rig, f'["{name}"]', -1, rig, (f"indicator_{side}", "hazard"))
    drive(rig, f'["{BLINK}"]', -1, rig, (FRAME,)).modifiers.new("CYCLES")
    rig[PERIOD] = 0.0
    lay_out(rig, bpy.context.scene)


def lay_out(rig: bpy.types.Object, scene: bpy.types.Scene) -> bool:
    """Fit the wave to the scene's frame rate; True where that changed it."""
    period = frame_rate(scene) / FLASHES_HZ
    curve = driver_of(rig, f'["{BLINK}"]')
    if curve is None or abs(float(rig.get(PERIOD, 0.0)) - period) < 1e-6:
        return False
    map_through(curve, [(0, 1), (period / 2, 0), (period, 1)], steps=True)
    rig[PERIOD] = period
    return True


def frame_rate(scene: bpy.types.Scene) -> float:
    """Frames a second."""
    return scene.render.fps / scene.render.fps_base
