"""The frozen values that cross stages.  Arrays are numpy, batch-free, and checked where they are made.

Frames and units are in the names: `_car` car frame (metres, +Z up, nose -Y, left +X, origin on the ground midway between
the axles), `_px` image pixels (top-left origin, pixel centres at .5), `_m` metres, `srgb01` display values 0..1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from .errors import Trouble, UserInputError, check_shape

if TYPE_CHECKING:
    from .perceive.perceive import Seen  # which needs torch; Blender has none

BODY_TYPES = ("sedan", "hatchback", "wagon", "suv", "van", "pickup", "coupe", "citycar")

Report = Callable[[str, float], None]
"""report(stage, fraction01): called often by long work; may raise Cancelled to stop it."""
Show = Callable[["CarShape"], None]
"""show(shape): the best guess so far, called now and then by a fit, for eyes only."""


@dataclass(frozen=True)
class Settings:
    """What the user may choose for a run; saved in car.json."""

    quality: str = "normal"  # draft | normal | high
    device: str = "auto"  # auto | cpu | cuda
    texture_size_px: int = 2048  # a draft paints 1024 at most
    seed: int = 0
    matte: str = "network"  # network | rembg
    which: int = 0  # of several cars: 0 the largest central one, else its number from the left
    body_type: str = ""  # of the photographed car, in the user's word; empty leaves it to the picture
    unseen: str = "plain"  # generator | plain: whence light and unseen sides are told
    invented: bool = False  # a car of the generator's with this seed: there is no photograph, its picture is drawn where one would be
    truncation01: float = 0.7  # of an invented car, how far it may be from the mean car
    toward_seed: int | None = None  # and another one, toward which it goes by share01
    share01: float = 0.5
    invented_body: str = ""  # its body type; any without
    invented_paint_srgb01: tuple[float, float, float] | None = None  # its paint; None leaves it to the seed
    box_px: tuple[float, float, float, float] | None = None  # left, top, right, bottom of the car in pixels of the upright picture file

    def __post_init__(self) -> None:
        if self.matte not in ("network", "rembg"):
            raise UserInputError(f"there is no cut named {self.matte!r}, choose network or rembg.", Trouble.MASK)
        if self.unseen not in ("generator", "plain"):
            raise UserInputError(f"unseen sides cannot be painted by {self.unseen!r}, choose generator or plain.")
        for name in ("truncation01", "share01"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserInputError(f"{name.removesuffix('01')} is a share: give a number from 0 to 1.")
        for kind in (self.body_type, self.invented_body):
            if kind not in ("", *BODY_TYPES):
                raise UserInputError(f"there is no body type {kind!r}, choose {', '.join(BODY_TYPES[:-1])} or {BODY_TYPES[-1]}.")
        if self.invented_paint_srgb01 is not None:
            object.__setattr__(self, "invented_paint_srgb01", tuple(self.invented_paint_srgb01))  # JSON knows lists only
            if len(self.invented_paint_srgb01) != 3 or not all(0 <= value <= 1 for value in self.invented_paint_srgb01):
                raise UserInputError("a paint needs three numbers from 0 to 1: red, green and blue.")
        if not all(0 <= seed < 2**31 for seed in (self.seed, self.toward_seed or 0)):
            raise UserInputError("seeds are whole numbers from 0 to 2147483647.")
        if self.which < 0:
            raise UserInputError("cars are counted from 1, at the left; 0 takes the largest in the middle.", Trouble.NO_CAR)
        if self.box_px is not None:
            object.__setattr__(self, "box_px", tuple(self.box_px))  # JSON knows lists only
            if len(self.box_px) != 4:
                raise UserInputError("a box needs four numbers: left, top, right and bottom in pixels.", Trouble.NO_CAR)
            if self.which:
                raise UserInputError("choose a car either by its number or by a box, not by both.", Trouble.NO_CAR)


@dataclass(frozen=True)
class Photo:
    """An upright photograph: image_srgb01 (H, W, 3) float32; alpha01 (H, W) float32 or None where the file has none.

    file_size_px is (width, height) of the upright picture in the file, before large ones are reduced; None means not reduced.
    """

    path: str
    image_srgb01: np.ndarray
    alpha01: np.ndarray | None = None
    file_size_px: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        check_shape("image_srgb01", self.image_srgb01.shape, (None, None, 3))
        if self.alpha01 is not None:
            check_shape("alpha01", self.alpha01.shape, self.image_srgb01.shape[:2])

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height)."""
        return self.image_srgb01.shape[1], self.image_srgb01.shape[0]


