"""Makes the worker's environment in a process of its own, so that Blender stays usable and can end it at any moment.

Run by START with one JSON line on stdin (the fields of Order); stdin stays open, and its end (cancelled, or Blender is gone) means:
end all children, leave nothing behind, stop.
Prints JSON lines: {stage, fraction01}, {version}, {child}, and last {ready} or {failed, tail, ...}.
Standard library only, here and in what this imports: the rest of the extension is not there.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from .environment import CHOSEN, LOG, STAMP, unfinished
from .pip_progress import PIP_TO01, PipProgress
from .processes import Children, clean_environment
from .upkeep import discard, sweep, try_lock, write_aside

# Arguments of the Python: the folder above this package (last on its path, so that nothing there hides a module of Python's), the module.
START = "import runpy, sys; sys.path.append(sys.argv[1]); runpy.run_module(sys.argv[2], run_name='__main__')"
LOCK, TEMPORARY, PIP_LOG = "set_up.lock", "tmp", "pip.log"
LOCK_WAIT_S = 60.0  # as long as the cleaning after a cancel may take on a slow disk
LOOK_S = 30.0  # a program that is no Python may open a window and wait
MISPLACING = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")  # would install beside the environment

# Runs in any Python, also in one far too old.
LOOK = "import sys,json; sys.stdout.write(json.dumps([list(sys.version_info[:2]), sys.platform, sys.executable]))"
CHECK = """
import importlib, importlib.metadata, json, sys
found = {}
for name, wanted, module in json.loads(sys.argv[1]):
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        sys.exit("missing: " + name)
    if found[name].split("+")[0] != wanted:
        sys.exit("other version: %s %s, wanted %s" % (name, found[name], wanted))
for name, wanted, module in json.loads(sys.argv[1]):
    importlib.import_module(module)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Order:
    """What to make: absolute paths; `plans` holds for each supported Python ("3.11") the environment's name, hash and packages."""

    folder: str
    python: str  # the one that makes the environment
    chosen: str | None  # as the user chose it
    requirements: str
    wheels: str | None
    extra_index: str
    plans: dict[str, dict[str, Any]]
    may_build: bool  # False: only what needs neither network nor room
    cache: str


class Failure(Exception):
    """What went wrong, by kind; Blender's side makes the sentence of it."""

    def __init__(self, kind: str, **fields: Any) -> None:
        super().__init__(kind)
        self.kind, self.fields = kind, fields


def main() -> None:
    order = Order(**json.loads(sys.stdin.readline()))
    folder = Path(order.folder)
    with open(folder / LOCK, "w") as lock:
        lock_or_fail(lock)
        with open(folder / LOG, "w", encoding="utf-8") as log:
            children = Children(log, say)
            threading.Thread(target=stop_with_blender, args=(children, folder, lock), daemon=True).start()
            try:
                say(ready=str(set_up(order, folder, children)))
            except Failure as failure:
                give_up(children, folder, failure)
            except OSError as error:  # a full disk, a folder that may not be written
                give_up(children, folder, Failure("system", reason=str(error)))


def give_up(children: Children, folder: Path, failure: Failure) -> None:
    """Leave nothing unfinished, then say why."""
    if children.stopped:
        threading.Event().wait()  # the stopping thread cleans and ends the process
    children.stop()
    sweep(folder)
    say(failed=failure.kind, tail=children.tail, **failure.fields)


def set_up(order: Order, folder: Path, children: Children) -> Path:
    """The Python that is ready afterwards: the chosen one as it is, the environment that is there, or a new one."""
    sweep(folder)
    say(stage="Looking at Python", fraction01=0.01)
    version = look(order, children)
    say(version=version)
    plan = order.plans[version]
    target = folder / plan["environment"]
    python = target / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if order.chosen and (versions := check(Path(order.chosen), order, plan, children)):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        return finish(order, target, Path(order.chosen), version, versions)
    if (target / STAMP).is_file() and (versions := mend(order, plan, target, python, children)):
        return finish(order, target, python, version, versions)
    if not order.may_build:
        raise Failure("refused")
    discard(target)
    build(order, plan, target, python, children)
    say(stage="Testing", fraction01=PIP_TO01)
    versions = check(python, order, plan, children)
    if versions is None:
        raise Failure("check", version=version)
    return finish(order, target, python, version, versions)


def look(order: Order, children: Children) -> str:
    """major.minor of the Python that makes the environment."""
    try:
        code = children.run([order.python, "-c", LOOK], clean_environment(), limit_s=LOOK_S)
    except OSError as error:
        raise Failure("no_start", reason=str(error)) from error
    try:
        found = json.loads(children.tail[-1])
    except (ValueError, IndexError):
        raise Failure("no_start", reason=f"it ended with {code}") from None
    version = ".".join(str(part) for part in found[0])
    if version not in order.plans:
        raise Failure("version", version=version)
    return version


