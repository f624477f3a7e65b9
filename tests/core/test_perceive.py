"""The network that reads photographs: mirror symmetry, windows there and back, weights that do not fit, and the shipped file."""

from __future__ import annotations

import math
import time
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from imago.core import pipeline
from imago.core.errors import UserInputError, WeightsError
from imago.core.fit.starts import body_types
from imago.core.perceive.heads import AZIMUTH_BINS, FIGURES, INPUT_SIZE_PX, PART_CLASSES
from imago.core.perceive.look import Window, cut_window, input_of, put_back, whole_window, window_round
from imago.core.perceive.network import CarNetwork, NetworkSize, Outputs, ResidualBlock, RisingBlock, heat_mean
from imago.core.perceive.perceive import averaged, azimuth_peaks, mirrored, perceive, see, with_body_type
from imago.core.perceive.weights import FILE, KEY, load_network, save_network
from imago.core.types import BODY_TYPES, Matte, Perception, Photo, Settings
from imago.core.weights import FOLDER, write_entry

SMALL = NetworkSize((8, 8, 16, 16, 16), (16, 16, 8, 8), 8, 16, 4)
WIDTH, HEIGHT = INPUT_SIZE_PX


def small_network(seed: int = 0) -> CarNetwork:
    torch.manual_seed(seed)
    return CarNetwork(SMALL).eval()


def random_input(seed: int) -> torch.Tensor:
    return torch.randn(4, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))


def write_weights(folder: Path) -> None:
    save_network(small_network(), folder / FILE)
    write_entry(folder, KEY, FILE, (folder / FILE).read_bytes(), {})


