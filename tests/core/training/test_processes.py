"""Several processes that train one network, as torchrun starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from imago.core.car.draw_car import draw_cars
from imago.core.car.prior import shape_prior
from imago.core.car.space import shape_space
from imago.core.dataset.drawn import invented_rows
from imago.core.dataset.pictures import write_shard
from imago.core.dataset.sky import sky_of

from . import two_processes


@pytest.mark.slow
def test_two_processes_learn_one_network_from_batches_of_their_own(tmp_path: Path) -> None:
    """Weights and clock are the same in both, gradients are means, and the first alone writes the run."""
    skies = [sky_of(np.ones((32, 64, 3), np.float32))]
    drawn = draw_cars(4, 1, shape_prior(), shape_space(), truncation=0.2)
    (tmp_path / "pictures").mkdir()
    write_shard(tmp_path / "pictures" / "a.npz", invented_rows(drawn, skies, np.random.default_rng(0)))
    starter = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*starter, "--module", two_processes.__name__, str(tmp_path / "pictures"), str(tmp_path)]
    # the tests' packages begin in that folder
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr[-2000:]
    first, second = (torch.load(tmp_path / f"rank_{rank}.pt") for rank in range(2))
    for name, weight in first["weights"].items():
        torch.testing.assert_close(second["weights"][name], weight, rtol=0, atol=0, msg=name)
    assert first["trained_s"] == second["trained_s"] and torch.equal(first["mean"], torch.full((1, 2), 1.5))
    assert torch.equal(second["mean"], first["mean"])
    assert (tmp_path / "run_0" / "perceive.safetensors").is_file() and not (tmp_path / "run_1" / "perceive.safetensors").exists()
