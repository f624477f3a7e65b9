"""The UV layout seen from the texels: which point of which face each texel shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import torch

from ..device import one_thread
from ..render.rasterize import nearest_triangles
from ..side_by_side import side_by_side
from ..types import MeshData

LAYOUTS = 6  # kept: body and one wheel of either side at two sizes; 70 MB for those of a car at 2048


@dataclass(frozen=True)
class Texels:
    """The N texels that a mesh covers: flat index into the (S, S) texture, row 0 = top; its triangle; weights of two corners.

    Positions are not stored: the same texels serve the mesh, its mirror image and each of the four wheels.
    """

    size_px: int
    index: np.ndarray  # (N,) int64
    triangle: np.ndarray  # (N,) int64 into triangles
    weight: np.ndarray  # (2, N) float32 of the corners 0 and 1; the rest to 1 is that of corner 2
    corner_share: np.ndarray  # (T, 3) the weights of each corner, summed over the texels of its triangle
    triangles: np.ndarray  # (T, 3) int64 vertex indices
    triangle_uv01: np.ndarray  # (T, 3, 2) float32
    triangle_part: np.ndarray  # (T,) int64

    def spread(self, vertex_values: np.ndarray, places: np.ndarray | None = None) -> np.ndarray:
        """(V, C) values at the vertices -> (N, C) float32 at the texels, or (M, C) at the given places among them."""
        return self.between(vertex_values[self.triangles], places)

    def between(self, corner_values: np.ndarray, places: np.ndarray | None = None) -> np.ndarray:
        """(T, 3, C) values at the corners of the triangles -> (N, C) or (M, C) float32.

        In memory each channel lies by itself: short tables stay in the processor's cache, and what follows works on whole channels.
        """
        triangle, weight = (self.triangle, self.weight) if places is None else (self.triangle[places], self.weight[:, places])
        corner = np.ascontiguousarray(np.moveaxis(corner_values, 0, -1), np.float32)  # (3, C, T)
        found = np.empty((corner.shape[1], len(triangle)), np.float32)
        for channel, last in zip(found, corner[2], strict=True):
            last.take(triangle, out=channel, mode="clip")  # clip: without the check of every index
        for share, slope in zip(weight, corner[:2] - corner[2], strict=True):
            for channel, table in zip(found, slope, strict=True):
                channel += share * table.take(triangle, mode="clip")
        return found.T

    def gathered(self, values: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The other way: (M, C) values at the given places, weighted and summed at the corners of their triangles, (T, 3, C)."""
        triangle, weight = self.triangle[places], self.weight[:, places]
        return np.stack(side_by_side(lambda channel: _at_corners(triangle, weight, channel, len(self.triangles)), values.T), 2)

    def chosen(self, kept: np.ndarray) -> Texels:
        """Only the texels at the given places."""
        triangle, weight = self.triangle[kept], self.weight[:, kept]
        share = _at_corners(triangle, weight, np.ones(len(triangle)), len(self.triangles))
        return replace(self, index=self.index[kept], triangle=triangle, weight=weight, corner_share=share)


def texels_of(mesh: MeshData, size_px: int) -> Texels:
    """Rasterise the UV layout of a mesh at size_px; where faces share texels the first face has them.

    The layout is the same for every car of the template, so it is rasterised once.
    """
    uv = np.concatenate([mesh.uv01[:, [0, 1, 2]], mesh.uv01[:, [0, 2, 3]]]).astype(np.float32)
    triangles = np.concatenate([mesh.quads[:, [0, 1, 2]], mesh.quads[:, [0, 2, 3]]]).astype(np.int64)
    part = np.concatenate([mesh.part_index, mesh.part_index]).astype(np.int64)
    index, triangle, weight, corner_share = _covered(uv.tobytes(), size_px)
    return Texels(size_px, index, triangle, weight, corner_share, triangles, uv, part)


