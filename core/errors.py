"""The errors a caller may meet, told apart by whose mistake they are."""

from __future__ import annotations


class UserInputError(Exception):
    """Something the user gave cannot be used; the text says what is wrong and what to do, in one sentence."""


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
