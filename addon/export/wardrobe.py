"""The materials of a file: plain copies of the car's, lamps that shine, and one that nobody sees."""

from __future__ import annotations

import bpy

from ..scene.made import ROLE, SPEC
from ..scene.plain import plain_material
from .lamps import Shine, shine
from .presets import Preset, material_name

UNSEEN = "collision"


class Wardrobe:
    """Makes each material once; `names` says what they are called in the file.  Materials that the artist added stay themselves."""

    def __init__(self, photo: bpy.types.Image | None, preset: Preset) -> None:
        self._photo, self._preset = photo, preset
        self._made: dict[tuple[bpy.types.Material | None, str], bpy.types.Material] = {}
        self.names: dict[bpy.types.Material, str] = {}
        self.lamps: set[bpy.types.Material] = set()

    def plain(self, material: bpy.types.Material) -> bpy.types.Material:
        """In the look of the file, lamps dark."""
        return self._plain(material, "") if SPEC in material else material

    def shining(self, material: bpy.types.Material, lamp: str, shining: Shine, strength: float) -> bpy.types.Material:
        """The plain material of one lamp alone, as bright as said; one that the artist added stays itself."""
        if SPEC not in material:
            return material
        made = self._plain(material, f"_{lamp}")
        self.lamps.add(made)
        shine(made, shining.colour, strength)
        return made

    def unseen(self) -> bpy.types.Material:
        """For a hull: programs that take it for a picture show nothing."""
        if (None, UNSEEN) not in self._made:
            made = bpy.data.materials.new(UNSEEN)
            if made.node_tree is None:
                made.use_nodes = True
            next(node for node in made.node_tree.nodes if node.type == "BSDF_PRINCIPLED").inputs["Alpha"].default_value = 0.0
            self._made[None, UNSEEN], self.names[made] = made, UNSEEN
        return self._made[None, UNSEEN]

    def remove(self) -> None:
        for material in self._made.values():
            bpy.data.materials.remove(material)

    def _plain(self, material: bpy.types.Material, ending: str) -> bpy.types.Material:
        if (material, ending) not in self._made:
            name = material_name(self._preset, material.get(ROLE, material.name)) + ending
            made = plain_material(material, self._photo)
            self._made[material, ending], self.names[made] = made, name
        return self._made[material, ending]
