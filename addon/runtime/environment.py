"""Which Python the worker runs with: reads the small files that a finished set-up left behind.

The folder holds one env-<hash> (an environment, or only a stamp where the user's own Python is used as it is), its stamp.json,
written last, and chosen.json, which names the one in use.  An env-* without a stamp is the rubbish of an interrupted set-up.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

Version = tuple[int, int]

OLDEST_PYTHON: Version = (3, 11)
NEWEST_PYTHON: Version = (3, 14)
IMPORT_NAMES = {"pillow": "PIL", "opencv-python-headless": "cv2"}
STAMP, CHOSEN, LOG = "stamp.json", "chosen.json", "set_up.log"

_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*==\s*([^\s;]+)\s*(?:;\s*python_version\s*(<|>=)\s*\"(\d+)\.(\d+)\")?")


class Requirement(NamedTuple):
    """One pinned package and the name it is imported by."""

    name: str
    version: str
    module: str


def supported_versions() -> list[Version]:
    return [(OLDEST_PYTHON[0], minor) for minor in range(OLDEST_PYTHON[1], NEWEST_PYTHON[1] + 1)]


def requirements_file(package_root: Path) -> Path:
    return package_root / "core" / "requirements.txt"


def wheels_folder(package_root: Path) -> Path | None:
    """The wheels that travel in a bundled zip, None in the slim one."""
    folder = package_root / "wheels"
    return folder if folder.is_dir() and any(folder.glob("*.whl")) else None


def requirements(package_root: Path, version: Version) -> list[Requirement]:
    """What core/requirements.txt asks of this Python.  Raises ValueError for a line that is no plain pin."""
    return _requirements(*_identity(requirements_file(package_root)), version)


def requirements_hash(package_root: Path, version: Version) -> str:
    """Ten hex digits that change with the pinned packages and with the Python, not with comments."""
    text = f"{version} " + " ".join(f"{r.name}=={r.version}" for r in requirements(package_root, version))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def environment_name(package_root: Path, version: Version, chosen: Path | None) -> str:
    """The folder's name; a chosen Python gets its own, so that a failed set-up with it cannot harm the one made with Blender's."""
    name = "env-" + requirements_hash(package_root, version)
    return name if chosen is None else f"{name}-{hashlib.sha256(_absolute(chosen).encode()).hexdigest()[:4]}"


def ready_python(folder: Path, package_root: Path, chosen: Path | None) -> Path | None:
    """The Python that has all the worker needs, or None where "Set up" has to be pressed (again).

    `folder` is the per-user folder of the environment, `package_root` the installed extension, `chosen` the Python of the preferences
    (None: Blender's own).  Not ready: never set up, another Python chosen since, other requirements after an upgrade,
    the Python it was made with gone (a Blender that moved), the folder copied from elsewhere.
    Cheap enough for every redraw: a few file dates.
    """
    use = _json(folder / CHOSEN)
    if use is None or use.get("chosen") != (None if chosen is None else _absolute(chosen)):
        return None
    stamp = _json(folder / str(use.get("environment")) / STAMP)
    if stamp is None:
        return None
    version = (int(stamp["version"][0]), int(stamp["version"][1]))
    same = stamp["requirements"] == requirements_hash(package_root, version) and stamp["folder"] == _absolute(folder)
    python = Path(stamp["python"])
    return python if same and python.exists() and Path(stamp["base"]).exists() else None


def unfinished(folder: Path) -> list[Path]:
    """What interrupted set-ups left behind, to be removed."""
    return [path for path in folder.glob("env-*") if not (path / STAMP).is_file()] + list(folder.glob("gone-*"))


def stamped(folder: Path, name: str) -> bool:
    return (folder / name / STAMP).is_file()


def _absolute(path: Path) -> str:
    """Links stay: the Python of a virtual environment is a link, and it is the link that was chosen."""
    return os.path.abspath(path)


def _identity(path: Path) -> tuple[str, int, int]:
    state = path.stat()
    return str(path), state.st_mtime_ns, state.st_size


def _json(path: Path) -> dict[str, Any] | None:
    try:
        return _read_json(*_identity(path))
    except OSError:
        return None


@lru_cache(maxsize=16)
def _read_json(path: str, modified_ns: int, size: int) -> dict[str, Any] | None:
    """None for a file that is no JSON object: whoever damaged it, setting up again mends it."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@lru_cache(maxsize=16)
def _requirements(path: str, modified_ns: int, size: int, version: Version) -> list[Requirement]:
    found = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        pin = line.split("#")[0].strip()
        if not pin:
            continue
        match = _REQUIREMENT.fullmatch(pin)
        if match is None:
            raise ValueError(f"{path}: cannot read {pin!r}, wanted name==version with at most a python_version marker")
        name, wanted, comparison, major, minor = match.groups()
        if comparison is None or (version < (int(major), int(minor))) == (comparison == "<"):
            found.append(Requirement(name, wanted, IMPORT_NAMES.get(name.lower(), name.replace("-", "_"))))
    return found
