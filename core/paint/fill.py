"""The texels that no photograph shows: material colour, carried on smoothly from what lies beside them on the car."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import torch

from ..car.parts import base_name
from ..device import one_thread
from ..types import MeshData
from .texels import Texels, gather_at_vertices

CARRY_M = 0.9  # over this distance the neighbourhood's tint fades back to the plain material
ROUNDS = 250
SLOW_M = 0.21
MEAN_TEXELS = 120_000  # so many are enough to tell what is seen at the vertices
SHUT_LINE_M, SHUT_LINE_SHADE = 0.005, 0.45  # gaps round the parts that open
OPENING_PARTS = ("hood", "trunk", "door_front", "door_rear", "bumper_front", "bumper_rear")


def carried_tint(
    texels: Texels, vertices: np.ndarray, triangle_kind: np.ndarray, place: np.ndarray, difference: np.ndarray, belief01: np.ndarray
) -> np.ndarray:
    """(T, 3, 3) tint at the triangles' corners: `difference` (M, 3, photograph less material) where believed, spread over the surface.

    place (M,) says which texels difference and belief01 (M,) belong to; of the others nothing is believed.
    Solves (belief + L + 1 / CARRY_M^2) tint = belief difference on the mesh by damped Jacobi rounds.  It runs along the surface and not
    along the texture, so islands that touch on the car match, and within one kind of material, so glass does not darken paint.
    """
    nodes, corner_node = nodes_of(texels, triangle_kind)
    seen, seen_weight = mean_at_nodes(texels, corner_node, len(nodes), place, difference, belief01)
    start, end = _edges(corner_node, len(nodes))
    at = vertices[nodes // 64]
    # With degree d and edge length l, d l^2 / 4 scales the graph's Laplacian to the surface's.
    stiffness = 1.0 / np.maximum(np.linalg.norm(at[start] - at[end], axis=1), 0.01) ** 2
    degree = np.bincount(start, stiffness, len(nodes))
    hold = degree * np.minimum(seen_weight, 1.0) * 4
    total = degree + hold + 4 / CARRY_M**2
    pull = _matrix(start, end, stiffness / total[start], len(nodes))
    held = torch.from_numpy((hold / total)[:, None] * seen)
    tint = torch.from_numpy(seen * np.minimum(seen_weight, 1.0)[:, None])
    with one_thread():
        for _ in range(ROUNDS):
            tint = torch.addmm(held, pull, tint)
    return tint.numpy().astype(np.float32)[corner_node]


def slow_tint(
    texels: Texels, vertices: np.ndarray, triangle_kind: np.ndarray, place: np.ndarray, difference: np.ndarray, belief01: np.ndarray
) -> np.ndarray:
    """(T, 3, 3) at the triangles' corners: what of `difference` varies slowly along the surface, over about SLOW_M, within one kind of
    material; arguments as of carried_tint()."""
    nodes, corner_node = nodes_of(texels, triangle_kind)
    mean, weight = mean_at_nodes(texels, corner_node, len(nodes), place, difference, belief01)
    start, end = _edges(corner_node, len(nodes))
    step_m = np.linalg.norm(vertices[nodes[start] // 64] - vertices[nodes[end] // 64], axis=1)
    share = 1 / np.maximum(step_m, 0.01) ** 2
    blur = _matrix(start, end, share / np.bincount(start, share, len(nodes))[start], len(nodes))
    held = torch.from_numpy(np.concatenate([mean, np.ones((len(nodes), 1))], 1) * weight[:, None])
    with one_thread():
        for _ in range(int(4 * SLOW_M**2 / np.median(step_m) ** 2)):  # each is half a step of a walk: n of length s come s sqrt(n) / 2 far
            held = 0.5 * (held + blur @ held)
    found = held.numpy()
    return (found[:, :3] / np.maximum(found[:, 3:], 1e-6)).astype(np.float32)[corner_node]


def nodes_of(texels: Texels, triangle_kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One node for every vertex and kind of material (T,) that meets there: 64 vertex + kind of each (n,), and which are at the triangles'
    corners (T, 3)."""
    nodes, corner_node = np.unique(texels.triangles * 64 + triangle_kind[:, None], return_inverse=True)
    return nodes, corner_node.reshape(-1, 3)


def _edges(corner_node: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of every edge of the triangles (T, 3), each edge once in either direction, ordered by the first."""
    ahead, behind = corner_node.reshape(-1), np.roll(corner_node, -1, 1).reshape(-1)
    key = np.unique(np.concatenate([ahead * nodes + behind, behind * nodes + ahead]))
    return key // nodes, key % nodes


def _matrix(row: np.ndarray, column: np.ndarray, values: np.ndarray, side: int) -> torch.Tensor:
    """(side, side) sparse float64 of values (E,) ordered by row."""
    first = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=side))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch calls the format beta; the product that it is needed for is simple
        rows, columns, entries = (torch.from_numpy(array) for array in (first, column, values))
        return torch.sparse_csr_tensor(rows, columns, entries, size=(side, side), check_invariants=False)


def mean_at_nodes(
    texels: Texels, corner_node: np.ndarray, nodes: int, place: np.ndarray, difference: np.ndarray, belief01: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Believed mean difference at each node (n, 3), and how much belief stands behind it as a share of its texels (n,)."""
    step = max(1, len(place) // MEAN_TEXELS)
    believed = belief01[::step, None]
    at_corners = texels.gathered(np.concatenate([believed * difference[::step], believed], 1), place[::step]) * step
    total = gather_at_vertices(np.concatenate([at_corners, texels.corner_share[..., None]], 2), corner_node, nodes)
    return total[:, :3] / np.maximum(total[:, 3:4], 1e-9), 2 * total[:, 3] / np.maximum(total[:, 4], 1e-9)


def shut_lines(mesh: MeshData, size_px: int, texel_m: float) -> np.ndarray:
    """(S, S) uint8, 0 = none, 255 = in the middle: the gaps round doors, hood, trunk and bumpers, drawn into the UV layout."""
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
    return drawn
