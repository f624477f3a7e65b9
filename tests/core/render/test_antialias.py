"""antialias: coverage gets a gradient where a plain rasteriser has none, and shapes and cameras can be found with it."""

from __future__ import annotations

import math

import pytest
import torch

from imago.core.render import render
from imago.core.render.bench import sphere

QUAD = torch.tensor([[0, 1, 2], [0, 2, 3]])


def square_pos(center_x: float = 0.0, center_y: float = 0.0, half: float = 0.5) -> torch.Tensor:
    xy = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]], dtype=torch.float64) * half + torch.tensor(
        [center_x, center_y], dtype=torch.float64
    )
    return torch.cat([xy, torch.tensor([[0.0, 1.0]], dtype=torch.float64).expand(4, 2)], 1)[None]


def coverage(back_end, pos, triangles, resolution, smooth: bool = True):
    triangles = back_end.to(triangles)
    rast, _ = back_end.rasterize(pos, triangles, resolution)
    mask = (rast[..., 3:] > 0).to(pos.dtype)
    if not smooth:
        # Keep the graph: a plain rasteriser's mask depends on the positions only through what is interpolated.
        return mask * back_end.interpolate(torch.ones_like(pos[..., :1]), rast, triangles)[0]
    return back_end.antialias(mask, rast, pos, triangles)


def outline_gradient(back_end, smooth: bool, turn_rad: float, size: int = 64) -> float:
    """d coverage / d half side of a turned square."""
    half = torch.tensor(0.45, dtype=back_end.dtype, device=back_end.device, requires_grad=True)
    unit = square_pos(half=1.0)
    turn = torch.tensor([[math.cos(turn_rad), math.sin(turn_rad)], [-math.sin(turn_rad), math.cos(turn_rad)]], dtype=torch.float64)
    corner = back_end.to(unit[..., :2] @ turn) * half + back_end.to(torch.tensor([0.0123, -0.0171], dtype=torch.float64))
    coverage(back_end, torch.cat([corner, back_end.to(unit[..., 2:])], -1), QUAD, (size, size), smooth).sum().backward()
    return half.grad.item()


@pytest.mark.parametrize("turn_degrees", [0, 10, 30, 40, 45, 75])
def test_moves_coverage_where_a_plain_rasteriser_does_not(back_end, turn_degrees):
    """Widening a square adds its outline's length in coverage whatever way it is turned; the plain mask does not move at all."""
    assert abs(outline_gradient(back_end, False, math.radians(turn_degrees))) < 1e-2
    # area = (size * half) ** 2 pixels, so d area / d half = 2 * size ** 2 * half; corners cost a few per cent
    assert outline_gradient(back_end, True, math.radians(turn_degrees)) == pytest.approx(2 * 64**2 * 0.45, rel=0.08)


def test_gradient_sits_exactly_on_the_silhouette(reference):
    """Of a grid's vertices only those of the outline move the coverage."""
    count = 7
    line = torch.linspace(-0.61, 0.63, count, dtype=torch.float64)
    y, x = torch.meshgrid(line, line, indexing="ij")
    pos = torch.stack([x, y, torch.zeros_like(x), torch.ones_like(x)], -1).view(1, -1, 4).requires_grad_()
    index = torch.arange(count * count).view(count, count)
    a, b, c, d = (i.reshape(-1) for i in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]))
    coverage(reference, pos, torch.cat([torch.stack([a, b, c], 1), torch.stack([a, c, d], 1)]), (48, 48)).sum().backward()
    moved = pos.grad[0, :, :2].abs().sum(1).view(count, count) > 0
    outline = torch.ones(count, count, dtype=torch.bool)
    outline[1:-1, 1:-1] = False
    assert torch.equal(moved, outline)


def test_position_gradient(check_gradient, scene):
    pos, triangles = scene
    random = torch.Generator().manual_seed(0)
    picture = torch.randn(2, 19, 23, 3, generator=random, dtype=torch.float64)
    weights = torch.randn(2, 19, 23, 3, generator=random, dtype=torch.float64)

    def function(back_end, moved):
        triangles_there = back_end.to(triangles)
        rast, _ = back_end.rasterize(moved, triangles_there, (19, 23))
        return (back_end.antialias(back_end.to(picture), rast, moved, triangles_there) * back_end.to(weights)).sum()

    found = check_gradient(function, pos)
    assert found[..., 3].abs().max() > 0  # depth of an outline vertex moves it on screen


def test_color_gradient(check_gradient, scene):
    pos, triangles = scene
    random = torch.Generator().manual_seed(0)
    weights = torch.randn(2, 7, 9, 1, generator=random, dtype=torch.float64)

    def function(back_end, color):
        pos_there, triangles_there = back_end.to(pos), back_end.to(triangles)
        rast, _ = back_end.rasterize(pos_there, triangles_there, (7, 9))
        return (back_end.antialias(color, rast, pos_there, triangles_there) ** 2 * back_end.to(weights)).sum()

    check_gradient(function, torch.randn(2, 7, 9, 1, generator=random, dtype=torch.float64))


def test_coverage_of_a_border_pixel_is_its_covered_share(back_end):
    """An upright edge at 10.3 pixels leaves 0.3 of pixel 10 covered, one at 10.8 leaves 0.8."""
    for edge_px, wanted in ((10.3, 0.3), (10.8, 0.8)):
        pos = square_pos(half=2.0)
        pos[0, 1:3, 0] = edge_px / 16 * 2 - 1
        row = coverage(back_end, back_end.to(pos), QUAD, (16, 16))[0, 8, :, 0].double().cpu()
        assert abs(row[10] - wanted) < 1e-4 and abs(row[9] - 1) < 1e-4 and abs(row[11]) < 1e-4


