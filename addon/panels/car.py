"""What can be changed of the selected car: measures, look, lights, rig; and where it can go."""

from __future__ import annotations

import bpy

from ..placing import views_of
from ..rig.properties import LAMP_PROPERTIES
from ..scene.find import car_objects, find_rig
from ..scene.materials import clean_color_socket
from ..scene.reshape import measures_of
from .photo import ImagoPanel
from .states import wrapped

GROUPS = {  # the measures in the order in which one walks round a car
    "Size": ("length", "width", "height", "wheelbase", "front_overhang", "clearance"),
    "Wheels": ("wheel_radius", "tyre_width", "track_ratio", "arch_gap"),
    "Nose": ("hood_front_height", "nose_slant", "nose_round", "nose_width", "hood_width", "hood_crown"),
    "Windows and Roof": (
        "cowl_offset", "cowl_height", "windshield_run", "windshield_bow", "roof_front_drop", "roof_width", "roof_crown",
        "roof_rear_offset", "roof_rear_drop", "rear_window_run", "belt_front", "belt_rear", "b_pillar", "c_pillar",
    ),
    "Tail": ("deck_front_height", "deck_rear_height", "tail_slant", "tail_round", "tail_width", "cab_drop", "bed_depth"),
    "Flanks": ("side_bulge", "sill_tuck", "roundness"),
}  # fmt: skip


class CarPanel(ImagoPanel):
    """Shown where a car is selected."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return find_rig(context.active_object) is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.use_property_decorate = False
        self.draw_car(layout, context, find_rig(context.active_object))

    def draw_car(self, layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        raise NotImplementedError


class IMAGO_PT_car(CarPanel):
    bl_label = "Car"

    def draw_car(self, layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        there = measures_of(rig)
        if not there:
            wrapped(layout, context, "This car was made without sliders: make it again, or add it from the history.", icon="INFO")
            return
        for group, names in GROUPS.items():
            header, body = layout.panel(f"imago_{group}", default_closed=group != "Size")
            header.label(text=group)
            if body is not None:
                column = body.column()
                for name in names:
                    if name in there:
                        column.prop(rig.imago, name, slider=True)
        layout.operator("imago.reset_measures", icon="LOOP_BACK")


class IMAGO_PT_look(CarPanel):
    bl_label = "Look"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_car(self, layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        column = layout.column()
        _slider(column, rig, "photo_look", "Photo")
        paint = paint_socket(rig)
        row = column.row()
        row.active = rig.get("photo_look", 0.0) < 1.0
        if paint is not None:
            row.prop(paint, "default_value", text="Clean Paint")
            if not row.active:
                column.label(text="Lower Photo to see it", icon="INFO")
        layout.operator("imago.photo_camera", icon="CAMERA_DATA")
        if views_of(rig).is_file():
            layout.operator("imago.show_views", icon="IMAGE_REFERENCE")


class IMAGO_PT_lights(CarPanel):
    bl_label = "Lights"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_car(self, layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        column = layout.column()
        for entry in LAMP_PROPERTIES:
            _slider(column, rig, entry.name, entry.name.replace("_", " ").title())


class IMAGO_PT_rig(CarPanel):
    bl_label = "Rig"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_car(self, layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        column = layout.column()
        _slider(column, rig, "wheel_turn", "Wheels, Turns")
        _slider(column, rig, "steer", "Steering")
        for name in ("heave", "pitch", "roll"):
            _slider(column, rig, name, f"Body {name.title()}")
        _slider(column, rig, "auto_roll", "Roll by Itself")
        _slider(column, rig, "follow_ground", "Follow the Ground")
        column.label(text="Right-click a field to key it", icon="KEYFRAME")


class IMAGO_PT_export(CarPanel):
    bl_label = "Export"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_car(self, layout: bpy.types.UILayout, context: bpy.types.Context, rig: bpy.types.Object) -> None:
        column = layout.column()
        column.operator("imago.export_car", text="glTF (.glb)", icon="EXPORT").format = "GLB"
        if bpy.app.build_options.usd:
            column.operator("imago.export_car", text="USD (.usd)", icon="EXPORT").format = "USD"
        column.operator("imago.export_car", text="FBX (.fbx)", icon="EXPORT").format = "FBX"
        layout.operator("imago.mark_asset", icon="ASSET_MANAGER")


def paint_socket(rig: bpy.types.Object) -> bpy.types.NodeSocket | None:
    """The colour of the clean paint on the car's body."""
    paint = next((material for material, spec in car_objects(rig).specs.items() if spec.name == "paint"), None)
    return clean_color_socket(paint) if paint is not None else None


def _slider(layout: bpy.types.UILayout, rig: bpy.types.Object, name: str, text: str) -> None:
    if name in rig:
        layout.prop(rig, f'["{name}"]', text=text, slider=True)


BEFORE_DRIVE = (IMAGO_PT_car, IMAGO_PT_look, IMAGO_PT_lights)
AFTER_DRIVE = (IMAGO_PT_rig, IMAGO_PT_export)
