"""The fit finds camera and shape again, and its pieces are what they claim: frames, gradients, linearisation."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from imago.core.car.car import vectors, whole, whole_vertices
from imago.core.car.measures import BODY_TYPES, INDEX, NAMES, to_vector
from imago.core.car.prior import shape_prior
from imago.core.car.sheet import face_colors
from imago.core.car.space import shape_space
from imago.core.errors import Cancelled
from imago.core.fit.fit import SOLVED01, FitConfig, Stage, cut, fit
from imago.core.fit.linear_car import linearise
from imago.core.fit.objective import Weights
from imago.core.fit.pose import AZIMUTH, LOG_DISTANCE, POSE_SIZE, Crop, camera_to_car, crop_projection, first_pose, to_camera
from imago.core.fit.residual import ResidualConfig
from imago.core.fit.shapes import Shapes
from imago.core.fit.silhouette import coverage, make_target, silhouette_loss, soft_iou
from imago.core.fit.starts import Start, best_of_each_direction
from imago.core.fit.typical import typical as typical_of
from imago.core.fit.typical import typical_expanded, typical_vertices
from imago.core.frames import azimuth_elevation, car_to_clip, car_to_px, clip_from_camera, focal_px, orbit
from imago.core.render.shade import Skin, render_views
from imago.core.types import Camera, Matte, Perception, Photo, Settings

SIZE = (320, 224)


def peaked(azimuth_rad: float, twin_share: float = 0.0) -> Perception:
    """Certain of an azimuth, but for a share given to its front-rear twin."""
    centres = 2 * np.pi * np.arange(72) / 72
    peak, twin = (np.exp(40 * np.cos(centres - centre)) for centre in (azimuth_rad, np.pi - azimuth_rad))
    probability = (1 - twin_share) * peak + twin_share * twin
    return Perception((probability / probability.sum()).astype(np.float32), math.radians(10), {"sedan": 1.0}, 0.9)


def typical(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Measures (P,) and coefficients (K,) of the typical car of a body type."""
    return typical_of(shape_prior(), kind)


def picture_of(measures: torch.Tensor, coefficients: torch.Tensor, camera: Camera) -> tuple[Photo, Matte]:
    """A shaded drawing of a car and its exact matte."""
    mesh, (width, height) = whole(), camera.image_size_px
    matrix = torch.tensor(camera.camera_to_car, dtype=torch.float32)[None]
    skin = Skin(face_srgb01=face_colors(mesh.part_index, mesh.part_names, "sedan"))
    projection = clip_from_camera(focal_px(camera), width, height)[None]
    drawn = render_views(whole_vertices(measures[None], coefficients[None]), mesh.triangles, matrix, projection, (height, width), skin)[0]
    return Photo("drawn.png", drawn[..., :3].clamp(0, 1).numpy(), None), Matte(drawn[..., 3].clamp(0, 1).numpy(), "truth", 1.0)


def camera_at(azimuth_deg: float, elevation_deg: float = 9.0, lens_mm: float = 50.0) -> Camera:
    matrix = orbit(math.radians(azimuth_deg), math.radians(elevation_deg), 9.5, (0.1, 0.0, 0.65))
    return Camera(SIZE, lens_mm, matrix)


def test_pose_and_crop_agree_with_the_frames() -> None:
    """A point projected by pose and crop lands where Camera and car_to_px put it."""
    pose = torch.tensor([0.7, 0.2, 0.03, math.log(60.0), math.log(8.0), 0.05, -0.04])
    crop = Crop(40.0, -20.0, 260.0, SIZE)
    points = torch.tensor([[0.5, -1.0, 0.4], [-0.8, 2.0, 1.2], [0.0, 0.0, 0.0]])
    clip = car_to_clip(points[None], camera_to_car(pose[None]), crop_projection(pose[None], crop))[0]
    ndc = clip[:, :2] / clip[:, 3:]
    in_crop = torch.stack([(ndc[:, 0] + 1) / 2, (1 - ndc[:, 1]) / 2], 1) * crop.side_px
    expected = car_to_px(points.numpy().astype(np.float64), to_camera(pose, SIZE))
    np.testing.assert_allclose(in_crop.numpy() + [crop.left_px, crop.top_px], expected[:, :2], atol=0.02)


