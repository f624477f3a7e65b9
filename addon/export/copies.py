"""The car once more in a scene of its own, without rig and drivers: named, turned and scaled as the file wants it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix, Vector

from ..rig.properties import PROPERTIES
from ..scene.made import ROLE
from ..scene.scene import CarObjects
from .frame import basis_of, is_same
from .hull import hull_mesh
from .lamps import LIT, STEADY, Shine, before_lens, emission_of, lit_track
from .lods import triangles_of
from .members import Members, at_rest, local_at_rest, role_of
from .meshes import own_mesh, plain_object, thinned
from .names import named
from .options import LOD_SHARES01, ExportOptions
from .presets import WHEELS, lamp_names, node_name
from .sampling import Motion
from .tracks import Track, steering_and_turning, turned
from .wardrobe import Wardrobe


@dataclass(frozen=True, eq=False)
class Source:
    """What is copied: the car, what belongs to it, its motion or None at rest, its picture or None in the clean look."""

    car: CarObjects
    members: Members
    motion: Motion | None
    photo: bpy.types.Image | None


@dataclass(frozen=True, eq=False)
class FileScene:
    """What is to be written: a scene, its tracks by node, which nodes jump, lamps by material, watts by spot light; triangles by level."""

    scene: bpy.types.Scene
    tracks: dict[bpy.types.Object, Track] = field(default_factory=dict)
    steps: set[bpy.types.Object] = field(default_factory=set)
    lamps: dict[bpy.types.Material, Shine] = field(default_factory=dict)
    watts: dict[bpy.types.Object, np.ndarray] = field(default_factory=dict)
    triangles: dict[int, int] = field(default_factory=dict)
    hulls: list[bpy.types.Mesh] = field(default_factory=list)


@contextlib.contextmanager
def file_scene(source: Source, options: ExportOptions, levels: tuple[int, ...]) -> Iterator[FileScene]:
    """The scene for one file with these levels of detail; while the block runs its blocks have the documented names.

    The user's own blocks are afterwards as they were, and nothing of the copies is left.
    """
    builder = _Builder(source, options)
    try:
        builder.build(levels)
        meshes = {thing.data: name for thing, name in builder.names.items() if thing.type == "MESH"}
        with (
            named(bpy.data.objects, builder.names),
            named(bpy.data.meshes, meshes),
            named(bpy.data.lights, {light.data: builder.names[light] for light in builder.made.watts}),
            named(bpy.data.materials, builder.wardrobe.names),
        ):
            builder.made.scene.view_layers[0].update()
            yield builder.made
    finally:
        builder.remove()


class _Builder:
    """Makes the copies; whatever it makes it removes."""

    def __init__(self, source: Source, options: ExportOptions) -> None:
        self._car, self._members, self._motion = source.car, source.members, source.motion
        self._options, self._preset = options, options.wishes
        self._basis = basis_of(options.format, options.axes)
        self._root: bpy.types.Object | None = None
        self._node_of: dict[bpy.types.Object, bpy.types.Object] = {}  # the node that moves, by what it stands for
        self._finest: dict[bpy.types.Object, bpy.types.Object] = {}  # its mesh with the most faces in this file
        self._groups: dict[str, bpy.types.Object] = {}
        self.wardrobe = Wardrobe(source.photo, self._preset)
        self.names: dict[bpy.types.Object, str] = {}
        self.made = FileScene(_new_scene(source.motion, options.axes.unit_m))

    def build(self, levels: tuple[int, ...]) -> None:
        """Root and groups, then every mesh with its levels, lights, hull."""
        self._add_root()
        for name, above in self._preset.groups:
            self._groups[name] = self._empty(name, self._groups.get(above, self._root))
        lamps = lamp_names(self._preset, {role: _kinds_and_side(lamp) for role, lamp in self._car.lamps.items()})
        for thing in self._members.meshes:
            role = role_of(thing)
            self._add_mesh(thing, lamps.get(role) or node_name(self._preset, role), levels)
        if self._preset.rear_axle:
            self._add_rear_axle(self._preset.rear_axle)
        if self._motion is not None:
            for light in self._members.lights:
                self._add_light(light, self._motion)
        if self._options.collision and 0 in levels and self._car.body is not None:
            self._add_hull(self._car.body)

    def remove(self) -> None:
        """Nothing of it stays."""
        scene = self.made.scene
        for thing in list(scene.collection.objects):
            data = thing.data
            bpy.data.objects.remove(thing)
            if data is not None and not data.users:
                (bpy.data.meshes if isinstance(data, bpy.types.Mesh) else bpy.data.lights).remove(data)
        bpy.data.scenes.remove(scene)
        self.wardrobe.remove()

    # --- nodes ---------------------------------------------------------------------------------------------------

    def _add_root(self) -> None:
        """The empty that carries the rig's properties and, where the file moves, the car's way."""
        self._root = root = self._empty(node_name(self._preset, "car"), None)
        root[ROLE] = "car"
        for entry in PROPERTIES:
            root[entry.name] = self._car.rig.get(entry.name, entry.default)
        if self._motion is not None:
            self._stand(root, turned(self._motion.car, self._basis))

    def _empty(self, name: str, above: bpy.types.Object | None) -> bpy.types.Object:
        return self._link(bpy.data.objects.new(name, None), name, above)

    def _link(self, thing: bpy.types.Object, name: str, above: bpy.types.Object | None) -> bpy.types.Object:
        thing.parent = above
        self.made.scene.collection.objects.link(thing)
        self.names[thing] = name
        return thing

    def _stand(self, node: bpy.types.Object, track: Track, steps: bool = False) -> None:
        """Where it is at the first frame; its way is remembered where it has one."""
        node.matrix_basis = track.first()
        if track.moves or track.turns or track.grows:
            self.made.tracks[node] = track
            if steps:
                self.made.steps.add(node)

    def _node_above(self, thing: bpy.types.Object) -> bpy.types.Object | None:
        above = self._members.above[thing]
        if above is not None:
            return self._node_of[above]
        kind = "wheel" if role_of(thing) in WHEELS else role_of(thing)
        return self._groups.get(self._preset.below.get(kind, ""), self._root)

    # --- meshes --------------------------------------------------------------------------------------------------

    def _add_mesh(self, thing: bpy.types.Object, name: str, levels: tuple[int, ...]) -> None:
        """The chain of nodes above it, then the mesh, or a node with one mesh for each level below it."""
        applied = self._options.lods or self._options.collision or not is_same(self._basis)
        finest = own_mesh(thing, self.made.scene, applied)
        meshes = [thinned(finest, LOD_SHARES01[level], self._basis, self.made.scene) for level in levels]
        shown = [plain_object(thing, mesh, modifiers=not applied) for mesh in meshes]
        above, chain = self._node_above(thing), []
        for outer in self._preset.wheels.get(role_of(thing), ())[:-1]:
            above = self._empty(outer, above)
            chain.append(above)
        side_by_side = len(levels) > 1
        node = self._empty(name, above) if side_by_side else self._link(shown[0], name, above)
        for level, copy in zip(levels, shown, strict=True):
            if side_by_side:
                self._link(copy, self._preset.lod_name.format(node=name, level=level), node).matrix_basis = Matrix()
            self.made.triangles[level] = self.made.triangles.get(level, 0) + triangles_of(copy.data)
        self._node_of[thing], self._finest[thing] = node, shown[0]
        self._place(thing, [*chain, node])
        self._dress(thing, shown, node, name, finest)
        bpy.data.meshes.remove(finest)

    def _place(self, thing: bpy.types.Object, chain: list[bpy.types.Object]) -> None:
        """A chain of three shares a wheel's motion between place, steering and turning."""
        if self._motion is None:
            chain[0].matrix_basis = self._basis @ local_at_rest(thing, self._members, self._car.rig) @ self._basis.inverted()
            for inner in chain[1:]:
                inner.matrix_basis = Matrix()
            return
        track = self._motion.parts[thing]
        for node, part in zip(chain, steering_and_turning(track) if len(chain) == 3 else [track], strict=True):
            self._stand(node, turned(part, self._basis))

    def _dress(
        self, thing: bpy.types.Object, shown: list[bpy.types.Object], node: bpy.types.Object, name: str, finest: bpy.types.Mesh
    ) -> None:
        """Materials of the file in slots of the objects; a lamp that shines has its own, and one more mesh where it changes."""
        shining = self._shining(thing)
        for copy in shown:
            for slot in copy.material_slots:
                material = slot.material
                slot.link = "OBJECT"
                slot.material = self._worn(material, name, shining, shining.dimmest if shining else 0.0)
        if shining is not None and shining.changes:
            self.made.lamps.update({slot.material: shining for slot in shown[0].material_slots if slot.material in self.wardrobe.lamps})
            self._add_lit(thing, node, LIT.format(node=name), shining, finest)

    def _shining(self, thing: bpy.types.Object) -> Shine | None:
        """None for what is dark all the time."""
        strength = self._motion.strength.get(thing) if self._motion is not None else None
        emission = emission_of(thing) if strength is not None and strength.max() > STEADY else None
        return Shine(emission.colour, strength) if emission is not None and strength is not None else None

    def _worn(self, material: bpy.types.Material | None, name: str, shining: Shine | None, strength: float) -> bpy.types.Material | None:
        if material is None:
            return None
        return self.wardrobe.plain(material) if shining is None else self.wardrobe.shining(material, name, shining, strength)

    def _add_lit(self, thing: bpy.types.Object, node: bpy.types.Object, name: str, shining: Shine, finest: bpy.types.Mesh) -> None:
        mesh = finest.copy()
        before_lens(mesh)
        lit = plain_object(thing, thinned(mesh, 1.0, self._basis, self.made.scene), modifiers=False)
        bpy.data.meshes.remove(mesh)
        self._link(lit, name, node)
        for slot in lit.material_slots:
            material = slot.material
            slot.link = "OBJECT"
            slot.material = self._worn(material, name, shining, shining.brightest)
        self._stand(lit, lit_track(shining), steps=True)

    # --- what is not seen ----------------------------------------------------------------------------------------

    def _add_light(self, light: bpy.types.Object, motion: Motion) -> None:
        """A spot light that shines at some time, as bright as at its brightest; it stands still on what is above it."""
        watts = motion.watts[light]
        if watts.max() <= STEADY:
            return
        copy = light.copy()
        copy.animation_data_clear()
        copy.constraints.clear()
        copy.data = light.data.copy()
        copy.data.animation_data_clear()
        copy.data.energy = float(watts.max())
        copy.parent_type, copy.parent_bone = "OBJECT", ""
        copy.hide_viewport = copy.hide_select = copy.hide_render = False
        for key in [key for key in copy.keys() if key != ROLE]:
            del copy[key]
        self._link(copy, role_of(light), self._node_above(light))
        copy.matrix_parent_inverse.identity()
        copy.matrix_basis = turned(motion.parts[light], self._basis, both_sides=False).first()
        self.made.watts[copy] = watts

    def _add_rear_axle(self, name: str) -> None:
        hubs = [at_rest(wheel, self._car.rig).translation for role, wheel in self._car.wheels.items() if role.startswith("wheel_rear")]
        node = self._empty(name, self._groups.get(self._preset.below.get("wheel", ""), self._root))
        node.matrix_basis = Matrix.Translation(self._basis @ (sum(hubs, Vector()) / max(len(hubs), 1)))

    def _add_hull(self, body: bpy.types.Object) -> None:
        """Round body and lamps as they are at rest."""
        things = [body, *self._car.lamps.values()]
        points = np.concatenate([_points(self._finest[thing], self._node_of[thing]) for thing in things])
        on_body = self._preset.hull_below == "body"
        rest = at_rest(body, self._car.rig) if not on_body else Matrix()
        to_metres = np.array(self._basis.inverted())[:3, :3]
        mesh = hull_mesh("hull", points @ to_metres.T)
        mesh.transform(self._basis @ rest)
        mesh.materials.append(self.wardrobe.unseen())
        above = self._node_of[body] if on_body else self._root
        name = self._preset.hull_name.format(node=self.names[self._node_of[body]])
        self._link(bpy.data.objects.new(name, mesh), name, above)
        self.made.hulls.append(mesh)


