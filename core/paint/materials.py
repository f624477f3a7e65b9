"""What each kind of part is made of: the figures of its Principled BSDF, and the colour its texels have where no photograph shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..car.parts import material_of
from ..types import MaterialSpec, MeshData, Wheel
from .colour import linear_from_srgb

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Kind:
    """A kind of material; `varies` tells how far in OKLab its measured colour may lie from srgb01 before it is disbelieved.

    `imagined`: how far a generator's pictures of it are trusted beside its colour, 0..1; none is: measured, the plain colour wins.
    `shows_itself`: False for what shows its surroundings, mirrored or through it, wherever the photograph shows it.
    `strict`: a texel that is lighter than the material by more than this shows something else, e.g. fender where a tyre should be.
    """

    srgb01: Colour
    metallic: float = 0.0
    roughness: float = 0.5
    coat: float = 0.0
    transmission: float = 0.0
    varies: float = 0.0
    strict: float | None = None
    imagined: float = 0.0
    shows_itself: bool = True


KINDS = {
    "paint": Kind((0.55, 0.56, 0.58), metallic=0.15, roughness=0.35, coat=1.0, varies=2.0),
    "glass": Kind((0.10, 0.12, 0.13), roughness=0.05, transmission=0.6, shows_itself=False),
    "trim": Kind((0.09, 0.09, 0.095), roughness=0.6, varies=0.25),
    "grille": Kind((0.10, 0.10, 0.105), roughness=0.45, varies=0.3),
    "headlight_lens": Kind((0.74, 0.75, 0.76), roughness=0.08, coat=0.5, varies=0.3),
    "tail_lens": Kind((0.52, 0.04, 0.05), roughness=0.12, coat=0.5, varies=0.25),
    "indicator_lens": Kind((0.86, 0.45, 0.08), roughness=0.12, coat=0.5, varies=0.25),
    "plate": Kind((0.85, 0.85, 0.83), roughness=0.5, varies=0.3),
    "mirror": Kind((0.45, 0.47, 0.50), metallic=1.0, roughness=0.05),
    "underbody": Kind((0.06, 0.06, 0.06), roughness=0.9, strict=0.25),
    "tyre": Kind((0.085, 0.085, 0.088), roughness=0.85, varies=0.2, strict=0.3),
    "rim": Kind((0.60, 0.61, 0.63), metallic=0.8, roughness=0.3, varies=0.45),
}
KIND_NAMES = tuple(KINDS)


def imagined_counts() -> bool:
    """Whether any material takes a generator's word."""
    return any(kind.imagined for kind in KINDS.values())


def kind_of_parts(part_names: tuple[str, ...]) -> np.ndarray:
    """(P,) index into KIND_NAMES of each part."""
    return np.array([KIND_NAMES.index(material_of(name)) for name in part_names], np.int64)


def material_specs(body: MeshData, wheels: tuple[Wheel, ...], colours: dict[str, Colour]) -> tuple[MaterialSpec, ...]:
    """One spec for each kind that some part wears; `colours` holds srgb01 by kind and wins over the table's."""
    names = sorted({*body.part_names, *(name for wheel in wheels for name in wheel.mesh.part_names)})
    specs = []
    for kind_name, kind in KINDS.items():
        parts = tuple(name for name in names if material_of(name) == kind_name)
        if parts:
            red, green, blue = linear_from_srgb(np.array(colours.get(kind_name, kind.srgb01))).tolist()
            specs.append(MaterialSpec(kind_name, parts, (red, green, blue), kind.metallic, kind.roughness, kind.coat, kind.transmission))
    return tuple(specs)
