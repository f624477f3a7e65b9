"""What the network is asked for, by name: part classes, figures, the profile's stations.  No torch, so that the dataset can import it."""

from __future__ import annotations

INPUT_SIZE_PX = (224, 160)  # width, height: cars are wider than high
DENSE_STRIDE = 2  # parts and coordinates come at half the input's resolution, the matte at the whole
PART_CLASSES = (
    "background", "body", "windshield", "rear_window", "side_window", "headlight", "taillight", "wheel", "plate", "grille", "underbody",
)  # fmt: skip
UNKNOWN_PART = 255
COORDINATE_REACH = 0.75  # coordinates over the car's length lie between minus and plus this
AZIMUTH_BINS = 72
TOP_STATIONS, PLAN_STATIONS = 20, 8
SHAPE_FIGURES = (
    "log_width", "log_height", "log_wheelbase", "nose", "wheel_radius",
    *(f"top_{k:02d}" for k in range(TOP_STATIONS)), *(f"plan_{k}" for k in range(PLAN_STATIONS)),
)  # fmt: skip
"""Natural logs of shares of the length (the width without mirrors); nose: front end's distance before the axles' middle; wheel_radius; top:
the outline's height from nose to tail, plan: half the width seen from above at stations from nose to tail; all shares of the length."""
FIGURES = ("elevation_rad", "log_distance_lengths", *SHAPE_FIGURES)
FIGURE_MEAN = (0.19, 0.85, -0.95, -1.12, -0.54, 0.5, 0.073, *(0.27,) * TOP_STATIONS, *(0.19,) * PLAN_STATIONS)  # centres the outputs
FIGURE_SCALE = (0.15, 0.45, 0.12, 0.18, 0.07, 0.03, 0.01, *(0.06,) * TOP_STATIONS, *(0.03,) * PLAN_STATIONS)
MOST_CARS = 3  # the count's last class holds this many and more
WHEEL_FIGURES = ("x", "y", "half_width", "half_height")  # of the box round the outer tyre's ellipse, in shares of the input's width