def test_inner_edges_of_a_flat_sheet_stay_sharp(reference):
    pos = square_pos(half=0.8)
    rast, _ = reference.rasterize(pos, QUAD, (24, 24))
    color = rast[..., 3:].clone()
    inside = reference.antialias(color, rast, pos, QUAD)[0, 6:18, 6:18]
    assert torch.equal(inside, color[0, 6:18, 6:18])


def test_a_fold_over_is_a_silhouette_although_its_edge_is_shared(reference):
    """Two triangles on the same side of their shared edge: that edge bounds the coverage."""
    pos = torch.tensor(
        [[[-0.5, -0.7, 0, 1], [-0.5, 0.7, 0, 1], [0.5, 0.1, 0.1, 1], [0.3, -0.2, 0.2, 1]]], dtype=torch.float64, requires_grad=True
    )
    folded = torch.tensor([[0, 1, 2], [0, 3, 1]])
    coverage(reference, pos, folded, (32, 32)).sum().backward()
    assert pos.grad[0, 0, 0] < -50 and pos.grad[0, 1, 0] < -50


def test_topology_names_the_vertex_across_each_edge():
    assert render.antialias_topology(QUAD).tolist() == [[-1, 3, -1], [-1, -1, 1]]
    vertices, triangles = sphere(200)
    across = render.antialias_topology(triangles)
    assert (across >= 0).all() and len(vertices) - len(triangles) * 3 // 2 + len(triangles) == 2


def test_silhouette_is_the_antialiased_mask_and_has_its_gradient(reference, scene):
    pos, triangles = scene
    grads, masks = [], []
    for fast in (True, False):
        variable = pos.clone().requires_grad_()
        mask = render.silhouette(variable, triangles, (33, 29)) if fast else coverage(reference, variable, triangles, (33, 29))
        (mask**2).sum().backward()
        masks.append(mask.detach())
        grads.append(variable.grad)
    assert torch.allclose(masks[0], masks[1]) and torch.allclose(grads[0], grads[1]) and grads[0].abs().max() > 0


def fit(back_end, target, parameters, make_pos, triangles, resolution, steps, rate) -> list[float]:
    """Adam on the squared difference of silhouettes; the losses."""
    optimiser = torch.optim.Adam(parameters, rate, betas=(0.8, 0.95))
    losses = []
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * min(1, 2 - 2 * step / steps)
        loss = (coverage(back_end, make_pos(), triangles, resolution) - target).square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def test_a_square_finds_its_silhouette(back_end):
    resolution = (40, 40)
    target = coverage(back_end, back_end.to(square_pos(0.15, -0.1, 0.55)), QUAD, resolution).detach()
    start = back_end.to(square_pos(0.0, 0.0, 0.4))
    corner = start[..., :2].clone().requires_grad_()
    losses = fit(back_end, target, [corner], lambda: torch.cat([corner, start[..., 2:]], -1), QUAD, resolution, 40, 0.02)
    assert losses[-1] < 0.05 * losses[0]
    assert (corner.detach().double().cpu() - square_pos(0.15, -0.1, 0.55)[..., :2]).abs().max() < 0.02


def test_a_sphere_finds_the_silhouette_of_an_ellipsoid(back_end):
    """From three sides at once, vertices free."""
    vertices, triangles = sphere(600)
    ellipsoid = back_end.to(vertices.double() - torch.tensor([0.0, 0, 0.75], dtype=torch.float64)) * 0.32
    ball = torch.nn.functional.normalize(ellipsoid, dim=1) * 0.42
    axes = [[0, 1, 2], [1, 2, 0], [2, 0, 1]]

    def views(points):
        flat = torch.stack([points[:, order] for order in axes])
        return torch.cat([flat * flat.new_tensor([1.0, 1.0, 0.5]), torch.ones_like(flat[..., :1])], -1)

    target = coverage(back_end, views(ellipsoid), triangles, (48, 48)).detach()
    points = ball.clone().requires_grad_()
    losses = fit(back_end, target, [points], lambda: views(points), triangles, (48, 48), 50, 0.01)
    assert losses[-1] < 0.25 * losses[0]


def test_a_shifted_camera_is_found(back_end):
    vertices, triangles = sphere(600)
    points = back_end.to(vertices.double())
    true_shift = back_end.to(torch.tensor([0.21, -0.13, 0.5], dtype=torch.float64))

    def pos(shift):
        x, y, depth = (points.unbind(1)[k] + (7.0 if k == 1 else 0.0) for k in (0, 2, 1))
        w = depth + shift[2]
        return torch.stack([1.6 * (x + shift[0]), 1.6 * (y - 0.7 + shift[1]) * 1.6, 0.9 * w, w], 1)[None]

    target = coverage(back_end, pos(true_shift), triangles, (64, 64)).detach()
    shift = back_end.to(torch.zeros(3, dtype=torch.float64)).requires_grad_()
    losses = fit(back_end, target, [shift], lambda: pos(shift), triangles, (64, 64), 120, 0.03)
    assert losses[-1] < 0.03 * losses[0]
    assert (shift.detach() - true_shift).abs().max() < 0.08
