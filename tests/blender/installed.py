"""The extension as Blender installed it, for the tests of this folder.

Nothing here imports `imago`: in these environments the checkout is not importable, so that what is tested is the zip.  Look modules up
late, by module(), since an upgrade replaces them.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import addon_utils
import bpy

PACKAGE = "bl_ext.user_default.imago"
ZIP = Path(os.environ["IMAGO_ZIP"])
WORKER_PYTHON = os.environ.get("IMAGO_WORKER_PYTHON", "")
PROPERTY_OWNERS = ("Scene", "Object", "Collection", "Material", "Image", "Armature", "Mesh", "WindowManager", "Bone", "PoseBone")


def install(path: Path = ZIP) -> None:
    """What Preferences > Get Extensions > Install from Disk does."""
    bpy.ops.extensions.package_install_files(filepath=str(path.resolve()), repo="user_default", enable_on_install=True)


def enable() -> None:
    assert addon_utils.enable(PACKAGE, default_set=True) is not None, "the extension does not enable; see the lines above"


def disable() -> None:
    addon_utils.disable(PACKAGE, default_set=True)


def is_enabled() -> bool:
    """Loaded now, and noted in the preferences for the next start."""
    return addon_utils.check(PACKAGE) == (True, True)


def folder() -> Path:
    """Where the package lies."""
    return Path(bpy.utils.user_resource("EXTENSIONS")) / "user_default" / "imago"


def user_folder() -> Path:
    """Where the extension keeps what belongs to the user."""
    return Path(bpy.utils.extension_path_user(PACKAGE, create=True))


def module(name: str) -> ModuleType:
    """A module of the installed package: module("addon.scene.find")."""
    return importlib.import_module(f"{PACKAGE}.{name}")


def preferences() -> Any:
    """The extension's own preferences."""
    return bpy.context.preferences.addons[PACKAGE].preferences


def set_up_worker() -> None:
    """Point the preferences at a Python that has the worker's packages, and press Set Up once; nothing is fetched, but torch tried."""
    assert WORKER_PYTHON, "IMAGO_WORKER_PYTHON must name a Python with the worker's packages"
    preferences().worker_python = WORKER_PYTHON
    if module("addon.chosen").worker_python() is not None:
        return  # done by an earlier test, whose warm worker serves this one too
    assert bpy.ops.imago.set_up() == {"FINISHED"}


def data_counts() -> dict[str, int]:
    """{name: number} of all kinds of data blocks in the open file; equal before and after where an operator left nothing behind."""
    lists = {rna.identifier: getattr(bpy.data, rna.identifier) for rna in bpy.data.bl_rna.properties if rna.type == "COLLECTION"}
    return {name: len(found) for name, found in sorted(lists.items())}


def footprint() -> dict[str, Any]:
    """What the extension put into Blender, by kind: types, properties on Blender's types, entries of menus, handlers, keys."""
    owners = {name: set(getattr(bpy.types, name).bl_rna.properties.keys()) for name in PROPERTY_OWNERS}
    drawn = {
        name: [function.__module__ for function in getattr(getattr(bpy.types, name).draw, "_draw_funcs", [])]
        for name in dir(bpy.types)
        if hasattr(getattr(bpy.types, name), "draw")
    }
    handlers = {name: getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)}
    keys = bpy.context.window_manager.keyconfigs.addon
    return {
        "types": [name for name in dir(bpy.types) if "imago" in name.lower()],
        "properties": {
            name: sorted(key for key in found if "imago" in key) for name, found in owners.items() if any("imago" in k for k in found)
        },
        "menus": {name: found for name, found in drawn.items() if any("imago" in of for of in found)},
        "handlers": {
            name: found for name, found in handlers.items() if isinstance(found, list) and any("imago" in f.__module__ for f in found)
        },
        "keys": [
            item.idname for keymap in (keys.keymaps if keys else []) for item in keymap.keymap_items if item.idname.startswith("imago.")
        ],
    }


def file_sums() -> dict[str, str]:
    """{relative path: sha256} of the package's files but for Python's own cache."""
    files = (path for path in sorted(folder().rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder()).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
