"""What of a car goes into a file, what hangs below what, and where all of it stands while no bone is moved."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
from mathutils import Matrix

from ..scene.find import car_members
from ..scene.made import ROLE
from ..scene.scene import CarObjects
from .names import ASIDE


@dataclass(frozen=True)
class Members:
    """The meshes of a car, parents before children; its spot lights; by object the mesh above it, None for the car itself."""

    meshes: tuple[bpy.types.Object, ...]
    lights: tuple[bpy.types.Object, ...]
    above: dict[bpy.types.Object, bpy.types.Object | None]


def members_of(car: CarObjects) -> Members:
    """What the artist hung below comes along."""
    belonging = car_members(car.rig)
    extras = [thing for thing in belonging if thing.type == "MESH" and thing not in car.meshes]
    meshes = sorted([*car.meshes, *extras], key=lambda thing: (thing not in car.meshes, _depth(thing)))
    lights = sorted((thing for thing in belonging if thing.type == "LIGHT"), key=lambda thing: thing.name)
    above = {thing: _above(thing, car) for thing in [*meshes, *lights]}
    return Members(tuple(meshes), tuple(lights), {thing: parent if parent in meshes else None for thing, parent in above.items()})


def role_of(thing: bpy.types.Object) -> str:
    """What a thing is known by: its role, or the name that the artist gave it."""
    return thing.get(ROLE, thing.name).removesuffix(ASIDE)


def at_rest(thing: bpy.types.Object, rig: bpy.types.Object) -> Matrix:
    """Where a thing stands in the car frame with the wheels straight and no bone moved, but the hubs where the sliders put them."""
    if thing.parent == rig and thing.parent_type == "BONE" and thing.parent_bone in rig.data.bones:
        bone = rig.data.bones[thing.parent_bone]
        hub = rig.pose.bones.get(f"hub_{bone.name}")
        tail = bone.matrix_local @ Matrix.Translation((0, bone.length, 0))
        moved = Matrix.Translation(hub.location) if hub is not None else Matrix()
        return moved @ tail @ thing.matrix_parent_inverse @ thing.matrix_basis
    if thing.parent == rig:
        return thing.matrix_parent_inverse @ thing.matrix_basis
    if thing.parent is not None and thing.parent_type == "OBJECT":
        return at_rest(thing.parent, rig) @ thing.matrix_parent_inverse @ thing.matrix_basis
    return rig.matrix_world.inverted_safe() @ thing.matrix_world


def local_at_rest(thing: bpy.types.Object, members: Members, rig: bpy.types.Object) -> Matrix:
    """The same against what is above it in the file."""
    parent = members.above[thing]
    above = at_rest(parent, rig) if parent is not None else Matrix()
    return above.inverted_safe() @ at_rest(thing, rig)


def _above(thing: bpy.types.Object, car: CarObjects) -> bpy.types.Object | None:
    """Lamps and spot lights belong to the body, on whichever bone they hang."""
    if thing in car.lamps.values() or (thing.type == "LIGHT" and thing.parent_type == "BONE"):
        return car.body
    return thing.parent


def _depth(thing: bpy.types.Object) -> int:
    depth = 0
    while thing.parent is not None:
        thing, depth = thing.parent, depth + 1
    return depth
