"""What the picture itself says about each pixel, before anything is cut: 27 figures that a linear model weighs (prior.py)."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra

BORDER_COLOURS = 6
NOISE_LAB = 2.0  # steps smaller than this are grain and JPEG blocks, not edges
NAMES = (
    *("path_from_border", "path_from_below", "path_from_above_and_sides", "unlike_border", "unlike_below", "unlike_above"),
    *("edges_near", "edges_around", "level_edges"),
    *("off_centre", "off_centre_2", "off_centre_4", "down", "down_2", "down_4", "lightness", "chroma", "aspect"),
    *("path_from_border_above_median", "path_from_below_above_median", "path_from_above_and_sides_above_median"),
    *("unlike_border_above_median", "unlike_below_above_median", "unlike_above_above_median"),
    *("edges_near_above_median", "edges_around_above_median", "level_edges_above_median"),
)


def pixel_features(lab: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 Lab -> (H, W, len(NAMES)) float32, in the order of NAMES.

    Distances along the cheapest path from the border are those of geodesic saliency (Wei et al., ECCV 2012, eq. 1); the border's
    own colours are its k-means centres.  Both are taken apart by side, since ground and sky differ.
    """
    height, width = lab.shape[:2]
    smooth = cv2.bilateralFilter(lab, 5, 8, 2)
    picture = np.log1p(np.stack([*_paths(smooth), *_unlike_border(smooth), *_edges(smooth[..., 0])], -1))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    down, off_centre = (y + 0.5) / height, np.abs((x + 0.5) / width - 0.5) * 2
    chroma = np.log1p(np.hypot(lab[..., 1], lab[..., 2]) / 5)
    place = (off_centre, off_centre**2, off_centre**4, down, down**2, down**4)
    aspect = np.full_like(down, width / height)
    own = np.stack([*place, lab[..., 0] / 50 - 1, chroma, aspect], -1)
    return np.concatenate([picture, own, picture - np.median(picture, (0, 1))], -1).astype(np.float32)


def _paths(lab: np.ndarray) -> list[np.ndarray]:
    height, width = lab.shape[:2]
    index = np.arange(height * width).reshape(height, width)
    above, below, sides = index[0], index[-1], np.concatenate([index[:, 0], index[:, -1]])
    graph = _neighbour_graph(lab, index)
    starts = (np.concatenate([above, below, sides]), below, np.concatenate([above, sides]))
    return [dijkstra(graph, directed=False, indices=start, min_only=True).reshape(height, width) for start in starts]


def _neighbour_graph(lab: np.ndarray, index: np.ndarray) -> csr_matrix:
    """Eight neighbours; the cost of a step is how far the colour jumps, with a little for the step itself."""
    pairs = (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1, :], np.s_[1:, :]),
        (np.s_[:-1, :-1], np.s_[1:, 1:]),
        (np.s_[:-1, 1:], np.s_[1:, :-1]),
    )
    one = [index[here].ravel() for here, _ in pairs]
    other = [index[there].ravel() for _, there in pairs]
    cost = [np.maximum(np.linalg.norm(lab[here] - lab[there], axis=-1).ravel() - NOISE_LAB, 0) + 0.05 for here, there in pairs]
    edges = (np.concatenate(one), np.concatenate(other))
    return coo_matrix((np.concatenate(cost), edges), shape=(index.size, index.size)).tocsr()


def _unlike_border(lab: np.ndarray) -> list[np.ndarray]:
    """Colour distance to the nearest of the border's main colours: all four sides, below, above."""
    strip = max(3, round(0.04 * min(lab.shape[:2])))
    above, below, left, right = lab[:strip], lab[-strip:], lab[:, :strip], lab[:, -strip:]
    sides = np.concatenate([part.reshape(-1, 3) for part in (above, below, left, right)])
    return [_distance_to_colours(lab, samples.reshape(-1, 3)) for samples in (sides, below, above)]


def _distance_to_colours(lab: np.ndarray, samples: np.ndarray) -> np.ndarray:
    cv2.setRNGSeed(1)  # k-means draws; the same photograph has to give the same matte
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 1.0)
    _, label, centres = cv2.kmeans(samples.astype(np.float32), BORDER_COLOURS, None, stop, 1, cv2.KMEANS_PP_CENTERS)
    share = np.bincount(label.ravel(), minlength=BORDER_COLOURS) / len(label)
    distance = np.linalg.norm(lab[:, :, None] - centres, axis=-1)
    return (distance + 3.0 * (share < 0.03)).min(-1)  # a colour rare on the border may be the car's where it touches


def _edges(lightness: np.ndarray) -> list[np.ndarray]:
    """Edge strength averaged near and around, and of level edges (bumpers, sills, roofs)."""
    least = min(lightness.shape)
    across, downward = (cv2.Sobel(lightness, cv2.CV_32F, *axis) / 4 for axis in ((1, 0), (0, 1)))
    strength = np.minimum(np.hypot(across, downward), 20)
    near, around = (cv2.GaussianBlur(strength, (0, 0), share * least) for share in (0.02, 0.06))
    return [near, around, cv2.GaussianBlur(np.minimum(np.abs(downward), 20), (0, 0), 0.04 * least)]
