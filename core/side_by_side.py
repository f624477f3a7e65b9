"""Work on large arrays, several pieces at once.  numpy, OpenCV and torch let go of the interpreter while they compute, so threads do gain.

Not beside Blender: while its own code runs no thread of ours may.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

PIECES = min(os.cpu_count() or 1, 8)

Given = TypeVar("Given")
Made = TypeVar("Made")


def side_by_side(work: Callable[[Given], Made], items: Iterable[Given]) -> list[Made]:
    """What work makes of each item, in order.  Work must not call this itself: it could wait for its own thread."""
    return list(_pool().map(work, items))


def both(one: Callable[[], Given], other: Callable[[], Made]) -> tuple[Given, Made]:
    """What two different works make: one in this thread, the other beside it, which must not call this module."""
    beside = _pool().submit(other)
    return one(), beside.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PIECES, "piece")
