"""From what is told of each pixel to camera and shape: told truly, the car is found in closed form; its terms have the right gradients."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from imago.core.car.car import whole_vertices
from imago.core.car.measures import INDEX, NAMES
from imago.core.car.prior import shape_prior
from imago.core.car.space import shape_space
from imago.core.dataset.drawn import invented_model
from imago.core.dataset.label_maps import label_maps
from imago.core.dataset.pictures import wheel_boxes_px
from imago.core.dataset.subject import Subject
from imago.core.fit.dense import Lookup, dense_costs, face_classes, to_px, visible_faces, wheel_cost
from imago.core.fit.fit import QUALITIES, Stage, fit
from imago.core.fit.objective import Weights
from imago.core.fit.pose import AZIMUTH, Crop
from imago.core.fit.residual import LOWER_EDGE, freedom_of, half_laplacian, half_of_whole
from imago.core.fit.solve import outer_hubs, told_places
from imago.core.frames import azimuth_elevation, orbit
from imago.core.perceive.heads import COORDINATE_REACH, PART_CLASSES
from imago.core.perceive.perceive import WHEEL_NAMES
from imago.core.types import BODY_TYPES, Dense, Matte, Perception, Photo, Settings, WheelSight

SIZE, FOCAL = 224, 300.0


def drawn_car(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Measures (P,) and coefficients (K,) of a car of the prior."""
    prior, random = shape_prior(), torch.Generator().manual_seed(seed)
    measures = prior.measures(0.7 * torch.randn(1, len(NAMES), generator=random), prior.typical["sedan"][None])[0]
    return measures, torch.from_numpy(shape_space().typical["sedan"])


def camera_at(azimuth_deg: float) -> np.ndarray:
    return orbit(math.radians(azimuth_deg), math.radians(11), 7.5, (0.1, -0.1, 0.65))


def told(subject: Subject, camera: np.ndarray, twin_share: float = 0.0) -> tuple[Photo, Matte, Perception]:
    """A photograph's matte and a perception that tells the truth of each pixel; its direction may be in doubt with its front-rear twin."""
    maps = label_maps(subject, camera, FOCAL, SIZE)
    places = (maps.coordinates.astype(np.float32) / 255 - 0.5) * 2 * COORDINATE_REACH
    share = np.full((len(PART_CLASSES), SIZE, SIZE), 0.01, np.float32)
    for number in range(len(PART_CLASSES)):
        share[number][maps.part == number] = 0.9
    alpha = maps.alpha.astype(np.float32) / 255
    dense = Dense((0, 0, SIZE, SIZE), alpha, share, places.transpose(2, 0, 1), np.full((SIZE, SIZE), 0.01, np.float32))
    boxes = wheel_boxes_px(subject, camera, FOCAL, SIZE)
    wheels = tuple(WheelSight(n, (b[0], b[1]), (b[2], b[3]), 1.0, float(b[4])) for n, b in zip(WHEEL_NAMES, boxes.tolist(), strict=True))
    x, y, z = camera[:3, 3] - (0, 0, 0.7)
    azimuth, centres = math.atan2(x, -y), 2 * np.pi * np.arange(72) / 72
    peak, twin = (np.exp(60 * (np.cos(centres - centre) - 1)) for centre in (azimuth, np.pi - azimuth))
    probability = (1 - twin_share) * peak + twin_share * twin
    figures = subject.figures() | {
        "elevation_rad": math.atan2(z, math.hypot(x, y)),
        "log_distance_lengths": math.log(math.hypot(x, y, z) / subject.length_m),
    }
    estimates = {name: (value, 0.05 if name in ("elevation_rad", "log_distance_lengths") else 0.01) for name, value in figures.items()}
    body = {name: 0.93 if name == "sedan" else 0.01 for name in BODY_TYPES}
    perception = Perception(
        (probability / probability.sum()).astype(np.float32),
        estimates["elevation_rad"][0],
        body,
        0.9,
        estimates,
        wheels=wheels,
        dense=dense,
    )
    return Photo("drawn", np.zeros((SIZE, SIZE, 3), np.float32)), Matte(alpha, "truth", 1.0), perception


def direction_error_deg(found: float, truth_deg: float) -> float:
    return abs(math.degrees(math.remainder(found - math.radians(truth_deg), 2 * math.pi)))


@pytest.mark.parametrize("azimuth_deg", [25.0, 120.0, 215.0])
def test_a_draft_is_found_in_closed_form(azimuth_deg: float) -> None:
    measures, coefficients = drawn_car(3)
    _, subject = invented_model(measures.numpy(), coefficients.numpy(), "sedan")
    photo, matte, perception = told(subject, camera_at(azimuth_deg))
    found = fit(photo, matte, perception, Settings(quality="draft"), lambda *_: None)
    assert direction_error_deg(azimuth_elevation(found.camera)[0], azimuth_deg) < 2
    assert found.mask_iou > 0.93
    for name in ("height", "width", "wheelbase"):
        wanted = float(measures[INDEX[name]] / measures[INDEX["length"]])
        assert found.shape.measures[name] / found.shape.measures["length"] == pytest.approx(wanted, rel=0.05), name


