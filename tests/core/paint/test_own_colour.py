"""The paint's own colour: told from what stands under the same light, and put on the car."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imago.core.errors import WeightsError
from imago.core.matte.matte import make_matte
from imago.core.paint import paint as painting
from imago.core.paint.colour import linear_from_srgb, oklab_from_srgb, srgb_from_linear, srgb_from_oklab
from imago.core.paint.own_colour import (
    CUES,
    FILE,
    KEY,
    MOST_MOVED,
    OwnLightness,
    at_lightness,
    content_of,
    own_colour,
    paint_cues,
    without_sky,
)
from imago.core.paint.paint import paint
from imago.core.perceive.heads import PART_CLASSES
from imago.core.perceive.perceive import perceive
from imago.core.photo.photo import read_photo
from imago.core.types import Dense, Photo
from imago.core.weights import write_entry

EXAMPLE = Path(__file__).parents[2] / "data" / "example.jpg"
BODY, WHEEL, SIDE_WINDOW = (PART_CLASSES.index(name) for name in ("body", "wheel", "side_window"))


def told_scene(
    paint_srgb01: tuple[float, float, float],
    parts: tuple[int, ...] = (BODY, WHEEL, SIDE_WINDOW),
    window_srgb01: tuple[float, float, float] = (0.3, 0.35, 0.4),
) -> tuple[np.ndarray, Dense]:
    """A picture (160, 224, 3) of a painted field with a black one and a window in it on white ground, and what is told of its cells."""
    picture, share = np.full((80, 112, 3), 0.9, np.float32), np.zeros((len(PART_CLASSES), 80, 112), np.float32)
    matte = np.zeros((80, 112), np.float32)
    fields = {BODY: (slice(20, 60), slice(20, 90), paint_srgb01), WHEEL: (slice(50, 60), slice(30, 50), (0.08, 0.08, 0.08))}
    fields[SIDE_WINDOW] = (slice(20, 30), slice(40, 70), window_srgb01)
    for part in parts:
        rows, columns, colour = fields[part]
        picture[rows, columns], matte[rows, columns] = colour, 1
        share[:, rows, columns] = 0
        share[part, rows, columns] = 1
    dense = Dense((0.0, 0.0, 224.0, 160.0), matte, share, np.zeros((3, 80, 112), np.float32), np.ones((80, 112), np.float32))
    return np.repeat(np.repeat(picture, 2, 0), 2, 1), dense


def test_cues_are_those_of_the_parts():
    """Commonest and median colour are the body's, the quantiles the lightness of body and wheels, the mean that of the ground."""
    red = (0.7, 0.1, 0.12)
    cues, commonest = paint_cues(*told_scene(red))
    body = oklab_from_srgb(np.array(red))
    ground, black = oklab_from_srgb(np.array([[0.9, 0.9, 0.9], [0.08, 0.08, 0.08]]))[:, 0]
    wanted = [body[0], body[0], *[body[0]] * 5, ground, *[black] * 3]
    assert cues.shape == (CUES,) and np.abs(cues - wanted).max() < 0.01
    assert np.abs(commonest - body).max() < 0.01


def test_what_is_seen_through_the_windows_says_nothing_of_the_paint():
    """Before a bright street and before a dark wall it is the same."""
    bright, dark = (paint_cues(*told_scene((0.7, 0.1, 0.12), window_srgb01=(grey, grey, grey))) for grey in (0.95, 0.05))
    assert np.array_equal(bright[0], dark[0]) and np.array_equal(bright[1], dark[1])


def test_what_is_not_seen_counts_as_usual():
    """Without wheels their cues are missing, and the estimate is that of a car whose wheels are the usual ones."""
    cues, _ = paint_cues(*told_scene((0.7, 0.1, 0.12), (BODY,)))
    assert np.isnan(cues[-3:]).all() and np.isfinite(cues[:-3]).all()
    random = np.random.default_rng(3)
    model = OwnLightness(random.uniform(0, 1, CUES), np.ones(CUES), random.normal(0, 0.03, CUES), cues[:1])
    told = float(model(cues))
    assert told == pytest.approx(float(model(np.where(np.isnan(cues), model.usual, cues)))) and abs(told - cues[0]) > 0.005


def test_no_paint_is_moved_far():
    """Whatever the cues, the told lightness stays within MOST_MOVED of the commonest colour's; on the way it follows them."""
    cues, _ = paint_cues(*told_scene((0.7, 0.1, 0.12)))
    told = [float(OwnLightness(cues, np.ones(CUES), np.zeros(CUES), cues[:1] + far)(cues)) for far in (-9.0, -0.1, 0.05, 9.0)]
    assert told == pytest.approx(cues[0] + np.array([-MOST_MOVED, -0.1, 0.05, MOST_MOVED]))


def test_another_lightness_keeps_the_tint():
    """Half the lightness in OKLab is an eighth of the light, in each channel."""
    red = np.array([0.7, 0.1, 0.12])
    darker = srgb_from_oklab(at_lightness(oklab_from_srgb(red), oklab_from_srgb(red)[0] / 2))
    assert linear_from_srgb(darker) == pytest.approx(linear_from_srgb(red) / 8, abs=1e-4)


