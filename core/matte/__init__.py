"""Matte: which pixels are the car, from the best source there is."""

from .mask_file import find_mask
from .matte import make_matte

__all__ = ["find_mask", "make_matte"]
