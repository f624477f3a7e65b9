"""How a steered wheel has to stand: worked out from the point round which the car turns."""

from __future__ import annotations

import math
from collections.abc import Mapping


def ackermann(steer_rad: float, hubs_car: Mapping[str, tuple[float, float, float]], wheel: str) -> float:
    """The wheel's angle: square to the line from the turning point, on the rear axle's line, to its hub."""
    rear_y = (hubs_car["wheel_rear_left"][1] + hubs_car["wheel_rear_right"][1]) / 2
    front_y = (hubs_car["wheel_front_left"][1] + hubs_car["wheel_front_right"][1]) / 2
    turning_x = (rear_y - front_y) / math.tan(steer_rad)
    x, y, _ = hubs_car[wheel]
    return math.atan((rear_y - y) / (turning_x - x))
