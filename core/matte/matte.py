"""The second word of the line: one call, several providers, tried in the order of how much they know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..device import choose_device
from ..errors import Trouble, UserInputError
from ..perceive.several import checked_box, choose, describe
from ..types import Matte, Photo, Settings
from .find import cars_in
from .mask_file import read_mask
from .network import cut
from .other import rembg_matte

AUTOMATIC = "automatic cut"  # the source of a matte that nobody vouches for
LEAST_SHARE, MOST_SHARE = 0.02, 0.95  # of the picture; outside of it no car can be measured
LEAST_CAR01 = 0.5  # below this the network does not believe that there is a car


def make_matte(
    photo: Photo, mask_path: str | Path | None = None, settings: Settings | None = None, notice: Callable[[str], None] | None = None
) -> Matte:
    """Photo -> Matte of the same size: the mask file, else the photo's transparency, else an automatic cut, or rembg's if asked for.

    source is "mask file", "transparency", "rembg" or "automatic cut"; confidence01 is 1 for the first two.  Several cars are told of by
    `notice`.  Raises UserInputError for a mask of another size, for a picture that is transparent everywhere, where no car or not the one
    asked for is found, and where the matte covers less than LEAST_SHARE or more than MOST_SHARE of the picture.
    """
    settings = settings or Settings()
    if mask_path is not None:
        matte = Matte(read_mask(Path(mask_path), photo), "mask file", 1.0)
    elif photo.alpha01 is not None and _is_cut_out(photo.alpha01):
        matte = Matte(photo.alpha01, "transparency", 1.0)
    elif settings.matte == "rembg":
        matte = Matte(rembg_matte(photo.image_srgb01), "rembg", 0.8)
    else:
        matte = _automatic(photo, settings, notice)
    if matte.source != AUTOMATIC and notice is not None and (settings.which or settings.box_px is not None):
        notice(f"The {matte.source} says which car it is; the car's number or box is not looked at.")
    _check_share(matte)
    return matte


def _is_cut_out(alpha01: np.ndarray) -> bool:
    """False where next to nothing is transparent: rounded corners or a stray alpha channel tell nothing of the car."""
    if alpha01.max() < 0.5 / 255:
        raise UserInputError("the picture is transparent everywhere, export it with the car opaque or without transparency.")
    return float(alpha01.mean()) < MOST_SHARE


def _automatic(photo: Photo, settings: Settings, notice: Callable[[str], None] | None) -> Matte:
    """The network's cut of the car that is meant."""
    device = choose_device(settings.device)
    if settings.box_px is not None:
        box = checked_box(settings.box_px, photo.size_px, photo.file_size_px or photo.size_px)
        return _network_cut(photo, box, device)
    boxes, car01 = cars_in(photo.image_srgb01, device)
    if not boxes or (car01 < LEAST_CAR01 and not settings.which):
        raise UserInputError(
            "no car was recognised in this picture, give a mask or a box that shows where it is, or use another picture.", Trouble.NO_CAR
        )
    chosen = choose(boxes, photo.size_px, settings)
    if len(boxes) > 1 and notice is not None:
        notice(describe(len(boxes), chosen))
    return _network_cut(photo, boxes[chosen], device)


def _network_cut(photo: Photo, box_px: tuple[float, float, float, float], device: torch.device) -> Matte:
    alpha01, sure01, seen = cut(photo.image_srgb01, box_px, device)
    return Matte(alpha01, AUTOMATIC, sure01, seen)


def _check_share(matte: Matte) -> None:
    share = float(matte.alpha01.mean())
    if share < LEAST_SHARE:
        raise UserInputError(
            f"the car covers only {100 * share:.1f} % of the picture ({matte.source}), crop the picture or give a mask.", Trouble.NO_CAR
        )
    if share > MOST_SHARE:
        raise UserInputError(
            f"the car covers {100 * share:.0f} % of the picture ({matte.source}), use one with room around it or give a mask.",
            Trouble.NO_CAR,
        )
