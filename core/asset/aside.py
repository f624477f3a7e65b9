"""Files written aside and moved into place together, so that a failure leaves nothing half-written."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import Trouble, UserInputError


@contextmanager
def written_aside(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield an empty folder beside `folder`; its files replace those of `folder` when the block ends well.

    After an exception inside the block `folder` is as it was before (absent where it was absent).
    Raises: UserInputError where the place cannot be written.
    """
    target = Path(folder)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as problem:
        raise UserInputError(
            f"{target} cannot be written ({problem.strerror}); choose another output folder.", _trouble(problem)
        ) from problem
    try:
        yield aside
        _move_files(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write one file aside, then rename, its folder made.  Raises UserInputError where the place cannot be written."""
    aside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content)
        os.replace(aside, path)
    except OSError as problem:
        with suppress(OSError):
            aside.unlink()
        raise UserInputError(f"{path} cannot be written ({problem.strerror}); choose another folder.", _trouble(problem)) from problem


def _move_files(aside: Path, target: Path) -> None:
    """Move every file of `aside` into `target`; same file system, so each move is one rename."""
    try:
        target.mkdir(exist_ok=True)
        for path in sorted(aside.iterdir()):
            os.replace(path, target / path.name)
    except OSError as problem:
        raise UserInputError(
            f"{target} cannot be written ({problem.strerror}); choose another output folder.", _trouble(problem)
        ) from problem


def is_full(problem: OSError) -> bool:
    """Whether the disk or the user's share of it is full."""
    return problem.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def _trouble(problem: OSError) -> Trouble:
    return Trouble.DISK_FULL if is_full(problem) else Trouble.PHOTO
