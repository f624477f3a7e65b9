"""The Blender side: everything that imports bpy, and nothing that imports torch.

scene -> rig -> export; headless does all three for one car without a window.
"""


def register() -> None:
    """Called by Blender when the extension is enabled; the car's scene, rig and export are plain functions and need no registration."""


def unregister() -> None:
    """Called by Blender when the extension is disabled."""
