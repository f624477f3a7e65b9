"""Indicators keep their rhythm when a scene's frame rate changes, or a file of another rate is opened."""

from __future__ import annotations

import bpy

from ..scene.made import ROLE
from .blinker import lay_out

_OWNER = object()  # of the subscriptions


def attach() -> None:
    """After the classes are registered."""
    bpy.app.handlers.load_post.append(_loaded)
    _listen()


def detach() -> None:
    bpy.msgbus.clear_by_owner(_OWNER)
    if _loaded in bpy.app.handlers.load_post:
        bpy.app.handlers.load_post.remove(_loaded)


@bpy.app.handlers.persistent
def _loaded(*_: object) -> None:
    """Subscriptions end with the file."""
    _listen()
    _lay_out_all()


def _listen() -> None:
    bpy.msgbus.clear_by_owner(_OWNER)
    for name in ("fps", "fps_base"):
        bpy.msgbus.subscribe_rna(key=(bpy.types.RenderSettings, name), owner=_OWNER, args=(), notify=_lay_out_all)


def _lay_out_all() -> None:
    for scene in bpy.data.scenes:
        for thing in scene.objects:
            if thing.get(ROLE) == "rig" and thing.is_editable:
                lay_out(thing, scene)
