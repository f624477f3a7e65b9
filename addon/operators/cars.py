"""What can be done with a car that stands in the scene: export, the asset browser, its photograph's camera, back to its shape."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
from pathlib import Path

import bpy

from ...core.asset.asset import load_asset
from ...core.errors import UserInputError
from .. import history
from ..asset_mark import mark_as_asset
from ..export.export import export_car
from ..export.options import ENDINGS, Exported, ExportOptions, path_with_ending
from ..export.presets import PRESETS
from ..places import runs_folder
from ..placing import RUN
from ..scene import reshape
from ..scene.camera import add_photo_camera
from ..scene.find import car_objects
from .of_car import OfCar

FORMATS = (
    ("GLB", "glTF (.glb)", "One file with named nodes, for games and the web; lamps blink by KHR_animation_pointer"),
    ("USD", "USD (.usd)", "Named parts with samples of their motion, textures beside the file"),
    ("FBX", "FBX (.fbx)", "One file with named nodes, for engines that like it best"),
)


class IMAGO_OT_export_car(OfCar):
    """Write the selected car to a file for games, films and simulators: named parts, wheels with their origins at the hubs"""

    bl_idname = "imago.export_car"
    bl_label = "Export Car"
    bl_options = {"INTERNAL"}
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})  # type: ignore[valid-type]
    filter_glob: bpy.props.StringProperty(  # type: ignore[valid-type]
        default=";".join(f"*{ending}" for endings in ENDINGS.values() for ending in endings), options={"HIDDEN"}
    )
    format: bpy.props.EnumProperty(name="Format", items=FORMATS, default="GLB")  # type: ignore[valid-type]
    preset: bpy.props.EnumProperty(  # type: ignore[valid-type]
        name="For", items=[(key, preset.label, preset.tooltip) for key, preset in PRESETS.items()], default="GENERIC"
    )
    animation: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Animation", description="The scene's frames: way, wheels, steering and lamps. Without, the car stands at the origin, at rest"
    )
    lods: bpy.props.BoolProperty(  # type: ignore[valid-type]
        name="Levels of Detail", description="With 100, 50 and 20 % of the faces; in further files where the program wants it so"
    )
    collision: bpy.props.BoolProperty(name="Collision Hull", description="A convex hull of the body with few faces")  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.filepath = bpy.path.ensure_ext(self._rig(context).name, ENDINGS[self.format][0])
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def check(self, context: bpy.types.Context) -> bool:
        """The name in the file dialog follows the format."""
        if not self.filepath or Path(self.filepath).is_dir():
            return False
        path = str(path_with_ending(Path(self.filepath), self.format))
        changed, self.filepath = path != self.filepath, path
        return changed

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        for name in ("format", "preset", "animation"):
            layout.prop(self, name)
        if self.animation:
            layout.label(text="Frames {} to {}".format(*_frames(context)), icon="TIME")
        layout.prop(self, "lods")
        layout.prop(self, "collision")

    def execute(self, context: bpy.types.Context) -> set[str]:
        if not self.filepath or Path(bpy.path.abspath(self.filepath)).is_dir():
            return self._fail("No file is named: say where the car should go.")
        path = path_with_ending(Path(bpy.path.abspath(self.filepath)), self.format)
        if not path.parent.is_dir():
            return self._fail(f"There is no folder {path.parent}: choose another place.")
        try:
            frames = _frames(context) if self.animation else None
            options = ExportOptions(self.format, self.preset, frames, self.lods, self.collision)
            exported = export_car(car_objects(self._rig(context)), path, options)
        except UserInputError as problem:
            return self._fail(str(problem))
        except OSError as problem:
            return self._fail(f"{path} cannot be written ({problem.strerror}): choose another place.")
        self.report({"WARNING"} if exported.notices else {"INFO"}, _told(exported))
        return {"FINISHED"}


class IMAGO_OT_mark_asset(OfCar):
    """Offer the selected car in the asset browser, with rig, materials and a picture"""

    bl_idname = "imago.mark_asset"
    bl_label = "Mark as Asset"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        car = car_objects(self._rig(context))
        picture = runs_folder() / str(car.rig.get(RUN, "")) / "thumbnail.png"
        mark_as_asset(car, picture if picture.is_file() else None)
        return {"FINISHED"}


class IMAGO_OT_photo_camera(OfCar):
    """Add the photographer's camera, with the photograph behind the car, and look through it"""

    bl_idname = "imago.photo_camera"
    bl_label = "Camera of the Photo"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        rig = self._rig(context)
        run = history.find_run(runs_folder(), str(rig.get(RUN, "")))
        if run is None:
            return self._fail(
                "This car is no longer in the history of this machine, so its camera is not known here: make it again from its photo."
            )
        photo = Path(run.photo)
        picture = bpy.data.images.load(str(photo), check_existing=True) if photo.is_file() else None
        asset = load_asset(run.folder, pictures=False)
        camera = add_photo_camera(asset.camera, picture, car_objects(rig).collection)
        camera.matrix_world = rig.matrix_world @ camera.matrix_world
        context.scene.camera = camera
        context.scene.render.resolution_x, context.scene.render.resolution_y = asset.camera.image_size_px
        return {"FINISHED"}


class IMAGO_OT_reset_measures(OfCar):
    """Give the selected car the measures that were read from the photograph"""

    bl_idname = "imago.reset_measures"
    bl_label = "Back to the Photo's Shape"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        reshape.reset(self._rig(context))
        return {"FINISHED"}


def _frames(context: bpy.types.Context) -> tuple[int, int]:
    return context.scene.frame_start, context.scene.frame_end


def _told(exported: Exported) -> str:
    """What was written, in a line."""
    told = [f"{', '.join(path.name for path in exported.files)} {'is' if len(exported.files) == 1 else 'are'} written"]
    if exported.frames:
        told.append(f"{exported.frames} frames")
    if len(exported.levels) > 1:
        told.append("levels with " + ", ".join(f"{100 * level.share01:.0f} %" for level in exported.levels) + " of the faces")
    if exported.hull_faces:
        told.append(f"a hull of {exported.hull_faces} faces")
    return ". ".join(["; ".join(told), *exported.notices])


CLASSES = (IMAGO_OT_export_car, IMAGO_OT_mark_asset, IMAGO_OT_photo_camera, IMAGO_OT_reset_measures)