def _new_scene(motion: Motion | None, unit_m: float) -> bpy.types.Scene:
    """With the unit of the file, and the frames and the frame rate of the motion."""
    scene = bpy.data.scenes.new("imago export")
    scene.unit_settings.system, scene.unit_settings.scale_length = "METRIC", unit_m
    if motion is not None:
        rate = bpy.context.scene.render
        scene.render.fps, scene.render.fps_base = rate.fps, rate.fps_base
        scene.frame_start, scene.frame_end = motion.first_frame, motion.last_frame
        scene.frame_set(motion.first_frame)
    return scene


def _points(thing: bpy.types.Object, node: bpy.types.Object) -> np.ndarray:
    """(V, 3) vertices of the body or of a thing whose node stands on it, against the body, in the frame of the file."""
    points = np.empty(3 * len(thing.data.vertices), np.float32)
    thing.data.vertices.foreach_get("co", points)
    matrix = np.array(node.matrix_basis) if thing.get(ROLE) != "body" else np.eye(4)
    return points.reshape(-1, 3).astype(float) @ matrix[:3, :3].T + matrix[:3, 3]


def _kinds_and_side(lamp: bpy.types.Object) -> tuple[list[str], str]:
    return list(lamp.keys()), "Left" if role_of(lamp).endswith("left") else "Right"
