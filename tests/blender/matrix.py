"""`build.py test --blender all|ends|4.2,5.2 [pytest options]`: the tests of this folder in several Blender versions, one after the other.

Each version gets a small environment of its own in .venvs/ (bpy, numpy, pytest; no torch: Blender has none either) and a pytest process
that installs the freshly built zip into a clean profile.  A version whose Python the machine lacks is skipped, by name.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".venvs"
# tests of the source tree, without torch, that every version has to pass too
EVERYWHERE = ("tests/addon/test_drive.py", "tests/addon/test_export_animation.py", "tests/addon/test_export_presets.py")
LONGEST_S = 1800.0  # one version; a Blender that never exits is a failure and not a reason to wait for ever
_specification = importlib.util.spec_from_file_location("build_command", ROOT / "build.py")
assert _specification is not None and _specification.loader is not None
build = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(build)


@dataclass(frozen=True)
class Blender:
    """One version to test in: the module's exact version, Blender's Python and the numpy that its range of versions allows."""

    bpy: str
    python: tuple[int, int]
    numpy: str


BLENDERS = {
    "4.2": Blender("4.2.23", (3, 11), "1.26.4"),
    "4.5": Blender("4.5.15", (3, 11), "1.26.4"),
    "5.0": Blender("5.0.1", (3, 11), "1.26.4"),
    "5.2": Blender("5.2.3", (3, 13), "2.3.5"),
}


@dataclass(frozen=True)
class Outcome:
    """What came of one version; `note` says why where it did not pass."""

    version: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    note: str = ""
    fine: bool = True


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        "build.py test", description="Test the extension in several Blender versions; other options go to pytest."
    )
    made.add_argument(
        "--blender", required=True, metavar="all|ends|" + ",".join(BLENDERS), help="ends: the oldest and the newest that runs here"
    )
    made.add_argument("--fast", action="store_true", help="leave out the tests marked slow")
    return made


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 where every version that this machine has passed, 1 else, 2 for a version that is not known."""
    chosen, for_pytest = parser().parse_known_args(arguments)
    versions = chosen_versions(chosen.blender)
    if versions is None:
        build.say(f"there is no Blender {chosen.blender!r} to test in; say all, ends or some of {','.join(BLENDERS)}.")
        return 2
    with tempfile.TemporaryDirectory(prefix="imago-zip-") as folder:
        if subprocess.run([sys.executable, "-m", "imago.addon.packaging", "--out", folder], cwd=ROOT).returncode != 0:
            return 1
        package = next(Path(folder).glob("imago-*.zip"))
        options = (["-m", "not slow"] if chosen.fast else []) + for_pytest
        outcomes = [test_in(version, package, options) for version in versions]
    print(table(outcomes), flush=True)
    return 0 if all(outcome.fine for outcome in outcomes) and any(outcome.passed for outcome in outcomes) else 1


def chosen_versions(text: str) -> list[str] | None:
    """The versions that `all`, `ends` or a list with commas stands for; None where one is not known."""
    if text == "all":
        return list(BLENDERS)
    if text == "ends":
        here = [version for version, blender in BLENDERS.items() if find_python(blender.python) is not None]
        return list(dict.fromkeys((next(iter(BLENDERS)), here[-1]))) if here else list(BLENDERS)[:1]
    versions = text.split(",")
    return versions if set(versions) <= set(BLENDERS) else None


def find_python(version: tuple[int, int]) -> list[str] | None:
    """The command of a Python of this version that really starts (a shim may be there and fail); None where there is none."""
    name = "python{}.{}".format(*version)
    places = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions", Path.home() / ".local/share/uv/python", Path("/opt")]
    patterns = ["{}.{}*/bin/" + name, "cpython-{}.{}*/bin/" + name, "python{}.{}*/bin/" + name]
    found = [str(path) for place in places for pattern in patterns for path in sorted(place.glob(pattern.format(*version)), reverse=True)]
    named = [["py", "-{}.{}".format(*version)]] if os.name == "nt" else [[name], ["/usr/local/bin/" + name], ["/opt/homebrew/bin/" + name]]
    for command in [[sys.executable], *named, *([path] for path in found)]:
        if build.version_of(command) == version:
            return command
    return None


