"""The worker as a process, spoken to through its pipes alone: what it says, what it passes over, and when it ends."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imago.core.messages import MakeRequest, Word, line_of, make_line, parse_line, part_folder
from imago.core.worker import request_of

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "data" / "example.jpg"
pytestmark = pytest.mark.slow


class Process:
    """The worker with its pipes, its log, and all that it said."""

    def __init__(self, folder: Path, idle_s: float = 60, parent: int | None = None, root: Path = ROOT) -> None:
        self.log = folder / "worker.log"
        command = [
            sys.executable,
            "-I",
            str(root / "core" / "worker.py"),
            "--idle-s",
            str(idle_s),
            "--parent-pid",
            str(parent or os.getpid()),
        ]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line)

    def send(self, line: str | bytes) -> None:
        self.process.stdin.write(line.encode() if isinstance(line, str) else line)
        self.process.stdin.flush()

    def hear(self) -> tuple[Word, dict]:
        return parse_line(self.lines.get(timeout=60).decode())

    def hear_until(self, *words: Word) -> dict:
        while True:
            word, fields = self.hear()
            if word in words:
                return fields


@pytest.fixture
def start(tmp_path: Path) -> Iterator:
    begun = []

    def begin(**arguments) -> Process:
        begun.append(Process(tmp_path, **arguments))
        return begun[-1]

    yield begin
    for one in begun:
        one.process.kill()
        one.process.wait()


def request(folder: Path, job: str = "one", **settings) -> MakeRequest:
    return MakeRequest(job, str(EXAMPLE), str(folder / job), None, {"quality": "draft", "texture_size_px": 256} | settings)


def test_ready_then_garbage_then_busy_then_quit(start, tmp_path):
    worker = start()
    for line in (
        b"\n",
        b"garbage\n",
        b"\xff\xfe\x00\n",
        b"[1, 2]\n",
        b'{"word": "dance"}\n',
        b'{"word": "make"}\n',
        b'{"word": "cancel"}\n',
    ):
        worker.send(line)
    worker.send(b"x" * (3 << 20) + b"\n")
    worker.send(line_of(Word.READY))
    worker.send(json.dumps({"word": "make", "job": 1, "photo": None, "folder": "a"}) + "\n")
    word, fields = worker.hear()
    assert word is Word.READY and fields["python"] and fields["torch"] and "gpu" in fields
    worker.send(make_line(request(tmp_path)))
    worker.send(make_line(request(tmp_path, "two")))
    refused = worker.hear_until(Word.FAILED)
    assert refused["job"] == "two" and refused["trouble"] == "busy" and refused["sentence"]
    worker.send(line_of(Word.CANCEL, job="some other"))
    assert worker.hear_until(Word.PROGRESS)["job"] == "one"
    worker.send(line_of(Word.CANCEL, job="one"))
    assert worker.hear_until(Word.CANCELLED) == {"job": "one"}
    assert {path.name for path in tmp_path.iterdir()} == {"worker.log"}
    worker.send(line_of(Word.QUIT))
    assert worker.process.wait(10) == 0
    assert worker.log.read_text().count("not understood") >= 8


def test_a_setting_that_does_not_exist_fails_and_the_worker_lives_on(start, tmp_path):
    worker = start()
    worker.send(make_line(request(tmp_path, colour="red")))
    assert worker.hear_until(Word.FAILED)["trouble"] == "internal"
    worker.send(make_line(MakeRequest("two", str(tmp_path / "nowhere.jpg"), str(tmp_path / "two"))))
    fields = worker.hear_until(Word.FAILED)
    assert fields["job"] == "two" and fields["trouble"] == "photo"
    assert worker.process.poll() is None


def test_cancelled_before_its_turn_is_answered_while_torch_is_still_loading(start, tmp_path):
    worker = start()
    worker.send(make_line(request(tmp_path)))
    worker.send(line_of(Word.CANCEL, job="one"))
    assert worker.hear() == (Word.CANCELLED, {"job": "one"})
    assert worker.hear()[0] is Word.READY


def test_ends_by_itself_when_idle(start):
    worker = start(idle_s=0.2)
    assert worker.hear()[0] is Word.READY
    assert worker.process.wait(30) == 0


def test_ends_when_nobody_can_speak_to_it_any_more(start, tmp_path):
    worker = start()
    worker.send(make_line(request(tmp_path, quality="high")))
    worker.hear_until(Word.SKETCH)
    assert part_folder(str(tmp_path / "one")).exists()
    worker.process.stdin.close()
    assert worker.process.wait(10) == 0
    assert not part_folder(str(tmp_path / "one")).exists()


def test_ends_with_its_parent_even_where_the_pipe_stays_open(start):
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    worker = start(parent=parent.pid)
    assert worker.hear()[0] is Word.READY
    parent.kill()
    parent.wait()
    assert worker.process.wait(10) == 0


def test_what_others_print_goes_to_the_log(tmp_path):
    """Python's print, native code's writes to descriptor 1, and children's, all beside a message."""
    code = (
        "import os, subprocess, sys\n"
        "from imago.core.worker import private_pipes, Worker\n"
        "from imago.core.messages import Word\n"
        "requests, answers = private_pipes()\n"
        "print('printed', flush=True); os.write(1, b'native\\n'); subprocess.run(['echo', 'child'])\n"
        "assert sys.stdin.read() == '' and os.read(0, 1) == b''\n"
        "Worker(requests, answers, 1).tell(Word.READY, heard=requests.readline().decode())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=b"hello\n", capture_output=True, timeout=60)
    assert [parse_line(line) for line in done.stdout.decode().splitlines()] == [(Word.READY, {"heard": "hello\n"})]
    assert done.stderr.split() == [b"printed", b"native", b"child"]


def test_a_damaged_environment_says_so(start, tmp_path):
    root = tmp_path / "package"
    (root / "core").mkdir(parents=True)
    for name in ("__init__.py", "core/__init__.py", "core/errors.py", "core/messages.py", "core/worker.py"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    (root / "core" / "making.py").write_text("import no_such_module\n")
    worker = start(root=root)
    worker.send(make_line(request(tmp_path)))
    fields = worker.hear_until(Word.FAILED)
    assert fields["trouble"] == "not_set_up" and "no_such_module" in fields["sentence"] and "Traceback" in fields["detail"]
    assert worker.process.wait(10) == 1


@pytest.mark.parametrize(
    "wrong", [{}, {"job": 1, "photo": "a", "folder": "b"}, {"job": "", "photo": "a", "folder": "b"}, {"job": "a", "x": 1}]
)
def test_requests_are_checked(wrong):
    with pytest.raises((ValueError, TypeError)):
        request_of(wrong)


def test_time_is_told_in_the_log(start):
    worker = start(idle_s=0.1)
    worker.process.wait(30)
    assert time.strftime("%Y-%m-%d") in worker.log.read_text()
