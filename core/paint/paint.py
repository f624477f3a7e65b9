"""Photograph -> UV texture and materials.  The stage's entry module.

Every texel asks the photograph for its colour at its own place on the car, then at its mirror image's place (cars are symmetric),
then takes its material's colour, where a generator's pictures are at hand as they show it, tinted like its surroundings.  The three meet
softly, by belief.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from ..side_by_side import side_by_side
from ..types import Fit, Imagined, Matte, MeshData, Photo, Report, Settings, Texture, Wheel
from .colour import dominant_colour, oklab_from_srgb, sampled, share_alike
from .fill import SHUT_LINE_SHADE, carried_tint, shut_lines, slow_tint
from .imagine import imagined_colours
from .materials import KIND_NAMES, KINDS, Colour, kind_of_parts, material_specs
from .texels import Texels, padding_of, texels_of, vertex_normals
from .view import Sighting, View, belief_at, look, look_mirrored, open_view, px_and_cosine

MIRROR_BELIEF = 0.8  # a mirrored colour never counts as sure as a seen one
EVENED, DULLED = 0.8, 0.8  # of the slow differences from the paint's colour, and of what is lighter than it, what is taken off
ANOTHER_PAINT, ANOTHER_HUE = 0.45, 0.15  # differences in sRGB, all in all and in hue, from which it is no light any more
STRANGE_FROM, STRANGE_TO = 0.03, 0.12  # differences from the paint in sRGB, evened: from the first it is doubted, at the second fully
WORN_SHARE = 0.03  # of the paint that is seen steeply, from which a colour is one that the car wears
TOP_DOUBT, TOP_FROM, TOP_TO = 0.7, 0.4, 0.85  # surfaces that face the sky mirror it: the normal's z, and how little they tell of colours
CURVE_END = 0.02  # of display values: nearer to black or white a paint is not taken to be
STEEPEST = 2.0  # of the curve above a paint: what is lighter than nearly white is noise, and would shine in all colours
SURE = 0.35  # belief from which the photograph alone decides
UNMIRRORED_KINDS = ("plate",)  # would read backwards
DRAFT_TEXTURE_PX = 1024


@dataclass(frozen=True)
class _Coat:
    """Texels with each triangle's kind of material (T,) and the colour seen there, direct and mirrored merged."""

    mesh: MeshData
    texels: Texels
    vertices_car: np.ndarray
    triangle_kind: np.ndarray
    seen: Sighting

    @property
    def seen_kind(self) -> np.ndarray:
        """(M,) kind of the texels that are seen."""
        return self.triangle_kind.take(self.texels.triangle[self.seen.place])


def painted_size_px(settings: Settings) -> int:
    """Side of the texture for these settings: what the user asks for, in a draft no more than DRAFT_TEXTURE_PX."""
    return min(settings.texture_size_px, DRAFT_TEXTURE_PX) if settings.quality == "draft" else settings.texture_size_px


