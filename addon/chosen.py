"""What the user chose in the preferences, and which Pythons follow from it."""

from __future__ import annotations

import sys
from pathlib import Path

import bpy

from .places import PACKAGE, ROOT, worker_folder
from .runtime.environment import ready_python


def preferences(context: bpy.types.Context | None = None) -> bpy.types.AddonPreferences:
    """The extension's preferences."""
    return (context or bpy.context).preferences.addons[PACKAGE].preferences


def chosen_python() -> Path | None:
    """The Python named in the preferences; None for Blender's own."""
    name = preferences().worker_python.strip()
    return Path(bpy.path.abspath(name)) if name else None


def blender_python() -> Path:
    """The Python that Blender runs."""
    return Path(sys.executable)


def worker_python() -> Path | None:
    """The Python the worker can be started with; None until set-up is done.  Cheap enough for every redraw."""
    return ready_python(worker_folder(), ROOT, chosen_python())
