"""Surfaces: they are what the window's camera sees, the same in training and at work, and turn into features without leaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from imago.core.car.draw_car import draw_cars
from imago.core.car.prior import shape_prior
from imago.core.car.space import shape_space
from imago.core.dataset.drawn import invented_model
from imago.core.dataset.turntables import solid_of
from imago.core.errors import ShapeError
from imago.core.frames import car_to_px
from imago.core.generator.invent import drawn_shape, solid_of_shape
from imago.core.generator.surface import LAYERS, SURFACE_FEATURES, Solid, mirrored_surfaces, surface_features, surface_maps
from imago.core.generator.window import window_camera
from imago.core.perceive.heads import COORDINATE_REACH, PART_CLASSES

from .made_solid import BOX, box_solid

SIDE = 64
VIEW = np.array([0.7, 0.25, 0.8])


def places_of(maps: np.ndarray) -> np.ndarray:
    """(S, S, 3) metres."""
    return (maps[2:5].transpose(1, 2, 0) / 127.5 - 1) * COORDINATE_REACH * BOX.length_m


def test_a_pixels_place_lies_where_the_windows_camera_sees_that_pixel() -> None:
    maps, camera = surface_maps(box_solid(), VIEW, SIDE), window_camera(VIEW, BOX, SIDE)
    shown = maps[1] > 0
    assert 0.2 < shown.mean() < 0.8
    row, column = np.nonzero(shown)
    found = car_to_px(places_of(maps)[shown], camera)[:, :2]
    assert np.abs(found - np.stack([column + 0.75, row + 0.75], 1)).max() < 0.5  # 8 bits are 2.6 cm of this car


def test_sides_have_their_part_and_slope() -> None:
    """From the left front: the nose, the left side of glass, the roof, each as flat as it is."""
    maps = surface_maps(box_solid(), VIEW, SIDE)
    normal = maps[5:8].transpose(1, 2, 0) / 127.5 - 1
    glass = maps[1] == PART_CLASSES.index("side_window")
    assert glass.any() and np.allclose(normal[glass], [1, 0, 0], atol=0.01)
    body = maps[1] == PART_CLASSES.index("body")
    slopes = np.unique(np.round(normal[body]), axis=0)
    assert {tuple(slope) for slope in slopes} == {(0, -1, 0), (0, 0, 1)}


def test_the_cover_is_the_share_of_a_pixel_that_is_car() -> None:
    fine, coarse = surface_maps(box_solid(), VIEW, 2 * SIDE)[0], surface_maps(box_solid(), VIEW, SIDE)[0]
    assert np.abs(fine.reshape(SIDE, 2, SIDE, 2).mean((1, 3)) - coarse).mean() < 2
    assert set(np.unique(coarse)) <= {0, 64, 128, 191, 255}


def test_the_mirrored_maps_are_those_of_the_mirrored_car_from_the_other_side() -> None:
    solid = box_solid()
    mirrored = replace(solid, triangles_m=solid.triangles_m * np.array([-1, 1, 1], np.float32))
    there = surface_maps(mirrored, VIEW * [-1, 1, 1], SIDE)
    here = mirrored_surfaces(surface_maps(solid, VIEW, SIDE)[None], np.array([True]))[0]
    both = (here[1] == there[1]) & (here[1] > 0)
    assert both.sum() > 0.95 * max((here[1] > 0).sum(), (there[1] > 0).sum())
    apart = np.abs(here[2:, both].astype(int) - there[2:, both]).max(0)
    assert (apart < 6).mean() > 0.97  # the sample beside the middle lies on its other side, at edges on another face
    assert np.array_equal(mirrored_surfaces(here[None], np.array([False]))[0], here)


def test_a_car_looks_the_same_in_training_and_at_work() -> None:
    drawn = draw_cars(1, 5, shape_prior(), shape_space(), 0.5)
    _, subject = invented_model(drawn.measures[0], drawn.coefficients[0], drawn.body_types[0])
    trained, made = solid_of(subject), solid_of_shape(drawn_shape(5, 0.5))
    assert np.allclose(trained.box.low_m, made.box.low_m, atol=1e-4) and np.allclose(trained.box.high_m, made.box.high_m, atol=1e-4)
    one, other = surface_maps(trained, VIEW, SIDE), surface_maps(made, VIEW, SIDE)
    assert (one == other).mean() > 0.999


def test_features_are_empty_where_nothing_is_and_means_at_coarser_sizes() -> None:
    views = np.stack([VIEW, VIEW + [2, 0, 0]])
    surface, told = box_solid().surfaces(views, SIDE), torch.from_numpy(views.astype(np.float32))
    fine, coarse = surface_features(surface, told, SIDE), surface_features(surface, told, SIDE // 4)
    assert fine.shape == (2, SURFACE_FEATURES, SIDE, SIDE) and surface.shape == (2, len(LAYERS), SIDE, SIDE)
    assert not fine[:, 1:].permute(1, 0, 2, 3)[:, surface[:, 1] == 0].any()
    assert torch.allclose(fine.unflatten(3, (-1, 4)).unflatten(2, (-1, 4)).mean((3, 5)), coarse, atol=1e-5)
    assert fine.abs().max() <= 1.6
    with pytest.raises(ValueError, match="give none of 48"):
        surface_features(surface, told, 48)
    with pytest.raises(ShapeError):
        surface_features(surface[:, :-1], told, SIDE)


def test_a_solid_needs_a_class_for_every_triangle() -> None:
    solid = box_solid()
    with pytest.raises(ShapeError):
        Solid(solid.triangles_m, solid.part_class[:-1], solid.box)
