"""Every kind of trouble and the button that mends it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..core.errors import Trouble


@dataclass(frozen=True)
class Remedy:
    """A button: its text and icon, the operator behind it and that operator's properties."""

    text: str
    icon: str
    operator: str
    properties: dict[str, object] = field(default_factory=dict)


_PICK_PHOTO = Remedy("Choose Another Photo", "FILE_IMAGE", "imago.open_photo")
_PICK_MASK = Remedy("Choose a Mask", "MOD_MASK", "imago.open_mask")
_LOG = Remedy("Show the Log", "TEXT", "imago.show_log")
_SET_UP = Remedy("Set Up", "IMPORT", "imago.set_up")
_RETRY_SET_UP = Remedy("Try Again", "FILE_REFRESH", "imago.set_up")
_UNDERSTOOD = Remedy("Understood", "CHECKMARK", "imago.dismiss")
_PREFERENCES = Remedy("Choose Another Python", "PREFERENCES", "imago.open_preferences", {"page": "ADDONS"})

REMEDIES: dict[Trouble, Remedy] = {
    Trouble.PHOTO: _PICK_PHOTO,
    Trouble.TOO_LARGE: Remedy("Choose a Smaller Picture", "FILE_IMAGE", "imago.open_photo"),
    Trouble.NO_CAR: _PICK_MASK,
    Trouble.SEVERAL_CARS: _UNDERSTOOD,  # the fields that choose another stand right below
    Trouble.MASK: _PICK_MASK,
    Trouble.DEVICE: Remedy("Use the Processor", "CHECKMARK", "imago.use_processor"),
    Trouble.GPU_MEMORY: Remedy("Free the Graphics Card", "TRASH", "imago.stop_worker"),
    Trouble.MEMORY: Remedy("End the Worker", "TRASH", "imago.stop_worker"),
    Trouble.DISK_FULL: Remedy("Empty the History", "TRASH", "imago.clear_history"),
    Trouble.WEIGHTS: Remedy("Install Imago Again", "PREFERENCES", "imago.open_preferences", {"page": "EXTENSIONS"}),
    Trouble.NOT_SET_UP: _SET_UP,
    Trouble.OFFLINE: Remedy("Allow Online Access", "INTERNET", "imago.open_preferences", {"page": "SYSTEM"}),
    Trouble.NO_NETWORK: _RETRY_SET_UP,
    Trouble.PROXY: _RETRY_SET_UP,
    Trouble.NO_VENV: _PREFERENCES,
    Trouble.PYTHON: _PREFERENCES,
    Trouble.SET_UP_FAILED: _RETRY_SET_UP,
    Trouble.WORKER_DIED: _LOG,
    Trouble.BUSY: Remedy("Cancel the Car in the Making", "CANCEL", "imago.cancel"),
    Trouble.SCENE: _UNDERSTOOD,
    Trouble.INTERNAL: _LOG,
}
