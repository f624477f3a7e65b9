"""Blender's own exporters, kept quiet."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import bpy

from ...core.errors import Trouble, UserInputError
from ..quiet import quiet_stdout
from .presets import Axes

_SHOWING = ("tree", "gather", "export", "gltf2_blender_gather_tree", "gltf2_blender_gather")  # since 4.3 by the first three names


def write_gltf(scene: bpy.types.Scene, path: Path, lights: bool) -> None:
    """Everything in a scene, at rest.  Raises: RuntimeError with the exporter's traceback; UserInputError where it is switched off."""
    _need("gltf", "glTF 2.0")
    atexit.unregister(_let_go_of_bpy)
    atexit.register(_let_go_of_bpy)
    with _in(scene), _window_left_alone(), _without_chatter():
        bpy.ops.export_scene.gltf(
            filepath=str(path),
            export_format="GLB",
            use_active_scene=True,
            export_yup=True,
            export_extras=True,
            export_animations=False,
            export_skins=False,
            export_morph=False,
            export_cameras=False,
            export_lights=lights,
            export_image_format="AUTO",
            export_apply=True,
        )


def write_usd(scene: bpy.types.Scene, path: Path, animated: bool) -> None:
    """Everything in a scene, with a sample at each of its frames where `animated`.

    Raises: UserInputError where this Blender cannot write USD; RuntimeError where it fails.
    """
    if not bpy.app.build_options.usd:
        raise UserInputError("This build of Blender cannot write USD; export the car as glTF instead.", Trouble.SCENE)
    with _in(scene), quiet_stdout():
        bpy.ops.wm.usd_export(
            filepath=str(path),
            export_animation=animated,
            export_materials=True,
            xform_op_mode="TOS",  # quaternions: between two frames angles would turn back where they jump from 180 to -180 degrees
        )
    if not path.is_file():
        raise RuntimeError(f"Blender's exporter did not write {path}")


def write_fbx(scene: bpy.types.Scene, path: Path, axes: Axes, animated: bool) -> None:
    """Everything in a scene, its pictures inside the file.  Raises: UserInputError where the exporter is switched off."""
    _need("fbx", "FBX format")
    up, forward = ("Y", "-Z") if axes.up == "Y" else ("Z", "Y")
    with _in(scene), _without_chatter():
        bpy.ops.export_scene.fbx(
            filepath=str(path),
            object_types={"EMPTY", "MESH", "LIGHT"},
            axis_up=up,
            axis_forward=forward,
            use_space_transform=False,  # what is written has these axes already
            apply_scale_options="FBX_SCALE_ALL",
            mesh_smooth_type="FACE",
            path_mode="COPY",
            embed_textures=True,
            add_leaf_bones=False,
            bake_anim=animated,
            bake_anim_use_all_actions=False,
            bake_anim_use_nla_strips=False,
            bake_anim_simplify_factor=0.0,
        )


def _need(operator: str, name: str) -> None:
    if operator not in dir(bpy.ops.export_scene):
        raise UserInputError(f"Blender's add-on {name} is switched off: switch it on in Preferences > Add-ons.", Trouble.SCENE)


def _in(scene: bpy.types.Scene) -> contextlib.AbstractContextManager[None]:
    """The exporters take what they find in the context; the user's own scene, selection and mode are none of their business."""
    layer = scene.view_layers[0]
    return bpy.context.temp_override(scene=scene, view_layer=layer, active_object=None, object=None, selected_objects=[])


class _ContextWithoutWindow:
    """bpy.context with a window that is none."""

    window = SimpleNamespace(scene=None, cursor_set=lambda *_: None)

    def __getattr__(self, name: str) -> Any:
        return getattr(bpy.context, name)


class _BpyWithoutWindow:
    context = _ContextWithoutWindow()

    def __getattr__(self, name: str) -> Any:
        return getattr(bpy, name)


@contextlib.contextmanager
def _window_left_alone() -> Iterator[None]:
    """Keep the glTF exporter from showing the scene that it exports in the user's window.

    Coming back the window would evaluate the user's scene anew, and what he changed without a key would be lost.
    """
    window = bpy.context.window
    shown = window.scene if window is not None else None
    modules = [module for name in _SHOWING if (module := _module_of(name)) is not None]
    for module in modules:
        vars(module)["bpy"] = _BpyWithoutWindow()
    try:
        yield
    finally:
        for module in modules:
            vars(module)["bpy"] = bpy
        if window is not None and window.scene != shown:  # an exporter of another make
            window.scene = shown


def _module_of(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(f"io_scene_gltf2.blender.exp.{name}")
    except ImportError:
        return None


def _let_go_of_bpy() -> None:
    """At the end of the process, take bpy from the exporter's modules.

    The bpy module (4.5) shuts Blender down when its last reference goes.  In a process that also imported torch the exporter's
    modules outlive that moment, Blender is never shut down, and the process waits for one of its threads for ever.
    """
    for name, module in list(sys.modules.items()):
        if name.startswith("io_scene_gltf2.blender.exp"):
            vars(module).pop("bpy", None)


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """Of what an exporter prints only warnings and errors come through, on stderr."""
    level, bpy.app.debug_value = bpy.app.debug_value, 1  # glTF's own option export_loglevel fails in 4.5 with a KeyError
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        bpy.app.debug_value = level
        for line in printed.getvalue().splitlines():
            if line and not line.startswith(("INFO", "export finished", "FBX export")):
                print(line, file=sys.stderr)
