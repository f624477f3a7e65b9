"""Reading: every colour mode to the right values, upright, and a sentence for everything that cannot be read."""

import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from imago.core.errors import UserInputError
from imago.core.photo import find_photos, read_photo

WIDTH, HEIGHT = 64, 40


@pytest.fixture
def pixels():
    """(40, 64, 3) uint8 whose four corners differ, so that no turn or mirror goes unseen."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 4, y * 6, np.where((x < 10) & (y < 10), 200, 20)], -1).astype(np.uint8)


def saved(folder: Path, name: str, image: Image.Image, **options: object) -> Path:
    path = folder / name
    image.save(path, **options)
    return path


def sentence(path: Path) -> str:
    with pytest.raises(UserInputError) as caught:
        read_photo(path)
    text = str(caught.value)
    assert "\n" not in text and text.endswith(".")
    return text


def test_rgb_is_exact_and_carries_no_alpha(tmp_path, pixels):
    photo = read_photo(saved(tmp_path, "a.png", Image.fromarray(pixels)))
    assert photo.image_srgb01.dtype == np.float32 and photo.alpha01 is None
    assert photo.size_px == photo.file_size_px == (WIDTH, HEIGHT)
    np.testing.assert_allclose(photo.image_srgb01, pixels / 255, atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turned_pictures_come_out_upright(tmp_path, pixels, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, "turned.png", Image.fromarray(pixels), exif=exif)
    wanted = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    photo = read_photo(path)
    np.testing.assert_allclose(photo.image_srgb01, wanted / 255, atol=1e-6)
    assert photo.size_px == ((HEIGHT, WIDTH) if orientation >= 5 else (WIDTH, HEIGHT))


def test_sideways_phone_photo_by_hand(tmp_path, pixels):
    """Orientation 6: the stored left column is the top row, from right to left; independent of Pillow's own turning."""
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = read_photo(saved(tmp_path, "phone.png", Image.fromarray(pixels), exif=exif))
    np.testing.assert_allclose(photo.image_srgb01[0], pixels[::-1, 0] / 255, atol=1e-6)


def test_grey(tmp_path, pixels):
    photo = read_photo(saved(tmp_path, "a.png", Image.fromarray(pixels[..., 0])))
    np.testing.assert_allclose(photo.image_srgb01, np.repeat(pixels[..., :1], 3, 2) / 255, atol=1e-6)


def test_one_bit(tmp_path, pixels):
    photo = read_photo(saved(tmp_path, "a.png", Image.fromarray(pixels[..., 0] > 100)))
    np.testing.assert_array_equal(photo.image_srgb01[..., 0] > 0.5, pixels[..., 0] > 100)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_grey_stays_exact(tmp_path, suffix):
    values = np.linspace(0, 65535, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH).astype(np.uint16)
    photo = read_photo(saved(tmp_path, f"a.{suffix}", Image.fromarray(values)))
    np.testing.assert_allclose(photo.image_srgb01[..., 1], values / 65535, atol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_sixteen_bit_colour_stays_exact(tmp_path, suffix, channels):
    values = np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH, channels)).astype(np.uint16)
    path = tmp_path / f"a.{suffix}"
    cv2.imwrite(str(path), values)
    photo = read_photo(path)
    np.testing.assert_allclose(photo.image_srgb01, values[..., 2::-1] / 65535, atol=1e-6)
    if channels == 4:
        np.testing.assert_allclose(photo.alpha01, values[..., 3] / 65535, atol=1e-6)


