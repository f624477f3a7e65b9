"""How likely each pixel is car, before the cut: a linear model of the features."""

from __future__ import annotations

import numpy as np

from .features import NAMES, pixel_features

# Logistic regression on 1,500 random pixels of each of 180 rendered photographs of the training cars and of some 90 of them
# pasted on panoramas as tight crops, at 256 px; the mattes are the rasterised models.
BIAS = -6.763
WEIGHT = {
    "path_from_border": 1.282,
    "path_from_below": -0.8268,
    "path_from_above_and_sides": 0.2489,
    "unlike_border": 0.8311,
    "unlike_below": 0.3765,
    "unlike_above": -0.03238,
    "edges_near": 0.1357,
    "edges_around": 0.599,
    "level_edges": 0.2488,
    "off_centre": -0.3562,
    "off_centre_2": -0.7143,
    "off_centre_4": -0.05688,
    "down": 6.521,
    "down_2": 1.153,
    "down_4": -11.78,
    "lightness": -0.6127,
    "chroma": -0.6884,
    "aspect": 0.3846,
    "path_from_border_above_median": 0.3841,
    "path_from_below_above_median": 0.3291,
    "path_from_above_and_sides_above_median": 0.005736,
    "unlike_border_above_median": -0.03517,
    "unlike_below_above_median": -0.03829,
    "unlike_above_above_median": 0.409,
    "edges_near_above_median": -0.2895,
    "edges_around_above_median": 0.08836,
    "level_edges_above_median": -0.06067,
}


def car_logit(lab: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 Lab -> (H, W) float32, the log-odds that a pixel is car."""
    return pixel_features(lab) @ np.array([WEIGHT[name] for name in NAMES], np.float32) + np.float32(BIAS)
