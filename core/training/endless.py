"""Batches without end; the state is one step number, so a resumed run goes on with the draws that were due."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

import cv2
import numpy as np
import torch

Made = TypeVar("Made")


class EndlessBatches(torch.utils.data.IterableDataset, Generic[Made]):
    """Yields make() for ever, from `first_step` on, with a generator of random numbers for each step."""

    def __init__(self, seed: int, first_step: int) -> None:
        super().__init__()
        self.seed, self.first_step = seed, first_step

    def __iter__(self) -> Iterator[Made]:
        cv2.setNumThreads(1)
        worker = torch.utils.data.get_worker_info()
        step, stride = self.first_step + (worker.id if worker else 0), worker.num_workers if worker else 1
        while True:
            yield self.make(np.random.default_rng([self.seed, step]))
            step += stride

    def make(self, random: np.random.Generator) -> Made:
        """One batch; the same for the same generator."""
        raise NotImplementedError
