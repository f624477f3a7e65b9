"""How far a photograph is, as one line on a terminal or one line a stage in a log."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class ProgressLine:
    """report(stage, fraction01 of this photograph) prints stage, percentage and time left; the shown figure never falls."""

    def __init__(self, name: str, stream: TextIO | None = None) -> None:
        self.name, self.stream = name, stream or sys.stdout
        self.on_terminal = self.stream.isatty()
        self.started = time.monotonic()
        self.fraction01, self.stage, self.shown = 0.0, "", 0.0

    def report(self, stage: str, fraction01: float) -> None:
        self.fraction01 = max(self.fraction01, min(1.0, fraction01))
        now = time.monotonic()
        new_stage = stage != self.stage
        if not new_stage and (not self.on_terminal or now - self.shown < 0.1):
            return
        self.stage, self.shown = stage, now
        self._show(f"{self.name}: {stage} {100 * self.fraction01:.0f} %{self._left(now)}")

    def say(self, stage: str) -> None:
        """A new stage, of which no share is known."""
        self.report(stage, self.fraction01)

    def end(self) -> None:
        """Clear the line on a terminal, so that what follows starts in the first column."""
        if self.on_terminal and self.stage:
            print("\r\033[K", end="", file=self.stream, flush=True)

    def _left(self, now: float) -> str:
        if self.fraction01 < 0.05:
            return ""  # too early for an honest guess
        left = (now - self.started) * (1 - self.fraction01) / self.fraction01
        return f", about {left:.0f} s left"

    def _show(self, text: str) -> None:
        print(f"\r\033[K{text}" if self.on_terminal else text, end="" if self.on_terminal else "\n", file=self.stream, flush=True)
