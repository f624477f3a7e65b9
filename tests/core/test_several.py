"""Several cars in one picture: which is taken, what is said of the others, and how number and box come from the user."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest

from imago.core.errors import Trouble, UserInputError
from imago.core.matte import make_matte, matte, other
from imago.core.perceive.look import Window
from imago.core.perceive.perceive import Seen
from imago.core.perceive.several import checked_box, choose, describe, weight
from imago.core.types import Matte, Photo, Settings

SIZE_PX = (1000, 600)
LEFT, MIDDLE, RIGHT = (0.0, 250.0, 300.0, 450.0), (350.0, 200.0, 650.0, 400.0), (720.0, 240.0, 1000.0, 440.0)


def refusal(call, *arguments: object) -> str:
    """The sentence of what is refused; it must be one, and offer the help for a car that was not found."""
    with pytest.raises(UserInputError) as caught:
        call(*arguments)
    assert caught.value.trouble is Trouble.NO_CAR
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and "--" not in sentence
    return sentence


def test_of_two_in_the_middle_the_larger_is_taken():
    small, large = (400.0, 250.0, 560.0, 340.0), (380.0, 200.0, 680.0, 400.0)
    assert choose([small, large], SIZE_PX, Settings()) == 1 and choose([large, small], SIZE_PX, Settings()) == 0


def test_a_large_one_at_the_edge_loses_against_a_slightly_smaller_one_in_the_middle():
    at_the_edge = (660.0, 200.0, 1000.0, 420.0)
    assert choose([MIDDLE, at_the_edge], SIZE_PX, Settings()) == 0
    much_larger = (400.0, 0.0, 1000.0, 600.0)
    assert choose([MIDDLE, much_larger], SIZE_PX, Settings()) == 1, "size counts too"


def test_weight_is_the_area_in_the_middle_and_falls_evenly_to_all_sides():
    assert weight((450, 250, 550, 350), SIZE_PX) == pytest.approx(100 * 100)
    left, right, above = (weight(box, SIZE_PX) for box in ((100, 250, 200, 350), (800, 250, 900, 350), (450, 40, 550, 140)))
    assert left == pytest.approx(right) and above == pytest.approx(left), "a share of each side counts alike"
    assert left == pytest.approx(100 * 100 * 2.718281828 ** -((0.35 / 0.35) ** 2))


def test_a_number_counts_from_the_left():
    assert [choose([LEFT, MIDDLE, RIGHT], SIZE_PX, Settings(which=number)) for number in (0, 1, 2, 3)] == [1, 0, 1, 2]


@pytest.mark.parametrize(
    ("boxes", "words"),
    [([LEFT, MIDDLE, RIGHT], "but 3 cars were found"), ([MIDDLE], "but one car was found"), ([], "but no car was found")],
)
def test_a_number_too_large(boxes, words):
    sentence = refusal(choose, boxes, SIZE_PX, Settings(which=len(boxes) + 1))
    assert sentence == f"car {len(boxes) + 1} was asked for, {words}: choose another number, or draw a box."


def test_what_is_said_of_the_others():
    assert describe(3, 1) == "3 cars were found; the second from the left was taken. Choose another by its number or by a box."
    assert "the first from" in describe(2, 0) and "number 21 from the left was" in describe(25, 20)


def test_a_box_of_a_picture_that_was_not_reduced_stays():
    assert checked_box((10, 20, 300, 200), SIZE_PX, SIZE_PX) == (10.0, 20.0, 300.0, 200.0)


def test_a_box_of_a_reduced_picture_is_reduced_with_it():
    assert checked_box((400, 200, 3000, 2000), (2048, 1024), (4096, 2048)) == (200.0, 100.0, 1500.0, 1000.0)


def test_of_a_box_that_reaches_out_the_inside_counts():
    assert checked_box((-50, 500, 300, 2000), SIZE_PX, SIZE_PX) == (0.0, 500.0, 300.0, 600.0)


def test_a_box_without_numbers_is_refused():
    assert "nan" in refusal(checked_box, (float("nan"), 20, 300, 200), SIZE_PX, SIZE_PX)


@pytest.mark.parametrize(
    "box_px",
    [
        (1000, 20, 1300, 200),
        (-300, 20, 0, 200),
        (10, 600, 300, 800),
        (10, -200, 300, 0),
        (10, 20, 10, 200),
        (10, 20, 300, 27),
        (300, 200, 10, 20),
        (-300, 20, 2, 200),
        (10, 597, 300, 900),
    ],
    ids=["right of it", "left of it", "below it", "above it", "no width", "too flat", "corners swapped", "2 px inside", "3 px inside"],
)
def test_a_box_outside_or_empty(box_px):
    sentence = refusal(checked_box, box_px, SIZE_PX, SIZE_PX)
    assert "holds nothing of the picture of 1000 x 600 pixels" in sentence and "give left, top, right and bottom" in sentence
    assert ",".join(map(str, box_px)) in sentence


def test_number_and_box_together():
    assert refusal(lambda: Settings(which=2, box_px=(0, 0, 9, 9))) == "choose a car either by its number or by a box, not by both."


def test_a_box_of_three_numbers():
    assert refusal(lambda: Settings(box_px=(1, 2, 3))).startswith("a box needs four numbers")  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [Settings(), Settings(which=3), Settings(matte="rembg", box_px=(10.5, 20.25, 300.0, 200.0))])
def test_settings_come_back_from_json(settings):
    back = Settings(**json.loads(json.dumps(asdict(settings))))
    assert back == settings and hash(back) == hash(settings), "what is learned of times is kept by settings"


LOOK = Seen(Window(0.0, 0.0, 1.0), {})  # stands for what the network saw when it cut


@pytest.fixture
def cuts(monkeypatch):
    """The boxes that were cut out, of a picture in which the network found three cars."""
    boxes: list[tuple[float, ...]] = []

    def cut(image_srgb01, box_px, device):
        boxes.append(box_px)
        return np.full(image_srgb01.shape[:2], 0.3, np.float32), 0.9, LOOK

    monkeypatch.setattr(matte, "cars_in", lambda image_srgb01, device: ([LEFT, MIDDLE, RIGHT], 0.99))
    monkeypatch.setattr(matte, "cut", cut)
    return boxes


STREET = Photo("street.jpg", np.zeros((600, 1000, 3), np.float32), file_size_px=(2000, 1200))


def test_several_cars_are_told_of(cuts):
    said: list[str] = []
    assert make_matte(STREET, None, Settings(), said.append).source == "automatic cut"
    make_matte(STREET, None, Settings(which=3), said.append)
    make_matte(STREET, None, Settings())  # nobody listens
    assert cuts == [MIDDLE, RIGHT, MIDDLE] and said == [describe(3, 1), describe(3, 2)]


def test_a_box_is_cut_out_without_a_look_for_others(cuts):
    said: list[str] = []
    assert make_matte(STREET, None, Settings(box_px=(200, 100, 800, 700)), said.append).seen is LOOK
    assert cuts == [(100.0, 50.0, 400.0, 350.0)] and not said


def test_rembg_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(other, "find_spec", lambda name: None)
    with pytest.raises(UserInputError, match="^rembg is not installed: install it .*, or choose the cut that comes with Imago.$") as caught:
        make_matte(STREET, None, Settings(matte="rembg"))
    assert caught.value.trouble is Trouble.MASK


def test_an_empty_matte():
    assert "give a mask that covers the car" in refusal(lambda: Matte(np.zeros((6, 10), np.float32), "mask file", 1.0).box_px)