def paint(
    photo: Photo,
    matte: Matte,
    fit: Fit,
    body: MeshData,
    wheels: tuple[Wheel, ...],
    texture_size_px: int,
    report: Report,
    imagined: Imagined | None = None,
    known_paint_srgb01: Colour | None = None,
    told_paint_srgb01: Colour | None = None,
) -> Texture:
    """Texture of the whole car, body and wheels in one layout, at texture_size_px; see Texture for frames and ranges.

    `imagined` shows what the photograph and its mirror image do not.
    `known_paint_srgb01`: of a car that was made up; it wears this and the plain materials, and nothing is read of its picture, which is
    coarser than they are.
    `told_paint_srgb01`: the paint's colour without the light on it, as own_colour() tells it; else it is the commonest that is seen.

    Works for any symmetric mesh whose parts core/car/parts.py knows; unknown parts count as painted.  Raises ShapeError where the matte and
    the photograph differ in size, and whatever `report` raises.
    """
    report("paint", 0.0)
    whole = _whole(body, wheels)
    view = open_view(photo, matte, fit.camera, *whole, texture_size_px)
    report("paint", 0.1)
    coats = [_body_coat(view, body, texture_size_px)]
    report("paint", 0.5)
    if wheels:
        coats.append(_wheel_coat(view, wheels, texture_size_px))
    report("paint", 0.6)
    if known_paint_srgb01 is not None:
        colours = {name: kind.srgb01 for name, kind in KINDS.items()} | {"paint": known_paint_srgb01}
        coats = [replace(coat, seen=replace(coat.seen, belief01=np.zeros_like(coat.seen.belief01))) for coat in coats]
    else:
        colours = _measured_colours(coats)
    coats = [_disbelieve_what_cannot_be(coat, colours) for coat in coats]
    coats[0] = _doubt_strange_rims(_evened(coats[0], colours), colours)
    if told_paint_srgb01 is not None:
        coats[0] = _relit(coats[0], colours["paint"], told_paint_srgb01)
        colours["paint"] = told_paint_srgb01
    report("paint", 0.7)
    shade = shut_lines(body, texture_size_px, _texel_m(coats[0])).reshape(-1)
    planes = np.zeros((3, texture_size_px**2), np.float32)
    confidence = np.zeros(texture_size_px**2, np.float32)
    for coat in reversed(coats):  # the body last: it decides where layouts touch
        _finish(planes, coat, _base(coat, colours, whole, imagined), shade)
        confidence[coat.texels.index] = 0
        confidence[coat.texels.index[coat.seen.place]] = coat.seen.belief01
    report("paint", 0.9)
    # Every texel outside the islands takes the nearest island texel, so that filtering and mip levels find no foreign colour.
    outside, source = padding_of([coat.texels for coat in coats])
    side_by_side(lambda plane: plane.__setitem__(outside, plane.take(source, mode="clip")), planes)
    size = (texture_size_px, texture_size_px)
    picture = cv2.merge([plane.reshape(size) for plane in planes])
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
    kind = kind_of_parts(body.part_names)[texels.triangle_part]
    direct = look(view, texels, body.vertices_m)
    # Where the direct sight is sure its mirror image would change nothing.
    wanted = ~np.isin(kind, [KIND_NAMES.index(name) for name in UNMIRRORED_KINDS]).take(texels.triangle)
    wanted[direct.place[direct.belief01 >= SURE]] = False
    mirrored = look_mirrored(view, texels, body.vertices_m, wanted, direct.sharpest_px)
    return _Coat(body, texels, body.vertices_m, kind, _prefer(direct, mirrored, len(texels.index)))


def _prefer(direct: Sighting, mirrored: Sighting, texels: int) -> Sighting:
    """The direct sight where it is sure; its mirror image takes over as it fades."""
    row = np.full(texels, -1, np.int32)
    row[direct.place] = np.arange(len(direct.place), dtype=np.int32)
    both = np.flatnonzero(row[mirrored.place] >= 0)  # in the order of mirrored
    own = row[mirrored.place[both]]
    first = np.zeros(len(mirrored.place), np.float32)
    first[both] = direct.belief01[own]
    # The mirrored share shrinks with the square of the direct one's absence: two sights of slightly different places must not stay mixed.
    second = MIRROR_BELIEF * mirrored.belief01 * (1 - first / SURE).clip(0, 1) ** 2
    total = first + second
    share = (second / np.maximum(total, 1e-6))[both]

    def mixed(seen: np.ndarray, other: np.ndarray) -> np.ndarray:
        merged = other.copy()
        merged[both] = seen[own] + (share[:, None] if seen.ndim > 1 else share) * (merged[both] - seen[own])
        return np.concatenate([seen, merged])

    belief = np.concatenate([direct.belief01, np.minimum(total, 1)])
    row[mirrored.place] = np.arange(len(direct.place), len(belief), dtype=np.int32)  # the merged colours win over the direct ones
    place = np.flatnonzero(row >= 0)
    row = row[place]
    srgb, steep = mixed(direct.srgb01, mirrored.srgb01), mixed(direct.steep01, mirrored.steep01)
    return Sighting(place, srgb.take(row, 0, mode="clip"), belief.take(row, mode="clip"), steep.take(row, mode="clip"), direct.sharpest_px)


