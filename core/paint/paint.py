"""Photograph -> UV texture and materials.  The stage's entry module.

Every texel asks the photograph for its colour at its own place on the car, then at its mirror image's place (cars are symmetric),
then takes its material's colour, tinted like its surroundings.  The three meet softly, by belief.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..types import Fit, Matte, MeshData, Photo, Report, Texture, Wheel
from .colour import dominant_colour, oklab_from_srgb
from .fill import carried_tint, pad_islands, shut_lines
from .materials import KIND_NAMES, KINDS, Colour, kind_of_parts, material_specs
from .texels import Texels, texels_of
from .view import Sighting, View, belief_at, look, open_view, px_and_cosine

MIRROR = np.array([-1.0, 1.0, 1.0], np.float32)
MIRROR_BELIEF = 0.8  # a mirrored colour never counts as sure as a seen one
SURE = 0.35  # belief from which the photograph alone decides
UNMIRRORED_KINDS = ("plate",)  # would read backwards


@dataclass(frozen=True)
class _Coat:
    """Texels with their kind of material (N,) and the colour seen there, direct and mirrored merged."""

    texels: Texels
    vertices_car: np.ndarray
    kind: np.ndarray
    seen: Sighting


def paint(photo: Photo, matte: Matte, fit: Fit, body: MeshData, wheels: tuple[Wheel, ...], texture_size_px: int, report: Report) -> Texture:
    """Texture of the whole car, body and wheels in one layout, at texture_size_px; see Texture for frames and ranges.

    Works for any symmetric mesh whose parts core/car/parts.py knows; unknown parts count as painted.  Raises ShapeError where the matte and
    the photograph differ in size, and whatever `report` raises.
    """
    report("paint", 0.0)
    view = open_view(photo, matte, fit.camera, *_whole(body, wheels))
    report("paint", 0.1)
    coats = [_body_coat(view, body, texture_size_px)]
    report("paint", 0.5)
    if wheels:
        coats.append(_wheel_coat(view, wheels, texture_size_px))
    report("paint", 0.6)
    colours = _measured_colours(coats)
    coats = [_disbelieve_what_cannot_be(coat, colours) for coat in coats]
    picture = np.zeros((texture_size_px**2, 3), np.float32)
    confidence = np.zeros(texture_size_px**2, np.float32)
    covered = np.zeros(texture_size_px**2, bool)
    shade = shut_lines(body, texture_size_px, _texel_m(coats[0])).reshape(-1)
    for coat in reversed(coats):  # the body last: it decides where layouts touch
        index = coat.texels.index
        picture[index] = _finish(coat, colours, shade[index])
        confidence[index] = coat.seen.belief01
        covered[index] = True
    report("paint", 0.9)
    size = (texture_size_px, texture_size_px)
    picture = pad_islands(picture.reshape(*size, 3), covered.reshape(size))
    report("paint", 1.0)
    return Texture(picture, confidence.reshape(size), material_specs(body, wheels, colours), colours["paint"])


def _whole(body: MeshData, wheels: tuple[Wheel, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of everything that can hide something."""
    vertices, triangles, first = [], [], 0
    for mesh, centre in [(body, (0.0, 0.0, 0.0)), *((wheel.mesh, wheel.center_car) for wheel in wheels)]:
        vertices.append(mesh.vertices_m + np.asarray(centre, np.float32))
        triangles.append(np.concatenate([mesh.quads[:, [0, 1, 2]], mesh.quads[:, [0, 2, 3]]]).astype(np.int64) + first)
        first += len(mesh.vertices_m)
    return np.concatenate(vertices), np.concatenate(triangles)


def _body_coat(view: View, body: MeshData, size_px: int) -> _Coat:
    texels = texels_of(body, size_px)
    kind = kind_of_parts(body.part_names)[texels.triangle_part][texels.triangle]
    direct = look(view, texels, body.vertices_m)
    mirrored = look(view, texels, body.vertices_m * MIRROR, inside_out=True)
    allowed = ~np.isin(kind, [KIND_NAMES.index(name) for name in UNMIRRORED_KINDS])
    return _Coat(texels, body.vertices_m, kind, _prefer(direct, Sighting(mirrored.srgb01, mirrored.belief01 * allowed)))


