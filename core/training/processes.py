"""Several processes training one network, as torchrun starts them; one process alone without it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class Processes:
    """rank of this one among count."""

    rank: int = 0
    count: int = 1

    @classmethod
    def from_environment(cls) -> Processes:
        """Join the others where torchrun's variables are set."""
        if "WORLD_SIZE" not in os.environ:
            return cls()
        distributed.init_process_group("gloo")
        return cls(distributed.get_rank(), distributed.get_world_size())

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def average_gradients(self, network: nn.Module) -> None:
        """The mean of all processes' gradients in each, one message for all of them."""
        if self.count == 1:
            return
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient) / self.count)

    def agreed(self, seconds: float) -> float:
        """The first process's clock, so that all stop at the same step."""
        if self.count == 1:
            return seconds
        told = torch.tensor([seconds])
        distributed.broadcast(told, 0)
        return float(told)

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            distributed.barrier()
