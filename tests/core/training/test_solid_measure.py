"""Solids and skins of boxes, whose overlaps are known."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from imago.core.errors import ShapeError
from imago.core.training import solid_measure
from imago.core.training.solid_measure import compare, measured, surface_points


@pytest.fixture(autouse=True)
def fewer_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solid_measure, "POINTS", 120_000)


def box(width: float, height: float, length: float = 4.0, at: tuple[float, float, float] = (0.3, -0.7, 0.2)) -> np.ndarray:
    """(12, 3, 3) a box whose lowest point, middle and length must not matter."""
    return trimesh.creation.box((width, length, height)).triangles + np.array(at) + [0, 0, height / 2]


def test_box_against_itself():
    found = compare(measured(box(1.9, 1.9), seed=0), measured(box(1.9, 1.9), seed=1))
    assert found["voxel_iou"] > 0.999 and found["fscore"] > 0.999 and found["chamfer_pct"] < 0.4


@pytest.mark.parametrize("share", (0.25, 0.5, 0.75))
def test_lower_box_has_the_volumes_ratio(share: float):
    tall, low = measured(box(1.9, 1.98)), measured(box(1.9, 1.98 * share), seed=1)
    assert compare(low, tall)["voxel_iou"] == pytest.approx(share, abs=0.02)


def test_scale_and_place_do_not_matter():
    small, large = box(1.9, 1.4), 10 * box(1.9, 1.4, at=(5.0, 6.0, 7.0))
    assert compare(measured(large, 1), measured(small))["voxel_iou"] > 0.999


def test_wider_box_loses_the_points_of_its_flanks():
    narrow, wide = box(1.9, 1.4), box(2.1, 1.4)  # flanks 2.5 % of the length further out
    found = compare(measured(wide, 1), measured(narrow))
    share = {}
    for name, across in (("narrow", 1.9), ("wide", 2.1)):
        flanks, all_ = 2 * 4.0 * 1.4, 2 * (4.0 * 1.4 + 4.0 * across + across * 1.4)
        rims = 2 * max(0.0, (across - 1.9) / 2 - 0.04) * 2 * (4.0 + 1.4)  # of the other faces, more than 1 % beside the narrow box
        share[name] = 1 - (flanks + rims) / all_ if name == "wide" else 1 - flanks / all_
    expected = 2 * share["wide"] * share["narrow"] / (share["wide"] + share["narrow"])
    # along its rims a flank's points are near the other box's faces
    assert expected - 0.01 < found["fscore"] < expected + 0.05
    assert found["chamfer_pct"] == pytest.approx(100 * 0.025 * (1 - expected), abs=0.35)


def test_seats_are_no_skin():
    shell, seats = box(1.9, 1.4), box(1.0, 0.5, 2.0, at=(0.3, -0.7, 0.7))
    found = compare(measured(np.concatenate([shell, seats])), measured(shell, 1))
    assert found["fscore"] > 0.999 and found["voxel_iou"] > 0.999
    assert found["chamfer_pct"] < 0.4


def test_points_lie_on_the_triangles_by_area():
    flat = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[5, 0, 0], [8, 0, 0], [5, 1, 0]]], float)
    points = surface_points(flat, 20_000, 3)
    second = points[:, 0] >= 5
    assert second.mean() == pytest.approx(0.75, abs=0.02)
    assert points[~second].sum(1).max() <= 1 + 1e-9 and points.min() >= 0
    assert points[~second].mean(0) == pytest.approx([1 / 3, 1 / 3, 0], abs=0.02)


def test_shape_is_checked():
    with pytest.raises(ShapeError):
        measured(np.zeros((5, 3)))
