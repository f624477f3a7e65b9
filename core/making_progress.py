"""How far a car is and how long it will still take, told by expected seconds instead of counted steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from .messages import Word
from .paint.paint import painted_size_px
from .pipeline import SPANS01
from .types import Settings

Tell = Callable[..., None]
"""tell(word, **fields): one message to Blender."""
Check = Callable[[], None]
"""Raises Cancelled when the job shall stop."""

EVERY_S = 0.1  # between two PROGRESS messages of one stage
TELLABLE_S, TELLABLE_SHARE = 1.0, 0.05  # a guess at the time left is worth telling after so much
# seconds of each stage on one core of 2020, texture 2048 px; only their proportions matter, and only for the first car of a kind
USUAL_S = {"photo": 0.02, "matte": 0.3, "perceive": 0.1, "paint": 1.5, "asset": 0.01, "write": 0.8}
USUAL_FIT_S = {"draft": 0.6, "normal": 6.0, "high": 25.0}
USUAL_INVERT_S = {"draft": 1.0, "normal": 4.0, "high": 12.0}
USUAL_TEXTURE_PX = 2048

_learned: dict[Settings, dict[str, float]] = {}


def expected_s(settings: Settings) -> dict[str, float]:
    """Seconds by stage, in order: those of the last car with these settings in this process, else the usual ones."""
    texture_share = (painted_size_px(settings) / USUAL_TEXTURE_PX) ** 2
    invert_s = USUAL_INVERT_S[settings.quality] if settings.unseen == "generator" else 0.0
    usual = USUAL_S | {"fit": USUAL_FIT_S[settings.quality], "invert": invert_s}
    scaled = {stage: seconds * (texture_share if stage in ("paint", "write") else 1.0) for stage, seconds in usual.items()}
    known = scaled | _learned.get(_alike(settings), {})
    return {stage: max(known[stage], 1e-3) for stage in (*SPANS01, "write")}


def _alike(settings: Settings) -> Settings:
    """Settings without what costs no time: which of several cars it is, or which invented one."""
    return replace(settings, which=0, box_px=None, seed=0, toward_seed=None)


class Progress:
    """Turns the pipeline's reports into PROGRESS messages, about ten a second, whose fraction never falls."""

    def __init__(self, job: str, settings: Settings, tell: Tell, check: Check) -> None:
        self.job, self.settings, self.tell, self.check = job, settings, tell, check
        self.expected_s = expected_s(settings)
        self.fraction01 = 0.0
        self.restart()

    def restart(self) -> None:
        """The work begins anew; what was shown stands until it is reached again."""
        self.began = time.perf_counter()
        self.stage, self.told = "", float("-inf")

    def report(self, stage: str, fraction01: float) -> None:
        """fraction01 is that of the pipeline (see SPANS01); for `write`, which the pipeline does not know, that of the stage.

        Raises what `check` raises.
        """
        self.check()
        now = time.perf_counter()
        start, end = SPANS01.get(stage, (0.0, 1.0))
        share = min(max((fraction01 - start) / (end - start), 0.0), 1.0)
        stages = list(self.expected_s)
        before = sum(self.expected_s[name] for name in stages[: stages.index(stage)])
        done = (before + share * self.expected_s[stage]) / sum(self.expected_s.values())
        self.fraction01 = max(self.fraction01, min(done, 1.0))
        if stage != self.stage or now - self.told >= EVERY_S or share == 1.0:
            self.stage, self.told = stage, now
            self.tell(Word.PROGRESS, job=self.job, stage=stage, fraction01=round(self.fraction01, 4), left_s=self._left_s(done, now))

    def learn(self, timings_s: dict[str, float]) -> None:
        """The car is made, with these seconds by stage: expect the same of the next one like it."""
        _learned[_alike(self.settings)] = timings_s

    def _left_s(self, done01: float, now: float) -> float | None:
        """None while it cannot be told."""
        if done01 >= 1:
            return 0.0
        elapsed = now - self.began
        if elapsed < TELLABLE_S or done01 < TELLABLE_SHARE:
            return None
        return round(elapsed * (1 - done01) / done01, 1)
