"""A Reshape as a small file beside the car."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..errors import UserInputError
from .reshape import Reshape, no_offset


def write_reshape(reshape: Reshape, path: str | os.PathLike[str]) -> None:
    """Write an .npz.  Raises: OSError."""
    names = list(reshape.ranges)
    np.savez(
        path,
        body_type=np.array(reshape.body_type),
        base_names=np.array(list(reshape.base)),
        base=np.array(list(reshape.base.values()), np.float64),
        names=np.array(names),
        ranges=np.array([reshape.ranges[name] for name in names], np.float64).reshape(-1, 2),
        template_key=np.array(reshape.template_key, np.int64),
        offset_m=reshape.offset_m,
    )


def read_reshape(path: str | os.PathLike[str]) -> Reshape:
    """What write_reshape wrote.  Raises: UserInputError where the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as held:
            base = dict(zip(held["base_names"].tolist(), held["base"].tolist(), strict=True))
            ranges = {str(name): (float(low), float(high)) for name, (low, high) in zip(held["names"], held["ranges"], strict=True)}
            offset_m = held["offset_m"] if "offset_m" in held else no_offset()  # older runs are the bare template
            return Reshape(str(held["body_type"]), base, ranges, int(held["template_key"]), offset_m)
    except Exception as problem:  # a damaged zip raises whatever it likes
        raise UserInputError(f"{Path(path).name} cannot be read; make the car again from its photo.") from problem
