"""Set up, for real: tiny wheels made here stand for the worker's packages, a throwaway server for a bad network."""

import errno
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imago.addon.runtime import environment, failures, installer, pip_progress, processes, set_up
from imago.addon.runtime.set_up import SetUp, SetUpState
from imago.core.errors import Trouble

PYTHON = Path(sys.executable)
VERSION = sys.version_info[:2]
TINY = {"imagotinyone": "1.0", "imagotinytwo": "2.5"}
GB = 10**9


def make_wheel(folder: Path, name: str, version: str, code: str = "") -> Path:
    """A package of one module in the form that pip installs."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{name}.py", code)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return wheel


def make_package(root: Path, pins: dict[str, str] = TINY, bundled: bool = True) -> Path:
    """What an installed extension looks like to the set-up."""
    (root / "core").mkdir(parents=True, exist_ok=True)
    lines = ["# what is needed", *(f"{name}=={version}" for name, version in pins.items())]
    (root / "core" / "requirements.txt").write_text("\n".join(lines) + "\n")
    if bundled:
        for name, version in pins.items():
            make_wheel(root / "wheels", name, version)
    return root


def make_script(path: Path, text: str) -> Path:
    """A program that stands where a Python is expected."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + textwrap.dedent(text))
    path.chmod(0o755)
    return path


def attempt(folder: Path, package: Path, chosen: Path | None = None, online: bool = False, extra_index: str = "") -> SetUp:
    return SetUp(folder, package, chosen, PYTHON, online, extra_index)


def finished(job: SetUp, within_s: float = 120.0) -> SetUpState:
    job.start()
    end_s = time.monotonic() + within_s
    while not (state := job.poll()).done:
        assert time.monotonic() < end_s, f"still at {state}"
        time.sleep(0.02)
    return state


def until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.02)


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(("env-", "gone-", "chosen"))]


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip's and the proxy's settings of whoever runs the tests must not mend or break them."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setattr(set_up.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100 * GB, 0, 100 * GB))  # type: ignore[attr-defined]


# --- a set-up that works ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[SetUpState]]:
    """(folder, package, states) of one set-up from bundled wheels, in folders whose names have spaces and umlauts."""
    root = tmp_path_factory.mktemp("Künstler in")
    package, folder = make_package(root / "my ext"), root / "user data"
    job, states = attempt(folder, package), []
    job.start()
    job.wait(states.append)
    return folder, package, [*states, job.poll()]


@pytest.fixture
def copy(done: tuple[Path, Path, list[SetUpState]], tmp_path: Path) -> tuple[Path, Path]:
    """A finished set-up that a test may spoil; it lies elsewhere, so its stamp is told so."""
    folder, package = tmp_path / "user", tmp_path / "ext"
    shutil.copytree(done[0], folder, symlinks=True)
    shutil.copytree(done[1], package)
    stamp = next(folder.glob("env-*/stamp.json"))
    said = json.loads(stamp.read_text())
    said |= {"folder": str(folder), "python": said["python"].replace(str(done[0]), str(folder))}
    stamp.write_text(json.dumps(said))
    return folder, package


