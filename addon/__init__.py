"""The Blender side: everything that imports bpy, and nothing that imports torch.

photo (operators) -> worker -> placing -> scene -> rig -> export; the panels show it, session knows what is going on.
headless and command_line do the same for one car without a window.
"""

from __future__ import annotations

import atexit


def register() -> None:
    """Called by Blender when the extension is enabled."""
    import bpy

    from . import ghost, history, operators, panels, preferences, properties
    from .drive import settings
    from .operators import photos
    from .rig import frame_rate

    atexit.register(unregister)  # for whoever registers by hand: with our types still there, the bpy module never ends
    for kind in (*preferences.CLASSES, *properties.CLASSES, *settings.CLASSES, *operators.CLASSES, *panels.CLASSES):
        bpy.utils.register_class(kind)
    for module in (properties, settings, history, photos, ghost, frame_rate):
        module.attach()


def unregister() -> None:
    """Called by Blender when the extension is disabled, and when Blender ends: no worker and no type of ours stays."""
    import bpy

    from . import ghost, history, operators, panels, preferences, properties
    from .drive import settings
    from .operators import photos
    from .rig import frame_rate
    from .session import SESSION

    atexit.unregister(unregister)
    SESSION.close()
    for module in (frame_rate, ghost, photos, history, settings, properties):
        module.detach()
    for kind in reversed((*preferences.CLASSES, *properties.CLASSES, *settings.CLASSES, *operators.CLASSES, *panels.CLASSES)):
        bpy.utils.unregister_class(kind)
