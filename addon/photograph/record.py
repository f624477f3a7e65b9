"""What is written down of a photograph, so that every label follows by rasterising the same cars."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

LOG = "shots.jsonl"


@dataclass(frozen=True)
class Shot:
    """A line of shots.jsonl.

    camera_to_world and the others' matrices (4 x 4) are in the frame of the model as core.dataset.cars.read_model gives it, after
    core.dataset.deform.widen(model, numpy.random.default_rng(widen_seed)) where widen_seed is not None, and in the form of the file `form`
    beside the picture (core.dataset.form) where that is not None.  paint is linear RGB, None where the author's stayed.  others are
    {"car": name, "matrix": places that car's model here} of the other cars that are shown, whether inside the frame or not.  occluders says
    whether something that is no car may stand before the car; then cover names a grey picture beside this one, 255 where that thing is
    what one sees, cars and ground before it taken into account; else cover is None.
    """

    file: str
    lens_mm: float
    sensor_width_mm: float
    camera_to_world: list[list[float]]
    azimuth_deg: float
    elevation_deg: float
    hdri: str
    ground: str
    night: bool
    paint: list[float] | None
    widen_seed: int | None
    form: str | None
    others: list[dict]
    occluders: bool
    cover: str | None


def shots_in(folder: Path) -> int:
    """How many a car's folder holds."""
    log = folder / LOG
    return len(log.read_text().splitlines()) if log.is_file() else 0


def append(folder: Path, shot: Shot) -> None:
    """Add a line, after the picture is written."""
    with (folder / LOG).open("a") as lines:
        lines.write(json.dumps(asdict(shot)) + "\n")
