"""MaterialSpec -> Principled BSDF materials whose clean colour gives way to the photo texture.

Materials hold no drivers.  They read properties of the object that wears them (Attribute nodes of type Object): photo_look, and
on a lamp the brightness of each of its kinds.  So duplicates of a car may share materials and still shine on their own.
"""

from __future__ import annotations

import bpy

from ...core.types import MaterialSpec

# What a lamp gives when its property is 1: linear RGB and strength, chosen to read in daylight without bleaching the lens.
EMISSION_OF_KIND = {
    "headlight": ((1.0, 0.90, 0.75), 12.0),
    "high_beam": ((1.0, 0.95, 0.88), 20.0),
    "tail": ((1.0, 0.006, 0.003), 2.0),
    "brake": ((1.0, 0.006, 0.003), 8.0),
    "indicator": ((1.0, 0.13, 0.002), 4.0),
    "reverse": ((1.0, 0.95, 0.90), 8.0),
    "fog": ((1.0, 0.92, 0.80), 9.0),
}
GLASS_ROUGHNESS = 0.03
PHOTO_LOOK_KEEPS = {"Metallic": 0.0, "Coat Weight": 0.25}  # the photograph already holds the reflections of metal and clear coat
LENS_RIB_M = 0.016  # spacing of the ribs pressed into a lamp lens


def photo_group(name: str, image: bpy.types.Image) -> bpy.types.NodeTree:
    """The photo texture as one node group that all materials of a car share: Color, and Factor from the object's photo_look."""
    group = bpy.data.node_groups.new(name, "ShaderNodeTree")
    group.interface.new_socket("Color", in_out="OUTPUT", socket_type="NodeSocketColor")
    group.interface.new_socket("Factor", in_out="OUTPUT", socket_type="NodeSocketFloat")
    nodes = group.nodes
    output = _node(nodes, "NodeGroupOutput", (300, 0))
    texture = _node(nodes, "ShaderNodeTexImage", (0, 100))
    texture.image = image
    factor = _object_property(nodes, "photo_look", (0, -200))
    group.links.new(texture.outputs["Color"], output.inputs["Color"])
    group.links.new(factor, output.inputs["Factor"])
    return group


def build_material(name: str, spec: MaterialSpec, photo: bpy.types.NodeTree, kinds: tuple[str, ...] = ()) -> bpy.types.Material:
    """One material; `kinds` are the lamp kinds that light it, none for parts that are no lamps."""
    material, shader = _principled(name, spec)
    nodes, links = material.node_tree.nodes, material.node_tree.links
    if spec.uses_photo:
        group = _node(nodes, "ShaderNodeGroup", (-700, 200))
        group.node_tree = photo
        mix = _node(nodes, "ShaderNodeMix", (-350, 300))
        mix.data_type = "RGBA"
        links.new(group.outputs["Factor"], _socket(mix.inputs, "Factor", "VALUE"))
        links.new(group.outputs["Color"], _socket(mix.inputs, "B", "RGBA"))
        _socket(mix.inputs, "A", "RGBA").default_value = (*spec.base_color_linear, 1)
        links.new(_socket(mix.outputs, "Result", "RGBA"), shader.inputs["Base Color"])
        for socket, left in PHOTO_LOOK_KEEPS.items():
            if shader.inputs[socket].default_value > 0:
                _fade(material, group.outputs["Factor"], shader.inputs[socket], left)
    if kinds:
        _light_up(material, shader, kinds)
        _press_ribs(material, shader)
    return material


def build_export_material(name: str, spec: MaterialSpec, image: bpy.types.Image) -> bpy.types.Material:
    """The photo look alone, wired as glTF can say it: picture straight into Base Color, or plain figures."""
    material, shader = _principled(name, spec)
    if spec.uses_photo:
        texture = _node(material.node_tree.nodes, "ShaderNodeTexImage", (-350, 300))
        texture.image = image
        material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
        for socket, left in PHOTO_LOOK_KEEPS.items():
            shader.inputs[socket].default_value *= left
    return material


