"""Which device the networks and the fit run on."""

from __future__ import annotations

import torch

from .errors import UserInputError


def choose_device(wanted: str) -> torch.device:
    """auto | cpu | cuda -> a device.

    auto is the CPU: a fit is hundreds of small pictures, and nobody has measured yet that a GPU draws them faster.
    Raises UserInputError where CUDA is asked for and not there.
    """
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserInputError(
            "No CUDA device was found: choose --device cpu, or install a torch build with CUDA and the driver for your card."
        )
    return torch.device("cuda" if wanted == "cuda" else "cpu")
