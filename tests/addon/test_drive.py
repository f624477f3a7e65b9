"""Driving in a scene: keys against what the evaluated wheels do, the artist's own action, undo, files, several cars, lamps."""

from __future__ import annotations

import math
from pathlib import Path

import bpy
import numpy as np
import pytest

from imago.addon.drive.actions import TRACK, drive_action
from imago.addon.drive.again import drive_again
from imago.addon.drive.drive import Course, drive_car, is_stale, roll_along, stop_driving
from imago.addon.drive.proving_ground import add_eight, add_waves
from imago.addon.fcurves import curves_of
from imago.addon.rig.blinker import FLASHES_HZ, lay_out
from imago.addon.rig.rig import hub_centres, place_hubs
from imago.addon.scene.scene import CarObjects, build_car
from imago.addon.scene.update import update_car
from imago.core.drive.drive import DriveWish
from imago.core.drive.speed import SpeedWish
from imago.core.drive.suspension import Springs
from imago.core.errors import UserInputError

from .png import write_png
from .template_car import template_car
from .turning import ackermann

START = (3.0, -2.0, 0.0)


pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def car() -> CarObjects:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 24
    return build_car(template_car(), location=START)


def course(first_frame: int = 1, cruise_m_s: float = 9.0, **wish: object) -> Course:
    return Course(add_eight(), None, first_frame, DriveWish(SpeedWish(cruise_m_s), 24.0, **wish))


def played(car: CarObjects, first: int, last: int) -> dict[str, np.ndarray]:
    """The evaluated world matrices (F, 4, 4) of every wheel and of the body."""
    matrices: dict[str, list[np.ndarray]] = {thing["imago_role"]: [] for thing in (*car.wheels.values(), car.body)}
    for frame in range(first, last + 1):
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        for thing in (*car.wheels.values(), car.body):
            matrices[thing["imago_role"]].append(np.array(thing.evaluated_get(graph).matrix_world))
    return {name: np.array(rows) for name, rows in matrices.items()}


def rolled_rad(wheel: np.ndarray) -> np.ndarray:
    """(F,) how far a wheel's matrix has turned about its own axle, against the upright."""
    axle, top = wheel[:, :3, 0], wheel[:, :3, 2]
    upright = np.array([0, 0, 1]) - axle * axle[:, 2:]
    upright /= np.linalg.norm(upright, axis=1, keepdims=True)
    forward = np.cross(axle, upright)  # +X x +Z = -Y
    return np.unwrap(np.arctan2((top * forward).sum(1), (top * upright).sum(1)))


def test_wheels_roll_their_own_way_steer_without_slip_and_stand_on_the_floor(car: CarObjects) -> None:
    driven = drive_car(car.rig, course())
    seen = played(car, driven.first_frame, driven.last_frame)
    for name in car.wheels:
        wheel, radius = seen[name], template_car().wheels[0].radius_m
        step = np.diff(wheel[:, :3, 3], axis=0)
        way = np.linalg.norm(step, axis=1).sum()
        assert abs((rolled_rad(wheel)[-1] - rolled_rad(wheel)[0]) * radius / way - 1) < 0.005
        axle = wheel[1:, :3, 0] + wheel[:-1, :3, 0]
        axle /= np.linalg.norm(axle, axis=1, keepdims=True)
        assert np.abs((step * axle).sum(1)).max() < 2e-3
        assert np.abs(wheel[:, 2, 3] - radius).max() < 1e-3


def test_axles_of_the_front_wheels_meet_on_the_rear_axles_line(car: CarObjects) -> None:
    driven = drive_car(car.rig, course())
    seen = played(car, driven.first_frame, driven.last_frame)
    plan = {
        name: (wheel[:, :2, 3], wheel[:, :2, 0] / np.linalg.norm(wheel[:, :2, 0], axis=1, keepdims=True)) for name, wheel in seen.items()
    }
    (rear, across), (left, left_axle), (right, right_axle) = (plan[f"wheel_{name}"] for name in ("rear_left", "front_left", "front_right"))
    sine = across[:, 0] * left_axle[:, 1] - across[:, 1] * left_axle[:, 0]
    turning = np.abs(sine) > math.sin(math.radians(3))
    assert turning.sum() > 100
    away = left - rear
    along = (away[:, 0] * left_axle[:, 1] - away[:, 1] * left_axle[:, 0])[turning] / sine[turning]
    meeting = rear[turning] + along[:, None] * across[turning]
    to_meeting = meeting - right[turning]
    to_meeting /= np.linalg.norm(to_meeting, axis=1, keepdims=True)
    wrong = np.arcsin(np.abs(to_meeting[:, 0] * right_axle[turning, 1] - to_meeting[:, 1] * right_axle[turning, 0]))
    assert np.degrees(wrong).max() < 1.0


