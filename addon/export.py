"""A car as it stands in the scene -> glTF or USD: plain named nodes in the car frame, no bones, no helpers."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix

from ..core.errors import Trouble, UserInputError
from .rig.properties import PROPERTIES
from .scene.find import car_members
from .scene.made import ROLE, SPEC
from .scene.plain import plain_material
from .scene.scene import CarObjects

JPEG_QUALITY = 92
ASIDE = " (while exporting)"


def export_glb(car: CarObjects, path: str | os.PathLike[str]) -> None:
    """Write the car as it is now, at rest and at the origin: +Y up, nose +Z, left +X, metres.

    Materials have the artist's present figures, in the photo look where the rig's photo_look is 0.5 or more, else in the clean look.
    Nodes: car > body > lamps, car > wheel_front_left ... with their origins at the hubs, and whatever meshes the artist hung below;
    node extras keep imago_role, and on car the rig's properties.  Modifiers are applied.  Hidden parts are written too.
    The scene, its selection and its mode are afterwards as they were.  Raises: RuntimeError with the exporter's traceback.
    """
    with _plain_copies(car) as copies, _only_selected(copies), _without_chatter():
        _export(path)


def export_usd(car: CarObjects, path: str | os.PathLike[str]) -> None:
    """The same car as USD: metres, +Z up, nose -Y; the file's ending chooses between usd, usda, usdc and usdz.

    Textures of the first three lie in the folder `textures` beside the file.
    Raises: UserInputError where this Blender cannot write USD; RuntimeError where it fails.
    """
    if not bpy.app.build_options.usd:
        raise UserInputError("This build of Blender cannot write USD; export the car as glTF instead.", Trouble.SCENE)
    with _plain_copies(car) as copies, _only_selected(copies), _without_chatter():
        bpy.ops.wm.usd_export(filepath=os.fspath(path), selected_objects_only=True, export_animation=False, export_materials=True)
    if not Path(path).is_file():
        raise RuntimeError(f"Blender's exporter did not write {path}")


@contextlib.contextmanager
def _only_selected(copies: set[bpy.types.Object]) -> Iterator[None]:
    """These objects alone are selected, in object mode; afterwards selection, active object and mode are as before."""
    layer = bpy.context.view_layer
    active = layer.objects.active
    mode = active.mode if active is not None else "OBJECT"
    if mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    chosen = {thing: thing.select_get() for thing in layer.objects}
    for thing in chosen:
        thing.select_set(thing in copies)
    try:
        yield
    finally:
        for thing, selected in chosen.items():
            if thing not in copies:
                thing.select_set(selected)
        layer.objects.active = active
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)


def _export(path: str | os.PathLike[str]) -> None:
    """What is selected, through Blender's exporter.  Raises: RuntimeError with its traceback."""
    atexit.unregister(_let_go_of_bpy)
    atexit.register(_let_go_of_bpy)
    bpy.ops.export_scene.gltf(
        filepath=os.fspath(path),
        export_format="GLB",
        use_selection=True,
        export_yup=True,
        export_extras=True,
        export_animations=False,
        export_skins=False,
        export_morph=False,
        export_cameras=False,
        export_lights=False,
        export_image_format="AUTO",
        export_apply=True,
    )


