"""Blender's side of the worker: starts the process, hands it jobs, and turns whatever becomes of it into events.

Knows nothing of bpy.  Threads only read pipes and end processes; what the client remembers changes in the caller's thread alone.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ..core.errors import Trouble, UserInputError
from ..core.messages import MakeRequest, Word, line_of, make_line, parse_line, part_folder

ANSWER_S = 0.6  # a worker that has not stopped by then after CANCEL is killed; a second is promised
QUIT_S = 1.0
MOST_LOG_BYTES = 2**20
TAIL_LINES, TAIL_BYTES = 20, 8000
# numpy's idle BLAS threads spin for a tenth of a second, on the processor that the others and Blender would have
THREADS = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "1"}
FINAL = (Word.MADE, Word.FAILED, Word.CANCELLED)
NUMBER = (int, float)
# what must come along with a word, and of which types; a line that lacks it is garbage
FIELDS: dict[Word, dict[str, Any]] = {
    Word.READY: {},
    Word.PROGRESS: {"stage": str, "fraction01": NUMBER, "left_s": (*NUMBER, type(None))},
    Word.SKETCH: {"file": str},
    Word.NOTICE: {"trouble": str, "sentence": str},
    Word.MADE: {"folder": str, "seconds": NUMBER},
    Word.FAILED: {"trouble": str, "sentence": str, "detail": str},
    Word.CANCELLED: {},
}


@dataclass(frozen=True)
class Event:
    """Something that happened; `job` is empty for READY, `fields` are those that core.messages.Word lists."""

    word: Word
    job: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Running:
    """The job at hand.  `answered` is set by the reading thread, the rest by the caller's."""

    request: MakeRequest
    answered: threading.Event = field(default_factory=threading.Event)
    heard_of: bool = False
    cancelling: bool = False
    sent_again: bool = False


@dataclass(frozen=True)
class _Death:
    """The end of a process: its code, and where in the log its own lines begin."""

    code: int
    log_start: int


