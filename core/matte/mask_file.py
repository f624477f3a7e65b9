"""A mask that the user made: where it lies, and what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import Trouble, UserInputError
from ..photo.decode import decode
from ..photo.photo import reduce_to
from ..types import Photo

GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)


def find_mask(mask: Path, photo: Path, alone: bool = True) -> Path:
    """The mask file for a photograph: `mask` itself, or STEM.png or STEM_mask.png in the folder `mask`.

    `alone` tells that there is one photograph only, since one file cannot be the mask of several.  Raises UserInputError.
    """
    if mask.is_dir():
        names = (f"{photo.stem}.png", f"{photo.stem}_mask.png")
        for name in names:
            if (mask / name).is_file() and (mask / name).resolve() != photo.resolve():
                return mask / name
        raise UserInputError(f"the mask folder {mask} holds neither {names[0]} nor {names[1]}, add one or give no mask.", Trouble.MASK)
    if not mask.exists():
        raise UserInputError(f"there is no mask {mask}, check the name.", Trouble.MASK)
    if not alone:
        raise UserInputError(f"{mask} is one mask for several photographs, name a folder of masks.", Trouble.MASK)
    return mask


def read_mask(path: Path, photo: Photo) -> np.ndarray:
    """alpha01 (H, W) float32 in the photo's working size, from a mask of the size of the upright picture file.

    White is car; a mask with transparency counts by that instead, and one of values 0 and 1 is stretched.
    Raises UserInputError for an unreadable mask or one of another size.
    """
    try:
        pixels = decode(path, least_side_px=1)
    except UserInputError as problem:
        raise UserInputError(f"mask {path.name}: {problem}", Trouble.MASK) from problem
    found = (pixels.shape[1], pixels.shape[0])
    wanted = photo.file_size_px or photo.size_px
    if found not in (wanted, photo.size_px):
        raise UserInputError(
            f"the mask {path.name} has {found[0]} x {found[1]} pixels, the photo {wanted[0]} x {wanted[1]}: save it in the photo's size.",
            Trouble.MASK,
        )
    one_bit = pixels.dtype == np.uint8 and int(pixels[..., :3].max()) == 1
    values = reduce_to(pixels, photo.size_px)
    if values.shape[2] == 4 and values[..., 3].min() < 0.5:
        return values[..., 3].copy()
    grey = values[..., :3] @ GREY_WEIGHTS
    return np.clip(grey * 255.0 if one_bit else grey, 0.0, 1.0).astype(np.float32)
