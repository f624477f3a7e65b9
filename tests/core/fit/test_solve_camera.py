"""The camera that what is told of pixels makes likely: no start makes it worse, and how much they are stretched is found with it."""

from __future__ import annotations

import math

import pytest
import torch

from imago.core.dataset.drawn import invented_model
from imago.core.fit.dense import to_px
from imago.core.fit.pose import AZIMUTH, LOG_SCALE, PAN, Crop
from imago.core.fit.solve_camera import pose_prior, solve_camera, stretch_prior, told_places
from imago.core.perceive.heads import COORDINATE_REACH
from imago.core.types import Perception

from .test_dense import SIZE, camera_at, drawn_car, pose_at, told

CROP = Crop(0, 0, SIZE, (SIZE, SIZE))


def seen_from(azimuth_deg: float) -> tuple[Perception, torch.Tensor, torch.Tensor, torch.Tensor]:
    """What is told, and points of the car (n, 3), pixels (n, 2) and trust (n,) by it."""
    measures, coefficients = drawn_car(6)
    _, subject = invented_model(measures.numpy(), coefficients.numpy(), "sedan")
    perception = told(subject, camera_at(azimuth_deg))[2]
    assert perception.dense is not None
    places, pixels, trust = told_places(perception.dense)
    placed = places.abs().amax(1) < 0.9 * COORDINATE_REACH  # pixels at edges have none
    return perception, places[placed] * subject.length_m, pixels[placed], trust[placed]


def stretched(azimuth_deg: float, across: float, up: float) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Stretch (2,) and its spread (2,) found for places told too wide and too high, and the error of the azimuth, radians.

    What is told of the camera is wrong too, in the way that makes such a car likely."""
    perception, points, pixels, trust = seen_from(azimuth_deg)
    true = pose_at(azimuth_deg)
    first = torch.cat([true, torch.zeros(2)])
    first[AZIMUTH] += 0.05
    pose, spread = pose_prior(first[:7], perception)
    nothing, doubt = stretch_prior({"log_width": (0.0, 0.1), "log_height": (0.0, 0.1)})
    wrong = points * torch.tensor([across, 0.0, up]).exp()
    expected = torch.cat([pose, nothing]), torch.cat([spread, doubt])
    found, sure = solve_camera(first, wrong, pixels, trust, expected, CROP, 60.0, 12)
    return found[7:], sure[7:], float(found[AZIMUTH] - true[AZIMUTH])


@pytest.mark.parametrize("azimuth_deg", [40.0, 140.0, -130.0])
def test_places_told_too_wide_and_too_high_are_found_to_be_with_the_camera(azimuth_deg: float) -> None:
    """Eight numbers are seen from three quarters: six of the camera and the two stretches, though all that is told agrees on a car."""
    for across, up in ((0.15, 0.0), (-0.15, 0.0), (0.0, 0.12), (0.1, -0.1)):
        found, sure, turned = stretched(azimuth_deg, across, up)
        assert found.tolist() == pytest.approx([-across, -up], abs=0.03)
        assert abs(turned) < 0.015 and bool((sure < 0.05).all())


def test_what_the_view_hardly_shows_is_found_less_surely() -> None:
    (across, up), (across_sure, up_sure), _ = stretched(90.0, 0.15, 0.1)
    assert across_sure > 5 * up_sure and -0.15 < across < -0.07, "from the side the width is believed in part"
    assert float(up) == pytest.approx(-0.1, abs=0.02)


def test_a_camera_solved_from_a_hopeless_start_is_no_worse_than_that() -> None:
    perception, points, pixels, trust = seen_from(60.0)

    def missed_px(pose: torch.Tensor) -> float:
        return float((to_px(points.float()[None], pose[None], (SIZE, SIZE))[0] - pixels.float()).norm(dim=1).median())

    for turn, pan, nearer in ((math.pi, 0.0, 0.0), (math.pi / 2, 0.4, 1.0), (-2.0, -0.5, -2.0)):
        first = pose_at(60.0)
        first[AZIMUTH] += turn
        first[PAN] += pan
        first[LOG_SCALE] += nearer
        found, _ = solve_camera(first, points, pixels, trust, pose_prior(first, perception), CROP, 60.0, 12)
        assert bool(torch.isfinite(found).all()) and missed_px(found) <= missed_px(first)
