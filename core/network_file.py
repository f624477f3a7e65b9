"""Networks in files: fp16 safetensors whose metadata holds the networks' sizes."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file

from .errors import WeightsError

Tensors = dict[str, torch.Tensor]


def write_network(file: Path, tensors: Tensors, size: dict[str, Any]) -> None:
    """Write aside, then rename; what is no floating-point number stays as it is."""
    halves = {name: value.half().contiguous() if value.is_floating_point() else value for name, value in tensors.items()}
    aside = file.with_suffix(".part")
    save_file(halves, aside, metadata={"size": json.dumps(size)})
    os.replace(aside, file)


def read_network(content: bytes) -> tuple[dict[str, Any], Tensors]:
    """The size and the tensors, float32, in the bytes of such a file."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    return json.loads(header["size"]), {n: value.float() if value.is_floating_point() else value for n, value in load(content).items()}


@contextlib.contextmanager
def fitting(file: str, key: str) -> Iterator[None]:
    """Raises WeightsError, with the remedy, where what is read in the block is no file of this kind or fits another version's networks."""
    try:
        yield
    except (SafetensorError, RuntimeError, KeyError, ValueError, TypeError) as problem:
        raise WeightsError(
            f"{file} holds no network of this version ({problem}); make it with `python3 build.py train {key}`."
        ) from problem
