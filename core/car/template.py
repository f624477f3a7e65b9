"""The one topology with its parts and UV: the half body of skeleton.py, mirrored to the whole body, unwrapped.

Built once a process (about 0.1 s) and never changed; only vertices move (see car.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from . import body
from .atlas import Atlas
from .measure_table import BODY_TYPES, to_array
from .skeleton import skeleton, weld


@dataclass(frozen=True)
class Template:
    """The whole body's quads (F, 4), uv01 (F, 4, 2), and part_index (F,) into part_names."""

    quads: np.ndarray
    uv01: np.ndarray
    part_index: np.ndarray
    part_names: tuple[str, ...]


@cache
def template() -> Template:
    """The same object at every call."""
    shared = skeleton()
    faces, corners = shared.faces, np.array(shared.faces.corners)
    names = [name.replace("SIDE", side) for side in ("left", "right") for name in faces.part]
    part_names = tuple(sorted(set(names)))
    atlas = reference_atlas()
    left, right = (atlas.unwrap(corners, faces.chart, shared.insets.weights, shared.foot, mirrored) for mirrored in (False, True))
    return Template(
        quads=shared.quads,
        uv01=np.concatenate([left, right[:, ::-1]]).astype(np.float32),
        part_index=np.array([part_names.index(name) for name in names], np.int32),
        part_names=part_names,
    )


@cache
def reference_atlas() -> Atlas:
    """The UV layout, from the reference sedan."""
    return Atlas(body.raw_vertices(to_array(BODY_TYPES["sedan"])[None])[0], weld())