def test_pixels_tell_nose_from_tail_where_the_direction_is_in_doubt() -> None:
    measures, coefficients = drawn_car(4)
    _, subject = invented_model(measures.numpy(), coefficients.numpy(), "sedan")
    for azimuth_deg in (30.0, 145.0):
        photo, matte, perception = told(subject, camera_at(azimuth_deg), twin_share=0.6)
        found = fit(photo, matte, perception, Settings(quality="draft"), lambda *_: None)
        assert direction_error_deg(azimuth_elevation(found.camera)[0], azimuth_deg) < 4


@pytest.mark.slow
def test_the_descent_improves_on_the_draft_and_the_residual_on_the_descent() -> None:
    measures, coefficients = drawn_car(5)
    bent = coefficients.clone()
    bent[:6] += torch.tensor([2.6, -2.6, 2.6, -2.0, 2.0, -1.3])
    _, subject = invented_model(measures.numpy(), bent.numpy(), "sedan")
    photo, matte, perception = told(subject, camera_at(40.0))
    normal = QUALITIES["normal"]
    longer = replace(normal, residual=QUALITIES["high"].residual)
    runs = {"draft": QUALITIES["draft"], "descent": replace(normal, residual=None), "normal": normal, "longer": longer}
    ious = {name: fit(photo, matte, perception, Settings(), lambda *_: None, config=config).mask_iou for name, config in runs.items()}
    assert ious["descent"] > ious["draft"] and ious["longer"] > ious["normal"] > ious["descent"] > 0.96, ious


@pytest.mark.parametrize("quality", ["draft", "normal"])
def test_places_that_contradict_one_another_are_not_believed(quality: str) -> None:
    """A tail half taken for a nose: every pixel is told a place between its own and the one at the other end."""
    _, subject = invented_model(*(vector.numpy() for vector in drawn_car(3)), "sedan")
    photo, matte, perception = told(subject, camera_at(160.0), twin_share=0.4)
    mixed = perception.dense.coordinates * np.array([1, -0.1, 1], np.float32)[:, None, None]
    misled = replace(perception, dense=replace(perception.dense, coordinates=mixed), wheels=())
    found = fit(photo, matte, misled, Settings(quality=quality), lambda *_: None)
    azimuth = azimuth_elevation(found.camera)[0]
    assert found.mask_iou > 0.93 and direction_error_deg(azimuth, 160.0) < 12


def truth_lookup() -> tuple[torch.Tensor, torch.Tensor, Lookup, Perception, Crop]:
    measures, coefficients = drawn_car(6)
    _, subject = invented_model(measures.numpy(), coefficients.numpy(), "sedan")
    _, _, perception = told(subject, camera_at(60.0))
    lookup = Lookup.of(perception)
    assert lookup is not None
    return measures, whole_vertices(measures[None], coefficients[None]), lookup, perception, Crop(0, 0, SIZE, (SIZE, SIZE))


def pose_at(azimuth_deg: float) -> torch.Tensor:
    """The pose of camera_at(azimuth_deg), found by descent on its matrix."""
    from imago.core.fit.pose import camera_to_car

    wanted = torch.from_numpy(camera_at(azimuth_deg)).float()
    pose = torch.tensor(
        [math.radians(azimuth_deg), math.radians(11), 0.0, math.log(FOCAL / 7.5), math.log(7.5), 0.0, 0.0], requires_grad=True
    )
    optimiser = torch.optim.LBFGS([pose], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-14)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = (camera_to_car(pose[None])[0] - wanted).square().sum() + (pose[3] + pose[4] - math.log(FOCAL)).square()
        loss.backward()
        return loss

    optimiser.step(closure)
    return pose.detach()


