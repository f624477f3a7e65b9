"""Sky and ground of a photograph, drawn by lot: panoramas by day and night, asphalt, paving, grass, patterns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import bpy
import numpy as np

GROUND_M = 160.0
NIGHT_SHARE, LAMP_SHARE, SUN_SHARE = 0.1, 0.7, 0.25
DAY, NIGHT = (0.7, 2.2), (0.05, 0.25)  # light on level ground, 1 being what a view without exposure shows as it is
BARE_SHARE, FADE_SHARE = 0.04, 0.6  # no ground but the panorama's; ground that passes into it
LIGHT_MAP_PX = 256  # where the light comes from is looked up in a map of this width; Blender's own choice takes three seconds a picture
ROUGH_SHARE = 0.4  # of the grounds that are uneven, which costs as much time as all the rest of a picture
KINDS: dict[str, tuple[float, str, tuple[float, float], tuple[float, float], tuple[tuple[float, float, float], ...]]] = {
    # weight, texture, features a metre, albedo, tints
    "asphalt": (5, "Noise", (8, 40), (0.03, 0.16), ((1, 1, 1), (1, 0.97, 0.93), (0.95, 0.98, 1))),
    "concrete": (3, "Noise", (0.6, 6), (0.15, 0.5), ((1, 1, 1), (1, 0.96, 0.9), (0.96, 0.98, 1))),
    "paving": (3, "Brick", (0.8, 4), (0.1, 0.5), ((1, 1, 1), (1, 0.92, 0.82), (1, 0.7, 0.58))),
    "grass": (2, "Noise", (10, 50), (0.04, 0.2), ((0.5, 0.8, 0.2), (0.65, 0.85, 0.25), (0.8, 0.8, 0.35))),
    "gravel": (2, "Voronoi", (12, 50), (0.1, 0.45), ((1, 0.96, 0.9), (1, 0.86, 0.68), (0.95, 0.98, 1))),
    "earth": (1, "Noise", (2, 12), (0.06, 0.3), ((1, 0.75, 0.5), (1, 0.65, 0.42))),
    "snow": (0.5, "Noise", (0.5, 3), (0.6, 0.85), ((0.95, 0.98, 1),)),
    "floor": (1.2, "Noise", (0.05, 0.4), (0.02, 0.8), ((1, 1, 1),)),
    "checker": (0.6, "Checker", (0.5, 3), (0.05, 0.7), ((1, 1, 1), (1, 0.6, 0.5), (0.5, 0.7, 1))),
    "waves": (0.4, "Wave", (0.2, 1), (0.05, 0.6), ((1, 1, 1), (1, 0.9, 0.6))),
}


@dataclass(frozen=True)
class Panorama:
    """A loaded picture, the light it throws on level ground (luminance, over pi), and the colour of its lower half at that light."""

    image: bpy.types.Image
    light: float
    floor_linear: np.ndarray


@dataclass(frozen=True)
class Sky:
    """The nodes of the world that a new picture turns, a sun and a street lamp."""

    picture: bpy.types.Node
    turn: bpy.types.Node
    tint: bpy.types.Node
    background: bpy.types.Node
    sun: bpy.types.Object
    lamp: bpy.types.Object

    def look(self, panorama: Panorama, draw: Random) -> bool:
        """Another light; returns whether it is night."""
        night = draw.random() < NIGHT_SHARE
        light = math.exp(draw.uniform(*map(math.log, NIGHT if night else DAY)))
        warmth = draw.gauss(0, 0.3 if night else 0.08)
        self.picture.image = panorama.image
        self.turn.inputs["Rotation"].default_value[2] = draw.uniform(0, 2 * math.pi)
        self.tint.inputs[1].default_value = (math.exp(warmth), 1, math.exp(-warmth))
        self.background.inputs["Strength"].default_value = light / panorama.light
        self.sun.hide_render, self.lamp.hide_render = night or draw.random() > SUN_SHARE, not night or draw.random() > LAMP_SHARE
        self.sun.rotation_euler = (math.radians(draw.uniform(25, 75)), 0, draw.uniform(0, 2 * math.pi))
        self.sun.data.energy, self.sun.data.angle = light * draw.uniform(1, 4), math.radians(draw.uniform(0.5, 4))
        self.lamp.location = (draw.uniform(-7, 7), draw.uniform(-7, 7), draw.uniform(3.5, 8))
        self.lamp.data.energy, self.lamp.data.color = draw.uniform(150, 900), (1, draw.uniform(0.55, 1), draw.uniform(0.2, 1))
        return night


def load_panorama(file: Path) -> Panorama:
    """Read a panorama once and weigh its light, so that every picture can be exposed as a camera would do it."""
    image = bpy.data.images.load(str(file), check_existing=True)
    width, height = image.size
    flat = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(flat)
    pixels = flat.reshape(height, width, image.channels)[..., :3]  # row 0 looks down
    up = np.sin((np.arange(height) + 0.5) / height * np.pi - np.pi / 2)
    area = np.sqrt(1 - up**2)
    from_above = _weighted(pixels, up.clip(0) * area)
    band = _weighted(pixels, (np.abs(up) < 0.3) * area)
    below = _weighted(pixels, ((up < -0.15) & (up > -0.8)) * area)
    light = float(0.6 * from_above.mean() + 0.4 * band.mean())
    return Panorama(image, max(light, 1e-4), np.clip(below / max(light, 1e-4), 0.02, 0.7))


def _weighted(pixels: np.ndarray, weight_of_row: np.ndarray) -> np.ndarray:
    return (pixels.mean(1) * weight_of_row[:, None]).sum(0) / weight_of_row.sum()


def build_sky(scene: bpy.types.Scene) -> Sky:
    """A world that shows a panorama, a sun and a lamp."""
    world = bpy.data.worlds.new("sky")
    scene.world, world.use_nodes = world, True
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", LIGHT_MAP_PX
    tree = world.node_tree
    picture, turn, where, tint = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("TexEnvironment", "Mapping", "TexCoord", "VectorMath"))
    tint.operation, background = "MULTIPLY", tree.nodes["Background"]
    tree.links.new(where.outputs["Generated"], turn.inputs["Vector"])
    tree.links.new(turn.outputs["Vector"], picture.inputs["Vector"])
    tree.links.new(picture.outputs["Color"], tint.inputs[0])
    tree.links.new(tint.outputs[0], background.inputs["Color"])
    lights = [bpy.data.objects.new(name, bpy.data.lights.new(name, kind)) for name, kind in (("sun", "SUN"), ("lamp", "POINT"))]
    for light in lights:
        scene.collection.objects.link(light)
    lights[1].data.shadow_soft_size = 0.2
    return Sky(picture, turn, tint, background, *lights)


@dataclass(frozen=True)
class Ground:
    """A plane at z = 0 with one texture of each kind, of which one is linked to its colours."""

    plane: bpy.types.Object
    shader: bpy.types.Node
    textures: dict[str, bpy.types.Node]
    ramp: bpy.types.Node
    bump: bpy.types.Node
    stains: bpy.types.Node
    fade: bpy.types.Node

    def lay(self, floor_linear: np.ndarray, draw: Random) -> str:
        """Another ground, or none; at times of the panorama's own colour and passing into it.  Returns its name."""
        name = draw.choices(list(KINDS), [kind[0] for kind in KINDS.values()])[0]
        _, texture, scale, albedo, tints = KINDS[name]
        node, tree = self.textures[texture], self.plane.data.materials[0].node_tree
        output = next((node.outputs[key] for key in ("Fac", "Distance") if key in node.outputs), node.outputs[0])
        tree.links.new(output, self.ramp.inputs[0])
        for link in list(self.shader.inputs["Normal"].links):
            tree.links.remove(link)
        if name != "floor" and draw.random() < ROUGH_SHARE:
            tree.links.new(output, self.bump.inputs["Height"])
            tree.links.new(self.bump.outputs[0], self.shader.inputs["Normal"])
        node.inputs["Scale"].default_value = math.exp(draw.uniform(*map(math.log, scale)))
        self.bump.inputs["Strength"].default_value = draw.uniform(0.2, 0.6)
        self.shader.inputs["Roughness"].default_value = draw.uniform(0.03, 0.4) if name == "floor" else draw.uniform(0.45, 1)
        self._colour(albedo, np.array(draw.choice(tints)), floor_linear, name, draw)
        self.plane.hide_render = draw.random() < BARE_SHARE
        fades = draw.random() < FADE_SHARE
        near = draw.uniform(4, 14) if fades else GROUND_M
        self.fade.inputs["From Min"].default_value, self.fade.inputs["From Max"].default_value = near, near * draw.uniform(1.3, 2.5)
        return "none" if self.plane.hide_render else name

    def _colour(self, albedo: tuple[float, float], tint: np.ndarray, floor_linear: np.ndarray, name: str, draw: Random) -> None:
        grey = draw.uniform(*albedo)
        usual = grey * tint / tint.mean()
        if name not in ("checker", "waves") and draw.random() < 0.5:
            usual = floor_linear * draw.uniform(0.7, 1.2)
        contrast = draw.uniform(0.3, 0.9) if name in ("checker", "waves", "grass", "gravel", "paving") else draw.uniform(0.02, 0.5)
        for element, factor in zip(self.ramp.color_ramp.elements, (1 - contrast, 1 + contrast), strict=True):
            element.color = (*(usual * factor).clip(0.01, 0.9), 1)
        self.ramp.color_ramp.elements[0].position, self.ramp.color_ramp.elements[1].position = draw.uniform(0, 0.35), draw.uniform(0.65, 1)
        self.stains.inputs["Scale"].default_value = draw.uniform(0.1, 0.8)


