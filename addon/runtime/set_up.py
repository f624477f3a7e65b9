"""Blender's side of making the worker's environment: starts the installer, hears it, ends it.

Never blocks (but for wait) and never raises for a user's trouble: that is the problem of the state.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from ...core.errors import Trouble
from ...core.messages import Problem
from . import environment, failures, installer, processes

GB = 10**9
# Room for the downloads (kept twice while installing: beside the environment and in pip's cache) and the unpacked packages.
# Processor only: 0.3 GB downloaded, 1.3 GB unpacked.  With CUDA, which torch's Linux wheels bring unless an extra index offers others:
# about 2.7 GB downloaded and 5 GB unpacked.
NEEDED_BYTES, NEEDED_CUDA_BYTES = 3 * GB, 11 * GB
BUNDLED_MARGIN_BYTES, UNPACKED_TO_WHEEL = GB // 5, 4  # torch's wheel for processors grows fourfold, the others less
ESTIMATE_FROM_S, ESTIMATE_FROM01 = 3.0, 0.03  # earlier, the time left is a guess


@dataclass(frozen=True)
class SetUpState:
    """Where the set-up stands: a stage for the user, fraction01 in [0, 1] that never falls, seconds left (None: cannot be told yet)."""

    stage: str = ""
    fraction01: float = 0.0
    left_s: float | None = None
    done: bool = False
    problem: Problem | None = None
    cancelled: bool = False


class SetUp:
    """One attempt.  folder: per-user folder; package_root: the installed extension; chosen: the Python of the preferences or None;
    blender_python: runs the installer, and makes the environment where none is chosen; online: whether the network may be used;
    extra_index: address of a further package index, or ""; cache: folder of the worker's compiled modules, filled while testing.
    """

    def __init__(
        self,
        folder: Path,
        package_root: Path,
        chosen: Path | None,
        blender_python: Path,
        online: bool,
        extra_index: str = "",
        cache: Path | None = None,
    ) -> None:
        self._folder = Path(os.path.abspath(folder))
        self._package_root = package_root
        self._chosen = None if chosen is None else Path(os.path.abspath(chosen))
        self._blender_python = blender_python
        self._online = online
        self._extra_index = extra_index.strip()
        self._cache = cache or self._folder / "pycache"
        self._wheels = environment.wheels_folder(package_root)
        self._situation = failures.Situation(str(self._folder), str(self._python), chosen is not None, self._wheels is not None)
        self._refusal: Problem | None = None
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._heard: list[str] = []
        self._child: int | None = None
        self._started_s = 0.0
        self._state = SetUpState("Starting")

    @property
    def log_path(self) -> Path:
        return self._folder / environment.LOG

    def start(self) -> None:
        """Check what can be checked at once, then start the installer; a problem shows in poll()."""
        problem = self._problem_before() or self._make_folder()
        if problem is None:
            try:
                self._launch()
                return
            except OSError as error:
                problem = failures.of_failure("no_start", {"reason": str(error)}, self._situation)
        self._end(problem)

    def poll(self) -> SetUpState:
        """What is new; takes well under a millisecond."""
        while not self._state.done:
            try:
                line = self._lines.get_nowait()
            except queue.Empty:
                break
            self._hear(line)
        return self._state

    def cancel(self) -> None:
        """Done at once for the user; the installer ends its children and removes what it made, also where that takes longer."""
        if not self._state.done:
            self._close_stdin()
            self._state = SetUpState("Cancelled", self._state.fraction01, done=True, cancelled=True)

    def wait(self, report: Callable[[SetUpState], None] | None = None) -> SetUpState:
        """To the end, without a window; `report` gets every new state."""
        shown: SetUpState | None = None
        while not (state := self.poll()).done:
            if report is not None and state != shown:
                report(state)
            shown = state
            time.sleep(0.05)
        return state

    @property
    def _python(self) -> Path:
        return self._chosen or self._blender_python

    def _problem_before(self) -> Problem | None:
        """What needs no process to be known.  Whether to refuse building is decided here, but a complete Python is let pass."""
        if not self._python.is_file():
            found = "is a folder" if self._python.is_dir() else "is not there"
            whose = "The chosen Python" if self._chosen else "Blender's own Python"
            return Problem(Trouble.PYTHON, f"{whose} {found} ({self._python}): choose a Python {failures.SUPPORTED} in the preferences.")
        if self._extra_index and "://" not in self._extra_index:
            return Problem(
                Trouble.SET_UP_FAILED, "The extra index is no address: let it begin with https:// in the preferences, or leave it empty."
            )
        self._refusal = self._no_building()
        may_be_there = self._chosen is not None or any(self._folder.glob(f"env-*/{environment.STAMP}"))
        return None if may_be_there else self._refusal

    def _no_building(self) -> Problem | None:
        if self._wheels is None and not self._online:
            return Problem(Trouble.OFFLINE, failures.OFFLINE)
        needed_bytes = needed_room(self._wheels, self._extra_index, sys.platform)
        free_bytes = shutil.disk_usage(_existing(self._folder)).free
        if free_bytes < needed_bytes:
            return Problem(Trouble.DISK_FULL, failures.full_sentence(str(self._folder), needed_bytes, free_bytes))
        return None

    def _make_folder(self) -> Problem | None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return failures.of_failure("system", {"reason": str(error)}, self._situation)
        return None

    def _order(self) -> installer.Order:
        plans = {}
        for version in environment.supported_versions():
            plans[f"{version[0]}.{version[1]}"] = {
                "environment": environment.environment_name(self._package_root, version, self._chosen),
                "hash": environment.requirements_hash(self._package_root, version),
                "packages": environment.requirements(self._package_root, version),
            }
        return installer.Order(
            folder=str(self._folder),
            python=str(self._python),
            chosen=None if self._chosen is None else str(self._chosen),
            requirements=os.path.abspath(environment.requirements_file(self._package_root)),
            wheels=None if self._wheels is None else os.path.abspath(self._wheels),
            extra_index=self._extra_index,
            plans=plans,
            may_build=self._refusal is None,
            cache=str(self._cache),
        )

    def _launch(self) -> None:
        here = Path(installer.__file__).parent
        runner = self._blender_python if self._blender_python.is_file() else self._python
        own_group: dict[str, Any] = {"creationflags": 0x08000200} if os.name == "nt" else {"start_new_session": True}
        self._process = subprocess.Popen(
            [str(runner), "-I", "-B", "-c", installer.START, str(here.parent), f"{here.name}.installer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,  # Blender may have been started in a folder that is gone
            env=processes.clean_environment(),
            text=True,
            encoding="utf-8",
            errors="replace",
            **own_group,
        )
        self._started_s = time.monotonic()
        assert self._process.stdin is not None and self._process.stdout is not None
        threading.Thread(target=_forward, args=(self._process.stdout, self._lines), daemon=True).start()
        with contextlib.suppress(BrokenPipeError):  # it ended at once, which the end of its output tells
            self._process.stdin.write(json.dumps(asdict(self._order())) + "\n")
            self._process.stdin.flush()

    def _hear(self, line: str | None) -> None:
        if line is None:
            return self._crashed()
        try:
            fields = json.loads(line)
        except ValueError:
            self._heard = [*self._heard[-30:], line]  # the traceback of a fault in the installer
            return None
        if "version" in fields:
            self._situation = replace(self._situation, version=str(fields["version"]))
        if "child" in fields:
            self._child = int(fields["child"])
        if "failed" in fields:
            refused = fields["failed"] == "refused" and self._refusal is not None
            return self._end(self._refusal if refused else failures.of_failure(fields["failed"], fields, self._situation))
        if "ready" in fields:
            return self._end(None)
        return self._progress(str(fields.get("stage", self._state.stage)), float(fields.get("fraction01", 0.0)))

    def _progress(self, stage: str, fraction01: float) -> None:
        fraction01 = max(fraction01, self._state.fraction01)
        elapsed_s = time.monotonic() - self._started_s
        known = elapsed_s > ESTIMATE_FROM_S and fraction01 > ESTIMATE_FROM01
        left_s = elapsed_s * (1 - fraction01) / fraction01 if known else None
        self._state = SetUpState(stage, fraction01, left_s)

    def _crashed(self) -> None:
        """The installer ended without a last word: what it started is ended here, and what it made is removed in the background."""
        if self._child is not None and os.name != "nt":
            with contextlib.suppress(OSError):  # it has ended
                os.killpg(self._child, signal.SIGKILL)
        leftovers = environment.unfinished(self._folder)
        threading.Thread(target=_remove, args=(leftovers,), daemon=True).start()
        text = "\n".join([*self._heard, _tail(self.log_path)]).strip()
        self._end(failures.of_failure("crash", {"tail": text.splitlines()}, self._situation))

    def _end(self, problem: Problem | None) -> None:
        self._close_stdin()
        self._state = SetUpState("Failed" if problem else "Ready", 1.0 if problem is None else self._state.fraction01, None, True, problem)

    def _close_stdin(self) -> None:
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(OSError):  # it has ended
                self._process.stdin.close()
            threading.Thread(target=self._process.wait, daemon=True).start()  # so that no ended process stays in the system's table


def needed_room(wheels: Path | None, extra_index: str, system: str) -> int:
    """Bytes that a set-up needs at its fullest moment; estimated, since counting what is inside of large wheels takes too long here."""
    if wheels is not None:
        return BUNDLED_MARGIN_BYTES + UNPACKED_TO_WHEEL * sum(wheel.stat().st_size for wheel in wheels.glob("*.whl"))
    with_cuda = system.startswith("linux") if not extra_index else "/cu" in extra_index
    return NEEDED_CUDA_BYTES if with_cuda else NEEDED_BYTES


def _existing(folder: Path) -> Path:
    """The folder or the nearest one above that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _forward(stream: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    for line in stream:
        lines.put(line.rstrip("\n"))
    lines.put(None)


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])
    except OSError:
        return ""


def _remove(paths: list[Path]) -> None:
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
