"""What other programs expect of a car's file: names, axes, unit, levels of detail, collision.  One table, no code of their own.

Names of the car frame's roles (car, body, wheel_front_left ...) are those of core.types.  `{node}` stands for the name of a node that
carries a mesh, `{level}` for 0, 1, 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

WHEELS = ("wheel_front_left", "wheel_front_right", "wheel_rear_left", "wheel_rear_right")
LAMP_KINDS = {"headlight": "Low_Beam", "high_beam": "High_Beam", "daytime": "Day", "tail": "Tail", "brake": "Brake",
              "indicator": "Indicator", "reverse": "Reverse", "fog": "Fog"}  # fmt: skip


@dataclass(frozen=True)
class Axes:
    """Of the file: which axis is up, where the nose points, metres a unit."""

    up: str  # Y or Z
    forward: str  # +X, -Y or +Z
    unit_m: float = 1.0


@dataclass(frozen=True)
class Preset:
    """What one program expects.

    names by role; wheels by role where one wheel is a chain of nodes (place, steering, turning), outer first.  groups are empty nodes
    (name, name of the node above), below says under which of them body, wheels and lamps hang.  lamp_name has {kind}, {side}, {number}.
    materials rename by the beginning of our names.  hull_below is the role of the node that carries the hull.
    """

    label: str
    tooltip: str
    axes: Mapping[str, Axes]
    names: Mapping[str, str] = field(default_factory=dict)
    wheels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: tuple[tuple[str, str], ...] = ()
    below: Mapping[str, str] = field(default_factory=dict)
    lamp_name: str = ""
    materials: Mapping[str, str] = field(default_factory=dict)
    lods_in_one_file: bool = False
    lod_name: str = "{node}_LOD{level}"
    hull_name: str = "{node}_collision"
    hull_below: str = "body"
    rear_axle: str = ""  # an empty node midway between the rear hubs


METRES = {"GLB": Axes("Y", "+Z"), "USD": Axes("Z", "-Y"), "FBX": Axes("Y", "+Z")}
ALONG_X = {"GLB": Axes("Y", "+X"), "USD": Axes("Z", "+X"), "FBX": Axes("Z", "+X")}
CENTIMETRES = ALONG_X | {"FBX": Axes("Z", "+X", 0.01)}


def _wheels(*names: str) -> dict[str, str]:
    return dict(zip(WHEELS, names, strict=True))


PRESETS: Mapping[str, Preset] = {
    "GENERIC": Preset("Generic", "Our own names, metres; glTF with the nose along +Z, USD along -Y", METRES),
    "UNREAL": Preset(
        "Unreal Engine",
        "PhysWheel_FL ..., nose along +X; FBX in centimetres; a hull that becomes simple collision; levels in files of their own",
        CENTIMETRES,
        {"car": "Root", "body": "Body", **_wheels("PhysWheel_FL", "PhysWheel_FR", "PhysWheel_BL", "PhysWheel_BR")},
        hull_name="UCX_{node}_00",
    ),
    "UNITY": Preset(
        "Unity",
        "Our own names, metres, nose along +Z; levels of detail side by side, which Unity makes a LOD group of",
        METRES,
        lods_in_one_file=True,
        hull_name="{node}_Collider",
    ),
    "GODOT": Preset(
        "Godot",
        "Suffixes that make a VehicleBody3D with its VehicleWheel3D and a convex collision shape, nose along +Z",
        METRES,
        {"car": "car-vehicle", **_wheels(*(f"{wheel}-wheel" for wheel in WHEELS))},
        hull_name="{node}_collision-convcolonly",
        hull_below="car",
    ),
    "OMNIVERSE": Preset(
        "Omniverse",
        "Names of PhysX vehicles, metres, +Z up, nose along +X",
        ALONG_X,
        {"car": "Vehicle", "body": "Chassis", **_wheels("FrontLeftWheel", "FrontRightWheel", "RearLeftWheel", "RearRightWheel")},
        hull_name="ChassisCollision",
        hull_below="car",
    ),
    "CARLA": Preset(
        "CARLA",
        "Vehicle_Base and Wheel_Front_Left ..., materials by CARLA's names, nose along +X; FBX in centimetres",
        CENTIMETRES,
        {"car": "Vehicle_Base", "body": "Body",
         **_wheels("Wheel_Front_Left", "Wheel_Front_Right", "Wheel_Rear_Left", "Wheel_Rear_Right")},
        materials={"paint": "M_Bodywork", "glass": "Glass_Ext", "headlight_lens": "LightGlass_Ext_Headlight",
                   "tail_lens": "LightGlass_Ext_Tail", "indicator_lens": "LightGlass_Ext_Indicator", "plate": "LicensePlate"},
        hull_name="UCX_{node}_00",
    ),
    "OPENMATERIAL": Preset(
        "OpenMATERIAL 3D",
        "The groups of ASAM OpenMATERIAL 3D, metres, nose along +X; each wheel is a place, a steering and a turning node",
        ALONG_X,
        {"car": "Grp_Root", "body": "Body"},
        wheels={
            wheel: (f"Grp_Wheel_{place}", f"Grp_Wheel_Steering_{place}", f"Grp_Wheel_Steering_Rotating_{place}")
            for wheel, place in zip(WHEELS, ("0_1", "0_0", "1_1", "1_0"), strict=True)  # axle from the front, wheel from the right
        },
        groups=(("Grp_Exterior", "Grp_Root"), ("Grp_Exterior_Static", "Grp_Exterior"), ("Grp_Exterior_Dynamic", "Grp_Exterior")),
        below={"body": "Grp_Exterior_Static", "wheel": "Grp_Exterior_Dynamic"},
        lamp_name="Grp_Light_{kind}_{side}_{number}",
        rear_axle="Grp_Rear_Axle_Center",
    ),
}  # fmt: skip


def node_name(preset: Preset, role: str) -> str:
    """The name of the node that carries the mesh of a role: for a chain of nodes the innermost."""
    return preset.wheels[role][-1] if role in preset.wheels else preset.names.get(role, role)


def material_name(preset: Preset, name: str) -> str:
    """tail_lens_tail_brake -> LightGlass_Ext_Tail_tail_brake, where the preset has a word for it."""
    for ours, theirs in preset.materials.items():
        if name == ours or name.startswith(f"{ours}_"):
            return theirs + name[len(ours) :]
    return name


def lamp_names(preset: Preset, lamps: Mapping[str, tuple[list[str], str]]) -> dict[str, str]:
    """Role -> name in the file, of lamps given by role as (kinds, Left or Right); empty where a preset keeps our names.

    Of a lamp with several kinds the first of LAMP_KINDS counts; lamps of one kind and side are numbered in the order of their roles.
    """
    if not preset.lamp_name:
        return {}
    found: dict[str, str] = {}
    count: dict[tuple[str, str], int] = {}
    for role, (kinds, side) in sorted(lamps.items()):
        kind = next((name for name in LAMP_KINDS if name in kinds), None)
        if kind is not None:
            number = count[kind, side] = count.get((kind, side), -1) + 1
            found[role] = preset.lamp_name.format(kind=LAMP_KINDS[kind], side=side, number=number)
    return found
