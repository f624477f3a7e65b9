"""Another photograph for a car that stands in the scene: new shape and paint, all else stays."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...core.asset.validate import validate_asset
from ...core.types import CarAsset, MeshData
from ..rig.beams import make_beams
from ..rig.rig import place_hubs
from .find import car_objects, photo_group_of
from .image import packed_file, with_other_pixels
from .made import ROLE, refresh
from .materials import MaterialMaker, figures_of, photo_group
from .own import make_own
from .replace_mesh import replace_mesh
from .scene import BODY_TYPE, LAMPS, CarObjects, build_lamp, kinds_of_lamps, light_lamp, material_role, split_body

Materials = dict[str, bpy.types.Material]


def update_car(rig: bpy.types.Object, asset: CarAsset, picture: Path) -> CarObjects:
    """Give the car of `rig` the shape of another asset and the photo texture in the PNG file `picture`.

    Kept: the rig with its animation, properties, place and parents; every object with its name, transform, modifiers, constraints,
    properties and collections; materials the artist put in a slot, and every figure of ours that he changed or plugged something into.
    Replaced: vertices, UVs, parts, sharp edges; the picture, painted on or not; places of the hubs.  Lamps come and go with the parts
    of the new car; parts that the artist deleted stay deleted.  A car that shares blocks with a duplicate gets its own first.
    Ends in object mode.  Raises: what validate_asset raises; UserInputError for a linked car; RuntimeError or OSError for the picture.
    """
    validate_asset(asset, pictures=False)
    active = bpy.context.view_layer.objects.active
    if active is not None and active.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    make_own(car_objects(rig))
    car = car_objects(rig)
    shell, lamp_meshes = split_body(asset)
    material_of = _materials(car, asset, _photo_group(car, picture))
    if car.body is not None:
        replace_mesh(car.body, shell, material_of)
    for wheel in asset.wheels:
        if wheel.name in car.wheels:
            replace_mesh(car.wheels[wheel.name], wheel.mesh, material_of)
    place_hubs(rig, {wheel.name: wheel.center_car for wheel in asset.wheels}, {wheel.name: wheel.radius_m for wheel in asset.wheels})
    _update_lamps(car, asset, lamp_meshes, material_of)
    make_beams(rig, car_objects(rig).lamps, asset.lights, car.collection)
    _remove_unused([*car.specs, *material_of.values()])
    rig[BODY_TYPE] = asset.body_type
    rig.update_tag()
    return car_objects(rig)


def _photo_group(car: CarObjects, picture: Path) -> bpy.types.NodeTree:
    """The node group of the car with the new picture in it; a new one where none of the car's materials uses it any more."""
    if car.image is not None:
        with_other_pixels(car.image, picture)
        return next(group for group in map(photo_group_of, car.specs) if group is not None)
    image = packed_file(f"{car.collection.name}_photo", picture)
    group = photo_group(image.name, image)
    image[ROLE] = group[ROLE] = "photo"
    return group


def _materials(car: CarObjects, asset: CarAsset, photo: bpy.types.NodeTree) -> Materials:
    """Material by part: the car's own ones refreshed, new ones where there is none of that role."""
    kinds_of_part = kinds_of_lamps(asset)
    found: dict[str, list[bpy.types.Material]] = {}
    for material in car.specs:
        found.setdefault(material.get(ROLE, ""), []).append(material)
    maker, done, material_of = MaterialMaker(photo), set(), {}
    for spec in asset.texture.materials:
        for part in spec.parts:
            kinds = kinds_of_part.get(part, ())
            role = material_role(spec, kinds)
            if role not in found:
                found[role] = [maker.make(role, spec, kinds)]
                found[role][0][ROLE] = role
            elif role not in done:
                for material in found[role]:
                    refresh(material, spec, figures_of(spec, kinds))
            done.add(role)
            material_of[part] = found[role][0]
    return material_of


def _update_lamps(car: CarObjects, asset: CarAsset, meshes: dict[str, MeshData], material_of: Materials) -> None:
    made = str(car.rig.get(LAMPS, ",".join(car.lamps))).split(",")
    for part, lamp in car.lamps.items():
        if part in meshes:
            replace_mesh(lamp, meshes[part], material_of)
            light_lamp(lamp, part, asset, car.rig)
        elif part in made:
            _remove_lamp(lamp, car.rig)
    for part, mesh in meshes.items():
        if part not in car.lamps and part not in made:
            build_lamp(part, mesh, material_of, car.rig, asset, car.collection)
    car.rig[LAMPS] = ",".join(meshes)


def _remove_lamp(lamp: bpy.types.Object, rig: bpy.types.Object) -> None:
    """What the artist hung on it hangs on the body's bone from then on."""
    for child in lamp.children:
        place = child.matrix_world.copy()
        child.parent, child.parent_type, child.parent_bone = rig, "BONE", "body"
        child.matrix_world = place
    data = lamp.data
    bpy.data.objects.remove(lamp)
    if not data.users:
        bpy.data.meshes.remove(data)


def _remove_unused(materials: list[bpy.types.Material]) -> None:
    for material in set(materials):
        if not material.users:
            bpy.data.materials.remove(material)
