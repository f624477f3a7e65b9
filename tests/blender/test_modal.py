"""The way through a window, tick by tick: progress, Esc, another mode, and what each tick does.

Without a window Blender never calls modal(), so the operator's own functions are called here as its event loop does; Blender's real one is
walked through in tests/gui.
"""

from __future__ import annotations

import time
from pathlib import Path
from types import MethodType, ModuleType, SimpleNamespace
from typing import Any

import bpy
import pytest

from .test_create import EXAMPLE, add_last_run, runs
from .test_troubles import runs_on_disk, session

TICK = SimpleNamespace(type="TIMER", value="NOTHING")
ESC = SimpleNamespace(type="ESC", value="PRESS")
MOUSE = SimpleNamespace(type="MOUSEMOVE", value="NOTHING")


class Clicked:
    """Stands in for the operator Blender makes on a click."""

    def __init__(self, kind: type, **properties: Any) -> None:
        self._kind = kind
        self.filepath, self.directory, self.files, self.mask = "", "", [], ""
        self.quality, self.texture, self.device = "draft", "1024", "auto"
        self.__dict__.update(properties)
        self.properties = SimpleNamespace(is_property_set=lambda name: name in {"quality", "texture", *properties})
        self.reports: list[str] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._kind, name)
        return MethodType(found, self) if callable(found) else found

    def report(self, kinds: set[str], text: str) -> None:
        self.reports.append(text)

    def run(self, until: Any = lambda: False, within_s: float = 120.0) -> set[str] | None:
        """Ticks as in a window until it ends, or until something holds (then None)."""
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            answer = self.modal(bpy.context, TICK)
            if answer & {"FINISHED", "CANCELLED"}:
                return answer
            if until():
                return None
            time.sleep(0.02)
        raise AssertionError("it never ended")


class Through:
    """Something of Blender's, but for what is given here."""

    def __init__(self, real: Any, **instead: Any) -> None:
        self.__dict__.update(instead)
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.fixture
def click(worker: ModuleType):
    """click(operator name, **properties) -> the operator, invoked."""
    making = worker.module("addon.operators.making")
    started: list[Clicked] = []

    def invoke(name: str, **properties: Any) -> Clicked:
        operator = Clicked(getattr(making, f"IMAGO_OT_{name}"), **properties)
        started.append(operator)
        manager = Through(bpy.context.window_manager, modal_handler_add=lambda _: True)  # takes none but Blender's own operators
        assert operator.invoke(Through(bpy.context, window_manager=manager), MOUSE) == {"RUNNING_MODAL"}
        return operator

    yield invoke
    for operator in started:
        operator.cancel(bpy.context)
    worker.module("addon.session").SESSION.problem = None
    bpy.context.window_manager.imago.photo = ""