def test_the_true_car_costs_least_and_gradients_are_those_of_finite_differences() -> None:
    measures, vertices, _, perception, crop = truth_lookup()
    assert perception.dense is not None
    everywhere = replace(
        perception.dense, matte01=np.ones_like(perception.dense.matte01)
    )  # trust, which is held fixed, is the same everywhere
    single = Lookup.of(replace(perception, dense=everywhere))
    assert single is not None
    lookup = replace(single, maps=single.maps.double(), hubs_px=single.hubs_px.double(), hub_trust=single.hub_trust.double())
    pose, classes = pose_at(60.0)[None], face_classes("sedan")[None]
    visible = visible_faces(vertices, pose, crop)
    measures, vertices, pose = measures.double(), vertices.double(), pose.double()  # steps so small that none crosses a cell's border
    length = measures[None, INDEX["length"]]

    def cost(offset_m: torch.Tensor) -> torch.Tensor:
        moved = vertices + offset_m
        places, parts = dense_costs(moved, pose, length, classes, visible, lookup, (SIZE, SIZE), torch.zeros(1, 2))
        return places[0] + 0.01 * parts[0] + 0.001 * wheel_cost(outer_hubs(measures[None], moved), pose, lookup, (SIZE, SIZE))[0]

    axes = torch.eye(3, dtype=torch.float64)
    at_truth = float(cost(torch.zeros(3, dtype=torch.float64)))
    for axis in range(3):
        for sign in (-1, 1):
            assert float(cost(sign * 0.06 * axes[axis])) > at_truth
    place = torch.tensor([0.03, -0.02, 0.04], dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(cost(place), place)
    for axis in range(3):
        step = 1e-7 * axes[axis]
        numeric = float(cost(place.detach() + step) - cost(place.detach() - step)) / 2e-7
        assert float(slope[axis]) == pytest.approx(numeric, rel=1e-3, abs=1e-6)


def told_too_wide(perception: Perception, times: float) -> Perception:
    """The same perception of a car that is taken for so much wider for its length."""
    assert perception.dense is not None
    wider = perception.dense.coordinates * np.array([times, 1, 1], np.float32)[:, None, None]
    width, sigma = perception.estimates["log_width"]
    estimates = perception.estimates | {"log_width": (width + math.log(times), 5 * sigma)}
    return replace(perception, dense=replace(perception.dense, coordinates=wider), estimates=estimates)


def test_places_told_on_too_wide_a_car_cost_nothing_where_they_are_stretched_back() -> None:
    measures, vertices, _, perception, crop = truth_lookup()
    pose, classes = pose_at(60.0)[None], face_classes("sedan")[None]
    visible, length = visible_faces(vertices, pose, crop), measures[None, INDEX["length"]]

    def places(seen: Perception, across: float) -> float:
        lookup = Lookup.of(seen)
        assert lookup is not None
        stretch = torch.tensor([[across, 0.0]])
        return float(dense_costs(vertices, pose, length, classes, visible, lookup, (SIZE, SIZE), stretch)[0])

    wide = told_too_wide(perception, 1.15)
    assert places(wide, -math.log(1.15)) == pytest.approx(places(perception, 0.0), rel=0.05)
    assert places(wide, 0.0) > 2 * places(perception, 0.0)


@pytest.mark.slow
def test_a_car_told_too_wide_comes_out_nearer_to_its_own_width() -> None:
    """The outline contradicts the told places; where these may be stretched together, it is heard."""
    measures, coefficients = drawn_car(3)
    _, subject = invented_model(measures.numpy(), coefficients.numpy(), "sedan")
    photo, matte, perception = told(subject, camera_at(40.0))
    wanted, errors = float(measures[INDEX["width"]] / measures[INDEX["length"]]), {}
    for spread in (1e-3, Weights().stretch_spread):
        config = replace(QUALITIES["normal"], stages=(Stage(1, 96, 400, 20, 0.6),), weights=replace(Weights(), stretch_spread=spread))
        found = fit(photo, matte, told_too_wide(perception, 1.15), Settings(), lambda *_: None, config=config).shape.measures
        errors[spread] = found["width"] / found["length"] / wanted - 1
    assert abs(errors[Weights().stretch_spread]) < 0.85 * errors[1e-3], errors


def test_told_places_project_onto_their_pixels() -> None:
    measures, vertices, _, perception, crop = truth_lookup()
    assert perception.dense is not None
    places, pixels, trust = told_places(perception.dense)
    length = float(vertices[0, :, 1].max() - vertices[0, :, 1].min())
    apart = (to_px(places.float()[None] * length, pose_at(60.0)[None], crop.photo_size_px)[0] - pixels.float()).norm(dim=1)
    assert len(places) > 200 and float(apart.median()) < 1.0 and (trust > 0).all()
    assert float(pose_at(60.0)[AZIMUTH]) == pytest.approx(math.radians(60), abs=0.05)


def test_the_residual_keeps_the_middle_there_and_the_lower_edge_at_its_height() -> None:
    measures, coefficients = drawn_car(1)
    car, half = whole_vertices(measures[None], coefficients[None])[0], half_of_whole()
    body, across_along_up = car[: len(half)], freedom_of(car)[half]
    middle, height = body[:, 0].abs() < 1e-6, body[:, 2] / body[:, 2].max()
    assert not across_along_up[middle, 0].any() and (across_along_up[~middle, 0] == 1).all() and (across_along_up[:, 1] == 1).all()
    low, high = height < LOWER_EDGE[0], height > LOWER_EDGE[1] + 0.01
    assert low.sum() > 100 and not across_along_up[low, 2].any() and high.sum() > 100 and (across_along_up[high, 2] == 1).all()


def test_a_smooth_offset_bends_nothing_and_every_vertex_has_its_half() -> None:
    laplacian = half_laplacian()
    assert torch.sparse.mm(laplacian, torch.ones(laplacian.shape[1], 3)).abs().max() < 1e-5
    half = half_of_whole()
    measures, coefficients = drawn_car(1)
    body = whole_vertices(measures[None], coefficients[None])[0, : len(half)]
    for number in (10, 500, len(half) - 1):
        twins = body[half == half[number]]
        assert torch.allclose(twins[:, 1:], twins[:1, 1:].expand(len(twins), -1), atol=1e-5)
