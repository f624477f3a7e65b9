"""The whole car is closed and turned outward, so that whoever draws it may leave out what shows its back."""

from __future__ import annotations

import numpy as np
import torch

from imago.core.car.car import whole, whole_vertices
from imago.core.car.draw_car import draw_cars
from imago.core.car.measure_table import BODY_TYPES
from imago.core.car.prior import shape_prior
from imago.core.car.space import shape_space
from imago.core.frames import car_to_clip, clip_from_camera, orbit
from imago.core.render.rasterize import nearest_triangles
from imago.core.render.render import antialias_topology, silhouette

SIZE = (150, 210)


def test_no_back_of_the_car_is_seen_from_outside() -> None:
    """Of every body type, from all round: the same pixels, and the same triangles but for a few of equal depth."""
    random, pixels, other = np.random.default_rng(4), 0, 0
    edges = antialias_topology(whole().triangles)
    projection = clip_from_camera(240.0, SIZE[1], SIZE[0])
    for number, kind in enumerate(BODY_TYPES):
        drawn = draw_cars(1, number, shape_prior(), shape_space(), body_type=kind)
        vertices = whole_vertices(torch.from_numpy(drawn.measures), torch.from_numpy(drawn.coefficients))
        for azimuth_rad in random.uniform(0, 2 * np.pi, 3):
            camera = orbit(azimuth_rad, random.uniform(-0.05, 0.8), random.uniform(6, 12), (0.0, 0.0, 0.6)).astype(np.float32)
            clip = car_to_clip(vertices[0], torch.from_numpy(camera), projection)[None]
            ids = nearest_triangles(clip, whole().triangles, SIZE)[0]
            front = nearest_triangles(clip, whole().triangles, SIZE, front_only=True)[0]
            assert torch.equal(ids > 0, front > 0), kind
            outline, outline_front = (silhouette(clip, whole().triangles, SIZE, edges, only) for only in (False, True))
            assert float((outline - outline_front).abs().mean()) < 1e-5, kind
            pixels, other = pixels + int((ids > 0).sum()), other + int((ids != front).sum())
    assert pixels > 50_000 and other < 1e-3 * pixels