def _let_go_of_bpy() -> None:
    """At the end of the process, take bpy from the exporter's modules.

    The bpy module (4.5) shuts Blender down when its last reference goes.  In a process that also imported torch the exporter's
    modules outlive that moment, Blender is never shut down, and the process waits for one of its threads for ever.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("io_scene_gltf2.blender.exp"):
            vars(module).pop("bpy", None)


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """Of what the exporter prints only warnings and errors come through, on stderr."""
    level, bpy.app.debug_value = bpy.app.debug_value, 1  # its own option export_loglevel fails in 4.5 with a KeyError
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        bpy.app.debug_value = level
        for line in printed.getvalue().splitlines():
            if line and not line.startswith("INFO"):
                print(line, file=sys.stderr)


@contextlib.contextmanager
def _plain_copies(car: CarObjects) -> Iterator[set[bpy.types.Object]]:
    """The car once more without rig and drivers; its objects and materials have the documented names while the block runs."""
    extras = [thing for thing in car_members(car.rig) if thing.type == "MESH" and thing not in car.meshes]
    worn = {slot.material for thing in [*car.meshes, *extras] for slot in thing.material_slots if slot.material}
    ours = {material: material.get(ROLE, material.name) for material in worn if SPEC in material}
    photo_look = float(car.rig.get("photo_look", 1.0)) >= 0.5
    materials: dict[bpy.types.Material, bpy.types.Material] = {}
    copies: dict[bpy.types.Object, bpy.types.Object] = {}
    root: bpy.types.Object | None = None
    with (
        _jpeg(car.image if photo_look else None) as photo,
        _set_aside(bpy.data.objects, {"car", *(_name(thing) for thing in [*car.meshes, *extras])}),
        _set_aside(bpy.data.materials, set(ours.values())),
    ):
        try:
            for material, name in ours.items():
                materials[material] = plain_material(material, photo)
                materials[material].name = name
            root = _root(car)
            for thing in [*car.meshes, *extras]:
                copies[thing] = _copy(thing, materials)
            for thing, copy in copies.items():
                _hang(copy, thing, copies.get(_parent(thing, car), root), car)
            for copy in (root, *copies.values()):
                bpy.context.scene.collection.objects.link(copy)
            bpy.context.view_layer.update()
            yield {root, *copies.values()}
        finally:
            for copy in ([root] if root else []) + list(copies.values()):
                bpy.data.objects.remove(copy)
            for material in materials.values():
                bpy.data.materials.remove(material)


@contextlib.contextmanager
def _jpeg(image: bpy.types.Image | None) -> Iterator[bpy.types.Image | None]:
    """The picture, paint strokes that are not saved yet included, as packed JPEG, which the exporter passes through.

    Left to itself it encodes once a material.
    """
    if image is None or not image.size[0]:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "photo.jpg")
        if image.library is None and not image.is_float and "save_copy" in image.bl_rna.functions["save"].parameters:
            _save_as_jpeg(image, path)
        else:
            _save_pixels_as_jpeg(image, path)
        jpeg = bpy.data.images.load(path)
        jpeg.pack()
    try:
        yield jpeg
    finally:
        bpy.data.images.remove(jpeg)


def _save_as_jpeg(image: bpy.types.Image, path: str) -> None:
    """The image itself under another name; it is afterwards as it was."""
    file_format = image.file_format
    image.file_format = "JPEG"
    try:
        image.save(filepath=path, quality=JPEG_QUALITY, save_copy=True)
    finally:
        image.file_format = file_format


def _save_pixels_as_jpeg(image: bpy.types.Image, path: str) -> None:
    """Without touching the image, five times slower."""
    pixels = np.empty(image.size[0] * image.size[1] * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    copy = bpy.data.images.new("photo", *image.size, alpha=False)
    rgba = np.ones((len(pixels) // image.channels, 4), np.float32)
    rgba[:, :3] = pixels.reshape(len(rgba), -1)[:, :3]
    copy.pixels.foreach_set(rgba.ravel())
    copy.filepath_raw, copy.file_format = path, "JPEG"
    copy.save(quality=JPEG_QUALITY)
    bpy.data.images.remove(copy)


@contextlib.contextmanager
def _set_aside(store: bpy.types.bpy_prop_collection, wanted: set[str]) -> Iterator[None]:
    """Free the wanted names in one store of bpy.data inside the block, since Blender would answer a second `body` with `body.001`."""
    renamed = {block: block.name for block in store if block.name in wanted and block.library is None}
    try:
        for block, name in renamed.items():
            block.name = name + ASIDE
        yield
    finally:
        for block, name in renamed.items():
            block.name = name


def _root(car: CarObjects) -> bpy.types.Object:
    """The empty at the origin that carries the rig's properties."""
    root = bpy.data.objects.new("car", None)
    root[ROLE] = "car"
    for entry in PROPERTIES:
        root[entry.name] = car.rig.get(entry.name, entry.default)
    return root


def _copy(thing: bpy.types.Object, materials: dict[bpy.types.Material, bpy.types.Material]) -> bpy.types.Object:
    """Same mesh and modifiers, materials of the export in slots of the object."""
    if thing.mode == "EDIT":
        thing.update_from_editmode()
    copy = thing.copy()
    copy.name = _name(thing)
    copy.animation_data_clear()
    copy.constraints.clear()
    copy.hide_viewport = copy.hide_select = False
    if ROLE in thing:
        for key in [key for key in copy.keys() if key != ROLE]:
            del copy[key]
    for slot in copy.material_slots:
        material = materials.get(slot.material, slot.material)  # one that the artist added stays
        slot.link = "OBJECT"
        slot.material = material
    return copy


def _name(thing: bpy.types.Object) -> str:
    return thing.get(ROLE, thing.name).removesuffix(ASIDE)


def _parent(thing: bpy.types.Object, car: CarObjects) -> bpy.types.Object | None:
    """The part of the car below which a thing belongs; None for the car itself."""
    if thing.get(ROLE) in car.lamps and thing == car.lamps[thing[ROLE]]:
        return car.body
    return thing.parent


def _hang(copy: bpy.types.Object, thing: bpy.types.Object, parent: bpy.types.Object, car: CarObjects) -> None:
    """Below `parent`, at the place of rest."""
    above = Matrix() if parent.get(ROLE) == "car" else _at_rest(_parent(thing, car), car.rig)
    copy.parent, copy.parent_type, copy.parent_bone = parent, "OBJECT", ""
    copy.matrix_parent_inverse.identity()
    copy.matrix_basis = above.inverted_safe() @ _at_rest(thing, car.rig)


def _at_rest(thing: bpy.types.Object, rig: bpy.types.Object) -> Matrix:
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
        return _at_rest(thing.parent, rig) @ thing.matrix_parent_inverse @ thing.matrix_basis
    return rig.matrix_world.inverted_safe() @ thing.matrix_world