def test_wheels_stand_on_waves(car: CarObjects) -> None:
    waves = add_waves()
    driven = drive_car(car.rig, Course(add_eight(), waves, 1, DriveWish(SpeedWish(8.0), 24.0)))
    seen = played(car, driven.first_frame, driven.last_frame)
    radius = template_car().wheels[0].radius_m
    for name in car.wheels:
        wheel, gaps = seen[name], []
        for matrix in wheel[::7]:
            forward = np.cross(matrix[:3, 0], (0, 0, 1))
            forward /= np.linalg.norm(forward)
            down = np.cross(matrix[:3, 0], forward)
            down *= -np.sign(down[2])
            rim = [matrix[:3, 3] + radius * (math.sin(a) * forward + math.cos(a) * down) for a in np.linspace(-1.1, 1.1, 61)]
            gaps.append(min(p[2] - waves.ray_cast((p[0], p[1], 5.0), (0, 0, -1))[1].z for p in rim))
        assert np.abs(gaps).max() < 5e-3
    assert np.ptp(seen["body"][:, 2, 3]) > 0.1


def test_the_sensors_carry_a_car_without_a_drive(car: CarObjects) -> None:
    slope = math.tan(0.12)
    data = bpy.data.meshes.new("slope")
    data.from_pydata([(x, y, y * slope + 0.4) for x, y in ((-30, -30), (30, -30), (30, 30), (-30, 30))], [], [(0, 1, 2, 3)])
    ground = bpy.data.objects.new("slope", data)
    bpy.context.scene.collection.objects.link(ground)
    car.rig.imago_drive.ground = ground
    bpy.context.view_layer.update()
    seen = played(car, 1, 1)
    radius = template_car().wheels[0].radius_m
    for name in car.wheels:
        x, y, z = seen[name][0, :3, 3]
        assert z == pytest.approx(y * slope + 0.4 + radius, abs=2e-3)
    up = seen["body"][0, :3, 2]
    assert np.allclose(up, np.array([0, -slope, 1]) / math.hypot(slope, 1), atol=2e-3)
    car.rig["follow_ground"] = 0.0
    car.rig.update_tag()
    assert np.allclose(played(car, 1, 1)["body"][0, :3, 3], START, atol=1e-5)


def test_wheels_roll_by_themselves_wherever_the_car_points(car: CarObjects) -> None:
    car.rig.rotation_euler.z = 0.7
    bpy.context.view_layer.update()
    before = played(car, 1, 1)
    heading = np.array([math.sin(0.7), -math.cos(0.7), 0])
    for way in (0.3, 1.0):
        car.rig.location = np.array(START) + 0.5 * way * heading  # half by the object, half by its root bone
        car.rig.pose.bones["root"].location = (0, -0.5 * way, 0)
        bpy.context.view_layer.update()
        after = played(car, 1, 1)
        for wheel in template_car().wheels:
            turned = rolled_rad(np.concatenate([before[wheel.name], after[wheel.name]]))
            assert (turned[1] - turned[0]) % (2 * math.pi) == pytest.approx(way / wheel.radius_m % (2 * math.pi), abs=1e-3)


def test_it_begins_where_it_should_and_ends_in_time(car: CarObjects) -> None:
    driven = drive_car(car.rig, course(first_frame=11, frames=900))
    assert (driven.first_frame, driven.last_frame) == (11, 911)
    curve = curves_of(drive_action(car.rig)).find('pose.bones["root"].location', index=0)
    assert curve.range()[:] == (11, 911)


