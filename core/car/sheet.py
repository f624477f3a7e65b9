"""A picture of every body type from several sides, coloured by material: `python -m imago.core.car.sheet OUT.png`."""

from __future__ import annotations

import math
import sys

import numpy as np
import torch
from PIL import Image

from ..frames import clip_from_camera, orbit
from ..render.shade import Skin, render_views
from . import parts
from .car import whole, whole_vertices
from .measures import BODY_TYPES, to_vector

COLORS = {
    "paint": (0.72, 0.10, 0.10), "glass": (0.16, 0.20, 0.24), "trim": (0.08, 0.08, 0.08), "grille": (0.12, 0.12, 0.13),
    "headlight_lens": (0.9, 0.9, 0.85), "tail_lens": (0.55, 0.0, 0.02), "indicator_lens": (0.95, 0.55, 0.1), "plate": (0.9, 0.9, 0.9),
    "underbody": (0.1, 0.1, 0.1), "tyre": (0.12, 0.12, 0.12), "rim": (0.7, 0.7, 0.72),
}  # fmt: skip
VIEWS_DEG = ((35, 12), (90, 4), (145, 12), (0, 6), (180, 6), (215, 35))


def face_colors(part_index: torch.Tensor, part_names: tuple[str, ...], body_type: str) -> torch.Tensor:
    """(F, 3) sRGB by material for faces of whole()."""
    renamed = parts.rename_for(body_type)
    table = torch.tensor([COLORS[parts.material_of(renamed.get(name, name))] for name in part_names])
    return table[part_index]


def draw_car(measures: torch.Tensor, body_type: str, size_px: tuple[int, int] = (320, 220)) -> np.ndarray:
    """One row of views of a car, (h, w * n, 3) uint8."""
    mesh = whole()
    width, height = size_px
    vertices = whole_vertices(measures[None])
    length = float(vertices[0, :, 1].max() - vertices[0, :, 1].min())
    middle = (0.0, float(vertices[0, :, 1].max() + vertices[0, :, 1].min()) / 2, 0.32 * float(vertices[0, :, 2].max()) + 0.1)
    cameras = [orbit(math.radians(a), math.radians(e), 3.4 * length, middle) for a, e in VIEWS_DEG]
    camera_to_car = torch.tensor(np.stack(cameras), dtype=torch.float32)
    projection = clip_from_camera(2.75 * width, 2 * width, 2 * height)
    skin = Skin(face_srgb01=face_colors(mesh.part_index, mesh.part_names, body_type))
    with torch.no_grad():
        pictures = render_views(
            vertices, mesh.triangles, camera_to_car, projection[None] * torch.tensor([2.0, 2, 1, 1])[:, None], (2 * height, 2 * width), skin
        )
    small = torch.nn.functional.avg_pool2d(pictures[..., :3].permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    return np.concatenate([(p.clamp(0, 1).numpy() * 255).astype(np.uint8) for p in small], 1)


def main(argv: list[str]) -> int:
    rows = [draw_car(to_vector(measures), name) for name, measures in BODY_TYPES.items()]
    Image.fromarray(np.concatenate(rows)).save(argv[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
