"""MeshData -> Blender meshes: quads, UVs, material slots, part names an artist can select by."""

from __future__ import annotations

import math
from dataclasses import replace

import bpy
import numpy as np

from ...core.types import MeshData

SHARP_RAD = math.radians(35)  # a fold steeper than this is an edge of the car, not its curvature
SHARP_BORDER_RAD = math.radians(18)  # on the border of two parts there is a gap in the metal, so less is enough
CREASE = 0.7  # keeps those edges when an artist adds a Subdivision modifier


def faces_only(mesh: MeshData, faces: np.ndarray) -> MeshData:
    """The same mesh reduced to some faces (n,) and the vertices they use; part names stay."""
    used, quads = np.unique(mesh.quads[faces], return_inverse=True)
    return replace(
        mesh,
        vertices_m=mesh.vertices_m[used],
        quads=quads.reshape(-1, 4).astype(np.int32),
        uv01=mesh.uv01[faces],
        part_index=mesh.part_index[faces],
    )


def build_mesh(name: str, mesh: MeshData, material_of: dict[str, bpy.types.Material]) -> bpy.types.Mesh:
    """Smooth-shaded quads with UVMap, one slot per material, face integers `part` and sculpt face sets, sharp and creased edges.

    `part` counts the names in the mesh's custom property part_names.
    """
    data = bpy.data.meshes.new(name)
    data.from_pydata(mesh.vertices_m.tolist(), [], mesh.quads.tolist(), shade_flat=False)
    data.uv_layers.new(name="UVMap").uv.foreach_set("vector", np.ascontiguousarray(mesh.uv01, np.float32).ravel())
    _set_materials(data, mesh, material_of)
    part = np.ascontiguousarray(mesh.part_index, np.int32)
    data.attributes.new("part", "INT", "FACE").data.foreach_set("value", part)
    data.attributes.new(".sculpt_face_set", "INT", "FACE").data.foreach_set("value", part + 1)  # 0 means "no face set" there
    data["part_names"] = ",".join(mesh.part_names)
    _set_sharp_edges(data, mesh)
    if data.validate():
        raise ValueError(f"the mesh {name} has faces that Blender refuses")
    data.update()
    return data


def add_vertex_groups(thing: bpy.types.Object, mesh: MeshData) -> None:
    """One vertex group per part, so that Select in the mesh's data tab finds it by name."""
    for index in np.unique(mesh.part_index):
        group = thing.vertex_groups.new(name=mesh.part_names[index])
        group.add(np.unique(mesh.quads[mesh.part_index == index]).tolist(), 1.0, "REPLACE")


def _set_materials(data: bpy.types.Mesh, mesh: MeshData, material_of: dict[str, bpy.types.Material]) -> None:
    """Slots in the order in which the parts first need them."""
    slots: list[bpy.types.Material] = []
    slot_of_part = np.zeros(len(mesh.part_names), np.int32)
    for index in np.unique(mesh.part_index):
        material = material_of[mesh.part_names[index]]
        if material not in slots:
            slots.append(material)
            data.materials.append(material)
        slot_of_part[index] = slots.index(material)
    data.polygons.foreach_set("material_index", slot_of_part[mesh.part_index])


def _set_sharp_edges(data: bpy.types.Mesh, mesh: MeshData) -> None:
    """Mark the folds sharp for shading, and crease them for subdivision."""
    edge_of_corner = np.empty(len(data.loops), np.int32)
    data.loops.foreach_get("edge_index", edge_of_corner)
    face_of_corner = np.repeat(np.arange(len(mesh.quads)), 4)
    order = np.argsort(edge_of_corner, kind="stable")
    edges, first, count = np.unique(edge_of_corner[order], return_index=True, return_counts=True)
    shared = count == 2
    one, two = face_of_corner[order[first[shared]]], face_of_corner[order[first[shared] + 1]]
    normals = _face_normals(mesh)
    angle_rad = np.arccos(np.clip((normals[one] * normals[two]).sum(1), -1, 1))
    border = mesh.part_index[one] != mesh.part_index[two]
    sharp = np.zeros(len(data.edges), bool)
    sharp[edges[shared]] = angle_rad > np.where(border, SHARP_BORDER_RAD, SHARP_RAD)
    data.attributes.new("sharp_edge", "BOOLEAN", "EDGE").data.foreach_set("value", sharp)
    data.attributes.new("crease_edge", "FLOAT", "EDGE").data.foreach_set("value", np.where(sharp, CREASE, 0).astype(np.float32))


def _face_normals(mesh: MeshData) -> np.ndarray:
    """(F, 3) unit normals from the diagonals, which also serve bent quads; zeros where a quad has no area."""
    corner = mesh.vertices_m[mesh.quads]
    normal = np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
