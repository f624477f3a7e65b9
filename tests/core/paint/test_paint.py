"""paint: a known car comes back from its photograph, on the side it shows and on the other; nothing but the car does."""

from __future__ import annotations

import numpy as np
import pytest

from imago.core.car.car import build_body, build_wheels
from imago.core.car.measures import BODY_TYPES
from imago.core.errors import Cancelled, ShapeError
from imago.core.paint import paint as painting
from imago.core.paint.colour import linear_from_srgb
from imago.core.paint.materials import KINDS
from imago.core.paint.paint import DRAFT_TEXTURE_PX, paint, painted_size_px
from imago.core.paint.texels import texels_of
from imago.core.types import CarShape, Fit, Matte, Photo, Settings

SIZE = 512
LEFT, RIGHT, FRONT, REAR, TOP, BOTTOM = range(6)


def island(shot, texture, sides):
    """Texels of some sides of the box: their points, painted colours and confidences."""
    texels = texels_of(shot.body, SIZE)
    kept = np.flatnonzero(np.isin(texels.triangle_part[texels.triangle], sides))
    chosen = texels.chosen(kept)
    index = chosen.index
    return chosen.spread(shot.body.vertices_m), texture.photo_srgb01.reshape(-1, 3)[index], texture.confidence01.reshape(-1)[index]


def test_seen_sides_come_back(striped):
    shot, texture = striped
    points, painted, confidence = island(shot, texture, [LEFT, FRONT])
    sure = confidence > 0.5
    error = np.abs(painted - shot.truth(points))[sure]
    assert sure.mean() > 0.85
    assert error.mean() < 0.01 and np.quantile(error, 0.99) < 0.05


def test_the_hidden_flank_takes_the_mirror_image(striped):
    shot, texture = striped
    points, painted, confidence = island(shot, texture, [RIGHT])
    assert (confidence > 0.3).mean() > 0.85 and confidence.max() < 0.9
    error = np.abs(painted - shot.truth(points))[confidence > 0.3]
    assert error.mean() < 0.012 and np.quantile(error, 0.99) < 0.06


def test_a_seen_texel_keeps_its_own_colour_and_not_its_mirror_image(make_shot):
    """Seen from the front both halves of the nose show; they differ and must stay different."""

    def lopsided(points):
        return np.where(points[:, :1] > 0, [0.1, 0.6, 0.2], [0.1, 0.2, 0.6])

    shot = make_shot(lopsided, azimuth_degrees=10.0)
    points, painted, confidence = island(shot, shot.paint(), [FRONT])
    # The outermost texels lie on the matte's edge, where only the mirror image is known.
    inner = (confidence > 0.5) & (np.abs(points[:, 0]) > 0.03) & (np.abs(points[:, 0]) < 0.82)
    assert inner.mean() > 0.8 and np.abs(painted - lopsided(points))[inner].max() < 0.08


def test_sides_that_no_photograph_shows_take_the_material(striped):
    shot, texture = striped
    _, painted, confidence = island(shot, texture, [REAR])
    assert confidence.max() == 0
    assert np.abs(np.median(painted, 0) - texture.paint_srgb01).max() < 0.12
    _, painted, confidence = island(shot, texture, [BOTTOM])
    assert confidence.max() == 0 and painted.max() < 0.15  # the underside is dark, not painted


@pytest.mark.parametrize("grown_px", [0, 2])
def test_no_background_leaks_in(make_shot, grown_px):
    """Neither through the matte's soft edge nor where the matte is two pixels too wide, nor by padding."""
    import cv2

    shot = make_shot()
    alpha = cv2.dilate(shot.matte.alpha01, np.ones((2 * grown_px + 1,) * 2, np.uint8))
    texture = paint(shot.photo, Matte(alpha, "test", 1.0), shot.fit, shot.body, (), SIZE, lambda stage, fraction: None)
    magenta = np.minimum(texture.photo_srgb01[..., 0], texture.photo_srgb01[..., 2]) - texture.photo_srgb01[..., 1]
    own = np.minimum(shot.photo.image_srgb01[..., 0], shot.photo.image_srgb01[..., 2]) - shot.photo.image_srgb01[..., 1]
    worst_of_the_car = own[shot.matte.alpha01 == 1].max()
    assert own.max() == 1 and magenta.max() < max(worst_of_the_car, 0.0) + 0.05


