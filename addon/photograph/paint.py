"""Other paint on a car model: its colour moved from the author's to another, its finish changed, details and dirt kept."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import bpy
import numpy as np

from ...core.dataset.surfaces import NOT_PAINT_WORDS, PAINT_WORDS, linear_of_srgb

DARKEST = 0.005  # no real paint is blacker
REPAINTED_SHARE = 0.8
EVERY = 37  # one texel in so many is asked for the usual colour
FINISHES: dict[str, tuple[tuple[float, float], float]] = {  # how rough, how metallic the lacquer is
    "gloss": ((0.05, 0.25), 0.0), "metallic": ((0.15, 0.4), 0.7), "satin": ((0.3, 0.5), 0.2), "worn": ((0.45, 0.75), 0.0),
}  # fmt: skip


@dataclass(frozen=True)
class Painted:
    """A paint material: the node that shifts its colour, the colour it usually has (linear RGB), its shader."""

    shift: bpy.types.Node
    usual_linear: np.ndarray
    shader: bpy.types.Node


def paints(meshes: Sequence[bpy.types.Object]) -> list[Painted]:
    """Make the paint materials of some meshes, told by their names, ready to be changed."""
    materials = {slot.material.name: slot.material for mesh in meshes for slot in mesh.material_slots if slot.material}
    found = []
    for name, material in sorted(materials.items()):
        word = name.lower()
        shader = next((node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"), None) if material.node_tree else None
        if shader is not None and any(w in word for w in PAINT_WORDS) and not any(w in word for w in NOT_PAINT_WORDS):
            found.append(_shifted(material.node_tree, shader))
    return found


def repaint(painted: Sequence[Painted], draw: Random) -> list[float] | None:
    """Another colour and finish; returns the colour (linear RGB), None where the author's stays."""
    colour = _colour(draw) if draw.random() < REPAINTED_SHARE else None
    (low, high), metallic = FINISHES[draw.choices(list(FINISHES), (5, 4, 1, 1))[0]]
    finish = {
        "Roughness": draw.uniform(low, high),
        "Metallic": metallic * draw.uniform(0.3, 1),
        "Coat Weight": draw.choice((0.0, 0.5, 1.0)),
    }
    for paint in painted:
        paint.shift.inputs[1].default_value = tuple(np.array(colour) - paint.usual_linear) if colour else (0, 0, 0)
        for name, value in finish.items():
            socket = paint.shader.inputs[name]
            for link in list(socket.links):
                paint.shader.id_data.links.remove(link)
            socket.default_value = value
    return colour


def _colour(draw: Random) -> list[float]:
    """Linear RGB as on the road: mostly white, black, silver and grey, then blues and reds, then anything."""
    grey = draw.choice((draw.uniform(0.005, 0.03), draw.uniform(0.55, 0.85), 10 ** draw.uniform(-2, -0.1)))
    if draw.random() < 0.45:
        tint = colorsys.hsv_to_rgb(draw.random(), draw.uniform(0, 0.12), 1.0)
    else:
        hue = draw.choice((draw.gauss(0.0, 0.02), draw.gauss(0.6, 0.04), draw.random())) % 1
        grey, tint = 10 ** draw.uniform(-1.6, -0.1), colorsys.hsv_to_rgb(hue, draw.uniform(0.3, 1.0), 1.0)
    return [max(grey * channel, DARKEST) for channel in tint]


def _shifted(tree: bpy.types.NodeTree, shader: bpy.types.Node) -> Painted:
    colour = shader.inputs["Base Color"]
    shift, floor = (tree.nodes.new("ShaderNodeVectorMath") for _ in range(2))
    shift.operation, floor.operation = "ADD", "MAXIMUM"
    floor.inputs[1].default_value = (DARKEST,) * 3
    usual = _usual(colour)
    if colour.is_linked:
        tree.links.new(colour.links[0].from_socket, shift.inputs[0])
    else:
        shift.inputs[0].default_value = tuple(usual)
    tree.links.new(shift.outputs[0], floor.inputs[0])
    tree.links.new(floor.outputs[0], colour)
    return Painted(shift, usual, shader)


def _usual(socket: bpy.types.NodeSocket) -> np.ndarray:
    """The median colour (3,) linear that arrives at a socket by the nodes of Blender's importer: pictures and factors."""
    if not socket.is_linked:
        return np.array(socket.default_value[:3])
    node = socket.links[0].from_node
    if node.bl_idname == "ShaderNodeTexImage" and node.image is not None:
        return np.median(linear_of_srgb(np.array(node.image.pixels[:], np.float32).reshape(-1, 4)[::EVERY, :3]), 0)
    if node.bl_idname == "ShaderNodeMix":
        return np.prod([_usual(entry) for entry in node.inputs if entry.type == "RGBA"], 0)
    return np.ones(3)
