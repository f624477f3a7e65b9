"""A car as it stands in the scene -> a file: plain named nodes, no bones, no helpers, moving where it is wanted.

members -> sampling -> copies (names, axes, levels, hull) -> Blender's exporter -> animation -> moved into place
"""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from ...core.errors import Trouble, UserInputError
from ..scene.scene import CarObjects
from .blender import write_fbx, write_gltf, write_usd
from .copies import FileScene, Source, file_scene
from .files import moved_into
from .glb_file import read_glb, write_glb
from .gltf_animation import Animation, add_animation
from .keys import key, key_energy
from .members import members_of
from .options import LOD_SHARES01, Exported, ExportOptions, Level
from .photo import jpeg
from .sampling import Motion, sample


def export_glb(car: CarObjects, path: str | os.PathLike[str]) -> None:
    """The car at rest as glTF, see export_car."""
    export_car(car, path, ExportOptions("GLB"))


def export_usd(car: CarObjects, path: str | os.PathLike[str]) -> None:
    """The car at rest as USD, see export_car."""
    export_car(car, path, ExportOptions("USD"))


def export_car(car: CarObjects, path: str | os.PathLike[str], options: ExportOptions) -> Exported:
    """Write the car as it is now, with the names, axes and unit of the preset.

    At rest it stands at the origin of the car frame, wheels straight and lamps dark.  With frames it goes where it goes in the world, each
    frame sampled: wheels roll and steer, lamps and spot lights shine.  Materials have the artist's present figures, in the photo look where
    the rig's photo_look is 0.5 or more, else in the clean look.  What the artist hung below comes along, hidden parts too; modifiers are
    applied.  glTF nodes keep imago_role, and car the rig's properties.  USD textures lie in the folder `textures` beside the file, those of
    usdz and the other formats inside it.  Levels of detail that do not fit into one file are further files, car_LOD1 ...

    The scene, its frame, selection and mode stay as they were, and after a failure so do the files.
    Raises: UserInputError for what cannot be exported; RuntimeError with the exporter's traceback.
    """
    path = Path(path)
    members = members_of(car)
    if not members.meshes:
        raise UserInputError(f"{car.rig.name} has no meshes left: add the car again, from the history or its photo.", Trouble.SCENE)
    motion = sample(car, members, options.frames, options.format == "GLB") if options.frames is not None else None
    photo_look = float(car.rig.get("photo_look", 1.0)) >= 0.5
    triangles: dict[int, int] = {}
    hull_faces = 0
    with jpeg(car.image if photo_look else None, f"{path.stem}_photo") as photo, moved_into(path.parent) as aside:
        for name, levels in _files(path, options).items():
            with file_scene(Source(car, members, motion, photo), options, levels) as made:
                _write(made, motion, aside / name, options)
                triangles |= made.triangles
                hull_faces += sum(len(hull.polygons) for hull in made.hulls)
    levels_made = tuple(Level(level, count, count / triangles[0]) for level, count in triangles.items())
    files = tuple(path.parent / name for name in _files(path, options))
    return Exported(
        files, motion.last_frame - motion.first_frame + 1 if motion is not None else 0, levels_made, hull_faces, _notices(car, options)
    )


def _files(path: Path, options: ExportOptions) -> dict[str, tuple[int, ...]]:
    """The levels of detail of each file by its name."""
    if not options.lods:
        return {path.name: (0,)}
    every = tuple(range(len(LOD_SHARES01)))
    if options.wishes.lods_in_one_file:
        return {path.name: every}
    return {path.name if level == 0 else f"{path.stem}_LOD{level}{path.suffix}": (level,) for level in every}


def _write(made: FileScene, motion: Motion | None, path: Path, options: ExportOptions) -> None:
    if options.format == "GLB":
        write_gltf(made.scene, path, lights=bool(made.watts))
        if motion is not None:
            glb = read_glb(path)
            add_animation(glb, _animation(made, motion))
            write_glb(glb, path)
        return
    actions = _keyed(made, motion) if motion is not None else []
    try:
        if options.format == "USD":
            write_usd(made.scene, path, animated=motion is not None)
        else:
            write_fbx(made.scene, path, options.axes, animated=motion is not None)
    finally:
        for action in actions:
            bpy.data.actions.remove(action)


def _keyed(made: FileScene, motion: Motion) -> list[bpy.types.Action]:
    """The copies play what they are to do; the new actions."""
    actions = [key(node, track, motion.first_frame, node in made.steps) for node, track in made.tracks.items()]
    actions += [key_energy(light.data, watts, motion.first_frame) for light, watts in made.watts.items()]
    return [action for action in actions if action is not None]


def _animation(made: FileScene, motion: Motion) -> Animation:
    """By the names that nodes and materials have in the file."""
    return Animation(
        seconds=(motion.frames - motion.frames[0]) / motion.fps,
        tracks={node.name: track for node, track in made.tracks.items()},
        steps=frozenset(node.name for node in made.steps),
        lamps={material.name: shining for material, shining in made.lamps.items()},
        watts={light.name: watts for light, watts in made.watts.items()},
        watts_written={light.name: light.data.energy for light in made.watts},
    )


def _notices(car: CarObjects, options: ExportOptions) -> tuple[str, ...]:
    if options.collision and car.body is None:
        return ("The car has no body any more, so there is no collision hull.",)
    return ()