def user_action(rig: bpy.types.Object) -> str:
    """Keys of the artist, and their text: every curve, key, handle and interpolation."""
    rig["headlight"] = 0.0
    rig.keyframe_insert('["headlight"]', frame=1)
    rig["headlight"] = 1.0
    rig.keyframe_insert('["headlight"]', frame=30)
    rig.location.z = 0.5
    rig.keyframe_insert("location", frame=5)
    return action_text(rig.animation_data.action)


def action_text(action: bpy.types.Action) -> str:
    curves = curves_of(action)
    rows = [[curve.data_path, curve.array_index] for curve in curves]
    keys = [
        [*key.co, *key.handle_left, *key.handle_right, key.interpolation, key.easing] for curve in curves for key in curve.keyframe_points
    ]
    return repr((action.name, rows, keys))


def test_the_artists_action_stays_bit_for_bit_and_wins(car: CarObjects) -> None:
    text = user_action(car.rig)
    action = car.rig.animation_data.action
    drive_car(car.rig, course())
    driven = drive_car(car.rig, course())  # again: it replaces the first
    assert car.rig.animation_data.action == action and action_text(action) == text
    assert [track.name for track in car.rig.animation_data.nla_tracks] == [TRACK] and len(bpy.data.actions) == 2
    bpy.context.scene.frame_set(30)
    assert car.rig.evaluated_get(bpy.context.evaluated_depsgraph_get())["headlight"] == 1.0
    assert not driven.notices
    car.rig["steer"] = 0.1
    car.rig.keyframe_insert('["steer"]', frame=1)
    assert '["steer"]' in drive_car(car.rig, course()).notices[-1]


def test_clearing_gives_everything_back(car: CarObjects) -> None:
    car.rig["steer"], car.rig["brake"] = 0.2, 0.5
    car.rig.pose.bones["root"].location = (1.0, 2.0, 0.0)
    car.rig.update_tag()
    before = {**played(car, 1, 1)}
    drive_car(car.rig, course())
    drive_car(car.rig, course())
    played(car, 40, 41)
    assert stop_driving(car.rig) and not stop_driving(car.rig)
    after = played(car, 1, 1)
    assert all(np.allclose(before[name], after[name], atol=1e-6) for name in before)
    assert (car.rig["steer"], car.rig["brake"], car.rig["auto_roll"]) == (0.2, 0.5, 1.0)
    assert not bpy.data.actions and not car.rig.animation_data.nla_tracks


def test_a_drive_without_drift_after_one_with_it_is_straight_again(car: CarObjects) -> None:
    driven = drive_car(car.rig, course(drift_rad=0.4))
    drift = curves_of(drive_action(car.rig)).find('pose.bones["drift"].rotation_euler', index=2)
    most = max(range(1, driven.last_frame), key=lambda frame: abs(drift.evaluate(frame)))
    played(car, most, most)
    assert abs(car.rig.pose.bones["drift"].rotation_euler.z) > 0.1
    plain = drive_car(car.rig, course())
    for frame in range(1, plain.last_frame, 40):
        played(car, frame, frame)
        assert car.rig.pose.bones["drift"].rotation_euler.z == 0.0


def test_nothing_changes_while_a_strip_is_edited(car: CarObjects) -> None:
    drive_car(car.rig, course())
    text = action_text(drive_action(car.rig))
    car.rig.animation_data.use_tweak_mode = True
    kept = dict(car.rig.items()) | {"imago_drive_chassis": list(car.rig["imago_drive_chassis"])}
    for act in (lambda: drive_car(car.rig, course(backwards=True)), lambda: roll_along(car.rig, 1, 9, Springs(), True)):
        with pytest.raises(UserInputError, match="leave Tweak Mode"):
            act()
    assert dict(car.rig.items()) | {"imago_drive_chassis": list(car.rig["imago_drive_chassis"])} == kept
    car.rig.animation_data.use_tweak_mode = False
    with pytest.raises(UserInputError, match="one frame is no motion"):
        roll_along(car.rig, 5, 5, Springs(), True)
    assert action_text(drive_action(car.rig)) == text


