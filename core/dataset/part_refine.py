"""What the names leave open, told by where a triangle lies: trim and grille made with the chassis, unnamed undersides, mirrors, texture."""

from __future__ import annotations

import numpy as np

from .cars import CarModel
from .part_split import areas_and_normals, pieces_of, split_panes
from .part_table import PART_INDEX
from .surfaces import sample, srgb_of_linear

WELL = 1.5  # nearer to the hub than this many wheel radii, inside the wheel's outer face, is the wheel well
ABOVE_HUBS = 1.3  # the chassis is not higher than this many hub heights, unless it lies inside a pickup's bed
LARGEST_MIRROR_M, MIRROR_ABOUT_M, MIRROR_IN_M = 0.5, 0.25, 0.02
MIRROR_OUT_M, MIRROR_DEEP_M = 0.04, 0.08  # across the car, beyond the flank; door handles are flatter
DARK_SRGB, LEAST_WINDSHIELD_M2, LEAST_PANE_M2 = 0.15, 0.2, 0.06


def wheel_wells(middle_m: np.ndarray, wheels: np.ndarray) -> np.ndarray:
    """(F,) bool: middles (F, 3) that lie about one of the wheels (4, 5) and not outside its outer face."""
    inside = np.zeros(len(middle_m), bool)
    for x, y, z, radius, width in wheels:
        near = np.hypot(middle_m[:, 1] - y, middle_m[:, 2] - z) < WELL * radius
        inside |= near & (middle_m[:, 0] * x > 0) & (np.abs(middle_m[:, 0]) < abs(x) + width / 2)
    return inside


def chassis_or_trim(triangles_m: np.ndarray, above: np.ndarray, wheels: np.ndarray, height_m: float, lamp_x_m: float) -> np.ndarray:
    """Triangles of a node that holds the chassis and black trim: underbody, grille or body, (F,) index into PARTS.

    above (F,) bool: seen from level or higher; lamp_x_m: how far to the side the headlights sit: the grille is between them.
    """
    _, normal = areas_and_normals(triangles_m)
    x, y, z = triangles_m.mean(1).T
    half_width_m, hub_z = np.abs(wheels[:, 0]).max() + wheels[0, 4] / 2, wheels[:, 2].mean()
    front_m, rear_m = wheels[:2, 1].mean() - wheels[0, 3], wheels[2:, 1].mean() + wheels[2, 3]
    flank = (np.abs(x) > 0.85 * half_width_m) & (normal[:, 0] * np.sign(x) > 0.5)
    ends = ((y < front_m) & (normal[:, 1] < -0.5)) | ((y > rear_m) & (normal[:, 1] > 0.5))
    bed = (z < 0.75 * height_m) & ((normal[:, 0] * np.sign(x) < -0.3) | ((normal[:, 2] > 0.8) & (y > 0)))
    outer = above & ~wheel_wells(triangles_m.mean(1), wheels) & ~bed & ((z > ABOVE_HUBS * hub_z) | flank | ends)
    grille = outer & (y < front_m) & (normal[:, 1] < -0.4) & (np.abs(x) < lamp_x_m) & (z > hub_z)
    return np.where(grille, PART_INDEX["grille"], np.where(outer, PART_INDEX["body"], PART_INDEX["underbody"]))


def unnamed_underside(triangles_m: np.ndarray, above: np.ndarray, wheels: np.ndarray, height_m: float) -> np.ndarray:
    """(F,) bool: what is low and faces down, and the wheel wells; for models that name no chassis."""
    _, normal = areas_and_normals(triangles_m)
    middle = triangles_m.mean(1)
    below = ((normal[:, 2] < -0.7) | (~above & (normal[:, 2] < -0.3))) & (middle[:, 2] < 0.3 * height_m)
    return below | (wheel_wells(middle, wheels) & (normal[:, 0] * np.sign(middle[:, 0]) < 0.5))


