"""Copies of mesh objects: without animation and helpers, their meshes turned, scaled and thinned out."""

from __future__ import annotations

import bpy
from mathutils import Matrix

from ..scene.made import ROLE
from .frame import is_same
from .lods import decimated, through_modifiers


def plain_object(thing: bpy.types.Object, mesh: bpy.types.Mesh, modifiers: bool) -> bpy.types.Object:
    """An object with this mesh in place of its own; of ours only the role is kept among the properties."""
    copy = thing.copy()
    copy.animation_data_clear()
    copy.constraints.clear()
    if not modifiers:
        copy.modifiers.clear()
    copy.data = mesh
    copy.parent, copy.parent_type, copy.parent_bone = None, "OBJECT", ""
    copy.matrix_parent_inverse.identity()
    copy.hide_viewport = copy.hide_select = copy.hide_render = False
    if ROLE in thing:
        for key in [key for key in copy.keys() if key != ROLE]:
            del copy[key]
    return copy


def own_mesh(thing: bpy.types.Object, scene: bpy.types.Scene, applied: bool) -> bpy.types.Mesh:
    """A copy of an object's mesh, its modifiers applied where said.  The caller removes it."""
    if thing.mode == "EDIT":
        thing.update_from_editmode()
    if not applied or not thing.modifiers:
        return thing.data.copy()
    return through_modifiers(plain_object(thing, thing.data, modifiers=True), scene)


def thinned(mesh: bpy.types.Mesh, share01: float, basis: Matrix, scene: bpy.types.Scene) -> bpy.types.Mesh:
    """Another copy with that share of the faces, in the frame of the file.  The caller removes it."""
    made = decimated(mesh, share01, scene) if share01 < 1.0 else mesh.copy()
    if not is_same(basis):
        made.transform(basis, shape_keys=True)
    return made