def _principled(name: str, spec: MaterialSpec) -> tuple[bpy.types.Material, bpy.types.Node]:
    """The figures of the spec.  Glass stays opaque, dark and mirror-like: behind it no interior is modelled that it could show."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    material.diffuse_color = (*spec.base_color_linear, 1)
    material.roughness, material.metallic = spec.roughness, spec.metallic  # what Solid view shows
    shader = material.node_tree.nodes["Principled BSDF"]
    glass = spec.transmission > 0
    figures = {
        "Base Color": (*spec.base_color_linear, 1),
        "Metallic": spec.metallic,
        "Roughness": min(spec.roughness, GLASS_ROUGHNESS) if glass else spec.roughness,
        "Coat Weight": max(spec.coat, 0.5) if glass else spec.coat,
        "Coat Roughness": GLASS_ROUGHNESS,
    }
    if any(spec.emission_linear):
        figures |= {"Emission Color": (*spec.emission_linear, 1), "Emission Strength": 1.0}
    for socket, value in figures.items():
        shader.inputs[socket].default_value = value
    return material, shader


def _fade(material: bpy.types.Material, factor: bpy.types.NodeSocket, sink: bpy.types.NodeSocket, left: float) -> None:
    """The socket's own value in the clean look, `left` of it in the photo look."""
    value = sink.default_value
    fade = _node(material.node_tree.nodes, "ShaderNodeMath", (-350, 50 if sink.name == "Metallic" else -120))
    fade.label, fade.operation = sink.name, "MULTIPLY_ADD"
    fade.inputs[1].default_value, fade.inputs[2].default_value = value * (left - 1), value
    material.node_tree.links.new(factor, fade.inputs[0])
    material.node_tree.links.new(fade.outputs[0], sink)


def _light_up(material: bpy.types.Material, shader: bpy.types.Node, kinds: tuple[str, ...]) -> None:
    """Emission Strength = sum over the kinds of object property x strength; the colour is the first kind's."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader.inputs["Emission Color"].default_value = (*EMISSION_OF_KIND[kinds[0]][0], 1)
    total: bpy.types.NodeSocket | None = None
    for row, kind in enumerate(kinds):
        scale = _node(nodes, "ShaderNodeMath", (-350, -200 - 220 * row))
        scale.label, scale.operation = kind, "MULTIPLY_ADD"
        scale.inputs[1].default_value, scale.inputs[2].default_value = EMISSION_OF_KIND[kind][1], 0.0
        links.new(_object_property(nodes, kind, (-700, -200 - 220 * row)), scale.inputs[0])
        if total is not None:
            links.new(total, scale.inputs[2])
        total = scale.outputs[0]
    links.new(total, shader.inputs["Emission Strength"])


def _press_ribs(material: bpy.types.Material, shader: bpy.types.Node) -> None:
    """Fine upright ribs across the lens, which tell a lamp from a painted panel while it is dark."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    place, wave, bump = (
        _node(nodes, kind, (x, -900)) for kind, x in (("ShaderNodeTexCoord", -900), ("ShaderNodeTexWave", -700), ("ShaderNodeBump", -350))
    )
    wave.bands_direction = "DIAGONAL"
    wave.inputs["Scale"].default_value = 0.1 * 3.14 / LENS_RIB_M  # Blender's wave of scale 1 repeats every pi / 10 metres
    bump.inputs["Strength"].default_value = 0.25
    bump.inputs["Distance"].default_value = 0.004
    links.new(place.outputs["Object"], wave.inputs["Vector"])
    links.new(wave.outputs["Fac"], bump.inputs["Height"])
    links.new(bump.outputs["Normal"], shader.inputs["Normal"])


def _object_property(nodes: bpy.types.Nodes, name: str, location: tuple[float, float]) -> bpy.types.NodeSocket:
    """Output socket that reads a custom property of the object being shaded."""
    attribute = _node(nodes, "ShaderNodeAttribute", location)
    attribute.attribute_type, attribute.attribute_name, attribute.label = "OBJECT", name, name
    return attribute.outputs["Fac"]


def _node(nodes: bpy.types.Nodes, kind: str, location: tuple[float, float]) -> bpy.types.Node:
    node = nodes.new(kind)
    node.location = location
    return node


def _socket(sockets: bpy.types.bpy_prop_collection, name: str, kind: str) -> bpy.types.NodeSocket:
    """The Mix node has sockets of one name for every type; only one of them fits."""
    return next(socket for socket in sockets if socket.name == name and socket.type == kind)
