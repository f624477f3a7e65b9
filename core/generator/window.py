"""The square window in which the generator sees and draws a car, for turntables, photographs and fitted cameras alike.

The window's camera stands where the photograph's does, level, and looks at the middle of the car's box; its field of view just holds the
sphere round the box.  So azimuth, elevation and distance say all about it.  Turning a pinhole camera on the spot moves pixels by a
homography (Hartley & Zisserman 2004, section 8.4.2), which is how photograph and window map to one another, exactly and both ways.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from ..errors import check_shape
from ..frames import focal_px, orbit
from ..types import Camera

SENSOR_MM = 36.0
FINEST = 6  # at most so many samples of the photograph a window's pixel, along a side


@dataclass(frozen=True, eq=False)
class CarBox:
    """low_m, high_m (3,) float64: the box of a car without mirrors and accessories, car frame, metres."""

    low_m: np.ndarray
    high_m: np.ndarray

    @classmethod
    def around(cls, points_car: np.ndarray) -> CarBox:
        """The box of points (..., 3)."""
        flat = points_car.reshape(-1, 3).astype(np.float64)
        return cls(flat.min(0), flat.max(0))

    @property
    def middle_m(self) -> np.ndarray:
        """(3,)."""
        return (self.low_m + self.high_m) / 2

    @property
    def radius_m(self) -> float:
        """Of the sphere round the box."""
        return float(np.linalg.norm(self.high_m - self.low_m)) / 2

    @property
    def length_m(self) -> float:
        """Along y."""
        return float(self.high_m[1] - self.low_m[1])


@dataclass(frozen=True, eq=False)
class Window:
    """camera: of the square picture; view (3,) float64 in the order of groups.VIEW; photo_from_window (3, 3) homography of pixels."""

    camera: Camera
    view: np.ndarray
    photo_from_window: np.ndarray

    @property
    def size_px(self) -> int:
        """The window's side."""
        return self.camera.image_size_px[0]

    def to_photo(self, points_px: np.ndarray) -> np.ndarray:
        """(N, 2) pixels of the window -> pixels of the photograph."""
        return _mapped(self.photo_from_window, points_px)

    def to_window(self, points_px: np.ndarray) -> np.ndarray:
        """(N, 2) pixels of the photograph -> pixels of the window."""
        return _mapped(np.linalg.inv(self.photo_from_window), points_px)

    def cut(self, photo: np.ndarray) -> np.ndarray:
        """(H, W, C) float32 -> (S, S, C): what the window shows of a photograph, zero beyond its border; premultiply colours before."""
        check_shape("photo", photo.shape, (None, None, None))
        middle = self.size_px / 2
        beside = self.to_photo(np.array([[middle, middle], [middle + 1, middle], [middle, middle + 1]]))
        fine = int(np.clip(math.ceil(np.linalg.norm(beside[1:] - beside[0], axis=1).max()), 1, FINEST))
        to_photo = _from_centres(self.photo_from_window @ np.diag([1 / fine, 1 / fine, 1]))
        side = fine * self.size_px
        found = cv2.warpPerspective(photo.astype(np.float32), to_photo, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        reduced = cv2.resize(found, (self.size_px, self.size_px), interpolation=cv2.INTER_AREA)
        return reduced.reshape(self.size_px, self.size_px, photo.shape[2])

    def put_back(self, layer: np.ndarray, size_px: tuple[int, int], carried_on: bool = False) -> np.ndarray:
        """The other way: (S, S, C) float32 -> (H, W, C) of a photograph of (width, height); zero beyond the window, or its border."""
        border = cv2.BORDER_REPLICATE if carried_on else cv2.BORDER_CONSTANT
        return cv2.warpPerspective(layer, _from_centres(self.photo_from_window), size_px, flags=cv2.INTER_LINEAR, borderMode=border)


def view_of(eye_car: np.ndarray, box: CarBox) -> np.ndarray:
    """(3,) float64 azimuth, elevation (radians, from the box's middle) and log of the distance over the car's length."""
    x, y, z = np.asarray(eye_car, np.float64) - box.middle_m
    return np.array([math.atan2(x, -y), math.atan2(z, math.hypot(x, y)), math.log(math.sqrt(x * x + y * y + z * z) / box.length_m)])


def window_camera(view: np.ndarray, box: CarBox, size_px: int) -> Camera:
    """The camera of the generator's picture of a view.  Raises ValueError where it stands inside the sphere round the box."""
    azimuth, elevation, log_distance = (float(v) for v in view)
    distance, radius = math.exp(log_distance) * box.length_m, box.radius_m
    if distance <= radius:
        raise ValueError(f"the camera is {distance:.2f} m from the car's middle, inside the sphere of {radius:.2f} m round it")
    lens = SENSOR_MM / 2 * math.sqrt(distance**2 - radius**2) / radius
    x, y, z = box.middle_m
    return Camera((size_px, size_px), lens, orbit(azimuth, elevation, distance, (x, y, z)), SENSOR_MM)


def window_of(camera: Camera, box: CarBox, size_px: int) -> Window:
    """The window round a car in a photograph taken by `camera`.  Raises ValueError where the camera is inside the car's sphere."""
    view = view_of(camera.camera_to_car[:3, 3], box)
    own = window_camera(view, box, size_px)
    turn = camera.camera_to_car[:3, :3].T @ own.camera_to_car[:3, :3]
    return Window(own, view, _pixels(camera) @ turn @ np.linalg.inv(_pixels(own)))


def _pixels(camera: Camera) -> np.ndarray:
    """(3, 3): directions in the camera's frame -> homogeneous pixels, scaled by depth."""
    focal, (width, height) = focal_px(camera), camera.image_size_px
    return np.array([[focal, 0, -width / 2], [0, -focal, -height / 2], [0, 0, -1.0]])


def _from_centres(homography: np.ndarray) -> np.ndarray:
    """A homography of pixels as OpenCV takes it, which counts from pixel centres."""
    centres = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return np.linalg.inv(centres) @ homography @ centres


def _mapped(homography: np.ndarray, points_px: np.ndarray) -> np.ndarray:
    check_shape("points_px", points_px.shape, (None, 2))
    moved = np.concatenate([points_px, np.ones((len(points_px), 1))], 1) @ homography.T
    return moved[:, :2] / moved[:, 2:]
