"""Mattes: the order of the providers, the sentences, and an automatic cut that finds the car in pictures made here."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from imago.core.errors import UserInputError, WeightsError
from imago.core.matte import find_mask, make_matte
from imago.core.matte.around import NAMES as AROUND
from imago.core.matte.around import around, box_of
from imago.core.matte.features import NAMES, pixel_features
from imago.core.matte.looks import FILE, KEY, WIDTHS, Look, looks_of, read_looks, tensors_of
from imago.core.photo import read_photo
from imago.core.types import Photo
from imago.core.weights import write_entry

WIDTH, HEIGHT = 240, 160


def car_picture(seed: int = 0, width: int = WIDTH, height: int = HEIGHT) -> tuple[np.ndarray, np.ndarray]:
    """A drawn red car on grey ground before a blue sky with grain: (H, W, 3) float32 and its mask."""
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2], picture[height // 2 :] = (150, 190, 230), (140, 138, 135)
    x, y = width / WIDTH, height / HEIGHT
    body = (np.array([[40, 100], [50, 75], [90, 70], [110, 45], [165, 45], [185, 72], [205, 80], [208, 105], [40, 105]]) * [x, y]).astype(
        np.int32
    )
    glass = (np.array([[96, 70], [113, 50], [162, 50], [176, 70]]) * [x, y]).astype(np.int32)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(picture, [body], (190, 25, 30))
    cv2.fillPoly(picture, [glass], (35, 45, 55))
    cv2.fillPoly(mask, [body], 1)
    for hub in (75, 175):
        centre, radius = (round(hub * x), round(105 * y)), round(15 * y)
        cv2.circle(picture, centre, radius, (25, 25, 27), -1)
        cv2.circle(picture, centre, radius // 2, (180, 180, 185), -1)
        cv2.circle(mask, centre, radius, 1, -1)
    noisy = picture / 255 + random.normal(0, 0.015, picture.shape)
    return np.clip(noisy, 0, 1).astype(np.float32), mask.astype(bool)


def overlap(alpha01: np.ndarray, mask: np.ndarray) -> float:
    found = alpha01 > 0.5
    return float((found & mask).sum() / (found | mask).sum())


def saved_mask(path: Path, mask: np.ndarray) -> Path:
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)
    return path


def refusal(photo: Photo, mask: Path | None = None) -> str:
    with pytest.raises(UserInputError) as caught:
        make_matte(photo, mask)
    text = str(caught.value)
    assert "\n" not in text and text.endswith(".")
    return text


def test_mask_file_comes_first_and_is_kept_exactly(tmp_path):
    picture, mask = car_picture()
    photo = Photo("car.png", picture, np.zeros((HEIGHT, WIDTH), np.float32))
    matte = make_matte(photo, saved_mask(tmp_path / "m.png", mask))
    assert matte.source == "mask file" and matte.confidence01 == 1.0
    np.testing.assert_array_equal(matte.alpha01, mask.astype(np.float32))


def test_mask_of_zeros_and_ones(tmp_path):
    picture, mask = car_picture()
    Image.fromarray(mask.astype(np.uint8)).save(tmp_path / "m.png")
    np.testing.assert_array_equal(make_matte(Photo("car.png", picture), tmp_path / "m.png").alpha01, mask.astype(np.float32))


def test_mask_by_its_own_transparency(tmp_path):
    picture, mask = car_picture()
    Image.fromarray(np.dstack([np.zeros((HEIGHT, WIDTH, 3), np.uint8), mask.astype(np.uint8) * 255])).save(tmp_path / "m.png")
    np.testing.assert_array_equal(make_matte(Photo("car.png", picture), tmp_path / "m.png").alpha01, mask.astype(np.float32))


def test_mask_of_another_size_names_both_sizes(tmp_path):
    picture, mask = car_picture()
    text = refusal(Photo("car.png", picture), saved_mask(tmp_path / "m.png", mask[:-1]))
    assert "240 x 159" in text and "240 x 160" in text


def test_mask_of_a_turned_photo_fits_the_upright_picture(tmp_path):
    picture, mask = car_picture()
    exif = Image.Exif()
    exif[0x0112] = 8  # stored turned clockwise, to be turned back
    stored = np.ascontiguousarray(np.rot90((picture * 255).astype(np.uint8), -1))
    Image.fromarray(stored).save(tmp_path / "car.png", exif=exif)
    photo = read_photo(tmp_path / "car.png")
    np.testing.assert_allclose(photo.image_srgb01, picture, atol=1 / 255)
    np.testing.assert_array_equal(make_matte(photo, saved_mask(tmp_path / "m.png", mask)).alpha01, mask.astype(np.float32))


def test_mask_of_a_large_photo_is_reduced_with_it(tmp_path):
    picture = np.zeros((2000, 4096, 3), np.uint8)
    mask = np.zeros((2000, 4096), bool)
    mask[500:1501, 1000:3000] = True
    Image.fromarray(picture).save(tmp_path / "car.png")
    alpha01 = make_matte(read_photo(tmp_path / "car.png"), saved_mask(tmp_path / "m.png", mask)).alpha01
    assert alpha01.shape == (1000, 2048)
    np.testing.assert_allclose(alpha01[600, [499, 500, 1499, 1500]], [0, 1, 1, 0])
    np.testing.assert_allclose(alpha01[[249, 250, 749, 750, 751], 700], [0, 1, 1, 0.5, 0], atol=0.01)


def test_unreadable_mask_is_named(tmp_path):
    (tmp_path / "m.png").write_text("no picture")
    assert "mask m.png" in refusal(Photo("car.png", car_picture()[0]), tmp_path / "m.png")


def test_transparency_comes_before_the_automatic_cut():
    picture, mask = car_picture()
    matte = make_matte(Photo("car.png", picture, mask.astype(np.float32) * 0.9))
    assert matte.source == "transparency"
    np.testing.assert_allclose(matte.alpha01, mask * np.float32(0.9))


def test_all_transparent():
    assert "transparent everywhere" in refusal(Photo("car.png", car_picture()[0], np.zeros((HEIGHT, WIDTH), np.float32)))


def test_opaque_alpha_is_no_cut_out():
    picture, _ = car_picture()
    assert make_matte(Photo("car.png", picture, np.ones((HEIGHT, WIDTH), np.float32))).source == "automatic cut"


@pytest.mark.parametrize(("rows", "columns", "word"), [(slice(0, 10), slice(0, 10), "only"), (slice(None), slice(0, 236), "98 %")])
def test_too_small_and_too_large_mattes(tmp_path, rows, columns, word):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[rows, columns] = True
    assert word in refusal(Photo("car.png", car_picture()[0]), saved_mask(tmp_path / "m.png", mask))


@pytest.mark.parametrize("size", [(240, 160), (900, 600)])
def test_automatic_cut_finds_a_drawn_car(size):
    picture, mask = car_picture(width=size[0], height=size[1])
    matte = make_matte(Photo("car.png", picture))
    assert matte.alpha01.shape == mask.shape and matte.alpha01.dtype == np.float32
    assert matte.alpha01.min() >= 0 and matte.alpha01.max() <= 1
    assert overlap(matte.alpha01, mask) > 0.9
    assert matte.confidence01 > 0.7


def test_the_same_picture_gives_the_same_cut():
    picture, _ = car_picture()
    first, second = (make_matte(Photo("car.png", picture)) for _ in range(2))
    np.testing.assert_array_equal(first.alpha01, second.alpha01)
    assert first.confidence01 == second.confidence01


def test_confidence_falls_where_the_car_can_hardly_be_seen():
    picture, _ = car_picture()
    hidden = 0.5 + 0.05 * (picture - 0.5) + np.random.default_rng(1).normal(0, 0.03, picture.shape).astype(np.float32)
    try:
        unsure = make_matte(Photo("car.png", np.clip(hidden, 0, 1).astype(np.float32))).confidence01
    except UserInputError:
        unsure = 0.0  # refusing to cut fog is the better answer
    assert unsure < make_matte(Photo("car.png", picture)).confidence01 - 0.2


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_picture_of_nothing_is_refused_or_unsure(value):
    blank = Photo("blank.png", np.full((HEIGHT, WIDTH, 3), value, np.float32))
    try:
        assert make_matte(blank).confidence01 < 0.6
    except UserInputError as problem:
        assert "give a mask" in str(problem)


def test_find_mask(tmp_path):
    photo = tmp_path / "car.jpg"
    folder = tmp_path / "masks"
    folder.mkdir()
    with pytest.raises(UserInputError, match="neither car.png nor car_mask.png"):
        find_mask(folder, photo)
    (folder / "car_mask.png").touch()
    assert find_mask(folder, photo) == folder / "car_mask.png"
    (folder / "car.png").touch()
    assert find_mask(folder, photo) == folder / "car.png"
    assert find_mask(folder / "car.png", photo) == folder / "car.png"
    with pytest.raises(UserInputError, match="several photographs"):
        find_mask(folder / "car.png", photo, alone=False)
    with pytest.raises(UserInputError, match="no mask"):
        find_mask(tmp_path / "none.png", photo)


def test_a_photo_in_the_mask_folder_is_not_its_own_mask(tmp_path):
    (tmp_path / "car.png").touch()
    (tmp_path / "car_mask.png").touch()
    assert find_mask(tmp_path, tmp_path / "car.png") == tmp_path / "car_mask.png"


def looks_at_random(widths: tuple[int, ...] = WIDTHS) -> tuple[Look, ...]:
    random = np.random.default_rng(0)
    sizes = [((width, 5), (5, 1)) for width in widths]
    layers = [tuple((random.normal(size=size).astype(np.float32), np.zeros(size[1], np.float32)) for size in pair) for pair in sizes]
    return tuple(Look(np.zeros(n, np.float32), np.full(n, 2, np.float32), pair) for n, pair in zip(widths, layers, strict=True))


def test_looks_come_back_from_their_file(tmp_path):
    looks = looks_at_random()
    write_entry(tmp_path, KEY, FILE, tensors_of(looks), {})
    values = np.random.default_rng(1).normal(size=(7, WIDTHS[0])).astype(np.float32)
    inner = np.maximum(values / 2 @ looks[0].layers[0][0], 0)
    np.testing.assert_allclose(read_looks(tmp_path)[0].log_odds(values), (inner @ looks[0].layers[1][0])[:, 0], rtol=1e-4, atol=1e-5)


def test_damaged_or_foreign_looks_are_refused(tmp_path):
    write_entry(tmp_path, KEY, FILE, tensors_of(looks_at_random()), {})
    content = bytearray((tmp_path / FILE).read_bytes())
    content[-1] ^= 1
    (tmp_path / FILE).write_bytes(content)
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(WeightsError, match="train matte"):
            read_looks(folder)
    with pytest.raises(WeightsError, match="other features"):
        looks_of(tensors_of(looks_at_random((WIDTHS[0] + 1, *WIDTHS[1:]))))
    with pytest.raises(WeightsError, match="no looks"):
        looks_of(tensors_of(looks_at_random()[:2]))
    with pytest.raises(WeightsError, match="no looks"):
        looks_of(b"no tensors")


def test_features_have_their_names_and_a_mirrored_picture_the_mirrored_ones():
    picture, mask = car_picture()
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2Lab)
    assert pixel_features(lab).shape == (*mask.shape, len(NAMES))
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 3)
    here = around(lab, soft)
    there = around(np.ascontiguousarray(lab[:, ::-1]), np.ascontiguousarray(soft[:, ::-1]))[:, ::-1]
    assert here.shape == (*mask.shape, len(AROUND)) and np.isfinite(here).all()
    np.testing.assert_allclose(np.median(np.abs(here - there), (0, 1)), 0, atol=0.02)  # the box is whole pixels


def test_what_is_around_a_pixel():
    lab = np.full((100, 200, 3), (60, 0, 0), np.float32)
    lab[30:80, 40:160] = (40, 60, 40)
    estimate = np.zeros((100, 200), np.float32)
    estimate[30:80, 40:160] = 1
    estimate[45:55, 90:110] = 0  # a window
    assert np.abs(np.subtract(box_of(estimate), (40, 160, 30, 80))).max() <= 2
    named = dict(zip(AROUND, np.moveaxis(around(lab, estimate), -1, 0), strict=True))
    window, outside, middle = (50, 100), (50, 10), (70, 100)
    assert named["enclosed"][window] > 0.9 > 0.1 > named["enclosed"][outside]
    assert named["like_car"][window] > 1 and named["like_car"][outside] < -1
    assert named["darker_than_ground"][middle] > 0.2 and abs(named["darker_than_ground"][90, 100]) < 0.05
    assert abs(named["down_in_box"][79, 100] - 1) < 0.1 and abs(named["off_centre_of_box"][50, 41] - 1) < 0.1
    assert named["above_close"][80, 100] > 0.9 > 0.1 > named["below_close"][80, 100]
    assert named["level_far_most"][50, 30] > 0.9 > 0.1 > named["level_far_least"][50, 30]
