"""Tests of the installed extension, in one Blender version at a time: `build.py test --blender all` runs them (see matrix.py).

Without IMAGO_ZIP, in the ordinary test run, this folder is left out.  For every test the extension is installed and enabled from the zip
in a profile of its own, and an empty file is open.  Fixtures:

    installed     the module installed.py: install, enable, disable, module(name), preferences, data_counts, footprint ...
    worker        the same once Set Up is done, with IMAGO_WORKER_PYTHON as the worker's Python
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from types import ModuleType

import pytest

if "IMAGO_ZIP" in os.environ:  # before anything imports bpy
    PROFILE = tempfile.mkdtemp(prefix="imago-profile-")
    os.environ["BLENDER_USER_RESOURCES"] = PROFILE
else:
    PROFILE = ""
    collect_ignore_glob = ["test_*.py"]


def pytest_unconfigure() -> None:
    if PROFILE:
        shutil.rmtree(PROFILE, ignore_errors=True)


@pytest.fixture(scope="session")
def installed_once() -> Iterator[ModuleType]:
    """Install once; at the end nothing in the package's folder has changed and the extension is disabled, or the process would not end."""
    from . import installed

    try:
        installed.install()
    except RuntimeError as problem:
        pytest.exit(f"the extension does not install, so there is nothing to test: {problem}", returncode=1)
    sums = installed.file_sums()
    yield installed
    if installed.is_enabled():
        installed.disable()
    assert installed.file_sums() == sums, "a test made the extension write into its own folder"


@pytest.fixture(autouse=True)
def installed(installed_once: ModuleType) -> ModuleType:
    """The extension enabled, an empty file open, undo starting there."""
    import bpy

    if not installed_once.is_enabled():
        installed_once.enable()
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.ed.undo_push(message="empty file")
    return installed_once


@pytest.fixture
def worker(installed: ModuleType) -> ModuleType:
    """Set Up done with a Python that has the worker's packages."""
    installed.set_up_worker()
    return installed
