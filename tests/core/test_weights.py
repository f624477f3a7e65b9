"""Weight files are read only when they are the ones the manifest names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imago.core.errors import WeightsError
from imago.core.weights import read_checked, sha256_of, write_entry

REMEDY = "build.py train thing"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_entry(tmp_path, "other", "other.bin", b"another network", {"seed": 1})
    write_entry(tmp_path, "thing", "thing.bin", b"a network", {"seed": 7})
    return tmp_path


def test_what_was_written_is_read(folder: Path) -> None:
    assert read_checked(folder, "thing") == b"a network" and read_checked(folder, "other") == b"another network"
    entries = json.loads((folder / "manifest.json").read_text())
    assert entries["thing"] == {"file": "thing.bin", "sha256": sha256_of(b"a network"), "seed": 7}
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "other.bin", "thing.bin"], "something is left aside"


def test_a_second_writing_replaces_its_own_entry_only(folder: Path) -> None:
    write_entry(folder, "thing", "thing.bin", b"a better network", {"seed": 8})
    assert read_checked(folder, "thing") == b"a better network" and read_checked(folder, "other") == b"another network"
    assert json.loads((folder / "manifest.json").read_text())["thing"]["seed"] == 8


def test_sha256_is_the_published_one() -> None:
    assert sha256_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_missing_folder_file_or_entry_says_what_to_do(folder: Path) -> None:
    with pytest.raises(WeightsError, match=f"manifest.json is missing; .*{REMEDY}"):
        read_checked(folder / "nowhere", "thing")
    with pytest.raises(WeightsError, match="'unknown' are missing .*build.py train unknown"):
        read_checked(folder, "unknown")
    (folder / "thing.bin").unlink()
    with pytest.raises(WeightsError, match=f"'thing' are missing .*{REMEDY}"):
        read_checked(folder, "thing")


@pytest.mark.parametrize("content", [b"a networc", b"a net", b""], ids=["one byte off", "cut", "empty"])
def test_a_damaged_file_is_refused(folder: Path, content: bytes) -> None:
    (folder / "thing.bin").write_bytes(content)
    with pytest.raises(WeightsError, match=rf"thing.bin is damaged or of another version \(sha256 .*\); .*{REMEDY}"):
        read_checked(folder, "thing")
    assert read_checked(folder, "other") == b"another network"


def test_a_damaged_manifest_is_refused(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"thing": {"file"')
    with pytest.raises(WeightsError, match=f"manifest.json is damaged .*{REMEDY}"):
        read_checked(folder, "thing")
