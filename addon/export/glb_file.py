"""A .glb file as JSON and bytes, and numbers added to it."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import Trouble, UserInputError

_JSON, _BIN, _FLOAT = 0x4E4F534A, 0x004E4942, 5126
_KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


@dataclass
class Glb:
    """The two chunks of the file."""

    content: dict[str, Any]
    binary: bytearray

    def add_numbers(self, values: np.ndarray, limits: bool = False) -> int:
        """A new accessor of float32 values (F,) or (F, 2..4); with its least and largest where `limits`, which times need."""
        values = np.ascontiguousarray(values, "<f4")
        rows = values.reshape(len(values), -1)
        self.binary.extend(b"\0" * (-len(self.binary) % 4))
        views, accessors = self.content.setdefault("bufferViews", []), self.content.setdefault("accessors", [])
        views.append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": values.nbytes})
        self.binary.extend(values.tobytes())
        entry = {"bufferView": len(views) - 1, "componentType": _FLOAT, "count": len(rows), "type": _KINDS[rows.shape[1]]}
        if limits:
            entry |= {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()}
        accessors.append(entry)
        return len(accessors) - 1

    def use_extension(self, name: str) -> None:
        used = self.content.setdefault("extensionsUsed", [])
        if name not in used:
            used.append(name)


def read_glb(path: Path) -> Glb:
    data = path.read_bytes()
    size, _ = struct.unpack_from("<II", data, 12)
    content = json.loads(data[20 : 20 + size])
    return Glb(content, bytearray(data[28 + size :]))


def write_glb(glb: Glb, path: Path) -> None:
    """Raises: UserInputError where the file would be larger than the format can say."""
    binary = bytes(glb.binary) + b"\0" * (-len(glb.binary) % 4)
    glb.content["buffers"] = [{"byteLength": len(binary)}]
    text = json.dumps(glb.content, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    length = 28 + len(text) + len(binary)
    if length >= 2**32:
        raise UserInputError("A .glb file cannot be larger than 4 GiB: export fewer frames.", Trouble.SCENE)
    header = struct.pack("<4sII", b"glTF", 2, length)
    path.write_bytes(header + struct.pack("<II", len(text), _JSON) + text + struct.pack("<II", len(binary), _BIN) + binary)