def test_one_undo_removes_the_drive(car: CarObjects) -> None:
    bpy.context.view_layer.objects.active = car.rig
    car.rig.imago_drive.curve = add_eight()
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.imago.drive("EXEC_DEFAULT", True) == {"FINISHED"}
    assert drive_action(car.rig) is not None and bpy.context.scene.frame_end > 300
    bpy.ops.ed.undo()
    rig = bpy.data.objects["Car"]
    assert not bpy.data.actions and not rig.animation_data.nla_tracks and rig["auto_roll"] == 1.0


def test_operator_equals_function(car: CarObjects) -> None:
    bpy.context.view_layer.objects.active = car.rig
    wishes = car.rig.imago_drive
    wishes.curve, wishes.speed, wishes.unit, wishes.first_frame = add_eight(), 20.0, "MPH", 5
    bpy.ops.imago.drive("EXEC_DEFAULT")
    by_operator = action_text(drive_action(car.rig))
    drive_car(car.rig, Course(wishes.curve, None, 5, DriveWish(SpeedWish(20.0 * 0.44704), 24.0)))
    assert action_text(drive_action(car.rig)) == by_operator


def test_what_is_missing_is_said_and_nothing_changes(car: CarObjects) -> None:
    bpy.context.view_layer.objects.active = car.rig
    with pytest.raises(RuntimeError, match="No path is chosen"):
        bpy.ops.imago.drive("EXEC_DEFAULT")
    data = bpy.data.curves.new("point", "CURVE")
    car.rig.imago_drive.curve = bpy.data.objects.new("point", data)
    with pytest.raises(RuntimeError, match="has no line to follow"):
        bpy.ops.imago.drive("EXEC_DEFAULT")
    car.rig.imago_drive.curve = add_eight()
    car.rig.imago_drive.timing, car.rig.imago_drive.last_frame = "FRAMES", 30
    with pytest.raises(RuntimeError, match="are too short for this path"):
        bpy.ops.imago.drive("EXEC_DEFAULT")
    assert not bpy.data.actions and len(bpy.data.curves) == 2
    with pytest.raises(UserInputError, match="is stretched"):
        car.rig.scale = (1, 1, 2)
        bpy.context.view_layer.update()
        drive_car(car.rig, course())


def test_add_path_starts_where_the_car_stands(car: CarObjects) -> None:
    bpy.context.view_layer.objects.active = car.rig
    car.rig.rotation_euler.z = 0.5
    bpy.context.view_layer.update()
    before = played(car, 1, 1)
    bpy.ops.imago.add_path("EXEC_DEFAULT")
    bpy.ops.imago.drive("EXEC_DEFAULT")
    after = played(car, 1, 1)
    assert all(np.allclose(before[name][0, :3, 3], after[name][0, :3, 3], atol=0.02) for name in car.wheels)


def test_a_scaled_car_rolls_by_its_own_size(car: CarObjects) -> None:
    car.rig.scale = (0.5, 0.5, 0.5)
    bpy.context.view_layer.update()
    driven = drive_car(car.rig, course())
    seen = played(car, driven.first_frame, driven.last_frame)["wheel_rear_left"]
    way = np.linalg.norm(np.diff(seen[:, :3, 3], axis=0), axis=1).sum()
    seen[:, :3, :3] *= 2
    assert (rolled_rad(seen)[-1] - rolled_rad(seen)[0]) * 0.5 * template_car().wheels[0].radius_m / way == pytest.approx(1, abs=0.005)


def test_the_artists_own_motion_rolls_the_wheels(car: CarObjects) -> None:
    for frame, place, yaw in ((1, (0, 0, 0), 0.0), (25, (0, -6, 0), 0.0), (50, (3, -11, 0), 0.9), (75, (9, -13, 0), 1.3)):
        car.rig.location, car.rig.rotation_euler.z = place, yaw
        car.rig.keyframe_insert("location", frame=frame)
        car.rig.keyframe_insert("rotation_euler", frame=frame)
    text = action_text(car.rig.animation_data.action)
    roll_along(car.rig, 1, 75, Springs(), True)
    assert action_text(car.rig.animation_data.action) == text
    seen = played(car, 1, 75)
    for name in car.wheels:
        wheel = seen[name]
        step = np.diff(wheel[:, :3, 3], axis=0)
        axle = wheel[1:, :3, 0] + wheel[:-1, :3, 0]
        forward = np.cross(axle, (0, 0, 1))
        forward /= np.linalg.norm(forward, axis=1, keepdims=True)
        assert rolled_rad(wheel)[-1] - rolled_rad(wheel)[0] == pytest.approx((step * forward).sum() / 0.31, rel=0.01)
    assert bpy.context.scene.frame_current == 75


