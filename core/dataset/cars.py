"""The table of car models and their GLB files, read into arrays in the car frame."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UserInputError
from ..types import BODY_TYPES
from .surfaces import Surface, surface_of

BODY_WORDS = (  # first word found in the table's body column decides; "sport sedan" must meet sedan before sport
    ("sedan", "sedan"), ("taxi", "sedan"), ("police", "sedan"), ("hatchback", "hatchback"), ("estate", "wagon"), ("wagon", "wagon"),
    ("minibus", "van"), ("van", "van"), ("suv", "suv"), ("utility", "suv"),
    ("pickup", "pickup"), ("flatbed", "pickup"), ("towtruck", "pickup"),
    ("coupe", "coupe"), ("muscle", "coupe"), ("sport", "coupe"), ("roadster", "coupe"), ("citycar", "citycar"), ("microcar", "citycar"),
)  # fmt: skip
NO_WHEEL = 4  # wheel index of every face that belongs to no wheel
NOT_ONE_PAINT = ("gz_hatchback", "gz_suv", "osrf_prius", "police_murphy97")  # their pictures hold paint, glass and livery in one
WIDTH_BELOW = 0.55  # door mirrors sit higher than this share of the height and are no part of the width


@dataclass(frozen=True)
class CarRow:
    """One line of the table: split is train or dev; body_type is one of BODY_TYPES."""

    name: str
    split: str
    body_type: str
    author: str
    licence: str


@dataclass(frozen=True)
class CarModel:
    """A car as triangle soup in the GLB's frame (car frame axes, centred in x and y, wheels on z = 0, metres).

    positions_m, normals (F, 3, 3) float32; uv01 (F, 3, 2) float32, v down; surface_index (F,) into surfaces;
    wheel_index (F,) int: 0 front left, 1 front right, 2 rear left, 3 rear right, NO_WHEEL elsewhere; nodes: the name of the node that
    each of the surfaces comes from.
    """

    row: CarRow
    positions_m: np.ndarray
    normals: np.ndarray
    uv01: np.ndarray
    surface_index: np.ndarray
    surfaces: tuple[Surface, ...]
    wheel_index: np.ndarray
    nodes: tuple[str, ...] = ()


def body_type_of(words: str) -> str:
    """The body type of a free description such as "sport sedan"; raises UserInputError where no known word is in it."""
    for word, body_type in BODY_WORDS:
        if word in words.lower():
            return body_type
    raise UserInputError(f"The body {words!r} of the car table is unknown; name one of {', '.join(BODY_TYPES)}, or teach it to BODY_WORDS.")


def read_cars(table: Path, split: str | None = None) -> list[CarRow]:
    """The rows of cars.csv, all or of one split.  Raises UserInputError where the table is missing."""
    if not table.is_file():
        raise UserInputError(f"The car table {table} is missing; give the folder that holds cars.csv and the GLB files.")
    with table.open(newline="") as lines:
        rows = [CarRow(r["name"], r["split"], body_type_of(r["body"]), r["author"], r["licence"]) for r in csv.DictReader(lines)]
    return [row for row in rows if split is None or row.split == split]


def read_model(folder: Path, row: CarRow) -> CarModel:
    """Read FOLDER/NAME.glb; glTF's axes become the car frame's."""
    import trimesh  # only the makers of training data need it

    scene = trimesh.load(folder / f"{row.name}.glb", process=False)
    pieces: dict[str, list[np.ndarray]] = {key: [] for key in ("positions", "normals", "uv", "surface", "wheel")}
    surfaces: list[Surface] = []
    nodes = tuple(scene.graph.nodes_geometry)
    for node in nodes:
        transform, geometry = scene.graph[node]
        mesh = scene.geometry[geometry]
        positions = _to_car(trimesh.transform_points(mesh.vertices, transform))
        normals = _to_car(np.asarray(mesh.vertex_normals) @ np.linalg.inv(transform[:3, :3]))
        uv = mesh.visual.uv if mesh.visual.uv is not None else np.zeros((len(positions), 2))
        pieces["positions"].append(positions[mesh.faces])
        pieces["normals"].append(normals[mesh.faces])
        pieces["uv"].append(np.stack([uv[:, 0], 1 - uv[:, 1]], 1)[mesh.faces])
        pieces["surface"].append(np.full(len(mesh.faces), len(surfaces)))
        pieces["wheel"].append(np.full(len(mesh.faces), wheel_of(node, positions)))
        surfaces.append(surface_of(mesh.visual.material))
    joined = {key: np.concatenate(value) for key, value in pieces.items()}
    floats = {key: joined[key].astype(np.float32) for key in ("positions", "normals", "uv")}
    return CarModel(row, floats["positions"], floats["normals"], floats["uv"], joined["surface"], tuple(surfaces), joined["wheel"], nodes)


def proportions(model: CarModel) -> dict[str, float]:
    """Width, height and wheelbase as shares of the length, and the length in metres; wheelbase is nan where the wheels have no nodes."""
    points = model.positions_m.reshape(-1, 3)
    low, high = points.min(0), points.max(0)
    length, height = float(high[1] - low[1]), float(high[2])
    lower = points[points[:, 2] < WIDTH_BELOW * height]
    centres = [_middle(model.positions_m[model.wheel_index == corner]) for corner in range(4)]
    wheelbase = float("nan") if any(c is None for c in centres) else float((centres[2] + centres[3] - centres[0] - centres[1])[1] / 2)  # type: ignore[operator]
    return {"length_m": length, "width": float(np.ptp(lower[:, 0])) / length, "height": height / length, "wheelbase": wheelbase / length}


def _middle(triangles: np.ndarray) -> np.ndarray | None:
    if not len(triangles):
        return None
    points = triangles.reshape(-1, 3)
    return (points.min(0) + points.max(0)) / 2


def _to_car(points_gltf: np.ndarray) -> np.ndarray:
    x, y, z = points_gltf.T
    return np.stack([x, -z, y], 1)


def wheel_of(node: str, positions_m: np.ndarray) -> int:
    word = node.lower()
    if "wheel" not in word or "steering" in word:
        return NO_WHEEL
    x, y, _ = (positions_m.min(0) + positions_m.max(0)) / 2
    return (0 if y < 0 else 2) + (0 if x > 0 else 1)
