"""What else stands about: buildings, walls, fences, trees and crates behind the car, at times a post or a hedge before it."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

import bpy
import numpy as np
from mathutils import Matrix

from .aim import Aim
from .boxes import Box

BEHIND = ("building", "building", "wall", "wall", "fence", "tree", "tree", "tree", "bush", "crate", "post", "post")
BEFORE = ("post", "bollard", "hedge", "fence")
SHARE, BEFORE_SHARE = 0.5, 0.12  # of the pictures with something behind, before
HIDES = (0.01, 0.3)  # share of the car that a thing before it may hide
SIDES_M: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {  # width, depth, height
    "building": ((8, 30), (6, 12), (4, 18)), "wall": ((4, 20), (0.15, 0.4), (0.8, 3.5)), "fence": ((3, 15), (0.04, 0.08), (0.8, 2)),
    "tree": ((2.5, 6), (2.5, 6), (3.5, 9)), "bush": ((0.8, 3), (0.8, 3), (0.6, 2)), "crate": ((0.5, 2.5), (0.5, 2), (0.4, 2)),
    "post": ((0.06, 0.3), (0.06, 0.3), (2.5, 8)), "bollard": ((0.1, 0.35), (0.1, 0.35), (0.5, 1.1)),
    "hedge": ((0.8, 4), (0.3, 0.8), (0.3, 0.9)),
}  # fmt: skip


@dataclass(frozen=True)
class Prop:
    """A mesh one metre wide, deep and high that stands on its origin, and what it is."""

    kind: str
    mesh: bpy.types.Object

    def put(self, box: Box) -> None:
        self.mesh.matrix_world = Matrix(box.matrix().tolist()) @ Matrix.Diagonal((2 * box.half_x_m, 2 * box.half_y_m, box.height_m, 1))
        self.mesh.hide_render = False


class Clutter:
    """A store of props, of which each picture takes some."""

    def __init__(self, draw: Random) -> None:
        self.behind = [Prop(kind, _mesh(kind, draw)) for kind in BEHIND]
        self.before = [Prop(kind, _mesh(kind, draw)) for kind in BEFORE]

    def arrange(self, aim: Aim, car_m: np.ndarray, taken: Sequence[Box], draw: Random) -> list[Prop]:
        """Put some things where they do not touch the boxes in `taken` (the first is the car, some points (N, 3) of which are given).

        Returns those that may hide something of the car; whatever else is shown hides nothing of it."""
        for prop in (*self.behind, *self.before):
            prop.mesh.hide_render = True
        filled = list(taken)
        if draw.random() < SHARE:
            for prop in draw.sample(self.behind, draw.randint(1, 8)):
                box = _free_place(partial(_behind, prop.kind, aim, draw), aim, car_m, filled, (0, 0))
                if box is not None:
                    prop.put(box)
                    filled.append(box)
        if draw.random() >= BEFORE_SHARE:
            return []
        prop = draw.choice(self.before)
        box = _free_place(partial(_before, prop.kind, aim, car_m, draw), aim, car_m, filled, HIDES)
        if box is None:
            return []
        prop.put(box)
        return [prop]


def _free_place(propose: Callable[[], Box], aim: Aim, car_m: np.ndarray, taken: Sequence[Box], hides: tuple[float, float]) -> Box | None:
    """The first of some proposals that touches nothing, leaves the camera room and hides the wanted share of the car."""
    for _ in range(15):
        box = propose()
        if box.distance_m(aim.eye_m) > 0.5 and all(box.clear_of(other, 0.1) for other in taken):
            if hides[0] <= box.hides(aim.eye_m, car_m) <= hides[1]:
                return box
    return None


def _behind(kind: str, aim: Aim, draw: Random) -> Box:
    """Somewhere beyond the car within the picture, big things farther off, fronts roughly towards the camera."""
    (wide, deep, high) = (draw.uniform(*side) for side in SIDES_M[kind])
    look = -aim.camera_to_world[:2, 2]
    bearing = math.atan2(look[1], look[0]) + math.atan(aim.half_view) * draw.uniform(-1.1, 1.1)
    distance = float(np.hypot(*aim.eye_m[:2])) + draw.uniform(2, 12) + (draw.uniform(4, 20) if kind == "building" else 0)
    turn = bearing - math.pi / 2 + draw.gauss(0, 0.35)
    return Box(
        float(aim.eye_m[0] + distance * math.cos(bearing)),
        float(aim.eye_m[1] + distance * math.sin(bearing)),
        wide / 2,
        deep / 2,
        turn,
        high,
    )


def _before(kind: str, aim: Aim, car_m: np.ndarray, draw: Random) -> Box:
    """Between the camera and a point of the car."""
    (wide, deep, high) = (draw.uniform(*side) for side in SIDES_M[kind])
    target, share = car_m[draw.randrange(len(car_m))], draw.uniform(0.35, 0.95)
    place = aim.eye_m[:2] + share * (target - aim.eye_m)[:2]
    look = -aim.camera_to_world[:2, 2]
    return Box(float(place[0]), float(place[1]), wide / 2, deep / 2, math.atan2(look[1], look[0]) - math.pi / 2 + draw.gauss(0, 0.3), high)


# --- meshes and materials --------------------------------------------------------------------------------------------


def _mesh(kind: str, draw: Random) -> bpy.types.Object:
    if kind in ("post", "bollard"):
        bpy.ops.mesh.primitive_cylinder_add(vertices=20, radius=0.5, depth=1)
    elif kind in ("tree", "bush"):
        bpy.ops.mesh.primitive_ico_sphere_add(subdivisions=4, radius=0.5)
    else:
        bpy.ops.mesh.primitive_cube_add(size=1)
    thing = bpy.context.object
    points = np.empty(3 * len(thing.data.vertices), np.float32)
    thing.data.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3)
    if kind in ("tree", "bush"):
        points *= _lumps(points, draw)[:, None]
    points[:, 2] -= points[:, 2].min()
    points[:, 2] /= points[:, 2].max()
    if kind == "tree":  # a crown on a stem: what is low is drawn together
        points[:, :2] *= np.where(points[:, 2:] < 0.22, 0.12, 1.0)
    thing.data.vertices.foreach_set("co", points.ravel())
    thing.data.update()
    thing.data.materials.append(_material(kind, draw))
    thing.hide_render = True
    return thing


def _lumps(points: np.ndarray, draw: Random) -> np.ndarray:
    """(N,) how far the points of a sphere are pushed in, so that it looks like leaves in clumps; at most to its surface."""
    random = np.random.default_rng(draw.randrange(2**31))
    centres = random.normal(size=(24, 3))
    centres /= 2 * np.linalg.norm(centres, axis=1, keepdims=True)
    nearest = np.linalg.norm(points[:, None] - centres, axis=2).min(1)
    return (1 - 1.1 * nearest) * random.uniform(0.86, 1, len(points))


def _tone(draw: Random, low: float, high: float, most_saturated: float = 0.35) -> np.ndarray:
    """(3,) linear RGB of plaster, brick or wood: mostly pale or brown."""
    hue = draw.choice((0.03, 0.07, 0.1, 0.12, 0.58, draw.random()))
    return np.array(colorsys.hsv_to_rgb(hue, draw.triangular(0, most_saturated, 0), 1)) * draw.uniform(low, high)


def _material(kind: str, draw: Random) -> bpy.types.Material:
    material = bpy.data.materials.new(kind)
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = draw.uniform(0.5, 1)
    if kind in ("tree", "bush", "hedge"):
        green = np.array((draw.uniform(0.25, 0.9), 1, draw.uniform(0.1, 0.4))) * draw.uniform(0.05, 0.25)
        _textured(tree, shader, "Noise", draw.uniform(8, 25), 0.25 * green, 1.4 * green)
    elif kind == "building":
        _windows(tree, shader, draw)
    elif kind in ("wall", "crate"):
        tone = _tone(draw, 0.1, 0.7)
        _textured(tree, shader, draw.choice(("Brick", "Noise", "Noise")), draw.uniform(4, 20), tone * draw.uniform(0.5, 0.9), tone)
    elif kind == "fence":
        _bars(tree, shader, _tone(draw, 0.05, 0.6), draw)
    else:
        shader.inputs["Base Color"].default_value = (*_tone(draw, 0.03, 0.7, 0.9), 1)
        shader.inputs["Metallic"].default_value = draw.choice((0.0, 1.0))
    return material


def _textured(
    tree: bpy.types.NodeTree, shader: bpy.types.Node, name: str, scale: float, one: np.ndarray, two: np.ndarray
) -> bpy.types.Node:
    """Two tones by a texture on the flanks; returns its factor's socket."""
    texture, ramp = tree.nodes.new(f"ShaderNodeTex{name}"), tree.nodes.new("ShaderNodeValToRGB")
    texture.inputs["Scale"].default_value = scale
    for element, colour, at in zip(ramp.color_ramp.elements, (one, two), (0.35, 0.65), strict=True):
        element.color, element.position = (*colour, 1), at
    tree.links.new(_flank(tree), texture.inputs["Vector"])
    factor = texture.outputs["Fac"] if "Fac" in texture.outputs else texture.outputs[0]
    tree.links.new(factor, ramp.inputs[0])
    tree.links.new(ramp.outputs[0], shader.inputs["Base Color"])
    return factor


