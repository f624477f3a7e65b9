"""Imago: one photo of a car in, a textured, rigged 3D car in the active scene.

photo -> matte -> perceive -> fit -> invert -> paint -> asset -> scene -> rig -> export
Blender needs this file beside the manifest; everything lives in addon (bpy) and core (torch).
"""


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from . import addon

    addon.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled."""
    from . import addon

    addon.unregister()
