"""Where things lie: the installed package, which is only read, and the user's folders, which an upgrade leaves alone."""

from __future__ import annotations

from pathlib import Path

import bpy

PACKAGE = __package__.rpartition(".")[0]  # the extension's module, bl_ext.REPOSITORY.imago
ROOT = Path(__file__).resolve().parent.parent


def user_folder(name: str) -> Path:
    """A folder of the user's own for this extension, made where it is missing."""
    return Path(bpy.utils.extension_path_user(PACKAGE, path=name, create=True))


def worker_folder() -> Path:
    """The worker's environment and what belongs to it."""
    return user_folder("worker")


def compiled_folder() -> Path:
    """Where the worker's Python keeps compiled modules, since nothing is written into the package."""
    return worker_folder() / "pycache"


def runs_folder() -> Path:
    """One folder a finished car."""
    return user_folder("runs")


def log_file() -> Path:
    return user_folder("") / "worker.log"
