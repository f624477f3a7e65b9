"""Which car a thing belongs to, and what a car consists of now.  Found by tags, parents and drivers, never by names."""

from __future__ import annotations

import bpy

from .made import ROLE, spec_of
from .scene import BODY_TYPE, CarObjects

RIG, CAR, PHOTO = "rig", "car", "photo"


def find_rig(thing: bpy.types.Object | None) -> bpy.types.Object | None:
    """The rig of the car that an object belongs to: the object itself, above it, in the collection it instances, or what drives it.

    None where it belongs to no car.  Cheap enough for every redraw.
    """
    above, seen = thing, 0
    while above is not None and seen < 1000:
        if above.get(ROLE) == RIG:
            return above
        above, seen = above.parent, seen + 1
    if thing is None:
        return None
    if thing.instance_type == "COLLECTION" and thing.instance_collection is not None:
        return next((inside for inside in thing.instance_collection.all_objects if inside.get(ROLE) == RIG), None)
    return _driving_rig(thing)


def car_objects(rig: bpy.types.Object) -> CarObjects:
    """What there is of the car of a rig.  Of several objects with one role (a wheel copied by hand) the first by name counts.

    Raises: ValueError where `rig` is no rig of a car or stands in no collection.
    """
    if rig.get(ROLE) != RIG:
        raise ValueError(f"{rig.name} is not the rig of a car made by Imago")
    found: dict[str, bpy.types.Object] = {}
    for thing in sorted(car_members(rig), key=lambda thing: thing.name):
        if ROLE in thing and thing.type == "MESH":
            found.setdefault(thing[ROLE], thing)
    specs = {}
    for thing in found.values():
        for material in (slot.material for slot in thing.material_slots if slot.material):
            spec = spec_of(material)
            if spec is not None:
                specs[material] = spec
    return CarObjects(
        collection=car_collection(rig),
        rig=rig,
        body=found.get("body"),
        wheels={role: thing for role, thing in found.items() if role.startswith("wheel_")},
        lamps={role: thing for role, thing in found.items() if role != "body" and not role.startswith("wheel_")},
        image=next((image for image in map(_photo_of, specs) if image is not None), None),
        specs=specs,
    )


def car_members(rig: bpy.types.Object) -> list[bpy.types.Object]:
    """Every object that belongs to the rig, the artist's own additions below it included; not the rig."""
    near = {thing for collection in rig.users_collection for thing in collection.all_objects} | set(rig.children_recursive)
    return [thing for thing in near if thing != rig and find_rig(thing) == rig]


def car_collection(rig: bpy.types.Object) -> bpy.types.Collection:
    """The collection tagged as a car that holds the rig, else any that does.  Raises: ValueError where none does."""
    holding = list(rig.users_collection)
    if not holding:
        raise ValueError(f"the rig {rig.name} is in no collection")
    return next((collection for collection in holding if collection.get(ROLE) == CAR), holding[0])


def body_type_of(rig: bpy.types.Object) -> str:
    """The kind of car, such as "sedan"; empty for a car that was made before it was kept."""
    return str(rig.get(BODY_TYPE, ""))


def photo_group_of(material: bpy.types.Material) -> bpy.types.NodeTree | None:
    """The node group with the photo texture that a material uses."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    groups = (node.node_tree for node in nodes if node.type == "GROUP" and node.node_tree)
    return next((group for group in groups if group.get(ROLE) == PHOTO), None)


def _photo_of(material: bpy.types.Material) -> bpy.types.Image | None:
    group = photo_group_of(material)
    if group is None:
        return None
    return next((node.image for node in group.nodes if node.type == "TEX_IMAGE" and node.image), None)


def _driving_rig(thing: bpy.types.Object) -> bpy.types.Object | None:
    """An object cleared of its parent still follows the sliders of its rig."""
    if ROLE not in thing or thing.animation_data is None:
        return None
    for curve in thing.animation_data.drivers:
        for variable in curve.driver.variables:
            source = variable.targets[0].id
            if source is not None and source.get(ROLE) == RIG:
                return source
    return None
