"""A built car -> glTF: plain named nodes in the car frame, no bones, no helpers."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator

import bpy

from .rig.properties import PROPERTIES
from .scene.materials import build_export_material
from .scene.scene import ROLE, CarObjects

JPEG_QUALITY = 92


def export_glb(car: CarObjects, path: str | os.PathLike[str]) -> None:
    """Write the car in the photo look, at rest and at the origin: +Y up, nose +Z, left +X, metres.

    Nodes: car > body > lamps, car > wheel_front_left ... with their origins at the hubs; node extras keep imago_role, and on car
    the rig's properties.  The scene is afterwards as it was.
    """
    with _plain_copies(car) as copies:
        chosen = {thing: thing.select_get() for thing in bpy.context.view_layer.objects}
        for thing in chosen:
            thing.select_set(thing in copies)
        try:
            with _without_chatter():
                _export(path)
        finally:
            for thing, selected in chosen.items():
                if thing not in copies:
                    thing.select_set(selected)


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
    materials: dict[bpy.types.Material, bpy.types.Material] = {}
    copies: list[bpy.types.Object] = []
    with (
        _jpeg(car.image) as photo,
        _set_aside(bpy.data.objects, {"car", "body", *car.wheels, *car.lamps}),
        _set_aside(bpy.data.materials, {material[ROLE] for material in car.specs}),
    ):
        try:
            for material, spec in car.specs.items():
                materials[material] = build_export_material(material[ROLE], spec, photo)
            copies.append(_root(car))
            copies.append(_copy(car.body, copies[0], materials))
            copies += [_copy(wheel, copies[0], materials) for wheel in car.wheels.values()]
            copies += [_copy(lamp, copies[1], materials) for lamp in car.lamps.values()]
            for thing in copies:
                bpy.context.scene.collection.objects.link(thing)
            bpy.context.view_layer.update()
            yield set(copies)
        finally:
            for thing in copies:
                bpy.data.objects.remove(thing)
            for material in materials.values():
                bpy.data.materials.remove(material)


@contextlib.contextmanager
def _jpeg(image: bpy.types.Image) -> Iterator[bpy.types.Image]:
    """The picture as packed JPEG, which the exporter passes through; left to itself it encodes once a material."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "photo.jpg")
        copy = image.copy()
        copy.scale(*image.size)  # to its own size: cuts the tie to the packed PNG, which save would write instead
        copy.filepath_raw, copy.file_format = path, "JPEG"
        copy.save(quality=JPEG_QUALITY)
        bpy.data.images.remove(copy)
        jpeg = bpy.data.images.load(path)
        jpeg.pack()
    try:
        yield jpeg
    finally:
        bpy.data.images.remove(jpeg)


@contextlib.contextmanager
def _set_aside(store: bpy.types.bpy_prop_collection, wanted: set[str]) -> Iterator[None]:
    """Free the wanted names in one store of bpy.data inside the block, since Blender would answer a second `body` with `body.001`."""
    renamed = {block: block.name for block in store if block.name in wanted}
    try:
        for block, name in renamed.items():
            block.name = f"{name} (while exporting)"
        yield
    finally:
        for block, name in renamed.items():
            block.name = name


def _root(car: CarObjects) -> bpy.types.Object:
    """The empty at the origin that carries the rig's properties."""
    root = bpy.data.objects.new("car", None)
    root[ROLE] = "car"
    for entry in PROPERTIES:
        root[entry.name] = car.rig[entry.name]
    return root


def _copy(thing: bpy.types.Object, parent: bpy.types.Object, materials: dict[bpy.types.Material, bpy.types.Material]) -> bpy.types.Object:
    """Same mesh, materials of the export in slots of the object, parent without a bone."""
    copy = thing.copy()
    copy.name = thing[ROLE]
    copy.animation_data_clear()
    for key in [key for key in copy.keys() if key != ROLE]:
        del copy[key]
    copy.parent, copy.parent_type, copy.parent_bone = parent, "OBJECT", ""
    copy.matrix_parent_inverse.identity()
    for slot in copy.material_slots:
        material = materials.get(slot.material, slot.material)  # one that the artist added stays
        slot.link = "OBJECT"
        slot.material = material
    return copy
