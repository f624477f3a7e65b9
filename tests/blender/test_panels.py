"""Every panel in every state: what it shows, and that each button and field in it exists."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import bpy
import pytest

from .recording import Drawn, draw
from .test_create import add_last_run


def panels(installed: ModuleType) -> dict[str, Drawn]:
    """What each panel draws now, by label; those whose poll refuses are missing."""
    kinds = installed.module("addon.panels").CLASSES
    drawn = {kind.bl_label: draw(kind, bpy.context) for kind in kinds}
    return {label: found for label, found in drawn.items() if found is not None}


@pytest.fixture
def session(installed: ModuleType):
    """The session, put back as it was."""
    found = installed.module("addon.session").SESSION
    yield found
    found.job = found.problem = found.set_up = found.set_up_state = None
    found.placing = False


def test_fresh_install_shows_one_button(installed: ModuleType, session) -> None:
    installed.preferences().worker_python = "/nowhere/python"
    shown = panels(installed)
    assert set(shown) <= {"Photo", "History", "Several Cars"} and shown["Photo"].operator_names == ["imago.set_up"]


def test_setting_up_shows_progress_and_cancel(installed: ModuleType, session) -> None:
    state = installed.module("addon.runtime.set_up").SetUpState
    session.set_up = object()
    session.set_up_state = state(stage="Fetching torch", fraction01=0.4, left_s=95.0, done=False, problem=None)
    shown = panels(installed)["Photo"]
    session.set_up = None
    assert shown.operator_names == ["imago.cancel_set_up"]
    assert "Fetching torch" in shown.text and "40 %" in shown.text and "2 min left" in shown.text


@pytest.mark.slow
def test_ready_shows_the_next_step(worker: ModuleType, session) -> None:
    inputs = bpy.context.window_manager.imago
    shown = panels(worker)["Photo"]
    assert [name for name in shown.operator_names if name != "imago.invent_car"][0] == "imago.import_photo"
    assert {"quality", "body_type", "texture", "device", "mask", "photo"} <= set(shown.properties)
    brings_generator = (Path(__file__).parents[2] / "weights" / "generator.safetensors").is_file()
    assert ({"seed", "body", "own_paint", "unseen"} <= set(shown.properties)) == brings_generator
    assert {"which", "box"} <= set(shown.properties) and "largest in the middle" in shown.text
    assert panels(worker)["Several Cars"].operator_names == ["imago.draw_box"]
    inputs.photo = "/tmp/car.jpg"
    try:
        assert [name for name in panels(worker)["Photo"].operator_names if name != "imago.invent_car"] == ["imago.create_car"]
        inputs.source = "IMAGE"
        assert "image" in panels(worker)["Photo"].properties
    finally:
        inputs.photo, inputs.source = "", "FILE"


@pytest.mark.slow
def test_running_shows_stage_share_time_and_cancel(worker: ModuleType, session) -> None:
    module = worker.module("addon.session")
    session.job = module.Job(module.new_job("/photos/beetle.jpg", Path("/nowhere"), None, {}), stage="fit", fraction01=0.33, left_s=7.0)
    shown = panels(worker)["Photo"]
    assert shown.operator_names == ["imago.cancel"]
    assert "beetle.jpg" in shown.text and "33 %" in shown.text and "7 s left" in shown.text and "Fitting" in shown.text
    assert not bpy.ops.imago.create_car.poll(), "one car at a time"
    session.job, session.placing = None, True
    assert "Object Mode" in panels(worker)["Photo"].text


@pytest.mark.slow
def test_every_problem_has_a_button_that_mends_it(worker: ModuleType, session) -> None:
    trouble, problem = worker.module("core.errors").Trouble, worker.module("core.messages").Problem
    remedies = worker.module("addon.remedies").REMEDIES
    assert set(remedies) == set(trouble)
    for kind in trouble:
        session.problem = problem(kind, "This is wrong: do that.", "detail")
        shown = panels(worker)["Photo"]
        assert "This is wrong: do that." in shown.text
        assert remedies[kind].operator in shown.operator_names and "imago.dismiss" in shown.operator_names
        properties = dict(shown.operators)[remedies[kind].operator]
        assert remedies[kind].properties.items() <= properties.items()
        assert "imago.show_log" in shown.operator_names, "whoever wants to know more can"


@pytest.mark.slow
def test_a_selected_car_shows_all_its_sliders(worker: ModuleType, session) -> None:
    rig = add_last_run(worker)
    shown = panels(worker)
    first, last = ["Photo", "Car", "Look", "Lights"], ["Rig", "Export", "History", "Several Cars"]
    assert list(shown) == [*first, "Drive", "My Own Animation", *last]
    groups = worker.module("addon.panels.car").GROUPS
    grouped = [name for names in groups.values() for name in names]
    assert sorted(grouped) == sorted(measure.name for measure in worker.module("core.car.measure_table").MEASURES)
    assert set(shown["Car"].properties) == set(worker.module("addon.scene.reshape").measures_of(rig)), "a slider for all that can move"
    assert len(shown["Car"].properties) > 30
    lamps = {"headlight", "high_beam", "daytime", "tail", "brake", "indicator_left", "indicator_right", "hazard", "reverse", "fog"}
    assert {name.strip('[]"') for name in shown["Lights"].properties} == lamps
    turned = {"wheel_turn", "steer", "heave", "pitch", "roll", "auto_roll", "follow_ground"}
    assert {name.strip('[]"') for name in shown["Rig"].properties} == turned
    assert {"curve", "ground", "speed", "unit", "first_frame", "backwards", "drift"} <= set(shown["Drive"].properties)
    assert {"imago.add_path", "imago.drive"} <= set(shown["Drive"].operator_names)
    assert "imago.stop_driving" not in shown["Drive"].operator_names, "there is nothing to clear yet"
    assert "default_value" in shown["Look"].properties and '["photo_look"]' in shown["Look"].properties
    assert "imago.mark_asset" in shown["Export"].operator_names and "imago.export_car" in shown["Export"].operator_names
    assert "imago.add_run" in shown["History"].operator_names and " s" in shown["History"].text
    bpy.context.view_layer.objects.active = next(thing for thing in rig.children if thing.get("imago_role") == "wheel_rear_left")
    assert "Car" in panels(worker), "any part of the car will do"
    bpy.context.view_layer.objects.active = None
    assert "Car" not in panels(worker)


def test_preferences_draw(installed: ModuleType, session) -> None:
    from .recording import Layout, _Panel

    kind = type(installed.preferences())
    panel = _Panel(kind)
    for name in ("worker_python", "extra_index", "idle_minutes", "keep_runs"):
        panel.__dict__[name] = getattr(installed.preferences(), name)
    panel.path_resolve = installed.preferences().path_resolve
    kind.draw(panel, bpy.context)
    drawn: Layout = panel.layout
    assert {"worker_python", "extra_index", "idle_minutes", "keep_runs"} <= set(drawn.drawn.properties)


def test_menus_offer_it(installed: ModuleType) -> None:
    photos = installed.module("addon.operators.photos")
    assert photos._entry in bpy.types.VIEW3D_MT_add._dyn_ui_initialize()
    assert photos._import_entry in bpy.types.TOPBAR_MT_file_import._dyn_ui_initialize()
