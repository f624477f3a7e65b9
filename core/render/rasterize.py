"""Torch back end: which triangle every pixel centre sees, and the perspective-correct barycentrics there.

Scan conversion without a loop over triangles: triangles are expanded to the pixel rows they cross, rows to the pixels between
their two edges (two repeat_interleave), and a scatter-minimum resolves depth.  Work and memory follow the number of covered
pixels, so small and large triangles need no separate paths.  An edge's crossing of a row is computed from the same two
vertices in the same order by both triangles that share it, so neighbours neither overlap nor leave cracks.
The coverage is decided without gradients; u, v and z/w are then computed again from clip space for the covered pixels only
(homogeneous barycentrics: Olano and Greer 1997, "Triangle scan conversion using 2D homogeneous coordinates").
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

NEAR_W = 1e-3  # triangles with a vertex nearer than this are dropped whole


@dataclass(frozen=True)
class _Spans:
    """Triangles that may cover a pixel, sorted top to bottom: y0 <= y1 <= y2 in pixels; all (K,) or (K, 3)."""

    x: torch.Tensor
    y: torch.Tensor
    z: torch.Tensor
    triangle: torch.Tensor  # index into triangles
    image: torch.Tensor  # index into the batch
    first_row: torch.Tensor
    rows: torch.Tensor


def rasterize(
    pos_clip: torch.Tensor, triangles: torch.Tensor, resolution: tuple[int, int], grad_db: bool = True, with_db: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """See render.rasterize."""
    with torch.no_grad():
        triangle_ids = nearest_triangles(pos_clip, triangles, resolution)[0]
    return barycentrics(pos_clip, triangles, triangle_ids, grad_db, with_db)


def nearest_triangles(
    pos_clip: torch.Tensor, triangles: torch.Tensor, resolution: tuple[int, int], front_only: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, h, w) triangle id + 1 (0 where empty) and (B, h, w) z/w (+2 where empty), both in pos_clip's dtype, without gradient.

    front_only: triangles that show their back (clockwise on the screen) are left out, which for a closed mesh seen from outside changes
    nothing and saves a third of the time.
    """
    height, width = resolution
    pixels = pos_clip.shape[0] * height * width
    spans = _spans(pos_clip.detach(), triangles, height, width, front_only)
    pixel, depth, triangle = _fragments(spans, height, width)
    nearest = torch.full((pixels,), 2.0, dtype=depth.dtype, device=depth.device).scatter_reduce_(0, pixel, depth, "amin")
    winner = (depth == nearest.index_select(0, pixel)).nonzero().squeeze(1)
    # Equal depths go to the lowest id, so the picture does not depend on the order of the scatter.
    ids = torch.full((pixels,), float(1 << 25), dtype=depth.dtype, device=depth.device)
    ids.scatter_reduce_(0, pixel.index_select(0, winner), triangle.index_select(0, winner).to(depth.dtype) + 1, "amin")
    ids.masked_fill_(nearest == 2.0, 0.0)
    shape = (pos_clip.shape[0], height, width)
    return ids.view(shape), nearest.view(shape)


def _spans(pos_clip: torch.Tensor, triangles: torch.Tensor, height: int, width: int, front_only: bool) -> _Spans:
    """Screen-space triangles that reach over at least one pixel row and column inside the picture."""
    batch, vertices = pos_clip.shape[:2]
    w = pos_clip[..., 3]
    inverse_w = 1.0 / w.clamp_min(NEAR_W)
    x = (pos_clip[..., 0] * inverse_w + 1) * (0.5 * width)
    y = (pos_clip[..., 1] * inverse_w + 1) * (0.5 * height)
    # NaN marks a vertex behind the near plane; every comparison below is then false and the triangle drops out.
    y = torch.where(w > NEAR_W, y, float("nan"))
    corner_y = y[:, triangles.reshape(-1)].view(batch, -1, 3)
    low, high = corner_y.amin(2), corner_y.amax(2)
    first_row, last_row = _first_centre(low, height), _first_centre(high, height)
    reaches = last_row > first_row
    if front_only:
        corner_x = x[:, triangles.reshape(-1)].view(batch, -1, 3)
        reaches &= _turns_left(corner_x, corner_y)
    kept = reaches.view(-1).nonzero().squeeze(1)
    image = torch.div(kept, max(len(triangles), 1), rounding_mode="floor")
    triangle = kept - image * len(triangles)
    corners = triangles.index_select(0, triangle) + (image * vertices)[:, None]
    screen = torch.stack([x, y, pos_clip[..., 2] * inverse_w], -1).view(-1, 3)
    corner = screen.index_select(0, corners.view(-1)).view(-1, 3, 3)
    order = corner[..., 1].argsort(1)
    sorted_corner = corner.gather(1, order[..., None].expand(-1, -1, 3))
    first_row, last_row = first_row.view(-1).index_select(0, kept), last_row.view(-1).index_select(0, kept)
    return _Spans(sorted_corner[..., 0], sorted_corner[..., 1], sorted_corner[..., 2], triangle, image, first_row, last_row - first_row)


