"""The table of measures as tensors.

A measure vector is a (..., P) tensor in the order of NAMES; metres unless the table says otherwise.
"""

from __future__ import annotations

import numpy as np
import torch

from ..errors import check_shape
from .measure_table import BODY_TYPES, INDEX, MEASURES, NAMES, Measure, by_name, to_array

__all__ = ["BODY_TYPES", "HIGH", "INDEX", "LOW", "MEASURES", "NAMES", "Measure", "by_name", "to_array", "to_dict", "to_vector"]

LOW = torch.tensor([m.low for m in MEASURES])
HIGH = torch.tensor([m.high for m in MEASURES])


def to_vector(measures: dict[str, float]) -> torch.Tensor:
    """Measures by name -> (P,) float32 in the order of NAMES.  Raises KeyError for a missing name."""
    return torch.from_numpy(to_array(measures))


def to_dict(vector: torch.Tensor | np.ndarray) -> dict[str, float]:
    """(P,) in the order of NAMES -> measures by name."""
    check_shape("vector", tuple(vector.shape), (len(NAMES),))
    return {name: float(value) for name, value in zip(NAMES, vector, strict=True)}
