"""Files of an export written aside, textures in folders included, and moved into place when all of them are there."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...core.asset.aside import is_full
from ...core.errors import Trouble, UserInputError


@contextmanager
def moved_into(folder: Path) -> Iterator[Path]:
    """Yield an empty folder within `folder`; what is in it when the block ends well replaces what has its name in `folder`.

    After an exception inside the block `folder` is as it was.  Raises: UserInputError where it cannot be written.
    """
    try:
        aside = Path(tempfile.mkdtemp(prefix=".imago.", dir=folder))
    except OSError as problem:
        raise _refused(folder, problem) from problem
    try:
        yield aside
        try:
            _move(aside, folder)
        except OSError as problem:
            raise _refused(folder, problem) from problem
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _move(aside: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for path in sorted(aside.iterdir()):
        if path.is_dir():
            _move(path, folder / path.name)
        else:
            os.replace(path, folder / path.name)


def _refused(folder: Path, problem: OSError) -> UserInputError:
    trouble = Trouble.DISK_FULL if is_full(problem) else Trouble.SCENE
    return UserInputError(f"{folder} cannot be written ({problem.strerror}): choose another place.", trouble)
