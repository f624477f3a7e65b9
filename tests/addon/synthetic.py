"""A box-shaped car with everything a CarAsset may hold, made from a few numbers: no template, no fit, no photograph."""

from __future__ import annotations

import math

import numpy as np

from imago.core.types import Camera, CarAsset, Light, MaterialSpec, MeshData, Settings, Texture, Wheel

WHEELBASE_M, TRACK_M, RADIUS_M, WHEEL_WIDTH_M = 2.6, 1.5, 0.31, 0.2
LENGTH_M, WIDTH_M, HEIGHT_M, CLEARANCE_M, BELT_M = 4.2, 1.7, 1.4, 0.2, 0.9
TEXTURE_PX = 64
PAINT_LINEAR = (0.6, 0.03, 0.02)


def _grid_box(
    low: tuple[float, float, float], high: tuple[float, float, float], cells: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Welded surface of a box in quads, normals outward: vertices (V, 3), quads (F, 4)."""
    index: dict[tuple[int, int, int], int] = {}
    quads = []

    def vertex(point: tuple[int, int, int]) -> int:
        return index.setdefault(point, len(index))

    for axis in range(3):
        one, two = (axis + 1) % 3, (axis + 2) % 3
        for side in (0, cells[axis]):
            for i in range(cells[one]):
                for j in range(cells[two]):
                    ring = [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)]
                    points = []
                    for u, v in ring if side else ring[::-1]:
                        point = [0, 0, 0]
                        point[axis], point[one], point[two] = side, u, v
                        points.append(vertex((point[0], point[1], point[2])))
                    quads.append(points)
    points_01 = np.array(list(index)) / np.array(cells)
    return (np.array(low) + points_01 * (np.array(high) - np.array(low))).astype(np.float32), np.array(quads, np.int32)


def _uv(vertices: np.ndarray, quads: np.ndarray) -> np.ndarray:
    """Side view into the unit square: enough for a picture to be seen on it."""
    low, high = vertices.min(0), vertices.max(0)
    place = (vertices[quads] - low) / (high - low)
    return np.stack([place[..., 1], place[..., 2]], -1).astype(np.float32)


def box_body() -> MeshData:
    """Lower box with bumpers, hood and lamps, upper box of glass; wheels lie beside it."""
    half_l, half_w = LENGTH_M / 2, WIDTH_M / 2
    lower, lower_quads = _grid_box((-half_w, -half_l, CLEARANCE_M), (half_w, half_l, BELT_M), (6, 12, 4))
    upper, upper_quads = _grid_box((-half_w * 0.8, -half_l * 0.4, BELT_M), (half_w * 0.8, half_l * 0.6, HEIGHT_M), (4, 6, 3))
    vertices, quads = np.concatenate([lower, upper]), np.concatenate([lower_quads, upper_quads + len(lower)])
    center = vertices[quads].mean(1)
    x, y, z = center.T
    names = ["door_left", "door_right", "hood", "bumper_front", "bumper_rear", "underbody", "windshield", "roof"]
    names += ["headlight_left", "headlight_right", "indicator_left", "indicator_right", "taillight_left", "taillight_right", "reverse_left"]
    part = np.where(x > 0, names.index("door_left"), names.index("door_right"))

    def paint(name: str, where: np.ndarray) -> None:
        part[where] = names.index(name)

    paint("hood", z >= BELT_M - 1e-4)
    paint("windshield", z > BELT_M + 0.01)
    paint("roof", z > HEIGHT_M - 0.01)
    paint("underbody", z < CLEARANCE_M + 0.01)
    front, rear = y < -half_l + 1e-4, y > half_l - 1e-4
    paint("bumper_front", front)
    paint("bumper_rear", rear)
    row = np.abs(z - 0.6375) < 0.01  # third of four rows
    for side, sign in (("left", 1), ("right", -1)):
        outer = row & (sign * x > half_w * 0.68)
        inner = row & (sign * x > half_w * 0.35) & ~outer
        paint(f"headlight_{side}", front & inner)
        paint(f"indicator_{side}", (front | rear) & outer)
        paint(f"taillight_{side}", rear & inner)
    paint("reverse_left", rear & (np.abs(z - 0.4625) < 0.01) & (x > half_w * 0.68))
    return MeshData(vertices, quads, _uv(vertices, quads), part.astype(np.int32), tuple(names))


def drum_wheel(left: bool) -> MeshData:
    """Closed drum about X with a tyre, a rim and a hub on its outer side; quads only."""
    steps, half, out = 32, WHEEL_WIDTH_M / 2, 1.0 if left else -1.0
    # (x, radius, part of the band that starts here), from the inner hub over the tread to the outer hub
    profile = [
        (-half, 0.04, 1),
        (-half, 0.2, 0),
        (-half, RADIUS_M, 0),
        (half, RADIUS_M, 0),
        (half, 0.2, 1),
        (half * 0.8, 0.06, 2),
        (half, 0.02, 2),
    ]
    angle = np.arange(steps) * 2 * math.pi / steps  # a vertex at the top and one at the bottom, so that the radius is exact there
    rings = [np.stack([np.full(steps, x * out), r * np.sin(angle), r * np.cos(angle)], 1) for x, r, _ in profile]
    quads, part = [], []
    for ring in range(len(profile) - 1):
        for k in range(steps):
            a, b = ring * steps + k, ring * steps + (k + 1) % steps
            quads.append([a, b, b + steps, a + steps] if not left else [a, a + steps, b + steps, b])
            part.append(profile[ring][2])
    vertices = np.concatenate(rings).astype(np.float32)
    return MeshData(vertices, np.array(quads, np.int32), _uv(vertices, np.array(quads)), np.array(part, np.int32), ("tyre", "rim", "hub"))


def _lights(body: MeshData) -> tuple[Light, ...]:
    lights = []
    for part, kinds in (
        ("headlight", ("headlight", "high_beam")),
        ("taillight", ("tail", "brake")),
        ("indicator", ("indicator",)),
        ("reverse", ("reverse",)),
    ):
        for side in ("left", "right"):
            faces = body.faces_of(f"{part}_{side}")
            if len(faces):
                center = body.vertices_m[body.quads[faces]].mean((0, 1))
                lights += [
                    Light(f"{part}_{side}", kind, tuple(map(float, center)), (0.0, math.copysign(1, center[1]), 0.0)) for kind in kinds
                ]
    return tuple(lights)


def _texture() -> Texture:
    """Grey picture with a ramp, so that up and down, left and right can be told apart."""
    ramp = np.rint(np.linspace(40, 220, TEXTURE_PX)).astype(np.float32) / np.float32(255)
    picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], np.float32(128 / 255)), -1).astype(np.float32)
    confidence = np.ones((TEXTURE_PX, TEXTURE_PX), np.float32)
    materials = (
        MaterialSpec(
            "paint", ("door_left", "door_right", "hood", "bumper_front", "bumper_rear", "roof"), PAINT_LINEAR, 0.0, 0.35, coat=1.0
        ),
        MaterialSpec("glass", ("windshield",), (0.01, 0.012, 0.014), 0.0, 0.02, transmission=0.3),
        MaterialSpec("underbody", ("underbody",), (0.02, 0.02, 0.02), 0.0, 0.9, uses_photo=False),
        MaterialSpec("rubber", ("tyre",), (0.015, 0.015, 0.015), 0.0, 0.85),
        MaterialSpec("rim", ("rim", "hub"), (0.6, 0.6, 0.62), 0.9, 0.3),
        MaterialSpec("lamp_clear", ("headlight_left", "headlight_right", "reverse_left"), (0.7, 0.72, 0.75), 0.2, 0.1, coat=1.0),
        MaterialSpec("lamp_red", ("taillight_left", "taillight_right"), (0.35, 0.01, 0.01), 0.0, 0.1, coat=1.0),
        MaterialSpec("lamp_amber", ("indicator_left", "indicator_right"), (0.6, 0.2, 0.01), 0.0, 0.1, coat=1.0),
    )
    return Texture(picture, confidence, materials, (0.79, 0.19, 0.15))


def look_at(azimuth_rad: float, elevation_rad: float, distance_m: float, height_m: float = 0.7) -> np.ndarray:
    """camera_to_car of a level camera; azimuth 0 looks at the nose, pi / 2 at the left flank."""
    toward = np.array(
        [math.sin(azimuth_rad) * math.cos(elevation_rad), -math.cos(azimuth_rad) * math.cos(elevation_rad), math.sin(elevation_rad)]
    )
    right = np.array([math.cos(azimuth_rad), math.sin(azimuth_rad), 0.0])
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([right, np.cross(toward, right), toward], 1)
    matrix[:3, 3] = toward * distance_m + [0, 0, height_m]
    return matrix


def synthetic_car(name: str = "box", photo_path: str = "box.png") -> CarAsset:
    """The whole asset; valid in every field."""
    body = box_body()
    wheels = []
    for end, sign_y in (("front", -1), ("rear", 1)):
        for side, sign_x in (("left", 1), ("right", -1)):
            center = (sign_x * TRACK_M / 2, sign_y * WHEELBASE_M / 2, RADIUS_M)
            wheels.append(Wheel(f"wheel_{end}_{side}", center, RADIUS_M, WHEEL_WIDTH_M, end == "front", drum_wheel(side == "left")))
    matte = np.zeros((120, 180), np.float32)
    matte[40:100, 30:150] = 1
    return CarAsset(
        name=name,
        photo_path=photo_path,
        body=body,
        wheels=tuple(wheels),
        lights=_lights(body),
        texture=_texture(),
        camera=Camera((180, 120), 50.0, look_at(0.6, 0.2, 9.0)),
        body_type="sedan",
        dimensions_m={
            "length": LENGTH_M,
            "width": WIDTH_M,
            "height": HEIGHT_M,
            "wheelbase": WHEELBASE_M,
            "track_front": TRACK_M,
            "track_rear": TRACK_M,
        },
        measures={"length": LENGTH_M},
        quality={"mask_iou": 0.9, "confidence": 0.8},
        matte01=matte,
        settings=Settings(texture_size_px=TEXTURE_PX),
        timings_s={"total": 1.5, "fit": 1.0},
    )
