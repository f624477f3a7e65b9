"""What Blender and the worker say to each other: one JSON object a line, its "word" one of Word; arrays travel as files.

Both sides import this module, so it needs neither torch nor bpy nor numpy.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from .errors import Trouble, UserInputError


class Word(StrEnum):
    """The one list of messages; the comment says which fields come along."""

    # Blender -> worker
    MAKE = "make"  # the fields of MakeRequest
    CANCEL = "cancel"  # job
    QUIT = "quit"
    # worker -> Blender
    READY = "ready"  # python, torch, gpu (its name, or null)
    PROGRESS = "progress"  # job, stage, fraction01, left_s (null while it cannot be told)
    SKETCH = "sketch"  # job, file: the car so far (see core/sketch.py)
    NOTICE = "notice"  # job, trouble, sentence: something the user should know, work goes on
    MADE = "made"  # job, folder, seconds
    FAILED = "failed"  # job, trouble, sentence, detail
    CANCELLED = "cancelled"  # job


@dataclass(frozen=True)
class MakeRequest:
    """One car to make: absolute paths; `settings` are the keyword arguments of core.types.Settings; files go to `folder`."""

    job: str
    photo: str
    folder: str
    mask: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def part_folder(folder: str) -> Path:
    """Where a car lies while it is made: beside its folder, which it becomes when it is finished; removed whatever happens."""
    whole = Path(folder)
    return whole.with_name(f".{whole.name}.part")


@dataclass(frozen=True)
class Problem:
    """Why something could not be done: the kind of help it needs, one sentence for the user, and a detail for the log (or empty)."""

    trouble: Trouble
    sentence: str
    detail: str = ""


def line_of(word: Word, **fields: Any) -> str:
    """One line, newline included."""
    return json.dumps({"word": word.value, **fields}) + "\n"


def make_line(request: MakeRequest) -> str:
    return line_of(Word.MAKE, **asdict(request))


def parse_line(line: str) -> tuple[Word, dict[str, Any]]:
    """The word and its fields.  Raises ValueError for whatever is no message."""
    fields = json.loads(line)
    if not isinstance(fields, dict) or "word" not in fields:
        raise ValueError(f"no message: {line[:80]!r}")
    return Word(fields.pop("word")), fields


def problem_of(error: UserInputError) -> Problem:
    """A user's mistake as the panel shows it; the command line's sentences follow a file's name and begin small."""
    sentence = str(error)
    return Problem(error.trouble, sentence[:1].upper() + sentence[1:])
