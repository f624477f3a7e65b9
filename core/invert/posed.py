"""A photograph whose car's shape and camera are known: what an inversion begins from, for commands that do nothing else with the car."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..car.car import build_body, build_wheels
from ..fit.fit import fit
from ..generator.surface import Solid
from ..matte.matte import make_matte
from ..perceive.perceive import perceive
from ..photo.photo import read_photo
from ..pipeline import check_is_car
from ..types import Camera, Matte, Photo, Report, Settings


@dataclass(frozen=True, eq=False)
class Posed:
    """camera: in the car frame; solid: the fitted car."""

    photo: Photo
    matte: Matte
    camera: Camera
    solid: Solid


def pose(photo_path: Path, mask_path: Path | None, settings: Settings, report: Report) -> Posed:
    """Read and fit a photograph.  Raises UserInputError where it cannot be used or shows no car, WeightsError, and what report raises."""
    photo = read_photo(photo_path)
    matte = make_matte(photo, mask_path, settings, None)
    perception = perceive(photo, matte)
    found = fit(photo, matte, perception, settings, report)
    check_is_car(matte, perception, found)
    return Posed(photo, matte, found.camera, Solid.of_car(build_body(found.shape), build_wheels(found.shape)))