@pytest.mark.slow
def test_bundled_wheels_need_no_network(done: tuple[Path, Path, list[SetUpState]]) -> None:
    folder, package, states = done
    assert states[-1].done and states[-1].problem is None, states[-1]
    python = environment.ready_python(folder, package, None)
    assert python is not None and python.is_relative_to(folder)
    code = "import imagotinyone, imagotinytwo, importlib.metadata as m; print(m.version('imagotinytwo'))"
    answer = subprocess.run([str(python), "-I", "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "2.5", answer.stderr
    assert not list(folder.glob("env-*/tmp")), "pip's downloads are still there"
    assert not (package / "addon").exists() and not list(package.rglob("__pycache__")), "something was written into the extension"


@pytest.mark.slow
def test_the_bar_moves_and_never_back(done: tuple[Path, Path, list[SetUpState]]) -> None:
    states = done[2]
    fractions = [state.fraction01 for state in states]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert len(set(fractions)) >= 4, fractions
    assert {"Making the environment", "Ready"} <= {state.stage for state in states}


@pytest.mark.slow
def test_log_holds_what_pip_said(done: tuple[Path, Path, list[SetUpState]]) -> None:
    text = (done[0] / "set_up.log").read_text()
    assert "Successfully installed imagotinyone-1.0 imagotinytwo-2.5" in text


@pytest.mark.slow
def test_survives_an_upgrade_with_the_same_packages(copy: tuple[Path, Path], tmp_path: Path) -> None:
    folder, package = copy
    upgraded = make_package(tmp_path / "newer", bundled=False)
    path = upgraded / "core" / "requirements.txt"
    path.write_text("# another remark\n" + path.read_text())
    assert environment.ready_python(folder, upgraded, None) is not None


@pytest.mark.slow
def test_an_upgrade_with_other_packages_asks_again_and_removes_the_old(copy: tuple[Path, Path], tmp_path: Path) -> None:
    folder, package = copy
    old = next(folder.glob("env-*"))
    upgraded = make_package(tmp_path / "newer", {"imagotinyone": "1.1"})
    assert environment.ready_python(folder, upgraded, None) is None
    state = finished(attempt(folder, upgraded))
    assert state.problem is None, state
    assert environment.ready_python(folder, upgraded, None) is not None
    assert not old.exists() and len(list(folder.glob("env-*"))) == 1


@pytest.mark.slow
def test_a_failed_upgrade_leaves_the_old_environment(copy: tuple[Path, Path], tmp_path: Path) -> None:
    folder, package = copy
    upgraded = make_package(tmp_path / "newer", {"imagotinyone": "1.1"}, bundled=False)
    assert finished(attempt(folder, upgraded)).problem is not None
    assert environment.ready_python(folder, package, None) is not None


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="links")
def test_blender_moved_is_mended_offline_in_seconds(copy: tuple[Path, Path]) -> None:
    folder, package = copy
    (package / "wheels").rename(package / "no wheels")
    stamp_path = next(folder.glob("env-*/stamp.json"))
    stamp = json.loads(stamp_path.read_text())
    stamp_path.write_text(json.dumps(stamp | {"base": "/gone/blender/python"}))
    python = Path(stamp["python"])
    for link in python.parent.glob("python*"):
        link.unlink()
        link.symlink_to("/gone/blender/python")
    assert environment.ready_python(folder, package, None) is None
    state = finished(attempt(folder, package), within_s=20)
    assert state.problem is None, state
    assert environment.ready_python(folder, package, None) == python


@pytest.mark.slow
def test_a_copied_folder_is_not_taken_for_ready(done: tuple[Path, Path, list[SetUpState]], tmp_path: Path) -> None:
    shutil.copytree(done[0], tmp_path / "copied", symlinks=True)
    assert environment.ready_python(tmp_path / "copied", done[1], None) is None


@pytest.mark.slow
def test_ready_python_is_cheap(done: tuple[Path, Path, list[SetUpState]]) -> None:
    folder, package, _ = done
    start_s = time.perf_counter()
    for _ in range(100):
        environment.ready_python(folder, package, None)
    assert (time.perf_counter() - start_s) / 100 < 0.001


@pytest.mark.slow
def test_a_bare_chosen_python_makes_the_environment(done: tuple[Path, Path, list[SetUpState]], tmp_path: Path) -> None:
    bare = Path(os.path.realpath(sys.executable))
    folder, package = tmp_path / "user", done[1]
    state = finished(attempt(folder, package, chosen=bare))
    assert state.problem is None, state
    python = environment.ready_python(folder, package, bare)
    assert python is not None and python.is_relative_to(folder)
    assert environment.ready_python(folder, package, None) is None, "the user went back to Blender's Python, which was not set up"


@pytest.mark.slow
def test_a_complete_chosen_python_is_used_as_it_is(tmp_path: Path) -> None:
    """The Python of these tests has the real packages, torch too."""
    root = Path(__file__).parents[2]
    folder, package = tmp_path / "user", tmp_path / "ext"
    (package / "core").mkdir(parents=True)
    shutil.copy(root / "core" / "requirements.txt", package / "core")
    state = finished(attempt(folder, package, chosen=PYTHON), within_s=60)
    if state.problem is not None and "missing" in (folder / "set_up.log").read_text():
        pytest.skip("this Python lacks the worker's packages")
    assert state.problem is None, state
    assert environment.ready_python(folder, package, PYTHON) == PYTHON
    assert not list(folder.glob("env-*/pyvenv.cfg")), "an environment was made"


# --- what ends it early ----------------------------------------------------------------------------------------------


def slow_to_import(package: Path) -> Path:
    """The last step of this package's set-up takes a minute, in a process of its own."""
    make_package(package, {"imagotinyone": "1.0"})
    make_wheel(package / "wheels", "imagotinyone", "1.0", "import time\nprint('slow import', flush=True)\ntime.sleep(60)")
    return package


def processes_below(folder: Path) -> list[int]:
    """Those that were started from an environment in this folder (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["Making the environment", "Testing the packages"])
def test_cancel_is_answered_at_once_and_leaves_nothing(tmp_path: Path, stage: str) -> None:
    folder, package = tmp_path / "user", slow_to_import(tmp_path / "ext")
    job = attempt(folder, package)
    job.start()
    until(lambda: job.poll().stage == stage, 60, f"never came to {stage}")
    if stage == "Testing the packages":
        until(lambda: "slow import" in job.log_path.read_text(), 30, "the import did not begin")
    start_s = time.monotonic()
    job.cancel()
    state = job.poll()
    assert time.monotonic() - start_s < 0.1
    assert state.done and state.cancelled and state.problem is None
    until(lambda: not left_over(folder) and not processes_below(folder), 5, f"left: {left_over(folder)} {processes_below(folder)}")


@pytest.mark.slow
def test_retry_right_after_cancel_works(tmp_path: Path) -> None:
    folder, package = tmp_path / "user", make_package(tmp_path / "ext")
    job = attempt(folder, package)
    job.start()
    until(lambda: job.poll().stage == "Making the environment", 30, "no start")
    job.cancel()
    state = finished(attempt(folder, package))
    assert state.problem is None, state
    assert environment.ready_python(folder, package, None) is not None


BLENDER = """
import sys, time
from pathlib import Path
from imago.addon.runtime.set_up import SetUp
job = SetUp(Path(sys.argv[1]), Path(sys.argv[2]), None, Path(sys.executable), False)
job.start()
while True:
    print(job.poll().stage, flush=True)
    time.sleep(0.05)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_killed_blender_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    folder, package = tmp_path / "user", slow_to_import(tmp_path / "ext")
    blender = subprocess.Popen([sys.executable, "-c", BLENDER, str(folder), str(package)], stdout=subprocess.DEVNULL)
    try:
        until(lambda: (folder / "set_up.log").exists() and "slow import" in (folder / "set_up.log").read_text(), 60, "no start")
    finally:
        blender.kill()
        blender.wait()
    until(lambda: not left_over(folder) and not processes_below(folder), 5, f"left: {left_over(folder)} {processes_below(folder)}")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_killed_installer_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    folder, package = tmp_path / "user", slow_to_import(tmp_path / "ext")
    job = attempt(folder, package)
    job.start()
    until(
        lambda: job.poll().done or (job.poll().stage == "Testing the packages" and "slow import" in job.log_path.read_text()),
        60,
        "no start",
    )
    assert not job.poll().done, job.poll()
    assert job._process is not None
    os.kill(job._process.pid, signal.SIGKILL)
    state = job.wait()
    assert state.problem is not None and state.problem.trouble == Trouble.SET_UP_FAILED
    assert state.problem.sentence.startswith("The set-up ended unexpectedly")
    assert "slow import" in state.problem.detail
    until(lambda: not left_over(folder) and not processes_below(folder), 5, f"left: {left_over(folder)} {processes_below(folder)}")


def test_two_blenders_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installer, "LOCK_WAIT_S", 0.3)
    said: list[dict[str, object]] = []
    monkeypatch.setattr(installer, "say", lambda **fields: said.append(fields))
    with open(tmp_path / "lock", "w") as first, open(tmp_path / "lock", "w") as second:
        installer.lock_or_fail(first)
        with pytest.raises(SystemExit):
            installer.lock_or_fail(second)
    problem = failures.of_failure(str(said[-1]["failed"]), said[-1], situation())
    assert problem.trouble == Trouble.BUSY
    assert problem.sentence == "Another Blender is setting Imago up: wait until it is done."


