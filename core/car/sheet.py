"""A picture of every body type's typical car from several sides, coloured by material: `python -m imago.core.car.sheet OUT.png`."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch.nn import functional

from ..frames import clip_from_camera, orbit
from ..render.shade import Skin, render_views
from . import parts
from .car import whole, whole_vertices
from .measures import BODY_TYPES
from .prior import shape_prior

COLORS = {
    "paint": (0.42, 0.56, 0.72), "glass": (0.16, 0.20, 0.24), "trim": (0.08, 0.08, 0.08), "grille": (0.12, 0.12, 0.13),
    "headlight_lens": (0.9, 0.9, 0.85), "tail_lens": (0.75, 0.05, 0.06), "indicator_lens": (0.95, 0.55, 0.1), "plate": (0.9, 0.9, 0.9),
    "underbody": (0.1, 0.1, 0.1), "tyre": (0.12, 0.12, 0.12), "rim": (0.7, 0.7, 0.72),
}  # fmt: skip
VIEWS_DEG = ((35, 12), (90, 4), (145, 12), (0, 6), (180, 6), (215, 22))
DISTANCE_M = 18.0
PIXELS_PER_METRE, CANVAS_PX = 62, (440, 280)  # the canvas holds the longest car at this scale; cells are cut out of it
MARGIN_PX = 6
AMBIENT01 = 0.7
PALETTE = 96


def face_colors(part_index: torch.Tensor, part_names: tuple[str, ...], body_type: str) -> torch.Tensor:
    """(F, 3) sRGB by material for faces of whole()."""
    renamed = parts.rename_for(body_type)
    table = torch.tensor([COLORS[parts.material_of(renamed.get(name, name))] for name in part_names])
    return table[part_index]


def draw_car(measures: torch.Tensor, body_type: str) -> np.ndarray:
    """A car from VIEWS_DEG, (views, height, width, 4) float32 sRGB and coverage 0..1, all cars and views at one scale."""
    mesh, vertices = whole(), whole_vertices(measures[None])
    low, high = vertices[0].amin(0), vertices[0].amax(0)
    middle = (0.0, float(low[1] + high[1]) / 2, float(high[2]) / 2)
    cameras = [orbit(math.radians(azimuth), math.radians(elevation), DISTANCE_M, middle) for azimuth, elevation in VIEWS_DEG]
    width, height = 2 * CANVAS_PX[0], 2 * CANVAS_PX[1]  # drawn at twice the size for smooth edges inside the outline
    projection = clip_from_camera(2 * PIXELS_PER_METRE * DISTANCE_M, width, height)
    skin = Skin(face_srgb01=face_colors(mesh.part_index, mesh.part_names, body_type))
    with torch.no_grad():
        matrices = torch.tensor(np.stack(cameras), dtype=torch.float32)
        pictures = render_views(vertices, mesh.triangles, matrices, projection, (height, width), skin, AMBIENT01)
    return functional.avg_pool2d(pictures.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1).clamp(0, 1).numpy()


def draw_sheet() -> Image.Image:
    """A named row for every body type and a column for every view, cut as tightly as the largest car of each allows."""
    typical = shape_prior().typical
    pictures = np.stack([draw_car(typical[kind], kind) for kind in BODY_TYPES])
    covered = pictures[..., 3] > 0
    rows = [_span(covered[k].any((0, 2))) for k in range(covered.shape[0])]
    columns = [_span(covered[:, k].any((0, 1))) for k in range(covered.shape[1])]
    cells = [[pictures[r, c, rows[r], columns[c], :3] for c in range(len(columns))] for r in range(len(rows))]
    sheet = np.concatenate([np.concatenate(row, 1) for row in cells])
    image = Image.fromarray((sheet * 255).round().astype(np.uint8))
    tops = np.cumsum([0] + [row.stop - row.start for row in rows])
    for kind, top in zip(BODY_TYPES, tops, strict=False):
        ImageDraw.Draw(image).text((MARGIN_PX, top + MARGIN_PX), kind, fill="black")
    return image.quantize(PALETTE, dither=Image.Dither.NONE)


def _span(covered: np.ndarray) -> slice:
    """From the first to the last true entry, with a margin."""
    at = np.flatnonzero(covered)
    return slice(max(int(at[0]) - MARGIN_PX, 0), int(at[-1]) + 1 + MARGIN_PX)


def main(argv: list[str] | None = None) -> int:
    """Write the sheet as a palette PNG, aside and then renamed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the picture to write, .png")
    out: Path = parser.parse_args(argv).out
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(out.name + ".part")
    draw_sheet().save(aside, "PNG", optimize=True)
    os.replace(aside, out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
