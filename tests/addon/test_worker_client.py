"""Blender's side of the worker: against the real one, and against stand-ins that misbehave as no real one would on demand."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imago.addon.worker_client import MOST_LOG_BYTES, Event, WorkerClient
from imago.core.errors import Trouble, UserInputError
from imago.core.messages import MakeRequest, Word, part_folder

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "data" / "example.jpg"
PROMISED_S = 1.0  # from cancel() to CANCELLED


def client_of(folder: Path, root: Path = ROOT, python: Path = Path(sys.executable), cache: Path | None = None) -> WorkerClient:
    return WorkerClient(python, root, folder / "logs" / "worker.log", cache, idle_s=60)


def request(folder: Path, job: str = "one", quality: str = "draft", texture_size_px: int = 256) -> MakeRequest:
    return MakeRequest(job, str(EXAMPLE), str(folder / "runs" / job), None, {"quality": quality, "texture_size_px": texture_size_px})


def events_until(client: WorkerClient, *words: Word) -> list[Event]:
    """All events up to and with the first of these words."""
    events: list[Event] = []
    deadline = time.monotonic() + 90
    while not (events and any(event.word in words for event in events)):
        assert time.monotonic() < deadline, f"only {[event.word for event in events]} came"
        events += client.wait(1.0)
    return events


def cancelled_within_s(client: WorkerClient) -> float:
    began = time.monotonic()
    client.cancel()
    events = events_until(client, Word.CANCELLED, Word.MADE, Word.FAILED)
    assert [event.word for event in events] == [Word.CANCELLED] and client.running_job is None
    return time.monotonic() - began


def lives(process: int) -> bool:
    """False also for one that only waits to be counted as dead."""
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def client(tmp_path: Path) -> Iterator[WorkerClient]:
    made = client_of(tmp_path)
    yield made
    made.close()


def stand_in(folder: Path, body: str) -> WorkerClient:
    """A client whose worker is a script of the test: `say(word, **fields)`, `hear()` (a dict), then `body`."""
    core = folder / "stand_in" / "core"
    core.mkdir(parents=True)
    (core / "worker.py").write_text(
        "import json, os, sys, time\n"
        "def say(word, **fields):\n    print(json.dumps({'word': word, **fields}), flush=True)\n"
        "def hear():\n    return json.loads(sys.stdin.readline() or '{}')\n"
        f"HERE = {str(folder)!r}\n" + body
    )
    return client_of(folder, root=core.parent, cache=folder / "cache")


@pytest.mark.slow
def test_two_cars_a_killed_worker_and_one_more(client, tmp_path):
    pytest.importorskip("torch")
    from imago.core.asset.asset import load_asset

    client.make(request(tmp_path))
    assert client.running_job == "one"
    with pytest.raises(RuntimeError, match="one is still running"):
        client.make(request(tmp_path, "two"))
    events = events_until(client, Word.MADE, Word.FAILED)
    words = [event.word for event in events]
    assert words[0] is Word.READY and events[0].fields["torch"] and words[-1] is Word.MADE and client.running_job is None
    assert words.count(Word.SKETCH) >= 2
    fractions = [event.fields["fraction01"] for event in events if event.word is Word.PROGRESS]
    assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
    stages = dict.fromkeys(event.fields["stage"] for event in events if event.word is Word.PROGRESS)
    assert list(stages) == ["photo", "matte", "perceive", "fit", "paint", "asset", "write"], "however quick the machine, each is named"
    folder = Path(events[-1].fields["folder"])
    assert load_asset(folder).settings.quality == "draft" and json.loads((folder / "run.json").read_text())["job"] == "one"
    assert [path.name for path in folder.parent.iterdir()] == ["one"]

    process = client.pid
    client.make(request(tmp_path, "two"))
    events = events_until(client, Word.MADE, Word.FAILED)
    assert events[-1].word is Word.MADE and client.pid == process and Word.READY not in [event.word for event in events]

    client.make(request(tmp_path, "three"))
    events_until(client, Word.SKETCH)
    os.kill(process, signal.SIGKILL)
    (failed,) = [event for event in events_until(client, Word.FAILED) if event.word is Word.FAILED]
    assert failed.job == "three" and failed.fields["trouble"] is Trouble.WORKER_DIED and "SIGKILL" in failed.fields["sentence"]
    assert "worker started" in failed.fields["detail"]
    assert client.running_job is None and not client.alive and not client.wait(0.2)
    assert not part_folder(request(tmp_path, "three").folder).exists()

    client.make(request(tmp_path, "four"))
    assert events_until(client, Word.MADE, Word.FAILED)[-1].word is Word.MADE and client.pid != process


@pytest.mark.slow
def test_cancel_is_answered_within_a_second_in_every_stage(client, tmp_path):
    """At a texture size whose painting is the longest stretch without a report; a worker that must be killed starts anew."""
    pytest.importorskip("torch")
    for stage in ("matte", "fit", "paint", "write"):
        client.make(request(tmp_path, stage, texture_size_px=2048))
        heard: list[Event] = []
        while not any(event.fields.get("stage") == stage for event in heard):
            heard = client.wait(1.0)
            assert client.running_job, heard
        assert cancelled_within_s(client) < PROMISED_S, stage
        assert not list((tmp_path / "runs").iterdir()), stage


@pytest.mark.slow
def test_no_orphan_is_left_when_blender_is_killed(tmp_path):
    pytest.importorskip("torch")
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from imago.addon.worker_client import WorkerClient\nfrom imago.core.messages import MakeRequest, Word\n"
        f"here, root = Path({str(tmp_path)!r}), Path({str(ROOT)!r})\n"
        "client = WorkerClient(Path(sys.executable), root, here / 'worker.log', None, 60)\n"
        f"client.make(MakeRequest('one', {str(EXAMPLE)!r}, str(here / 'runs' / 'one'), None, {{'quality': 'high'}}))\n"
        "while not any(event.word is Word.SKETCH for event in client.wait(1)): pass\n"
        "print(client.pid, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as blender:
        worker = int(blender.stdout.readline())
        assert lives(worker) and part_folder(str(tmp_path / "runs" / "one")).exists()
        blender.kill()
    deadline = time.monotonic() + 10
    while lives(worker):
        assert time.monotonic() < deadline, "the worker outlived Blender"
        time.sleep(0.05)
    assert not list((tmp_path / "runs").iterdir())


@pytest.mark.slow
def test_damaged_weights(tmp_path):
    pytest.importorskip("torch")
    root = tmp_path / "package"
    shutil.copytree(ROOT / "core", root / "core", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "weights", root / "weights")
    shutil.copy(ROOT / "__init__.py", root)
    shutil.copy(ROOT / "blender_manifest.toml", root)
    weights = root / "weights" / "perceive.safetensors"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    client = client_of(tmp_path, root)
    client.make(request(tmp_path))
    failed = events_until(client, Word.FAILED, Word.MADE)[-1]
    assert failed.word is Word.FAILED and failed.fields["trouble"] is Trouble.WEIGHTS
    assert "perceive.safetensors is damaged" in failed.fields["detail"] and "install the extension again" in failed.fields["sentence"]
    assert not list((tmp_path / "runs").iterdir()) and client.alive
    client.close()
    assert not list(root.rglob("__pycache__")), "nothing is written inside the installed package"


READY = "say('ready', python='3', torch='2', gpu='a card')\n"


def test_garbage_from_the_worker_is_passed_over_and_logged(tmp_path):
    client = stand_in(
        tmp_path,
        "os.write(1, b'noise\\n\\xff\\xfe\\n{}\\n[]\\n')\nsay('dance')\nsay('make', job='one')\n" + READY + "job = hear()['job']\n"
        "say('progress', job=job)\nsay('progress', job=job, stage='fit', fraction01='half', left_s=None)\n"
        "say('failed', job=job, trouble='unheard of', sentence='x', detail='')\nsay('made', job='another', folder='x', seconds=1)\n"
        "say('made', job=job, folder='there', seconds=2)\nhear()\n",
    )  # fmt: skip
    client.make(request(tmp_path))
    events = events_until(client, Word.MADE)
    assert [event.word for event in events] == [Word.READY, Word.MADE] and events[-1].fields == {"folder": "there", "seconds": 2}
    assert client.gpu == "a card" and (tmp_path / "logs" / "worker.log").read_text().count("what is no message") == 9
    client.close()


def test_a_deaf_worker_is_killed_and_what_it_made_removed(tmp_path):
    """It even finishes the car in the moment of its end."""
    client = stand_in(
        tmp_path,
        READY + "request = hear()\nfolder = request['folder']\nos.makedirs(folder)\n"
        "json.dump({'job': request['job']}, open(folder + '/run.json', 'w'))\n"
        "os.makedirs(os.path.join(os.path.dirname(folder), '.one.part'))\n"
        "say('progress', job='one', stage='fit', fraction01=0.5, left_s=1.0)\ntime.sleep(60)\n",
    )  # fmt: skip
    client.make(request(tmp_path))
    events_until(client, Word.PROGRESS)
    assert cancelled_within_s(client) < PROMISED_S
    assert not list((tmp_path / "runs").iterdir()) and not client.alive


def test_a_car_finished_while_it_is_cancelled_counts_as_cancelled(tmp_path):
    client = stand_in(
        tmp_path,
        READY + "request = hear()\nhear()\nfolder = request['folder']\nos.makedirs(folder)\n"
        "json.dump({'job': request['job']}, open(folder + '/run.json', 'w'))\nsay('made', job='one', folder=folder, seconds=1)\nhear()\n",
    )
    client.make(request(tmp_path))
    events_until(client, Word.READY)
    assert cancelled_within_s(client) < PROMISED_S
    assert not list((tmp_path / "runs").iterdir()) and client.alive
    client.close()


def test_a_folder_of_somebody_else_is_never_removed(tmp_path):
    folder = tmp_path / "runs" / "one"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text('{"job": "an older one"}')
    client = stand_in(tmp_path, READY + "hear()\nsys.exit(3)\n")
    client.make(request(tmp_path))
    events_until(client, Word.FAILED)
    assert folder.exists()


def test_a_worker_that_went_idle_in_that_very_moment_is_asked_again(tmp_path):
    client = stand_in(
        tmp_path,
        "first = not os.path.exists(HERE + '/once')\nopen(HERE + '/once', 'w').close()\n" + READY + "job = hear()['job']\n"
        "if first: sys.exit(0)\nsay('made', job=job, folder='there', seconds=2)\nhear()\n",
    )  # fmt: skip
    client.make(request(tmp_path))
    assert events_until(client, Word.MADE, Word.FAILED)[-1].word is Word.MADE
    client.close()


def test_a_worker_that_always_leaves_is_not_asked_for_ever(tmp_path):
    client = stand_in(tmp_path, READY + "hear()\n")
    client.make(request(tmp_path))
    failed = events_until(client, Word.FAILED)[-1]
    assert failed.fields["trouble"] is Trouble.WORKER_DIED and client.running_job is None


def test_leaving_when_idle_is_no_failure_and_the_next_job_starts_it_anew(tmp_path):
    client = stand_in(
        tmp_path, READY + "if not os.path.exists(HERE + '/go'): sys.exit(0)\nsay('made', job=hear()['job'], folder='a', seconds=1)\n"
    )
    client.start()
    events = events_until(client, Word.READY)
    deadline = time.monotonic() + 20
    while client.alive:
        assert time.monotonic() < deadline
        events += client.wait(0.05)
    assert [event.word for event in events] == [Word.READY]
    (tmp_path / "go").touch()
    client.make(request(tmp_path))
    assert events_until(client, Word.MADE, Word.FAILED)[-1].word is Word.MADE
    client.close()


def test_a_crash_is_told_with_the_last_lines(tmp_path):
    client = stand_in(tmp_path, READY + "hear()\nfor k in range(50): print('line', k, file=sys.stderr)\nraise SystemError('the end')\n")
    client.make(request(tmp_path))
    failed = events_until(client, Word.FAILED)[-1]
    assert "code 1" in failed.fields["sentence"] and failed.fields["detail"].endswith("SystemError: the end")
    assert "line 49" in failed.fields["detail"] and "line 3\n" not in failed.fields["detail"]


def test_a_python_that_is_gone(tmp_path):
    client = client_of(tmp_path, python=tmp_path / "env" / "bin" / "python")
    with pytest.raises(UserInputError, match="set Imago up again") as caught:
        client.make(request(tmp_path))
    assert caught.value.trouble is Trouble.NOT_SET_UP and client.running_job is None


def test_polling_never_waits(tmp_path):
    client = stand_in(tmp_path, "time.sleep(60)\n")
    client.start()
    began = time.perf_counter()
    for _ in range(100):
        assert client.poll() == []
    assert time.perf_counter() - began < 1.0
    client.close()
    assert client.pid is None and client.poll() == []


def test_the_environment_is_cleaned_and_few_threads_are_used(tmp_path, monkeypatch):
    for name, value in (("PYTHONPATH", "x"), ("PYTHONHOME", ""), ("LD_PRELOAD", ""), ("KEPT", "yes")):
        monkeypatch.setenv(name, value)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    client = stand_in(tmp_path, "say('ready', gpu=None, had=dict(os.environ), flags=[sys.flags.isolated, sys.pycache_prefix])\nhear()\n")
    client.start()
    fields = events_until(client, Word.READY)[-1].fields
    had = fields["had"]
    assert (had["KEPT"], had["OMP_NUM_THREADS"], had["OPENBLAS_NUM_THREADS"]) == ("yes", "2", "1")
    assert not [name for name in had if name.startswith(("PYTHON", "LD_"))]
    assert fields["flags"] == [1, str(tmp_path / "cache")]
    client.close()


def test_a_long_log_is_kept_once(tmp_path):
    log = tmp_path / "logs" / "worker.log"
    log.parent.mkdir()
    log.write_bytes(b"x" * (MOST_LOG_BYTES + 1))
    client = stand_in(tmp_path, READY + "hear()\n")
    client.start()
    events_until(client, Word.READY)
    client.close()
    assert log.stat().st_size < 1000 and log.with_name("worker.log.1").stat().st_size == MOST_LOG_BYTES + 1


def test_without_a_place_for_the_log_it_works_all_the_same(tmp_path):
    (tmp_path / "logs").write_text("a file where the folder should be")
    client = stand_in(tmp_path, "os.write(1, b'noise\\n')\n" + READY + "hear()\nsys.exit(4)\n")
    client.make(request(tmp_path))
    assert events_until(client, Word.FAILED)[-1].fields["detail"] == ""


def test_the_worker_ends_with_a_program_that_forgets_to_close(tmp_path):
    stand_in(tmp_path, READY + "sys.stdin.read()\n")
    code = (
        "import sys\nfrom pathlib import Path\nfrom imago.addon.worker_client import WorkerClient\n"
        f"here = Path({str(tmp_path)!r})\n"
        "client = WorkerClient(Path(sys.executable), here / 'stand_in', here / 'worker.log', None, 60)\n"
        "client.start()\nclient.wait(30)\nprint(client.pid, flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not lives(int(done.stdout)), done.stderr
