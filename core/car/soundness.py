"""How much of a body has folded over, compared with a body that is known to be good."""

from __future__ import annotations

from functools import cache

import numpy as np

from . import arrays as xp
from .skeleton import body_vertices, skeleton

FOLDED_SHARE = 5e-4  # of the surface: about a hand's breadth squared on a car; beyond it a fold shows
_BENT_M4 = 1e-8  # corners may look away from their face by this much; 1 cm squared, both ways


class Soundness:
    """Bodies of (B, V, 3) vertices against that of `base` measures (P,) with its offset (V, 3) in metres from the template, none if None.

    The left half is looked at, the right is like it.
    """

    def __init__(self, base: np.ndarray, offset_m: np.ndarray | None = None) -> None:
        good = body_vertices(base[None]) + (0.0 if offset_m is None else offset_m)
        self._normals = _normals(good)
        self._bent = _bent(good, self._normals)

    def folded_share(self, vertices: np.ndarray) -> np.ndarray:
        """(B, V, 3) -> (B,) share of the surface whose faces are turned inside out or twisted, and are not in the good body."""
        normals = _normals(vertices)
        area = np.sqrt((normals * normals).sum(-1))
        return (area * self._folded(vertices, normals)).sum(-1) / area.sum(-1)

    def folded_faces(self, vertices: np.ndarray) -> np.ndarray:
        """(B, V, 3) -> (B, F / 2) which faces of the left half those are."""
        return self._folded(vertices, _normals(vertices))

    def _folded(self, vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
        return ((normals * self._normals).sum(-1) < 0) | (_bent(vertices, normals) & ~self._bent)


@cache
def _corners() -> list[np.ndarray]:
    quads = skeleton().quads
    return list(np.ascontiguousarray(quads[: len(quads) // 2].T))


def _normals(vertices: np.ndarray) -> np.ndarray:
    """(B, F / 2, 3) products of the diagonals: twice the faces' areas long."""
    a, b, c, d = (vertices[:, corner] for corner in _corners())
    return xp.cross(c - a, d - b)


def _bent(vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """(B, F / 2) faces with a corner that looks away from the face."""
    corners = [vertices[:, corner] for corner in _corners()]
    edges = [corners[(k + 1) % 4] - corners[k] for k in range(4)]
    return np.any([(xp.cross(edges[k], -edges[k - 1]) * normals).sum(-1) < -_BENT_M4 for k in range(4)], 0)
