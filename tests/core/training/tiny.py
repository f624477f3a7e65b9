"""The smallest network that the perceiver's trainer can train in a test."""

from __future__ import annotations

from imago.core.training.train_perceive import PerceiveConfig

TINY = PerceiveConfig(
    minutes=10,
    batch=4,
    channels=(16, 16, 32, 32, 32),
    decoder=(32, 32, 16, 16),
    cell=8,
    hidden=16,
    finer=4,
    workers=0,
    max_steps=2,
    warmup_steps=1,
    bfloat16=False,
)