def test_wider_matte_than_car_paints_no_more(make_shot, monkeypatch):
    """A shape that is smaller than what the matte holds is painted from inside it all over."""
    monkeypatch.setattr(painting, "EVENED", 0.0)
    shot = make_shot()
    texture = paint(
        shot.photo, Matte(np.ones_like(shot.matte.alpha01), "test", 1.0), shot.fit, shot.body, (), SIZE, lambda stage, fraction: None
    )
    points, painted, confidence = island(shot, texture, [LEFT])
    assert np.abs(painted - shot.truth(points))[confidence > 0.5].mean() < 0.02


@pytest.mark.parametrize("paint_srgb01", [(0.7, 0.1, 0.12), (0.12, 0.2, 0.5), (0.85, 0.85, 0.84), (0.08, 0.08, 0.09), (0.8, 0.7, 0.1)])
def test_paint_colour_under_shading_highlights_and_gaps(make_shot, paint_srgb01):
    random = np.random.default_rng(0)
    phase = random.uniform(0, 6, 3)

    def shaded(points):
        shade = (
            1 + 0.12 * np.sin(3 * points @ np.array([1.0, 1.3, 2.0]) + phase[0]) + 0.04 * np.sin(23 * points @ np.array([1.0, -0.7, 0.4]))
        )
        color = np.array(paint_srgb01) * shade[:, None]
        glint = (np.sin(5 * points[:, 1] + phase[1]) > 0.75) & (np.sin(7 * points[:, 2]) > 0)
        gap = np.abs(np.mod(points[:, 1], 0.8) - 0.4) < 0.03
        color[glint] = 0.97
        color[gap] = 0.03
        return color.clip(0, 1)

    texture = make_shot(shaded).paint()
    assert np.abs(np.array(texture.paint_srgb01) - paint_srgb01).max() < 0.03
    spec = next(material for material in texture.materials if material.name == "paint")
    assert np.allclose(spec.base_color_linear, linear_from_srgb(np.array(texture.paint_srgb01)))


def test_slow_light_fades_and_another_hue_stays(make_shot):
    """A green flank that the light falls off along, with a blue band: the fall is halved at least, the band is as blue as it was."""

    def lit(points):
        band = np.abs(points[:, 2:] - 0.9) < 0.15
        return np.where(band, [0.15, 0.25, 0.75], [0.2, 0.55, 0.25]) * (1 + 0.12 * points[:, 1:2] * ~band)

    shot = make_shot(lit)
    points, painted, confidence = island(shot, shot.paint(), [LEFT])
    sure, on_band = confidence > 0.6, np.abs(points[:, 2] - 0.9) < 0.1
    green = sure & (np.abs(points[:, 2] - 0.9) > 0.25)
    fall, was = (np.polyfit(points[green, 1], colour[green, 1], 1)[0] for colour in (painted, lit(points)))
    assert was > 0.05 and fall < was / 2
    assert np.abs(painted - lit(points))[sure & on_band].mean() < 0.03


def test_a_licence_plate_is_not_mirrored(make_shot):
    parts = ("license_plate_front", "license_plate_rear", "bumper_front", "bumper_rear", "roof", "underbody")
    shot = make_shot(parts=parts)
    texture = shot.paint()
    assert island(shot, texture, [LEFT])[2].mean() > 0.5
    assert island(shot, texture, [RIGHT])[2].max() == 0


