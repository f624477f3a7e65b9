"""rasterize and interpolate: against a per-pixel reference, finite differences, and their documented conventions."""

from __future__ import annotations

import pytest
import torch

from imago.core.errors import ShapeError
from imago.core.render import render
from imago.core.render.rasterize import nearest_triangles

RESOLUTION = (19, 23)


def slow_raster(pos: torch.Tensor, triangles: torch.Tensor, resolution: tuple[int, int]) -> torch.Tensor:
    """Every pixel against every triangle, one pixel at a time, float64; triangles (F, 3), pos (B, V, 4)."""
    height, width = resolution
    rast = torch.zeros(len(pos), height, width, 4, dtype=torch.float64)
    for image in range(len(pos)):
        corner = pos[image][triangles]
        for row in range(height):
            for column in range(width):
                x_ndc, y_ndc = (column + 0.5) / width * 2 - 1, (row + 0.5) / height * 2 - 1
                matrix = torch.stack([corner[..., 0] - x_ndc * corner[..., 3], corner[..., 1] - y_ndc * corner[..., 3]], -1)
                area = torch.stack(
                    [torch.linalg.det(torch.stack([matrix[:, (k + 1) % 3], matrix[:, (k + 2) % 3]], 1)) for k in range(3)], 1
                )
                weight = area / area.sum(1, keepdim=True)
                depth = (weight * corner[..., 2]).sum(1) / (weight * corner[..., 3]).sum(1)
                depth[~((weight >= 0).all(1) & (depth.abs() <= 1))] = 9.0
                nearest = int(depth.argmin())
                if depth[nearest] <= 1:
                    rast[image, row, column] = torch.stack(
                        [weight[nearest, 0], weight[nearest, 1], depth[nearest], torch.tensor(nearest + 1.0, dtype=torch.float64)]
                    )
    return rast


def soup(vertices: int = 40, faces: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    """Random overlapping triangles, many of them partly outside the picture and the depth range."""
    random = torch.Generator().manual_seed(1)
    pos = torch.rand(2, vertices, 4, generator=random, dtype=torch.float64) * 2.4 - 1.2
    pos[..., 3] = pos[..., 3].abs() + 0.5
    triangles = torch.stack([torch.randperm(vertices, generator=random)[:3] for _ in range(faces)])
    return pos, triangles


def test_equals_the_slow_reference(back_end):
    pos, triangles = soup()
    wanted = slow_raster(pos, triangles, RESOLUTION)
    found = back_end.rasterize(back_end.to(pos), back_end.to(triangles), RESOLUTION)[0].double().cpu()
    same = found[..., 3] == wanted[..., 3]
    if back_end.dtype == torch.float64:
        assert same.all()
    assert same.double().mean() > 0.99
    assert (found - wanted)[same].abs().max() < (1e-9 if back_end.dtype == torch.float64 else 1e-3)


def test_front_only_draws_what_the_front_triangles_alone_would():
    pos, triangles = soup()
    screen = pos[..., :2] / pos[..., 3:]
    pos, triangles = pos[:1], triangles[(pos[0, triangles, 3] > 1e-3).all(1)]
    a, b, c = screen[0, triangles].unbind(1)
    front = (b - a)[:, 0] * (c - a)[:, 1] > (b - a)[:, 1] * (c - a)[:, 0]
    assert 5 < int(front.sum()) < len(triangles) - 5
    ids, depth = nearest_triangles(pos, triangles, RESOLUTION, front_only=True)
    alone, alone_depth = nearest_triangles(pos, triangles[front], RESOLUTION)
    named = torch.where(alone > 0, front.nonzero()[:, 0][(alone.long() - 1).clamp_min(0)] + 1, 0)
    assert torch.equal(ids.long(), named) and torch.equal(depth, alone_depth) and bool((ids > 0).any())


def test_neighbours_leave_no_cracks_and_do_not_overlap(back_end):
    """A grid with jittered inner vertices covers its square once: the ids' areas tile it, and half the ids alone cover the rest."""
    random = torch.Generator().manual_seed(5)
    count = 21
    line = torch.linspace(-1.1, 1.1, count)
    y, x = torch.meshgrid(line, line, indexing="ij")
    jitter = 0.04 * torch.randn(count, count, 2, generator=random)
    pos = torch.stack([x + jitter[..., 0], y + jitter[..., 1], torch.zeros_like(x), torch.ones_like(x)], -1).view(1, -1, 4)
    index = torch.arange(count * count).view(count, count)
    a, b, c, d = (i.reshape(-1) for i in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]))
    triangles = torch.cat([torch.stack([a, b, c], 1), torch.stack([a, c, d], 1)])
    covered = lambda faces: back_end.rasterize(back_end.to(pos.double()), back_end.to(faces), (64, 64))[0][..., 3] > 0  # noqa: E731
    half = len(triangles) // 2
    lower, upper = covered(triangles[:half]), covered(triangles[half:])
    assert covered(triangles).all()
    assert (lower | upper).all()


def test_shared_edge_pixels_belong_to_exactly_one_triangle(back_end):
    """Pixel centres that lie exactly on the diagonal of a square are neither lost nor counted twice."""
    pos = torch.tensor([[[-1.0, -1, 0, 1], [1, -1, 0, 1], [1, 1, 0, 1], [-1, 1, 0, 1]]], dtype=torch.float64)
    lower, upper = torch.tensor([[0, 1, 2]]), torch.tensor([[0, 2, 3]])
    count = lambda faces: int((back_end.rasterize(back_end.to(pos), back_end.to(faces), (16, 16))[0][..., 3] > 0).sum())  # noqa: E731
    assert count(lower) + count(upper) == 16 * 16


