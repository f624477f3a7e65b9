"""What a material was made as, kept with it, so that a later update can tell what the artist touched.

material["imago_spec"] holds the MaterialSpec as JSON; material["imago_made"] the figures as JSON, by node name and socket identifier, where
the node name "" stands for the material itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import bpy
import numpy as np

from ...core.types import MaterialSpec

ROLE = "imago_role"  # tags what a thing is, since Blender renames a second `body` to `body.001`
SPEC, MADE = "imago_spec", "imago_made"
ITSELF = ""

Figure = float | tuple[float, ...]
Figures = dict[str, dict[str, Figure]]
Place = tuple[bpy.types.bpy_struct, str]  # something of Blender's, and the name of its attribute


def write_figures(material: bpy.types.Material, spec: MaterialSpec, figures: Figures) -> None:
    """Set every figure that has its node and socket, and keep with the material the spec and what Blender holds then."""
    kept: dict[str, dict[str, Figure | None]] = {}
    for node, key, value in _each(figures):
        place = _place(material, node, key)
        kept.setdefault(node, {})[key] = None if place is None else _write(place, value)
    material[SPEC], material[MADE] = json.dumps(asdict(spec)), json.dumps(kept)


def spec_of(material: bpy.types.Material) -> MaterialSpec | None:
    """The spec a material was made from; None where it is none of ours."""
    if SPEC not in material:
        return None
    fields: dict[str, Any] = json.loads(material[SPEC])
    for key, value in fields.items():
        fields[key] = tuple(value) if isinstance(value, list) else value
    return MaterialSpec(**fields)


def refresh(material: bpy.types.Material, spec: MaterialSpec, figures: Figures) -> None:
    """Set the figures that are still as they were made; what the artist changed stays, and stays known as changed."""
    made = json.loads(material.get(MADE, "{}"))
    for node, key, value in _each(figures):
        before, place = made.get(node, {}).get(key), _place(material, node, key)
        if before is not None and place is not None and _read(place) == _plain(before):
            made[node][key] = _write(place, value)
    material[SPEC], material[MADE] = json.dumps(asdict(spec)), json.dumps(made)


def socket_of(material: bpy.types.Material, node: str, key: str) -> bpy.types.NodeSocket | None:
    """An input by node name and socket identifier; None where the artist removed the node."""
    found = material.node_tree.nodes.get(node) if material.node_tree else None
    return next((socket for socket in found.inputs if socket.identifier == key), None) if found else None


def _each(figures: Figures) -> Iterator[tuple[str, str, Figure]]:
    for node, of_node in figures.items():
        for key, value in of_node.items():
            yield node, key, value


def _place(material: bpy.types.Material, node: str, key: str) -> Place | None:
    """Where a figure stands; None where the artist removed its node."""
    if node == ITSELF:
        return material, key
    socket = socket_of(material, node, key)
    return None if socket is None else (socket, "default_value")


def _read(place: Place) -> Figure:
    return _plain(getattr(*place))


def _write(place: Place, value: Figure) -> Figure:
    """Set a figure; returns what Blender then holds (in float32)."""
    now = _read(place)
    if now == _as_held(value):  # Blender goes through the tree at every write
        return now
    setattr(*place, value)
    return _read(place)


def _as_held(value: Figure) -> Figure:
    """A figure in Blender's float32."""
    held = np.asarray(value, np.float32)
    return float(held) if held.ndim == 0 else tuple(held.tolist())


def _plain(value: Any) -> Figure:
    return float(value) if isinstance(value, int | float) else tuple(value)
