"""The cars made so far on this machine: a folder each, with what is needed to place one again, a thumbnail and its seconds."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import bpy.utils.previews

_previews: bpy.utils.previews.ImagePreviewCollection | None = None
_cache: tuple[int, tuple[Run, ...]] | None = None


@dataclass(frozen=True)
class Run:
    """One finished car."""

    job: str
    folder: Path
    photo: str
    seconds: float
    quality: str
    body_type: str

    @property
    def name(self) -> str:
        return Path(self.photo).stem


def runs(folder: Path) -> tuple[Run, ...]:
    """Newest first.  Reads the disk only when a run came or went, so that a panel may ask at every redraw."""
    global _cache
    stamp = folder.stat().st_mtime_ns
    if _cache is None or _cache[0] != stamp:
        _cache = (stamp, tuple(sorted(filter(None, map(_read, folder.iterdir())), key=lambda run: run.job, reverse=True)))
    return _cache[1]


def find_run(folder: Path, job: str) -> Run | None:
    return next((run for run in runs(folder) if run.job == job), None)


def delete_run(run: Run) -> None:
    shutil.rmtree(run.folder)


def prune(folder: Path, keep: int) -> None:
    """Delete all but the newest `keep` runs."""
    for run in runs(folder)[keep:]:
        delete_run(run)


def thumbnail_icon(run: Run) -> int:
    """Icon number of the run's picture; loaded by Blender when first drawn.  0 where there is none."""
    picture = run.folder / "thumbnail.png"
    if _previews is None or not picture.is_file():
        return 0
    if run.job not in _previews:
        _previews.load(run.job, str(picture), "IMAGE")
    return _previews[run.job].icon_id


def attach() -> None:
    global _previews
    _previews = bpy.utils.previews.new()


def detach() -> None:
    global _previews, _cache
    if _previews is not None:
        bpy.utils.previews.remove(_previews)
    _previews = _cache = None


def _read(folder: Path) -> Run | None:
    """None for whatever is no finished run: one in the making, or one that somebody meddled with."""
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return Run(folder.name, folder, record["photo"], float(record["seconds"]), record["quality"], record["body_type"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