def test_row_zero_is_the_bottom_and_u_weighs_vertex_zero(back_end):
    pos = torch.tensor([[[-1.0, -1, 0, 1], [1, -1, 0, 1], [-1, 1, 0, 1]]], dtype=torch.float64)
    rast, rast_db = back_end.rasterize(back_end.to(pos), back_end.to(torch.tensor([[0, 1, 2]])), (8, 8))
    u, v, _, ids = rast[0].double().cpu().unbind(-1)
    assert ids[0, :7].min() == 1 and ids[7].max() == 0
    assert u[0, 0] == pytest.approx(1 - 2 * 0.5 / 8, abs=1e-6) and v[0, 0] == pytest.approx(0.5 / 8, abs=1e-6)
    assert rast_db[0, 0, 0].tolist() == pytest.approx([-1 / 8, -1 / 8, 1 / 8, 0], abs=1e-6)


def test_vertices_behind_the_camera_leave_the_rest_of_the_picture_alone(reference, scene):
    pos, triangles = scene
    wanted = reference.rasterize(pos, triangles, RESOLUTION)[0]
    behind = torch.cat([pos, torch.tensor([[[0.3, 0.2, -1.0, -0.5]]], dtype=torch.float64).expand(2, 1, 4)], 1)
    with_one_more = torch.cat([triangles, torch.tensor([[0, 1, pos.shape[1]]])])
    found = reference.rasterize(behind, with_one_more, RESOLUTION)[0]
    assert torch.equal(found, wanted) and found.isfinite().all()


def test_nothing_to_draw_is_an_empty_picture(back_end):
    pos = back_end.to(torch.zeros(1, 3, 4, dtype=torch.float64) + 5)
    rast, _ = back_end.rasterize(pos, back_end.to(torch.tensor([[0, 1, 2]])), (4, 4))
    assert rast.abs().max() == 0


def test_wrong_shapes_are_refused_with_both_shapes(reference):
    with pytest.raises(ShapeError, match=r"pos_clip has shape \(3, 4\), wanted \(any, any, 4\)"):
        render.rasterize(torch.zeros(3, 4), torch.zeros(1, 3, dtype=torch.long), (4, 4))


def test_vertex_gradient_through_rasterize_and_interpolate(check_gradient, scene):
    pos, triangles = scene
    random = torch.Generator().manual_seed(0)
    attributes = torch.randn(1, pos.shape[1], 3, generator=random, dtype=torch.float64)
    weights = torch.randn(2, *RESOLUTION, 4, generator=random, dtype=torch.float64)

    def function(back_end, moved):
        rast, _ = back_end.rasterize(moved, back_end.to(triangles), RESOLUTION)
        values, _ = back_end.interpolate(back_end.to(attributes), rast, back_end.to(triangles))
        # nvdiffrast passes no gradient to z/w, so only attributes enter.
        return (values * back_end.to(weights)[..., :3]).sum()

    check_gradient(function, pos)


def test_depth_gradient(scene):
    pos, triangles = scene
    moved = pos.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: render.rasterize(p, triangles, RESOLUTION)[0][..., 2], moved, eps=1e-6, atol=1e-6)


def test_attribute_gradient(check_gradient, scene):
    pos, triangles = scene
    random = torch.Generator().manual_seed(0)
    weights = torch.randn(2, *RESOLUTION, 3, generator=random, dtype=torch.float64)

    def function(back_end, attributes):
        rast, _ = back_end.rasterize(back_end.to(pos), back_end.to(triangles), RESOLUTION)
        return (back_end.interpolate(attributes, rast, back_end.to(triangles))[0] ** 2 * back_end.to(weights)).sum()

    check_gradient(function, torch.randn(2, pos.shape[1], 3, generator=random, dtype=torch.float64))


def test_screen_derivatives_equal_differences_between_pixels(back_end, scene):
    """On one triangle, rast_db and the attribute derivatives predict the neighbouring pixel of a much finer picture."""
    pos, _ = scene
    triangle = torch.tensor([[0, 1, 2]])
    uv = torch.tensor([[[0.1, 0.9]] * 9], dtype=torch.float64) * torch.linspace(0.2, 1.7, 9, dtype=torch.float64)[:, None]
    rast, rast_db = back_end.rasterize(back_end.to(pos), back_end.to(triangle), (400, 400))
    values, slopes = back_end.interpolate(back_end.to(uv), rast, back_end.to(triangle), rast_db, "all")
    values, slopes, ids = values.double().cpu(), slopes.double().cpu(), rast[..., 3].cpu()
    right = (ids[:, :, 2:] > 0) & (ids[:, :, :-2] > 0)
    up = (ids[:, 2:] > 0) & (ids[:, :-2] > 0)
    along_x = ((values[:, :, 2:] - values[:, :, :-2]) / 2)[right]
    along_y = ((values[:, 2:] - values[:, :-2]) / 2)[up]
    scale = slopes.abs().max()
    assert (slopes[:, :, 1:-1][right][:, 0::2] - along_x).abs().max() < 0.02 * scale
    assert (slopes[:, 1:-1][up][:, 1::2] - along_y).abs().max() < 0.02 * scale


def test_vertex_gradient_through_screen_derivatives(check_gradient, scene):
    pos, triangles = scene
    uv = torch.randn(1, pos.shape[1], 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)

    def function(back_end, moved):
        rast, rast_db = back_end.rasterize(moved, back_end.to(triangles), RESOLUTION)
        slopes = back_end.interpolate(back_end.to(uv), rast, back_end.to(triangles), rast_db, "all")[1]
        return (slopes**2).sum()

    check_gradient(function, pos)
