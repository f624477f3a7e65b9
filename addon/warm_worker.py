"""The one worker of this Blender: found warm, or started."""

from __future__ import annotations

import contextlib

import bpy

from ..core.errors import Trouble, UserInputError
from .chosen import preferences, worker_python
from .places import ROOT, compiled_folder, log_file, worker_folder
from .session import SESSION
from .worker_client import WorkerClient


def ensure_worker() -> WorkerClient:
    """See that the session has a worker, of the Python that set-up made ready.  Raises UserInputError where set-up is still to be done."""
    python = worker_python()
    if python is None:
        raise UserInputError("Imago is not set up yet: press Set Up once, it fetches what making a car needs.", Trouble.NOT_SET_UP)
    if SESSION.worker is not None and SESSION.worker_python != python:
        SESSION.stop_worker()
    if SESSION.worker is None:
        cache = compiled_folder() if worker_folder() in python.parents else None  # a Python of the user's own keeps its own cache
        SESSION.worker = WorkerClient(python, ROOT, log_file(), cache, 60.0 * preferences().idle_minutes)
        SESSION.worker_python = python
    return SESSION.worker


def start_early() -> None:
    """In a window, start the worker while the user is still choosing, so that the first car need not wait for torch to load."""
    if not bpy.app.background:
        with contextlib.suppress(UserInputError):  # not set up: Create Car will say so
            ensure_worker().start()
