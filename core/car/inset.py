"""Panes, lamps, grille and plates set into their surroundings: each gets vertices of its own, and a frame of faces closes the gap."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import parts
from .faces import Faces

# part prefix -> (share of the way to the neighbouring faces' middles, depth in metres inwards, part of the frame that appears round it)
INSETS = {
    "windshield": (0.22, 0.004, "window_trim"), "rear_window": (0.22, 0.004, "rear_window_frame"),
    "side_window_front": (0.22, 0.006, "window_trim"), "side_window_rear": (0.22, 0.006, "window_trim"),
    "side_window_quarter": (0.22, 0.006, "quarter_frame_SIDE"), "headlight": (0.22, 0.006, "lamp_housing"),
    "taillight": (0.18, 0.004, "lamp_housing"), "grille": (0.25, 0.018, "bumper_front"), "grille_lower": (0.25, 0.02, "bumper_front"),
    "license_plate_front": (0.12, -0.006, "bumper_front"), "license_plate_rear": (0.12, -0.006, "bumper_rear"),
    "fog_light": (0.3, 0.012, "bumper_front"), "indicator_front": (0.18, 0.004, "lamp_housing"),
    "indicator_rear": (0.18, 0.004, "lamp_housing"),
}  # fmt: skip
TOGETHER = {"high_beam": "headlight", "brake_light": "taillight", "reverse_light": "taillight"}  # lamps that share one housing

Edge = frozenset[int]


@dataclass
class Insets:
    """Growing lists, one entry a new vertex: the old vertex it stands for, its weights over old vertices by vertex, its depth inwards
    in metres; and the faces that were moved onto new vertices."""

    source: list[int] = field(default_factory=list)
    weights: list[dict[int, float]] = field(default_factory=list)
    depth_m: list[float] = field(default_factory=list)
    faces: list[int] = field(default_factory=list)


def set_in(faces: Faces, next_vertex: int, on_centre: np.ndarray) -> Insets:
    """Set every part of INSETS into `faces`, whose corners are replaced by new vertices numbered from next_vertex.

    on_centre (n,) bool marks the old vertices on the car's middle plane: a pane goes on there, and has no rim.
    """
    insets = Insets()
    for base, members in _groups(faces.part).items():
        share, depth_m, frame = INSETS[base]
        rim = _rim(faces, members, on_centre)
        new = _new_vertices(insets, faces, members, rim, share, depth_m, next_vertex)
        _move(faces, members, rim, new, frame)
        insets.faces += members
    return insets


def _groups(part_of_face: list[str]) -> dict[str, list[int]]:
    """The faces of every pane, by its name in INSETS."""
    groups: dict[str, list[int]] = {}
    for f, name in enumerate(part_of_face):
        base = TOGETHER.get(parts.base_name(name), parts.base_name(name))
        if base in INSETS:
            groups.setdefault(base, []).append(f)
    return groups


def _edges(corners: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(corners[k], corners[(k + 1) % 4]) for k in range(4)]


def _rim(faces: Faces, members: list[int], on_centre: np.ndarray) -> set[Edge]:
    """The edges that only one of the member faces has."""
    count: dict[Edge, int] = {}
    for f in members:
        for edge in _edges(faces.corners[f]):
            count[frozenset(edge)] = count.get(frozenset(edge), 0) + 1
    return {edge for edge, times in count.items() if times == 1 and not all(on_centre[v] for v in edge)}


def _new_vertices(
    insets: Insets, faces: Faces, members: list[int], rim: set[Edge], share: float, depth_m: float, next_vertex: int
) -> dict[int, int]:
    """One new vertex for each of a pane's old ones, on the rim drawn towards the middles of its faces; new number by old."""
    around: dict[int, list[int]] = {}
    for f in members:
        for v in faces.corners[f]:
            around.setdefault(v, []).append(f)
    on_rim = {v for edge in rim for v in edge}
    new = {v: next_vertex + len(insets.weights) + k for k, v in enumerate(around)}
    for v, beside in around.items():
        mixed = {v: 1.0 - (share if v in on_rim else 0.0)}
        if v in on_rim:
            for corner in (corner for f in beside for corner in faces.corners[f]):
                mixed[corner] = mixed.get(corner, 0.0) + share / (4 * len(beside))
        insets.source.append(v)
        insets.weights.append(mixed)
        insets.depth_m.append(depth_m)
    return new


def _move(faces: Faces, members: list[int], rim: set[Edge], new: dict[int, int], frame: str) -> None:
    """Put a pane's faces on its new vertices and close the gap along the rim."""
    for f in members:
        for a, b in _edges(faces.corners[f]):
            if frozenset((a, b)) in rim:
                faces.add((a, b, new[b], new[a]), frame, faces.chart[f])
        faces.corners[f] = tuple(new[v] for v in faces.corners[f])
