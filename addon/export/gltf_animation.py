"""Motion and light written into a .glb file that holds the car at its first frame.

Blender's exporter would do it too, from a played scene; it knows no steps for a blinking lamp, leaves out a lamp that is dark at the first
frame, takes a frame rate with a base other than 1 for another one, and each version names and merges actions in its own way.  Written
here, every Blender gives the same file: nodes by LINEAR keys, lamps by KHR_animation_pointer with STEP keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .glb_file import Glb
from .lamps import Shine
from .tracks import Track

POINTER, STRENGTH, LIGHTS = "KHR_animation_pointer", "KHR_materials_emissive_strength", "KHR_lights_punctual"
DARKEST_CANDELA = 1e-3


@dataclass(frozen=True, eq=False)
class Animation:
    """Tracks by node name, in Blender's axes of the file; which of them jump; lamps by material name; watts of spot lights by node name
    and what they had when the file was written."""

    seconds: np.ndarray  # (F,) from 0 on
    tracks: Mapping[str, Track]
    steps: frozenset[str]
    lamps: Mapping[str, Shine]
    watts: Mapping[str, np.ndarray]
    watts_written: Mapping[str, float]


def add_animation(glb: Glb, animation: Animation, name: str = "drive") -> None:
    """One animation that starts at 0 seconds."""
    channels = _Channels(glb, animation.seconds)
    nodes = {node["name"]: index for index, node in enumerate(glb.content["nodes"])}
    for node, track in animation.tracks.items():
        _move(channels, nodes[node], track, node in animation.steps)
    for index, material in enumerate(glb.content.get("materials", [])):
        if material["name"] in animation.lamps:
            _light_up(channels, index, material, animation.lamps[material["name"]])
    for node, watts in animation.watts.items():
        found = glb.content["nodes"][nodes[node]] if node in nodes else {}
        if LIGHTS in found.get("extensions", {}):  # glTF knows no area lights
            _shine(channels, found, watts, animation.watts_written[node])
    if channels.channels:
        glb.content.setdefault("animations", []).append({"name": name, "channels": channels.channels, "samplers": channels.samplers})


class _Channels:
    """Collects channels and samplers; frames are all or, where steps suffice, those at which something happens."""

    def __init__(self, glb: Glb, seconds: np.ndarray) -> None:
        self.glb = glb
        self.channels: list[dict[str, Any]] = []
        self.samplers: list[dict[str, Any]] = []
        self._seconds = seconds
        self._times: dict[bytes, int] = {}

    def add(self, target: dict[str, Any], values: np.ndarray, steps: bool = False) -> None:
        kept = np.ones(len(values), bool)
        if steps:
            rows = values.reshape(len(values), -1)
            kept[1:] = (rows[1:] != rows[:-1]).any(1)
            kept[-1] = True  # so that the animation is as long as the others
        self.channels.append({"sampler": len(self.samplers), "target": target})
        self.samplers.append(
            {
                "input": self._time(np.flatnonzero(kept)),
                "output": self.glb.add_numbers(values[kept]),
                "interpolation": "STEP" if steps else "LINEAR",
            }
        )

    def point(self, pointer: str, values: np.ndarray) -> None:
        self.glb.use_extension(POINTER)
        self.add({"path": "pointer", "extensions": {POINTER: {"pointer": pointer}}}, values, steps=True)

    def _time(self, frames: np.ndarray) -> int:
        key = frames.tobytes()
        if key not in self._times:
            self._times[key] = self.glb.add_numbers(self._seconds[frames], limits=True)
        return self._times[key]


def _move(channels: _Channels, node: int, track: Track, steps: bool) -> None:
    """From +Z up to +Y up: (x, y, z) -> (x, z, -y)."""
    if track.moves:
        channels.add({"node": node, "path": "translation"}, track.location[:, [0, 2, 1]] * [1, 1, -1], steps)
    if track.turns:
        channels.add({"node": node, "path": "rotation"}, _unit(track.rotation[:, [1, 3, 2, 0]] * [1, 1, -1, 1]), steps)
    if track.grows:
        channels.add({"node": node, "path": "scale"}, track.scale[:, [0, 2, 1]], steps)


def _unit(rotation: np.ndarray) -> np.ndarray:
    return rotation / np.linalg.norm(rotation, axis=1, keepdims=True)


def _light_up(channels: _Channels, index: int, material: dict[str, Any], shining: Shine) -> None:
    """The strength moves; programs that animate none show the dimmest of the range."""
    material["emissiveFactor"] = list(shining.colour)
    material.setdefault("extensions", {})[STRENGTH] = {"emissiveStrength": shining.dimmest}
    channels.glb.use_extension(STRENGTH)
    channels.point(f"/materials/{index}/extensions/{STRENGTH}/emissiveStrength", shining.strength)


def _shine(channels: _Channels, node: dict[str, Any], watts: np.ndarray, watts_written: float) -> None:
    """A spot light; programs that animate none show it as at the first frame."""
    index = node["extensions"][LIGHTS]["light"]
    light = channels.glb.content["extensions"][LIGHTS]["lights"][index]
    intensity = watts * (light["intensity"] / watts_written)
    light["intensity"] = float(intensity[0])
    if np.ptp(intensity) > DARKEST_CANDELA:
        channels.point(f"/extensions/{LIGHTS}/lights/{index}/intensity", intensity)
