"""The back ends that every rasteriser test runs over; those this machine cannot run are skipped by name."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from imago.core.render import render


@dataclass(frozen=True)
class BackEnd:
    """Where and how a test body runs; `tolerance` bounds gradients against finite differences, relative to the largest."""

    name: str
    device: str
    dtype: torch.dtype
    tolerance: float

    def rasterize(self, *args, **kwargs):
        return render.rasterize(*args, backend=self.name, **kwargs)

    def interpolate(self, *args, **kwargs):
        return render.interpolate(*args, backend=self.name, **kwargs)

    def texture(self, *args, **kwargs):
        return render.texture(*args, backend=self.name, **kwargs)

    def antialias(self, *args, **kwargs):
        return render.antialias(*args, backend=self.name, **kwargs)

    def to(self, tensor):
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)


REFERENCE = BackEnd("torch", "cpu", torch.float64, 1e-5)
BACK_ENDS = {
    "torch-cpu-float64": REFERENCE,
    "torch-cpu-float32": BackEnd("torch", "cpu", torch.float32, 2e-2),
    "torch-cuda-float32": BackEnd("torch", "cuda", torch.float32, 2e-2),
    "nvdiffrast-cuda-float32": BackEnd("nvdiffrast", "cuda", torch.float32, 2e-2),
}


if torch.backends.mps.is_available():
    BACK_ENDS["torch-mps-float32"] = BackEnd("torch", "mps", torch.float32, 2e-2)


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """The tests' tensors are small: more threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(params=list(BACK_ENDS))
def back_end(request) -> BackEnd:
    chosen = BACK_ENDS[request.param]
    if chosen.device == "cuda" and not torch.cuda.is_available():
        pytest.skip(f"{request.param}: no CUDA device here")
    if chosen.name == "nvdiffrast" and not render.nvdiffrast_importable():
        pytest.skip(f"{request.param}: nvdiffrast is not installed here")
    return chosen


@pytest.fixture
def reference() -> BackEnd:
    return REFERENCE


@pytest.fixture
def scene():
    """Clip positions (2, 9, 4) float64 and triangles (7, 3): a bent fan in perspective and a triangle before it."""
    random = torch.Generator().manual_seed(3)
    angle = torch.arange(6, dtype=torch.float64) * (2 * torch.pi / 6) + 0.13
    ring = torch.stack([0.71 * angle.cos(), 0.63 * angle.sin(), 0.1 * (3 * angle).cos()], 1)
    points = torch.cat([torch.tensor([[0.03, 0.05, 0.3]], dtype=torch.float64), ring])
    apart = torch.tensor([[-0.5, -0.3, 0.6], [0.1, 0.45, 0.5]], dtype=torch.float64)
    points = torch.cat([points, apart])
    points = points + 0.02 * torch.randn(points.shape, generator=random, dtype=torch.float64)
    triangles = torch.tensor([[0, k, k % 6 + 1] for k in range(1, 7)] + [[7, 8, 3]])
    views = []
    for turn in (0.2, -0.4):
        cos, sin = torch.cos(torch.tensor(turn)).item(), torch.sin(torch.tensor(turn)).item()
        x, y, z = points.unbind(1)
        x, z = cos * x + sin * z, -sin * x + cos * z
        w = 2.5 - z
        views.append(torch.stack([2.2 * x, 2.2 * y, 1.02 * w - 1.5, w], 1))
    return torch.stack(views), triangles


def numeric_gradient(function, values: torch.Tensor, entries: torch.Tensor, step: float = 1e-6) -> torch.Tensor:
    """Central differences of a scalar function of a float64 tensor at the chosen flat entries."""
    gradient = torch.zeros(len(entries), dtype=torch.float64)
    for number, index in enumerate(entries.tolist()):
        ends = []
        for sign in (1, -1):
            moved = values.clone()
            moved.view(-1)[index] += sign * step
            ends.append(function(moved))
        gradient[number] = (ends[0] - ends[1]) / (2 * step)
    return gradient


@pytest.fixture
def check_gradient(back_end, reference):
    """check(function(back_end, values) -> scalar tensor, values float64): autograd of the back end against float64 differences."""

    def check(function, values: torch.Tensor) -> torch.Tensor:
        # Thirty entries spread over the tensor show a wrong formula as surely as all of them.
        entries = torch.randperm(values.numel(), generator=torch.Generator().manual_seed(4))[:30]
        with torch.no_grad():
            wanted = numeric_gradient(lambda moved: function(reference, moved), values, entries)
        variable = back_end.to(values).requires_grad_()
        function(back_end, variable).backward()
        found = variable.grad.double().cpu()
        assert wanted.abs().max() > 1e-6, "the function does not depend on the values: the test would show nothing"
        assert (found.view(-1)[entries] - wanted).abs().max() <= back_end.tolerance * wanted.abs().max()
        return found

    return check
