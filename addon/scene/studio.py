"""A photographer's studio around a car: soft sky, three large lamps, a floor that fades into the backdrop; and renders in it."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable
from pathlib import Path

import _cycles  # type: ignore[import-not-found]
import bpy
import numpy as np
from mathutils import Matrix, Vector

from ...core.types import Camera
from ..quiet import quiet_stdout
from .camera import add_photo_camera
from .floor import BACKDROP_LINEAR, add_floor, camera_above, faded, let_shine, under_view
from .scene import CarObjects

FRAME_PX = 4  # the denoiser spoils the border of what it gets
LENS_MM = 70.0  # long enough that a car keeps its proportions


def add_sky(scene: bpy.types.Scene) -> None:
    """A soft world, bright above and darker below, so that a render of the saved file shows something."""
    world = bpy.data.worlds.new("soft_sky")
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    place, split, ramp = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeSeparateXYZ"), nodes.new("ShaderNodeValToRGB")
    height = nodes.new("ShaderNodeMapRange")
    height.inputs["From Min"].default_value = -1.0
    for position, value in ((0.0, 0.12), (0.49, 0.16), (0.56, 0.36), (1.0, 0.62)):
        stop = ramp.color_ramp.elements.new(position) if 0 < position < 1 else ramp.color_ramp.elements[int(position)]
        stop.color = (value * 0.97, value * 0.99, value, 1)
    links.new(place.outputs["Generated"], split.inputs[0])
    links.new(split.outputs["Z"], height.inputs["Value"])
    links.new(height.outputs["Result"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], nodes["Background"].inputs["Color"])
    scene.world = world


def add_lamps(scene: bpy.types.Scene, size_m: tuple[float, float, float]) -> None:
    """Three large soft lamps round a car of the given length, width and height at the origin; cameras do not see them."""
    length_m, width_m, height_m = size_m
    softboxes = (  # place in car lengths, size in car lengths, watts per square metre
        ((0.0, 0.0, 1.1), (0.9, 1.5), 6),
        ((1.2, -0.9, 0.75), (0.9, 0.5), 20),
        ((-1.2, 0.9, 0.7), (0.9, 0.5), 16),
    )
    target = Vector((0, 0, height_m / 2))
    lamps = [
        _softbox(scene, Vector(place) * length_m, target, (wide * length_m, high * length_m), power)
        for place, (wide, high), power in softboxes
    ]
    for lamp in lamps:
        lamp.visible_camera = False
        lamp.visible_glossy = False  # their mirror images would bleach hood and trunk and end in the middle of a window


def draw_studio(car: CarObjects, cameras: list[Camera], size_m: tuple[float, float, float]) -> list[np.ndarray]:
    """(H, W, 3) float32 display values for each camera: the car of the given length, width and height in the studio.

    Leaves lamps and floor in the active scene, which needs set_quick_cycles.
    """
    scene = bpy.context.scene
    add_lamps(scene, size_m)
    floor = add_floor(scene, size_m[0])
    _show_to_cameras(car.meshes, False)
    paper = render(scene, camera_above(size_m[0]))[..., :3]
    _show_to_cameras(car.meshes, True)
    let_shine(floor, paper, size_m[0])
    _show_backdrop(scene)
    corners = np.array([thing.matrix_world @ Vector(corner) for thing in car.meshes for corner in thing.bound_box])
    views = []
    for camera in cameras:
        view = under_view(faded(paper), camera, size_m[0])
        around, (left, top, right, bottom) = _box_px(camera, corners, 2 * FRAME_PX), _box_px(camera, corners, FRAME_PX)
        seen = render(scene, camera, box_px=around)[..., :3]
        view[top:bottom, left:right] = seen[top - around[1] :, left - around[0] :][: bottom - top, : right - left]
        views.append(view)
    return views


def set_quick_cycles(scene: bpy.types.Scene, size_px: tuple[int, int], samples: int = 8) -> None:
    """Cycles on the CPU, few samples a pixel, denoised, for a scene with add_sky.

    Plain sRGB, since the photo texture already went through a camera's tone curve.
    """
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = size_px
    scene.render.resolution_percentage = 100
    scene.render.use_persistent_data = True
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    scene.render.image_settings.compression = 0
    scene.view_settings.view_transform = "Standard"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.use_adaptive_sampling = "CPU", samples, False
    cycles.use_denoising = _cycles.with_openimagedenoise  # some distributions build Blender without it, and then a render fails
    cycles.denoising_quality, cycles.denoising_prefilter = "FAST", "FAST"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 2
    cycles.use_light_tree = False  # three lamps need none
    scene.world.cycles.sampling_method = "NONE"  # the sky is soft; its importance map takes longer than a render
    cycles.caustics_reflective = cycles.caustics_refractive = False


def orbit_camera(
    azimuth_deg: float, elevation_deg: float, size_m: tuple[float, float, float], image_size_px: tuple[int, int], middle_y_m: float = 0.0
) -> Camera:
    """Looks at the middle of the car from far enough to hold all of it; azimuth 0 sees the nose, 90 the left flank.

    middle_y_m: where nose and tail are equally far, since the car frame's origin lies midway between the axles."""
    azimuth, elevation = math.radians(azimuth_deg), math.radians(elevation_deg)
    toward = Vector((math.sin(azimuth) * math.cos(elevation), -math.cos(azimuth) * math.cos(elevation), math.sin(elevation)))
    right = Vector((math.cos(azimuth), math.sin(azimuth), 0))
    length_m, width_m, height_m = size_m
    across_m = abs(right.x) * width_m + abs(right.y) * length_m
    upright_m = height_m * math.cos(elevation) + (abs(toward.x) * width_m + abs(toward.y) * length_m) * math.sin(elevation)
    aspect = image_size_px[0] / image_size_px[1]
    distance_m = 1.06 * max(across_m, upright_m * aspect) * LENS_MM / 36.0 + (abs(toward.x) * width_m + abs(toward.y) * length_m) / 3
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([right, toward.cross(right), toward]).T
    matrix[:3, 3] = toward * distance_m + Vector((0, middle_y_m, height_m * 0.47))
    return Camera(image_size_px, LENS_MM, matrix)


