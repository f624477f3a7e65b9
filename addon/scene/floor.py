"""The studio's floor: white paper that fades into the backdrop.

Paper looks the same from everywhere.  So it is rendered once from above, with the car's shadow and without the car, and from then on it
shines as that picture, in every view and on the car; lit anew for each ray it took longer than all the rest.
"""

from __future__ import annotations

import bpy
import cv2
import numpy as np

from ...core.types import Camera
from .image import packed_image

BACKDROP_LINEAR = (0.80, 0.81, 0.83)
PAPER_LINEAR = (0.55, 0.55, 0.56)
FADE_LENGTHS = (0.75, 1.6)  # the paper gives way to the backdrop between these distances from the car's middle, in lengths of the car
PICTURE_PX = 160
ABOVE_M, SENSOR_MM = 2.0, 36.0


def add_floor(scene: bpy.types.Scene, length_m: float) -> bpy.types.Object:
    """A plane of paper under a car of this length."""
    half = 3 * length_m
    data = bpy.data.meshes.new("floor")
    data.from_pydata([(-half, -half, 0), (half, -half, 0), (half, half, 0), (-half, half, 0)], [], [(0, 1, 2, 3)])
    data.materials.append(bpy.data.materials.new("paper"))
    nodes = _nodes(data.materials[0])
    paper = nodes.new("ShaderNodeBsdfDiffuse")  # half the cost of a Principled BSDF
    paper.inputs["Color"].default_value = (*PAPER_LINEAR, 1)
    data.materials[0].node_tree.links.new(paper.outputs[0], nodes["Material Output"].inputs["Surface"])
    thing = bpy.data.objects.new("floor", data)
    scene.collection.objects.link(thing)
    return thing


def camera_above(length_m: float) -> Camera:
    """Sees as much of the floor as is not backdrop, +Y up; a plane is shown undistorted from any height."""
    matrix = np.eye(4)
    matrix[2, 3] = ABOVE_M
    return Camera((PICTURE_PX, PICTURE_PX), SENSOR_MM * ABOVE_M / (2 * FADE_LENGTHS[1] * length_m), matrix, SENSOR_MM)


def faded(paper_srgb01: np.ndarray) -> np.ndarray:
    """(S, S, 3) display values: the paper as camera_above sees it, its border faded into the backdrop, so that there is no horizon."""
    side = np.linspace(-1, 1, 2 * len(paper_srgb01) + 1)[1::2] * FADE_LENGTHS[1]
    away = np.clip((np.hypot(side, side[:, None]) - FADE_LENGTHS[0]) / (FADE_LENGTHS[1] - FADE_LENGTHS[0]), 0, 1)[..., None]
    share = away * away * (3 - 2 * away)
    linear = np.where(paper_srgb01 <= 0.04045, paper_srgb01 / 12.92, ((paper_srgb01 + 0.055) / 1.055) ** 2.4)
    mixed = np.clip(
        linear * (1 - share) + np.array(BACKDROP_LINEAR) * share, 0.0031308, 1
    )  # as bright as paper, so without the curve's foot
    return (1.055 * mixed ** (1 / 2.4) - 0.055).astype(np.float32)


def under_view(floor_srgb01: np.ndarray, camera: Camera, length_m: float) -> np.ndarray:
    """(H, W, 3) display values: what a camera sees of the faded floor and the backdrop behind."""
    width, height = camera.image_size_px
    focal = camera.lens_mm / camera.sensor_width_mm * max(width, height)
    across, down = np.arange(width) + 0.5 - width / 2, np.arange(height)[:, None] + 0.5 - height / 2
    rotation, place = camera.camera_to_car[:3, :3], camera.camera_to_car[:3, 3]
    x, y, z = (row[0] * across - row[1] * down - row[2] * focal for row in rotation)
    reach = place[2] / np.maximum(-z, 1e-6)  # along rays that do not meet the ground, very far
    scale, middle = len(floor_srgb01) / (2 * FADE_LENGTHS[1] * length_m), len(floor_srgb01) / 2 - 0.5
    column, row = middle + scale * (place[0] + reach * x), middle - scale * (place[1] + reach * y)
    column, row = (np.clip(values, -1, len(floor_srgb01)).astype(np.float32) for values in (column, row))
    return cv2.remap(floor_srgb01, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def let_shine(floor: bpy.types.Object, paper_srgb01: np.ndarray, length_m: float) -> None:
    """The floor shines as camera_above saw it (H, W, 3), near the car, and is transparent far away."""
    material = floor.data.materials[0]
    material.cycles.emission_sampling = "NONE"  # found by chance often enough
    nodes, links = _nodes(material), material.node_tree.links
    place, distance, fade = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeVectorMath"), nodes.new("ShaderNodeMapRange")
    distance.operation, fade.interpolation_type = "LENGTH", "SMOOTHSTEP"
    for socket, lengths in zip(("From Min", "From Max"), FADE_LENGTHS, strict=True):
        fade.inputs[socket].default_value = lengths * length_m
    uv, picture, light = nodes.new("ShaderNodeVectorMath"), nodes.new("ShaderNodeTexImage"), nodes.new("ShaderNodeEmission")
    uv.operation = "MULTIPLY_ADD"
    span = 2 * FADE_LENGTHS[1] * length_m
    uv.inputs[1].default_value, uv.inputs[2].default_value = (1 / span, 1 / span, 0), (0.5, 0.5, 0)
    picture.image, picture.extension = packed_image("floor", paper_srgb01), "EXTEND"
    clear, mix = nodes.new("ShaderNodeBsdfTransparent"), nodes.new("ShaderNodeMixShader")
    links.new(place.outputs["Object"], distance.inputs[0])
    links.new(place.outputs["Object"], uv.inputs[0])
    links.new(distance.outputs["Value"], fade.inputs["Value"])
    links.new(uv.outputs[0], picture.inputs["Vector"])
    links.new(picture.outputs["Color"], light.inputs["Color"])
    links.new(fade.outputs["Result"], mix.inputs["Fac"])
    links.new(light.outputs[0], mix.inputs[1])
    links.new(clear.outputs[0], mix.inputs[2])
    links.new(mix.outputs[0], nodes["Material Output"].inputs["Surface"])


def _nodes(material: bpy.types.Material) -> bpy.types.Nodes:
    if material.node_tree is None:
        material.use_nodes = True  # from 5.0 on a material has them at birth, and 5.x warns about the property
    return material.node_tree.nodes
