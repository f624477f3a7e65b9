"""MaterialSpec -> Principled BSDF materials whose clean colour gives way to the photo texture.

Materials hold no drivers.  They read properties of the object that wears them (Attribute nodes of type Object): photo_look, and
on a lamp the brightness of each of its kinds.  So duplicates of a car may share materials and still shine on their own.
"""

from __future__ import annotations

import bpy

from ...core.types import MaterialSpec
from .made import ITSELF, Figure, Figures, socket_of, write_figures

# What a lamp gives when its property is 1: linear RGB and strength, chosen to read in daylight without bleaching the lens.
EMISSION_OF_KIND = {
    "headlight": ((1.0, 0.90, 0.75), 12.0),
    "high_beam": ((1.0, 0.95, 0.88), 20.0),
    "daytime": ((1.0, 0.97, 0.94), 4.0),
    "tail": ((1.0, 0.006, 0.003), 2.0),
    "brake": ((1.0, 0.006, 0.003), 8.0),
    "indicator": ((1.0, 0.13, 0.002), 4.0),
    "reverse": ((1.0, 0.95, 0.90), 8.0),
    "fog": ((1.0, 0.92, 0.80), 9.0),
}
GLASS_ROUGHNESS = 0.03
PHOTO_LOOK_KEEPS = {"Metallic": 0.0, "Coat Weight": 0.25}  # the photograph already holds the reflections of metal and clear coat
SHADER, LOOK, PHOTO, RIBS = (
    "Principled BSDF",
    "look",
    "photo",
    "ribs",
)  # names of our nodes; lamp nodes are named after their place in `kinds`
FADE = {"Metallic": "metallic by look", "Coat Weight": "coat by look"}
LENS_RIB_M = 0.016  # spacing of the ribs pressed into a lamp lens


def photo_group(name: str, image: bpy.types.Image) -> bpy.types.NodeTree:
    """The photo texture as one node group that all materials of a car share.

    Outputs: Color; Factor from the object's photo_look; by what to multiply the figures in PHOTO_LOOK_KEEPS.
    """
    group = bpy.data.node_groups.new(name, "ShaderNodeTree")
    group.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
    group.interface.new_socket("Factor", in_out="OUTPUT", socket_type="NodeSocketFloat")
    nodes = group.nodes
    output = _node(nodes, "NodeGroupOutput", (300, 0))
    texture = _node(nodes, "ShaderNodeTexImage", (0, 100), PHOTO)
    texture.image = image
    factor = _object_property(nodes, "photo_look", (0, -200))
    group.links.new(texture.outputs["Color"], output.inputs["Color"])
    group.links.new(factor, output.inputs["Factor"])
    for row, (socket, left) in enumerate(PHOTO_LOOK_KEEPS.items()):
        group.interface.new_socket(socket, in_out="OUTPUT", socket_type="NodeSocketFloat")
        share = _node(nodes, "ShaderNodeMath", (150, -200 - 170 * row))
        share.label, share.operation = socket, "MULTIPLY_ADD"
        share.inputs[1].default_value, share.inputs[2].default_value = left - 1.0, 1.0
        group.links.new(factor, share.inputs[0])
        group.links.new(share.outputs[0], output.inputs[socket])
    return group


class MaterialMaker:
    """Makes the materials of one car.  Nodes are wired once for each shape of tree and copied from then on, which is ten times faster."""

    def __init__(self, photo: bpy.types.NodeTree) -> None:
        self._photo = photo
        self._wired: dict[tuple[bool, int], bpy.types.Material] = {}

    def make(self, name: str, spec: MaterialSpec, kinds: tuple[str, ...] = ()) -> bpy.types.Material:
        """One material; `kinds` are the lamp kinds that light it, none for parts that are no lamps."""
        shape = (spec.uses_photo, len(kinds))
        if shape in self._wired:
            material = self._wired[shape].copy()
            material.name = name
        else:
            material = self._wired[shape] = _wire(name, self._photo if spec.uses_photo else None, len(kinds))
        for row, kind in enumerate(kinds):
            reader = material.node_tree.nodes[_reader(row)]
            reader.attribute_name = reader.label = material.node_tree.nodes[_gain(row)].label = kind
        write_figures(material, spec, figures_of(spec, kinds))
        return material


def figures_of(spec: MaterialSpec, kinds: tuple[str, ...] = ()) -> Figures:
    """Every figure of the material by node and socket.  Glass stays opaque, dark and mirror-like: no interior is modelled behind it."""
    glass = spec.transmission > 0
    color = (*spec.base_color_linear, 1.0)
    shader: dict[str, Figure] = {
        "Base Color": color,
        "Metallic": spec.metallic,
        "Roughness": min(spec.roughness, GLASS_ROUGHNESS) if glass else spec.roughness,
        "Coat Weight": max(spec.coat, 0.5) if glass else spec.coat,
        "Coat Roughness": GLASS_ROUGHNESS,
    }
    if kinds:
        shader["Emission Color"] = (*EMISSION_OF_KIND[kinds[0]][0], 1.0)
    elif any(spec.emission_linear):
        shader |= {"Emission Color": (*spec.emission_linear, 1.0), "Emission Strength": 1.0}
    # the material's own figures are what Solid view shows
    figures: Figures = {ITSELF: {"diffuse_color": color, "roughness": spec.roughness, "metallic": spec.metallic}, SHADER: shader}
    if spec.uses_photo:
        figures[LOOK] = {"A_Color": color}
        for socket, fade in FADE.items():
            figures[fade] = {"Value_001": shader[socket]}
    for row, kind in enumerate(kinds):
        figures[_gain(row)] = {"Value_001": EMISSION_OF_KIND[kind][1]}
    return figures


