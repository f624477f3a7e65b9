"""How likely each pixel is car, in three looks: at the picture alone, then twice at the picture and the estimate so far.

Each look weighs one pixel's features with two small hidden layers; there is no convolution.  Learned by core/training/train_matte.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from .. import weights
from ..errors import WeightsError
from . import around, features

KEY, FILE = "matte", "matte.safetensors"
WIDTHS = (len(features.NAMES), *(len(features.NAMES) + len(around.NAMES),) * 2)  # features of each look


@dataclass(frozen=True)
class Look:
    """Features are brought to mean 0 and spread 1 with mean, spread (F,); layers are (weight (inputs, outputs), bias (outputs,))."""

    mean: np.ndarray
    spread: np.ndarray
    layers: tuple[tuple[np.ndarray, np.ndarray], ...]

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """(..., F) float32 -> (...) float32, log-odds that the pixel is car."""
        for number, (weight, bias) in enumerate(self._from_plain_values()):
            values = (np.maximum(values, 0) if number else values) @ weight + bias
        return values[..., 0]

    def _from_plain_values(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """The layers, the first one taking features as they come; a copy of every pixel's features less."""
        (weight, bias), *rest = self.layers
        scaled = weight / self.spread[:, None]
        return (scaled, bias - self.mean @ scaled), *rest


def tensors_of(looks: tuple[Look, ...]) -> bytes:
    """The content of matte.safetensors, fp32."""
    named: dict[str, np.ndarray] = {}
    for number, look in enumerate(looks):
        named |= {f"{number}.mean": look.mean, f"{number}.spread": look.spread}
        for depth, (weight, bias) in enumerate(look.layers):
            named |= {f"{number}.{depth}.weight": weight, f"{number}.{depth}.bias": bias}
    return save({name: np.ascontiguousarray(value, np.float32) for name, value in named.items()})


def looks_of(content: bytes) -> tuple[Look, ...]:
    """The looks in the bytes of tensors_of.  Raises WeightsError where they do not fit this version's features."""
    try:
        named = load(content)
        found = tuple(_look(named, number) for number in range(len(WIDTHS)))
    except (SafetensorError, KeyError) as problem:
        raise WeightsError(f"{FILE} holds no looks ({problem}); make it with `python3 build.py train {KEY}`.") from problem
    for look, width in zip(found, WIDTHS, strict=True):
        sizes = [weight.shape for weight, _ in look.layers]
        joined = all(one[1] == other[0] for one, other in pairwise(sizes))
        if not (look.mean.shape == look.spread.shape == (width,) and sizes[0][0] == width and joined and sizes[-1][1] == 1):
            raise WeightsError(f"{FILE} was made for other features; make it with `python3 build.py train {KEY}`.")
    return found


def _look(named: dict[str, np.ndarray], number: int) -> Look:
    depths = range(sum(name.startswith(f"{number}.") and name.endswith(".weight") for name in named))
    layers = tuple((named[f"{number}.{depth}.weight"], named[f"{number}.{depth}.bias"]) for depth in depths)
    if not layers:
        raise KeyError(f"{number}.0.weight")
    return Look(named[f"{number}.mean"], named[f"{number}.spread"], layers)


@cache
def read_looks(folder: Path = weights.FOLDER) -> tuple[Look, ...]:
    """The learned looks.  Raises WeightsError where their file is missing or damaged."""
    return looks_of(weights.read_checked(folder, KEY))
