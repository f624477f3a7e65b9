"""MeshData -> Blender meshes: quads, UVs, material slots, part names an artist can select by."""

from __future__ import annotations

import json
from dataclasses import replace

import bpy
import numpy as np

from ...core.car.folds import CREASE, faces_beside, folded_edges
from ...core.types import MeshData
from .made import ROLE

SLOTS = "imago_slots"


def faces_only(mesh: MeshData, faces: np.ndarray) -> MeshData:
    """The same mesh reduced to some faces (n,) and the vertices they use; part names stay."""
    quads = mesh.quads[faces]
    used = np.zeros(len(mesh.vertices_m), bool)
    used[quads] = True
    index = np.cumsum(used, dtype=np.int32) - 1
    return replace(
        mesh,
        vertices_m=mesh.vertices_m[used],
        quads=index[quads],
        uv01=mesh.uv01[faces],
        part_index=mesh.part_index[faces].astype(np.int32),
    )


def parts_worn(mesh: MeshData) -> list[int]:
    """The indices of the parts that have faces, ascending."""
    return np.flatnonzero(np.bincount(mesh.part_index, minlength=len(mesh.part_names))).tolist()


def build_mesh(name: str, mesh: MeshData, material_of: dict[str, bpy.types.Material]) -> bpy.types.Mesh:
    """Smooth-shaded quads with UVMap, one slot per material, face integers `part` and sculpt face sets, sharp and creased edges.

    `part` counts the names in the mesh's custom property part_names.
    """
    data = bpy.data.meshes.new(name)
    fill_mesh(data, mesh)
    set_materials(data, mesh, material_of)
    return data


def fill_mesh(data: bpy.types.Mesh, mesh: MeshData) -> None:
    """Write everything but the material slots into a mesh without geometry.  Raises: ValueError for faces that Blender refuses."""
    data.vertices.add(len(mesh.vertices_m))
    data.attributes["position"].data.foreach_set("vector", np.ascontiguousarray(mesh.vertices_m, np.float32).ravel())
    data.loops.add(mesh.quads.size)
    data.loops.foreach_set("vertex_index", np.ascontiguousarray(mesh.quads, np.int32).ravel())
    data.polygons.add(len(mesh.quads))
    data.polygons.foreach_set("loop_start", np.arange(0, mesh.quads.size, 4, dtype=np.int32))
    data.update(calc_edges=True)
    data.uv_layers.new(name="UVMap", do_init=False).uv.foreach_set("vector", np.ascontiguousarray(mesh.uv01, np.float32).ravel())
    set_parts(data, mesh)
    set_sharp_edges(data, mesh)
    if data.validate():
        raise ValueError(f"the mesh {data.name} has faces that Blender refuses")


def set_parts(data: bpy.types.Mesh, mesh: MeshData) -> None:
    """Which face belongs to which part, as face integers `part`, sculpt face sets and the names in the property part_names."""
    part = np.ascontiguousarray(mesh.part_index, np.int32)
    attribute(data, "part", "INT", "FACE").data.foreach_set("value", part)
    attribute(data, ".sculpt_face_set", "INT", "FACE").data.foreach_set("value", part + 1)  # 0 means "no face set" there
    data["part_names"] = ",".join(mesh.part_names)


def add_vertex_groups(thing: bpy.types.Object, mesh: MeshData) -> None:
    """One vertex group per part, so that Select in the mesh's data tab finds it by name; groups of other names stay."""
    names = {mesh.part_names[index] for index in parts_worn(mesh)}
    for group in [group for group in thing.vertex_groups if group.name in names]:
        thing.vertex_groups.remove(group)
    touched = np.zeros(len(mesh.vertices_m), bool)
    for index in parts_worn(mesh):
        touched[:] = False
        touched[mesh.quads[mesh.part_index == index]] = True
        thing.vertex_groups.new(name=mesh.part_names[index]).add(np.flatnonzero(touched).tolist(), 1.0, "REPLACE")


def set_materials(data: bpy.types.Mesh, mesh: MeshData, material_of: dict[str, bpy.types.Material]) -> None:
    """Fill the slots of a mesh that has none."""
    roles, slot_of_part = slots_of(mesh, material_of)
    by_role = {material[ROLE]: material for material in material_of.values()}
    for role in roles:
        data.materials.append(by_role[role])
    data.polygons.foreach_set("material_index", slot_of_part[mesh.part_index])


def note_slots(thing: bpy.types.Object, roles: list[str], slot_of_part: np.ndarray) -> None:
    """Keep with the object what its slots were made for, so that a later update can tell what the artist put there."""
    thing[SLOTS] = json.dumps({"roles": roles, "of_part": slot_of_part.tolist()})


def slots_of(mesh: MeshData, material_of: dict[str, bpy.types.Material]) -> tuple[list[str], np.ndarray]:
    """The roles of the materials in the order in which the parts first need them, and the slot (parts,) int32 of each part."""
    roles: list[str] = []
    slot_of_part = np.zeros(len(mesh.part_names), np.int32)
    for index in parts_worn(mesh):
        role = material_of[mesh.part_names[index]][ROLE]
        if role not in roles:
            roles.append(role)
        slot_of_part[index] = roles.index(role)
    return roles, slot_of_part


def set_sharp_edges(data: bpy.types.Mesh, mesh: MeshData) -> None:
    """Mark the folds sharp for shading, and crease them for subdivision."""
    edge_of_corner = np.empty(len(data.loops), np.int32)
    data.loops.foreach_get("edge_index", edge_of_corner)
    sharp = folded_edges(mesh, *faces_beside(edge_of_corner, len(data.edges)))
    sharp &= np.bincount(edge_of_corner, minlength=len(sharp)) == 2
    attribute(data, "sharp_edge", "BOOLEAN", "EDGE").data.foreach_set("value", sharp)
    attribute(data, "crease_edge", "FLOAT", "EDGE").data.foreach_set("value", np.where(sharp, CREASE, 0).astype(np.float32))


def shift_shape_keys(data: bpy.types.Mesh, step_m: np.ndarray) -> None:
    """Move the vertices of every shape key by step_m (V, 3)."""
    step = np.ascontiguousarray(step_m, np.float32).ravel()
    places = np.empty_like(step)
    for key in data.shape_keys.key_blocks if data.shape_keys else ():
        key.data.foreach_get("co", places)
        key.data.foreach_set("co", places + step)


def attribute(data: bpy.types.Mesh, name: str, kind: str, domain: str) -> bpy.types.Attribute:
    """The mesh's attribute of this name, type and domain; one of another type or domain gives way to it."""
    found = data.attributes.get(name)
    if found is not None and (found.data_type, found.domain) == (kind, domain):
        return found
    if found is not None:
        data.attributes.remove(found)
    return data.attributes.new(name, kind, domain)