# --- the sentences ---------------------------------------------------------------------------------------------------


def situation(bundled: bool = False, chosen: bool = False) -> failures.Situation:
    return failures.Situation("/data/imago", "/opt/python3.13", chosen, bundled, "3.13")


def problem_of(state: SetUpState, trouble: Trouble, *parts: str) -> str:
    assert state.done and state.problem is not None, state
    sentence = state.problem.sentence
    assert state.problem.trouble == trouble, state.problem
    for part in parts:
        assert part in sentence, sentence
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


def test_offline_is_refused_at_once(tmp_path: Path) -> None:
    job = attempt(tmp_path / "user", make_package(tmp_path / "ext", bundled=False))
    job.start()
    problem_of(job.poll(), Trouble.OFFLINE, "Preferences > System > Network > Allow Online Access")
    assert not (tmp_path / "user").exists()


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_up.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100 * GB, 99 * GB, GB // 2))  # type: ignore[attr-defined]
    job = attempt(tmp_path / "user", make_package(tmp_path / "ext", bundled=False), online=True)
    job.start()
    problem_of(job.poll(), Trouble.DISK_FULL, "0.5 GB are free", str(tmp_path / "user"))
    assert not (tmp_path / "user").exists()


def test_room_needed(tmp_path: Path) -> None:
    wheels = make_package(tmp_path) / "wheels"
    assert set_up.needed_room(wheels, "", "linux") < GB
    assert set_up.needed_room(None, "", "linux") > set_up.needed_room(None, "https://index.invalid/whl/cpu", "linux")
    assert set_up.needed_room(None, "", "win32") == set_up.needed_room(None, "", "darwin") == 3 * GB
    assert set_up.needed_room(None, "https://index.invalid/whl/cu130", "win32") == set_up.NEEDED_CUDA_BYTES