def _wheel_coat(view: View, wheels: tuple[Wheel, ...], size_px: int) -> _Coat:
    """All wheels share one region of the layout: the one that shows best gives its picture."""
    best = max(wheels, key=lambda wheel: _visibility(view, wheel))
    vertices = best.mesh.vertices_m + np.asarray(best.center_car, np.float32)
    texels = texels_of(best.mesh, size_px)
    kind = kind_of_parts(best.mesh.part_names)[texels.triangle_part]
    return _Coat(best.mesh, texels, vertices, kind, look(view, texels, vertices))


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
    kinds = [np.where(coat.seen.belief01 > SURE, coat.seen_kind, -1) for coat in coats]
    weights = [coat.seen.belief01 for coat in coats]
    side_weights = [weight * (1 - TOP_DOUBT * _facing_up01(coat)) for coat, weight in zip(coats, weights, strict=True)]

    def measured(number: int) -> Colour:
        kind, found = KINDS[KIND_NAMES[number]], None
        if kind.varies > 0:
            here = [sampled(np.flatnonzero(kind_of_each == number)) for kind_of_each in kinds]
            glossy = KIND_NAMES[number] == "paint"
            counted = side_weights if glossy else weights
            seen = [(coat.seen.srgb01[places], weight[places]) for coat, weight, places in zip(coats, counted, here, strict=True)]
            srgb01, weight = map(np.concatenate, zip(*seen, strict=True))
            found = dominant_colour(srgb01, weight, glossy)
        if found is None or np.linalg.norm(oklab_from_srgb(np.array(found)) - oklab_from_srgb(np.array(kind.srgb01))) > kind.varies:
            return kind.srgb01
        return found

    return dict(zip(KIND_NAMES, side_by_side(measured, range(len(KIND_NAMES))), strict=True))


def _facing_up01(coat: _Coat) -> np.ndarray:
    """(M,) float32 of the seen texels, 1 where the sky is above them."""
    normals = vertex_normals(coat.vertices_car, coat.texels.triangles)
    upward = coat.texels.spread(normals[:, 2:], coat.seen.place)[:, 0]
    return ((upward - TOP_FROM) / (TOP_TO - TOP_FROM)).clip(0, 1)


def _disbelieve_what_cannot_be(coat: _Coat, colours: dict[str, Colour]) -> _Coat:
    """Where the fit is a little off, bright fender or road falls on tyres and underbody, and on glass lies what it mirrors or lets through:
    their material is the better guess."""
    belief, kinds = coat.seen.belief01.copy(), coat.seen_kind
    for number, (name, kind) in enumerate(KINDS.items()):
        if not kind.shows_itself:
            belief[kinds == number] = 0
        if kind.strict is not None:
            here = np.flatnonzero(kinds == number)
            lighter = oklab_from_srgb(coat.seen.srgb01[here])[:, 0] - oklab_from_srgb(np.array(colours[name]))[0]
            belief[here] *= np.clip(2 - lighter / (0.5 * kind.strict), 0, 1)
    return replace(coat, seen=replace(coat.seen, belief01=belief))


def _evened(coat: _Coat, colours: dict[str, Colour]) -> _Coat:
    """Paint with less of the light on it: what differs slowly from the paint's colour, by more or less of it or by white, fades by EVENED,
    and what is then still lighter than it, highlights and reflections, by DULLED; gaps and dirt, which are darker, stay.

    That is how shading and reflections differ (Shafer 1985).  What differs in hue, or by far, is another paint or a livery, and stays.
    """
    painted = np.flatnonzero(coat.seen_kind == KIND_NAMES.index("paint"))
    if not len(painted):
        return coat
    place, seen, belief = coat.seen.place[painted], coat.seen.srgb01[painted], coat.seen.belief01[painted]
    colour = np.array(colours["paint"], np.float32)
    slow = slow_tint(coat.texels, coat.vertices_car, coat.triangle_kind, place, seen - colour, np.minimum(belief / SURE, 1))
    moved = seen - coat.texels.between(EVENED * _light_in(slow, colour), place)
    light = _light_in(moved - colour, colour)
    srgb01 = coat.seen.srgb01.copy()
    srgb01[painted] = (moved - DULLED * np.where(light.sum(-1, keepdims=True) > 0, light, 0)).clip(0, 1)
    return replace(coat, seen=replace(coat.seen, srgb01=srgb01))


def _doubt_strange_rims(coat: _Coat, colours: dict[str, Colour]) -> _Coat:
    """Paint that is seen flatly and has a colour that no paint seen steeply has: lamps, window frames, what stands behind or is mirrored
    fall there where the fit is a little off.  Liveries stay: somewhere they are seen well."""
    painted = np.flatnonzero(coat.seen_kind == KIND_NAMES.index("paint"))
    srgb01, steep, belief = coat.seen.srgb01[painted], coat.seen.steep01[painted], coat.seen.belief01.copy()
    apart = np.abs(srgb01 - np.array(colours["paint"], np.float32)).mean(1)
    strange = ((apart - STRANGE_FROM) / (STRANGE_TO - STRANGE_FROM)).clip(0, 1)
    worn = (share_alike(srgb01, srgb01[steep > 0.5]) / WORN_SHARE).clip(0, 1)
    belief[painted] *= 1 - strange * (1 - worn) * (1 - steep)
    return replace(coat, seen=replace(coat.seen, belief01=belief))


