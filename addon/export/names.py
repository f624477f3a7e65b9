"""Names inside a file: Blender answers a second `body` with `body.001`, so whoever has a wanted name lends it for the while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import bpy

ASIDE = " (while exporting)"


@contextlib.contextmanager
def named(store: bpy.types.bpy_prop_collection, wanted: Mapping[bpy.types.ID, str]) -> Iterator[None]:
    """Give blocks of one store of bpy.data these names inside the block; afterwards all others have theirs again."""
    taken = set(wanted.values())
    lent = {block: block.name for block in store if block.name in taken and block not in wanted and block.library is None}
    try:
        for block, name in lent.items():
            block.name = name + ASIDE
        for block, name in wanted.items():
            block.name = name
        yield
    finally:
        for number, block in enumerate(wanted):
            block.name = f"imago{ASIDE} {number}"
        for block, name in lent.items():
            block.name = name