def mirrors(triangles_m: np.ndarray, body: np.ndarray, wheels: np.ndarray, height_m: float) -> np.ndarray:
    """(F,) bool: what stands out from the flank beside the front doors' windows; body (F,) bool: triangles that may be a mirror's."""
    middle = triangles_m.mean(1)
    front, wheelbase = wheels[:2, 1].mean(), wheels[2:, 1].mean() - wheels[:2, 1].mean()
    behind_axle = (middle[:, 1] - front) / wheelbase
    doors = body & (behind_axle > 0.25) & (behind_axle < 0.5) & (middle[:, 2] > 0.3 * height_m) & (middle[:, 2] < 0.5 * height_m)
    wheels_m = float(np.abs(wheels[:, 0]).max() + wheels[0, 4] / 2)
    half_width_m = float(np.quantile(np.abs(middle[doors, 0]), 0.98)) if doors.any() else wheels_m
    zone = body & (behind_axle > 0.05) & (behind_axle < 0.6) & (middle[:, 2] > 0.5 * height_m) & (middle[:, 2] < 0.88 * height_m)
    out = zone & (np.abs(middle[:, 0]) > half_width_m + 0.01)
    found = zone & (np.abs(middle[:, 0]) > half_width_m - MIRROR_IN_M) & _about_tips(middle, out, half_width_m + MIRROR_OUT_M)
    for piece in _small_pieces(triangles_m, body):
        corner_x = np.abs(triangles_m[piece, :, 0])
        if zone[piece].all() and corner_x.max() > half_width_m and corner_x.min() > 0.7 * half_width_m and np.ptp(corner_x) > MIRROR_DEEP_M:
            found[piece] = True
    return found


def _about_tips(middle_m: np.ndarray, found: np.ndarray, least_x_m: float) -> np.ndarray:
    """(F,) bool: near the outermost found point of their side, if that stands out enough; door handles do not."""
    near = np.zeros(len(found), bool)
    for side in (1, -1):
        here = np.flatnonzero(found & (side * middle_m[:, 0] > least_x_m))
        if len(here):
            tip = middle_m[here[np.argmax(side * middle_m[here, 0])]]
            near |= (np.linalg.norm(middle_m - tip, axis=1) < MIRROR_ABOUT_M) & (np.abs(middle_m[:, 2] - tip[2]) < MIRROR_ABOUT_M / 2)
    return near


def _small_pieces(triangles_m: np.ndarray, chosen: np.ndarray) -> list[np.ndarray]:
    """Indices of the triangles of each connected piece among the chosen that is no larger than a mirror."""
    index = np.flatnonzero(chosen)
    piece = pieces_of(triangles_m[index])
    order = np.argsort(piece, kind="stable")
    groups = np.split(index[order], np.flatnonzero(np.diff(piece[order])) + 1)
    return [group for group in groups if len(group) and np.ptp(triangles_m[group].reshape(-1, 3), axis=0).max() < LARGEST_MIRROR_M]


def panes_and_lamps_by_texture(
    model: CarModel, triangles_m: np.ndarray, body: np.ndarray, height_m: float, wheelbase_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """For a car that is only a picture: (indices of triangles, their parts).  Nearly black triangles about the cabin are panes, if together
    they make a windshield; red ones at the tail are taillights."""
    colour = median_srgb(model)
    _, normal = areas_and_normals(triangles_m)
    middle = triangles_m.mean(1)
    red = body & (colour[:, 0] > 0.3) & (colour[:, 0] > 2 * colour[:, 1:].max(1)) & (middle[:, 1] > 0.4 * wheelbase_m)
    high = (middle[:, 2] > 0.55 * height_m) & (middle[:, 2] < 0.93 * height_m)
    dark = np.flatnonzero(body & (colour.max(1) < DARK_SRGB) & high & (np.abs(normal[:, 2]) < 0.85))
    dark = dark[_piece_areas(triangles_m[dark]) > LEAST_PANE_M2]
    kind = split_panes(triangles_m[dark], behind=False)
    if areas_and_normals(triangles_m[dark[kind == PART_INDEX["windshield"]]])[0].sum() < LEAST_WINDSHIELD_M2:
        dark, kind = dark[:0], kind[:0]
    lamps = np.flatnonzero(red)
    return np.concatenate([lamps, dark]), np.concatenate([np.full(len(lamps), PART_INDEX["taillight"]), kind])


def _piece_areas(triangles_m: np.ndarray) -> np.ndarray:
    """(F,) area of the connected piece that each triangle belongs to, square metres."""
    piece = pieces_of(triangles_m)
    return np.bincount(piece, areas_and_normals(triangles_m)[0])[piece]


def median_srgb(model: CarModel, steps: int = 6) -> np.ndarray:
    """(F, 3) median over points of each triangle of its texture, sRGB 0 to 1."""
    places = [(i + 1 / 3, j + 1 / 3, steps - i - j - 2 / 3) for i in range(steps) for j in range(steps - i)]
    uv = np.einsum("bk,fkc->fbc", np.array(places) / steps, model.uv01)
    colour = np.zeros((*uv.shape[:2], 3))
    for number, surface in enumerate(model.surfaces):
        here = model.surface_index == number
        colour[here] = sample(surface.base, uv[here].reshape(-1, 2))[:, :3].reshape(-1, uv.shape[1], 3)
    return np.asarray(srgb_of_linear(np.median(colour, 1)))