def build_ground() -> Ground:
    """The plane and its material."""
    bpy.ops.mesh.primitive_plane_add(size=GROUND_M)
    plane, material = bpy.context.object, bpy.data.materials.new("ground")
    material.use_nodes, material.use_transparent_shadow = True, False  # else its texture is asked of every ray to a light below
    plane.data.materials.append(material)
    tree = material.node_tree
    shader, output, place = tree.nodes["Principled BSDF"], tree.nodes["Material Output"], tree.nodes.new("ShaderNodeTexCoord")
    textures = {name: tree.nodes.new(f"ShaderNodeTex{name}") for name in ("Noise", "Voronoi", "Brick", "Checker", "Wave")}
    stains, ramp, bump = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("TexNoise", "ValToRGB", "Bump"))
    for node in (*textures.values(), stains):
        tree.links.new(place.outputs["Object"], node.inputs["Vector"])
    textures["Noise"].inputs["Detail"].default_value = 3
    stains.inputs["Detail"].default_value = 1
    textures["Brick"].inputs["Mortar Size"].default_value = 0.03
    bump.inputs["Distance"].default_value = 0.02
    dull = tree.nodes.new("ShaderNodeMapRange")
    dull.inputs["From Min"].default_value, dull.inputs["From Max"].default_value, dull.inputs["To Min"].default_value = 0.3, 0.7, 0.55
    stained = tree.nodes.new("ShaderNodeVectorMath")
    stained.operation = "SCALE"
    tree.links.new(stains.outputs[0], dull.inputs[0])
    tree.links.new(ramp.outputs[0], stained.inputs[0])
    tree.links.new(dull.outputs[0], stained.inputs["Scale"])
    tree.links.new(stained.outputs[0], shader.inputs["Base Color"])
    return Ground(plane, shader, textures, ramp, bump, stains, _fading(tree, place, shader, output))


