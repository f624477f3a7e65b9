"""Several cars in one picture: which of them is meant, and what the user is told of the others."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..errors import Trouble, UserInputError
from ..types import Settings

Box = tuple[float, float, float, float]
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
CENTRE_SHARE = 0.35  # of the picture's side: where a car counts 1 / e of one in the middle
LEAST_BOX_PX = 8  # a side, in pixels of the file; addon/operators/draw_box.py takes no smaller one either


def weight(box_px: Box, size_px: tuple[int, int]) -> float:
    """How much a car is likely to be meant: its box's area, less the further its middle is from the picture's."""
    across = ((box_px[0] + box_px[2]) / 2 / size_px[0] - 0.5) / CENTRE_SHARE
    down = ((box_px[1] + box_px[3]) / 2 / size_px[1] - 0.5) / CENTRE_SHARE
    return (box_px[2] - box_px[0]) * (box_px[3] - box_px[1]) * math.exp(-(across**2 + down**2))


def choose(boxes: Sequence[Box], size_px: tuple[int, int], settings: Settings) -> int:
    """Which of the boxes, ordered from the left, is the car to make: the one that settings.which names, else the largest central one.

    Raises UserInputError (Trouble.NO_CAR) where there are fewer than that.
    """
    if settings.which > len(boxes):
        count = "no car was" if not boxes else "one car was" if len(boxes) == 1 else f"{len(boxes)} cars were"
        raise UserInputError(
            f"car {settings.which} was asked for, but {count} found: choose another number, or draw a box.", Trouble.NO_CAR
        )
    if settings.which:
        return settings.which - 1
    return max(range(len(boxes)), key=lambda k: weight(boxes[k], size_px))


def describe(count: int, chosen: int) -> str:
    """The sentence on several cars of which one, counted from 0 at the left, was taken."""
    name = f"the {ORDINALS[chosen]}" if chosen < len(ORDINALS) else f"number {chosen + 1}"
    return f"{count} cars were found; {name} from the left was taken. Choose another by its number or by a box."


def checked_box(box_px: Sequence[float], size_px: tuple[int, int], file_size_px: tuple[int, int]) -> Box:
    """A box of the user's in pixels of the picture file, in those of the picture as it was read (file_size_px, reduced to size_px).

    What lies outside of the picture is cut off.  Raises UserInputError where less than LEAST_BOX_PX a side is left.
    """
    scale = size_px[0] / file_size_px[0]
    left, top, right, bottom = max(box_px[0], 0.0), max(box_px[1], 0.0), min(box_px[2], file_size_px[0]), min(box_px[3], file_size_px[1])
    if not (right - left >= LEAST_BOX_PX and bottom - top >= LEAST_BOX_PX):  # so that a box of no numbers (NaN) is refused too
        given = ",".join(f"{side:.10g}" for side in box_px)
        raise UserInputError(
            f"the box {given} holds nothing of the picture of {file_size_px[0]} x {file_size_px[1]} pixels: "
            "give left, top, right and bottom of the car in pixels.",
            Trouble.NO_CAR,
        )
    return left * scale, top * scale, right * scale, bottom * scale
