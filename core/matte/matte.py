"""The second word of the line: one call, several providers, tried in the order of how much they know."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import Trouble, UserInputError
from ..types import Matte, Photo
from .automatic import cut
from .mask_file import read_mask

AUTOMATIC = "automatic cut"  # the source of a matte that nobody vouches for
LEAST_SHARE, MOST_SHARE = 0.02, 0.95  # of the picture; outside of it no car can be measured


def make_matte(photo: Photo, mask_path: str | Path | None = None) -> Matte:
    """Photo -> Matte of the same size: the mask file, else the photo's transparency, else an automatic cut.

    source is "mask file", "transparency" or "automatic cut"; confidence01 is 1 for the first two.
    Raises UserInputError for a mask of another size, for a picture that is transparent everywhere, and where the matte covers
    less than LEAST_SHARE or more than MOST_SHARE of the picture.
    """
    if mask_path is not None:
        matte = Matte(read_mask(Path(mask_path), photo), "mask file", 1.0)
    elif photo.alpha01 is not None and _is_cut_out(photo.alpha01):
        matte = Matte(photo.alpha01, "transparency", 1.0)
    else:
        matte = Matte(*_automatic(photo))
    _check_share(matte)
    return matte


def _is_cut_out(alpha01: np.ndarray) -> bool:
    """False where next to nothing is transparent: rounded corners or a stray alpha channel tell nothing of the car."""
    if alpha01.max() < 0.5 / 255:
        raise UserInputError("the picture is transparent everywhere, export it with the car opaque or without transparency.")
    return float(alpha01.mean()) < MOST_SHARE


def _automatic(photo: Photo) -> tuple[np.ndarray, str, float]:
    alpha01, confidence01 = cut(photo.image_srgb01)
    return alpha01, AUTOMATIC, confidence01


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
