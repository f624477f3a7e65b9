"""Which device the networks and the fit run on, and on how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .errors import Trouble, UserInputError


def choose_device(wanted: str) -> torch.device:
    """auto | cpu | cuda -> a device.

    auto is the CPU: a fit is hundreds of small pictures, and nobody has measured yet that a GPU draws them faster.
    Raises UserInputError where CUDA is asked for and not there.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserInputError(
            "No CUDA device was found: choose the processor (cpu), or install a torch build with CUDA and the driver for your card.",
            Trouble.DEVICE,
        )
    return torch.device("cuda" if wanted == "cuda" else "cpu")


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread: for many small operations more threads gain little, and on busy cores they wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
