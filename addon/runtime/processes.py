"""The child processes of the installer: one at a time, heard line by line, ended with all they started."""

from __future__ import annotations

import contextlib
import math
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from typing import IO, Any

from .pip_progress import PipProgress

TAIL_LINES = 60


class Children:
    """The one child that runs at a time, its lines, and the end of it."""

    def __init__(self, log: IO[str], say: Callable[..., None]) -> None:
        self._log, self._say = log, say
        self._guard = threading.Lock()
        self.stopped = False
        self._running: subprocess.Popen[str] | None = None
        self.tail: list[str] = []

    def run(self, command: list[str], environment: dict[str, str], progress: PipProgress | None = None, limit_s: float = math.inf) -> int:
        """Run to the end, its output in the log and in `tail`; `progress` gets lines and is asked twice a second.  OSError: no start."""
        self.tail = []
        self._log.write("$ " + " ".join(command[:4]) + (" ..." if len(command) > 4 else "") + "\n")
        with self._guard:
            if self.stopped:
                threading.Event().wait()  # the stopping thread ends the process
            self._running = child = _start(command, environment)
        self._say(child=child.pid)
        end_s = time.monotonic() + limit_s
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_forward, args=(child.stdout, lines), daemon=True).start()
        while (line := _next(lines)) is not None:
            if line:
                self._log.write(line + "\n")
                self._log.flush()
                self.tail = [*self.tail[-TAIL_LINES + 1 :], line]
            if time.monotonic() > end_s:
                end_tree(child)
            if progress is not None:
                progress.line(line)
                progress.tell(self._say)
        return child.wait()

    def stop(self) -> None:
        """End what runs, with all it started; nothing runs afterwards."""
        with self._guard:
            self.stopped = True
            if self._running is not None and self._running.poll() is None:
                end_tree(self._running)


def clean_environment() -> dict[str, str]:
    """Blender's own Python settings and library paths would mislead another Python."""
    dropped = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON") and name not in dropped}


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    own_group = {"creationflags": 0x08000200} if os.name == "nt" else {"start_new_session": True}  # no window, new process group
    return subprocess.Popen(command, env=environment, text=True, encoding="utf-8", errors="replace", **pipes, **own_group)


def end_tree(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):  # it ended by itself
        if os.name == "nt":
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(child.pid)], capture_output=True, creationflags=0x08000000)
        else:
            os.killpg(child.pid, signal.SIGKILL)


def _forward(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    for line in stream:
        lines.put(line.rstrip())
    lines.put(None)


def _next(lines: queue.SimpleQueue[str | None]) -> str | None:
    """The next line, "" where none came for half a second, None at the end."""
    try:
        return lines.get(timeout=0.5)
    except queue.Empty:
        return ""