class WorkerClient:
    """One worker process, started when it is needed and started anew after it ended."""

    def __init__(self, python: Path, package_root: Path, log_path: Path, cache: Path | None, idle_s: float) -> None:
        """python: the interpreter of the worker's environment; package_root: the folder that holds core/.

        cache: where compiled modules of this package and of the environment are kept; None reads those that the environment brings
        and writes none.  (Without either, compiling torch takes half a minute.)
        """
        self.python, self.package_root, self.log_path, self.cache, self.idle_s = python, package_root, log_path, cache, idle_s
        self.gpu: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._running: _Running | None = None
        self._news: queue.SimpleQueue[tuple[subprocess.Popen[bytes], tuple[Word, dict[str, Any]] | _Death]] = queue.SimpleQueue()
        self._log: IO[bytes] | None = None

    @property
    def running_job(self) -> str | None:
        """The job whose last event has not been polled yet."""
        return self._running.request.job if self._running else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Of the process at hand; None where none is alive."""
        return self._process.pid if self._process is not None and self.alive else None

    def start(self) -> None:
        """Start the process unless it runs already; takes milliseconds, READY comes by poll().  Raises UserInputError."""
        if self.alive:
            return
        self._open_log()
        try:
            process = subprocess.Popen(
                self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log or subprocess.DEVNULL,
                env=_environment(), cwd=self.package_root, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        except OSError as problem:
            raise UserInputError(
                f"The worker's Python {self.python} does not start ({problem.strerror}); set Imago up again.", Trouble.NOT_SET_UP
            ) from problem
        self._process, self.gpu = process, None
        threading.Thread(target=self._read, args=(process, self._log_size()), daemon=True, name="imago worker").start()
        atexit.unregister(self.close)
        atexit.register(self.close)

    def make(self, request: MakeRequest) -> None:
        """Begin a job.  Raises RuntimeError while another one runs, UserInputError where the process does not start."""
        if self._running is not None:
            raise RuntimeError(f"the job {self._running.request.job} is still running")
        self.start()
        self._running = _Running(request)
        self._send(make_line(request))

    def poll(self) -> list[Event]:
        """What happened since the last call; never blocks."""
        return self.wait(0.0)

    def wait(self, seconds: float) -> list[Event]:
        """Like poll, but waits up to `seconds` for the first of the events."""
        events: list[Event] = []
        with contextlib.suppress(queue.Empty):
            news = self._news.get(timeout=seconds) if seconds > 0 else self._news.get_nowait()
            while True:
                events += self._take(*news)
                news = self._news.get_nowait()
        return events

    def cancel(self) -> None:
        """Ask the running job to stop.  Returns at once; CANCELLED follows within a second, and nothing of the job stays on disk."""
        running, process = self._running, self._process
        if running is None or process is None or running.cancelling:
            return
        running.cancelling = True
        self._send(line_of(Word.CANCEL, job=running.request.job))
        threading.Thread(target=_kill_unless_answered, args=(process, running), daemon=True, name="imago cancel").start()

    def close(self) -> None:
        """End the process, and with it the job at hand, of which nothing stays; the client may be used again afterwards."""
        process, running = self._process, self._running
        self._process = self._running = None
        if process is not None:
            with contextlib.suppress(OSError, ValueError):
                assert process.stdin is not None
                process.stdin.write(line_of(Word.QUIT).encode())
                process.stdin.close()
            try:
                process.wait(QUIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if running is not None:
            _clear(running.request)
        if self._log is not None:
            self._log.close()
            self._log = None
        atexit.unregister(self.close)

    def _command(self) -> list[str]:
        script = self.package_root / "core" / "worker.py"
        given = ["--idle-s", f"{self.idle_s:g}", "--parent-pid", str(os.getpid())]
        compiled = ["-B"] if self.cache is None else ["-X", f"pycache_prefix={self.cache}"]
        return [str(self.python), "-I", *compiled, str(script), *given]

    def _send(self, line: str) -> None:
        process = self._process
        assert process is not None and process.stdin is not None
        with contextlib.suppress(OSError):  # a dead process: its reading thread tells of it
            process.stdin.write(line.encode())
            process.stdin.flush()

    def _take(self, process: subprocess.Popen[bytes], news: tuple[Word, dict[str, Any]] | _Death) -> list[Event]:
        """Events of one piece of news; what a former process or job still said is passed over."""
        if process is not self._process:
            return []
        if isinstance(news, _Death):
            return self._take_death(news)
        word, fields = news
        if word is Word.READY:
            self.gpu = fields.get("gpu")
            return [Event(word, "", fields)]
        running = self._running
        if running is None or fields.get("job") != running.request.job:
            return []
        running.heard_of = True
        if running.cancelling:
            return self._end_cancelled() if word in FINAL else []
        if word in FINAL:
            self._running = None
        return [Event(word, running.request.job, {name: value for name, value in fields.items() if name != "job"})]

    def _take_death(self, death: _Death) -> list[Event]:
        running, self._process = self._running, None
        if running is None:
            return []
        if running.cancelling:
            return self._end_cancelled()
        if death.code == 0 and not running.heard_of and not running.sent_again:  # it was about to go for idleness when the job came
            return self._send_again(running)
        self._running = None
        tail = self._log_tail(death.log_start)
        return [
            _failed(
                running, Trouble.WORKER_DIED, f"The worker that makes the car ended by itself ({_manner(death.code)}); try again.", tail
            )
        ]

    def _send_again(self, running: _Running) -> list[Event]:
        running.sent_again = True
        try:
            self.start()
        except UserInputError as problem:
            self._running = None
            return [_failed(running, problem.trouble, str(problem), "")]
        self._send(make_line(running.request))
        return []

    def _end_cancelled(self) -> list[Event]:
        running, self._running = self._running, None
        assert running is not None
        _clear(running.request)
        return [Event(Word.CANCELLED, running.request.job)]

    def _read(self, process: subprocess.Popen[bytes], log_start: int) -> None:
        """Runs in a thread as long as the process does."""
        assert process.stdout is not None
        for raw in process.stdout:
            try:
                word, fields = _parse(raw.decode())
            except ValueError as problem:
                self._note(f"the worker said what is no message: {str(problem)[:200]}")
                continue
            running = self._running
            if running is not None and word in FINAL and fields["job"] == running.request.job:
                running.answered.set()
            self._news.put((process, (word, fields)))
        code = process.wait()
        running = self._running
        if running is not None and self._process is process:
            _clear(running.request)
            running.answered.set()
        process.stdout.close()
        self._news.put((process, _Death(code, log_start)))

    def _open_log(self) -> None:
        """Keeps one older log.  Without a place for it the worker works all the same."""
        if self._log is not None:
            self._log.close()
        self._log = None
        with contextlib.suppress(OSError):
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):  # another Blender may hold it open
                if self.log_path.stat().st_size > MOST_LOG_BYTES:
                    os.replace(self.log_path, self.log_path.with_name(self.log_path.name + ".1"))
            self._log = open(self.log_path, "ab", buffering=0)  # noqa: SIM115

    def _note(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            self._log.write((text + "\n").encode())  # type: ignore[union-attr]

    def _log_size(self) -> int:
        return self.log_path.stat().st_size if self._log is not None else 0

    def _log_tail(self, start: int) -> str:
        try:
            with open(self.log_path, "rb") as file:
                file.seek(max(start, self.log_path.stat().st_size - TAIL_BYTES))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-TAIL_LINES:])


def _parse(line: str) -> tuple[Word, dict[str, Any]]:
    """A worker's message with all it must hold.  Raises ValueError for anything else."""
    word, fields = parse_line(line)
    if word not in FIELDS:
        raise ValueError(f"not the worker's to say: {line[:80]!r}")
    wanted = FIELDS[word] if word is Word.READY else {"job": str, **FIELDS[word]}
    wrong = [name for name, kind in wanted.items() if not isinstance(fields.get(name), kind)]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} of {line[:80]!r}")
    if word is Word.FAILED:
        fields["trouble"] = Trouble(fields["trouble"])
    return word, fields


def _failed(running: _Running, trouble: Trouble, sentence: str, detail: str) -> Event:
    return Event(Word.FAILED, running.request.job, {"trouble": trouble, "sentence": sentence, "detail": detail})


def _kill_unless_answered(process: subprocess.Popen[bytes], running: _Running) -> None:
    """Runs in a thread; the reading thread sees the process end and clears up."""
    if not running.answered.wait(ANSWER_S):
        process.kill()


def _clear(request: MakeRequest) -> None:
    """Remove what a job left: its part, and its folder where it was finished in the very moment of its end."""
    shutil.rmtree(part_folder(request.folder), ignore_errors=True)
    if _job_in(Path(request.folder)) == request.job:
        shutil.rmtree(request.folder, ignore_errors=True)


def _job_in(folder: Path) -> str | None:
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return str(record["job"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _manner(code: int) -> str:
    if code >= 0:
        return f"code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}" + (", as when memory is full" if code == -9 else "")
    return f"signal {-code}"


def _environment() -> dict[str, str]:
    """Ours without what is meant for Blender's own Python and libraries."""
    foreign = ("PYTHON", "LD_", "DYLD_", "__PYVENV_LAUNCHER__")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return THREADS | kept
