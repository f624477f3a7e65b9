"""Choosing the photograph and the mask: the file browser, a picture of this Blender file, a drop onto the viewport."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
from pathlib import Path

import bpy

from ...core.errors import UserInputError
from ..places import user_folder
from ..scene.find import find_rig
from ..session import SESSION
from .later import invoke_later

PICTURES = ".png;.jpg;.jpeg;.webp"
FILTER = "*.png;*.jpg;*.jpeg;*.webp;*.tif;*.tiff;*.bmp;*.avif"


def chosen_picture(context: bpy.types.Context) -> str:
    """Absolute path of the photograph that the panel holds.  Raises UserInputError where there is none."""
    inputs = context.window_manager.imago
    if inputs.source == "IMAGE":
        return str(_picture_of(inputs.image))
    if not inputs.photo:
        raise UserInputError("No photo is chosen: pick one in the Imago panel, or drop one onto the viewport.")
    return bpy.path.abspath(inputs.photo)


def _picture_of(name: str) -> Path:
    """A picture of this Blender file as a file on disk: its own where it has one, else a copy."""
    image = bpy.data.images.get(name)
    if image is None:
        raise UserInputError("No picture of this file is chosen: pick one in the Imago panel, or take a photo from disk.")
    own = Path(bpy.path.abspath(image.filepath_from_user()))
    if image.source == "FILE" and image.packed_file is None and not image.is_dirty and own.is_file():
        return own
    copy = user_folder("pictures") / f"{bpy.path.clean_name(image.name)}.png"
    if image.packed_file is not None and not image.is_dirty:
        copy = copy.with_suffix(Path(image.filepath).suffix or ".png")
        copy.write_bytes(image.packed_file.data)
        return copy
    image.save(filepath=str(copy), save_copy=True)
    return copy


class _Browse(bpy.types.Operator):
    """A file browser for pictures."""

    bl_options = {"INTERNAL"}
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: bpy.props.StringProperty(default=FILTER, options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class IMAGO_OT_open_photo(_Browse):
    """Choose the photograph of a car"""

    bl_idname = "imago.open_photo"
    bl_label = "Choose Photo"

    def execute(self, context: bpy.types.Context) -> set[str]:
        inputs = context.window_manager.imago
        inputs.source, inputs.photo, inputs.mask = "FILE", self.filepath, ""
        SESSION.problem = None
        return {"FINISHED"}


class IMAGO_OT_open_mask(_Browse):
    """Choose a picture of the photo's size that is white where the car is"""

    bl_idname = "imago.open_mask"
    bl_label = "Choose Mask"

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.window_manager.imago.mask = self.filepath
        SESSION.problem = None
        return {"FINISHED"}


class IMAGO_OT_import_photo(_Browse):
    """Choose a photograph and make a car of it at the 3D cursor"""

    bl_idname = "imago.import_photo"
    bl_label = "Car from Photo"
    bl_options = {"UNDO"}
    update: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})  # type: ignore[valid-type]

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Hands over to Create Car or Update Car, which tell of what goes wrong."""
        name = "update_car" if self.update and find_rig(context.active_object) is not None else "create_car"
        if not bpy.app.background:
            invoke_later(f"imago.{name}", filepath=self.filepath)
            return {"CANCELLED"}  # this operator changed nothing: the undo step is the other's
        return getattr(bpy.ops.imago, name)("EXEC_DEFAULT", filepath=self.filepath)


class IMAGO_FH_photo(bpy.types.FileHandler):
    """Drop a picture onto a viewport"""

    bl_idname = "IMAGO_FH_photo"
    bl_label = "Photo of a car"
    bl_import_operator = "imago.create_car"
    bl_file_extensions = PICTURES

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


def _entry(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator("imago.import_photo", text="Car from Photo", icon="AUTO")


def _import_entry(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.operator("imago.import_photo", text="Car from Photo (.jpg/.png/.webp)")


def attach() -> None:
    """The entries in Blender's own menus; F3 finds what they offer."""
    bpy.types.VIEW3D_MT_add.append(_entry)
    bpy.types.TOPBAR_MT_file_import.append(_import_entry)


def detach() -> None:
    bpy.types.VIEW3D_MT_add.remove(_entry)
    bpy.types.TOPBAR_MT_file_import.remove(_import_entry)


CLASSES = (IMAGO_OT_open_photo, IMAGO_OT_open_mask, IMAGO_OT_import_photo, IMAGO_FH_photo)
