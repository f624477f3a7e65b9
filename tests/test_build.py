"""The developer command: it parses on old Pythons, tells what is missing in a sentence, and a second call starts at once."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


def loaded(name: str, path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


build = loaded("build_command", ROOT / "build.py")
matrix = loaded("blender_matrix", ROOT / "tests" / "blender" / "matrix.py")


def called(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(ROOT / "build.py"), *arguments], capture_output=True, text=True)


def test_parses_on_python_38():
    ast.parse((ROOT / "build.py").read_text(), feature_version=(3, 8))


def test_uses_the_standard_library_only():
    tree = ast.parse((ROOT / "build.py").read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_help_lists_every_command():
    answer = called("help")
    assert answer.returncode == 0
    for name in ("run", "test", "check", "package"):
        assert re.search(rf"^  {name} ", answer.stdout, re.M)
    assert answer.stdout == called().stdout


def test_unknown_command():
    answer = called("fly")
    assert answer.returncode == 2 and "fly" in answer.stderr and len(answer.stderr.splitlines()) == 1


def test_unknown_bench_lists_those_there_are():
    answer = called("bench", "nothing")
    assert answer.returncode == 2 and len(answer.stderr.splitlines()) == 1


def test_wrong_python_gets_one_sentence_with_the_remedy():
    with pytest.raises(build.SetupError) as caught:
        build.find_python((3, 12), [["no-such-python"], [sys.executable, "-S", "--no-such-option"]])
    text = str(caught.value)
    assert "needs Python 3.11" in text and "this is Python 3.12" in text and "python3.11 build.py" in text


def test_another_python_of_the_right_version_is_used():
    assert build.find_python((3, 12), [["no-such-python"], [sys.executable]]) == [sys.executable]
    assert build.find_python((3, 11), []) == [sys.executable]


def test_setup_error_is_exit_code_2(monkeypatch, capsys):
    def refuse(arguments: list[str]) -> int:
        raise build.SetupError("one sentence.")

    monkeypatch.setitem(build.COMMANDS, "run", refuse)
    assert build.main(["run"]) == 2
    assert capsys.readouterr().err == "build.py: one sentence.\n"


@pytest.mark.parametrize(
    ("library", "package"),
    [("libXrender.so.1", "libxrender1"), ("libX11.so.6", "libx11-6"), ("libxkbcommon.so.0", "libxkbcommon0"), ("libgomp.so.1", "libgomp1")],
)
def test_missing_library_names_the_package(library, package):
    text = build.missing_library(f"Traceback\nImportError: {library}: cannot open shared object file: No such file or directory\n")
    assert text is not None and f"Debian package {package}" in text
    command = re.search(r"`apt-get install ([^`]*)`", text)
    assert command is not None and package in command.group(1).split() and "libxi6" in command.group(1).split()


def test_other_import_errors_are_not_taken_for_a_library():
    assert build.missing_library("ImportError: No module named 'bpy'") is None


def test_every_package_of_the_apt_line_is_one_the_map_knows():
    assert set(build.APT_PACKAGES.split()) <= set(build.DEBIAN_PACKAGE.values())
    assert build.APT_PACKAGES in (ROOT / ".ci" / "run").read_text()


def test_requirements_are_pinned():
    paths = build.requirement_files(build.DEV)
    assert ROOT / "core" / "requirements.txt" in paths
    for path in paths:
        lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
        pinned = r"""[\w-]+==[\w.]+(; python_version [<>]=? "3\.\d+")?"""
        assert all(re.fullmatch(pinned, line) for line in lines if line and not line.startswith("-r "))


def test_stamp_follows_the_requirement_files(tmp_path, monkeypatch):
    for name in build.DEV:
        (tmp_path / name).write_text("a==1\n")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    venv = tmp_path / "venv"
    build.venv_python(venv).parent.mkdir(parents=True)
    build.venv_python(venv).touch()
    assert not build.is_ready(build.RUN, venv)
    build.stamp_path(build.RUN, venv).write_text(build.stamp_text(build.RUN))
    assert build.is_ready(build.RUN, venv) and not build.is_ready(build.DEV, venv)
    (tmp_path / "requirements.txt").write_text("a==2\n")
    assert not build.is_ready(build.RUN, venv)


def test_stamp_follows_the_files_that_are_named_inside(tmp_path, monkeypatch):
    (tmp_path / "core").mkdir()
    (tmp_path / "requirements.txt").write_text("# first\n-r core/requirements.txt\nb==1\n")
    (tmp_path / "core" / "requirements.txt").write_text("a==1\n")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    before = build.stamp_text(build.RUN)
    (tmp_path / "core" / "requirements.txt").write_text("a==2\n")
    assert build.stamp_text(build.RUN) != before


def test_a_second_call_starts_at_once():
    if not build.is_ready(build.DEV):
        pytest.skip("this Python was not set up by build.py")
    code = "import runpy, sys; sys.argv = ['build.py', 'bench', 'nothing']; runpy.run_path(sys.argv[0], run_name='__main__')"
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True)
        build.is_ready(build.DEV)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.5


def test_ci_calls_check():
    script = ROOT / ".ci" / "run"
    assert "build.py check" in script.read_text() and os.access(script, os.X_OK)


# --- several Blender versions ----------------------------------------------------------------------------------------


def test_blender_versions_by_word_and_by_name(monkeypatch):
    assert matrix.chosen_versions("all") == ["4.2", "4.5", "5.0", "5.2"]
    assert matrix.chosen_versions("5.2,4.2") == ["5.2", "4.2"]
    assert matrix.chosen_versions("4.2,3.6") is None and matrix.main(["--blender", "3.6"]) == 2


@pytest.mark.parametrize(("present", "ends"), [({(3, 11), (3, 13)}, ["4.2", "5.2"]), ({(3, 11)}, ["4.2", "5.0"])])
def test_ends_are_the_oldest_and_the_newest_that_starts_here(monkeypatch, present, ends):
    monkeypatch.setattr(matrix, "find_python", lambda version: ["python"] if version in present else None)
    assert matrix.chosen_versions("ends") == ends


def test_the_environments_fit_what_the_rest_is_pinned_to():
    run, dev = ((ROOT / name).read_text() for name in build.DEV)
    worker = (ROOT / "core" / "requirements.txt").read_text()
    assert f"bpy=={matrix.BLENDERS['4.5'].bpy}\n" in run
    for version, blender in matrix.BLENDERS.items():
        assert blender.bpy.startswith(version + ".") and f"numpy=={blender.numpy};" in worker
        assert matrix.requirements(version)[-1] in dev.splitlines()


def test_a_shim_that_fails_is_not_taken_for_a_python(tmp_path, monkeypatch):
    places = tmp_path / "bin", tmp_path / "pyenv" / "versions" / "3.42.1" / "bin"
    for place, script in zip(places, ("echo no such version >&2; exit 127", 'echo "3 42"'), strict=True):
        place.mkdir(parents=True)
        (place / "python3.42").write_text(f"#!/bin/sh\n{script}\n")
        (place / "python3.42").chmod(0o755)
    monkeypatch.setenv("PATH", str(places[0]), prepend=os.pathsep)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert matrix.find_python((3, 42)) == [str(places[1] / "python3.42")]
    assert matrix.find_python((3, 43)) is None
    assert matrix.find_python(sys.version_info[:2]) == [sys.executable]


def test_a_blender_without_its_python_is_skipped_by_name(monkeypatch, tmp_path):
    monkeypatch.setattr(matrix, "find_python", lambda version: None)
    outcome = matrix.test_in("5.2", tmp_path / "no.zip", [])
    assert outcome.fine and outcome.note == "skipped: no Python 3.13 on this machine" and outcome.note in matrix.table([outcome])


REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'


@pytest.mark.parametrize(
    ("code", "report", "counts", "fine", "said"),
    [
        (0, (9, 0, 0, 2), (7, 0, 2), True, ""),
        (1, (9, 1, 2, 0), (6, 3, 0), False, ""),
        (1, (0, 0, 0, 0), (0, 0, 0), False, "ended with code 1"),
        (-11, (9, 0, 0, 0), (9, 0, 0), False, "ended with code -11"),
        (5, (0, 0, 0, 0), (0, 0, 0), True, "no test was chosen"),
        (-6, None, (0, 0, 0), False, "before it could report"),
        (None, (9, 0, 0, 0), (0, 0, 0), False, "did not end"),
    ],
)
def test_outcome_of_a_version(tmp_path, code, report, counts, fine, said):
    path = tmp_path / "report.xml"
    if report is not None:
        path.write_text(REPORT.format(*report))
    outcome = matrix.outcome_of("4.2", code, path, 1.0)
    assert (outcome.passed, outcome.failed, outcome.skipped) == counts
    assert outcome.fine is fine and said in outcome.note and bool(said) == bool(outcome.note)


def test_the_ordinary_run_leaves_the_blender_tests_out():
    variables = {name: value for name, value in os.environ.items() if name != "IMAGO_ZIP"}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", "tests/blender"]
    answer = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert answer.returncode == 5 and "test_install" not in answer.stdout