def lit(car: CarObjects, kind: str, frame: int) -> set[str]:
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    return {name for name, lamp in car.lamps.items() if lamp.evaluated_get(graph).get(kind, 0.0) > 0.5}


def test_indicators_flash_at_their_frequency_at_any_frame_rate(car: CarObjects) -> None:
    car.rig["hazard"] = 1.0
    for fps in (24, 30, 60):
        bpy.context.scene.render.fps = fps
        lay_out(car.rig, bpy.context.scene)
        car.rig.update_tag()
        on = np.array([bool(lit(car, "indicator", frame)) for frame in range(0, 10 * fps)])
        assert (np.diff(on.astype(int)) == 1).sum() + on[0] == 10 * FLASHES_HZ
        assert on.mean() == pytest.approx(0.5, abs=0.02)


def test_a_file_of_another_frame_rate_keeps_the_rhythm(car: CarObjects, tmp_path: Path) -> None:
    bpy.context.scene.render.fps = 60  # by a script, which tells nobody
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "sixty.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "sixty.blend"))
    rig = bpy.data.objects["Car"]
    wave = [rig.animation_data.drivers.find('["blink"]').evaluate(frame) for frame in range(40)]
    assert wave == [1.0] * 20 + [0.0] * 20


def test_switches_light_their_own_side(car: CarObjects) -> None:
    car.rig["indicator_left"] = 1.0
    car.rig.update_tag()
    assert lit(car, "indicator", 1) == {name for name in car.lamps if name.startswith("indicator") and name.endswith("left")} != set()
    car.rig["daytime"] = 1.0
    car.rig.update_tag()
    assert lit(car, "daytime", 1) == {"headlight_left", "headlight_right"}


def test_beams_shine_ahead_of_their_lamps_only_when_switched_on(car: CarObjects) -> None:
    beams = {thing.name: thing for thing in car.collection.objects if thing.type == "LIGHT"}
    assert set(beams) == {"beam_low_left", "beam_low_right", "beam_high_left", "beam_high_right"}
    bpy.context.view_layer.update()
    assert all(beam.hide_render for beam in beams.values())
    car.rig["headlight"] = 0.3
    car.rig.update_tag()
    bpy.context.view_layer.update()
    assert [name for name, beam in beams.items() if not beam.hide_render] == ["beam_low_left", "beam_low_right"]
    car.rig["high_beam"] = 1.0
    car.rig.update_tag()
    bpy.context.view_layer.update()
    for name, beam in beams.items():
        seen = np.array(beam.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world)
        assert -seen[1, 2] < -0.99 and -seen[2, 2] < 0  # a spot shines along its -Z
        side = name.rsplit("_", 1)[1]
        lamp = car.lamps[f"headlight_{side}" if "low" in name else f"high_beam_{side}"]
        points = np.array([lamp.matrix_world @ vertex.co for vertex in lamp.data.vertices])
        assert np.linalg.norm(points.mean(0) - seen[:3, 3]) < 0.1


def test_brake_lamps_follow_the_drive(car: CarObjects) -> None:
    driven = drive_car(car.rig, course())
    brake = curves_of(drive_action(car.rig)).find('["brake"]')
    for frame in range(driven.first_frame, driven.last_frame, 9):
        assert bool(lit(car, "brake", frame)) == bool(brake.evaluate(frame) > 0.5)


def test_two_cars_drive_apart(car: CarObjects) -> None:
    other = build_car(template_car("suv"), location=(20.0, 0.0, 0.0))
    drive_car(car.rig, course())
    still = played(other, 1, 1)["body"]
    assert np.allclose(played(other, 200, 200)["body"], still)
    drive_car(other.rig, course(backwards=True))
    assert len(bpy.data.actions) == 2
    stop_driving(car.rig)
    assert drive_action(other.rig) is not None and drive_action(car.rig) is None
    assert not np.allclose(played(other, 200, 200)["body"], still)


