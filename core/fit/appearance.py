"""What the picture inside the matte says of a pose: parts of one material should have one colour, and materials different ones.

A piecewise-constant model of the picture (Mumford and Shah 1989; Chan and Vese 2001) with the rendered parts as its regions.  It
tells a nose from a tail, where silhouettes cannot: glass, tyres, lamps and plates must fall on pixels that look alike.
"""

from __future__ import annotations

from functools import cache

import torch

from ..car.car import whole
from ..car.parts import material_of, rename_for
from ..frames import car_to_clip
from ..render.render import rasterize

GROUPS = ("paint", "glass", "dark", "front_lamp", "tail_lamp", "rim", "plate")
GROUP_OF = {
    "paint": "paint", "glass": "glass", "trim": "dark", "grille": "dark", "underbody": "dark", "tyre": "dark",
    "headlight_lens": "front_lamp", "tail_lens": "tail_lamp", "indicator_lens": "front_lamp", "rim": "rim", "plate": "plate",
    "mirror": "paint",
}  # fmt: skip
NOISE = 0.08  # colours closer than this, in shares of the Lab range, count as alike


@cache
def face_groups(body_type: str) -> torch.Tensor:
    """(F,) index into GROUPS of every triangle of car.whole()."""
    mesh, renamed = whole(), rename_for(body_type)
    table = torch.tensor([GROUPS.index(GROUP_OF[material_of(renamed.get(name, name))]) for name in mesh.part_names])
    return table[mesh.part_index]


def group_map(
    vertices_car: torch.Tensor, matrix: torch.Tensor, projection: torch.Tensor, triangles: torch.Tensor, group: torch.Tensor, size_px: int
) -> torch.Tensor:
    """(B, S, S) int64 group of the face at each pixel, -1 where empty, row 0 = bottom; group (F,) by triangle."""
    with torch.no_grad():
        rast, _ = rasterize(car_to_clip(vertices_car, matrix, projection), triangles, (size_px, size_px), grad_db=False, with_db=False)
        ids = rast[..., 3].long() - 1
        return torch.where(ids >= 0, group[ids.clamp_min(0)], -1)


def appearance_cost(groups: torch.Tensor, lab: torch.Tensor, alpha01: torch.Tensor) -> torch.Tensor:
    """(B,) mean negative log-likelihood per matte pixel of the picture lab (S, S, 3): one Laplacian for each of the groups (B, S, S)."""
    costs = []
    for labels in groups:
        total, count = lab.new_zeros(()), 0
        for k in range(len(GROUPS)):
            inside = (labels == k) & (alpha01 > 0.5)
            n = int(inside.sum())
            if n < 6:
                continue
            colors = lab[inside]
            centre = colors.median(0).values
            spread = (colors - centre).abs().mean(0) + NOISE
            total = total + n * spread.log().sum()
            count += n
        costs.append(total / max(count, 1))
    return torch.stack(costs)


def red_cost(groups: torch.Tensor, lab: torch.Tensor, alpha01: torch.Tensor) -> torch.Tensor:
    """(B,) how much redder the front lamps look than the tail lamps, in shares of the Lab range; 0 where neither is seen."""
    costs = []
    body = lab[alpha01 > 0.5][:, 1].median() if bool((alpha01 > 0.5).any()) else lab.new_zeros(())
    for labels in groups:
        redness = []
        for name in ("front_lamp", "tail_lamp"):
            inside = (labels == GROUPS.index(name)) & (alpha01 > 0.5)
            redness.append((lab[inside][:, 1] - body).mean() if int(inside.sum()) >= 4 else None)
        front, tail = redness
        costs.append((front if front is not None else lab.new_zeros(())) - (tail if tail is not None else lab.new_zeros(())))
    return torch.stack(costs)
