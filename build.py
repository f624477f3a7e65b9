#!/usr/bin/env python3
"""The one developer command.  Standard library only; `python3 build.py help` lists what it can do.

The first call makes .venv with the pinned requirements; later calls find its stamp and start at once.
This file must parse on Python 3.8, so that a wrong Python gets a sentence and not a SyntaxError.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON_WANTED = (3, 11)  # the only one that the pinned bpy wheel fits
RUN, DEV = ("requirements.txt",), ("requirements.txt", "requirements-dev.txt")
BLENDER_MATRIX = str(ROOT / "tests" / "blender" / "matrix.py")
APT_PACKAGES = "libxrender1 libxfixes3 libxi6 libxkbcommon0 libsm6 libgl1 libegl1 libgomp1 libxxf86vm1"
DEBIAN_PACKAGE = {
    "libX11": "libx11-6",
    "libXrender": "libxrender1",
    "libXfixes": "libxfixes3",
    "libXi": "libxi6",
    "libSM": "libsm6",
    "libICE": "libice6",
    "libxkbcommon": "libxkbcommon0",
    "libGL": "libgl1",
    "libEGL": "libegl1",
    "libXext": "libxext6",
    "libXxf86vm": "libxxf86vm1",
    "libgomp": "libgomp1",
}
SIDE_BY_SIDE = ["-n", "2", "--dist", "loadfile"]  # of the tests, two files at a time
BENCHES, TRAINERS = ("core/*/bench.py", "core/training/bench_*.py", "addon/*/bench.py"), ("core/training/train_*.py",)


class SetupError(Exception):
    """The machine lacks something; the text is one sentence that says what and how to mend it."""


def say(text: str) -> None:
    print("build.py: " + text, file=sys.stderr, flush=True)


# --- the environment -------------------------------------------------------------------------------------------------


def venv_python(venv: Path = VENV) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def requirement_files(files: tuple[str, ...]) -> list[Path]:
    """The files themselves and those that they name with -r."""
    found = []
    for path in [ROOT / name for name in files]:
        found.append(path)
        found += [path.parent / name for name in re.findall(r"^-r\s+(\S+)", path.read_text(encoding="utf-8"), re.M)]
    return found


def stamp_text(files: tuple[str, ...]) -> str:
    """What an environment was made for: the requirement files, the Python version and where the checkout lies."""
    digest = hashlib.sha256(repr((PYTHON_WANTED, str(ROOT))).encode())
    for path in requirement_files(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def stamp_path(files: tuple[str, ...], venv: Path = VENV) -> Path:
    return venv / ("ready-" + Path(files[-1]).stem)


def is_ready(files: tuple[str, ...], venv: Path = VENV) -> bool:
    """True where a finished set-up for these very requirement files is found; reads two small files, starts nothing."""
    stamp = stamp_path(files, venv)
    return stamp.is_file() and stamp.read_text() == stamp_text(files) and venv_python(venv).exists()


def version_of(command: list[str]) -> tuple[int, int] | None:
    """(major, minor) of a Python, None where it does not start."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        answer = subprocess.run([*command, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    parts = answer.stdout.split()
    return (int(parts[0]), int(parts[1])) if answer.returncode == 0 and len(parts) == 2 else None


def find_python(running: tuple[int, int], candidates: list[list[str]]) -> list[str]:
    """The command of a Python of the wanted version: the running one, else the first fitting candidate.  Raises SetupError."""
    if running == PYTHON_WANTED:
        return [sys.executable]
    for command in candidates:
        if version_of(command) == PYTHON_WANTED:
            return command
    raise SetupError(
        "Imago needs Python 3.11 and this is Python {}.{}: install 3.11 (Debian or Ubuntu: apt-get install python3.11 python3.11-venv) "
        "and call `python3.11 build.py` again.".format(*running)
    )


def call(command: list[str], what: str) -> None:
    """Run a child that shows its own output.  Raises SetupError where it fails."""
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise SetupError(what + " failed, see the lines above; mend that and call build.py again, it resumes where it stopped.")