def clean_color_socket(material: bpy.types.Material) -> bpy.types.NodeSocket | None:
    """The input that holds the clean look's colour (linear RGBA), for panels and exports; None where the artist rebuilt the tree."""
    return socket_of(material, LOOK, "A_Color") or socket_of(material, SHADER, "Base Color")


def shader_socket(material: bpy.types.Material, name: str) -> bpy.types.NodeSocket | None:
    """The input that holds a figure of the clean look: "Roughness", "Metallic", "Coat Weight", "Base Color" ..."""
    if name == "Base Color":
        return clean_color_socket(material)
    return (socket_of(material, FADE[name], "Value_001") if name in FADE else None) or socket_of(material, SHADER, name)


def _wire(name: str, photo: bpy.types.NodeTree | None, kinds: int) -> bpy.types.Material:
    """The nodes and links without figures."""
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True  # from 5.0 on a material has them at birth, and 5.x warns about the property
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = next(node for node in nodes if node.type == "BSDF_PRINCIPLED")
    shader.name = SHADER  # Blender may have named it in the user's language
    if photo is not None:
        group = _node(nodes, "ShaderNodeGroup", (-700, 200), PHOTO)
        group.node_tree = photo
        mix = _node(nodes, "ShaderNodeMix", (-350, 300), LOOK)
        mix.data_type = "RGBA"
        links.new(group.outputs["Factor"], _socket(mix.inputs, "Factor", "VALUE"))
        links.new(group.outputs["Color"], _socket(mix.inputs, "B", "RGBA"))
        links.new(_socket(mix.outputs, "Result", "RGBA"), shader.inputs["Base Color"])
        for row, (socket, fade_name) in enumerate(FADE.items()):
            fade = _node(nodes, "ShaderNodeMath", (-350, 50 - 170 * row), fade_name)
            fade.label, fade.operation = socket, "MULTIPLY"
            links.new(group.outputs[socket], fade.inputs[0])
            links.new(fade.outputs[0], shader.inputs[socket])
    if kinds:
        _light_up(material, shader, kinds)
        _press_ribs(material, shader)
    return material


def _light_up(material: bpy.types.Material, shader: bpy.types.Node, kinds: int) -> None:
    """Emission Strength = sum over the kinds of object property x strength; the colour is the first kind's."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    total: bpy.types.NodeSocket | None = None
    for row in range(kinds):
        scale = _node(nodes, "ShaderNodeMath", (-350, -300 - 220 * row), _gain(row))
        scale.operation = "MULTIPLY_ADD"
        scale.inputs[2].default_value = 0.0
        links.new(_object_property(nodes, "", (-700, -300 - 220 * row), _reader(row)), scale.inputs[0])
        if total is not None:
            links.new(total, scale.inputs[2])
        total = scale.outputs[0]
    links.new(total, shader.inputs["Emission Strength"])


def _reader(row: int) -> str:
    return f"lamp {row + 1}"


def _gain(row: int) -> str:
    return f"lamp {row + 1} strength"


def _press_ribs(material: bpy.types.Material, shader: bpy.types.Node) -> None:
    """Fine upright ribs across the lens, which tell a lamp from a painted panel while it is dark."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    place, wave = (_node(nodes, kind, (x, -900)) for kind, x in (("ShaderNodeTexCoord", -900), ("ShaderNodeTexWave", -700)))
    bump = _node(nodes, "ShaderNodeBump", (-350, -900), RIBS)
    wave.bands_direction = "DIAGONAL"
    wave.inputs["Scale"].default_value = 0.1 * 3.14 / LENS_RIB_M  # Blender's wave of scale 1 repeats every pi / 10 metres
    bump.inputs["Strength"].default_value = 0.25
    bump.inputs["Distance"].default_value = 0.004
    links.new(place.outputs["Object"], wave.inputs["Vector"])
    links.new(wave.outputs[1], bump.inputs["Height"])  # Fac, which 5.x may call Factor
    links.new(bump.outputs["Normal"], shader.inputs["Normal"])


def _object_property(nodes: bpy.types.Nodes, name: str, location: tuple[float, float], node_name: str = "") -> bpy.types.NodeSocket:
    """Output socket that reads a custom property of the object being shaded."""
    attribute = _node(nodes, "ShaderNodeAttribute", location, node_name)
    attribute.attribute_type, attribute.attribute_name, attribute.label = "OBJECT", name, name
    return attribute.outputs[2]  # Fac, which 5.x may call Factor


def _node(nodes: bpy.types.Nodes, kind: str, location: tuple[float, float], name: str = "") -> bpy.types.Node:
    node = nodes.new(kind)
    node.location = location
    if name:
        node.name = name
    return node


def _socket(sockets: bpy.types.bpy_prop_collection, name: str, kind: str) -> bpy.types.NodeSocket:
    """The Mix node has sockets of one name for every type; only one of them fits."""
    return next(socket for socket in sockets if socket.name == name and socket.type == kind)
