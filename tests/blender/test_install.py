"""Install, enable, disable, upgrade: the extension comes, goes and comes again without a trace."""

from __future__ import annotations

import os
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import bpy
import pytest


def test_the_zip_lies_in_the_profile_of_the_test(installed: ModuleType) -> None:
    assert installed.folder().is_relative_to(Path(os.environ["BLENDER_USER_RESOURCES"]))
    with zipfile.ZipFile(installed.ZIP) as archive:
        assert set(installed.file_sums()) == set(archive.namelist())


def test_manifest_fits_this_blender(installed: ModuleType) -> None:
    manifest = tomllib.loads((installed.folder() / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert manifest["id"] == "imago" and "wheels" not in manifest and "platforms" not in manifest
    assert tuple(map(int, manifest["blender_version_min"].split("."))) <= bpy.app.version


def test_disable_leaves_no_trace_and_enable_brings_all_back(installed: ModuleType) -> None:
    enabled = installed.footprint()
    assert "IMAGO_OT_create_car" in enabled["types"] and enabled["properties"] and enabled["menus"]
    for _ in range(2):
        installed.disable()
        assert not installed.is_enabled()
        assert not any(installed.footprint().values())
        installed.enable()
        assert installed.is_enabled() and installed.footprint() == enabled


def test_it_stays_enabled_when_another_file_is_opened(installed: ModuleType, tmp_path: Path) -> None:
    enabled = installed.footprint()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "empty.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "empty.blend"))
    assert installed.is_enabled() and installed.footprint() == enabled


def test_no_module_of_the_worker_comes_into_blender(installed: ModuleType) -> None:
    assert not {"torch", "cv2", "PIL", "scipy"} & set(sys.modules), "Blender has none of these"


def test_a_trace_would_be_seen(installed: ModuleType) -> None:
    before = installed.footprint()

    class IMAGO_OT_left_behind(bpy.types.Operator):
        bl_idname, bl_label = "imago.left_behind", "Left Behind"

    def draw_entry(menu: bpy.types.Menu, context: bpy.types.Context) -> None: ...

    def on_load(path: str) -> None: ...

    draw_entry.__module__ = on_load.__module__ = installed.PACKAGE + ".addon"
    bpy.utils.register_class(IMAGO_OT_left_behind)
    bpy.types.Object.imago_left_behind = bpy.props.BoolProperty()
    bpy.types.VIEW3D_MT_add.append(draw_entry)
    bpy.app.handlers.load_post.append(on_load)
    try:
        seen = installed.footprint()
        assert "IMAGO_OT_left_behind" in seen["types"] and "imago_left_behind" in seen["properties"]["Object"]
        assert draw_entry.__module__ in seen["menus"]["VIEW3D_MT_add"] and on_load in seen["handlers"]["load_post"]
    finally:
        bpy.app.handlers.load_post.remove(on_load)
        bpy.types.VIEW3D_MT_add.remove(draw_entry)
        del bpy.types.Object.imago_left_behind
        bpy.utils.unregister_class(IMAGO_OT_left_behind)
    assert installed.footprint() == before


def newer_zip(old: Path, path: Path, version: str) -> None:
    """The same extension with a higher version number, and a new module beside the old ones."""
    with zipfile.ZipFile(old) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "blender_manifest.toml":
                present = tomllib.loads(content.decode())["version"]
                content = content.replace(f'\nversion = "{present}"'.encode(), f'\nversion = "{version}"'.encode())
            target.writestr(name, content)
        target.writestr("addon/only_newer.py", "")


def version_of(installed: ModuleType) -> str:
    return tomllib.loads((installed.folder() / "blender_manifest.toml").read_text(encoding="utf-8"))["version"]


@pytest.mark.slow
def test_upgrade_replaces_the_package_and_keeps_the_users_folder(installed: ModuleType, tmp_path: Path) -> None:
    present, enabled = version_of(installed), installed.footprint()
    kept = installed.user_folder() / "worker" / "kept.txt"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("the worker's environment")
    newer_zip(installed.ZIP, tmp_path / "newer.zip", "999.0.0")
    try:
        installed.install(tmp_path / "newer.zip")
        assert version_of(installed) == "999.0.0" and installed.module("addon.only_newer")
        assert installed.is_enabled() and installed.footprint() == enabled
        assert kept.read_text() == "the worker's environment"
    finally:
        installed.install()
        kept.unlink()
    assert version_of(installed) == present and installed.is_enabled()
    assert not (installed.folder() / "addon" / "only_newer.py").exists(), "an upgrade leaves no old module"


def test_the_same_zip_again(installed: ModuleType) -> None:
    sums, enabled = installed.file_sums(), installed.footprint()
    installed.install()
    assert installed.file_sums() == sums and installed.is_enabled() and installed.footprint() == enabled
