"""New geometry for an object that stays: same mesh data block, the artist's modifiers, slots and extra faces' materials."""

from __future__ import annotations

import json
from dataclasses import dataclass

import bpy
import numpy as np

from ...core.types import MeshData
from .mesh import SLOTS, add_vertex_groups, fill_mesh, note_slots, parts_worn, set_parts, set_sharp_edges, shift_shape_keys, slots_of


def replace_mesh(thing: bpy.types.Object, mesh: MeshData, material_of: dict[str, bpy.types.Material]) -> None:
    """Give the object the shape, parts and UVs of `mesh`.

    With the same faces as before the vertices move, shape keys with them, and faces that the artist gave another slot keep it.  With
    other faces (another part naming, or an edited topology) the geometry is made anew, without shape keys.
    A slot in which the artist put a material of his own keeps it as long as the car needs that slot.
    """
    data = thing.data
    parts_before = _parts(data)
    same_faces = _same_faces(data, mesh)
    if same_faces:
        own_slot = _faces_with_own_slot(thing)
        _move(data, mesh.vertices_m)
        _set_uv(data, mesh)
        set_parts(data, mesh)
        set_sharp_edges(data, mesh)
    else:
        own_slot = np.full(len(mesh.quads), -1, np.int32)
        if data.shape_keys:
            thing.shape_key_clear()
        groups = [group.name for group in thing.vertex_groups if group.name not in parts_before.names]
        data.clear_geometry()  # takes the names of the vertex groups along
        for name in groups:
            thing.vertex_groups.new(name=name)
        fill_mesh(data, mesh)
    _set_slots(thing, mesh, material_of, own_slot)
    if not same_faces or parts_before != _parts(data):
        _set_groups(thing, mesh, parts_before.names)
    data.update()


@dataclass(frozen=True)
class _Parts:
    names: tuple[str, ...]
    of_faces: bytes


def _parts(data: bpy.types.Mesh) -> _Parts:
    return _Parts(tuple(str(data.get("part_names", "")).split(",")), _face_parts(data).tobytes())


def _face_parts(data: bpy.types.Mesh) -> np.ndarray:
    """(F,) int32, -1 where the artist removed the attribute."""
    part = np.full(len(data.polygons), -1, np.int32)
    attribute = data.attributes.get("part")
    if attribute is not None and attribute.domain == "FACE" and attribute.data_type == "INT":
        attribute.data.foreach_get("value", part)
    return part


def _same_faces(data: bpy.types.Mesh, mesh: MeshData) -> bool:
    if (len(data.vertices), len(data.polygons), len(data.loops)) != (len(mesh.vertices_m), len(mesh.quads), mesh.quads.size):
        return False
    corners = np.empty(len(data.loops), np.int32)
    data.loops.foreach_get("vertex_index", corners)
    return bool(np.array_equal(corners, mesh.quads.ravel()))


def _move(data: bpy.types.Mesh, vertices_m: np.ndarray) -> None:
    """Every shape key moves by as much as the vertices do."""
    after = np.ascontiguousarray(vertices_m, np.float32).ravel()
    if data.shape_keys:
        before = np.empty_like(after)
        data.shape_keys.reference_key.data.foreach_get("co", before)
        shift_shape_keys(data, after - before)
    data.attributes["position"].data.foreach_set("vector", after)


def _set_uv(data: bpy.types.Mesh, mesh: MeshData) -> None:
    layer = data.uv_layers.get("UVMap") or data.uv_layers.new(name="UVMap", do_init=False)
    layer.uv.foreach_set("vector", np.ascontiguousarray(mesh.uv01, np.float32).ravel())


def _faces_with_own_slot(thing: bpy.types.Object) -> np.ndarray:
    """(F,) the slot of each face that is not in the slot it was made with, else -1."""
    data = thing.data
    made = json.loads(thing.get(SLOTS, "{}")).get("of_part")
    slot = np.empty(len(data.polygons), np.int32)
    data.polygons.foreach_get("material_index", slot)
    part = _face_parts(data)
    if made is None or part.min(initial=0) < 0 or part.max(initial=-1) >= len(made):
        return np.full(len(slot), -1, np.int32)
    return np.where(slot == np.asarray(made, np.int32)[part], -1, slot)


def _set_slots(thing: bpy.types.Object, mesh: MeshData, material_of: dict[str, bpy.types.Material], own_slot: np.ndarray) -> None:
    """Slots for the new parts first, then those the artist added; what hangs in a slot that goes on stays there."""
    data = thing.data
    before: list[str] = json.loads(thing.get(SLOTS, "{}")).get("roles", [])
    worn = [(slot.link, slot.material) for slot in thing.material_slots]
    if len(worn) < len(before):  # the artist removed slots, so nobody knows which is which
        before, worn, own_slot = [], [], np.full_like(own_slot, -1)
    roles, slot_of_part = slots_of(mesh, material_of)
    extra = range(len(worn) - len(before))
    place = np.array([roles.index(role) if role in roles else -1 for role in before] + [len(roles) + k for k in extra], np.int32)
    if roles != before:
        ours = {roles[slot_of_part[part]]: material_of[mesh.part_names[part]] for part in parts_worn(mesh)}
        kept = {role: worn[before.index(role)] for role in roles if role in before}
        wanted = [kept.get(role, ("DATA", ours[role])) for role in roles] + worn[len(before) :]
        _wear(thing, wanted)
    index = slot_of_part[mesh.part_index]
    if len(place):
        moved = np.where(own_slot >= 0, place[np.clip(own_slot, 0, len(place) - 1)], -1)
        index = np.where(moved >= 0, moved, index).astype(np.int32)
    data.polygons.foreach_set("material_index", index)
    note_slots(thing, roles, slot_of_part)


def _wear(thing: bpy.types.Object, wanted: list[tuple[str, bpy.types.Material | None]]) -> None:
    thing.data.materials.clear()
    for link, material in wanted:
        thing.data.materials.append(material if link == "DATA" else None)
    for slot, (link, material) in zip(thing.material_slots, wanted, strict=True):
        slot.link = link
        if link == "OBJECT":
            slot.material = material


def _set_groups(thing: bpy.types.Object, mesh: MeshData, names_before: tuple[str, ...]) -> None:
    """The groups of parts that are gone go too; the artist's own stay, empty where the faces are others."""
    for name in names_before:
        group = thing.vertex_groups.get(name)
        if group is not None:
            thing.vertex_groups.remove(group)
    add_vertex_groups(thing, mesh)
