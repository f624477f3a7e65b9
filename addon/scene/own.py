"""Duplicates of a car share meshes, materials and picture; before one of them is changed, it gets its own."""

from __future__ import annotations

import bpy

from ...core.errors import Trouble, UserInputError
from .find import find_rig, photo_group_of
from .made import ROLE, SPEC
from .scene import CarObjects


def make_own(car: CarObjects) -> None:
    """Copy what another car uses too, and materials linked from a file; the car's slots then wear the copies.

    Raises: UserInputError where the car is linked from another file.
    """
    if any(not block.is_editable for thing in [car.rig, *car.meshes] for block in (thing, thing.data)):
        raise UserInputError("This car is linked from another file; make it local (Object > Relations > Make Local) first.", Trouble.SCENE)
    for thing in car.meshes:
        if thing.data.users - thing.data.use_fake_user > 1:
            thing.data = thing.data.copy()
    shared = (_worn_elsewhere(car.rig) & set(car.specs)) | {material for material in car.specs if not material.is_editable}
    if not shared:
        return
    copies = {material: material.copy() for material in shared}
    _own_photo(list(copies.values()))
    for thing in car.meshes:
        for slot in thing.material_slots:
            if slot.material in copies:
                slot.material = copies[slot.material]


def _worn_elsewhere(rig: bpy.types.Object) -> set[bpy.types.Material]:
    """Our materials that other cars wear."""
    worn = set()
    for thing in bpy.data.objects:
        if ROLE in thing and thing.type == "MESH":
            ours = {slot.material for slot in thing.material_slots if slot.material and SPEC in slot.material}
            if ours and find_rig(thing) not in (rig, None):
                worn |= ours
    return worn


def _own_photo(materials: list[bpy.types.Material]) -> None:
    """One new copy of each photo node group and its picture for these materials."""
    copies: dict[bpy.types.NodeTree, bpy.types.NodeTree] = {}
    for material in materials:
        group = photo_group_of(material)
        if group is None:
            continue
        if group not in copies:
            copies[group] = group.copy()
            for node in copies[group].nodes:
                if node.type == "TEX_IMAGE" and node.image:
                    node.image = node.image.copy()
        for node in material.node_tree.nodes:
            if node.type == "GROUP" and node.node_tree == group:
                node.node_tree = copies[group]