@lru_cache(LAYOUTS)
def _covered(uv01: bytes, size_px: int) -> tuple[np.ndarray, ...]:
    """index, triangle, weight and corner_share of Texels for triangles (T, 3, 2) float32 in the UV square, bytes to be looked up by."""
    uv = np.frombuffer(uv01, np.float32).reshape(-1, 3, 2)
    flat = torch.from_numpy(uv.reshape(-1, 2) * 2 - 1)
    pos = torch.cat([flat, torch.zeros(len(flat), 1), torch.ones(len(flat), 1)], 1)[None]
    with torch.no_grad(), one_thread():
        ids = nearest_triangles(pos, torch.arange(len(flat)).view(-1, 3), (size_px, size_px))[0]
    top_down = ids[0].flip(0).numpy().reshape(-1)
    index = np.flatnonzero(top_down)
    triangle = top_down[index].astype(np.int64) - 1
    weight = _weights(uv, index, triangle, size_px)
    return _kept(index, triangle, weight, _at_corners(triangle, weight, np.ones(len(triangle)), len(uv)))


def _weights(uv01: np.ndarray, index: np.ndarray, triangle: np.ndarray, size_px: int) -> np.ndarray:
    """(2, N) float32 weights of the first two corners of their triangles at the middles of texels."""
    edge = (uv01[:, :2] - uv01[:, 2:]).astype(np.float64)  # (T, 2, 2) from the last corner to the others
    area = edge[:, 0, 0] * edge[:, 1, 1] - edge[:, 0, 1] * edge[:, 1, 0]
    inverse = 1 / np.where(area == 0, 1, area)
    right = (index % size_px + 0.5) / size_px - uv01[:, 2, 0].take(triangle)
    up = 1 - (index // size_px + 0.5) / size_px - uv01[:, 2, 1].take(triangle)
    first = (edge[:, 1, 1] * inverse).take(triangle) * right - (edge[:, 1, 0] * inverse).take(triangle) * up
    second = (edge[:, 0, 0] * inverse).take(triangle) * up - (edge[:, 0, 1] * inverse).take(triangle) * right
    return np.stack([first, second]).clip(0, 1).astype(np.float32)


def _at_corners(triangle: np.ndarray, weight: np.ndarray, values: np.ndarray, triangles: int) -> np.ndarray:
    """(T, 3) sums of values (N,) times their weights (2, N) of the corners of their triangles (N,)."""
    first, second = (np.bincount(triangle, share * values, triangles) for share in weight)
    return np.stack([first, second, np.bincount(triangle, values, triangles) - first - second], 1)


def nearest_covered(covered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a picture (H, W) bool: flat indices (n,) of what is not covered, and for each that of the nearest covered place."""
    _, label = cv2.distanceTransformWithLabels((~covered).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    inside, outside = np.flatnonzero(covered), np.flatnonzero(~covered)
    source = np.zeros(label.max() + 1, np.int64)
    source[label.reshape(-1)[inside]] = inside
    return outside, source[label.reshape(-1)[outside]]


def padding_of(several: list[Texels]) -> tuple[np.ndarray, np.ndarray]:
    """nearest_covered for the islands of several meshes in one layout."""
    outside, source = _padding(tuple(texels.triangle_uv01.tobytes() for texels in several), several[0].size_px)
    return outside, source


@lru_cache(LAYOUTS)
def _padding(layouts: tuple[bytes, ...], size_px: int) -> tuple[np.ndarray, ...]:
    covered = np.zeros(size_px**2, bool)
    for layout in layouts:
        covered[_covered(layout, size_px)[0]] = True
    return _kept(*(places.astype(np.int32) for places in nearest_covered(covered.reshape(size_px, size_px))))


def _kept(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """The arrays, which nobody can write to any more."""
    for array in arrays:
        array.flags.writeable = False
    return arrays


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals, each the area-weighted mean of its faces'."""
    corner = vertices[triangles]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    return _unit(gather_at_vertices(np.repeat(face[:, None], 3, 1), triangles, len(vertices)))


def gather_at_vertices(corner_values: np.ndarray, triangles: np.ndarray, vertices: int) -> np.ndarray:
    """Sum (T, 3, C) values of corners at their vertices -> (V, C)."""
    flat, values = triangles.reshape(-1), corner_values.reshape(-1, corner_values.shape[2])
    return np.stack([np.bincount(flat, values[:, c], vertices) for c in range(values.shape[1])], 1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