def _flank(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
    """Coordinates along and up the upright faces of a box, as shares of its size."""
    place, parts, joined, total = (tree.nodes.new(f"ShaderNode{kind}") for kind in ("TexCoord", "SeparateXYZ", "CombineXYZ", "Math"))
    tree.links.new(place.outputs["Object"], parts.inputs[0])
    tree.links.new(parts.outputs["X"], total.inputs[0])
    tree.links.new(parts.outputs["Y"], total.inputs[1])
    tree.links.new(total.outputs[0], joined.inputs["X"])
    tree.links.new(parts.outputs["Z"], joined.inputs["Y"])
    tree.links.new(parts.outputs["Y"], joined.inputs["Z"])
    return joined.outputs[0]


def _windows(tree: bpy.types.NodeTree, shader: bpy.types.Node, draw: Random) -> None:
    """Dark panes in rows in a plastered wall; the panes reflect."""
    wall, pane = _tone(draw, 0.12, 0.7), _tone(draw, 0.01, 0.12)
    factor = _textured(tree, shader, "Brick", 1.0, pane, wall)  # 0 in a pane, 1 in the wall
    texture = factor.node
    texture.offset, columns, rows = 0.0, draw.randint(4, 12), draw.randint(2, 6)
    texture.inputs["Brick Width"].default_value, texture.inputs["Row Height"].default_value = 1 / columns, 1 / rows
    texture.inputs["Mortar Size"].default_value, texture.inputs["Mortar Smooth"].default_value = draw.uniform(0.15, 0.35) / columns, 0.0
    tree.links.new(factor, shader.inputs["Roughness"])


def _bars(tree: bpy.types.NodeTree, shader: bpy.types.Node, tone: np.ndarray, draw: Random) -> None:
    """Slats with gaps that one sees through."""
    shader.inputs["Base Color"].default_value = (*tone, 1)
    wave, sharp = tree.nodes.new("ShaderNodeTexWave"), tree.nodes.new("ShaderNodeMath")
    wave.bands_direction = draw.choice(("X", "Y"))
    wave.inputs["Scale"].default_value = draw.uniform(3, 9) if wave.bands_direction == "X" else draw.uniform(0.8, 2)
    sharp.operation, sharp.inputs[1].default_value = "GREATER_THAN", draw.uniform(0.1, 0.6)
    tree.links.new(_flank(tree), wave.inputs["Vector"])
    tree.links.new(wave.outputs["Fac"], sharp.inputs[0])
    tree.links.new(sharp.outputs[0], shader.inputs["Alpha"])