@pytest.mark.parametrize("folder", [False, True])
def test_chosen_python_is_not_there(tmp_path: Path, folder: bool) -> None:
    chosen = tmp_path / "python"
    if folder:
        chosen.mkdir()
    job = attempt(tmp_path / "user", make_package(tmp_path / "ext"), chosen=chosen)
    job.start()
    problem_of(job.poll(), Trouble.PYTHON, "is a folder" if folder else "is not there", str(chosen), "3.11 to 3.14")


def test_extra_index_without_address(tmp_path: Path) -> None:
    job = attempt(tmp_path / "user", make_package(tmp_path / "ext"), online=True, extra_index="cpu")
    job.start()
    problem_of(job.poll(), Trouble.SET_UP_FAILED, "extra index")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
@pytest.mark.parametrize(
    "script, parts",
    [
        ("echo no Python here; exit 3\n", ("does not start", "choose another Python 3.11 to 3.14")),
        ('echo \'[[3, 9], "linux", "/usr/bin/python3.9"]\'\n', ("is version 3.9", "choose a Python 3.11 to 3.14")),
        ('echo \'[[2, 7], "linux2", "/usr/bin/python"]\'\n', ("is version 2.7",)),
    ],
)
def test_chosen_python_does_not_fit(tmp_path: Path, script: str, parts: tuple[str, ...]) -> None:
    chosen = make_script(tmp_path / "bin" / "python", script)
    state = finished(attempt(tmp_path / "user", make_package(tmp_path / "ext"), chosen=chosen))
    problem_of(state, Trouble.PYTHON, str(chosen), *parts)


