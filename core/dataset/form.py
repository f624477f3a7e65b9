"""Another form of a car model as a file: where each of its points goes, for whoever reads the model by other means."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ..errors import check_shape
from ..types import BODY_TYPES
from .cars import CarModel

SAME_POINT_M = 1e-3  # two readings of one file differ by less


@dataclass(frozen=True, eq=False)
class Form:
    """from_m, to_m (N, 3) float32: the places of a model as `cars.read_model` gives it, and where they go; body_type: what it is then."""

    from_m: np.ndarray
    to_m: np.ndarray
    body_type: str

    def __post_init__(self) -> None:
        check_shape("form", self.to_m.shape, (len(self.from_m), 3))
        if self.body_type not in BODY_TYPES:
            raise ValueError(f"{self.body_type!r} is none of {', '.join(BODY_TYPES)}")

    @classmethod
    def between(cls, before: CarModel, after: CarModel) -> Form:
        """What makes one model of the other; both have the same triangles."""
        corners = before.positions_m.reshape(-1, 3)
        _, first = np.unique(corners, axis=0, return_index=True)
        return cls(corners[first], after.positions_m.reshape(-1, 3)[first], after.row.body_type)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.from_m)

    def moved(self, points_m: np.ndarray) -> np.ndarray:
        """(M, 3) -> (M, 3) float32.  Raises ValueError where a point is none of the model's."""
        distance, which = self._tree.query(points_m)
        if len(distance) and distance.max() > SAME_POINT_M:
            raise ValueError(f"a point is {distance.max():.4f} m from the nearest of the form's, more than {SAME_POINT_M}")
        return self.to_m[which]

    def of(self, model: CarModel) -> CarModel:
        """The model in this form; its normals stay as they were."""
        positions = self.moved(model.positions_m.reshape(-1, 3)).reshape(model.positions_m.shape)
        return replace(model, row=replace(model.row, body_type=self.body_type), positions_m=positions)

    def write(self, file: Path) -> None:
        """Aside first, then renamed."""
        aside = file.with_suffix(".part.npz")
        np.savez(aside, from_m=self.from_m, to_m=self.to_m, body_type=np.array(self.body_type))
        os.replace(aside, file)

    @classmethod
    def read(cls, file: Path) -> Form:
        """What `write` wrote."""
        with np.load(file) as held:
            return cls(held["from_m"], held["to_m"], str(held["body_type"]))


def forms_in(folder: Path) -> list[Path]:
    """The files of one car's forms, in the order of their names."""
    return sorted(file for file in folder.glob("*.npz") if not file.name.endswith(".part.npz"))