def make_venv() -> None:
    """An environment with a working pip, remade where an interrupted call left a broken one."""
    python = venv_python()
    if python.exists() and version_of([str(python)]) == PYTHON_WANTED:
        if subprocess.run([str(python), "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
            return
    base = find_python(sys.version_info[:2], [["py", "-3.11"]] if os.name == "nt" else [["python3.11"]])
    say("making .venv with Python {}.{} ...".format(*PYTHON_WANTED))
    missing = subprocess.run([*base, "-c", "import venv, ensurepip"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0
    if missing:
        raise SetupError(
            "Python's venv module is missing: install it (Debian: apt-get install python3-venv python3.11-venv), then call build.py again."
        )
    call([*base, "-m", "venv", "--clear", str(VENV)], "making .venv")


def link_package() -> None:
    """Make the checkout importable as `imago`, whatever its folder is called."""
    package = VENV / "package"
    package.mkdir(exist_ok=True)
    link = package / "imago"
    if not (link.exists() and link.resolve() == ROOT):
        if link.is_symlink():
            link.unlink()
        if os.name == "nt":  # a junction needs no privilege, a symbolic link does
            call(["cmd", "/c", "mklink", "/J", str(link), str(ROOT)], "linking the package")
        else:
            link.symlink_to(ROOT, target_is_directory=True)
    site = VENV / "Lib/site-packages" if os.name == "nt" else VENV / "lib/python{}.{}/site-packages".format(*PYTHON_WANTED)
    (site / "imago.pth").write_text(str(package) + "\n")


def missing_library(error_text: str) -> str | None:
    """The sentence for an ImportError text that names a shared library; None where it names none."""
    found = re.search(r"(lib[\w+-]+)\.so(?:\.\d+)*: cannot open shared object", error_text)
    if not found:
        return None
    library = found.group(1)
    packages = sorted({*APT_PACKAGES.split(), DEBIAN_PACKAGE.get(library, "")} - {""})
    return "the system library {} is missing (Debian package {}): run `apt-get install {}` as root, then call build.py again.".format(
        library, DEBIAN_PACKAGE.get(library, "unknown"), " ".join(packages)
    )


def check_bpy(venv: Path = VENV) -> None:
    """Import bpy once in a child, since its wheel needs libraries that pip cannot bring.  Raises SetupError."""
    answer = subprocess.run([str(venv_python(venv)), "-c", "import bpy"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if answer.returncode != 0:
        text = answer.stderr.decode(errors="replace")
        raise SetupError(missing_library(text) or "bpy does not import: " + (text.strip().splitlines() or ["no message"])[-1])


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let a second set-up of the same checkout wait; the system frees the lock with the process, so none is left behind."""
    name = f"imago-setup-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:16]}.lock"
    with open(str(Path(tempfile.gettempdir()) / name), "w") as handle:
        if os.name != "nt":
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def set_up(files: tuple[str, ...]) -> None:
    """Bring .venv to what `files` ask for; the stamp comes last, so an interrupted call is simply done again."""
    if is_ready(files):
        return
    with one_at_a_time():
        if is_ready(files):
            return
        make_venv()
        say("installing {} (the first time takes minutes and some gigabytes) ...".format(" and ".join(files)))
        wanted = [part for name in files for part in ("-r", str(ROOT / name))]
        call(
            [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check", *wanted],
            "installing",
        )
        link_package()
        check_bpy()
        for done in (files[: count + 1] for count in range(len(files))):
            stamp_path(done).write_text(stamp_text(done))
    say("the environment is ready.")


# --- the commands ----------------------------------------------------------------------------------------------------


def child(arguments: list[str]) -> int:
    """Run the environment's Python and hand its exit code on."""
    return subprocess.run([str(venv_python()), *arguments]).returncode


def become(arguments: list[str]) -> int:
    """Turn into the environment's Python, so that signals and exit code are its own; the user's folder stays the working folder."""
    if os.name == "nt":
        return child(arguments)
    sys.stdout.flush()
    os.execv(str(venv_python()), [str(venv_python()), *arguments])


def run(arguments: list[str]) -> int:
    """PHOTO... [--out DIR] [--mask FILE|FOLDER] [--quality draft|normal|high] [--which N] [--box L,T,R,B]: photographs to cars"""
    set_up(RUN)
    return become(["-m", "imago.addon.command_line", *arguments])


def views(arguments: list[str]) -> int:
    """PHOTO [--with OTHER] [--out FILE]: the car of a photograph from twelve sides; with another photograph, shapes and paints exchanged"""
    set_up(RUN)
    return become(["-m", "imago.core.invert.show", *arguments])


def invent(arguments: list[str]) -> int:
    """[--seed N] [--count K] [--toward M --share S] [--truncation T] [--out DIR]: cars that nobody photographed"""
    set_up(RUN)
    return become(["-m", "imago.addon.invent_line", *arguments])


def test(arguments: list[str]) -> int:
    """[--fast] [--blender all|4.2,5.2] [pytest arguments]: run the tests, or the extension's in several Blenders; --fast: no slow ones"""
    set_up(DEV)
    if any(argument.startswith("--blender") for argument in arguments):
        return become([BLENDER_MATRIX, *arguments])
    chosen = ["-m", "not slow"] if "--fast" in arguments else []
    rest = [argument for argument in arguments if argument != "--fast"]
    os.chdir(str(ROOT))
    return become(["-m", "pytest", *chosen, *(rest or SIDE_BY_SIDE)])


def check(arguments: list[str]) -> int:
    """format, lint, types, tests, the extension in the oldest and newest Blender: exactly what continuous integration runs"""
    set_up(DEV)
    os.chdir(str(ROOT))
    steps = {
        "format": ["-m", "ruff", "format", "--check", "."],
        "lint": ["-m", "ruff", "check", "."],
        "types": ["-m", "mypy", "-p", "imago.core", "-p", "imago.addon"],
        "tests": ["-m", "pytest", *SIDE_BY_SIDE, *arguments],
        "blender": [BLENDER_MATRIX, "--blender", "ends"],
    }
    failed = []
    for name, command in steps.items():
        say(name + " ...")
        if child(command) != 0:
            failed.append(name)
    say("all of {} passed.".format(", ".join(steps)) if not failed else "{} failed.".format(" and ".join(failed)))
    return 1 if failed else 0


def named_modules(patterns: tuple[str, ...]) -> dict[str, str]:
    """{NAME: module} of the files that a dispatching command finds; the star in each pattern is the NAME."""
    modules = {}
    for pattern in patterns:
        before, after = pattern.split("*")
        for path in sorted(found.relative_to(ROOT).as_posix() for found in ROOT.glob(pattern)):
            modules[path[len(before) : -len(after)]] = "imago." + path[:-3].replace("/", ".")
    return modules


def dispatch(patterns: tuple[str, ...], arguments: list[str]) -> int:
    modules = named_modules(patterns)
    if not arguments or arguments[0] not in modules:
        say("say which: " + (", ".join(modules) or "there is none yet") + ".")
        return 2
    set_up(DEV)
    return become(["-m", modules[arguments[0]], *arguments[1:]])


def bench(arguments: list[str]) -> int:
    """NAME: measure one part"""
    return dispatch(BENCHES, arguments)


def train(arguments: list[str]) -> int:
    """NAME: make a weight file again"""
    return dispatch(TRAINERS, arguments)


def photograph(arguments: list[str]) -> int:
    """CARS_DIR HDRI_DIR OUT_DIR [--minutes M]: training pictures of car models, by Cycles"""
    set_up(DEV)
    return become(["-m", "imago.addon.photograph", *arguments])


def package(arguments: list[str]) -> int:
    """[--bundle [--platform P]... [--python V]...] [--out DIR] [-- pip options]: the extension as a zip, in dist/"""
    set_up(DEV)
    return become(["-m", "imago.addon.packaging", *arguments])


COMMANDS = {
    "run": run,
    "views": views,
    "invent": invent,
    "test": test,
    "check": check,
    "package": package,
    "bench": bench,
    "train": train,
    "photograph": photograph,
}


def help_text() -> str:
    lines = ["python3 build.py COMMAND, where COMMAND is one of", ""]
    names = {"bench": named_modules(BENCHES), "train": named_modules(TRAINERS)}
    for name, command in COMMANDS.items():
        if name in names and not names[name]:
            continue
        known = " ({})".format(", ".join(names[name])) if name in names else ""
        lines.append("  {:7s} {}{}".format(name, (command.__doc__ or "").strip(), known))
    return "\n".join([*lines, "  help    this list", "", "The first call makes .venv with the pinned requirements."])


def main(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "help"
    if name in ("help", "-h", "--help"):
        print(help_text())
        return 0
    if name not in COMMANDS:
        say(f"there is no command {name!r}; `python3 build.py help` lists them.")
        return 2
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's idle BLAS threads spin, which takes a twentieth of a draft
    try:
        return COMMANDS[name](arguments[1:])
    except SetupError as problem:
        say(str(problem))
        return 2
    except KeyboardInterrupt:
        say("stopped; call build.py again to resume.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