@pytest.mark.slow
def test_offline_lets_a_chosen_python_be_looked_at_first(tmp_path: Path) -> None:
    folder = tmp_path / "user"
    state = finished(attempt(folder, make_package(tmp_path / "ext", bundled=False), chosen=PYTHON))
    problem_of(state, Trouble.OFFLINE, "Allow Online Access")
    assert not left_over(folder)


def test_a_program_that_never_answers_is_ended(tmp_path: Path) -> None:
    with open(tmp_path / "log", "w") as log:
        children = processes.Children(log, lambda **fields: None)
        start_s = time.monotonic()
        code = children.run([sys.executable, "-c", "import time; time.sleep(60)"], dict(os.environ), limit_s=0.2)
    assert code != 0 and time.monotonic() - start_s < 5


def test_chosen_python_is_no_program(tmp_path: Path) -> None:
    chosen = tmp_path / "photo.png"
    chosen.write_bytes(b"\x89PNG")
    state = finished(attempt(tmp_path / "user", make_package(tmp_path / "ext"), chosen=chosen))
    problem_of(state, Trouble.PYTHON, str(chosen), "does not start")


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Debian's message")
@pytest.mark.parametrize(
    "message",
    [
        "The virtual environment was not created successfully because ensurepip is not available.  On Debian/Ubuntu systems, you need",
        "/usr/bin/python3: No module named venv",
    ],
)
def test_no_venv_names_the_package(tmp_path: Path, message: str) -> None:
    script = f"""
    case "$*" in
    *"-m venv"*) echo "{message}"; exit 1;;
    *) exec "{sys.executable}" "$@";;
    esac
    """
    chosen = make_script(tmp_path / "python3", script)
    folder = tmp_path / "user"
    state = finished(attempt(folder, make_package(tmp_path / "ext"), chosen=chosen))
    problem_of(state, Trouble.NO_VENV, "lacks the venv module", f"python{VERSION[0]}.{VERSION[1]}-venv", str(chosen))
    assert not left_over(folder)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "user"
    folder.mkdir(mode=0o500)
    problem_of(finished(attempt(folder, make_package(tmp_path / "ext"))), Trouble.SET_UP_FAILED, "cannot be written", str(folder))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    state = finished(attempt(tmp_path / "file" / "user", make_package(tmp_path / "ext")))
    problem_of(state, Trouble.SET_UP_FAILED)


@pytest.mark.slow
def test_damaged_bundled_wheel(tmp_path: Path) -> None:
    folder, package = tmp_path / "user", make_package(tmp_path / "ext")
    wheel = package / "wheels" / "imagotinytwo-2.5-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes()[:100])
    state = finished(attempt(folder, package))
    problem_of(state, Trouble.SET_UP_FAILED, "damaged", wheel.name, "download the zip of Imago again")
    assert state.problem is not None and wheel.name in state.problem.detail
    assert not left_over(folder)
    make_package(package)
    assert finished(attempt(folder, package)).problem is None, "the retry after mending it must work"


@pytest.mark.slow
def test_bundled_wheels_for_another_python(tmp_path: Path) -> None:
    package = make_package(tmp_path / "ext")
    wheel = package / "wheels" / "imagotinytwo-2.5-py3-none-any.whl"
    wheel.rename(wheel.with_name("imagotinytwo-2.5-cp39-cp39-win_amd64.whl"))
    state = finished(attempt(tmp_path / "user", package))
    version = f"Python {VERSION[0]}.{VERSION[1]}"
    problem_of(state, Trouble.SET_UP_FAILED, "This zip of Imago has no imagotinytwo==2.5", version, failures.machine())


@pytest.mark.slow
def test_installed_but_not_starting(tmp_path: Path) -> None:
    package = make_package(tmp_path / "ext", {"imagotinyone": "1.0"})
    make_wheel(package / "wheels", "imagotinyone", "1.0", "raise ImportError('libgomp.so.1: cannot open shared object file')")
    state = finished(attempt(tmp_path / "user", package))
    problem_of(state, Trouble.SET_UP_FAILED, "installed but do not start")
    assert state.problem is not None and "libgomp.so.1" in state.problem.detail


# --- a bad network ---------------------------------------------------------------------------------------------------


