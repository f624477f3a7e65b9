"""The errors a caller may meet, told apart by whose mistake they are."""

from __future__ import annotations

from enum import StrEnum


class Trouble(StrEnum):
    """What kind of help mends a failure; the panel picks its button by it (addon/remedies.py)."""

    PHOTO = "photo"  # another picture is needed
    TOO_LARGE = "too_large"  # a smaller picture
    NO_CAR = "no_car"  # no car was found in it: a mask or another picture
    SEVERAL_CARS = "several_cars"  # which of them was taken; only ever a notice
    MASK = "mask"  # another mask, or none
    DEVICE = "device"  # the chosen device is not there
    GPU_MEMORY = "gpu_memory"
    MEMORY = "memory"
    DISK_FULL = "disk_full"
    WEIGHTS = "weights"  # a weight file is missing or damaged
    NOT_SET_UP = "not_set_up"
    OFFLINE = "offline"  # Blender's own switch forbids the network
    NO_NETWORK = "no_network"
    PROXY = "proxy"
    NO_VENV = "no_venv"  # the chosen Python cannot make an environment
    PYTHON = "python"  # the chosen Python does not start, or is too old or too new
    SET_UP_FAILED = "set_up_failed"
    WORKER_DIED = "worker_died"
    BUSY = "busy"
    SCENE = "scene"  # something in the open file stands in the way; the sentence says what to do with it
    INTERNAL = "internal"  # a fault of the program


class UserInputError(Exception):
    """Something the user gave cannot be used; the text says what is wrong and what to do, in one sentence."""

    def __init__(self, sentence: str, trouble: Trouble = Trouble.PHOTO) -> None:
        super().__init__(sentence)
        self.trouble = trouble


class WeightsError(Exception):
    """A weight file is missing, damaged or of another version; the text names the file and the remedy."""


class ShapeError(ValueError):
    """A programmer handed over an array of the wrong shape; the text holds the wanted and the found shape."""


class Cancelled(Exception):
    """The caller asked a running job to stop; nothing of it is left on disk."""


def check_shape(name: str, found: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
    """Raise ShapeError unless `found` matches `wanted`, where None stands for any length."""
    matches = len(found) == len(wanted) and all(w is None or f == w for f, w in zip(found, wanted, strict=True))
    if not matches:
        text = ", ".join("any" if w is None else str(w) for w in wanted)
        raise ShapeError(f"{name} has shape {tuple(found)}, wanted ({text})")
