"""The few array functions that the template needs, for torch tensors and numpy arrays alike.

The fit differentiates the template with torch; Blender's sliders evaluate the same code with numpy, where no torch is installed.
All arrays of a call are of one kind; shapes and meanings are torch's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any  # torch.Tensor or np.ndarray


def like(values: np.ndarray, reference: Array) -> Array:
    """A constant as the kind of array that reference is, on its device; floating values get its dtype."""
    if isinstance(reference, np.ndarray):
        return values.astype(reference.dtype) if values.dtype.kind == "f" else values
    import torch

    dtype = reference.dtype if values.dtype.kind == "f" else None
    return torch.as_tensor(values, dtype=dtype, device=reference.device)


def steps(count: int, reference: Array) -> Array:
    """0, 1 ... count - 1 in the kind and dtype of reference."""
    return like(np.arange(count, dtype=np.float64), reference)


def stack(arrays: Sequence[Array], axis: int) -> Array:
    """Joined along a new axis."""
    return np.stack(arrays, axis) if isinstance(arrays[0], np.ndarray) else _torch().stack(tuple(arrays), axis)


def cat(arrays: Sequence[Array], axis: int) -> Array:
    """Joined along an axis they have."""
    return np.concatenate(arrays, axis) if isinstance(arrays[0], np.ndarray) else _torch().cat(tuple(arrays), axis)


def minimum(a: Array, b: Array) -> Array:
    """The smaller, element by element."""
    return np.minimum(a, b) if isinstance(a, np.ndarray) else _torch().minimum(a, b)


def maximum(a: Array, b: Array) -> Array:
    """The larger, element by element."""
    return np.maximum(a, b) if isinstance(a, np.ndarray) else _torch().maximum(a, b)


def clamp(a: Array, low: float | None = None, high: float | None = None) -> Array:
    """Held between two numbers."""
    return np.clip(a, low, high) if isinstance(a, np.ndarray) else a.clamp(low, high)


def where(condition: Array, a: Array, b: Array) -> Array:
    """a where the condition holds, else b."""
    return np.where(condition, a, b) if isinstance(condition, np.ndarray) else _torch().where(condition, a, b)


def zeros_like(a: Array) -> Array:
    """Zeros in the shape of a."""
    return np.zeros_like(a) if isinstance(a, np.ndarray) else _torch().zeros_like(a)


def flip(a: Array, axis: int) -> Array:
    """Reversed along an axis."""
    return np.flip(a, axis) if isinstance(a, np.ndarray) else a.flip(axis)


def copy(a: Array) -> Array:
    """One of its own, that may be written to."""
    return a.copy() if isinstance(a, np.ndarray) else a.clone()


def expand_as(a: Array, other: Array) -> Array:
    """Broadcast to the shape of another."""
    return np.broadcast_to(a, other.shape) if isinstance(a, np.ndarray) else a.expand_as(other)


def sqrt(a: Array) -> Array:
    """Square root."""
    return np.sqrt(a) if isinstance(a, np.ndarray) else a.sqrt()


def sin(a: Array) -> Array:
    """Sine of radians."""
    return np.sin(a) if isinstance(a, np.ndarray) else a.sin()


def cos(a: Array) -> Array:
    """Cosine of radians."""
    return np.cos(a) if isinstance(a, np.ndarray) else a.cos()


def asin(a: Array) -> Array:
    """Arcus sine in radians."""
    return np.arcsin(a) if isinstance(a, np.ndarray) else a.asin()


def cross(a: Array, b: Array) -> Array:
    """Vector product along the last axis."""
    if not isinstance(a, np.ndarray):
        return _torch().linalg.cross(a, b)
    ax, ay, az, bx, by, bz = *np.moveaxis(a, -1, 0), *np.moveaxis(b, -1, 0)  # a third of the time of np.cross
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], -1)


def unit(a: Array) -> Array:
    """Vectors along the last axis at length 1."""
    if isinstance(a, np.ndarray):
        return a / np.maximum(np.sqrt((a * a).sum(-1, keepdims=True)), 1e-9)
    return a / a.norm(dim=-1, keepdim=True).clamp_min(1e-9)


def mixed(weights: Array, points: Array) -> Array:
    """Weights (K, N) over points (B, N, 3) -> (B, K, 3)."""
    return weights @ points if isinstance(points, np.ndarray) else _torch().einsum("kn,bnc->bkc", weights, points)


def summed_at(totals: Array, index: Array, values: Array) -> Array:
    """totals (B, K, 3) with values (B, Q, 3) added at index (Q,)."""
    if not isinstance(totals, np.ndarray):
        return totals.index_add(1, index, values)
    summed = totals.copy()
    np.add.at(summed.swapaxes(0, 1), index, values.swapaxes(0, 1))
    return summed


def _torch() -> Any:
    """Only asked for by callers that brought tensors, so it is loaded already."""
    import torch

    return torch
