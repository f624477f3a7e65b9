"""Weight files: safetensors beside a manifest that holds each file's sha256; nothing is read unchecked, nothing half-written."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from .errors import WeightsError

FOLDER = Path(__file__).parents[1] / "weights"


def sha256_of(content: bytes) -> str:
    """Hexadecimal sha256."""
    return hashlib.sha256(content).hexdigest()


def is_there(key: str, folder: Path = FOLDER) -> bool:
    """Whether the manifest names a file `key` and it lies there, unread."""
    try:
        entry = json.loads((folder / "manifest.json").read_text(encoding="utf-8")).get(key)
    except (OSError, ValueError):
        return False
    return entry is not None and (folder / entry["file"]).is_file()


def read_checked(folder: Path, key: str) -> bytes:
    """The content of the manifest's file `key`, its sha256 checked.

    Raises:
        WeightsError: the manifest or file is missing or damaged, or the file is not the one the manifest names.
    """
    remedy = f"fetch the weights folder again or make the file with `python3 build.py train {key}`"
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise WeightsError(f"{manifest} is missing; {remedy}.")
    try:
        entry = json.loads(manifest.read_text(encoding="utf-8")).get(key)
    except ValueError as problem:
        raise WeightsError(f"{manifest} is damaged ({problem}); {remedy}.") from problem
    if entry is None or not (folder / entry["file"]).is_file():
        raise WeightsError(f"The weights of {key!r} are missing in {folder}; {remedy}.")
    content = (folder / entry["file"]).read_bytes()
    found = sha256_of(content)
    if found != entry["sha256"]:
        raise WeightsError(
            f"{entry['file']} is damaged or of another version (sha256 {found[:12]}..., wanted {entry['sha256'][:12]}...); {remedy}."
        )
    return content


def write_entry(folder: Path, key: str, file: str, content: bytes, facts: dict[str, Any]) -> None:
    """Write FOLDER/file and its manifest entry (file, sha256, then `facts`), each aside and then renamed."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.json"
    entries = json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
    entries[key] = {"file": file, "sha256": sha256_of(content), **facts}
    for path, data in ((folder / file, content), (manifest, (json.dumps(entries, indent=1) + "\n").encode())):
        aside = path.with_name(path.name + ".part")
        aside.write_bytes(data)
        os.replace(aside, path)
