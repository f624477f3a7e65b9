"""`train paint`: what it learns, and the command on a handful of pictures."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import cv2
import numpy as np
import pytest

from imago.core.errors import UserInputError
from imago.core.matte.matte import make_matte
from imago.core.paint import own_colour as own_colour_module
from imago.core.paint.colour import oklab_from_srgb, srgb_from_linear
from imago.core.paint.own_colour import CUES, KEY, MOST_MOVED, own_colour, paint_cues
from imago.core.perceive.perceive import perceive
from imago.core.photo.photo import read_photo
from imago.core.training import train_paint
from imago.core.training.train_paint import Examples, learn, left_out_scores, main
from imago.core.types import Photo

from .made_cars import box_car, write_car

EXAMPLE = Path(__file__).parents[2] / "data" / "example.jpg"


OWN, WHEELS = slice(0, 7), slice(8, 11)  # cues


def lit_paints(count: int, random: np.random.Generator) -> Examples:
    """Paints (OKLab) under light that brightens paint and tyres alike: the commonest colour is misled by it, the tyres tell it."""
    paint = np.stack([random.uniform(0.25, 0.9, count), *random.normal(0, 0.02, (2, count))], 1)
    light = random.normal(0, 0.06, (count, 1))
    cues = random.normal(size=(count, CUES))
    cues[:, OWN], cues[:, WHEELS] = paint[:, :1] + light, 0.2 + light
    seen = paint * (cues[:, :1] / paint[:, :1])
    cues[:, 1:][random.random((count, CUES - 1)) < 0.02] = np.nan
    return Examples(cues, seen, paint, np.array([f"car_{k % 12}" for k in range(count)]))


def test_the_light_that_the_tyres_tell_is_taken_out():
    """On paints of cars that it has not seen the estimate errs by less than a third of what the light does."""
    random = np.random.default_rng(5)
    model, fresh = learn(lit_paints(600, random)), lit_paints(300, random)
    error = np.abs(model(fresh.cues) - fresh.paint_oklab[:, 0]).mean()
    assert error < np.abs(fresh.cues[:, 0] - fresh.paint_oklab[:, 0]).mean() / 3
    scores = left_out_scores(lit_paints(600, random))
    assert scores["left_out_error"] < scores["commonest_colour_error"] / 2.5


def test_rare_white_cars_are_drawn_less_to_the_usual_dark_ones(monkeypatch):
    """One car in thirty is white, and the light so doubtful that much of the guess is the usual paint.  That rare paints weigh more takes a
    quarter of the error off them, and of white and dark cars in equal number it leaves less."""
    random = np.random.default_rng(7)
    dark, white = lit_paints(580, random), lit_paints(20, random)
    for some, lightness in ((dark, 0.3), (white, 0.92)):
        move = lightness - some.paint_oklab[:, :1]
        some.paint_oklab[:, :1] += move
        some.cues[:, OWN] += move + random.normal(0, 0.25, (len(move), 1))
        some.cues[:, WHEELS] = 0
    names = [field.name for field in fields(Examples)]
    both = Examples(*(np.concatenate([getattr(dark, name), getattr(white, name)]) for name in names))

    def errors() -> tuple[float, float]:
        apart = np.abs(learn(both)(both.cues) - both.paint_oklab[:, 0])
        return float(apart[:580].mean()), float(apart[580:].mean())

    monkeypatch.setattr(own_colour_module, "MOST_MOVED", 1.0)
    of_dark, of_white = errors()
    monkeypatch.setattr(train_paint, "MOST_WEIGHT", 1.0)
    alike_dark, alike_white = errors()
    assert of_white < alike_white * 3 / 4
    assert of_dark + of_white < alike_dark + alike_white


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Two cars, each photographed twice: the example at two sizes, as it is and mirrored; its paint is said to be red and white."""
    folder = tmp_path_factory.mktemp("paint")
    write_car(folder / "cars", "sedan", box_car(), name="one")
    write_car(folder / "cars", "sedan", box_car(), name="two")
    picture = cv2.resize(cv2.imread(str(EXAMPLE)), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    for name, paint in (("one", [0.5, 0.02, 0.02]), ("two", [0.8, 0.8, 0.8])):
        there = folder / "photographs" / name
        there.mkdir(parents=True)
        cv2.imwrite(str(there / "00000.png"), picture)
        cv2.imwrite(str(there / "00001.png"), picture[:, ::-1])
        lines = [json.dumps({"file": f"0000{k}.png", "paint": paint}) for k in range(2)]
        (there / "shots.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_the_command_writes_what_the_product_reads(album, capsys):
    """A file with its manifest entry; read back, the told colour of such a picture lies between the two paints that it was shown with."""
    weights = album / "weights"
    assert main([str(album / "cars"), str(album / "photographs"), "--weights", str(weights)]) == 0
    entry = json.loads((weights / "manifest.json").read_text())[KEY]
    assert entry["data"].startswith("4 photographs by Cycles of 2 training cars")
    said = capsys.readouterr().out
    assert "2 of 2 cars read; two: 2 pictures" in said
    assert json.loads(said[said.index("{") :])["scores"] == entry["scores"] and set(entry["scores"]) == {
        "left_out_error", "left_out_error_even", "commonest_colour_error", "commonest_colour_error_even"
    }  # fmt: skip
    photo = read_photo(EXAMPLE)
    small = Photo("", cv2.resize(photo.image_srgb01, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    dense = perceive(small, make_matte(small)).dense
    assert paint_cues(small.image_srgb01, dense) is not None
    told = float(oklab_from_srgb(np.array(own_colour(small.image_srgb01, dense, weights)))[0])
    red, white = oklab_from_srgb(srgb_from_linear(np.array([[0.5, 0.02, 0.02], [0.8, 0.8, 0.8]])))[:, 0]
    commonest = paint_cues(small.image_srgb01, dense)[0][0]
    assert told == pytest.approx(np.clip((red + white) / 2, commonest - MOST_MOVED, commonest + MOST_MOVED), abs=0.03)


def test_a_folder_without_photographs_is_refused(album, tmp_path):
    with pytest.raises(UserInputError, match="hold no photographs of the training cars"):
        main([str(album / "cars"), str(tmp_path), "--weights", str(tmp_path / "weights")])
    assert not (tmp_path / "weights").exists()
