"""The UV layout seen from the texels: which point of which face each texel shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..render.render import rasterize
from ..types import MeshData


@dataclass(frozen=True)
class Texels:
    """The N texels that a mesh covers: flat index into the (S, S) texture, row 0 = top; its triangle; corner weights.

    Positions are not stored: the same texels serve the mesh, its mirror image and each of the four wheels.
    """

    size_px: int
    index: np.ndarray  # (N,) int64
    triangle: np.ndarray  # (N,) int64 into triangles
    weight: np.ndarray  # (N, 3) float32, sums to 1
    triangles: np.ndarray  # (T, 3) int64 vertex indices
    triangle_uv01: np.ndarray  # (T, 3, 2)
    triangle_part: np.ndarray  # (T,) int64

    def spread(self, vertex_values: np.ndarray) -> np.ndarray:
        """(V, C) values at the vertices -> (N, C) float32 at the texels."""
        values = torch.from_numpy(np.ascontiguousarray(vertex_values, np.float32))
        corner = torch.from_numpy(self.triangles[self.triangle])
        weight = torch.from_numpy(self.weight)
        return sum(values.index_select(0, corner[:, k]) * weight[:, k : k + 1] for k in range(3)).numpy()  # type: ignore[union-attr]

    def chosen(self, kept: np.ndarray) -> Texels:
        """Only the texels at the given places."""
        return Texels(
            self.size_px, self.index[kept], self.triangle[kept], self.weight[kept], self.triangles, self.triangle_uv01, self.triangle_part
        )


def texels_of(mesh: MeshData, size_px: int) -> Texels:
    """Rasterise the UV layout of a mesh at size_px; where faces share texels the first face has them."""
    uv = np.concatenate([mesh.uv01[:, [0, 1, 2]], mesh.uv01[:, [0, 2, 3]]])
    triangles = np.concatenate([mesh.quads[:, [0, 1, 2]], mesh.quads[:, [0, 2, 3]]]).astype(np.int64)
    part = np.concatenate([mesh.part_index, mesh.part_index]).astype(np.int64)
    flat = torch.from_numpy(uv.reshape(-1, 2)).float() * 2 - 1
    pos = torch.cat([flat, torch.zeros(len(flat), 1), torch.ones(len(flat), 1)], 1)[None]
    with torch.no_grad():
        rast, _ = rasterize(pos, torch.arange(len(flat)).view(-1, 3), (size_px, size_px), with_db=False, backend="torch")
    covered = rast[0].view(-1, 4)
    bottom_up = covered[:, 3].nonzero().squeeze(1)
    found = covered.index_select(0, bottom_up)
    rows = size_px - 1 - bottom_up // size_px
    weight = torch.cat([found[:, :2], 1 - found[:, :1] - found[:, 1:2]], 1)
    index = rows * size_px + bottom_up % size_px
    return Texels(size_px, index.numpy(), found[:, 3].long().numpy() - 1, weight.numpy(), triangles, uv, part)


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
