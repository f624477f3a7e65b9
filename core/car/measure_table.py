"""The named measures that drive the template, their ranges, and the body types as points of the same space: numpy, no torch.

Blender's sliders are made from this table where no torch is installed; measures.py turns it into tensors.  Metres unless the text of a
measure says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Measure:
    """One slider: its range is where the template stays sound, not where cars are likely (see prior.py)."""

    name: str
    low: float
    high: float
    meaning: str


MEASURES = (
    Measure("length", 2.4, 6.6, "bumper to bumper"),
    Measure("width", 1.25, 2.2, "across the body, without mirrors"),
    Measure("height", 1.0, 2.6, "ground to roof"),
    Measure("wheelbase", 1.6, 4.4, "axle to axle"),
    Measure("front_overhang", 0.35, 1.25, "front axle to nose"),
    Measure("wheel_radius", 0.23, 0.48, "hub to tread"),
    Measure("tyre_width", 0.13, 0.34, "tread width"),
    Measure("track_ratio", 0.74, 0.90, "track by width"),
    Measure("clearance", 0.10, 0.50, "sill above the ground"),
    Measure("hood_front_height", 0.42, 1.25, "leading edge of the hood above the ground"),
    Measure("nose_slant", 0.0, 0.55, "how far the hood's leading edge lies behind the bumper"),
    Measure("nose_round", 0.02, 0.65, "how far the nose's corners lie behind its middle"),
    Measure("nose_width", 0.62, 1.0, "width across the nose's corners by width"),
    Measure("cowl_offset", -0.5, 1.3, "front axle to the foot of the windshield"),
    Measure("cowl_height", 0.68, 1.45, "foot of the windshield above the ground"),
    Measure("windshield_run", 0.05, 1.2, "horizontal length of the windshield: its rake"),
    Measure("roof_front_drop", 0.0, 0.25, "roof's front edge below the highest point"),
    Measure("roof_rear_offset", -2.3, 1.2, "rear axle to the roof's rear edge"),
    Measure("roof_rear_drop", 0.0, 0.4, "roof's rear edge below the highest point"),
    Measure("rear_window_run", 0.0, 1.5, "horizontal length of the rear window: its rake"),
    Measure("deck_front_height", 0.55, 1.5, "foot of the rear window above the ground"),
    Measure("deck_rear_height", 0.5, 1.45, "trunk's rear edge above the ground"),
    Measure("tail_slant", -0.08, 0.45, "how far the trunk's rear edge lies before the bumper"),
    Measure("tail_round", 0.02, 0.5, "how far the tail's corners lie before its middle"),
    Measure("tail_width", 0.65, 1.0, "width across the tail's corners by width"),
    Measure("belt_front", 0.6, 1.35, "belt line above the ground at the cowl"),
    Measure("belt_rear", 0.6, 1.5, "belt line above the ground at the rear axle"),
    Measure("roof_width", 0.5, 0.96, "width across the roof rails by width: the taper"),
    Measure("hood_width", 0.6, 0.95, "width across the hood's edges by width"),
    Measure("roof_crown", 0.0, 0.16, "roof's middle above its rails"),
    Measure("hood_crown", 0.0, 0.14, "hood's middle above its edges"),
    Measure("windshield_bow", 0.0, 0.35, "how far the windshield's middle lies before its sides"),
    Measure("b_pillar", 0.25, 0.75, "B-pillar between roof front (0) and C-pillar (1)"),
    Measure("c_pillar", 0.4, 0.97, "C-pillar between roof front (0) and roof rear (1)"),
    Measure("side_bulge", 0.0, 0.12, "flank's widest line outside belt and sill"),
    Measure("sill_tuck", 0.0, 0.2, "sill inside the widest line"),
    Measure("arch_gap", 0.02, 0.14, "wheel arch outside the tread"),
    Measure("roundness", 0.0, 1.5, "how round the edges between hood, glass, roof and trunk are: 0 folded, 1 usual"),
    Measure("cab_drop", 0.0, 1.0, "0: the roof runs to the rear; 1: it ends at the cab (pickup)"),
    Measure("bed_depth", 0.0, 0.6, "depth of the open bed under its rails"),
)
NAMES = tuple(m.name for m in MEASURES)
INDEX = {name: k for k, name in enumerate(NAMES)}

_SEDAN = {
    "length": 4.79, "width": 1.80, "height": 1.43, "wheelbase": 2.72, "front_overhang": 0.93, "wheel_radius": 0.325, "tyre_width": 0.205,
    "track_ratio": 0.855, "clearance": 0.22, "hood_front_height": 0.74, "nose_slant": 0.10, "nose_round": 0.26, "nose_width": 0.84,
    "cowl_offset": 0.40, "cowl_height": 0.99, "windshield_run": 0.68, "roof_front_drop": 0.05, "roof_rear_offset": -0.42,
    "roof_rear_drop": 0.06, "rear_window_run": 0.70, "deck_front_height": 1.05, "deck_rear_height": 1.00, "tail_slant": 0.06,
    "tail_round": 0.20, "tail_width": 0.86, "belt_front": 0.93, "belt_rear": 0.97, "roof_width": 0.66, "hood_width": 0.80,
    "roof_crown": 0.06, "hood_crown": 0.05, "windshield_bow": 0.16, "b_pillar": 0.45, "c_pillar": 0.84, "side_bulge": 0.04,
    "sill_tuck": 0.07, "arch_gap": 0.06, "roundness": 1.0, "cab_drop": 0.0, "bed_depth": 0.0,
}  # fmt: skip
BODY_TYPES: dict[str, dict[str, float]] = {
    "sedan": _SEDAN,
    "hatchback": _SEDAN | {
        "length": 4.10, "width": 1.73, "height": 1.47, "wheelbase": 2.55, "front_overhang": 0.82, "hood_front_height": 0.76,
        "cowl_offset": 0.30, "roof_rear_offset": 0.32, "roof_rear_drop": 0.10, "rear_window_run": 0.36, "deck_front_height": 1.03,
        "deck_rear_height": 0.97, "tail_slant": 0.04, "belt_rear": 1.00, "c_pillar": 0.72, "wheel_radius": 0.31, "roof_width": 0.68,
    },
    "wagon": _SEDAN | {
        "length": 4.75, "height": 1.48, "roof_rear_offset": 0.72, "roof_rear_drop": 0.08, "rear_window_run": 0.28,
        "deck_front_height": 1.00, "deck_rear_height": 0.95, "tail_slant": 0.02, "c_pillar": 0.64, "b_pillar": 0.44, "belt_rear": 0.98,
        "roof_width": 0.69,
    },
    "suv": _SEDAN | {
        "length": 4.72, "width": 1.88, "height": 1.72, "wheelbase": 2.80, "front_overhang": 0.88, "wheel_radius": 0.37, "tyre_width": 0.235,
        "clearance": 0.30, "hood_front_height": 0.98, "nose_slant": 0.08, "cowl_offset": 0.42, "cowl_height": 1.18, "windshield_run": 0.62,
        "roof_rear_offset": 0.62, "roof_rear_drop": 0.07, "rear_window_run": 0.26, "deck_front_height": 1.18, "deck_rear_height": 1.10,
        "tail_slant": 0.04, "belt_front": 1.10, "belt_rear": 1.16, "c_pillar": 0.66, "b_pillar": 0.46, "roof_width": 0.72,
        "hood_width": 0.82, "arch_gap": 0.07,
    },
    "van": _SEDAN | {
        "length": 4.90, "width": 1.92, "height": 1.95, "wheelbase": 2.95, "front_overhang": 0.88, "wheel_radius": 0.335,
        "tyre_width": 0.215, "clearance": 0.24, "hood_front_height": 0.92, "nose_slant": 0.16, "cowl_offset": -0.02, "cowl_height": 1.16,
        "windshield_run": 0.80, "roof_rear_offset": 0.86, "roof_rear_drop": 0.05, "rear_window_run": 0.14, "deck_front_height": 1.12,
        "deck_rear_height": 1.04, "tail_slant": 0.02, "tail_round": 0.12, "tail_width": 0.93, "belt_front": 1.06, "belt_rear": 1.08,
        "c_pillar": 0.62, "b_pillar": 0.46, "roof_width": 0.80, "hood_width": 0.84,
    },
    "pickup": _SEDAN | {
        "length": 5.40, "width": 1.92, "height": 1.80, "wheelbase": 3.25, "front_overhang": 0.90, "wheel_radius": 0.375,
        "tyre_width": 0.245, "clearance": 0.38, "hood_front_height": 1.00, "nose_slant": 0.06, "nose_round": 0.16, "nose_width": 0.90,
        "cowl_offset": 0.48, "cowl_height": 1.17, "windshield_run": 0.55, "roof_rear_offset": -1.15, "roof_rear_drop": 0.05,
        "rear_window_run": 0.12, "deck_front_height": 1.17, "deck_rear_height": 1.15, "tail_slant": 0.02, "tail_round": 0.05,
        "tail_width": 0.95, "belt_front": 1.12, "belt_rear": 1.10, "c_pillar": 0.92, "b_pillar": 0.62, "roof_width": 0.74,
        "hood_width": 0.84, "arch_gap": 0.08, "roundness": 0.6, "cab_drop": 1.0, "bed_depth": 0.45,
    },
    "coupe": _SEDAN | {
        "length": 4.55, "width": 1.81, "height": 1.31, "wheelbase": 2.60, "front_overhang": 0.92, "hood_front_height": 0.68,
        "nose_slant": 0.14, "cowl_offset": 0.52, "cowl_height": 0.92, "windshield_run": 0.70, "roof_rear_offset": -0.52,
        "rear_window_run": 0.78, "deck_front_height": 0.96, "deck_rear_height": 0.92, "belt_front": 0.87, "belt_rear": 0.92,
        "roof_width": 0.63, "b_pillar": 0.62, "c_pillar": 0.88, "clearance": 0.18,
    },
    "citycar": _SEDAN | {
        "length": 3.45, "width": 1.58, "height": 1.48, "wheelbase": 2.28, "front_overhang": 0.64, "wheel_radius": 0.285, "tyre_width": 0.17,
        "hood_front_height": 0.78, "nose_slant": 0.10, "cowl_offset": 0.10, "cowl_height": 1.00, "windshield_run": 0.62,
        "roof_rear_offset": 0.22, "roof_rear_drop": 0.09, "rear_window_run": 0.26, "deck_front_height": 1.02, "deck_rear_height": 0.96,
        "tail_slant": 0.03, "belt_front": 0.94, "belt_rear": 1.00, "c_pillar": 0.74, "roof_width": 0.70,
    },
}  # fmt: skip


def to_array(measures: dict[str, float]) -> np.ndarray:
    """Measures by name -> (P,) float32 in the order of NAMES.  Raises KeyError for a missing name."""
    return np.array([measures[name] for name in NAMES], np.float32)


def by_name(measures: Any) -> dict[str, Any]:
    """(B, P) measures, tensor or numpy -> each one's (B,) column by name."""
    return {name: measures[:, k] for name, k in INDEX.items()}