def test_cmyk(tmp_path):
    inks = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    inks[:, : WIDTH // 2, 0] = 255  # full cyan on the left, bare paper on the right
    photo = read_photo(saved(tmp_path, "a.tif", Image.fromarray(inks, "CMYK")))
    np.testing.assert_allclose(photo.image_srgb01[5, 5], [0, 1, 1], atol=0.01)
    np.testing.assert_allclose(photo.image_srgb01[5, -5], [1, 1, 1], atol=0.01)
    jpeg = read_photo(saved(tmp_path, "a.jpg", Image.fromarray(inks, "CMYK"), quality=95))
    np.testing.assert_allclose(jpeg.image_srgb01[5, 5], [0, 1, 1], atol=0.05)


def test_palette_with_and_without_transparency(tmp_path):
    index = np.zeros((HEIGHT, WIDTH), np.uint8)
    index[:, 32:] = 1
    image = Image.fromarray(index, "P")
    image.putpalette([255, 0, 0, 0, 0, 255])
    plain = read_photo(saved(tmp_path, "plain.png", image))
    assert plain.alpha01 is None
    np.testing.assert_allclose(plain.image_srgb01[3, [3, 40]], [[1, 0, 0], [0, 0, 1]], atol=1e-6)
    clear = read_photo(saved(tmp_path, "clear.png", image, transparency=0))
    np.testing.assert_allclose(clear.alpha01[3, [3, 40]], [0, 1])


def test_grey_with_alpha(tmp_path, pixels):
    photo = read_photo(saved(tmp_path, "a.png", Image.merge("LA", [Image.fromarray(pixels[..., 0]), Image.fromarray(pixels[..., 1])])))
    np.testing.assert_allclose(photo.alpha01, pixels[..., 1] / 255, atol=1e-6)


@pytest.mark.parametrize("suffix", ["gif", "png", "webp"])
def test_animation_gives_its_first_frame(tmp_path, suffix):
    frames = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if suffix == "webp" else {}
    photo = read_photo(saved(tmp_path, f"a.{suffix}", frames[0], save_all=True, append_images=frames[1:], **options))
    np.testing.assert_allclose(photo.image_srgb01[20, 20], [1, 0, 0], atol=0.01)


def test_large_pictures_are_reduced_by_area(tmp_path):
    stripes = np.zeros((600, 4096, 3), np.uint8)
    stripes[:, ::2] = 255
    photo = read_photo(saved(tmp_path, "a.png", Image.fromarray(stripes)))
    assert photo.size_px == (2048, 300) and photo.file_size_px == (4096, 600)
    np.testing.assert_allclose(photo.image_srgb01, 0.5, atol=0.005)  # each pixel averages one black and one white


def test_colour_under_transparent_pixels_does_not_bleed(tmp_path):
    picture = np.zeros((600, 4096, 4), np.uint8)
    picture[:, ::2] = (255, 0, 0, 255)
    picture[:, 1::2] = (0, 255, 0, 0)
    photo = read_photo(saved(tmp_path, "a.png", Image.fromarray(picture)))
    np.testing.assert_allclose(photo.image_srgb01[100, 100], [1, 0, 0], atol=1e-4)
    np.testing.assert_allclose(photo.alpha01[100, 100], 0.5, atol=0.005)


def test_missing_file(tmp_path):
    assert "no such file" in sentence(tmp_path / "none.jpg")


def test_text_named_jpg(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_text("this is not a picture\n" * 50)
    assert "not a picture" in sentence(path) and "JPEG or PNG" in sentence(path)


def test_empty_file(tmp_path):
    path = tmp_path / "a.jpg"
    path.touch()
    assert "empty" in sentence(path)


def test_folder_in_place_of_a_file(tmp_path):
    assert "folder" in sentence(tmp_path)


def test_one_pixel(tmp_path):
    assert "1 x 1 pixels are too few" in sentence(saved(tmp_path, "a.png", Image.new("RGB", (1, 1))))


def _header_only_png(path: Path, width: int, height: int) -> Path:
    """A PNG that claims a size and holds next to no data: whoever decodes it before looking at the size runs into trouble."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("size", [(30_000, 30_000), (20_001, 100), (100, 20_001), (13_400, 13_400)])
def test_too_large_is_refused_before_decoding(tmp_path, size):
    text = sentence(_header_only_png(tmp_path / "a.png", *size))
    assert "too large" in text and "178 megapixels" in text


def test_truncated_jpeg(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    path = saved(tmp_path, "a.jpg", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cut short" in sentence(path)


@pytest.mark.parametrize("suffix", ["png", "webp", "gif", "bmp", "tif"])
def test_truncated_files_of_other_kinds(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    path = saved(tmp_path, f"a.{suffix}", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert sentence(path)


def test_a_damaged_exif_block_does_not_stop_a_good_picture(tmp_path, pixels):
    path = saved(tmp_path, "a.jpg", Image.fromarray(pixels), exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff\x01")
    assert read_photo(path).size_px == (WIDTH, HEIGHT)


def test_find_photos(tmp_path, pixels):
    image = Image.fromarray(pixels)
    for name in ("b.jpg", "a.PNG", "a_mask.png", "old_mask.png", ".hidden.jpg"):
        saved(tmp_path, name, image)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "below").mkdir()
    saved(tmp_path / "below", "c.jpg", image)
    assert [path.name for path in find_photos([tmp_path])] == ["a.PNG", "b.jpg", "old_mask.png"]
    once = find_photos([tmp_path / "b.jpg", tmp_path, tmp_path / "none.jpg"])
    assert [path.name for path in once] == ["b.jpg", "a.PNG", "old_mask.png", "none.jpg"]


def test_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UserInputError, match="holds no picture"):
        find_photos([tmp_path])
