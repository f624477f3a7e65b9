"""Which class of parts, as the network tells them apart, a part of the template belongs to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..perceive.heads import PART_CLASSES
from .parts import base_name

CLASS_WORDS = (  # the first that a part's name begins with decides; whatever is not listed is body
    ("windshield", "windshield"), ("rear_window_frame", "body"), ("rear_window", "rear_window"), ("side_window", "side_window"),
    ("headlight", "headlight"), ("high_beam", "headlight"), ("indicator_front", "headlight"), ("fog", "headlight"),
    ("taillight", "taillight"), ("brake_light", "taillight"), ("reverse", "taillight"), ("indicator_rear", "taillight"),
    ("license", "plate"), ("grille", "grille"), ("underbody", "underbody"), ("wheel_arch", "underbody"), ("tyre", "wheel"),
    ("rim", "wheel"), ("hub", "wheel"), ("", "body"),
)  # fmt: skip


def class_of_part(part: str) -> int:
    """Index into PART_CLASSES of a part of the template."""
    name = base_name(part)
    return PART_CLASSES.index(next(found for word, found in CLASS_WORDS if name.startswith(word)))


def classes_of_parts(part_names: Sequence[str]) -> np.ndarray:
    """(P,) uint8 index into PART_CLASSES of each part."""
    return np.array([class_of_part(name) for name in part_names], np.uint8)
