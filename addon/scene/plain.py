"""A car's materials as other programs can read them: one look, wired straight, with the artist's present figures."""

from __future__ import annotations

import bpy

from .made import MADE, ROLE, SPEC, socket_of
from .materials import FADE, LOOK, PHOTO, PHOTO_LOOK_KEEPS, RIBS, SHADER


def plain_material(material: bpy.types.Material, photo: bpy.types.Image | None) -> bpy.types.Material:
    """A copy of one of our materials in the photo look, or without `photo` in the clean look, lamps dark.

    Figures are those in the nodes now.  What the artist plugged in himself stays as it is.  The caller removes the copy.
    """
    copy = material.copy()
    for key in (SPEC, MADE, ROLE):
        copy.pop(key, None)
    shader = copy.node_tree.nodes.get(SHADER) if copy.node_tree else None
    if shader is None:
        return copy
    links = copy.node_tree.links
    for name, fade in FADE.items():
        clean = socket_of(copy, fade, "Value_001")
        if clean is not None and _comes_from(shader.inputs[name], fade):
            _unplug(links, shader.inputs[name])
            shader.inputs[name].default_value = clean.default_value * (PHOTO_LOOK_KEEPS[name] if photo else 1.0)
    if _comes_from(shader.inputs["Base Color"], LOOK):
        _choose_color(copy, shader.inputs["Base Color"], photo)
    if _comes_from(shader.inputs["Emission Strength"], "lamp "):
        _unplug(links, shader.inputs["Emission Strength"])
        shader.inputs["Emission Strength"].default_value = 0.0
    if _comes_from(shader.inputs["Normal"], RIBS):
        _unplug(links, shader.inputs["Normal"])
    return copy


def _choose_color(material: bpy.types.Material, sink: bpy.types.NodeSocket, photo: bpy.types.Image | None) -> None:
    """Plug what the mix would show into the base colour itself."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    side = socket_of(material, LOOK, "B_Color" if photo else "A_Color")
    if side is None:
        return
    if photo is not None and _comes_from(side, PHOTO):
        texture = nodes.new("ShaderNodeTexImage")
        texture.image = photo
        links.new(texture.outputs["Color"], sink)
    elif side.is_linked:
        links.new(side.links[0].from_socket, sink)
    else:
        _unplug(links, sink)
        sink.default_value = side.default_value


def _comes_from(socket: bpy.types.NodeSocket, name: str) -> bool:
    return socket.is_linked and socket.links[0].from_node.name.startswith(name)


def _unplug(links: bpy.types.NodeLinks, socket: bpy.types.NodeSocket) -> None:
    for link in list(socket.links):
        links.remove(link)