def test_islands_are_padded_to_the_border(striped):
    """Eight texels outside every island repeat its edge, so that filtering finds no foreign colour."""
    import cv2

    shot, texture = striped
    covered = np.zeros(SIZE * SIZE, np.uint8)
    covered[texels_of(shot.body, SIZE).index] = 1
    covered = covered.reshape(SIZE, SIZE)
    ring = cv2.dilate(covered, np.ones((17, 17), np.uint8)) - covered
    distance = cv2.dilate(texture.photo_srgb01, np.ones((17, 17))) - cv2.erode(texture.photo_srgb01, np.ones((17, 17)))
    assert ring.sum() > 1000 and (texture.photo_srgb01.max(2)[ring == 1] > 0.02).all()
    assert np.quantile(distance[ring == 1], 0.5) < 0.25


def test_progress_is_told_and_can_cancel(make_shot):
    shot, told = make_shot(), []
    shot.paint(64, lambda stage, fraction: told.append((stage, fraction)))
    assert {stage for stage, _ in told} == {"paint"} and [f for _, f in told] == sorted(f for _, f in told) and told[-1][1] == 1.0

    def stop(stage, fraction):
        raise Cancelled

    with pytest.raises(Cancelled):
        shot.paint(64, stop)


def test_a_matte_of_another_size_is_refused(make_shot):
    shot = make_shot()
    small = Matte(shot.matte.alpha01[::2, ::2], "test", 1.0)
    with pytest.raises(ShapeError, match="matte has shape"):
        paint(shot.photo, small, shot.fit, shot.body, (), 64, lambda stage, fraction: None)


def test_an_empty_matte_leaves_the_plain_materials(make_shot):
    shot = make_shot()
    texture = paint(
        shot.photo, Matte(np.zeros_like(shot.matte.alpha01), "test", 0.0), shot.fit, shot.body, (), 64, lambda stage, fraction: None
    )
    assert texture.confidence01.max() == 0 and np.isfinite(texture.photo_srgb01).all()


def test_a_car_of_known_paint_wears_it_and_the_materials_and_nothing_of_the_picture(make_shot):
    """A drawing of a green car with a blue plate for a front: the car is red as it is told, the plate is as plates are."""
    parts = ("door_front_left", "door_front_right", "license_plate_front", "bumper_rear", "roof", "underbody")
    shot, red = (
        make_shot(lambda points: np.where(points[:, 1:2] < -2.19, [0.1, 0.2, 0.8], [0.12, 0.52, 0.22]), parts=parts),
        (0.7, 0.1, 0.1),
    )
    texture = paint(shot.photo, shot.matte, shot.fit, shot.body, (), SIZE, lambda stage, fraction: None, known_paint_srgb01=red)
    assert texture.paint_srgb01 == red and texture.confidence01.max() == 0
    for side, wanted in ((LEFT, red), (REAR, red), (FRONT, KINDS["plate"].srgb01)):
        painted = island(shot, texture, [side])[1]
        assert np.abs(np.median(painted, 0) - wanted).max() < 0.01 and (painted <= np.array(wanted) + 0.01).all()  # shut lines are darker


def test_the_car_template_with_its_wheels(make_shot):
    """Every part of body and wheels wears exactly one material, and the rim's colour comes from the photograph."""
    shape = CarShape(dict(BODY_TYPES["hatchback"]), "hatchback")
    body, wheels = build_body(shape), build_wheels(shape)
    shot = make_shot(azimuth_degrees=70.0)
    blue = Photo("blue.png", np.broadcast_to(np.array([0.35, 0.42, 0.62], np.float32), shot.photo.image_srgb01.shape).copy())
    whole = Matte(np.ones(blue.image_srgb01.shape[:2], np.float32), "test", 1.0)
    texture = paint(blue, whole, Fit(shape, shot.fit.camera, 1.0, 1.0), body, wheels, 256, lambda stage, fraction: None)
    worn = [part for material in texture.materials for part in material.parts]
    assert sorted(worn) == sorted({*body.part_names, *wheels[0].mesh.part_names})
    rim = next(material for material in texture.materials if material.name == "rim")
    assert np.abs(np.array(rim.base_color_linear) - linear_from_srgb(np.array([0.35, 0.42, 0.62]))).max() < 0.02
    assert 0 <= texture.photo_srgb01.min() and texture.photo_srgb01.max() <= 1


