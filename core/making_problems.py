"""What to tell the user when a car could not be made."""

from __future__ import annotations

import traceback
from pathlib import Path

import cv2
import torch

from .asset.aside import is_full
from .errors import Trouble, UserInputError, WeightsError
from .messages import Problem, problem_of


def problem_from(error: Exception, folder: Path) -> Problem:
    """The kind of help, a sentence and a detail; `folder` is where the car was to go."""
    detail = "".join(traceback.format_exception(error))
    if is_disk_full(error):
        return Problem(Trouble.DISK_FULL, f"The disk is full: free some space where {folder.parent} lies, then make the car again.", detail)
    if isinstance(error, UserInputError):
        return problem_of(error)
    if isinstance(error, WeightsError):
        return Problem(Trouble.WEIGHTS, "A file of the network is missing or damaged; install the extension again.", str(error))
    if isinstance(error, RuntimeError) and is_gpu_memory(error):
        return Problem(Trouble.GPU_MEMORY, "The graphics card ran out of memory; close other programs or choose the processor.", detail)
    if is_memory(error):
        return Problem(Trouble.MEMORY, "There is not enough memory for this car; close other programs or choose a smaller picture.", detail)
    if isinstance(error, OSError):
        return Problem(Trouble.INTERNAL, f"A file could not be read or written ({error}); show the log for more.", detail)
    return Problem(
        Trouble.INTERNAL, f"A fault of the program stopped the car ({type(error).__name__}); show the log and report it.", detail
    )


def is_disk_full(error: BaseException) -> bool:
    """Also of what was wrapped on the way."""
    if isinstance(error, UserInputError) and error.trouble is Trouble.DISK_FULL:
        return True
    if isinstance(error, OSError) and is_full(error):
        return True
    return error.__cause__ is not None and is_disk_full(error.__cause__)


def is_gpu_memory(error: RuntimeError) -> bool:
    """torch's own, and those that CUDA's libraries report by name only."""
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or ("cuda" in text and ("out of memory" in text or "alloc_failed" in text))


def is_memory(error: Exception) -> bool:
    """numpy raises MemoryError, torch and OpenCV their own errors."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, cv2.error):
        return "insufficient memory" in str(error).lower()
    return isinstance(error, RuntimeError) and "not enough memory" in str(error).lower()
