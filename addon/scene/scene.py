"""One car, one collection: body, four wheels, lamps and the rig that moves them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from ...core.asset.validate import validate_asset
from ...core.types import CarAsset, Light, MaterialSpec, MeshData
from ..rig.beams import make_beams
from ..rig.drivers import drive
from ..rig.properties import lamp_properties
from ..rig.rig import build_rig, hang_on_bone
from .image import packed_file, packed_image
from .made import ROLE
from .materials import MaterialMaker, photo_group
from .mesh import add_vertex_groups, build_mesh, faces_only, note_slots, parts_worn, slots_of

BODY_TYPE = "imago_body_type"  # on the rig
LAMPS = "imago_lamps"  # on the rig: the lamps that were made, so that one the artist deleted is not made again


@dataclass(frozen=True)
class CarObjects:
    """What a car consists of; wheels and lamps by their names in the asset, specs by the material that came of them.

    Fresh from build_car it is complete.  find.car_objects gives what is left of a car in the scene: then body and image may be None,
    and wheels and lamps may be fewer.
    """

    collection: bpy.types.Collection
    rig: bpy.types.Object
    body: bpy.types.Object | None
    wheels: dict[str, bpy.types.Object]
    lamps: dict[str, bpy.types.Object]
    image: bpy.types.Image | None
    specs: dict[bpy.types.Material, MaterialSpec]

    @property
    def meshes(self) -> list[bpy.types.Object]:
        """Every object that shows: body, wheels, lamps."""
        return [*([self.body] if self.body else []), *self.wheels.values(), *self.lamps.values()]


def build_car(
    asset: CarAsset,
    collection_name: str | None = None,
    location: tuple[float, float, float] = (0.0, 0.0, 0.0),
    picture: Path | None = None,
) -> CarObjects:
    """Make the car at `location` (metres) in a new collection of the active scene, default name Car; a second one becomes Car.001.

    With `picture`, a PNG file in the car's UV layout, Blender reads the photo texture from there and the asset's own may be a stand-in.
    Objects are named body, wheel_front_left ..., and as in asset.lights; all carry the property imago_role with that name, the rig "rig",
    the collection "car", image and node group "photo".
    Must be called in object, edit or pose mode with an active view layer; ends in object mode.
    Raises: what validate_asset raises; RuntimeError where the picture cannot be read.
    """
    validate_asset(asset, pictures=picture is None)
    collection = bpy.data.collections.new(collection_name or "Car")
    collection[ROLE] = "car"
    bpy.context.scene.collection.children.link(collection)
    rig = build_rig(collection.name, asset, collection, location)
    rig[ROLE] = "rig"
    image = _photo(f"{collection.name}_photo", asset, picture)
    kinds = kinds_of_lamps(asset)
    group = photo_group(image.name, image)
    group[ROLE] = "photo"
    material_of, specs = build_materials(asset, MaterialMaker(group), kinds)
    shell, lamp_meshes = split_body(asset)
    body = build_object("body", shell, material_of, rig, "body", collection)
    wheels = {}
    for wheel in asset.wheels:
        wheels[wheel.name] = build_object(wheel.name, wheel.mesh, material_of, rig, wheel.name, collection)
        wheels[wheel.name].location = wheel.center_car
    lamps = {part: build_lamp(part, mesh, material_of, rig, asset, collection) for part, mesh in lamp_meshes.items()}
    make_beams(rig, lamps, asset.lights, collection)
    rig[LAMPS], rig[BODY_TYPE] = ",".join(lamps), asset.body_type
    return CarObjects(collection, rig, body, wheels, lamps, image, specs)


def split_body(asset: CarAsset) -> tuple[MeshData, dict[str, MeshData]]:
    """The body without its lamps, and each lamp's faces by its name."""
    lamp_faces = {part: asset.body.faces_of(part) for part in lights_by_part(asset)}
    is_lamp = np.zeros(len(asset.body.quads), bool)
    for faces in lamp_faces.values():
        is_lamp[faces] = True
    shell = faces_only(asset.body, np.flatnonzero(~is_lamp))
    return shell, {part: faces_only(asset.body, faces) for part, faces in lamp_faces.items()}


