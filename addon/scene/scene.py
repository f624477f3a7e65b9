"""One car, one collection: body, four wheels, lamps and the rig that moves them."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ...core.asset.validate import validate_asset
from ...core.types import CarAsset, Light, MaterialSpec, MeshData
from ..rig.drivers import drive
from ..rig.properties import lamp_properties
from ..rig.rig import build_rig, hang_on_bone
from .image import packed_image
from .materials import build_material, photo_group
from .mesh import add_vertex_groups, build_mesh, faces_only

ROLE = "imago_role"  # tags what an object is, since Blender renames a second `body` to `body.001`


@dataclass(frozen=True)
class CarObjects:
    """What build_car made; wheels and lamps by their names in the asset, specs by the material that came of them."""

    collection: bpy.types.Collection
    rig: bpy.types.Object
    body: bpy.types.Object
    wheels: dict[str, bpy.types.Object]
    lamps: dict[str, bpy.types.Object]
    image: bpy.types.Image
    specs: dict[bpy.types.Material, MaterialSpec]

    @property
    def meshes(self) -> list[bpy.types.Object]:
        """Every object that shows: body, wheels, lamps."""
        return [self.body, *self.wheels.values(), *self.lamps.values()]


def build_car(asset: CarAsset, collection_name: str | None = None, location: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> CarObjects:
    """Make the car at `location` (metres) in a new collection of the active scene, default name Car; a second one becomes Car.001.

    Objects are named body, wheel_front_left ..., and as in asset.lights; all carry the property imago_role with that name.
    Must be called in object, edit or pose mode with an active view layer; ends in object mode.  Raises: what validate_asset raises.
    """
    validate_asset(asset)
    collection = bpy.data.collections.new(collection_name or "Car")
    bpy.context.scene.collection.children.link(collection)
    rig = build_rig(collection.name, asset, collection, location)
    rig[ROLE] = "rig"
    image = packed_image(f"{collection.name}_photo", asset.texture.photo_srgb01)
    lights = _lights_by_part(asset)
    material_of, specs = _build_materials(asset, image, {part: _kinds(of_part) for part, of_part in lights.items()})
    lamp_faces = {part: asset.body.faces_of(part) for part in lights}
    shell = np.setdiff1d(np.arange(len(asset.body.quads)), np.concatenate([*lamp_faces.values(), np.empty(0, np.int64)]))

    def show(role: str, mesh: MeshData, bone: str) -> bpy.types.Object:
        thing = _build_object(role, mesh, material_of, collection)
        hang_on_bone(thing, rig, bone)
        thing["photo_look"] = rig["photo_look"]
        drive(thing, '["photo_look"]', -1, rig, ("photo_look",))
        return thing

    body = show("body", faces_only(asset.body, shell), "body")
    wheels = {wheel.name: show(wheel.name, wheel.mesh, wheel.name) for wheel in asset.wheels}
    for wheel in asset.wheels:
        wheels[wheel.name].location = wheel.center_car
    lamps = {part: show(part, faces_only(asset.body, faces), "body") for part, faces in lamp_faces.items()}
    for part, of_part in lights.items():
        _wire_lamp(lamps[part], rig, of_part)
    return CarObjects(collection, rig, body, wheels, lamps, image, specs)


def _build_object(
    role: str, mesh: MeshData, material_of: dict[str, bpy.types.Material], collection: bpy.types.Collection
) -> bpy.types.Object:
    thing = bpy.data.objects.new(role, build_mesh(role, mesh, material_of))
    thing[ROLE] = role
    collection.objects.link(thing)
    add_vertex_groups(thing, mesh)
    return thing


def _lights_by_part(asset: CarAsset) -> dict[str, list[Light]]:
    """One lamp may shine in several kinds (tail and brake behind one lens)."""
    by_part: dict[str, list[Light]] = {}
    for light in asset.lights:
        by_part.setdefault(light.name, []).append(light)
    return by_part


def _kinds(lights: list[Light]) -> tuple[str, ...]:
    return tuple(light.kind for light in lights)


def _build_materials(
    asset: CarAsset, image: bpy.types.Image, kinds_of_part: dict[str, tuple[str, ...]]
) -> tuple[dict[str, bpy.types.Material], dict[bpy.types.Material, MaterialSpec]]:
    """Material by part name: one for each spec, and one for each spec and set of kinds among the lamps; and the specs by material."""
    photo = photo_group(image.name, image)
    meshes = (asset.body, *(wheel.mesh for wheel in asset.wheels))
    worn = {mesh.part_names[index] for mesh in meshes for index in np.unique(mesh.part_index)}
    made: dict[tuple[str, tuple[str, ...]], bpy.types.Material] = {}
    material_of, specs = {}, {}
    for spec in asset.texture.materials:
        for part in (part for part in spec.parts if part in worn):
            key = (spec.name, kinds_of_part.get(part, ()))
            if key not in made:
                name = "_".join((spec.name, *key[1]))
                made[key] = build_material(name, spec, photo, key[1])
                made[key][ROLE] = name
            material_of[part] = made[key]
            specs[made[key]] = spec
    return material_of, specs


def _wire_lamp(lamp: bpy.types.Object, rig: bpy.types.Object, lights: list[Light]) -> None:
    """Each kind of the lamp is a property of its object, driven by the rig, read by its material."""
    for light in lights:
        lamp[light.kind] = 0.0
        drive(lamp, f'["{light.kind}"]', -1, rig, lamp_properties(light.kind, light.center_car[0] > 0))