@dataclass(frozen=True)
class Matte:
    """Which pixels are car: alpha01 (H, W) float32, the provider's name and how far it trusts itself, 0..1; what the network saw when it
    cut the car out, where it did."""

    alpha01: np.ndarray
    source: str
    confidence01: float
    seen: Seen | None = None

    def __post_init__(self) -> None:
        check_shape("alpha01", self.alpha01.shape, (None, None))

    @property
    def box_px(self) -> tuple[float, float, float, float]:
        """left, top, right, bottom of what is more than half car.  Raises UserInputError where nothing is."""
        rows, columns = np.flatnonzero((self.alpha01 > 0.5).any(1)), np.flatnonzero((self.alpha01 > 0.5).any(0))
        if not len(rows):
            raise UserInputError("The matte is empty, so there is no car to look at; give a mask that covers the car.", Trouble.NO_CAR)
        return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


@dataclass(frozen=True)
class WheelSight:
    """A wheel in the photograph: hub and half sides of the box round the outer tyre's ellipse, pixels; sigma_px of the hub (Laplace); how
    likely it is turned to the camera and in the picture."""

    name: str
    centre_px: tuple[float, float]
    half_px: tuple[float, float]
    sigma_px: float
    visible01: float


@dataclass(frozen=True, eq=False)
class Dense:
    """What is told of each pixel of a window of the photograph, at h x w cells.

    box_px: left, top, width, height in pixels of the photograph.  matte01 (h, w); part_share01 (C, h, w) in the order of
    core.perceive.heads.PART_CLASSES; coordinates (3, h, w): places in the car frame over the car's length, with error_scale
    (h, w), Laplace.
    """

    box_px: tuple[float, float, float, float]
    matte01: np.ndarray
    part_share01: np.ndarray
    coordinates: np.ndarray
    error_scale: np.ndarray

    def __post_init__(self) -> None:
        cells = self.matte01.shape
        check_shape("part_share01", self.part_share01.shape, (None, *cells))
        check_shape("coordinates", self.coordinates.shape, (3, *cells))
        check_shape("error_scale", self.error_scale.shape, cells)


@dataclass(frozen=True)
class Perception:
    """What the picture says before any fit.

    azimuth_probability (A,) float32 over A equal bins, bin k centred on k * 2 pi / A (0 looks at the nose, pi / 2 at the left flank);
    elevation_rad; body_type_probability by name; confidence01 of the best azimuth.
    estimates: (mean, sigma) by name, sigma that of a Laplace distribution's scale: elevation_rad, log_distance_lengths (camera to the car's
    middle over the car's length), and the rest of core.perceive.heads.FIGURES, shares of the length.
    car01: how likely there is a car at all; paint_srgb01; wheels, where they are told; dense: what is told of each pixel, None where
    nothing is.
    """

    azimuth_probability: np.ndarray
    elevation_rad: float
    body_type_probability: dict[str, float]
    confidence01: float
    estimates: dict[str, tuple[float, float]] = field(default_factory=dict)
    car01: float = 1.0
    paint_srgb01: tuple[float, float, float] | None = None
    wheels: tuple[WheelSight, ...] = ()
    dense: Dense | None = None


@dataclass(frozen=True)
class Camera:
    """A Blender camera in the car frame: looks along its -Z, +Y up; sensor_width_mm spans the longer image side."""

    image_size_px: tuple[int, int]
    lens_mm: float
    camera_to_car: np.ndarray  # (4, 4) float64
    sensor_width_mm: float = 36.0

    def __post_init__(self) -> None:
        check_shape("camera_to_car", self.camera_to_car.shape, (4, 4))


@dataclass(frozen=True, eq=False)
class Imagined:
    """The car from sides that nobody photographed, as a generator draws it: pictures_srgb01 (N, S, S, 4) float32, premultiplied by alpha,
    and the camera of each."""

    pictures_srgb01: np.ndarray
    cameras: tuple[Camera, ...]

    def __post_init__(self) -> None:
        side = self.pictures_srgb01.shape[1]
        check_shape("pictures_srgb01", self.pictures_srgb01.shape, (len(self.cameras), side, side, 4))