def build_object(
    role: str,
    mesh: MeshData,
    material_of: dict[str, bpy.types.Material],
    rig: bpy.types.Object,
    bone: str,
    collection: bpy.types.Collection,
) -> bpy.types.Object:
    """One mesh object that hangs on a bone of the rig and follows its photo_look."""
    thing = bpy.data.objects.new(role, build_mesh(role, mesh, material_of))
    thing[ROLE] = role
    note_slots(thing, *slots_of(mesh, material_of))
    collection.objects.link(thing)
    add_vertex_groups(thing, mesh)
    hang_on_bone(thing, rig, bone)
    thing["photo_look"] = rig["photo_look"]
    drive(thing, '["photo_look"]', -1, rig, ("photo_look",))
    return thing


def build_lamp(
    part: str,
    mesh: MeshData,
    material_of: dict[str, bpy.types.Material],
    rig: bpy.types.Object,
    asset: CarAsset,
    collection: bpy.types.Collection,
) -> bpy.types.Object:
    """A lamp that the rig lights."""
    lamp = build_object(part, mesh, material_of, rig, "body", collection)
    light_lamp(lamp, part, asset, rig)
    return lamp


def light_lamp(lamp: bpy.types.Object, part: str, asset: CarAsset, rig: bpy.types.Object) -> None:
    """Each kind of a lamp is a property of its object, driven by the rig, read by its material; kinds it has already stay as they are."""
    for light in lights_by_part(asset)[part]:
        if light.kind not in lamp:
            lamp[light.kind] = 0.0
            drive(lamp, f'["{light.kind}"]', -1, rig, lamp_properties(light.kind, light.center_car[0] > 0), kind="MIN")


def lights_by_part(asset: CarAsset) -> dict[str, list[Light]]:
    """One lamp may shine in several kinds (tail and brake behind one lens); headlights burn by day too, less brightly."""
    by_part: dict[str, list[Light]] = {}
    for light in asset.lights:
        by_part.setdefault(light.name, []).append(light)
        if light.kind == "headlight":
            by_part[light.name].append(replace(light, kind="daytime"))
    return by_part


def kinds_of_lamps(asset: CarAsset) -> dict[str, tuple[str, ...]]:
    """The kinds of each lamp by its part's name."""
    return {part: tuple(light.kind for light in lights) for part, lights in lights_by_part(asset).items()}


def build_materials(
    asset: CarAsset, maker: MaterialMaker, kinds_of_part: dict[str, tuple[str, ...]]
) -> tuple[dict[str, bpy.types.Material], dict[bpy.types.Material, MaterialSpec]]:
    """Material by part name: one for each spec, and one for each spec and set of kinds among the lamps; and the specs by material."""
    meshes = (asset.body, *(wheel.mesh for wheel in asset.wheels))
    worn = {mesh.part_names[index] for mesh in meshes for index in parts_worn(mesh)}
    made: dict[str, bpy.types.Material] = {}
    material_of, specs = {}, {}
    for spec in asset.texture.materials:
        for part in (part for part in spec.parts if part in worn):
            kinds = kinds_of_part.get(part, ())
            role = material_role(spec, kinds)
            if role not in made:
                made[role] = maker.make(role, spec, kinds)
                made[role][ROLE] = role
            material_of[part] = made[role]
            specs[made[role]] = spec
    return material_of, specs


def material_role(spec: MaterialSpec, kinds: tuple[str, ...]) -> str:
    """The name a material is known by, whatever Blender or the artist calls it."""
    return "_".join((spec.name, *kinds))


def _photo(name: str, asset: CarAsset, picture: Path | None) -> bpy.types.Image:
    image = packed_file(name, picture) if picture else packed_image(name, asset.texture.photo_srgb01)
    image[ROLE] = "photo"
    return image
