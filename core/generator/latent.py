"""A car as the generator knows it: what is told of each group, to be changed group by group before it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..errors import check_shape
from ..invert.encoder import Encoded
from ..types import BODY_TYPES
from .generator import Generator
from .groups import FACTOR_COUNT, FACTOR_SLICE, FACTORS, FREE_COUNT, FREE_SLICE, WIDTH, WIDTH_SLICE

EVEN_LIGHT = {name: 0.0 for name in FACTORS if name.startswith("light_")} | {"filmic": 0.0}
"""A white sky all round that shows a white slope as white; light_* are logarithms."""


@dataclass(frozen=True, eq=False)
class Latent:
    """B cars: free (B, Z) and factors (B, F) as Generator.map takes them, departures (B, content layers, WIDTH) added to w of them."""

    free: torch.Tensor
    factors: torch.Tensor
    departures: torch.Tensor

    def __post_init__(self) -> None:
        check_shape("free", tuple(self.free.shape), (None, FREE_COUNT))
        check_shape("factors", tuple(self.factors.shape), (len(self.free), FACTOR_COUNT))
        check_shape("departures", tuple(self.departures.shape), (len(self.free), None, WIDTH))

    @classmethod
    def of(cls, encoded: Encoded) -> Latent:
        """The likeliest car of what an encoder says."""
        return cls(encoded.free_mean, encoded.factors, encoded.departures)

    def w(self, generator: Generator) -> torch.Tensor:
        """(B, content layers, WIDTH) w+."""
        return generator.map(self.free, self.factors)[:, None] + self.departures

    def with_factors(self, **values: float) -> Latent:
        """Some factors set, by their names in groups.FACTORS.  Raises ValueError for a name that is none."""
        factors = self.factors.clone()
        for name, value in values.items():
            if name not in FACTORS:
                raise ValueError(f"{name!r} is none of the factors {', '.join(FACTORS)}")
            factors[:, FACTORS.index(name)] = value
        return replace(self, factors=factors)

    def with_group(self, name: str, other: Latent) -> Latent:
        """One group as it is in another car (one car, or B); all others stay.  Raises KeyError for a name that is no group's."""
        free, factors, departures = self.free.clone(), self.factors.clone(), self.departures.clone()
        free[:, FREE_SLICE[name]] = other.free[:, FREE_SLICE[name]]
        factors[:, FACTOR_SLICE[name]] = other.factors[:, FACTOR_SLICE[name]]
        departures[:, :, WIDTH_SLICE[name]] = other.departures[:, :, WIDTH_SLICE[name]]
        return Latent(free, factors, departures)

    def evenly_lit(self) -> Latent:
        """The same cars under a white sky all round: what they show then is nearly their own colour."""
        plain = Latent(torch.zeros_like(self.free), self.factors, torch.zeros_like(self.departures))
        return self.with_group("light", plain.with_factors(**EVEN_LIGHT))

    def toward(self, other: Latent, share01: float) -> Latent:
        """The straight way to other cars, group by group the same share; 0 stays, 1 arrives."""
        return Latent(*(torch.lerp(getattr(self, key), getattr(other, key), share01) for key in ("free", "factors", "departures")))

    def chosen(self, cars: slice | np.ndarray) -> Latent:
        """Some of the cars."""
        return Latent(self.free[cars], self.factors[cars], self.departures[cars])

    def repeated(self, count: int) -> Latent:
        """One car `count` times."""
        return Latent(*(tensor.expand(count, *tensor.shape[1:]) for tensor in (self.free, self.factors, self.departures)))


def with_body_types(latent: Latent, names: Sequence[str]) -> Latent:
    """B cars whose shapes are of some body types, as the shape's known factors say."""
    factors = latent.factors.clone()
    for name in BODY_TYPES:
        factors[:, FACTORS.index(f"body_{name}")] = torch.tensor([float(name == own) for own in names])
    return replace(latent, factors=factors)
