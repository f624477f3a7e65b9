"""Drawing takes cars and kinds turn by turn, goes on where it stopped, and recasts no car whose panes are not told."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import trimesh

from imago.core.car.car import whole
from imago.core.car.measure_table import NAMES
from imago.core.car.prior import shape_prior
from imago.core.car.space import shape_space
from imago.core.dataset import make_pictures
from imago.core.dataset.make_pictures import draw_pictures
from imago.core.dataset.pictures import read_shards
from imago.core.perceive.heads import FIGURES

from ..training.made_cars import box_car, template_car, write_car

PICTURES = 2  # a turn


def paned_car() -> dict[str, trimesh.Trimesh]:
    """The typical sedan, its windows nodes of their own."""
    measures = dict(zip(NAMES, shape_prior().typical["sedan"].tolist(), strict=True))
    pieces, mesh = template_car(measures), whole()
    named = np.array([name.split("_left")[0].split("_right")[0] for name in mesh.part_names])[mesh.part_index.numpy()]
    body, named = pieces["Body"], named[: len(pieces["Body"].faces)]
    panes = {"Windshield": named == "windshield", "Windows": np.char.startswith(named, "side_window")}
    rest = ~np.any(list(panes.values()), axis=0)
    return pieces | {node: trimesh.Trimesh(body.vertices, body.faces[of]) for node, of in (panes | {"Body": rest}).items()}


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three cars, only the sedan with panes, and their fits; a panorama; a clock that goes on by a second at every look."""
    pieces = {"paned": ("sedan", paned_car()), "loaded": ("pickup", box_car()), "box": ("wagon", box_car())}
    for name, (kind, car) in pieces.items():
        write_car(tmp_path / "cars", kind, car, name=name)
    (tmp_path / "fits").mkdir()
    for name, (kind, _) in pieces.items():
        measures = shape_prior().typical[kind].numpy()
        np.savez(tmp_path / "fits" / f"{name}.npz", measures=measures, free_half_m=shape_space().offset_m)
    (tmp_path / "skies").mkdir()
    cv2.imwrite(str(tmp_path / "skies" / "grey.hdr"), np.ones((32, 64, 3), np.float32))
    clock = count()
    monkeypatch.setattr(make_pictures, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))
    monkeypatch.setattr(make_pictures, "PER_TURN", PICTURES)
    return tmp_path


def draw_turns(folder: Path, turns: int, fits: bool) -> int:
    seconds = turns + 1
    return draw_pictures(folder / "cars", folder / "out", folder / "skies", seconds / 60, 5, folder / "fits" if fits else None)


def drawn(folder: Path) -> list[str]:
    """The files in OUT by turn, without its number."""
    return [file.stem[:-6] for file in sorted((folder / "out").iterdir(), key=lambda file: file.stem[-5:])]


@pytest.mark.slow
def test_kinds_and_cars_take_turns_and_a_stopped_drawing_goes_on(ground: Path) -> None:
    assert draw_turns(ground, 4, fits=True) > 0
    assert drawn(ground) == ["invented", "recast_paned", "changed_box"], "a car without panes is changed but not recast"
    times = {file: file.stat().st_mtime_ns for file in (ground / "out").iterdir()}
    assert draw_turns(ground, 4, fits=True) == 0, "all of it is there"
    assert 0 < draw_turns(ground, 5, fits=True) <= PICTURES
    assert drawn(ground) == ["invented", "recast_paned", "changed_box", "recast_paned"]
    assert {file: file.stat().st_mtime_ns for file in times} == times
    pictures = read_shards([ground / "out"])
    widths = pictures.figures[pictures.car == "paned", FIGURES.index("log_width")]
    assert len(widths) == 2 * PICTURES and np.diff(np.sort(widths)).min() > 1e-4, "every picture is of another shape"


@pytest.mark.slow
def test_without_fits_nothing_is_recast(ground: Path) -> None:
    draw_turns(ground, 4, fits=False)
    assert drawn(ground) == ["invented", "changed_paned", "changed_loaded", "changed_box"]
