"""Faults: good cars have none, and a car spoilt on purpose has exactly the one that was put into it."""

from __future__ import annotations

import numpy as np
import pytest

from imago.core.car import outline
from imago.core.car.back_faces import back_face_shares
from imago.core.car.faults import FAULTS, LIMITS, faults, figures
from imago.core.car.measure_table import BODY_TYPES, INDEX, to_array
from imago.core.car.prior import shape_prior
from imago.core.car.skeleton import body_vertices
from imago.core.errors import ShapeError

TYPES = sorted(BODY_TYPES)


def car(kind: str = "sedan", **changed: float) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (1, V, 3) and measures (1, P)."""
    measures = to_array(BODY_TYPES[kind] | changed)[None]
    return body_vertices(measures), measures


def found(vertices: np.ndarray, measures: np.ndarray) -> set[str]:
    return {name for name, has in faults(vertices, measures).items() if has.all()}


def both_sides(vertices: np.ndarray, chosen: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The vertices with step (V, 3) added to the chosen ones of the left half, and to their mirror images."""
    moved = vertices.copy()
    moved[:, chosen] += step
    moved[:, outline.mirrored()[chosen]] = moved[:, chosen] * np.array([-1, 1, 1], np.float32)
    return moved


def test_body_types_and_typical_cars_have_no_fault() -> None:
    typical = shape_prior().typical
    measures = np.stack([to_array(BODY_TYPES[kind]) for kind in TYPES] + [typical[kind].numpy() for kind in TYPES])
    for name, has in faults(body_vertices(measures), measures).items():
        assert not has.any(), (name, np.flatnonzero(has))


@pytest.mark.parametrize(("track_ratio", "figure"), [(0.98, "tyre_out_m"), (0.66, "tyre_hidden_m")])
def test_a_wheel_out_of_its_arch(track_ratio: float, figure: str) -> None:
    vertices, measures = car()
    measures[:, INDEX["track_ratio"]] = track_ratio
    assert found(vertices, measures) == {"wheels"}
    assert figures(vertices, measures)[figure][0] > 0.03


def test_a_wheel_in_the_metal_and_a_wheel_before_its_arch() -> None:
    vertices, measures = car()
    measures[:, INDEX["wheel_radius"]] += 0.08
    assert figures(vertices, measures)["tyre_cut_m"][0] > 0.05 and found(vertices, measures) == {"wheels"}
    vertices, measures = car()
    measures[:, INDEX["wheelbase"]] += 0.12
    assert figures(vertices, measures)["arch_off_m"][0] == pytest.approx(0.06, abs=1e-3) and found(vertices, measures) == {"wheels"}


@pytest.mark.parametrize("pane", ["windshield", "rear_window", "side_window_front_left"])
def test_a_dented_pane(pane: str) -> None:
    vertices, measures = car()
    inner = np.setdiff1d(outline.part_vertices(pane), outline.rim_and_frame(pane)[0])
    inner = inner[vertices[0, inner, 0] >= 0]
    inwards = {"windshield": [0, 0.03, -0.05], "rear_window": [0, -0.03, -0.05], "side_window_front_left": [-0.06, 0, 0]}[pane]
    dented = both_sides(vertices, inner, np.array(inwards, np.float32))
    assert found(dented, measures) == {"glass"}
    assert figures(dented, measures)["pane_dent_m"][0] > 0.03
    bulged = both_sides(vertices, inner, -0.2 * np.array(inwards, np.float32))
    assert found(bulged, measures) == set(), "glass may bulge"


def test_a_pane_out_of_its_frame() -> None:
    vertices, measures = car()
    whole_pane = outline.part_vertices("side_window_rear_left")
    assert found(both_sides(vertices, whole_pane, np.array([0.03, 0, 0], np.float32)), measures) == {"glass"}
    assert "glass" in found(both_sides(vertices, whole_pane, np.array([0, 0.09, 0], np.float32)), measures)


def test_a_flipped_patch_of_the_hood() -> None:
    vertices, measures = car()
    hood = outline.part_vertices("hood")
    x, y, _ = vertices[0, hood].T
    middle = np.median(y)
    patch = hood[(np.abs(y - middle) < 0.2) & (x >= 0) & (x < 0.4)]
    step = np.zeros((len(patch), 3), np.float32)
    step[:, 1] = 2 * (middle - vertices[0, patch, 1])
    assert found(both_sides(vertices, patch, step), measures) == {"crossing"}


def test_a_body_that_shows_its_inside_everywhere() -> None:
    vertices, _ = car()
    assert back_face_shares(vertices).max() < 1e-3
    inside_out = vertices[:, outline.mirrored()]  # left and right swapped: every face looks inwards
    assert back_face_shares(inside_out).min() > 0.9


def test_lamps_away_from_the_corners() -> None:
    vertices, measures = car()
    lamp = outline.part_vertices("headlight_left", "high_beam_left", "lamp_housing")
    lamp = lamp[(vertices[0, lamp, 0] > 0) & (vertices[0, lamp, 1] < 0)]
    assert "lamps" in found(both_sides(vertices, lamp, np.array([0.1, 1.6, 0], np.float32)), measures), "the lamp is in the door"
    x, y = vertices[0, :, 0], vertices[0, :, 1]
    snout = np.flatnonzero((x >= 0) & (x < 0.35) & (y < y.min() + 0.3))
    assert found(both_sides(vertices, snout, np.array([0, -0.5, 0], np.float32)), measures) == {"lamps"}, "a nose grew between the lamps"


@pytest.mark.parametrize(
    "changed", [{"height": 1.12, "cowl_height": 1.0}, {"clearance": 0.07}, {"windshield_run": 1.2, "cowl_height": 1.2, "cowl_offset": -0.1}]
)
def test_proportions_of_no_car(changed: dict[str, float]) -> None:
    assert found(*car("sedan", **changed)) == {"proportions"}


def test_two_unlike_halves() -> None:
    vertices, measures = car()
    vertices[0, outline.part_vertices("door_front_right")[5], 0] -= 0.004
    assert found(vertices, measures) == {"symmetry"}


def test_what_is_not_a_number_is_a_fault() -> None:
    vertices, measures = car()
    vertices[0, outline.part_vertices("roof")[0]] = np.nan
    assert {"symmetry", "proportions"} <= found(vertices, measures)


def test_limits_name_their_faults_and_shapes_are_checked() -> None:
    assert {limit.fault for limit in LIMITS} == set(FAULTS) and all(limit.low < limit.high for limit in LIMITS)
    assert len({limit.figure for limit in LIMITS}) == len(LIMITS)
    vertices, measures = car()
    with pytest.raises(ShapeError):
        faults(vertices[:, :-1], measures)
    with pytest.raises(ShapeError):
        faults(vertices, measures[:, :-1])