def test_a_grey_car_under_the_sky_is_grey_and_a_coloured_one_keeps_its_colour():
    """By tint, OKLab's a and b over L: the sky's weak blue goes, in any lightness; a strong blue, beige and mint stay."""
    tints = np.array([[-0.005, -0.03], [-0.03, -0.12], [0.02, 0.03], [-0.045, -0.02], [0.0, 0.0]])
    for lightness in (0.2, 0.6, 0.9):
        seen = lightness * np.concatenate([np.ones((5, 1)), tints], 1)
        assert without_sky(seen) == pytest.approx(seen * np.array([[1, 0, 0], *[[1, 1, 1]] * 4]))
    assert np.array_equal(without_sky(np.zeros(3)), np.zeros(3))


def test_without_a_body_nothing_is_told():
    picture, dense = told_scene((0.7, 0.1, 0.12), (WHEEL,))
    assert paint_cues(picture, dense) is None and own_colour(picture, dense) is None and own_colour(picture, None) is None


def test_half_the_light_moves_the_told_colour_less_than_what_is_seen():
    """The example, and the same with a quarter of the light, as a shorter exposure gives it: the paint is the same one."""
    bright = read_photo(EXAMPLE)
    dark = Photo(bright.path, srgb_from_linear(linear_from_srgb(bright.image_srgb01) / 4).astype(np.float32))
    seen, told = [], []
    for photo in (bright, dark):
        dense = perceive(photo, make_matte(photo)).dense
        seen.append(paint_cues(photo.image_srgb01, dense)[0][0])
        told.append(oklab_from_srgb(np.array(own_colour(photo.image_srgb01, dense)))[0])
    assert seen[0] - seen[1] > 0.1
    assert abs(told[0] - told[1]) < 0.6 * (seen[0] - seen[1])


def test_the_painted_car_wears_the_told_colour_and_black_and_white_stay(make_shot):
    """A green car with black, white and lighter stripes: told half as bright, each channel lies on the line from black by the told colour
    to white, and the material is the told colour."""
    green, told = np.array([0.2, 0.6, 0.3]), (0.1, 0.35, 0.16)
    stripes = np.array([green, green, [0, 0, 0], green, [1, 1, 1], green, [0.28, 0.8, 0.41], green])
    shot = make_shot(lambda points: stripes[(points[:, 1] * 4).astype(int) % len(stripes)])
    given = (shot.photo, shot.matte, shot.fit, shot.body, (), 256, lambda stage, fraction: None)
    plain, relit = paint(*given), paint(*given, told_paint_srgb01=told)
    assert relit.paint_srgb01 == told
    assert relit.materials[0].base_color_linear == pytest.approx(linear_from_srgb(np.array(told)))
    sure = plain.confidence01 > 0.5
    before, after = plain.photo_srgb01[sure], relit.photo_srgb01[sure]
    wanted = np.stack([np.interp(before[:, k], [0, plain.paint_srgb01[k], 1], [0, told[k], 1]) for k in range(3)], 1)
    on_the_line = np.abs(after - wanted).max(-1) < 0.01
    assert on_the_line.mean() > 0.8  # the underbody, which is no paint, stays
    assert np.ptp(after[on_the_line], 0).min() > 0.8  # from the black stripes to the white ones
    assert np.abs(np.median(after, 0) - told).max() < 0.03


def test_a_file_of_another_version_is_refused_with_the_remedy(tmp_path):
    model = OwnLightness(np.zeros(CUES), np.ones(CUES), np.zeros(CUES), np.array([0.5]))
    write_entry(tmp_path, KEY, FILE, content_of(model), {})
    red = own_colour(*told_scene((0.7, 0.1, 0.12)), tmp_path)
    assert oklab_from_srgb(np.array(red))[0] == pytest.approx(0.5, abs=1e-3)
    other = tmp_path / "other"
    from safetensors.numpy import save

    write_entry(other, KEY, FILE, save({"usual": np.zeros(3, np.float32)}), {})
    with pytest.raises(WeightsError, match="of another version .* train paint"):
        own_colour(*told_scene((0.7, 0.1, 0.12)), other)


def test_what_is_lighter_than_a_nearly_white_paint_is_not_torn_apart(make_shot, monkeypatch):
    """Stripes lighter by 0.04 than a paint of 0.92 that is told 0.72 are lighter by twice as much then, not by more."""
    monkeypatch.setattr(painting, "EVENED", 0.0)
    monkeypatch.setattr(painting, "DULLED", 0.0)
    shot = make_shot(lambda points: np.where((points[:, 1:2] * 4).astype(int) % 4 == 1, 0.96, 0.92) * np.ones(3))
    given = (shot.photo, shot.matte, shot.fit, shot.body, (), 256, lambda stage, fraction: None)
    plain, relit = paint(*given), paint(*given, told_paint_srgb01=(0.72, 0.72, 0.72))
    striped = plain.photo_srgb01.min(-1) > 0.95
    assert striped.mean() > 0.01 and np.median(relit.photo_srgb01[striped]) == pytest.approx(0.72 + 2 * 0.04, abs=0.01)
    assert np.median(relit.photo_srgb01[(plain.confidence01 > 0.5) & ~striped]) == pytest.approx(0.72, abs=0.01)