def test_in(version: str, package: Path, options: Sequence[str]) -> Outcome:
    """Run the tests in one version."""
    python = find_python(BLENDERS[version].python)
    if python is None:
        return Outcome(version, note="skipped: no Python {}.{} on this machine".format(*BLENDERS[version].python))
    try:
        environment_python = set_up(version, python)
    except build.SetupError as problem:
        return Outcome(version, note=str(problem), fine=False)
    build.say(f"Blender {version} ...")
    variables = {**os.environ, "IMAGO_ZIP": str(package), "IMAGO_WORKER_PYTHON": sys.executable, "PYTHONNOUSERSITE": "1"}
    found = _pytest_in(version, [str(environment_python), "-m", "pytest", str(Path(__file__).parent), *options], variables)
    if options or not found.fine:  # options choose among the tests of this folder
        return found
    source = {**variables, "PYTHONPATH": os.pathsep.join([str(ROOT / ".venv" / "package"), str(ROOT)])}
    return _sum(found, _pytest_in(version, [str(environment_python), "-m", "pytest", *(str(ROOT / file) for file in EVERYWHERE)], source))


def _pytest_in(version: str, command: list[str], variables: dict[str, str]) -> Outcome:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="imago-report-") as folder:
        report = Path(folder) / "report.xml"
        command = [*command, "-p", "no:cacheprovider", f"--junitxml={report}"]
        try:
            code: int | None = subprocess.run(command, cwd=ROOT, env=variables, timeout=LONGEST_S).returncode
        except subprocess.TimeoutExpired:
            code = None
        return outcome_of(version, code, report, time.perf_counter() - started)


def _sum(a: Outcome, b: Outcome) -> Outcome:
    note = ", ".join(filter(None, (a.note, b.note)))
    return Outcome(
        a.version, a.passed + b.passed, a.failed + b.failed, a.skipped + b.skipped, a.seconds + b.seconds, note, a.fine and b.fine
    )  # fmt: skip


def outcome_of(version: str, code: int | None, report: Path, seconds: float) -> Outcome:
    """Read pytest's report; a process that did not end, or ended otherwise than pytest says, has failed whatever the report counts."""
    if code is None:
        return Outcome(version, seconds=seconds, note=f"did not end within {LONGEST_S:.0f} s", fine=False)
    if not report.is_file():
        return Outcome(version, seconds=seconds, note=f"ended with code {code} before it could report", fine=False)
    counted = xml.etree.ElementTree.parse(report).getroot().find("testsuite")
    assert counted is not None, "pytest's report holds one suite"
    tests, failures, errors, skipped = (int(counted.get(name, 0)) for name in ("tests", "failures", "errors", "skipped"))
    known = code == 0 or (code == 1 and failures + errors > 0)
    note = "" if known else "no test was chosen" if code == 5 else f"ended with code {code}, see the lines above"
    return Outcome(version, tests - failures - errors - skipped, failures + errors, skipped, seconds, note, fine=code in (0, 5))


def set_up(version: str, python: Sequence[str]) -> Path:
    """The Python of .venvs/bpy-VERSION, made or brought up to date first.  Raises build.SetupError."""
    wanted, venv = requirements(version), ENVIRONMENTS / f"bpy-{version}"
    stamp = hashlib.sha256(repr((wanted, BLENDERS[version].python)).encode()).hexdigest()
    inside, ready = build.venv_python(venv), venv / "ready"
    with build.one_at_a_time():
        if not (inside.exists() and ready.is_file() and ready.read_text() == stamp):
            build.say(f"making .venvs/bpy-{version} ({', '.join(wanted)}; about a gigabyte) ...")
            build.call([*python, "-m", "venv", "--clear", str(venv)], f"making .venvs/bpy-{version}")
            build.call([str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted], "installing")
            build.check_bpy(venv)
            ready.write_text(stamp)
    return inside


def requirements(version: str) -> list[str]:
    """What an environment holds; pytest as pinned for all tests."""
    pytest = re.search(r"^pytest==\S+", (ROOT / "requirements-dev.txt").read_text(encoding="utf-8"), re.M)
    assert pytest is not None, "requirements-dev.txt pins pytest"
    return [f"bpy=={BLENDERS[version].bpy}", f"numpy=={BLENDERS[version].numpy}", pytest.group()]


def table(outcomes: Sequence[Outcome]) -> str:
    """One line a version."""
    lines = ["", f"{'Blender':8s}{'passed':>8s}{'failed':>8s}{'skipped':>9s}{'seconds':>9s}"]
    for outcome in outcomes:
        counts = f"{outcome.passed:8d}{outcome.failed:8d}{outcome.skipped:9d}{outcome.seconds:9.1f}"
        lines.append(f"{outcome.version:8s}{counts}{'  ' + outcome.note if outcome.note else ''}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