def check(python: Path, order: Order, plan: dict[str, Any], children: Children) -> dict[str, str] | None:
    """The versions of all packages where this Python has the pinned ones and can import them."""
    command = [str(python), "-I", "-X", f"pycache_prefix={order.cache}", "-c", CHECK, json.dumps(plan["packages"])]
    say(stage="Testing the packages")
    try:
        return json.loads(children.tail[-1]) if children.run(command, clean_environment()) == 0 else None
    except OSError:
        return None


def mend(order: Order, plan: dict[str, Any], target: Path, python: Path, children: Children) -> dict[str, str] | None:
    """Blender moved or was updated: the finished environment is tied to its Python again, in seconds and without a network."""
    if os.name != "nt":
        for link in python.parent.glob("python*"):
            if link.is_symlink():
                link.unlink()  # venv keeps a link that leads nowhere
    children.run([order.python, "-I", "-m", "venv", "--upgrade", "--without-pip", str(target)], clean_environment())
    return check(python, order, plan, children)


def build(order: Order, plan: dict[str, Any], target: Path, python: Path, children: Children) -> None:
    """An environment with all packages, unstamped."""
    say(stage="Making the environment", fraction01=0.03)
    if children.run([order.python, "-I", "-m", "venv", str(target)], clean_environment()) != 0:
        raise Failure("venv")
    temporary = target / TEMPORARY  # on the disk that was looked at, and gone with the rest
    temporary.mkdir()
    site = next(target.glob("[Ll]ib/**/site-packages"))
    names = [name for name, _, _ in plan["packages"]]
    progress = PipProgress(temporary, site, names, order.wheels is not None)
    code = children.run(pip_command(order, python, temporary), pip_environment(order, temporary), progress)
    if code != 0:
        children.tail += network_words(temporary / PIP_LOG)
        raise Failure("pip", code=code)
    shutil.rmtree(temporary, ignore_errors=True)


def network_words(log: Path) -> list[str]:
    """Why an index could not be read: pip puts it only into its own log, and says on the screen that there is no such package."""
    with contextlib.suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if "Could not fetch URL" in line][-5:]
    return []


def pip_command(order: Order, python: Path, temporary: Path) -> list[str]:
    """Only wheels: building numpy or scipy from source on an artist's machine ends in compiler messages."""
    command = [str(python), "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
    command += [
        "--log",
        str(temporary / PIP_LOG),
        "--no-compile",
        "--no-user",
        "--only-binary=:all:",
        "-r",
        order.requirements,
    ]  # the check compiles, into the worker's cache
    if order.wheels is not None:
        return [*command, "--no-index", "--find-links", order.wheels]
    return [*command, "--extra-index-url", order.extra_index] if order.extra_index else command


def pip_environment(order: Order, temporary: Path) -> dict[str, str]:
    """The user's proxies and pip settings stay in force, but bundled wheels need none and must not meet an index named there."""
    kept = {name: value for name, value in clean_environment().items() if name not in MISPLACING}
    if order.wheels is not None:
        kept = {name: value for name, value in kept.items() if not name.startswith("PIP_")} | {"PIP_CONFIG_FILE": os.devnull}
    return kept | {name: str(temporary) for name in ("TMPDIR", "TEMP", "TMP")}


def finish(order: Order, target: Path, python: Path, version: str, versions: dict[str, str]) -> Path:
    """Stamp it, point to it, and remove what is no longer used."""
    folder = target.parent
    major, minor = version.split(".")
    stamp = {
        "python": str(python),
        "base": order.python,
        "folder": str(folder),
        "version": [int(major), int(minor)],
        "requirements": order.plans[version]["hash"],
        "versions": versions,
    }
    write_aside(target / STAMP, stamp)
    write_aside(folder / CHOSEN, {"chosen": order.chosen, "environment": target.name})
    for old in folder.glob("env-*"):
        if old != target:
            discard(old)
    return python


def stop_with_blender(children: Children, folder: Path, lock: IO[str]) -> None:
    """Waits for the end of stdin."""
    while sys.stdin.readline():
        pass
    children.stop()
    for _ in range(20):
        sweep(folder)
        if not unfinished(folder):
            break
        time.sleep(0.25)  # Windows frees the files of an ended process a little later
    os._exit(0)


def lock_or_fail(lock: IO[str]) -> None:
    """One set-up at a time, also of two Blenders; the system frees the lock with the process."""
    end_s = time.monotonic() + LOCK_WAIT_S
    while not try_lock(lock):
        if time.monotonic() > end_s:
            fail("busy")
        say(stage="Waiting for another set-up to end", fraction01=0.0)
        time.sleep(0.2)


def fail(kind: str) -> NoReturn:
    say(failed=kind, tail=[])
    sys.exit(1)


def say(**fields: Any) -> None:
    """A line to Blender; where Blender is gone, the end of stdin says so."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(json.dumps(fields) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
