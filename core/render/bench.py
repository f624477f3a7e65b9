"""Milliseconds and memory of the rasteriser; `python build.py bench render`."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Callable

import torch

from ..frames import car_to_clip, clip_from_camera, orbit
from . import render

SIZES_PX = (128, 256, 512)
TRIANGLES = (2_000, 10_000, 50_000)
REPEATS = 7


def sphere(triangles: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A car-sized closed ellipsoid with about the wanted number of triangles: vertices (V, 3) float32 in metres, triangles (F, 3) int64."""
    rings = max(int(math.sqrt(triangles / 4)), 3)
    around = 2 * rings
    polar = torch.linspace(0, math.pi, rings + 1)[1:-1]
    azimuth = torch.arange(around) * (2 * math.pi / around)
    grid = torch.stack(
        [polar.sin()[:, None] * azimuth.cos(), polar.sin()[:, None] * azimuth.sin(), polar.cos()[:, None].expand(-1, around)], -1
    ).reshape(-1, 3)
    vertices = torch.cat([grid, torch.tensor([[0.0, 0, 1], [0, 0, -1]])]) * torch.tensor([0.9, 2.2, 0.75]) + torch.tensor([0.0, 0, 0.75])
    ring, step = torch.meshgrid(torch.arange(rings - 2), torch.arange(around), indexing="ij")
    a, b = (ring * around + step).reshape(-1), (ring * around + (step + 1) % around).reshape(-1)
    c, d = a + around, b + around
    top, bottom = len(vertices) - 2, len(vertices) - 1
    edge = torch.arange(around)
    following = (edge + 1) % around
    last = (rings - 2) * around
    caps = [
        torch.stack([torch.full_like(edge, top), edge, following], 1),
        torch.stack([torch.full_like(edge, bottom), last + following, last + edge], 1),
    ]
    return vertices, torch.cat([torch.stack([a, c, d], 1), torch.stack([a, d, b], 1), *caps])


def camera_clip(vertices: torch.Tensor, size_px: int, batch: int = 1) -> torch.Tensor:
    """(B, V, 4) clip positions seen from cameras round the car."""
    poses = [torch.as_tensor(orbit(0.6 + 6.28 * k / batch, 0.25, 7.0, (0, 0, 0.7)), dtype=torch.float32) for k in range(batch)]
    projection = clip_from_camera(1.35 * size_px, size_px, size_px)
    return car_to_clip(vertices[None], torch.stack(poses), projection)


def best_ms(call: Callable[[], object], repeats: int = REPEATS) -> float:
    """Shortest of several runs, since other programs share the cores."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def measure(size_px: int, triangle_count: int, batch: int = 1) -> dict[str, float]:
    """Milliseconds by step for one size."""
    vertices, triangles = sphere(triangle_count)
    topology = render.antialias_topology(triangles)
    pos = camera_clip(vertices, size_px, batch).requires_grad_()
    resolution = (size_px, size_px)

    def picture() -> torch.Tensor:
        rast, _ = render.rasterize(pos, triangles, resolution, with_db=False)
        color, _ = render.interpolate(vertices[None], rast, triangles)
        return render.antialias(color, rast, pos, triangles, topology)

    def forward(call: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            with torch.no_grad():
                call()

        return run

    def round_trip(call: Callable[[], torch.Tensor]) -> Callable[[], object]:
        return lambda: torch.autograd.grad(call().square().sum(), pos)

    rasterized = best_ms(forward(lambda: render.rasterize(pos, triangles, resolution, with_db=False)))
    mask = best_ms(forward(lambda: render.silhouette(pos, triangles, resolution, topology)))
    whole = best_ms(forward(picture))
    return {
        "rasterize": rasterized,
        "silhouette": mask,
        "silhouette+backward": best_ms(round_trip(lambda: render.silhouette(pos, triangles, resolution, topology))),
        "picture": whole,
        "picture+backward": best_ms(round_trip(picture)),
    }


def _peak_mib() -> float:
    """Most memory the process has held; ru_maxrss counts KiB on Linux, bytes on macOS."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main() -> None:
    """Print the table: `rasterize` without derivatives, `silhouette` the mask path, `picture` rasterize + interpolate + antialias."""
    before_mib = _peak_mib()
    names = ("rasterize", "silhouette", "silhouette+backward", "picture", "picture+backward")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, float32, milliseconds, best of {REPEATS}")
    print(f"{'px':>5} {'triangles':>9} {'batch':>5} " + " ".join(f"{name:>19}" for name in names))
    for size_px in SIZES_PX:
        for count in TRIANGLES:
            figures = measure(size_px, count)
            print(f"{size_px:>5} {count:>9} {1:>5} " + " ".join(f"{figures[name]:>19.1f}" for name in names))
    figures = measure(128, 10_000, batch=8)
    print(f"{128:>5} {10_000:>9} {8:>5} " + " ".join(f"{figures[name]:>19.1f}" for name in names))
    print(f"peak memory {_peak_mib():.0f} MiB, of which {before_mib:.0f} MiB before the first picture")


if __name__ == "__main__":
    main()
