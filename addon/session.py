"""What is going on right now, between redraws: the worker, the car in the making, the set-up, the last problem.

One instance, SESSION, for all windows.  It holds names and numbers, never Blender's data: an undo would leave those dangling.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import Trouble
from ..core.messages import MakeRequest, Problem, Word
from ..core.sketch import Sketch, read_sketch
from .runtime.set_up import SetUp, SetUpState
from .worker_client import Event, WorkerClient

STAGES = {
    "starting": "Starting the worker",
    "photo": "Reading the photo",
    "matte": "Cutting out the car",
    "perceive": "Looking at the car",
    "fit": "Fitting the shape",
    "paint": "Painting",
    "asset": "Putting it together",
    "write": "Writing it down",
}


@dataclass
class Job:
    """One car in the making, as far as it is known."""

    request: MakeRequest
    stage: str = "starting"
    fraction01: float = 0.0
    left_s: float | None = None
    notices: list[Problem] = field(default_factory=list)
    cancelled: bool = False

    @property
    def photo_name(self) -> str:
        return Path(self.request.photo).name


@dataclass(frozen=True)
class Outcome:
    """How a job ended: a folder, or a problem, or neither where it was cancelled."""

    folder: Path | None = None
    problem: Problem | None = None
    notices: tuple[Problem, ...] = ()


class Session:
    """Owns the worker; one job at a time."""

    def __init__(self) -> None:
        self.worker: WorkerClient | None = None
        self.worker_python: Path | None = None
        self.job: Job | None = None
        self.problem: Problem | None = None
        self.set_up: SetUp | None = None
        self.set_up_state: SetUpState | None = None
        self.photos_after_set_up: tuple[str, tuple[str, ...]] | None = None  # folder and names
        self.placing = False  # a finished car is about to be placed, or waits for Object Mode
        self.sketch: Sketch | None = None  # the car in the making, to be drawn
        self.place: tuple[float, float, float] | None = None  # where it will stand; None for one that is to be updated
        self.longest_tick_s = 0.0  # the longest that a tick of ours kept Blender waiting since the last job began

    @property
    def busy(self) -> bool:
        """Whether a car is in the making, or made and not yet placed."""
        return self.job is not None or self.placing

    def begin(self, request: MakeRequest) -> None:
        """Hand the worker a job.  Raises RuntimeError while another runs; UserInputError where the worker does not start."""
        assert self.worker is not None
        if self.job is not None:
            raise RuntimeError(f"the job {self.job.request.job} is still running")
        self.longest_tick_s = 0.0
        self.sketch = None
        self.worker.make(request)
        self.job = Job(request)

    def tick(self, wait_s: float = 0.0) -> Outcome | None:
        """Take in what the worker said; the outcome once the job has ended, else None.  Blocks at most wait_s."""
        assert self.worker is not None and self.job is not None
        for event in self.worker.wait(wait_s) if wait_s else self.worker.poll():
            if event.job == self.job.request.job:
                outcome = self._take(event)
                if outcome is not None:
                    self.job = None
                    return outcome
        return None

    def cancel(self) -> None:
        """Ask the running job to stop; its outcome comes within a second."""
        if self.job is not None and self.worker is not None and not self.job.cancelled:
            self.job.cancelled = True
            self.worker.cancel()

    def abandon(self) -> None:
        """Stop the running job and forget it at once, where nobody will ask for its outcome."""
        if self.job is not None:
            self.job = None
            self.stop_worker()

    def stop_worker(self) -> None:
        """End the worker and give its memory back; the next job starts a new one."""
        if self.worker is not None:
            self.worker.close()
        self.worker = None

    def close(self) -> None:
        """When the extension is disabled or Blender ends."""
        self.abandon()
        self.stop_worker()
        if self.set_up is not None:
            self.set_up.cancel()
        vars(self).update(vars(Session()))

    def _take(self, event: Event) -> Outcome | None:
        job, fields = self.job, event.fields
        assert job is not None
        if event.word is Word.PROGRESS:
            job.stage, job.fraction01, job.left_s = fields["stage"], fields["fraction01"], fields["left_s"]
        elif event.word is Word.SKETCH:
            self.sketch = _sketch(fields) or self.sketch
        elif event.word is Word.NOTICE:
            notice = Problem(Trouble(fields["trouble"]), fields["sentence"])
            if notice not in job.notices:  # a car that is begun anew on the processor says it again
                job.notices.append(notice)
        elif event.word is Word.MADE:
            return Outcome(folder=Path(fields["folder"]), notices=tuple(job.notices))
        elif event.word is Word.FAILED:
            return Outcome(problem=Problem(Trouble(fields["trouble"]), fields["sentence"], fields.get("detail", "")))
        elif event.word is Word.CANCELLED:
            return Outcome()
        return None


def progress_text(job: Job) -> str:
    """Stage, percentage and time left of a car in the making."""
    return share_text("Cancelling" if job.cancelled else STAGES.get(job.stage, job.stage), job.fraction01, job.left_s)


def share_text(stage: str, fraction01: float, left_s: float | None) -> str:
    """What stands in a progress bar; left_s is None while it cannot be told."""
    text = f"{stage}  {100 * fraction01:.0f} %"
    if left_s is None:
        return text
    return f"{text}, {f'{left_s:.0f} s' if left_s < 90 else f'{left_s / 60:.0f} min'} left"


def new_job(photo: str, runs_folder: Path, mask: str | None, settings: dict[str, Any]) -> MakeRequest:
    """A request with a name of its own, which sorts by time."""
    job = f"{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:6]}"
    return MakeRequest(job, photo, str(runs_folder / job), mask, settings)


def _sketch(fields: dict[str, Any]) -> Sketch | None:
    """None where a newer sketch or the job's end already took the file away."""
    try:
        return read_sketch(Path(fields["file"]))
    except OSError:
        return None


SESSION = Session()
