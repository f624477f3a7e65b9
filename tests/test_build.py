"""The developer command: it parses on old Pythons, tells what is missing in a sentence, and a second call starts at once."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
specification = importlib.util.spec_from_file_location("build_command", ROOT / "build.py")
assert specification is not None and specification.loader is not None
build = importlib.util.module_from_spec(specification)
specification.loader.exec_module(build)


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
    for name in ("run", "test", "check"):
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
    for name in build.DEV:
        lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
        assert all(re.fullmatch(r"[\w-]+==[\w.]+", line) for line in lines if line)


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