def _fading(tree: bpy.types.NodeTree, place: bpy.types.Node, shader: bpy.types.Node, output: bpy.types.Node) -> bpy.types.Node:
    """Let a ground grow transparent with the distance from the middle; returns the node that holds from where to where."""
    length, fade, clear, mix = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("VectorMath", "MapRange", "BsdfTransparent", "MixShader"))
    length.operation, fade.interpolation_type = "LENGTH", "SMOOTHSTEP"
    tree.links.new(place.outputs["Object"], length.inputs[0])
    tree.links.new(length.outputs["Value"], fade.inputs[0])
    tree.links.new(fade.outputs[0], mix.inputs[0])
    tree.links.new(shader.outputs[0], mix.inputs[1])
    tree.links.new(clear.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], output.inputs["Surface"])
    return fade


def panoramas_in(folder: Path) -> tuple[Path, ...]:
    """Panoramas of a folder, and the studio lights that come with Blender."""
    own = Path(bpy.utils.system_resource("DATAFILES")) / "studiolights" / "world"
    return (*sorted(folder.glob("*.hdr")), *sorted(own.glob("*.exr")))


def pick(files: Sequence[Path], draw: Random) -> Panorama:
    """One of the panoramas by lot, loaded."""
    return load_panorama(draw.choice(list(files)))
