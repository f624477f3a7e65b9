"""The wheels of one car model under another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .cars import NO_WHEEL, CarModel
from .surfaces import Surface, sample, srgb_of_linear


def has_wheels(model: CarModel) -> bool:
    """Whether all four wheels have nodes of their own."""
    return all((model.wheel_index == corner).any() for corner in range(NO_WHEEL))


def swap_wheels(model: CarModel, donor: CarModel, brightness: float = 1.0) -> tuple[CarModel, np.ndarray]:
    """A model on the wheels of another, brought to its own wheels' radius and width.

    Args:
        brightness: factor of the wheels' colours.
    Returns:
        The model, and (F,) int64 which triangle of the old one stood in each place, -1 for the new wheels, which come last.
    Raises:
        ValueError: one of the two has no wheels of its own.
    """
    for each in (model, donor):
        if not has_wheels(each):
            raise ValueError(f"{each.row.name} has wheels at {len(np.unique(each.wheel_index)) - 1} corners, not {NO_WHEEL}")
    kept = np.flatnonzero(model.wheel_index == NO_WHEEL)
    given = np.flatnonzero(donor.wheel_index < NO_WHEEL)
    positions, normals = donor.positions_m[given].copy(), donor.normals[given].copy()
    for corner in range(NO_WHEEL):
        chosen = donor.wheel_index[given] == corner
        middle, extent = _box(donor, corner)
        wanted_middle, wanted_extent = _box(model, corner)
        scale = (wanted_extent / extent).astype(np.float32)
        positions[chosen] = (positions[chosen] - middle) * scale + wanted_middle
        normals[chosen] /= scale
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    surfaces = tuple(
        replace(s, base=_brightened(s, brightness)) if k in donor.surface_index[given] else s for k, s in enumerate(donor.surfaces)
    )
    swapped = replace(
        model,
        positions_m=np.concatenate([model.positions_m[kept], positions]),
        normals=np.concatenate([model.normals[kept], normals]),
        uv01=np.concatenate([model.uv01[kept], donor.uv01[given]]),
        surface_index=np.concatenate([model.surface_index[kept], donor.surface_index[given] + len(model.surfaces)]),
        surfaces=model.surfaces + surfaces,
        wheel_index=np.concatenate([model.wheel_index[kept], donor.wheel_index[given]]),
    )
    return swapped, np.concatenate([kept, np.full(len(given), -1)])


def wheel_srgb01(model: CarModel) -> np.ndarray:
    """(3,) mean colour of the sides that a model's wheels turn to the camera, tyres included; nan where it has none of its own."""
    wheels = np.flatnonzero(model.wheel_index < NO_WHEEL)
    corner = model.positions_m[wheels]
    area = np.abs(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])[:, 0])  # as seen along the axle
    outside = model.normals[wheels].mean(1)[:, 0] * np.where(model.wheel_index[wheels] % 2 == 0, 1, -1) > 0.5
    if not (area * outside).sum() > 0:
        return np.full(3, np.nan)
    total, weight = np.zeros(3), area * outside
    for k in np.unique(model.surface_index[wheels]):
        of_it = model.surface_index[wheels] == k
        colours = sample(model.surfaces[k].base, model.uv01[wheels[of_it]].mean(1))[:, :3]
        total += (colours * weight[of_it, None]).sum(0)
    return srgb_of_linear(total / weight.sum())


def _box(model: CarModel, corner: int) -> tuple[np.ndarray, np.ndarray]:
    points = model.positions_m[model.wheel_index == corner].reshape(-1, 3)
    low, high = points.min(0), points.max(0)
    return (low + high) / 2, high - low


def _brightened(surface: Surface, brightness: float) -> np.ndarray:
    return np.concatenate([(surface.base[..., :3] * brightness).clip(0, 1), surface.base[..., 3:]], 2)
