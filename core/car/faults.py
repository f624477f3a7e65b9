"""What makes a car impossible: does its body cross itself, do wheels, panes and lamps sit where they belong, has it proportions?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import check_shape
from .back_faces import back_face_shares
from .figures import Figures, fold_figures, lamp_figures, pane_figures, proportion_figures, symmetry_figures, wheel_figures
from .measure_table import NAMES
from .template import template

FAULTS = ("crossing", "wheels", "glass", "lamps", "proportions", "symmetry")
BATCH = 16  # cars drawn at once; more takes memory and no less time


@dataclass(frozen=True)
class Limit:
    """A figure outside low ... high is the fault."""

    figure: str
    fault: str
    low: float
    high: float


_NONE = float("inf")
# R48: UN Regulation 48, where lamps may be.  Table: 0.1 and 99.9 per cent of 7,000 cars in data/dimensions, a little wider for microcars.
LIMITS = (
    Limit("back_share", "crossing", 0, 5e-4),  # mean over the views, as soundness.FOLDED_SHARE: a hand's breadth squared
    Limit("back_share_worst", "crossing", 0, 2.5e-3),  # in one view: some 20 pixels, an eye finds that
    Limit("folded_share", "crossing", 0, 1.5e-3),  # what the finest rims of good cars have, three times
    Limit("tyre_out_m", "wheels", -_NONE, 0.010),  # tyres bulge a few millimetres over their tread; more is against Regulation 1009/2010
    Limit("tyre_hidden_m", "wheels", -_NONE, 0.12),  # deeper under the flank it looks like another car's wheel
    Limit("tyre_cut_m", "wheels", -_NONE, 0.005),  # metal in the rubber, but for the roundness of 40 segments
    Limit("arch_gap_m", "wheels", 0.0, 0.16),  # lifted off-roaders have some 15 cm: beyond it the wheel floats
    Limit("arch_off_m", "wheels", 0.0, 0.05),  # further from its arch's middle a wheel seems to fall out of it
    Limit("pane_dent_m", "glass", -_NONE, 0.015),  # car glass bulges or is flat; what a real pane's S-curve may have
    Limit("pane_out_m", "glass", -_NONE, 0.006),  # flush glass stands at its frame, not before it
    Limit("pane_sunk_m", "glass", -_NONE, 0.04),  # old cars' rubber frames are some 3 cm deep
    Limit("pane_over_m", "glass", -_NONE, 0.010),  # the rim runs inside its frame
    Limit("pane_loose_m", "glass", -_NONE, 0.08),  # frames are 1 to 5 cm wide; beyond that there is a hole or a spike
    Limit("lamp_from_end_share", "lamps", 0.0, 0.16),  # of the length: lamps swept back over a sports car's nose reach 15 per cent
    Limit("lamp_ahead", "lamps", -_NONE, -0.25),  # cosine: a mean normal more than 75 degrees off shines to the side or the sky
    Limit("lamp_height_m", "lamps", 0.0, 1.5),  # R48 6.7.4: rear lamps at most 1.5 m up, headlamps lower
    Limit("lamp_low_m", "lamps", -_NONE, -0.20),  # R48 6.3.4: fog lamps from 0.25 m up, 5 cm less for their lower half
    Limit("lamp_from_side_m", "lamps", -_NONE, 0.40),  # R48 6.2.4: at most 0.4 m from the widest point
    Limit("ground_m", "proportions", 0.08, 0.52),  # lowered sports cars scrape below, the tallest pickups' sills are half a metre up
    Limit("height_by_width", "proportions", 0.51, 1.30),  # table
    Limit("length_by_width", "proportions", 1.55, 3.30),  # table
    Limit("base_by_length", "proportions", 0.50, 0.76),  # table
    Limit("wheels_by_height", "proportions", 0.28, 0.62),  # delivery vans; racing cars
    Limit("roof_over_hood_m", "proportions", 0.20, _NONE),  # a driver's head has to fit between
    Limit("side_glass_m", "proportions", 0.20, 0.85),  # the lowest sports cars have 22 cm
    Limit("roof_by_length", "proportions", 0.13, 0.85),  # two-seaters' hard tops; from the windshield to the rear window
    Limit("windshield_rise_deg", "proportions", 5.0, 75.0),  # of its normal: a jeep's is all but upright, a wedge's 15 degrees off level
    Limit("rear_rise_deg", "proportions", -10.0, 85.0),  # a rear window that hangs over has not been built since the sixties
    Limit("front_overhang_share", "proportions", 0.08, 0.28),  # of the length: microcars; front-engined coupes
    Limit("rear_overhang_share", "proportions", 0.08, 0.35),  # of the length: microcars; sedans of the sixties
    Limit("roof_by_width", "proportions", 0.45, 0.97),  # the cabin narrows upwards
    Limit("uneven_m", "symmetry", 0.0, 0.001),  # no more than rounding
)  # fmt: skip


def faults(vertices: np.ndarray, measures: np.ndarray) -> dict[str, np.ndarray]:
    """Body vertices (B, V, 3) and measures (B, P) of cars -> by the names of FAULTS, (B,) bool: True has the fault.

    Car frame, metres; the wheels are those of the measures.  Raises ShapeError.
    """
    measured = figures(vertices, measures)
    found = {name: np.zeros(len(vertices), bool) for name in FAULTS}
    for limit in LIMITS:
        value = measured[limit.figure]
        found[limit.fault] |= ~((value >= limit.low) & (value <= limit.high))  # so that what is not a number is a fault
    return found


def figures(vertices: np.ndarray, measures: np.ndarray) -> Figures:
    """The same cars' (B,) figures by the names in LIMITS.  Raises ShapeError."""
    check_shape("vertices", vertices.shape, (None, int(template().quads.max()) + 1, 3))
    check_shape("measures", measures.shape, (len(vertices), len(NAMES)))
    parts = [_figures(vertices[k : k + BATCH], measures[k : k + BATCH]) for k in range(0, len(vertices), BATCH)]
    return {limit.figure: np.concatenate([part[limit.figure] for part in parts]) for limit in LIMITS if parts}


def _figures(vertices: np.ndarray, measures: np.ndarray) -> Figures:
    shares = back_face_shares(vertices)
    return {
        "back_share": shares.mean(1), "back_share_worst": shares.max(1), **fold_figures(vertices),
        **symmetry_figures(vertices), **wheel_figures(vertices, measures), **pane_figures(vertices, measures),
        **lamp_figures(vertices), **proportion_figures(vertices, measures),
    }  # fmt: skip
