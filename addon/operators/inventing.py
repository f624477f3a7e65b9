"""Cars without a photograph: Invent a Car, and the sheet of a car's other sides."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
from dataclasses import replace
from pathlib import Path

import bpy

from ...core.messages import MakeRequest
from ..placing import views_of
from ..properties import BODIES, OWN_PAINT, SEED, TOWARD, TRUNCATION
from .making import CreateMaking
from .of_car import OfCar
from .polls import set_up
from .redraw import new_editor


class IMAGO_OT_invent_car(CreateMaking):
    """Make a car that nobody photographed, textured and rigged like any other, at the 3D cursor"""

    bl_idname = "imago.invent_car"
    bl_label = "Invent a Car"
    seed: bpy.props.IntProperty(name="Seed", description=SEED, min=0, options={"SKIP_SAVE"})  # type: ignore[valid-type]
    variety: bpy.props.FloatProperty(name="Variety", description=TRUNCATION, min=0, max=1, options={"SKIP_SAVE"})  # type: ignore[valid-type]
    toward: bpy.props.IntProperty(name="Toward Seed", description=TOWARD, min=0, options={"SKIP_SAVE"})  # type: ignore[valid-type]
    share: bpy.props.FloatProperty(name="Share", description=TOWARD, min=0, max=1, options={"SKIP_SAVE"})  # type: ignore[valid-type]
    body: bpy.props.EnumProperty(name="Body", items=BODIES, options={"SKIP_SAVE"})  # type: ignore[valid-type]
    paint: bpy.props.FloatVectorProperty(  # type: ignore[valid-type]
        name="Paint", description=OWN_PAINT, subtype="COLOR_GAMMA", size=3, min=0, max=1, options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return set_up(cls) and super().poll(context)

    def _photos(self, context: bpy.types.Context) -> list[str]:
        """One car; its picture is drawn beside it."""
        return [""]

    def _prepare(self, context: bpy.types.Context) -> None:
        super()._prepare(context)
        inputs, given = context.window_manager.imago, self.properties.is_property_set
        names = ("seed", "variety", "toward", "share", "body", "paint")
        seed, variety, toward, share, body, paint = (getattr(self if given(name) else inputs, name) for name in names)
        self._mask = None
        self._settings |= {"invented": True, "seed": seed, "truncation01": variety, "unseen": "generator"}
        self._settings |= {"which": 0, "box_px": None, "body_type": ""}
        self._settings |= {"toward_seed": toward if share > 0 else None, "share01": share}
        self._settings |= {"invented_body": "" if body == "ANY" else body}
        self._settings |= {"invented_paint_srgb01": tuple(paint) if given("paint") or inputs.own_paint else None}

    def _job(self, photo: str) -> MakeRequest:
        job = super()._job(photo)
        return replace(job, photo=str(Path(job.folder) / f"invented_{self._settings['seed']}.png"))


class IMAGO_OT_show_views(OfCar):
    """Show the selected car from twelve sides, as the image generator sees it in the photograph's light"""

    bl_idname = "imago.show_views"
    bl_label = "Show All Sides"

    def execute(self, context: bpy.types.Context) -> set[str]:
        rig = self._rig(context)
        picture = views_of(rig)
        if not picture.is_file():
            return self._fail("There is no picture of this car's other sides: it is another machine's, or its run was deleted.")
        image = bpy.data.images.load(str(picture), check_existing=True)
        image.name = f"{rig.name} from All Sides"
        if not bpy.app.background:
            new_editor(context, "IMAGE_EDITOR").image = image
        return {"FINISHED"}


CLASSES = (IMAGO_OT_invent_car, IMAGO_OT_show_views)
