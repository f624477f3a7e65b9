"""rembg, another project's cut, where the user has installed it into the worker's environment and asks for it."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np

from ..errors import Trouble, UserInputError


def rembg_matte(image_srgb01: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 -> alpha01 (H, W) float32.  Raises UserInputError where rembg is not installed."""
    if find_spec("rembg") is None:
        raise UserInputError(
            "rembg is not installed: install it into the worker's environment, or choose the cut that comes with Imago.", Trouble.MASK
        )
    from rembg import remove

    found = remove((image_srgb01 * 255 + 0.5).astype(np.uint8), only_mask=True)
    return np.asarray(found, np.float32) / 255
