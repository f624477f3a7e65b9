"""Words of nodes and materials, and the geometry that takes nodes of several parts apart."""

from __future__ import annotations

import numpy as np
import pytest

from imago.core.dataset.part_split import corners, high_brake_lights, lamp_panes, pieces_of, split_lamps, split_panes
from imago.core.dataset.part_table import ANY_PANE, CHASSIS_OR_TRIM, LAMPS_OF_BOTH_ENDS, PART_INDEX, PARTS, REAR_PANES, part_named, stem

GLASS, LAMP, CHASSIS = "UCB_Lights_and_Glass_Transperent", "UCB_Lights_and_Glass", "UCB_BOTTOM_LT"


@pytest.mark.parametrize(
    ("node", "material", "part"),
    [
        ("A80_Windshield006_UCB_Lights_and_Glass_Transperent_", GLASS, "windshield"),
        ("A80_Glass_Passanger_UCB_Lights_and_Glass_Transperent_0", GLASS, "side_window"),
        ("A80_Trunkdoor_Glass_UCB_Lights_and_Glass_Transperent_0", GLASS, REAR_PANES),
        ("A80_Body_Glass_UCB_Lights_and_Glass_Transperent_0", GLASS, ANY_PANE),
        ("A80_Headlights_Glass_UCB_Lights_and_Glass_Transperent_0", GLASS, "headlight"),
        ("A80_Headlights_Panels_A80_Bodymat_0", "A80_Bodymat", "body"),
        ("A80_Body_Taillights_glass_UCB_Lights_and_Glass_Transperen", GLASS, "taillight"),
        ("A80_Blinkers_UCB_Lights_and_Glass_0", LAMP, LAMPS_OF_BOTH_ENDS),
        ("A80_Brakelights_UCB_Lights_and_Glass_0.001", LAMP, "taillight"),
        ("A80_bumper_rear_UCB_BOTTOM_LT_0", CHASSIS, "bumper"),  # the node's word wins over the chassis' material
        ("A80_Bottom_UCB_BOTTOM_LT_0", CHASSIS, CHASSIS_OR_TRIM),
        ("A80_Body_A80_Bodymat_0", "A80_Bodymat", "body"),
        ("A80_Steering_Wheel_UCB_Interiors_2_0", "UCB_Interiors_2", "interior"),
        ("A80_Calipers_FL_RB1c_Tire_1k_0", "RB1c_Tire_1k", "underbody"),
        ("A80_WheelStock_FL_RB1c_Tire_1k_0", "RB1c_Tire_1k", "wheel"),
        ("A80_NP_Rear_Numberplates_Misk_U_0", "Numberplates_Misk_U", "plate"),
        ("A80_Taxi_Beacon_UCB_BOTTOM_0", "UCB_BOTTOM", "accessory"),
        ("Glass_Body_Glass_Red_0", "Body_Glass_Red", "taillight"),
        ("suv_cbce9a", "SUV_Wheels", "wheel"),
        ("nothing_known", "unknown", "body"),
    ],
)
def test_part_named(node, material, part):
    assert part_named(node, material) == part


def test_stem_drops_the_material_also_where_the_name_is_cut():
    assert stem("Fairheaven_LT80_Headlights_Glass_UCB_Lights_and_Glass_Transpere", GLASS) == "fairheaven_lt80_headlights_glass"
    assert stem("Roadster00_Body_Roadster00_Body_0", "Roadster00_Body") == "roadster00_body"
    assert stem("wheel_fl", "Tire") == "wheel_fl"


def quad(centre, u, v):
    """Two triangles of a rectangle about a centre."""
    c, u, v = (np.array(value, np.float32) for value in (centre, u, v))
    a, b, d, e = c - u - v, c + u - v, c + u + v, c - u + v
    return np.stack([np.stack([a, b, d]), np.stack([a, d, e])])


def names(index):
    return [PARTS[k] for k in index]


def test_panes_of_one_node_are_told_by_place_and_normal():
    front = quad((0, -0.9, 1.2), (0.6, 0, 0), (0, 0.2, 0.2))
    rear = quad((0, 1.1, 1.2), (0.6, 0, 0), (0, -0.2, 0.2))
    side = quad((0.7, 0.1, 1.2), (0, 0.8, 0), (-0.05, 0, 0.2))
    roof = quad((0, 0.1, 1.4), (0.3, 0, 0), (0, 0.3, 0))
    panes = np.concatenate([front, rear, side, roof])
    assert names(split_panes(panes, behind=False)[::2]) == ["windshield", "rear_window", "side_window", "body"]
    assert names(split_panes(np.concatenate([front, side]), behind=True)[::2]) == ["rear_window", "side_window"]


def test_glass_low_at_the_ends_is_a_lamps():
    lamp, pane = quad((0.6, -1.8, 0.6), (0.1, 0, 0), (0, 0, 0.1)), quad((0, -1.6, 1.2), (0.6, 0, 0), (0, 0.2, 0.2))
    assert lamp_panes(np.concatenate([lamp, pane]), height_m=1.5, wheelbase_m=2.6).tolist() == [True, True, False, False]


def test_lamps_are_told_by_the_end_they_sit_at():
    lamps = np.concatenate([quad((0.6, y, 0.6), (0.1, 0, 0), (0, 0, 0.1)) for y in (-1.8, -0.5, 1.9)])
    assert names(split_lamps(lamps, wheelbase_m=2.6)[::2]) == ["headlight", "body", "taillight"]


def test_a_high_brake_light_is_no_taillight():
    low = [quad((x, 2.0, 0.7), (0.2, 0, 0), (0, 0, 0.1)) for x in (-0.6, 0.6)]
    assert (
        high_brake_lights(np.concatenate([*low, quad((0, 1.9, 1.1), (0.1, 0, 0), (0, 0, 0.02))]), 1.4).tolist() == [False] * 4 + [True] * 2
    )


def test_pieces_are_connected_over_seams():
    near, far = quad((0, 0, 0), (1, 0, 0), (0, 1, 0)), quad((5, 0, 0), (1, 0, 0), (0, 1, 0))
    near[1] += 2e-6
    piece = pieces_of(np.concatenate([near, far]))
    assert piece[0] == piece[1] != piece[2] == piece[3]


def test_corners():
    assert corners(np.array([[1, -1, 0], [-1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)).tolist() == [0, 1, 2, 3]


def test_index_of_parts():
    assert all(PARTS[k] == name for name, k in PART_INDEX.items())