def _prefer(direct: Sighting, mirrored: Sighting) -> Sighting:
    """The direct sight where it is sure; its mirror image takes over as it fades."""
    # The mirrored share shrinks with the square of the direct one's absence: two sights of slightly different places must not stay mixed.
    lacking = (1 - direct.belief01 / SURE).clip(0, 1) ** 2
    second = MIRROR_BELIEF * mirrored.belief01 * lacking
    total = direct.belief01 + second
    share = (second / np.maximum(total, 1e-6))[:, None]
    return Sighting(direct.srgb01 + share * (mirrored.srgb01 - direct.srgb01), np.minimum(total, 1.0).astype(np.float32))


def _wheel_coat(view: View, wheels: tuple[Wheel, ...], size_px: int) -> _Coat:
    """All wheels share one region of the layout: the one that shows best gives its picture."""
    best = max(wheels, key=lambda wheel: _visibility(view, wheel))
    vertices = best.mesh.vertices_m + np.asarray(best.center_car, np.float32)
    texels = texels_of(best.mesh, size_px)
    kind = kind_of_parts(best.mesh.part_names)[texels.triangle_part][texels.triangle]
    return _Coat(texels, vertices, kind, look(view, texels, vertices))


def _visibility(view: View, wheel: Wheel) -> float:
    """Square metres of the wheel that the photograph shows, foreshortened."""
    vertices = wheel.mesh.vertices_m + np.asarray(wheel.center_car, np.float32)
    corner = vertices[wheel.mesh.quads]
    normal = 0.5 * np.cross(corner[:, 2] - corner[:, 0], corner[:, 3] - corner[:, 1])
    area = np.linalg.norm(normal, axis=1)
    px, cosine = px_and_cosine(view, corner.mean(1), normal / np.maximum(area, 1e-9)[:, None])
    return float((belief_at(view, px, cosine) * cosine.clip(0) * area).sum())


def _measured_colours(coats: list[_Coat]) -> dict[str, Colour]:
    """srgb01 by kind, measured where enough of it is seen and the result is plausible, else the table's."""
    colours = {}
    for number, (name, kind) in enumerate(KINDS.items()):
        samples = [
            (coat.seen.srgb01[here], coat.seen.belief01[here]) for coat in coats if (here := np.flatnonzero(coat.kind == number)).size
        ]
        found = None
        if samples and kind.varies > 0:
            srgb, belief = (np.concatenate(parts) for parts in zip(*samples, strict=True))
            found = dominant_colour(srgb, np.where(belief > SURE, belief, 0))
        if found is not None and np.linalg.norm(oklab_from_srgb(np.array(found)) - oklab_from_srgb(np.array(kind.srgb01))) > kind.varies:
            found = None
        colours[name] = found or kind.srgb01
    return colours


def _disbelieve_what_cannot_be(coat: _Coat, colours: dict[str, Colour]) -> _Coat:
    """Where the fit is a little off, bright fender or road falls on tyres and underbody; their material is the better guess."""
    belief = coat.seen.belief01.copy()
    for number, (name, kind) in enumerate(KINDS.items()):
        if kind.strict is not None:
            here = np.flatnonzero((coat.kind == number) & (belief > 0))
            lighter = oklab_from_srgb(coat.seen.srgb01[here])[:, 0] - oklab_from_srgb(np.array(colours[name]))[0]
            belief[here] *= np.clip(2 - lighter / (0.5 * kind.strict), 0, 1)
    return replace(coat, seen=replace(coat.seen, belief01=belief))


def _finish(coat: _Coat, colours: dict[str, Colour], shade: np.ndarray) -> np.ndarray:
    """(N, 3): the seen colours where they are sure, the tinted material elsewhere, a soft step between."""
    table = np.array([colours[name] for name in KIND_NAMES], np.float32)
    plain = table[coat.kind]
    triangle_kind = np.zeros(len(coat.texels.triangles), np.int64)
    triangle_kind[coat.texels.triangle] = coat.kind
    believed = (coat.seen.belief01 / SURE).clip(0, 1)
    tint = carried_tint(coat.texels, coat.vertices_car, triangle_kind, coat.seen.srgb01 - plain, believed)
    filled = (plain + tint) * shade[:, None]
    step = (believed * believed * (3 - 2 * believed))[:, None]
    return (filled + step * (coat.seen.srgb01 - filled)).clip(0, 1)


def _texel_m(coat: _Coat) -> float:
    """Typical side of a texel on the car, metres."""
    corner, uv = coat.vertices_car[coat.texels.triangles], coat.texels.triangle_uv01 * coat.texels.size_px
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    (ax, ay), (bx, by) = (uv[:, 1] - uv[:, 0]).T, (uv[:, 2] - uv[:, 0]).T
    flat = np.abs(ax * by - ay * bx)
    return float(np.sqrt(np.median(area / np.maximum(flat, 1e-9))))
