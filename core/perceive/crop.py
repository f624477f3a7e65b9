"""From a photograph and a matte to what the network sees: a square round the car, levels evened out, mean grey outside."""

from __future__ import annotations

import cv2
import numpy as np

from ..errors import Trouble, UserInputError

INPUT_PX = 96
INPUT_MARGIN = 1.12  # side of the square over the longer side of the matte's box
GREY = 0.5  # what stands where the matte is empty
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
LEVELS = (0.05, 0.9)  # where the 3rd and 97th percentile of the car's brightness are moved to
LARGEST_GAIN = 5.0  # a darker picture than this evens out is mostly noise


def square_of(alpha01: np.ndarray) -> tuple[float, float, float]:
    """Centre x, centre y and side in pixels of the square round a matte (H, W).  Raises UserInputError where the matte is empty."""
    inside = alpha01 > 0.5
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        raise UserInputError("The matte is empty, so there is no car to look at; give a mask that covers the car.", Trouble.NO_CAR)
    side = INPUT_MARGIN * max(rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1)
    return (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2, float(side)


def cut_square(
    layers: np.ndarray, centre_x_px: float, centre_y_px: float, side_px: float, size_px: int, roll_rad: float = 0.0
) -> np.ndarray:
    """Resample a turned square of (H, W, C) to (size, size, C), smoothed first where it shrinks; outside repeats the border."""
    whole = int(side_px / size_px)
    if whole >= 2 and min(layers.shape[:2]) >= whole:  # boxes first: blurring a large photograph would take a second
        height, width = (length // whole for length in layers.shape[:2])
        layers = cv2.resize(layers[: height * whole, : width * whole], (width, height), interpolation=cv2.INTER_AREA)
        centre_x_px, centre_y_px, side_px = centre_x_px / whole, centre_y_px / whole, side_px / whole
    scale = side_px / size_px
    turn = scale * np.array([[np.cos(roll_rad), -np.sin(roll_rad)], [np.sin(roll_rad), np.cos(roll_rad)]])
    half = (size_px - 1) / 2
    shift = np.array([centre_x_px - 0.5, centre_y_px - 0.5]) - turn @ [half, half]
    soft = cv2.GaussianBlur(layers, (0, 0), 0.4 * scale) if scale > 1.3 else layers  # a warp alone would alias
    back = np.concatenate([turn, shift[:, None]], 1)
    return cv2.warpAffine(soft, back, (size_px, size_px), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def even_levels(image_srgb01: np.ndarray, alpha01: np.ndarray) -> np.ndarray:
    """Move the car's darkest and brightest brightness to LEVELS, so that exposure and paint say less than form; (H, W, 3)."""
    brightness = (image_srgb01 @ LUMA)[alpha01 > 0.5]
    if not len(brightness):
        return image_srgb01
    dark, bright = np.percentile(brightness, (3, 97))
    gain = min((LEVELS[1] - LEVELS[0]) / max(bright - dark, 1e-3), LARGEST_GAIN)
    middle = (dark + bright) / 2
    return (image_srgb01 - middle) * np.float32(gain) + np.float32(sum(LEVELS) / 2)


def network_input(image_srgb01: np.ndarray, alpha01: np.ndarray) -> np.ndarray:
    """The network's four channels (4, S, S) float32 from a square picture (S, S, 3) and matte (S, S): colour and matte, about -1..1."""
    level = even_levels(image_srgb01, alpha01).clip(-0.2, 1.2)
    shown = (level - GREY) * alpha01[..., None]
    return np.concatenate([2 * shown, alpha01[..., None] - 0.5], 2).transpose(2, 0, 1).astype(np.float32)
