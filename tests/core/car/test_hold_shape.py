"""Coefficients held to what cars have: a mode that dents the glass is taken back, one that bulges it is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from imago.core.car import outline
from imago.core.car.faults import faults, figures
from imago.core.car.hold_shape import held_shape
from imago.core.car.measure_table import BODY_TYPES, to_array
from imago.core.car.skeleton import skeleton
from imago.core.car.space import ShapeSpace, half_count, vertices_with

MEASURES = to_array(BODY_TYPES["sedan"])[None]


def space_of(parts: tuple[str, ...], step: tuple[float, float, float]) -> ShapeSpace:
    """Two modes: the first moves the inner vertices of some parts, or all where they are no panes; the second nothing."""
    modes = np.zeros((2, half_count(), 3), np.float32)
    for part in parts:
        chosen = outline.part_vertices(part)
        if "wheel" not in part:
            chosen = np.setdiff1d(chosen, outline.rim_and_frame(part)[0])
        kept = skeleton().keep[chosen]
        modes[0, kept[kept < half_count()]] = step
    return ShapeSpace(np.zeros((half_count(), 3), np.float32), modes, {})


@pytest.mark.parametrize(("pane", "inwards"), [("windshield", (0, 0.02, -0.03)), ("side_window_front_left", (-0.03, 0, 0))])
def test_dents_are_taken_back_and_bulges_are_not(pane: str, inwards: tuple[float, float, float]) -> None:
    space = space_of((pane,), inwards)
    wanted = np.array([[1.5, 0.7]], np.float32)
    assert faults(vertices_with(MEASURES, wanted, space), MEASURES)["glass"].all()
    held = held_shape(MEASURES, wanted, space)
    vertices = vertices_with(MEASURES, held, space)
    assert not faults(vertices, MEASURES)["glass"].any() and figures(vertices, MEASURES)["pane_dent_m"][0] > 0.004, "no more than needed"
    assert 0 < held[0, 0] < 1.2 and held[0, 1] == pytest.approx(0.7)
    bulge = np.array([[-0.5, 0.7]], np.float32)
    assert np.allclose(held_shape(MEASURES, bulge, space), bulge)


def test_an_arch_drawn_inwards_comes_out_over_its_tyre() -> None:
    space = space_of(("wheel_arch_front_left", "wheel_arch_rear_left"), (-0.03, 0, 0))
    wanted = np.array([[1.0, 0.4]], np.float32)
    assert faults(vertices_with(MEASURES, wanted, space), MEASURES)["wheels"].all()
    held = held_shape(MEASURES, wanted, space)
    assert not faults(vertices_with(MEASURES, held, space), MEASURES)["wheels"].any()
    assert 0.3 < held[0, 0] < 0.9 and held[0, 1] == pytest.approx(0.4)


def test_a_good_car_stays_as_it_is() -> None:
    space = space_of((), (0, 0, 0))
    assert (held_shape(MEASURES, np.zeros((1, 2), np.float32), space) == 0).all()
    assert held_shape(MEASURES, np.zeros((1, 0), np.float32), ShapeSpace(space.offset_m, space.modes_m[:0], {})).shape == (1, 0)
