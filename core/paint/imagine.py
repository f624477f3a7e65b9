"""What a generator's pictures say of surfaces that no photograph shows.

They are coarse, and lie a little beside the mesh; so only the mean round a vertex is taken from them, material by material, and the part
materials and lines on top stay sharp.
"""

from __future__ import annotations

import numpy as np

from ..types import Imagined, Matte, MeshData, Photo
from .fill import mean_at_nodes, nodes_of
from .texels import texels_of
from .view import look, open_view

COARSE_TEXTURE_PX = 512
ENOUGH = 0.25  # share of a node's texels, seen in some picture, that makes its colour sure


def imagined_colours(
    imagined: Imagined, mesh: MeshData, vertices_car: np.ndarray, whole: tuple[np.ndarray, np.ndarray], triangle_kind: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """srgb01 (T, 3, 3) at the triangles' corners of a mesh and belief01 (T, 3, 1) in it, the triangles in the order of texels_of().

    whole: vertices and triangles of all that can hide the mesh.  triangle_kind (T,): pictures are averaged within a kind of material only.
    """
    texels = texels_of(mesh, COARSE_TEXTURE_PX)
    nodes, corner_node = nodes_of(texels, triangle_kind)
    sums, weights = np.zeros((len(nodes), 3)), np.zeros(len(nodes))
    for rgba, camera in zip(imagined.pictures_srgb01, imagined.cameras, strict=True):
        straight = (rgba[..., :3] / np.maximum(rgba[..., 3:], 1e-3)).clip(0, 1)
        view = open_view(Photo("", straight), Matte(rgba[..., 3], "generator", 1.0), camera, *whole, COARSE_TEXTURE_PX)
        seen = look(view, texels, vertices_car)
        mean, weight = mean_at_nodes(texels, corner_node, len(nodes), seen.place, seen.srgb01, seen.belief01)
        sums, weights = sums + mean * weight[:, None], weights + weight
    colour = sums / np.maximum(weights, 1e-9)[:, None]
    belief = np.clip(weights / ENOUGH, 0, 1)
    return colour[corner_node].astype(np.float32), belief[corner_node][..., None].astype(np.float32)
