"""The process that Blender talks to: JSON lines in, JSON lines out, one car at a time, warm between cars.

Run as a script by addon/worker_client.py.  It ends when its standard input does, so that it never outlives Blender.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import os
import platform
import queue
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if __package__:
    from .errors import Cancelled, Trouble
    from .messages import MakeRequest, Problem, Word, line_of, parse_line, part_folder

if TYPE_CHECKING:
    from types import ModuleType

NAME = "imago"  # what the package is called here, whatever its folder's name
MOST_LINE_BYTES = 2**20
WATCH_S = 1.0


class Worker:
    """Reads requests in a thread, makes cars in the caller's."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes], idle_s: float) -> None:
        self.requests, self.answers, self.idle_s = requests, answers, idle_s
        self._speaking, self._changing = threading.Lock(), threading.Lock()
        self._waiting: queue.SimpleQueue[MakeRequest] = queue.SimpleQueue()
        self._job: MakeRequest | None = None  # from its request until just before its last word
        self._begun = False
        self._stop = threading.Event()

    def run(self) -> int:
        """Work until idle for idle_s (0), or until the environment turns out to be damaged (1)."""
        threading.Thread(target=self._listen, daemon=True, name="requests").start()
        making = self._load()
        while True:
            try:
                request = self._waiting.get(timeout=self.idle_s)
            except queue.Empty:
                with self._changing:  # a request that came this very moment is still taken
                    if self._job is None:
                        return 0
                continue
            if not self._begin(request):
                continue
            if isinstance(making, Problem):
                self._end(request, Word.FAILED, trouble=making.trouble, sentence=making.sentence, detail=making.detail)
                return 1
            word, fields = making.attend(request, self.tell, self._check)
            self._end(request, word, **fields)

    def tell(self, word: Word, **fields: Any) -> None:
        """Say one line to Blender; ends the process where nobody listens any more."""
        try:
            with self._speaking:
                self.answers.write(line_of(word, **fields).encode())
                self.answers.flush()
        except (OSError, ValueError):
            self.leave()

    def leave(self) -> None:
        """End at once, whatever the main thread is doing, and take along what is half made."""
        job = self._job
        if job is not None:
            shutil.rmtree(part_folder(job.folder), ignore_errors=True)
        os._exit(0)

    def _load(self) -> ModuleType | Problem:
        """Import what takes long, and say READY."""
        try:
            making = importlib.import_module(".making", __package__)
            self.tell(Word.READY, python=platform.python_version(), **making.facts())
            if self._job is None:
                making.warm_up()
            return making
        except (ImportError, OSError) as problem:  # OSError: a shared library of torch is missing
            traceback.print_exc()
            sentence = f"The worker's environment is damaged ({problem}); set Imago up again."
            return Problem(Trouble.NOT_SET_UP, sentence, traceback.format_exc())

    def _begin(self, request: MakeRequest) -> bool:
        """False where it was cancelled, and answered, before its turn."""
        with self._changing:
            self._begun = self._job is request
            return self._begun

    def _end(self, request: MakeRequest, word: Word, **fields: Any) -> None:
        """Free for the next before the last word, since the next may come as soon as it is heard."""
        with self._changing:
            self._job, self._begun = None, False
            self._stop.clear()
        self.tell(word, job=request.job, **fields)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Cancelled

    def _listen(self) -> None:
        """The thread that reads; whatever is no request is logged and passed over."""
        while raw := self.requests.readline(MOST_LINE_BYTES):
            try:
                word, fields = parse_line(raw.decode())
                self._take(word, fields)
            except (ValueError, TypeError, KeyError, AttributeError) as problem:
                log(f"not understood: {raw[:200]!r} ({problem})")
        self.leave()

    def _take(self, word: Word, fields: dict[str, Any]) -> None:
        if word is Word.QUIT:
            self.leave()
        elif word is Word.CANCEL:
            self._cancel(fields["job"])
        elif word is Word.MAKE:
            self._queue(request_of(fields))
        else:
            raise ValueError("not Blender's to say")

    def _queue(self, request: MakeRequest) -> None:
        with self._changing:
            busy = self._job is not None
            if not busy:
                self._job = request
                self._waiting.put(request)
        if busy:
            sentence = "Another car is being made; wait until it is done or cancel it."
            self.tell(Word.FAILED, job=request.job, trouble=Trouble.BUSY, sentence=sentence, detail="")

    def _cancel(self, job: str) -> None:
        with self._changing:
            if self._job is None or self._job.job != job:
                return  # it ended meanwhile
            if self._begun:
                self._stop.set()
                return
            self._job = None
        self.tell(Word.CANCELLED, job=job)


def request_of(fields: dict[str, Any]) -> MakeRequest:
    """Raises ValueError or TypeError where a field is missing, unknown or of another type."""
    request = MakeRequest(**fields)
    texts = (request.job, request.photo, request.folder, *([] if request.mask is None else [request.mask]))
    if not all(isinstance(text, str) and text for text in texts) or not isinstance(request.settings, dict):
        raise ValueError("a field of another type")
    return request


def log(text: str) -> None:
    """To standard error, which is the log file; a full disk must not stop the work."""
    with contextlib.suppress(OSError, ValueError):
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} [{os.getpid()}] {text}", file=sys.stderr, flush=True)


def private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output kept for the messages; what anyone else prints, native code too, goes to the log instead."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def watch_parent(parent: int, worker: Worker) -> None:
    """Runs in a thread: a second way, beside the end of the pipe, to notice that Blender is gone."""
    own = os.getppid()
    while os.getppid() == own and _lives(parent):
        time.sleep(WATCH_S)
    worker.leave()


def _lives(process: int) -> bool:
    if os.name != "posix":
        return True  # signal 0 would end it there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 idle for long enough or Blender gone, 1 the environment is damaged."""
    parser = argparse.ArgumentParser("worker.py", description="Makes cars for Blender; requests on standard input.")
    parser.add_argument("--idle-s", type=float, default=600.0, help="end after so many seconds without a request")
    parser.add_argument("--parent-pid", type=int, default=None, help="end when this process does")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in Blender's terminal reaches us too, and is Blender's to answer
    requests, answers = private_pipes()
    log(f"worker started, Python {platform.python_version()}")
    worker = Worker(requests, answers, chosen.idle_s)
    if chosen.parent_pid is not None:
        threading.Thread(target=watch_parent, args=(chosen.parent_pid, worker), daemon=True, name="parent").start()
    code = worker.run()
    log(f"worker ends, code {code}")
    return code


def _load_own_package() -> ModuleType:
    """This file's package under the name `imago`, and from it this module anew, with relative imports that work."""
    root = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location(NAME, root / "__init__.py", submodule_search_locations=[str(root)])
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    return importlib.import_module(f"{NAME}.core.worker")


if __name__ == "__main__":
    exit_code = _load_own_package().main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(exit_code)  # no thread, and no library's farewell, keeps an idle process alive