@dataclass(frozen=True)
class CarShape:
    """A point of the shape space: measures by name (metres, radians or 0..1, see core/car/measures.py), body type and coefficients.

    coefficients are those of the learned modes, in standard deviations (see core/car/space.py); modes that are not given are at zero.
    residual_m: what the space cannot say, (H, 3) float32 offsets of the left half's vertices in metres, or None (see core/fit/residual.py).
    """

    measures: dict[str, float]
    body_type: str
    coefficients: tuple[float, ...] = ()
    residual_m: np.ndarray | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Fit:
    """The car and camera that explain the photograph; mask_iou and confidence are 0..1."""

    shape: CarShape
    camera: Camera
    mask_iou: float
    confidence01: float


@dataclass(frozen=True)
class MeshData:
    """Quads with one UV per corner and one part per face.

    vertices_m (V, 3) float32; quads (F, 4) int32, counter-clockwise seen from outside; uv01 (F, 4, 2) float32, v up;
    part_index (F,) int32 into part_names.
    """

    vertices_m: np.ndarray
    quads: np.ndarray
    uv01: np.ndarray
    part_index: np.ndarray
    part_names: tuple[str, ...]

    def __post_init__(self) -> None:
        faces = len(self.quads)
        check_shape("vertices_m", self.vertices_m.shape, (None, 3))
        check_shape("quads", self.quads.shape, (faces, 4))
        check_shape("uv01", self.uv01.shape, (faces, 4, 2))
        check_shape("part_index", self.part_index.shape, (faces,))

    def faces_of(self, part: str) -> np.ndarray:
        """Indices of the faces of one part, (n,) int64, empty where the part is absent."""
        return np.flatnonzero(self.part_index == self.part_names.index(part)) if part in self.part_names else np.empty(0, np.int64)


@dataclass(frozen=True)
class Wheel:
    """One wheel; `mesh` is in the hub's frame (origin at the hub, axle along X, outer side +X on the left and -X on the right)."""

    name: str  # wheel_front_left ...
    center_car: tuple[float, float, float]
    radius_m: float
    width_m: float
    steers: bool
    mesh: MeshData


@dataclass(frozen=True)
class Light:
    """One lamp: the name of the body part whose faces shine, its kind, centre and outward normal in the car frame."""

    name: str
    kind: str  # headlight | high_beam | tail | brake | indicator | reverse | fog
    center_car: tuple[float, float, float]
    normal_car: tuple[float, float, float]


@dataclass(frozen=True)
class MaterialSpec:
    """A Principled BSDF in figures; colours are linear RGB 0..1.  `parts` are the part names that wear it."""

    name: str
    parts: tuple[str, ...]
    base_color_linear: tuple[float, float, float]
    metallic: float = 0.0
    roughness: float = 0.5
    coat: float = 0.0
    transmission: float = 0.0
    emission_linear: tuple[float, float, float] = (0.0, 0.0, 0.0)
    uses_photo: bool = True


@dataclass(frozen=True)
class Texture:
    """What the photograph gives: photo_srgb01 (S, S, 3) float32 in the UV layout (row 0 = top, v = 1), and how sure each texel is, 0..1."""

    photo_srgb01: np.ndarray
    confidence01: np.ndarray
    materials: tuple[MaterialSpec, ...]
    paint_srgb01: tuple[float, float, float]

    def __post_init__(self) -> None:
        size = self.photo_srgb01.shape[0]
        check_shape("photo_srgb01", self.photo_srgb01.shape, (size, size, 3))
        check_shape("confidence01", self.confidence01.shape, (size, size))


@dataclass(frozen=True)
class CarAsset:
    """Everything the scene needs, in plain arrays; core/asset saves and loads it."""

    name: str
    photo_path: str
    body: MeshData
    wheels: tuple[Wheel, ...]
    lights: tuple[Light, ...]
    texture: Texture
    camera: Camera
    body_type: str
    dimensions_m: dict[str, float]  # length width height wheelbase track_front track_rear
    measures: dict[str, float]
    quality: dict[str, float]  # mask_iou confidence
    matte01: np.ndarray
    settings: Settings
    timings_s: dict[str, float] = field(default_factory=dict)
    coefficients: tuple[float, ...] = ()  # of the learned modes, as in CarShape
    views_srgb01: np.ndarray | None = None  # (H, W, 4) float32, straight alpha: a sheet of the car from all round, as a generator draws it

    @property
    def shape(self) -> CarShape:
        """The point of the shape space that the body and wheels were made of; a residual is in the body alone."""
        return CarShape(self.measures, self.body_type, self.coefficients)