def test_a_linked_duplicate_drives_on_its_own(car: CarObjects) -> None:
    for linked in (True, False):
        bpy.ops.object.select_all(action="DESELECT")
        for thing in (car.rig, *car.meshes):
            thing.select_set(True)
        bpy.context.view_layer.objects.active = car.rig
        bpy.ops.object.duplicate(linked=linked)
        twin = bpy.context.view_layer.objects.active
        twin.location.x += 30
        drive_car(twin, course())
        wheels = [thing for thing in bpy.context.selected_objects if thing.name.startswith("wheel_rear_left")]
        before = np.array(wheels[0].matrix_world)
        bpy.context.scene.frame_set(100)
        graph = bpy.context.evaluated_depsgraph_get()
        assert not np.allclose(wheels[0].evaluated_get(graph).matrix_world, before)
        assert np.allclose(
            np.array(car.wheels["wheel_rear_left"].evaluated_get(graph).matrix_world)[:3, 3], np.array(START) + hub(car), atol=1e-4
        )
        stop_driving(twin)


def hub(car: CarObjects) -> np.ndarray:
    return np.array(hub_centres(car.rig)["wheel_rear_left"])


def test_save_append_and_reload_keep_the_drive(car: CarObjects, tmp_path: Path) -> None:
    driven = drive_car(car.rig, course())
    before = played(car, 120, 120)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "drive.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "drive.blend"), link=False) as (there, here):
        here.collections = [name for name in there.collections if name.startswith("Car")]
    bpy.context.scene.collection.children.link(here.collections[0])
    bpy.context.scene.render.fps = 24
    bpy.context.scene.frame_set(120)
    graph = bpy.context.evaluated_depsgraph_get()
    for name, matrices in before.items():
        assert np.allclose(bpy.data.objects[name].evaluated_get(graph).matrix_world, matrices[0], atol=1e-5), name
    assert driven.last_frame > 120


def test_sliders_and_another_photo_leave_a_drive_that_can_be_driven_again(car: CarObjects, tmp_path: Path) -> None:
    car.rig.imago_drive.curve = add_eight()
    bpy.context.view_layer.objects.active = car.rig
    bpy.ops.imago.drive("EXEC_DEFAULT")
    assert not is_stale(car.rig)
    place_hubs(car.rig, {"wheel_front_left": (0.8, -1.5, 0.35), "wheel_front_right": (-0.8, -1.5, 0.35)}, {"wheel_front_left": 0.35})
    assert is_stale(car.rig)
    bpy.context.scene.frame_set(1)
    car.rig["steer"] = 0.3  # not keyed by anybody but the drive; the steering's own law is what is looked at
    stop_driving(car.rig)
    car.rig["steer"] = 0.3
    car.rig.update_tag()
    seen = played(car, 1, 1)["wheel_front_left"][0]
    assert math.atan2(seen[1, 0], seen[0, 0]) == pytest.approx(ackermann(0.3, hub_centres(car.rig), "wheel_front_left"), abs=1e-4)
    update_car(car.rig, template_car(), write_png(tmp_path / "photo.png", template_car().texture.photo_srgb01))
    bpy.ops.imago.drive("EXEC_DEFAULT")
    driven_to = int(drive_action(car.rig).frame_range[1])
    turns = curves_of(drive_action(car.rig)).find('["turn_rear_left"]').evaluate(driven_to)
    asset = template_car("suv")
    update_car(car.rig, asset, write_png(tmp_path / "photo.png", asset.texture.photo_srgb01))
    assert drive_action(car.rig) is not None and is_stale(car.rig)
    assert drive_again(car.rig) == () and not is_stale(car.rig)
    wheel = curves_of(drive_action(car.rig)).find('["turn_rear_left"]')
    ratio = template_car().wheels[0].radius_m / asset.wheels[0].radius_m
    assert wheel.evaluate(driven_to) == pytest.approx(turns * ratio, rel=0.01) and ratio != pytest.approx(1, abs=0.02)
    bpy.data.objects.remove(car.rig.imago_drive.curve)
    update_car(car.rig, template_car(), write_png(tmp_path / "photo.png", asset.texture.photo_srgb01))
    assert "still that of the old wheels: no path is chosen" in drive_again(car.rig)[0]
    assert drive_action(car.rig) is not None