class BadServer(http.server.BaseHTTPRequestHandler):
    """Answers every request in one bad way; `way` is a status, or "drop"."""

    way: int | str = 404

    def answer(self) -> None:
        if self.way == "drop":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            self.connection.close()
        elif self.way == "hang":
            time.sleep(5)
        else:
            self.send_error(int(self.way))

    do_GET = do_CONNECT = do_HEAD = answer

    def log_message(self, *arguments: object) -> None:
        pass

    def finish(self) -> None:
        try:
            super().finish()
        except OSError as error:
            assert error.errno in (errno.EBADF, errno.EPIPE, errno.ECONNRESET), error


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    handler = type("Handler", (BadServer,), {"way": request.param})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.handle_error = lambda *arguments: None  # type: ignore[method-assign]
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def over_the_network(tmp_path: Path) -> SetUpState:
    folder = tmp_path / "user"
    state = finished(attempt(folder, make_package(tmp_path / "ext", {"imagotinyone": "1.0"}, bundled=False), online=True))
    assert not left_over(folder)
    return state


@pytest.mark.slow
@pytest.mark.parametrize("server", [407], indirect=True)
def test_proxy_wants_a_password(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server)
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    state = over_the_network(tmp_path)
    problem_of(state, Trouble.PROXY, "wants a name and a password", "HTTPS_PROXY")
    assert state.problem is not None and "407" in state.problem.detail


@pytest.mark.slow
def test_proxy_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free.getsockname()[1]}")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    problem_of(over_the_network(tmp_path), Trouble.PROXY, "The proxy could not be used")


@pytest.mark.slow
@pytest.mark.parametrize("server", ["drop"], indirect=True)
def test_connection_breaks_off(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", server + "/simple")
    problem_of(over_the_network(tmp_path), Trouble.NO_NETWORK, "broke off")


@pytest.mark.slow
@pytest.mark.parametrize("server", ["hang"], indirect=True)
def test_connection_times_out(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", server + "/simple")
    monkeypatch.setenv("PIP_TIMEOUT", "1")
    problem_of(over_the_network(tmp_path), Trouble.NO_NETWORK, "broke off")


@pytest.mark.slow
def test_nothing_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free.getsockname()[1]}/simple")
    problem_of(over_the_network(tmp_path), Trouble.NO_NETWORK, "did not answer")


@pytest.mark.slow
def test_name_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    problem_of(over_the_network(tmp_path), Trouble.NO_NETWORK, "not found on the network")


@pytest.mark.slow
@pytest.mark.parametrize("server", [404], indirect=True)
def test_index_without_the_package(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", server + "/simple")
    problem_of(over_the_network(tmp_path), Trouble.SET_UP_FAILED, "There is no ready-made imagotinyone==1.0 for Python")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="openssl")
def test_certificate_cannot_be_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "key",
        "-out",
        "cert",
    ]
    subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), BadServer) as running:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
        running.socket = context.wrap_socket(running.socket, server_side=True)
        running.handle_error = lambda *arguments: None  # type: ignore[method-assign]
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"https://localhost:{running.server_port}/simple")
        state = over_the_network(tmp_path)
        running.shutdown()
    problem_of(state, Trouble.NO_NETWORK, "certificate")


# --- what cannot be made here: pip's words as recorded ---------------------------------------------------------------