@pytest.fixture
def long_work(worker: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What takes long in Blender's thread, written down as it happens: "wake", "load", "place"."""
    done: list[str] = []
    making, placing = worker.module("addon.operators.making"), worker.module("addon.placing")

    def noting(what: str, work: Any) -> Any:
        return lambda *given: (done.append(what), work(*given))[1]

    for name, what in (("load_run", "load"), ("place_run", "place")):
        monkeypatch.setattr(making, name, noting(what, getattr(making, name)))
    monkeypatch.setattr(placing, "_asleep", [noting("wake", work) for work in placing.WAKINGS])  # as at the first car of a session
    return done


@pytest.mark.slow
def test_no_tick_does_two_long_things(worker: ModuleType, click, long_work: list[str]) -> None:
    """How long each of them takes is measured by `build.py bench scene` and, in a window, by the walk of tests/gui."""
    found = session(worker)
    for wakings in (3, 0):
        long_work.clear()
        seen: list[tuple[str, float]] = []
        operator = click("create_car", filepath=str(EXAMPLE))
        objects = len(bpy.data.objects)
        before = 0
        while operator.run(until=lambda: True) is None:
            assert len(long_work) <= before + 1, f"one tick did {long_work[before:]}"
            before = len(long_work)
            assert operator.modal(bpy.context, MOUSE) == {"PASS_THROUGH"}, "Blender stays usable"
            assert len(bpy.data.objects) == objects, "nothing is in the file before the car is whole"
            if found.job is not None:
                seen.append((found.job.stage, found.job.fraction01))
            time.sleep(0.02)
        assert long_work == ["wake"] * wakings + ["load", "place"] and len(long_work) == before + 1
        assert len({stage for stage, _ in seen}) >= 3 and [share for _, share in seen] == sorted(share for _, share in seen)
        assert bpy.context.view_layer.objects.active["imago_run"] == runs(worker)[0].job


@pytest.mark.slow
def test_the_sketch_comes_before_the_car_and_goes_with_it(worker: ModuleType, click) -> None:
    found = session(worker)
    bpy.context.scene.cursor.location = (1.0, 2.0, 3.0)
    operator = click("create_car", filepath=str(EXAMPLE))
    assert operator.run(until=lambda: found.sketch is not None) is None
    first = found.sketch
    assert found.place == (1.0, 2.0, 3.0) and 3.0 < float(first.vertices_car[:, 1].max() - first.vertices_car[:, 1].min()) < 6.0
    assert operator.run(until=lambda: found.sketch is not first) is None, "it sharpens"
    assert operator.run() == {"FINISHED"} and found.sketch is None and found.place is None


@pytest.mark.slow
def test_escape_ends_it_within_a_second(worker: ModuleType, click) -> None:
    found, before, on_disk = session(worker), worker.data_counts(), runs_on_disk(worker)
    operator = click("create_car", filepath=str(EXAMPLE))
    assert operator.run(until=lambda: found.job is not None and found.job.stage == "fit") is None
    began = time.monotonic()
    assert operator.modal(bpy.context, ESC) == {"RUNNING_MODAL"}
    assert operator.run() == {"CANCELLED"} and time.monotonic() - began < 1.0
    assert worker.data_counts() == before and runs_on_disk(worker) == on_disk and found.problem is None and not found.busy
    assert operator.modal(bpy.context, ESC) == {"PASS_THROUGH"}, "afterwards Esc is the artist's again"


@pytest.mark.slow
def test_a_finished_car_waits_for_object_mode(worker: ModuleType, click) -> None:
    found = session(worker)
    bpy.ops.mesh.primitive_cube_add()
    operator = click("create_car", filepath=str(EXAMPLE))
    bpy.ops.object.mode_set(mode="EDIT")
    assert operator.run(until=lambda: found.placing and found.job is None) is None
    for _ in range(5):
        assert operator.modal(bpy.context, TICK) == {"PASS_THROUGH"}
    assert len(bpy.data.objects) == 1 and bpy.context.mode == "EDIT_MESH"
    bpy.ops.object.mode_set(mode="OBJECT")
    assert operator.run() == {"FINISHED"} and len(bpy.data.objects) > 10


@pytest.mark.slow
def test_several_photos_stand_side_by_side_and_a_bad_one_stops_none(worker: ModuleType, click, tmp_path: Path) -> None:
    for name in ("two.jpg", "three.jpg"):
        (tmp_path / name).write_bytes(EXAMPLE.read_bytes())
    (tmp_path / "one.jpg").write_text("no picture")
    files = [SimpleNamespace(name=name) for name in ("one.jpg", "two.jpg", "three.jpg")]
    operator = click("create_car", directory=str(tmp_path), files=files)
    assert operator.run(within_s=240) == {"FINISHED"}
    rigs = sorted((thing for thing in bpy.data.objects if thing.get("imago_role") == "rig"), key=lambda rig: rig.location.x)
    assert len(rigs) == 2 and rigs[1].location.x - rigs[0].location.x > 2.0
    assert any("not a picture" in text for text in operator.reports) and session(worker).problem.trouble == "photo"


@pytest.mark.slow
def test_a_car_deleted_meanwhile_cannot_be_updated(worker: ModuleType, click) -> None:
    rig = add_last_run(worker)
    operator = click("update_car", filepath=str(EXAMPLE))
    bpy.data.batch_remove([rig, *rig.children])
    assert operator.run() == {"CANCELLED"}
    assert "no longer there" in session(worker).problem.sentence and not session(worker).busy
