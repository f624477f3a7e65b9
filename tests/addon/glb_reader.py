"""A .glb file as other programs see it: nodes with their placements at any frame, accessors as arrays."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from mathutils import Matrix, Quaternion

TO_GLTF = Matrix(((1, 0, 0, 0), (0, 0, 1, 0), (0, -1, 0, 0), (0, 0, 0, 1)))  # from +Z up to +Y up
_WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_TYPE = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}


class GlbReader:
    """The content of a file; `nodes` and `materials` by name."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        magic, version, length = struct.unpack("<4sII", data[:12])
        assert magic == b"glTF" and version == 2 and length == len(data)
        size, kind = struct.unpack("<I4s", data[12:20])
        assert kind == b"JSON"
        self.content: dict[str, Any] = json.loads(data[20 : 20 + size])
        self.binary = data[28 + size :]
        self.nodes: dict[str, dict[str, Any]] = {node["name"]: node for node in self.content["nodes"]}
        self.materials: dict[str, dict[str, Any]] = {material["name"]: material for material in self.content.get("materials", [])}
        assert len(self.nodes) == len(self.content["nodes"])

    def numbers(self, accessor: int) -> np.ndarray:
        entry = self.content["accessors"][accessor]
        view, width = self.content["bufferViews"][entry["bufferView"]], _WIDTH[entry["type"]]
        offset = view.get("byteOffset", 0) + entry.get("byteOffset", 0)
        values = np.frombuffer(self.binary, _TYPE[entry["componentType"]], entry["count"] * width, offset)
        return values.reshape(-1, width) if width > 1 else values

    def children(self, name: str) -> set[str]:
        return {self.content["nodes"][k]["name"] for k in self.nodes[name].get("children", [])}

    def parent(self, name: str) -> str | None:
        return next((other for other in self.nodes if name in self.children(other)), None)

    def channels(self) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray, str]]:
        """(node, path) or ("", pointer) -> times in seconds, values, interpolation."""
        found = {}
        for animation in self.content.get("animations", []):
            for channel in animation["channels"]:
                target, sampler = channel["target"], animation["samplers"][channel["sampler"]]
                if target["path"] == "pointer":
                    key = ("", target["extensions"]["KHR_animation_pointer"]["pointer"])
                else:
                    key = (self.content["nodes"][target["node"]]["name"], target["path"])
                assert key not in found
                found[key] = (self.numbers(sampler["input"]), self.numbers(sampler["output"]), sampler["interpolation"])
        return found

    def world(self, name: str, time_s: float) -> np.ndarray:
        """(4, 4) of a node at a time at which every channel that moves has a key."""
        channels, matrix, at = self.channels(), Matrix(), name
        while at is not None:
            part = {"translation": [0, 0, 0], "rotation": [0, 0, 0, 1], "scale": [1, 1, 1]}
            for path in part:
                part[path] = self.nodes[at].get(path, part[path])
                if (at, path) in channels:
                    part[path] = value_at(channels[at, path], time_s).tolist()
            x, y, z, w = part["rotation"]
            matrix = Matrix.LocRotScale(part["translation"], Quaternion((w, x, y, z)), part["scale"]) @ matrix
            at = self.parent(at)
        return np.array(matrix)

    def triangles(self) -> int:
        """Of all meshes that a node shows."""
        meshes = self.content["meshes"]
        shown = [meshes[node["mesh"]] for node in self.content["nodes"] if "mesh" in node]
        return sum(self.content["accessors"][part["indices"]]["count"] // 3 for mesh in shown for part in mesh["primitives"])


def value_at(channel: tuple[np.ndarray, np.ndarray, str], time_s: float) -> np.ndarray:
    """The key at or before a time."""
    times, values, _ = channel
    return values[max(int(np.searchsorted(times, time_s + 1e-4)) - 1, 0)]