def car_like_picture(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    coarse = np.random.default_rng(1).random((4, 6, 3)).astype(np.float32)
    image, alpha = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.zeros((height, width), np.float32)
    alpha[height // 4 : height // 4 * 3, width // 8 : width // 8 * 5] = 1
    return image, alpha


def test_a_mirrored_picture_gives_exactly_the_mirrored_outputs() -> None:
    network, picture = small_network(), random_input(2)
    straight, turned = averaged(network, picture), averaged(network, picture.flip(-1))
    back = mirrored(turned)
    for field in fields(Outputs):
        assert torch.allclose(getattr(back, field.name), getattr(straight, field.name), atol=2e-5), field.name
    assert not torch.allclose(turned.azimuth_logit, straight.azimuth_logit, atol=1e-3)


def test_mirroring_twice_changes_nothing() -> None:
    with torch.no_grad():
        outputs = small_network()(random_input(3)[None])
    twice = mirrored(mirrored(outputs))
    for field in fields(Outputs):
        assert torch.allclose(getattr(twice, field.name), getattr(outputs, field.name), atol=1e-6), field.name


def test_outputs_have_the_promised_shapes() -> None:
    with torch.no_grad():
        outputs = small_network()(torch.stack([random_input(k) for k in range(2)]))
    half = (HEIGHT // 2, WIDTH // 2)
    assert outputs.matte_logit.shape == (2, 2, HEIGHT, WIDTH) and outputs.part_logit.shape == (2, len(PART_CLASSES), *half)
    assert outputs.coordinates.shape == (2, 3, *half) and outputs.azimuth_logit.shape == (2, AZIMUTH_BINS)
    assert outputs.figure_mean.shape == (2, len(FIGURES)) and outputs.wheel_xy.shape == (2, 4, 2)


def test_a_folded_network_sees_the_same() -> None:
    network = small_network()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as after a training
            module.running_mean.normal_(0, 0.3, generator=torch.Generator().manual_seed(1))
            module.running_var.uniform_(0.3, 2, generator=torch.Generator().manual_seed(2))
    folded = network.folded()
    with torch.no_grad():
        plain, same = network(random_input(4)[None]), folded(random_input(4)[None])
    for field in fields(Outputs):
        assert torch.allclose(getattr(same, field.name), getattr(plain, field.name), rtol=1e-4, atol=1e-5), field.name
    assert sum(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules()) == len(network.finer.norms)


def test_a_rising_block_is_a_residual_block_of_both_inputs_in_one_map() -> None:
    torch.manual_seed(1)
    rising, plain = RisingBlock(5, 3, 4).eval(), ResidualBlock(8, 4).eval()
    plain.load_state_dict(rising.state_dict())
    below, skip = torch.randn(2, 5, 6, 7), torch.randn(2, 3, 12, 14)
    with torch.no_grad():
        wanted = plain(torch.cat([torch.nn.functional.interpolate(below, scale_factor=2.0, mode="nearest"), skip], 1))
        assert torch.allclose(rising(below, skip), wanted, atol=1e-5)
        rising.fold()  # its convolutions have a bias from then on, which must be added once
        assert torch.allclose(rising(below, skip), wanted, atol=1e-5)


def test_a_matte_that_was_just_cut_needs_no_other_look(tmp_path: Path) -> None:
    write_weights(tmp_path)
    image, alpha = car_like_picture(120, 200)
    photo, plain = Photo("made", image), Matte(alpha, "mask file", 1.0)
    window = window_round(plain.box_px)
    beside = Window(window.left_px + 0.02 * window.width_px, window.top_px, window.width_px)
    far = Window(window.left_px + 0.2 * window.width_px, window.top_px, window.width_px)
    near_sight, far_sight = see(image, beside, weights=tmp_path), see(image, far, weights=tmp_path)
    told = [perceive(photo, replace(plain, seen=seen), weights=tmp_path) for seen in (None, near_sight, far_sight)]
    assert told[1].dense is not None and told[1].dense.box_px[0] == beside.left_px  # that look, in its own window
    assert told[2].dense is not None and told[2].dense.box_px[0] == window.left_px == told[0].dense.box_px[0]
    assert np.array_equal(told[2].azimuth_probability, told[0].azimuth_probability)
    afresh = perceive(photo, replace(plain, seen=near_sight), weights=tmp_path, afresh=True)
    assert afresh.dense is not None and afresh.dense.box_px[0] == window.left_px


def test_only_a_draft_is_read_by_the_look_that_cut_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def counted(photo: Photo, matte: Matte, device: object, afresh: bool) -> SimpleNamespace:
        asked.append(afresh)
        return SimpleNamespace(dense=None)

    monkeypatch.setattr(pipeline, "perceive", counted)
    image, alpha = car_like_picture(120, 200)
    for quality in ("draft", "normal", "high"):
        pipeline._perceived(Photo("made", image), Matte(alpha, "mask file", 1.0), Settings(quality=quality))
    assert asked == [False, True, True]


def test_a_known_body_type_outranks_what_is_seen_and_its_outline() -> None:
    estimates = {"log_width": (-0.9, 0.05), "top_07": (0.3, 0.01), "plan_3": (0.2, 0.01)}
    seen = Perception(np.ones(72, np.float32) / 72, 0.1, {"sedan": 0.7, "suv": 0.3}, 1.0, estimates)
    assert body_types(with_body_type(seen, "suv")) == ["suv"] and body_types(with_body_type(seen, "sedan")) == ["sedan"]
    assert with_body_type(seen, "sedan").estimates == estimates
    assert sorted(with_body_type(seen, "suv").estimates) == ["log_width", "plan_3"], "a saloon's outline from the side"


def test_the_mean_of_a_heat_map_is_its_peak() -> None:
    heat = torch.full((1, 1, 20, 28), -30.0)
    heat[0, 0, 7, 19] = 30
    assert torch.allclose(heat_mean(heat)[0, 0], torch.tensor([19.5 / 28, 7.5 / 28]), atol=1e-5)


def test_a_window_goes_out_and_back_to_the_same_places() -> None:
    image = np.zeros((90, 130, 3), np.float32)
    image[40:52, 60:76] = 1
    window = window_round((60, 40, 76, 52), margin=4)
    cut, valid = cut_window(image, window)
    back = put_back(cut[..., 0].astype(np.float32) / 255, window, (130, 90))
    assert (valid == 255).all() and np.abs(back - image[..., 0]).mean() < 0.002
    rows, columns = np.nonzero(back > 0.5)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (40, 52, 60, 76)


def test_beyond_the_border_is_no_picture() -> None:
    image = np.full((50, 50, 3), 0.6, np.float32)
    cut, valid = cut_window(image, whole_window((50, 50)))
    share = (valid > 0).mean()
    assert share == pytest.approx(HEIGHT / WIDTH, abs=0.02) and (cut[valid == 0] == 0).all() and (cut[valid > 0] == 153).all()
    assert whole_window((50, 50)) == Window(25 - 35, 0.0, 70.0)


def test_input_of_forgets_exposure_and_fills_the_border_with_nothing() -> None:
    random = np.random.default_rng(0)
    image = cv2.resize(random.integers(60, 140, (5, 7, 3)).astype(np.uint8), INPUT_SIZE_PX)
    valid = np.full((HEIGHT, WIDTH), 255, np.uint8)
    valid[:, :30] = 0
    usual, bright = input_of(image, valid), input_of((image * 1.5).astype(np.uint8), valid)
    assert np.abs(usual - bright)[:3].max() < 0.05
    assert (usual[:, :, :30] == 0).all() and (usual[3, :, 30:] == 1).all()


def test_empty_matte_is_the_users_to_mend() -> None:
    with pytest.raises(UserInputError, match="empty"):
        perceive(Photo("none", np.zeros((5, 5, 3), np.float32)), Matte(np.zeros((5, 5), np.float32), "test", 1.0))


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
    assert 0 < found.confidence01 <= 1 and 0 < found.car01 < 1
    assert found.dense is not None and found.dense.coordinates.shape == (3, HEIGHT // 2, WIDTH // 2)
    assert len(found.wheels) == 4 and all(wheel.sigma_px > 0 for wheel in found.wheels)
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
    picture = random_input(3)
    kept, read = averaged(small_network(), picture), averaged(load_network(tmp_path), picture)
    assert (kept.azimuth_logit.softmax(1) - read.azimuth_logit.softmax(1)).abs().max() < 1e-2
    assert (kept.coordinates - read.coordinates).abs().max() < 2e-2


def test_shipped_weights_load_are_small_and_quick() -> None:
    network = load_network(FOLDER)
    assert (FOLDER / FILE).stat().st_size <= 15 * 2**20
    averaged(network, random_input(0))
    started = time.perf_counter()
    averaged(network, random_input(0))
    assert time.perf_counter() - started < 5  # 0.1 s on an idle core; the bound only catches a network of another order
