"""One photograph in, one car out: the words of the arrow line, one call each.

photo -> matte -> perceive -> fit -> invert -> paint -> asset
(inversion needs the fitted camera; scene, rig and export are the addon's)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .asset.asset import validate_asset
from .car.car import build_body, build_lights, build_wheels, dimensions_m
from .device import choose_device, one_thread
from .errors import Trouble, UserInputError
from .fit.fit import fit
from .generator.invent import Invented, invent, write_picture
from .generator.weights import loaded
from .invert.unseen import Unseen, unseen_of_invented, unseen_sides
from .matte.matte import AUTOMATIC, make_matte
from .paint.materials import Colour
from .paint.own_colour import own_colour
from .paint.paint import paint, painted_size_px
from .perceive.perceive import perceive, with_body_type
from .photo.photo import read_photo
from .types import CarAsset, Fit, Matte, Perception, Photo, Report, Settings, Show

Made = TypeVar("Made")
# where in the whole of a run (the scene's files are the rest) each stage begins and ends
SPANS01 = {
    "photo": (0.0, 0.02),
    "matte": (0.02, 0.08),
    "perceive": (0.08, 0.1),
    "fit": (0.1, 0.5),
    "invert": (0.5, 0.6),
    "paint": (0.6, 0.8),
    "asset": (0.8, 0.82),
}

LEAST_IOU = 0.6  # real cars with a good mask reach 0.86
LEAST_CAR01 = 0.5


def check_is_car(matte: Matte, perception: Perception, found: Fit) -> None:
    """Raise UserInputError (Trouble.NO_CAR) where the fit does not explain the matte, or where the network sees no car in it.

    A cut-out or mask of the user's vouches for the car; then the outline alone is asked.
    """
    doubted = matte.source == AUTOMATIC and perception.car01 < LEAST_CAR01
    if doubted or found.mask_iou < LEAST_IOU:
        raise UserInputError(
            "no car was recognised in this picture, give a mask that shows where it is or use another picture.", Trouble.NO_CAR
        )


class Stages:
    """Runs the stages in turn, tells the caller how far the whole is, and keeps each one's seconds."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.timings_s: dict[str, float] = {}

    def run(self, stage: str, work: Callable[[Report], Made]) -> Made:
        """What `work` makes; it is handed a report for its own stage."""
        start, end = SPANS01[stage]

        def inner(_: str, fraction01: float) -> None:
            self.report(stage, start + (end - start) * fraction01)

        inner(stage, 0.0)
        began = time.perf_counter()
        made = work(inner)
        self.timings_s[stage] = time.perf_counter() - began
        return made


def _invented(settings: Settings, picture_path: Path) -> Invented:
    """Make a car up and write its picture."""
    parts = loaded()
    with one_thread():
        made = invent(parts, settings)
        write_picture(parts.generator, made, picture_path)
    return made


def _perceived(photo: Photo, matte: Matte, settings: Settings) -> tuple[Perception, Colour | None]:
    """What the network sees, a body type that the user told in place of its own, and the paint's own colour as that tells it."""
    perception = perceive(photo, matte, choose_device(settings.device), afresh=settings.quality != "draft")
    if settings.body_type:
        perception = with_body_type(perception, settings.body_type)
    return perception, own_colour(photo.image_srgb01, perception.dense)


def photo_to_car(
    photo_path: Path,
    mask_path: Path | None,
    settings: Settings,
    report: Report,
    show: Show | None = None,
    see: Callable[[Photo, Matte, Colour | None], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> CarAsset:
    """Make a car from a photograph, or with settings.invented from the picture that is then written to photo_path.

    report(stage, fraction01 of the whole photograph) is called often and may raise Cancelled; show gets the shape as it sharpens,
    see the photograph, its matte and the paint's told colour before that, notice sentences that the user should read though nothing failed.
    Raises:
        UserInputError: the photograph or mask cannot be used.
        WeightsError: a weight file is missing or damaged.
    """
    stages = Stages(report)
    invented = _invented(settings, Path(photo_path)) if settings.invented else None
    told_paint = None
    photo = stages.run("photo", lambda _: read_photo(photo_path))
    matte = stages.run("matte", lambda _: make_matte(photo, mask_path, settings, notice))
    if invented is not None:
        found = Fit(invented.shape, invented.camera, 1.0, 1.0)  # nothing has to be guessed of a car that was made
    else:
        perception, told_paint = stages.run("perceive", lambda _: _perceived(photo, matte, settings))
        if see is not None:
            see(photo, matte, told_paint)
        with one_thread():
            found = stages.run("fit", lambda tell: fit(photo, matte, perception, settings, tell, show=show))
        check_is_car(matte, perception, found)
    with one_thread():
        body, wheels = build_body(found.shape), build_wheels(found.shape)
    unseen = Unseen(photo)
    if invented is not None:
        unseen = stages.run("invert", lambda _: unseen_of_invented(photo, invented))
    elif settings.unseen == "generator":
        unseen = stages.run("invert", lambda tell: unseen_sides(photo, matte, found.camera, body, wheels, settings.quality, tell))
    size_px = painted_size_px(settings)
    texture = stages.run(
        "paint",
        lambda tell: paint(unseen.photo, matte, found, body, wheels, size_px, tell, unseen.imagined, unseen.paint_srgb01, told_paint),
    )

    def assemble(_: Report) -> CarAsset:
        asset = CarAsset(
            name=Path(photo_path).stem,
            photo_path=str(photo_path),
            body=body,
            wheels=wheels,
            lights=build_lights(body),
            texture=texture,
            camera=found.camera,
            body_type=found.shape.body_type,
            dimensions_m=dimensions_m(found.shape, body),
            measures=found.shape.measures,
            quality={"mask_iou": found.mask_iou, "confidence": found.confidence01, "matte_confidence": matte.confidence01},
            matte01=matte.alpha01,
            settings=settings,
            timings_s=stages.timings_s,
            coefficients=found.shape.coefficients,
            views_srgb01=unseen.sheet_srgb01,
        )
        validate_asset(asset)
        return asset

    return stages.run("asset", assemble)
