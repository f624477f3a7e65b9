"""Order in the per-user folder: what is unfinished goes, files appear whole, one set-up at a time."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import IO, Any

from .environment import unfinished


def write_aside(path: Path, content: dict[str, Any]) -> None:
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(content, indent=1), encoding="utf-8")
    os.replace(aside, path)


def sweep(folder: Path) -> None:
    """Remove what is unfinished."""
    for path in unfinished(folder):
        discard(path)


def discard(path: Path) -> None:
    """First out of the way in one step, so that the name is free, then removed at leisure."""
    gone = path.with_name(f"gone-{os.getpid()}-{time.monotonic_ns()}")
    try:
        os.rename(path, gone)
    except FileNotFoundError:
        return
    except OSError:
        gone = path  # Windows, while a virus scanner holds a file
    shutil.rmtree(gone, ignore_errors=True)


def try_lock(lock: IO[str]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
