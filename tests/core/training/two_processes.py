"""What each process of test_processes.py does, started by torchrun: two steps of the perceiver's trainer on draws of its own.

Arguments: the folder of pictures, the run's folder.  Leaves rank_N.pt there: the weights, the clock, and the mean of the
gradients 1 and 2."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from imago.core.dataset.pictures import read_shards
from imago.core.training.processes import Processes
from imago.core.training.train_perceive import train

from .tiny import TINY


def main() -> None:
    pictures, out = Path(sys.argv[1]), Path(sys.argv[2])
    processes = Processes.from_environment()
    empty = np.random.default_rng(0).integers(0, 255, (3, 60, 80, 3)).astype(np.uint8)
    state = train(TINY, read_shards([pictures]), empty, out / f"run_{processes.rank}", processes)
    alone = torch.nn.Linear(2, 1)
    alone.weight.grad = torch.full((1, 2), float(processes.rank + 1))
    processes.average_gradients(alone)
    found = {"weights": dict(state.network.named_parameters()), "trained_s": state.trained_s, "mean": alone.weight.grad}
    torch.save(found, out / f"rank_{processes.rank}.pt")
    processes.wait()


if __name__ == "__main__":
    main()
