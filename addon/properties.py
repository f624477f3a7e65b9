"""What the panel's fields hold: the next car's photo and settings (for this session), and the measures of a car (with the car)."""

# no `from __future__ import annotations` here: Blender reads the properties from the evaluated annotations
import bpy

from ..core.car.measure_table import MEASURES
from ..core.types import BODY_TYPES
from .callbacks import chosen, getter, setter

SHARES = ("track_ratio", "nose_width", "tail_width", "roof_width", "hood_width", "b_pillar", "c_pillar", "roundness", "cab_drop")

QUALITIES = (
    ("draft", "Draft", "A quick look: the car as it is first read, without a fit; its texture has at most 1024 px"),
    ("normal", "Normal", "The usual choice"),
    ("high", "High", "A longer fit at more pixels"),
)
DEVICES = (
    ("auto", "Automatic", "Whatever has been measured to be fastest; at present the processor"),
    ("cpu", "Processor", "Works everywhere"),
    ("cuda", "Graphics Card", "An NVIDIA card, with a PyTorch that supports it"),
)
TEXTURES = (
    ("1024", "1024", "Quick to paint; for cars in the distance"),
    ("2048", "2048", "About as much as a photograph of the usual size shows"),
    ("4096", "4096", "For close-ups of large photographs; painting takes four times as long"),
)
UNSEEN = (
    ("plain", "Plain", "The photo's other flank mirrored, then the materials; the quicker, and the sharper one"),
    (
        "generator",
        "Generator",
        "Also ask the image generator for light and other sides; makes a sheet of twelve views, takes about 10 s more",
    ),
)
WHICH = "Of several cars: 1 makes the first from the left, 2 the second; 0 the largest in the middle. A box, where set, counts instead"
BOX = "Where the car is: left, top, right and bottom in pixels of the upright photo; all 0 for none. It counts instead of the car's number"
SEED = "Which car: the same number is the same car again"
TRUNCATION = "How far cars may be from the usual: 0 is the typical car of its body type, 1 anything that the generator can draw"
TOWARD = "Another invented car, and how far to go toward it: 0 stays, 1 is the other"
NAMED_BODIES = tuple((name, {"suv": "SUV", "citycar": "City Car"}.get(name, name.capitalize()), "") for name in BODY_TYPES)
BODIES = (("ANY", "Any", "As the seed has it"), *NAMED_BODIES)
BODIES_IN_PHOTOS = (("AUTO", "Automatic", "As the picture shows it"), *NAMED_BODIES)
BODY_IN_PHOTO = "What kind of car it is. Tell it where a car comes out as another kind: an SUV as a sedan, a hatchback with a trunk"
OWN_PAINT = "Paint the invented car in a colour of your own; else the seed decides"
SOURCES = (
    ("FILE", "File", "A picture on disk"),
    ("IMAGE", "In This File", "A picture that this Blender file already holds"),
)


class ImagoInputs(bpy.types.PropertyGroup):
    """On the window manager: not saved, not undone, no machine's paths in anybody's file."""

    source: bpy.props.EnumProperty(name="Photo From", items=SOURCES, default="FILE")  # type: ignore[valid-type]
    photo: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Photo",
        description="The photograph of a car; you can also drop one onto the viewport",
        subtype="FILE_PATH",
        update=chosen,
    )
    image: bpy.props.StringProperty(name="Image", description="A picture of this Blender file", update=chosen)  # type: ignore[valid-type]
    mask: bpy.props.StringProperty(  # type: ignore[valid-type]
        name="Mask",
        description="Optional picture of the photo's size, white where the car is; without it the car is cut out automatically",
        subtype="FILE_PATH",
    )
    which: bpy.props.IntProperty(name="Car", description=WHICH, min=0, max=20)  # type: ignore[valid-type]
    box: bpy.props.IntVectorProperty(name="Box", description=BOX, size=4, min=0, default=(0, 0, 0, 0))  # type: ignore[valid-type]
    seed: bpy.props.IntProperty(name="Seed", description=SEED, min=0)  # type: ignore[valid-type]
    variety: bpy.props.FloatProperty(name="Variety", description=TRUNCATION, min=0, max=1, default=0.7)  # type: ignore[valid-type]
    toward: bpy.props.IntProperty(name="Toward Seed", description=TOWARD, min=0)  # type: ignore[valid-type]
    share: bpy.props.FloatProperty(name="Share", description=TOWARD, min=0, max=1, default=0)  # type: ignore[valid-type]
    body: bpy.props.EnumProperty(name="Body", items=BODIES, default="ANY")  # type: ignore[valid-type]
    own_paint: bpy.props.BoolProperty(name="Own Paint", description=OWN_PAINT)  # type: ignore[valid-type]
    paint: bpy.props.FloatVectorProperty(  # type: ignore[valid-type]
        name="Paint", description=OWN_PAINT, subtype="COLOR_GAMMA", size=3, min=0, max=1, default=(0.6, 0.05, 0.05)
    )
    body_type: bpy.props.EnumProperty(name="Body", description=BODY_IN_PHOTO, items=BODIES_IN_PHOTOS, default="AUTO")  # type: ignore[valid-type]
    quality: bpy.props.EnumProperty(name="Quality", items=QUALITIES, default="normal")  # type: ignore[valid-type]
    texture: bpy.props.EnumProperty(name="Texture", items=TEXTURES, default="2048")  # type: ignore[valid-type]
    device: bpy.props.EnumProperty(name="Device", items=DEVICES, default="auto")  # type: ignore[valid-type]
    unseen: bpy.props.EnumProperty(name="Other Sides", items=UNSEEN, default="plain")  # type: ignore[valid-type]


def _slider(name: str, low: float, high: float, meaning: str) -> object:
    """A property whose value lives with the car's mesh; it moves the car as it moves."""
    return bpy.props.FloatProperty(
        name=name.replace("_", " ").capitalize(),
        description=f"{meaning[0].upper()}{meaning[1:]}",
        unit="NONE" if name in SHARES else "LENGTH",
        min=low,
        max=high,
        step=1,
        precision=3,
        get=getter(name),
        set=setter(name),
    )


class ImagoMeasures(bpy.types.PropertyGroup):
    """On every object; says something on the rig of a car."""

    __annotations__ = {m.name: _slider(m.name, m.low, m.high, m.meaning) for m in MEASURES}


CLASSES = (ImagoInputs, ImagoMeasures)


def attach() -> None:
    """After the classes are registered."""
    bpy.types.WindowManager.imago = bpy.props.PointerProperty(type=ImagoInputs)
    bpy.types.Object.imago = bpy.props.PointerProperty(type=ImagoMeasures)


def detach() -> None:
    del bpy.types.WindowManager.imago
    del bpy.types.Object.imago