RECORDED = [
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", 1, Trouble.DISK_FULL, "The disk is full"),
    ("OSError: [WinError 112] There is not enough space on the disk", 1, Trouble.DISK_FULL, "The disk is full"),
    (
        "ERROR: Could not install packages due to an OSError: [Errno 122] Disk quota exceeded: '/data'",
        1,
        Trouble.DISK_FULL,
        "The disk is full",
    ),
    ("Installing collected packages: torch", -9, Trouble.MEMORY, "ran out of memory"),
    ("MemoryError", 2, Trouble.MEMORY, "ran out of memory"),
    (
        "ERROR: Could not install packages due to an OSError: [Errno 2] No such file or directory: 'C:\\\\...'\n"
        "HINT: This error might have occurred since this system does not have Windows Long Path support enabled.",
        1,
        Trouble.SET_UP_FAILED,
        "260 signs",
    ),
    ("PermissionError: [WinError 5] Access is denied: 'torch_cpu.dll'", 1, Trouble.SET_UP_FAILED, "cannot be written"),
    ("getaddrinfo failed", 1, Trouble.NO_NETWORK, "not found on the network"),
    (
        "ERROR: HTTP error 503 while getting https://index.invalid/torch.whl",
        1,
        Trouble.NO_NETWORK,
        "answered with an error",
    ),
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", 1, Trouble.SET_UP_FAILED, "arrived damaged"),
    ("ProxyError('Unable to connect', OSError('Tunnel connection failed: 407 authenticate'))", 1, Trouble.PROXY, "wants a name"),
    ("ERROR: HTTP error 407 while getting http://index.invalid/torch.whl", 1, Trouble.PROXY, "wants a name"),
    (
        "2026-11-27T18:36:02,407 Could not fetch URL http://127.0.0.1:34199/simple/imagotinyone/: connection error: "
        "ProtocolError('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer')) - skipping",
        1,
        Trouble.NO_NETWORK,
        "broke off",
    ),
    ("error: incomplete-download", 1, Trouble.NO_NETWORK, "broke off"),
    ("something nobody foresaw", 1, Trouble.SET_UP_FAILED, "Installing the packages failed"),
    (
        "WARNING: Retrying (Retry(total=4)) after connection broken by 'ReadTimeoutError(...)': /simple/torch/\n"
        "Collecting torch==2.13.0\n"
        "ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: 2.2.0, 2.2.1, 2.2.2)\n"
        "ERROR: No matching distribution found for torch==2.13.0",
        1,
        Trouble.SET_UP_FAILED,
        "There is no ready-made torch==2.13.0 for Python 3.13",
    ),
]


@pytest.mark.parametrize("said, code, trouble, part", RECORDED)
def test_recorded_words_of_pip(said: str, code: int, trouble: Trouble, part: str) -> None:
    problem = failures.of_pip(said.splitlines(), situation(), code)
    assert problem.trouble == trouble and part in problem.sentence, problem
    assert problem.detail == said


@pytest.mark.parametrize(
    "kind, fields, trouble, part",
    [
        ("system", {"reason": "[Errno 28] No space left on device: 'stamp.part'"}, Trouble.DISK_FULL, "The disk is full"),
        ("crash", {"tail": ["PermissionError: [Errno 13] Permission denied: 'set_up.lock'"]}, Trouble.SET_UP_FAILED, "cannot be written"),
        ("venv", {"tail": ["Error: [Errno 30] Read-only file system: '/data/imago'"]}, Trouble.SET_UP_FAILED, "cannot be written"),
        ("venv", {"tail": ["Error: something else"]}, Trouble.SET_UP_FAILED, "could not make an environment"),
        ("check", {"tail": ["ImportError: DLL load failed while importing _C"]}, Trouble.SET_UP_FAILED, "Visual C++ Redistributable"),
    ],
)
def test_other_failures(kind: str, fields: dict[str, object], trouble: Trouble, part: str) -> None:
    problem = failures.of_failure(kind, dict(fields), situation())
    assert problem.trouble == trouble and part in problem.sentence, problem


# --- the small parts -------------------------------------------------------------------------------------------------


def test_requirements_of_this_checkout_are_read_for_each_python() -> None:
    root = Path(__file__).parents[2]
    for version in environment.supported_versions():
        names = [requirement.name for requirement in environment.requirements(root, version)]
        assert names.count("numpy") == 1 and {"torch", "scipy", "pillow", "opencv-python-headless", "safetensors"} < set(names)
    old, new = (environment.requirements(root, version)[1].version for version in ((3, 11), (3, 13)))
    assert old.startswith("1.") and new.startswith("2.")
    modules = {requirement.module for requirement in environment.requirements(root, (3, 11))}
    assert modules == {"torch", "numpy", "scipy", "PIL", "cv2", "safetensors"}


