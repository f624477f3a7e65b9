"""An invented car through the whole pipeline, of a tiny generator: nothing of it is guessed again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imago.core import pipeline
from imago.core.generator.invent import invent
from imago.core.generator.weights import CarGenerator
from imago.core.invert import unseen
from imago.core.types import Settings


@pytest.mark.slow
def test_an_invented_car_is_made_of_the_very_shape_that_was_drawn(
    parts: CarGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (pipeline, unseen):
        monkeypatch.setattr(module, "loaded", lambda: parts)
    paint = (0.7, 0.1, 0.2)
    settings = Settings(quality="draft", invented=True, unseen="generator", seed=5, invented_paint_srgb01=paint)
    stages: list[str] = []
    car = pipeline.photo_to_car(tmp_path / "made.png", None, settings, lambda stage, share01: stages.append(stage))
    made = invent(parts, settings)
    assert car.measures == made.shape.measures and car.coefficients == made.shape.coefficients and car.body_type == made.shape.body_type
    assert np.array_equal(car.camera.camera_to_car, made.camera.camera_to_car) and car.quality["mask_iou"] == 1.0
    assert car.texture.paint_srgb01 == pytest.approx(paint)
    assert not {"perceive", "fit"} & set(stages) and (tmp_path / "made.png").is_file()
    assert car.views_srgb01 is not None and car.views_srgb01.shape[2] == 4
