"""The sheet of the body types shows every car whole, with its lamps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imago.core.car.measures import BODY_TYPES
from imago.core.car.prior import shape_prior
from imago.core.car.sheet import CANVAS_PX, PIXELS_PER_METRE, VIEWS_DEG, draw_car, main


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["citycar", "pickup"])
def test_a_car_lies_within_its_canvas_at_scale(kind: str) -> None:
    typical = shape_prior().typical[kind]
    pictures = draw_car(typical, kind)
    assert pictures.shape == (len(VIEWS_DEG), CANVAS_PX[1], CANVAS_PX[0], 4)
    covered = pictures[..., 3] > 0
    assert not covered[:, [0, -1]].any() and not covered[:, :, [0, -1]].any(), "cut off"
    side = np.flatnonzero(covered[VIEWS_DEG.index((90, 4))].any(0))
    assert np.ptp(side) / PIXELS_PER_METRE == pytest.approx(float(typical[0]), rel=0.08)
    from_behind, from_ahead = pictures[VIEWS_DEG.index((180, 6))], pictures[VIEWS_DEG.index((0, 6))]
    red = [int(((p[..., 0] > 0.4) & (p[..., 1] < 0.2)).sum()) for p in (from_behind, from_ahead)]
    assert red[0] > 40 and red[1] == 0, "tail lamps belong to the rear"


@pytest.mark.slow
def test_the_sheet_is_written(tmp_path: Path) -> None:
    assert main([str(tmp_path / "new" / "sheet.png")]) == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["sheet.png"]
    with Image.open(tmp_path / "new" / "sheet.png") as sheet:
        width, height = sheet.size
        drawn = np.asarray(sheet.convert("L")) < 250
    assert (tmp_path / "new" / "sheet.png").stat().st_size < 300_000
    assert height > 60 * len(BODY_TYPES) and width > 120 * len(VIEWS_DEG)
    assert drawn.mean() > 0.3, "cells are mostly empty"
