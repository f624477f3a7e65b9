"""The texels that no photograph shows: material colour, carried on smoothly from what lies beside them on the car."""

from __future__ import annotations

import cv2
import numpy as np

from ..car.parts import base_name
from ..types import MeshData
from .texels import Texels

CARRY_M = 0.9  # over this distance the neighbourhood's tint fades back to the plain material
ROUNDS = 250
SHUT_LINE_M, SHUT_LINE_SHADE = 0.005, 0.45  # gaps round the parts that open
OPENING_PARTS = ("hood", "trunk", "door_front", "door_rear", "bumper_front", "bumper_rear")


def carried_tint(
    texels: Texels, vertices: np.ndarray, triangle_kind: np.ndarray, difference: np.ndarray, belief01: np.ndarray
) -> np.ndarray:
    """(N, 3) tint for every texel: `difference` (N, 3, photograph less material) where believed, spread over the surface elsewhere.

    Solves (belief + L + 1 / CARRY_M^2) tint = belief difference on the mesh by damped Jacobi rounds.  It runs along the surface and not
    along the texture, so islands that touch on the car match, and within one kind of material, so glass does not darken paint.
    """
    nodes, corner_node = np.unique(texels.triangles * 64 + triangle_kind[:, None], return_inverse=True)
    corner_node = corner_node.reshape(-1, 3)
    seen, seen_weight = _mean_at_nodes(texels, corner_node, len(nodes), difference, belief01)
    edges = np.concatenate([corner_node[:, [0, 1]], corner_node[:, [1, 2]], corner_node[:, [2, 0]]])
    edges = np.unique(np.sort(edges, 1), axis=0)
    place = vertices[nodes // 64]
    length = np.maximum(np.linalg.norm(place[edges[:, 0]] - place[edges[:, 1]], axis=1), 0.01)
    # With degree d and edge length l, d l^2 / 4 scales the graph's Laplacian to the surface's.
    stiffness = 1.0 / length**2
    start, end = np.concatenate([edges[:, 0], edges[:, 1]]), np.concatenate([edges[:, 1], edges[:, 0]])
    stiffness = np.concatenate([stiffness, stiffness])
    degree = np.bincount(start, stiffness, len(nodes))
    hold = degree * np.minimum(seen_weight, 1.0) * 4
    total = degree + hold + 4 / CARRY_M**2
    tint = seen * np.minimum(seen_weight, 1.0)[:, None]
    for _ in range(ROUNDS):
        pulled = np.stack([np.bincount(start, stiffness * tint[end, c], len(nodes)) for c in range(3)], 1)
        tint = (pulled + hold[:, None] * seen) / total[:, None]
    corner = tint[corner_node].astype(np.float32)[texels.triangle]
    return (corner * texels.weight[..., None]).sum(1)


def _mean_at_nodes(
    texels: Texels, corner_node: np.ndarray, nodes: int, difference: np.ndarray, belief01: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Believed mean difference at each node (n, 3), and how much belief stands behind it as a share of its texels (n,)."""
    step = max(1, len(texels.index) // 400_000)
    node = corner_node[texels.triangle[::step]].reshape(-1)
    share = texels.weight[::step].reshape(-1)
    weight = share * np.repeat(belief01[::step], 3)
    behind, all_of_it = np.bincount(node, weight, nodes), np.bincount(node, share, nodes)
    values = np.repeat(difference[::step], 3, axis=0)
    total = np.stack([np.bincount(node, weight * values[:, c], nodes) for c in range(3)], 1)
    return total / np.maximum(behind, 1e-9)[:, None], 2 * behind / np.maximum(all_of_it, 1e-9)


def shut_lines(mesh: MeshData, size_px: int, texel_m: float) -> np.ndarray:
    """(S, S) float32 shade, 1 = none: the gaps round doors, hood, trunk and bumpers, drawn into the UV layout."""
    opens = np.array([base_name(name) in OPENING_PARTS for name in mesh.part_names])
    start, end = mesh.quads, np.roll(mesh.quads, -1, 1)
    key = (np.minimum(start, end).astype(np.int64) * (len(mesh.vertices_m) + 1) + np.maximum(start, end)).reshape(-1)
    order = np.argsort(key, kind="stable")
    same = key[order[1:]] == key[order[:-1]]
    pairs = np.stack([order[:-1][same], order[1:][same]], 1)
    part = mesh.part_index[pairs // 4]
    wanted = (part[:, 0] != part[:, 1]) & opens[part].any(1)
    corner = pairs[wanted].reshape(-1)
    face, side = corner // 4, corner % 4
    ends = np.stack([mesh.uv01[face, side], mesh.uv01[face, (side + 1) % 4]], 1)
    px = np.stack([ends[..., 0], 1 - ends[..., 1]], -1) * size_px - 0.5
    drawn = np.zeros((size_px, size_px), np.uint8)
    fine = 16.0
    thickness = max(1, round(SHUT_LINE_M / texel_m))
    cv2.polylines(drawn, list(np.round(px * fine).astype(np.int32)[:, :, None]), False, 255, thickness, cv2.LINE_AA, 4)
    return 1 - (1 - SHUT_LINE_SHADE) * drawn.astype(np.float32) / 255


def pad_islands(picture: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Every texel outside the islands takes the nearest island texel, so that filtering and mip levels find no foreign colour."""
    _, label = cv2.distanceTransformWithLabels((~covered).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    inside = np.flatnonzero(covered)
    source = np.zeros(label.max() + 1, np.int64)
    source[label.reshape(-1)[inside]] = inside
    return picture.reshape(-1, picture.shape[-1])[source[label.reshape(-1)]].reshape(picture.shape)