def test_a_camera_is_rigid_and_looks_at_the_car() -> None:
    matrix = camera_to_car(torch.tensor([[2.0, 0.3, 0.0, 4.0, 2.0, 0.0, 0.0]]).double())[0].numpy()
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(matrix[:3, :3], orbit(2.0, 0.3, 5.0, (0, 0, 0))[:3, :3], atol=1e-12)


def test_pose_gradients_against_finite_differences() -> None:
    pose = torch.tensor([[0.7, 0.2, 0.03, 4.0, 2.1, 0.05, -0.04]], dtype=torch.float64, requires_grad=True)
    crop = Crop(0.0, 0.0, 224.0, SIZE)
    point = torch.tensor([[[0.5, -1.0, 0.4]]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda p: car_to_clip(point, camera_to_car(p), crop_projection(p, crop)), (pose,))


def test_first_pose_fills_the_box() -> None:
    vertices = whole_vertices(to_vector(BODY_TYPES["sedan"])[None])[0].numpy()
    box = (60.0, 80.0, 250.0, 170.0)
    for azimuth in np.linspace(0, 2 * np.pi, 9):
        pose = first_pose(float(azimuth), 0.15, 11.0, vertices, box, SIZE)
        px = car_to_px(vertices.astype(np.float64), to_camera(pose, SIZE))[:, :2]
        low, high = px.min(0), px.max(0)
        np.testing.assert_allclose((low + high) / 2, [155, 125], atol=1.5)
        assert min(abs(high[0] - low[0] - 190), abs(high[1] - low[1] - 90)) < 2


def test_linear_car_is_exact_at_its_point_and_close_beside_it() -> None:
    at = torch.stack([to_vector(BODY_TYPES["sedan"]), to_vector(BODY_TYPES["pickup"])])
    bent = torch.stack([typical(kind)[1] for kind in ("sedan", "pickup")])
    car = linearise(at, bent, free=0)
    torch.testing.assert_close(car.vertices(at, bent), whole_vertices(at, bent))
    torch.manual_seed(1)
    for name in ("length", "height", "windshield_run", "roof_width", "wheel_radius"):
        step = torch.zeros_like(at)
        step[:, INDEX[name]] = 0.004
        true = whole_vertices(at + step, bent) - whole_vertices(at, bent)
        error = (car.vertices(at + step, bent) - whole_vertices(at + step, bent)).norm() / true.norm()
        assert float(error) < 0.1, name


def test_linear_car_is_affine_in_the_coefficients_however_far() -> None:
    """Those that may move; others stay where they were, and wheels stand still."""
    pairs = [typical(kind) for kind in ("hatchback", "pickup")]
    at, bent = (torch.stack(column) for column in zip(*pairs, strict=True))
    car = linearise(at, bent, free=12)
    torch.testing.assert_close(car.vertices(at, bent), whole_vertices(at, bent))
    torch.manual_seed(1)
    other = bent.clone()
    other[:, :12] += 2 * torch.randn(2, 12)
    true = whole_vertices(at, other)
    assert float((true - whole_vertices(at, bent)).norm(dim=-1).max()) > 0.03
    torch.testing.assert_close(car.vertices(at, other), true, atol=1e-5, rtol=0)
    beyond = other.clone()
    beyond[:, 12:] += 1
    torch.testing.assert_close(car.vertices(at, beyond), true, atol=1e-5, rtol=0)
    wider = at.clone()
    wider[:, INDEX["width"]] += 0.01  # stretches offset and modes, too
    step = whole_vertices(wider, bent) - whole_vertices(at, bent)
    assert float((car.vertices(wider, bent) - whole_vertices(at, bent) - step).norm() / step.norm()) < 0.05


def test_a_moved_linear_car_is_exact_at_its_new_point_and_as_good_beside_it_as_one_made_there() -> None:
    """Draws of one prior deviation; a car that stays where it was is off by far more."""
    prior, (at, bent) = shape_prior(), (vector[None] for vector in typical("sedan"))
    car = linearise(at, bent, free=12)
    torch.manual_seed(1)
    for _ in range(4):
        there, turned = prior.measures(torch.randn(1, len(prior.factor)), at), bent.clone()
        turned[:, :12] += torch.randn(1, 12)
        beside = there + 0.1 * (prior.measures(torch.randn(1, len(prior.factor)), at) - at)
        moved, anew = car.moved(there, turned), linearise(there, turned, free=12)
        torch.testing.assert_close(moved.vertices(there, turned), whole_vertices(there, turned))
        true = whole_vertices(beside, turned)
        off = [float((one.vertices(beside, turned) - true).norm(dim=-1).mean()) for one in (anew, moved, car)]
        assert off[1] < max(2 * off[0], 1.5e-3) < off[2]


def test_the_typical_cars_are_those_that_a_fit_varies_and_are_made_once() -> None:
    prior = shape_prior()
    for kind in BODY_TYPES:
        measures, coefficients = typical(kind)
        start = Start(torch.zeros(POSE_SIZE), measures, coefficients, kind, 0.0)
        at = Shapes.of(prior, [start]).at(torch.zeros(1, len(measures)), torch.zeros(1, 12))
        assert torch.equal(at[0][0], measures) and torch.equal(at[1][0], coefficients)  # inside the template's limits
        assert torch.equal(typical_vertices(prior, kind), whole_vertices(*at)[0])
        assert typical_vertices(prior, kind) is typical_vertices(prior, kind)
    car = typical_expanded(prior, "sedan", 12)
    assert torch.equal(car.origin[0], typical_vertices(prior, "sedan")) and car is typical_expanded(prior, "sedan", 12)


def test_open_directions_keep_their_best_and_others_must_be_cheap() -> None:
    """Three body types in each of two directions, and of a third that is hardly likely."""

    def rows(second01: float) -> list[Start]:
        return [
            Start(torch.full((POSE_SIZE,), azimuth), torch.zeros(1), torch.zeros(1), kind, math.log(share01))
            for azimuth, share01 in ((0.3, 0.6), (3.4, second01), (2.8, 0.05))
            for kind in ("sedan", "van", "coupe")
        ]

    cost = [0.3, 0.1, 0.2, 0.9, 0.8, 0.7, 0.05, 0.4, 0.5]
    assert best_of_each_direction(rows(0.3), cost, 2) == [1, 2, 5, 4]
    assert best_of_each_direction(rows(0.15), cost, 2) == [6, 1]
    assert best_of_each_direction(rows(0.15), cost, 99) == [6, 1, 2, 0, 7, 8, 5, 4, 3]


def test_cut_keeps_places() -> None:
    layer = np.zeros((60, 90), np.float32)
    layer[20:30, 40:50] = 1
    crop = Crop(30.0, 10.0, 40.0, (90, 60))
    small = cut(layer, crop, 20)
    assert np.argwhere(small > 0.5).mean(0) == pytest.approx([7.0, 7.0], abs=0.3)  # middle (45, 25) -> (7.5, 7.5) in half-pixel terms
    assert cut(np.ones_like(layer), Crop(-20.0, 0.0, 60.0, (90, 60)), 30)[:, :9].max() < 0.5, "beyond the picture is nothing"


def test_silhouette_loss_falls_towards_the_truth_and_pulls_a_shifted_camera_back() -> None:
    vertices, mesh = whole_vertices(to_vector(BODY_TYPES["sedan"])[None]), whole()
    crop = Crop(48.0, 0.0, 224.0, SIZE)
    true = first_pose(0.9, 0.15, 10.0, vertices[0].numpy(), (70.0, 70.0, 250.0, 160.0), SIZE)
    alpha = coverage(vertices, camera_to_car(true[None]), crop_projection(true[None], crop), mesh.triangles, 96)[0].numpy()[::-1]
    target = make_target(np.ascontiguousarray(alpha), np.ones_like(alpha))
    pose = (true + torch.tensor([0.0, 0.0, 0.0, 0.08, 0.0, 0.02, 0.012]))[None].requires_grad_()
    losses = []
    optimiser = torch.optim.Adam([pose], 0.004)
    for _ in range(40):
        drawn = coverage(vertices, camera_to_car(pose), crop_projection(pose, crop), mesh.triangles, 96)
        loss = silhouette_loss(drawn, target).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.25 * losses[0] and float(soft_iou(drawn, target)) > 0.97


QUICK = FitConfig(4, (Stage(4, 64, 40, 40, 1.0), Stage(1, 96, 50, 25, 0.7)), modes=16)


@pytest.mark.parametrize("azimuth_deg", [35.0, 150.0, 265.0])
def test_camera_and_shape_are_found_again(azimuth_deg: float) -> None:
    """A car drawn from the prior, perceived 5 degrees off: outline, direction, proportions come back; wheels stay on the ground."""
    prior = shape_prior()
    torch.manual_seed(3)
    measures = prior.measures(0.7 * torch.randn(1, len(NAMES)), prior.typical["sedan"][None])[0]
    camera = camera_at(azimuth_deg)
    photo, matte = picture_of(measures, typical("sedan")[1], camera)
    stages: list[float] = []
    found = fit(photo, matte, peaked(math.radians(azimuth_deg + 5)), Settings(), lambda _, share: stages.append(share), config=QUICK)
    assert found.mask_iou > 0.95
    error = (azimuth_elevation(found.camera)[0] - azimuth_elevation(camera)[0] + math.pi) % (2 * math.pi) - math.pi
    assert abs(math.degrees(error)) < 6
    assert found.shape.measures["height"] / found.shape.measures["length"] == pytest.approx(
        float(measures[INDEX["height"]] / measures[INDEX["length"]]), rel=0.1
    )
    assert stages == sorted(stages) and stages[0] == 0.0
    assert 0.0 <= found.confidence01 <= 1.0


@pytest.mark.slow
def test_modes_bring_the_fit_closer() -> None:
    """A car of typical measures bent along three modes, seen from three sides: nearer in outline and surface than without modes."""
    measures, coefficients = typical("sedan")
    coefficients = coefficients.clone()
    coefficients[:3] += torch.tensor([3.0, -3.0, 3.0])
    true = whole_vertices(measures[None], coefficients[None])
    known = replace(shape_prior(), factor=0.02 * shape_prior().factor)  # of the measures; of the modes only that they are small
    mean = {}
    for modes in (0, 16):
        config = replace(QUICK, modes=modes, weights=Weights(coefficients=0.0003))
        rows = []
        for azimuth_deg in (40.0, 90.0, 140.0):
            photo, matte = picture_of(measures, coefficients, camera_at(azimuth_deg))
            found = fit(photo, matte, peaked(math.radians(azimuth_deg)), Settings(), lambda *_: None, known, config=config)
            kept = np.array(found.shape.coefficients) - shape_space().typical[found.shape.body_type]
            assert not kept[modes:].any() and kept[:modes].any() == bool(modes)
            with torch.no_grad():
                apart_m = (whole_vertices(*vectors(found.shape)) - true).norm(dim=-1).mean()
            rows.append((float(apart_m), 1 - found.mask_iou))
        mean[modes] = np.mean(rows, 0)
    assert mean[16][0] < 0.93 * mean[0][0] and mean[16][1] < 0.85 * mean[0][1], mean


def test_report_can_stop_the_fit() -> None:
    photo, matte = picture_of(*typical("sedan"), camera_at(40.0))

    def stop(_: str, share: float) -> None:
        if share > 0.02:
            raise Cancelled

    with pytest.raises(Cancelled):
        fit(photo, matte, peaked(math.radians(40.0)), Settings(), stop)


def test_the_residual_is_told_of_and_can_be_stopped() -> None:
    photo, matte = picture_of(*typical("sedan"), camera_at(40.0))
    config, told = replace(QUICK, residual=ResidualConfig(size_px=64, steps=10)), []
    steps = sum(stage.steps for stage in QUICK.stages)

    def stop(_: str, share: float) -> None:
        told.append(share)
        if share > SOLVED01 + (1 - SOLVED01) * (steps + 3.5) / (steps + 10):
            raise Cancelled

    with pytest.raises(Cancelled):
        fit(photo, matte, peaked(math.radians(40.0)), Settings(), stop, config=config)
    assert told == sorted(told) and len(set(told)) >= steps + 5


def test_the_box_of_a_matte_is_in_pixels() -> None:
    alpha = np.zeros((20, 30), np.float32)
    alpha[5:9, 10:22] = 1
    assert Matte(alpha, "test", 1.0).box_px == (10.0, 5.0, 22.0, 9.0)
    assert POSE_SIZE == 7 and AZIMUTH == 0 and LOG_DISTANCE == 4 and cv2.__version__