def render(
    scene: bpy.types.Scene, camera: Camera, transparent: bool = False, box_px: tuple[int, int, int, int] | None = None
) -> np.ndarray:
    """(H, W, 4) float32 display values 0..1 with straight alpha; the camera's image size decides the picture's.

    Given a box (left, top, right, bottom), only that part of the picture.
    """
    thing = add_photo_camera(camera, None, scene.collection)
    scene.camera = thing
    width, height = scene.render.resolution_x, scene.render.resolution_y = camera.image_size_px
    scene.render.film_transparent = transparent
    left, top, right, bottom = box_px or (0, 0, width, height)
    scene.render.use_border = scene.render.use_crop_to_border = box_px is not None
    # a quarter of a pixel more, so that it does not matter how Blender rounds
    scene.render.border_min_x, scene.render.border_max_x = (left + 0.25) / width, (right + 0.25) / width
    scene.render.border_min_y, scene.render.border_max_y = 1 - (bottom - 0.25) / height, 1 - (top - 0.25) / height
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "render.png")
        with quiet_stdout():
            bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(scene.render.filepath)
        pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
        image.pixels.foreach_get(pixels)
        shape = (image.size[1], image.size[0], 4)
        bpy.data.images.remove(image)
    bpy.data.cameras.remove(thing.data)
    return pixels.reshape(shape)[::-1]


def _box_px(camera: Camera, points: np.ndarray, spare_px: int) -> tuple[int, int, int, int]:
    """left, top, right, bottom of what holds the points (N, 3) in metres, with so much to spare, within the picture."""
    size_px = np.array(camera.image_size_px)
    local = (points - camera.camera_to_car[:3, 3]) @ camera.camera_to_car[:3, :3]
    focal = camera.lens_mm / camera.sensor_width_mm * size_px.max()
    px = size_px / 2 + focal * local[:, :2] * [1, -1] / -local[:, 2:]
    left, top = np.clip(np.floor(px.min(0)) - spare_px, 0, size_px - 1).astype(int).tolist()
    right, bottom = np.clip(np.ceil(px.max(0)) + spare_px, 1, size_px).astype(int).tolist()
    return left, top, right, bottom


def _show_backdrop(scene: bpy.types.Scene) -> None:
    """The camera sees one plain colour where the car sees the sky."""
    nodes, links = scene.world.node_tree.nodes, scene.world.node_tree.links
    path, plain, mix = nodes.new("ShaderNodeLightPath"), nodes.new("ShaderNodeBackground"), nodes.new("ShaderNodeMixShader")
    plain.inputs["Color"].default_value = (*BACKDROP_LINEAR, 1)
    links.new(path.outputs["Is Camera Ray"], mix.inputs["Fac"])
    links.new(nodes["Background"].outputs[0], mix.inputs[1])
    links.new(plain.outputs[0], mix.inputs[2])
    links.new(mix.outputs[0], nodes["World Output"].inputs["Surface"])


def _show_to_cameras(things: Iterable[bpy.types.Object], shown: bool) -> None:
    """What cameras do not see still throws shadows and is mirrored."""
    for thing in things:
        thing.visible_camera = shown


def _softbox(scene: bpy.types.Scene, place: Vector, target: Vector, size_m: tuple[float, float], watts_per_m2: float) -> bpy.types.Object:
    data = bpy.data.lights.new("softbox", "AREA")
    data.shape, data.size, data.size_y = "RECTANGLE", *size_m
    data.energy = watts_per_m2 * size_m[0] * size_m[1]
    thing = bpy.data.objects.new("softbox", data)
    thing.matrix_world = Matrix.Translation(place) @ (target - place).to_track_quat("-Z", "Y").to_matrix().to_4x4()
    scene.collection.objects.link(thing)
    return thing
