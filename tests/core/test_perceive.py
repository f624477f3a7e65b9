"""The viewpoint network: mirror symmetry, crops, weights that do not fit, and the shipped file."""

from __future__ import annotations

import math
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from imago.core.errors import UserInputError, WeightsError
from imago.core.perceive.crop import INPUT_PX, cut_square, even_levels, square_of
from imago.core.perceive.network import AZIMUTH_BINS, BODY_TYPES, FIGURES, NetworkSize, ViewpointNetwork
from imago.core.perceive.perceive import averaged_outputs, azimuth_peaks, best_azimuth_rad, look_at, perceive
from imago.core.perceive.weights import FILE, KEY, load_network, save_network
from imago.core.types import Matte, Photo
from imago.core.weights import FOLDER, write_entry

SMALL = NetworkSize((8, 8, 16, 16, 16), 16)


def small_network(seed: int = 0) -> ViewpointNetwork:
    torch.manual_seed(seed)
    return ViewpointNetwork(SMALL).eval()


def write_weights(folder: Path) -> None:
    save_network(small_network(), folder / FILE)
    write_entry(folder, KEY, FILE, (folder / FILE).read_bytes(), {})


def car_like_picture(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    coarse = np.random.default_rng(1).random((4, 6, 3)).astype(np.float32)
    image, alpha = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.zeros((height, width), np.float32)
    alpha[height // 4 : height // 4 * 3, width // 8 : width // 8 * 5] = 1
    return image, alpha


def test_mirrored_picture_gives_exactly_mirrored_probabilities() -> None:
    network, picture = small_network(), torch.randn(4, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(2))
    straight, figures = averaged_outputs(network, picture)
    mirrored, figures_mirrored = averaged_outputs(network, picture.flip(-1))
    assert np.array_equal(mirrored, straight[-np.arange(AZIMUTH_BINS) % AZIMUTH_BINS])
    assert np.array_equal(figures, figures_mirrored)
    assert not np.array_equal(mirrored, straight)
    assert best_azimuth_rad(mirrored) == pytest.approx(-best_azimuth_rad(straight), abs=1e-6)


def test_mirrored_photograph_gives_the_mirrored_crop() -> None:
    image, alpha = car_like_picture(150, 220)
    crop, mirrored = look_at(image, alpha), look_at(image[:, ::-1].copy(), alpha[:, ::-1].copy())
    assert torch.allclose(crop.flip(-1), mirrored, atol=0.02)  # OpenCV rounds sample places to 1/32 px
    assert not torch.allclose(crop, mirrored, atol=0.2)


def test_square_encloses_the_matte_and_the_crop_is_centred_on_it() -> None:
    _, alpha = car_like_picture(150, 220)
    x, y, side = square_of(alpha)
    inside = np.argwhere(alpha > 0.5)
    assert (x - side / 2 <= inside[:, 1].min()) and (x + side / 2 >= inside[:, 1].max() + 1)
    cut = cut_square(alpha, x, y, side, INPUT_PX) > 0.5
    middle = (np.argwhere(cut).min(0) + np.argwhere(cut).max(0)) / 2
    assert np.abs(middle - (INPUT_PX - 1) / 2).max() <= 1


def test_a_large_photograph_is_cut_like_its_reduction() -> None:
    image, alpha = car_like_picture(300, 440)
    layers = np.dstack([image, alpha])
    large = cv2.resize(layers, None, fx=5, fy=5, interpolation=cv2.INTER_LINEAR)
    small_cut, large_cut = (cut_square(a, *square_of(a[..., 3]), INPUT_PX) for a in (layers, large))
    assert np.abs(small_cut - large_cut)[..., :3].max() < 0.05
    assert ((small_cut[..., 3] > 0.5) == (large_cut[..., 3] > 0.5)).mean() > 0.97


def test_even_levels_removes_exposure() -> None:
    image, alpha = car_like_picture(60, 60)
    dark = even_levels(image * 0.8 + 0.05, alpha)
    assert np.abs(dark - even_levels(image, alpha)).max() < 1e-4


def test_empty_matte_is_the_users_to_mend() -> None:
    with pytest.raises(UserInputError, match="empty"):
        square_of(np.zeros((5, 5), np.float32))


def test_peaks_are_apart_and_hold_the_probability() -> None:
    probability = np.zeros(AZIMUTH_BINS)
    probability[[71, 0, 1]], probability[[35, 36, 37]] = (0.1, 0.3, 0.2), (0.1, 0.2, 0.1)
    (first, share), (second, rest) = azimuth_peaks(probability)[:2]
    assert abs(first) < math.radians(2.5) and share == pytest.approx(0.6)
    assert abs(abs(second) - math.pi) < 1e-6 and rest == pytest.approx(0.4)


def test_perceive_on_a_tiny_picture(tmp_path: Path) -> None:
    write_weights(tmp_path)
    image, alpha = car_like_picture(12, 16)
    threads = torch.get_num_threads()
    found = perceive(Photo("tiny", image), Matte(alpha, "test", 1.0), weights=tmp_path)
    assert found.azimuth_probability.shape == (AZIMUTH_BINS,) and found.azimuth_probability.sum() == pytest.approx(1, abs=1e-5)
    assert set(found.body_type_probability) == set(BODY_TYPES) and sum(found.body_type_probability.values()) == pytest.approx(1, abs=1e-5)
    assert set(found.estimates) == set(FIGURES) and all(sigma > 0 for _, sigma in found.estimates.values())
    assert 0 < found.confidence01 <= 1
    assert torch.get_num_threads() == threads


def test_one_changed_byte_is_a_weights_error(tmp_path: Path) -> None:
    write_weights(tmp_path)
    content = bytearray((tmp_path / FILE).read_bytes())
    content[-1] ^= 1
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(WeightsError, match="build.py train perceive"):
        load_network(tmp_path)


@pytest.mark.parametrize("content", [b"", b"not safetensors", (8).to_bytes(8, "little") + b'{"a": 1}'])
def test_a_file_of_another_kind_is_a_weights_error(tmp_path: Path, content: bytes) -> None:
    write_entry(tmp_path, KEY, FILE, content, {})
    with pytest.raises(WeightsError):
        load_network(tmp_path)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=str(tmp_path)):
        load_network(tmp_path)


def test_saved_network_reads_back_within_half_precision(tmp_path: Path) -> None:
    write_weights(tmp_path)
    picture = torch.randn(4, INPUT_PX, INPUT_PX, generator=torch.Generator().manual_seed(3))
    assert np.abs(averaged_outputs(small_network(), picture)[0] - averaged_outputs(load_network(tmp_path), picture)[0]).max() < 1e-2


def test_shipped_weights_load_are_small_and_quick() -> None:
    network = load_network(FOLDER)
    assert (FOLDER / FILE).stat().st_size <= 3 * 2**20
    picture = torch.zeros(4, INPUT_PX, INPUT_PX)
    averaged_outputs(network, picture)
    started = time.perf_counter()
    averaged_outputs(network, picture)
    assert time.perf_counter() - started < 2  # 10 ms on an idle core; the bound only catches a network of another order
