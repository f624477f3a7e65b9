"""Mattes: the order of the providers, the sentences, and an automatic cut that finds the car in pictures made here."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from imago.core.errors import UserInputError
from imago.core.matte import find_mask, make_matte, network
from imago.core.matte.network import box_of, one_piece
from imago.core.matte.refine import refine
from imago.core.perceive.perceive import see
from imago.core.photo import read_photo
from imago.core.types import Photo, Settings

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


def test_a_number_beside_a_cut_out_is_told_of():
    alpha, told = np.zeros((40, 60), np.float32), []
    alpha[10:30, 10:50] = 1
    make_matte(Photo("a.png", np.full((40, 60, 3), 0.5, np.float32), alpha), None, Settings(which=2), told.append)
    assert told == ["The transparency says which car it is; the car's number or box is not looked at."]


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


EXAMPLE = Path(__file__).resolve().parents[1] / "data" / "example.jpg"


def test_the_network_finds_the_car_of_the_example():
    """The example was rendered by this project; its outline is known well enough by where the car's box must lie."""
    photo = read_photo(EXAMPLE)
    matte = make_matte(photo)
    left, top, right, bottom = matte.box_px
    width, height = photo.size_px
    assert matte.source == "automatic cut" and matte.confidence01 > 0.8
    assert 0.1 < matte.alpha01.mean() < 0.6 and right - left > 0.5 * width and bottom - top > 0.3 * height
    assert one_piece(matte.alpha01 > 0.5).sum() == pytest.approx((matte.alpha01 > 0.5).sum(), rel=1e-3)
    np.testing.assert_array_equal(make_matte(photo).alpha01, matte.alpha01)


@pytest.mark.parametrize(("grown", "looks"), [(1.0, 1), (1.3, 2)])
def test_a_car_is_looked_at_again_where_its_box_was_another(grown, looks, monkeypatch):
    picture, mask = car_picture()
    counted = []
    monkeypatch.setattr(network, "see", lambda image, window, device: counted.append(window) or see(image, window, device))
    left, top, right, bottom = box_of(one_piece(network.cut(picture, box_of(mask))[0] > 0.5))
    counted.clear()
    middle, half = (left + right) / 2, grown * (right - left) / 2
    alpha01, _, seen = network.cut(picture, (middle - half, top, middle + half, bottom))
    assert len(counted) == looks and seen.window == counted[-1] and overlap(alpha01, mask) > 0.8


def test_of_two_cars_either_can_be_chosen_and_both_are_told_of():
    """The example twice side by side, the second mirrored."""
    picture = cv2.resize(read_photo(EXAMPLE).image_srgb01, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    photo, told = Photo("two.png", np.ascontiguousarray(np.hstack([picture, picture[:, ::-1]]))), []
    middle = picture.shape[1]
    left, right = (make_matte(photo, None, Settings(which=number), told.append) for number in (1, 2))
    assert left.box_px[2] < middle + 5 and right.box_px[0] > middle - 5
    assert all(sentence.startswith("2 cars were found") for sentence in told) and len(told) == 2
    with pytest.raises(UserInputError, match="car 3 was asked for, but 2 cars were found"):
        make_matte(photo, None, Settings(which=3))


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_picture_of_nothing_is_refused(value):
    assert "no car was recognised" in refusal(Photo("flat.png", np.full((120, 160, 3), value, np.float32)))


def test_refining_draws_a_coarse_outline_to_the_pictures_edge():
    """A disc known at an eighth of the picture's resolution comes back nearly exactly where the picture shows its edge."""
    y, x = np.mgrid[0:160, 0:160] + 0.5
    truth = (np.hypot(x - 80, y - 78) < 50).astype(np.float32)
    picture = np.where(truth[..., None] > 0, [0.8, 0.2, 0.1], [0.2, 0.35, 0.5]).astype(np.float32)
    small = cv2.resize(truth, (40, 40), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(small, (160, 160), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    shifted = np.roll(coarse, 2, 1)
    before, after = overlap(shifted, truth > 0.5), overlap(refine(picture, shifted, 4.0), truth > 0.5)
    assert after > 0.985 and 1 - after < 0.6 * (1 - before)


def test_one_piece_fills_holes_and_drops_islands():
    mask = np.zeros((20, 30), bool)
    mask[4:14, 3:20], mask[8:10, 8:10], mask[1:3, 25:28] = True, False, True
    found = one_piece(mask)
    assert found[9, 9] and not found[1, 26] and box_of(found) == (3.0, 4.0, 20.0, 14.0)


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