def test_a_draft_is_painted_no_larger_than_its_own_limit():
    assert painted_size_px(Settings(quality="draft", texture_size_px=2048)) == DRAFT_TEXTURE_PX == 1024
    assert painted_size_px(Settings(quality="draft", texture_size_px=512)) == 512
    assert painted_size_px(Settings(quality="normal", texture_size_px=2048)) == 2048


def test_a_second_painting_is_the_same(striped, monkeypatch):
    """What is kept from one car for the next is not written to."""
    monkeypatch.setattr(painting, "EVENED", 0.0)
    shot, texture = striped
    again = shot.paint()
    assert (again.photo_srgb01 == texture.photo_srgb01).all() and (again.confidence01 == texture.confidence01).all()


def test_windows_wear_glass_and_not_what_stands_about_the_car(make_shot):
    """A side window that mirrors a bright sky of a green car: the nose comes back, the window is as glass is."""
    parts = ("side_window_front_left", "door_front_right", "bumper_front", "bumper_rear", "roof", "underbody")
    shot = make_shot(lambda points: np.where(points[:, :1] > 0.89, [0.8, 0.9, 1.0], [0.12, 0.52, 0.22]), parts=parts)
    texture = shot.paint()
    assert np.abs(island(shot, texture, [LEFT])[1] - KINDS["glass"].srgb01).max() < 0.02
    assert island(shot, texture, [LEFT])[2].max() == 0
    _, nose, confidence = island(shot, texture, [FRONT])
    apart = np.abs(nose - [0.12, 0.52, 0.22]).max(-1)[confidence > 0.5]
    assert (confidence > 0.5).mean() > 0.85 and np.quantile(apart, 0.97) < 0.05  # but for the edge that both share


def test_highlights_fade_gaps_and_livery_stay(make_shot):
    """Green paint with narrow bands, of its own colour mixed with white, of nearly black, of blue: the first fades, the others stay."""
    green, blue = np.array([0.15, 0.5, 0.25]), np.array([0.1, 0.2, 0.8])
    bands = np.array([green, green * 0.7 + 0.3, green, green, green * 0.3, green, green, blue])

    def band_of(points):
        return (np.floor(points[:, 2] * 16) % len(bands)).astype(int)

    shot = make_shot(lambda points: bands[band_of(points)])
    points, painted, confidence = island(shot, shot.paint(), [LEFT, FRONT])
    inner = (np.abs((points[:, 2] * 16) % 1 - 0.5) < 0.25) & (confidence > 0.5)
    plain, highlight, gap, livery = (np.median(painted[inner & (band_of(points) == k)], 0) for k in (0, 1, 4, 7))
    assert np.abs(highlight - plain).max() < 0.5 * np.abs(bands[1] - green).max()
    assert np.abs(gap - plain).max() > 0.75 * np.abs(bands[4] - green).max()
    assert np.abs((livery - plain) - (blue - green)).max() < 0.1


@pytest.mark.parametrize("worn", [False, True], ids=["a reflection", "a livery"])
def test_another_colour_that_is_seen_flatly_stays_where_the_car_wears_it(make_shot, worn):
    """A red patch on the nose of a green car, which is seen at a flat angle: it goes, unless the flank has one too."""
    green, red = np.array([0.15, 0.5, 0.25]), np.array([0.7, 0.1, 0.15])

    def patched(points):
        nose, flank = np.abs(points[:, :1]) < 0.5, np.abs(points[:, 1:2]) < 0.6
        return np.where((nose & (points[:, 1:2] < -2.19)) | (worn & flank & (np.abs(points[:, :1]) > 0.89)), red, green)

    shot = make_shot(patched, azimuth_degrees=60.0)
    points, painted, _ = island(shot, shot.paint(), [FRONT])
    patch = (np.abs(points[:, 0]) < 0.3) & (np.abs(points[:, 2] - 0.9) < 0.4)
    left = np.abs(np.median(painted[patch], 0) - green).max() / np.abs(red - green).max()
    assert left > 0.95 if worn else left < 0.2