def test_a_loose_requirement_is_a_programmers_error(tmp_path: Path) -> None:
    make_package(tmp_path, {}, bundled=False)
    (tmp_path / "core" / "requirements.txt").write_text("torch>=2\n")
    with pytest.raises(ValueError, match="torch>=2"):
        environment.requirements(tmp_path, (3, 11))


def test_hash_follows_pins_and_python(tmp_path: Path) -> None:
    make_package(tmp_path / "a"), make_package(tmp_path / "b", TINY | {"imagotinyone": "1.1"})
    hashes = {environment.requirements_hash(tmp_path / name, version) for name in "ab" for version in ((3, 11), (3, 13))}
    assert len(hashes) == 4


def test_damaged_small_files_ask_for_a_set_up(tmp_path: Path) -> None:
    package = make_package(tmp_path / "ext")
    (tmp_path / "chosen.json").write_text("{ not json")
    assert environment.ready_python(tmp_path, package, None) is None


def test_progress_follows_the_bytes(tmp_path: Path) -> None:
    temporary, site = tmp_path / "tmp", tmp_path / "site"
    temporary.mkdir(), site.mkdir()
    progress = pip_progress.PipProgress(temporary, site, ["torch"], bundled=False)
    assert progress.fraction01() == 0
    progress.line("Collecting torch==2.13.0 (from -r requirements.txt (line 2))")
    progress.line("  Downloading torch-2.13.0-cp313-cp313-win_amd64.whl.metadata (29 kB)")
    progress.line("Downloading torch-2.13.0-cp313-cp313-win_amd64.whl (2.0 MB)")
    assert progress.stage == "Downloading torch (2 MB)"
    (temporary / "torch.whl").write_bytes(bytes(1_000_000))
    assert progress.fraction01() == pytest.approx(0.35)
    (temporary / "torch.whl").unlink()
    with zipfile.ZipFile(temporary / "torch.whl", "w") as archive:
        archive.writestr("torch.bin", bytes(4_000_000))
    progress.line("Installing collected packages: torch")
    before = progress.fraction01()
    (site / "torch.bin").write_bytes(bytes(2_000_000))
    progress._next_look_s = 0
    assert progress.fraction01() == pytest.approx(0.85) and progress.fraction01() > before
    progress.line("Successfully installed torch-2.13.0")
    assert progress.fraction01() == 1


def test_typical_sizes() -> None:
    assert pip_progress.typical_mb("nvidia-cudnn-cu13") == pip_progress.TYPICAL_MB["nvidia-cudnn"]
    assert pip_progress.typical_mb("nvidia-cusparselt-cu13") == pip_progress.TYPICAL_MB["nvidia-cusparselt"]
    assert pip_progress.typical_mb("markupsafe") == pip_progress.SMALL_MB


def test_children_get_the_users_proxy_but_not_blenders_python(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "HTTPS_PROXY", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "x")
    kept = processes.clean_environment()
    assert {"HTTPS_PROXY", "PIP_INDEX_URL"} <= set(kept)
    assert not {"PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH"} & set(kept)


def test_poll_is_quick(tmp_path: Path) -> None:
    job = attempt(tmp_path, make_package(tmp_path / "ext"))
    for step in range(100):
        job._lines.put(json.dumps({"stage": f"step {step}", "fraction01": step / 100}))
    start_s = time.perf_counter()
    state = job.poll()
    assert time.perf_counter() - start_s < 0.01 and state.stage == "step 99"
    for _ in range(100):
        job.poll()
    assert (time.perf_counter() - start_s) / 100 < 0.001


def test_time_left_is_told_once_it_can_be(tmp_path: Path) -> None:
    job = attempt(tmp_path, make_package(tmp_path / "ext"))
    job._started_s = time.monotonic() - 1
    job._lines.put(json.dumps({"stage": "a", "fraction01": 0.01}))
    assert job.poll().left_s is None
    job._started_s = time.monotonic() - 30
    job._lines.put(json.dumps({"stage": "b", "fraction01": 0.25}))
    assert job.poll().left_s == pytest.approx(90, rel=0.05)
