"""The rays' features: they are those of the window's camera, and enter the box where it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from imago.core.frames import focal_px
from imago.core.generator.rays import BOX_HALF, RAY_FEATURES, ray_features
from imago.core.generator.window import CarBox, window_camera

SIDE, LENGTH_M = 32, 4.0
HALF = np.array(BOX_HALF)


@pytest.mark.parametrize("view", [(0.7, 0.3, 0.9), (-2.5, 0.02, 0.5), (3.1, 0.6, 1.4)])
def test_a_ray_enters_where_the_windows_camera_looks(view: tuple[float, float, float]) -> None:
    camera = window_camera(np.array(view), CarBox(-HALF * LENGTH_M, HALF * LENGTH_M), SIDE)
    features = ray_features(torch.tensor([view]), SIDE)[0].numpy()
    assert features.shape == (RAY_FEATURES, SIDE, SIDE)
    eye, focal = camera.camera_to_car[:3, 3] / LENGTH_M, focal_px(camera)
    seen = 0
    for row, column in ((16, 16), (18, 11), (14, 22)):
        direction = camera.camera_to_car[:3, :3] @ [(column + 0.5 - SIDE / 2) / focal, -(row + 0.5 - SIDE / 2) / focal, -1]
        reach = np.sort(np.stack([(-HALF - eye) / direction, (HALF - eye) / direction]), 0)
        near, far = reach[0].max(), reach[1].min()
        if near < far:
            seen += 1
            assert np.allclose(features[:3, row, column] / 2, eye + near * direction, atol=1e-4)
            assert np.allclose(features[3:6, row, column] / 2, eye + far * direction, atol=1e-4)
            assert features[6, row, column] / 2 == pytest.approx((far - near) * np.linalg.norm(direction), abs=1e-4)
    assert seen >= 2


def test_the_mirrored_view_has_the_mirrored_places() -> None:
    one, other = ray_features(torch.tensor([[0.8, 0.2, 0.9], [-0.8, 0.2, 0.9]]), SIDE)
    mirror = torch.tensor([-1.0, 1, 1])[:, None, None]
    assert torch.allclose(one[:3], other[:3].flip(-1) * mirror, atol=1e-5)


def test_features_stay_small_all_round() -> None:
    views = torch.tensor([[angle, 0.1, 0.6] for angle in np.linspace(-math.pi, math.pi, 9)], dtype=torch.float32)
    features = ray_features(views, 16)
    assert features.isfinite().all() and features.abs().max() < 4