def _light_in(difference: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """(..., 3) float32: of a difference from the paint's colour what is along it and along white, less as it is large or of another hue."""
    lights, _ = np.linalg.qr(np.stack([np.ones(3), colour + 1e-3 * np.array([1, 0, -1])], 1))  # well defined for greys too
    light = (difference @ (lights @ lights.T).astype(np.float32)).astype(np.float32)
    far, tinted = np.abs(difference).mean(-1, keepdims=True), np.linalg.norm(difference - light, axis=-1, keepdims=True)
    return np.asarray((1 - (far / ANOTHER_PAINT) ** 2).clip(0, 1) * (1 - (tinted / ANOTHER_HUE) ** 2).clip(0, 1) * light)


def _relit(coat: _Coat, seen_paint: Colour, told_paint: Colour) -> _Coat:
    """Paint along the curve that brings the seen colour to the told one and leaves black and, where that is not too steep, white: gaps and
    highlights stay."""
    painted = np.flatnonzero(coat.seen_kind == KIND_NAMES.index("paint"))
    seen, told = np.array(seen_paint, np.float32).clip(CURVE_END, 1 - CURVE_END), np.array(told_paint, np.float32)
    was, srgb01 = coat.seen.srgb01[painted], coat.seen.srgb01.copy()
    upper = np.minimum((1 - told) / (1 - seen), STEEPEST)
    srgb01[painted] = np.where(was < seen, was * (told / seen), told + (was - seen) * upper).clip(0, 1)
    return replace(coat, seen=replace(coat.seen, srgb01=srgb01))


def _base(coat: _Coat, colours: dict[str, Colour], whole: tuple[np.ndarray, np.ndarray], imagined: Imagined | None) -> np.ndarray:
    """(T, 3, 3) float32: the corners' colours where nothing is seen, those of their material or, as far as trusted, the imagined ones."""
    plain = np.array([colours[name] for name in KIND_NAMES], np.float32)[coat.triangle_kind][:, None]
    trust = np.array([KINDS[name].imagined for name in KIND_NAMES], np.float32)[coat.triangle_kind][:, None, None]
    if imagined is None or not trust.any():
        return np.repeat(plain, 3, 1)
    found, belief = imagined_colours(imagined, coat.mesh, coat.vertices_car, whole, coat.triangle_kind)
    return plain + trust * belief * (found - plain)


def _finish(planes: np.ndarray, coat: _Coat, base: np.ndarray, shade: np.ndarray) -> None:
    """Write the coat's texels into planes (3, S^2): the seen colours where they are sure, the tinted base elsewhere, softly.

    base (T, 3, 3) as of _base(); shade (S^2,) uint8 holds the shut lines, which darken only what is not seen.
    """
    texels, place, seen = coat.texels, coat.seen.place, coat.seen.srgb01
    believed = np.minimum(coat.seen.belief01 / SURE, 1)
    difference = seen - texels.between(base, place)
    tint = carried_tint(texels, coat.vertices_car, coat.triangle_kind, place, difference, believed)
    filled = (base + tint).clip(0, 1)
    lined = np.flatnonzero(shade[texels.index])
    darker = 1 - (1 - SHUT_LINE_SHADE) / 255 * shade[texels.index[lined]].astype(np.float32)
    step = believed * believed * (3 - 2 * believed)

    def write(channel: int) -> None:
        values = texels.between(filled[..., channel : channel + 1])[:, 0]
        values[lined] *= darker
        own = values.take(place, mode="clip")
        values[place] = own + step * (seen[:, channel] - own)
        planes[channel, texels.index] = values

    side_by_side(write, range(3))


def _texel_m(coat: _Coat) -> float:
    """Typical side of a texel on the car, metres."""
    corner, uv = coat.vertices_car[coat.texels.triangles], coat.texels.triangle_uv01 * coat.texels.size_px
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1)
    (ax, ay), (bx, by) = (uv[:, 1] - uv[:, 0]).T, (uv[:, 2] - uv[:, 0]).T
    flat = np.abs(ax * by - ay * bx)
    return float(np.sqrt(np.median(area / np.maximum(flat, 1e-9))))
