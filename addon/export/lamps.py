"""What makes a lamp shine: read from its material, and written plainly for other programs.

In a file that moves, a lamp that changes wears a material of its own, dimmest of its range, and carries a second mesh `<lamp>_lit`,
brightest of the range, which is shown by its scale while the lamp is nearer to that: for programs that animate no materials.
"""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ..scene.materials import EMISSION_OF_KIND, SHADER
from .tracks import Track

LIT = "{node}_lit"
LIT_OFFSET_M = 0.002  # before the lens
STEADY = 1e-4


@dataclass(frozen=True)
class Emission:
    """Colour (linear, its largest 1) and what each kind adds to the strength while its property is 1."""

    colour: tuple[float, float, float]
    strengths: dict[str, float]


@dataclass(frozen=True, eq=False)
class Shine:
    """A lamp over the frames: colour, strength (F,)."""

    colour: tuple[float, float, float]
    strength: np.ndarray

    @property
    def dimmest(self) -> float:
        return float(self.strength.min())

    @property
    def brightest(self) -> float:
        return float(self.strength.max())

    @property
    def changes(self) -> bool:
        return self.brightest - self.dimmest > STEADY

    @property
    def lit(self) -> np.ndarray:
        """(F,) bool: nearer to the brightest."""
        return self.strength >= 0.5 * (self.dimmest + self.brightest)


def emission_of(lamp: bpy.types.Object) -> Emission | None:
    """Of the first material that reads the lamp's properties; None where the artist gave it others."""
    for slot in lamp.material_slots:
        found = _emission(slot.material) if slot.material else None
        if found is not None:
            return found
    return None


def shine(material: bpy.types.Material, colour: tuple[float, float, float], strength: float) -> None:
    """Let a plain material shine evenly."""
    shader = material.node_tree.nodes.get(SHADER) if material.node_tree else None
    if shader is not None:
        shader.inputs["Emission Color"].default_value = (*colour, 1.0)
        shader.inputs["Emission Strength"].default_value = strength


def lit_track(shining: Shine, size: float = 1.0) -> Track:
    """Of the lit mesh: there or of no size."""
    count = len(shining.strength)
    scale = np.where(shining.lit, size, 0.0)[:, None] * np.ones(3)
    return Track(np.zeros((count, 3)), np.tile([1.0, 0, 0, 0], (count, 1)), scale)


def before_lens(mesh: bpy.types.Mesh) -> None:
    """Move a mesh of the car frame out along its normals."""
    count = len(mesh.vertices)
    places, normals = np.empty(3 * count, np.float32), np.empty(3 * count, np.float32)
    mesh.vertices.foreach_get("co", places)
    mesh.vertex_normals.foreach_get("vector", normals)
    mesh.vertices.foreach_set("co", places + LIT_OFFSET_M * normals)
    mesh.update()


def _emission(material: bpy.types.Material) -> Emission | None:
    if material.node_tree is None:
        return None
    nodes = material.node_tree.nodes
    shader = nodes.get(SHADER)
    if shader is None or not shader.inputs["Emission Strength"].is_linked:
        return None
    strengths = {}
    for node in nodes:
        gain = nodes.get(f"{node.name} strength")
        if node.type == "ATTRIBUTE" and gain is not None and node.attribute_name in EMISSION_OF_KIND:
            strengths[node.attribute_name] = float(gain.inputs[1].default_value)
    colour = np.array(shader.inputs["Emission Color"].default_value[:3], float)
    largest = max(float(colour.max()), 1e-9)
    if not strengths:
        return None
    red, green, blue = (colour / largest).tolist()
    return Emission((red, green, blue), {kind: strength * largest for kind, strength in strengths.items()})