def _turns_left(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Whether corners (..., 3) run counter-clockwise, y upward; False where one is not a number."""
    return (x[..., 1] - x[..., 0]) * (y[..., 2] - y[..., 0]) > (x[..., 2] - x[..., 0]) * (y[..., 1] - y[..., 0])


def _first_centre(coordinate_px: torch.Tensor, limit: int) -> torch.Tensor:
    """Index of the first pixel centre at or after a coordinate, held in 0..limit; NaN gives 0."""
    return (coordinate_px - 0.5).ceil_().clamp_(0, limit).nan_to_num_(0.0).long()


def _expand(counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """For counts (K,): the owner of each of the sum(counts) items, and the item's place within its owner."""
    owner = torch.repeat_interleave(counts)
    first = counts.cumsum(0) - counts
    return owner, torch.arange(len(owner), device=counts.device) - first.index_select(0, owner)


def _edge_x(x: torch.Tensor, y: torch.Tensor, row_y: torch.Tensor, start: int, end: int) -> torch.Tensor:
    """Where the edge between two sorted corners crosses a row, held between its ends (steep slopes overshoot in float32)."""
    xs, xe, ys, ye = x[:, start], x[:, end], y[:, start], y[:, end]
    at = xs + (row_y - ys) * ((xe - xs) / (ye - ys))
    return torch.minimum(torch.maximum(at, torch.minimum(xs, xe)), torch.maximum(xs, xe))


def _depth_plane(spans: _Spans) -> tuple[torch.Tensor, torch.Tensor]:
    """dz/dx and dz/dy (K,) of the triangles in screen space, where z/w is linear; 0 for slivers without a plane."""
    dx1, dx2 = spans.x[:, 1] - spans.x[:, 0], spans.x[:, 2] - spans.x[:, 0]
    dy1, dy2 = spans.y[:, 1] - spans.y[:, 0], spans.y[:, 2] - spans.y[:, 0]
    dz1, dz2 = spans.z[:, 1] - spans.z[:, 0], spans.z[:, 2] - spans.z[:, 0]
    area = dx1 * dy2 - dx2 * dy1
    inverse = torch.where(area != 0, 1.0 / area, torch.zeros_like(area))
    return (dz1 * dy2 - dz2 * dy1) * inverse, (dz2 * dx1 - dz1 * dx2) * inverse


def _fragments(spans: _Spans, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Every pixel centre inside every triangle: flat pixel index, z/w, triangle index, each (N,)."""
    dz_dx, dz_dy = _depth_plane(spans)
    owner, place = _expand(spans.rows)
    row = spans.first_row.index_select(0, owner) + place
    row_y = row.to(spans.x.dtype) + 0.5
    x, y = spans.x.index_select(0, owner), spans.y.index_select(0, owner)
    long_x = _edge_x(x, y, row_y, 0, 2)
    short_x = torch.where(row_y < y[:, 1], _edge_x(x, y, row_y, 0, 1), _edge_x(x, y, row_y, 1, 2))
    first_column = _first_centre(torch.minimum(long_x, short_x), width)
    columns = _first_centre(torch.maximum(long_x, short_x), width) - first_column
    slope = dz_dx.index_select(0, owner)
    row_z = spans.z[:, 0].index_select(0, owner) + slope * (first_column + 0.5 - x[:, 0]) + dz_dy.index_select(0, owner) * (row_y - y[:, 0])
    row_pixel = (spans.image.index_select(0, owner) * height + row) * width + first_column

    row_owner, offset = _expand(columns)
    depth = row_z.index_select(0, row_owner) + slope.index_select(0, row_owner) * offset
    triangle_owner = owner.index_select(0, row_owner)
    z_low, z_high = spans.z.aminmax(dim=1)
    depth = torch.minimum(torch.maximum(depth, z_low.index_select(0, triangle_owner)), z_high.index_select(0, triangle_owner))
    pixel = row_pixel.index_select(0, row_owner) + offset
    triangle = spans.triangle.index_select(0, triangle_owner)
    if bool((spans.z.abs() > 1).any()):  # OpenGL clips between the near and far planes
        inside = (depth.abs() <= 1).nonzero().squeeze(1)
        pixel, depth, triangle = (a.index_select(0, inside) for a in (pixel, depth, triangle))
    return pixel, depth, triangle


def pixel_ndc(pixel: torch.Tensor, height: int, width: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Flat indices into (B, h, w) -> NDC x, y of the pixel centres."""
    column, row = pixel % width, torch.div(pixel, width, rounding_mode="floor") % height
    return (column.to(dtype) + 0.5) * (2.0 / width) - 1, (row.to(dtype) + 0.5) * (2.0 / height) - 1


def barycentrics(
    pos_clip: torch.Tensor, triangles: torch.Tensor, triangle_ids: torch.Tensor, grad_db: bool = True, with_db: bool = True
) -> tuple[torch.Tensor, torch.Tensor]:
    """rast (B, h, w, 4) and rast_db (B, h, w, 4 or 0) from the ids (B, h, w) of nearest_triangles, differentiable in pos_clip.

    With p_i = (x_i - X w_i, y_i - Y w_i) the areas a_i = p_j x p_k are u = a_0 / sum(a), v = a_1 / sum(a), perspective-correct.
    """
    batch, height, width = triangle_ids.shape
    flat_ids = triangle_ids.reshape(-1)
    pixel = flat_ids.nonzero().squeeze(1)
    image = torch.div(pixel, height * width, rounding_mode="floor")
    corners = triangles.index_select(0, flat_ids.index_select(0, pixel).long() - 1) + (image * pos_clip.shape[1])[:, None]
    corner = pos_clip.reshape(-1, 4).index_select(0, corners.view(-1)).view(-1, 3, 4)
    x_ndc, y_ndc = pixel_ndc(pixel, height, width, pos_clip.dtype)
    x, y, z, w = corner.unbind(2)
    px, py = x - x_ndc[:, None] * w, y - y_ndc[:, None] * w
    nx, ny = px.roll(-1, 1), py.roll(-1, 1)
    cross = nx * py.roll(1, 1) - px.roll(1, 1) * ny  # a_i = p_{i+1} x p_{i+2}
    total = cross.sum(1, keepdim=True)
    total = torch.where(total == 0, torch.ones_like(total), total)
    weight = cross / total
    depth = (weight * z).sum(1) / (weight * w).sum(1)
    uv = weight[:, :2].clamp(0, 1)
    values = torch.cat([uv, depth.clamp(-1, 1)[:, None], flat_ids.index_select(0, pixel)[:, None]], 1)
    rast = scatter_pixels(values, pixel, (batch, height, width))
    if not with_db:
        return rast, rast.new_zeros((batch, height, width, 0))
    slopes = _barycentric_slopes(px, py, w, weight, total, height, width)
    return rast, scatter_pixels(slopes if grad_db else slopes.detach(), pixel, (batch, height, width))


def _barycentric_slopes(
    px: torch.Tensor, py: torch.Tensor, w: torch.Tensor, weight: torch.Tensor, total: torch.Tensor, height: int, width: int
) -> torch.Tensor:
    """(N, 4): du/dX, du/dY, dv/dX, dv/dY per pixel, from d p_i / dX = (-w_i, 0) and d p_i / dY = (0, -w_i)."""
    w1, w2 = w.roll(-1, 1), w.roll(1, 1)
    along_x = px.new_tensor(2.0 / width) * (w2 * py.roll(-1, 1) - w1 * py.roll(1, 1))
    along_y = px.new_tensor(2.0 / height) * (w1 * px.roll(1, 1) - w2 * px.roll(-1, 1))
    slope_x = (along_x - weight * along_x.sum(1, keepdim=True)) / total
    slope_y = (along_y - weight * along_y.sum(1, keepdim=True)) / total
    return torch.stack([slope_x[:, 0], slope_y[:, 0], slope_x[:, 1], slope_y[:, 1]], 1)


def scatter_pixels(values: torch.Tensor, pixel: torch.Tensor, shape: tuple[int, int, int]) -> torch.Tensor:
    """(N, C) values at flat pixel indices -> (B, h, w, C), zero elsewhere."""
    pixels = shape[0] * shape[1] * shape[2]
    return values.new_zeros((pixels, values.shape[1])).index_copy(0, pixel, values).view(*shape, values.shape[1])
