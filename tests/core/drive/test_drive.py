"""Driving without Blender: bends, speeds, rolling, ground, springs and lamps, each against what it claims."""

from __future__ import annotations

import numpy as np
import pytest

from imago.core.drive.chassis import LARGEST_STEER_RAD, Chassis, wheel_angle
from imago.core.drive.drive import Drive, DriveWish, drive_along, drive_as_moved
from imago.core.drive.ground import flat, stand
from imago.core.drive.path import Path, path_through
from imago.core.drive.ride import MOMENTS
from imago.core.drive.rotation import euler_angles, rotation_matrices
from imago.core.drive.speed import SpeedWish, in_time, timetable
from imago.core.drive.suspension import Springs, sway
from imago.core.errors import UserInputError

CHASSIS = Chassis(
    ("wheel_front_left", "wheel_front_right", "wheel_rear_left", "wheel_rear_right"),
    np.array([[0.76, -1.35, 0.32], [-0.76, -1.35, 0.32], [0.74, 1.35, 0.33], [-0.74, 1.35, 0.33]]),
    np.array([0.32, 0.32, 0.33, 0.33]),
    np.array([True, True, False, False]),
)
FPS = 24.0


def eight(size_m: float = 20.0) -> Path:
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    return path_through(np.stack([size_m * np.sin(t), 0.6 * size_m * np.sin(2 * t), 0 * t], 1), True)


def circle(radius_m: float, closed: bool = True, turns: float = 1.0) -> Path:
    t = np.linspace(0, 2 * np.pi * turns, 2000, endpoint=not closed)
    return path_through(radius_m * np.stack([np.sin(t), 1 - np.cos(t), 0 * t], 1), closed)


def straight(length_m: float) -> Path:
    return path_through(np.stack([np.linspace(0, length_m, 50), np.zeros(50), np.zeros(50)], 1), False)


def wheels_of(drive: Drive) -> tuple[np.ndarray, np.ndarray]:
    """Hubs (F, W, 3) and rolling directions (F, W, 3) of every frame in the world, from the keys alone."""
    ride = drive.ride
    turned = rotation_matrices(ride.rotation_rad)
    cosine, sine, none = np.cos(ride.drift_rad), np.sin(ride.drift_rad), np.zeros(len(ride))
    turned = turned @ np.moveaxis(np.array([[cosine, -sine, none], [sine, cosine, none], [none, none, none + 1]]), 2, 0)
    hubs, ways = [], []
    for number, hub in enumerate(CHASSIS.hubs_car):
        angle = wheel_angle(ride.steer_rad, hub[0], CHASSIS.wheelbase_m) if CHASSIS.steers[number] else none
        raised = hub + np.stack([none, none, ride.travel_m[:, number]], 1)
        hubs.append(ride.origin_m + np.einsum("fij,fj->fi", turned, raised))
        ways.append(np.einsum("fij,fj->fi", turned, np.stack([np.sin(angle), -np.cos(angle), none], 1)))
    return np.stack(hubs, 1), np.stack(ways, 1)


def slips_m(drive: Drive) -> np.ndarray:
    """(F - 1, W) how far each hub went sideways to its wheel from one frame to the next."""
    hubs, ways = wheels_of(drive)
    step, way = np.diff(hubs, axis=0), ways[1:] + ways[:-1]
    way /= np.linalg.norm(way, axis=2, keepdims=True)
    return np.linalg.norm(step - (step * way).sum(2, keepdims=True) * way, axis=2)


@pytest.mark.parametrize("backwards", [False, True])
def test_on_a_figure_of_eight_every_wheel_rolls_and_none_slips(backwards: bool) -> None:
    drive = drive_along(eight(), DriveWish(SpeedWish(14.0), FPS, backwards=backwards, laps=2), CHASSIS, None)
    hubs, _ = wheels_of(drive)
    ways = np.linalg.norm(np.diff(hubs, axis=0), axis=2).sum(0)
    rolled = drive.ride.spin_rad[-1] * CHASSIS.radii_m
    assert np.sign(rolled).tolist() == [-1.0 if backwards else 1.0] * 4
    assert np.allclose(np.abs(rolled), ways, rtol=1e-3)
    assert slips_m(drive).max() < 1e-3
    assert np.ptp(np.abs(drive.ride.speed_m_s)) > 5  # or the claim says nothing about a varying speed
    assert not drive.notices


def test_the_rear_axle_keeps_to_the_path() -> None:
    path = eight()
    drive = drive_along(path, DriveWish(SpeedWish(10.0), FPS), CHASSIS, None)
    hubs, _ = wheels_of(drive)
    rear = hubs[:, 2:].mean(1)
    away = np.linalg.norm(rear[:, None, :2] - path.points_m[None, :, :2], axis=2).min(1)
    assert away.max() < 0.08


def test_normals_of_the_wheels_meet_on_the_rear_axle() -> None:
    for steer in np.radians([-34.0, -10.0, 3.0, 25.0]):
        turning_x = CHASSIS.wheelbase_m / np.tan(steer)
        for hub in CHASSIS.hubs_car[:2]:
            angle = float(wheel_angle(np.array(steer), hub[0], CHASSIS.wheelbase_m))
            normal, to_point = np.array([np.cos(angle), np.sin(angle)]), np.array([turning_x - hub[0], CHASSIS.rear_axle_y_m - hub[1]])
            assert abs(np.cross(normal, to_point / np.linalg.norm(to_point))) < 1e-9


def test_steering_on_a_circle_is_the_circles() -> None:
    drive = drive_along(circle(12.0), DriveWish(SpeedWish(6.0), FPS), CHASSIS, None)
    middle = drive.ride.steer_rad[len(drive.ride) // 2]
    assert middle == pytest.approx(np.arctan(CHASSIS.wheelbase_m / 12.0), rel=0.01)
    back = drive_along(circle(12.0), DriveWish(SpeedWish(6.0), FPS, backwards=True), CHASSIS, None)
    assert back.ride.steer_rad[len(back.ride) // 2] == pytest.approx(-middle, rel=0.01)


def test_too_tight_a_bend_is_cut_and_said_and_still_nothing_slips() -> None:
    drive = drive_along(circle(2.0), DriveWish(SpeedWish(3.0), FPS), CHASSIS, None)
    assert np.abs(drive.ride.steer_rad).max() <= LARGEST_STEER_RAD + 1e-9
    assert slips_m(drive).max() < 1e-3
    assert len(drive.notices) == 1 and "this car turns within 3.9 m" in drive.notices[0]


def test_corners_of_a_polygon_become_bends() -> None:
    corner = np.array([[0, 0, 0], [20, 0, 0], [20, 20, 0.0]])
    line = np.concatenate([np.linspace(a, b, 100, endpoint=False) for a, b in zip(corner[:-1], corner[1:], strict=True)])
    slips = slips_m(drive_along(path_through(line, False), DriveWish(SpeedWish(8.0), FPS), CHASSIS, None))
    assert slips.max() < 2e-3, np.argmax(slips.max(1))


def test_speed_keeps_to_the_wish() -> None:
    wish = SpeedWish(20.0, acceleration_m_s2=3.0, braking_m_s2=5.0, lateral_m_s2=4.0)
    table = timetable(eight(30.0), wish)
    gain = np.diff(table.speed_m_s**2) / (2 * np.diff(table.along_m))
    assert gain.max() < 3.0 + 1e-6 and gain.min() > -5.0 - 1e-6
    curvature = np.append(eight(30.0).curvature_per_m, eight(30.0).curvature_per_m[:1])
    assert (table.speed_m_s**2 * np.abs(curvature)).max() < 4.0 + 1e-6
    assert table.speed_m_s.max() < 20.0 + 1e-9 and table.speed_m_s[[0, -1]].max() < 0.1


def test_a_straight_takes_the_time_of_the_schoolbook() -> None:
    table = timetable(straight(100.0), SpeedWish(10.0, acceleration_m_s2=2.0, braking_m_s2=4.0))
    assert table.duration_s == pytest.approx(5.0 + 2.5 + (100 - 25 - 12.5) / 10, abs=0.15)
    along = table.along_at(np.array([0.0, 4.0, table.duration_s]))
    assert along == pytest.approx([0.0, 16.0, 100.0], abs=0.3)


def test_between_two_frames_it_arrives_in_time() -> None:
    path = eight()
    for frames in (600, 1000):
        drive = drive_along(path, DriveWish(SpeedWish(1.0), FPS, frames=frames), CHASSIS, None)
        assert len(drive.ride) == frames + 1
        hubs, _ = wheels_of(drive)
        assert np.linalg.norm(hubs[-1, 2:].mean(0)[:2] - path.points_m[0, :2]) < 0.3
    with pytest.raises(UserInputError, match="it takes .* s at least"):
        in_time(path, SpeedWish(1.0), 3.0)


def wavy(places: np.ndarray, _near: np.ndarray) -> np.ndarray:
    return 0.25 * np.sin(places[:, 0] / 2.2) * np.cos(places[:, 1] / 3.1) + 0.05 * places[:, 0]


def test_wheels_stand_on_wavy_ground() -> None:
    drive = drive_along(eight(), DriveWish(SpeedWish(9.0), FPS), CHASSIS, wavy)
    hubs, ways = wheels_of(drive)
    for number, radius in enumerate(CHASSIS.radii_m):
        turn = np.linspace(-1.2, 1.2, 121)
        down = np.array([0, 0, -1.0])
        rim = hubs[:, number, None] + radius * (np.sin(turn)[None, :, None] * ways[:, number, None] + np.cos(turn)[None, :, None] * down)
        gap = (rim[..., 2] - wavy(rim.reshape(-1, 3)[:, :2], np.zeros(1)).reshape(rim.shape[:2])).min(1)
        assert np.abs(gap).max() < 5e-3
    assert np.abs(drive.ride.travel_m).max() > 0.005  # the ground is no plane for the four of them


def test_a_slope_pitches_and_rolls_the_car() -> None:
    yaw = np.radians([0.0, 90.0, 180.0, -90.0])
    stance = stand(np.zeros((4, 2)), yaw, np.zeros(4), CHASSIS, lambda places, near: 0.1 * places[:, 1])
    up = rotation_matrices(stance.rotation_rad)[:, :, 2]
    assert np.allclose(up, np.array([0, -0.1, 1]) / np.hypot(0.1, 1), atol=2e-3)
    assert np.allclose(stand(np.zeros((4, 2)), yaw, np.zeros(4), CHASSIS, flat(0.7)).origin_m[:, 2], 0.7)


def test_missing_ground_is_said() -> None:
    cliff = lambda places, near: np.where(places[:, 0] < 10, 0.0, np.nan)  # noqa: E731
    drive = drive_along(straight(40.0), DriveWish(SpeedWish(9.0), FPS), CHASSIS, cliff)
    assert any("no ground under the car" in notice for notice in drive.notices)
    assert np.isfinite(drive.ride.origin_m).all()


def test_a_path_uphill_carries_the_car_without_a_ground() -> None:
    line = np.stack([np.linspace(0, 40, 200), np.zeros(200), np.linspace(0, 4, 200)], 1)
    drive = drive_along(path_through(line, False), DriveWish(SpeedWish(9.0), FPS), CHASSIS, None)
    nose = -rotation_matrices(drive.ride.rotation_rad)[:, :, 1]
    assert np.allclose(nose[20:-20, 2], np.sin(np.arctan(0.1)), atol=2e-3)


def test_brakes_shine_at_exactly_the_frames_that_slow_down() -> None:
    drive = drive_along(eight(), DriveWish(SpeedWish(14.0), FPS, laps=2), CHASSIS, None)
    hubs, _ = wheels_of(drive)
    pace = np.linalg.norm(np.diff(hubs[:, 2:].mean(1), axis=0), axis=1)
    slowing = np.append(np.diff(pace), 0.0) < -0.2 * 0.05 / FPS**2
    brake = drive.ride.switches.brake[: len(slowing)]
    assert 0.2 < brake.mean() < 0.8
    assert (brake != slowing).mean() < 0.02  # chords against arcs differ where the speed hardly changes
    assert not drive_along(straight(60.0), DriveWish(SpeedWish(8.0, to_standing=False), FPS), CHASSIS, None).ride.switches.brake.any()


def test_indicators_come_before_the_bend_on_its_side_and_end_with_it() -> None:
    line = np.concatenate([
        np.stack([np.linspace(0, 40, 100, endpoint=False), np.zeros(100)], 1),
        [(40 + 12 * np.sin(a), 12 - 12 * np.cos(a)) for a in np.linspace(0, np.pi / 2, 60, endpoint=False)],
        np.stack([np.full(100, 52.0), np.linspace(12, 60, 100)], 1),
    ])  # fmt: skip
    path = path_through(np.concatenate([line, np.zeros((len(line), 1))], 1), False)
    drive = drive_along(path, DriveWish(SpeedWish(8.0), FPS), CHASSIS, None)
    left = np.flatnonzero(drive.ride.switches.left)
    assert not drive.ride.switches.right.any() and len(left) == left[-1] - left[0] + 1
    at = drive.ride.origin_m
    assert at[left[0], 0] < 34 and at[left[-1], 1] > 8 and at[left[-1], 1] < 18
    mirrored = path_through(np.concatenate([line * [1, -1], np.zeros((len(line), 1))], 1), False)
    other = drive_along(mirrored, DriveWish(SpeedWish(8.0), FPS), CHASSIS, None).ride.switches
    assert np.array_equal(other.right, drive.ride.switches.left) and not other.left.any()


def test_reversing_lights_shine_while_backing() -> None:
    drive = drive_along(straight(20.0), DriveWish(SpeedWish(3.0), FPS, backwards=True), CHASSIS, None)
    backing = drive.ride.speed_m_s < -0.1
    assert backing.sum() > 50 and drive.ride.switches.reverse[backing].all()
    assert not drive_along(straight(20.0), DriveWish(SpeedWish(3.0), FPS), CHASSIS, None).ride.switches.reverse.any()


def test_the_body_dives_squats_and_leans_outwards() -> None:
    drive = drive_along(straight(60.0), DriveWish(SpeedWish(12.0, 4.0, 6.0), FPS), CHASSIS, None)
    speed, pitch = drive.ride.speed_m_s, drive.ride.sway.pitch_rad
    change = np.gradient(speed)
    assert pitch[np.argmin(change) + 4] > 0.01 and pitch[np.argmax(change) + 4] < -0.005  # nose down while braking
    lean = drive_along(circle(15.0, False, 0.9), DriveWish(SpeedWish(7.0), FPS), CHASSIS, None).ride.sway.roll_rad
    assert lean[len(lean) // 2] < -0.01  # in a bend to the left the right side goes down
    plank = drive_along(circle(15.0, False, 0.9), DriveWish(SpeedWish(7.0), FPS, springs=Springs(0.0)), CHASSIS, None).ride.sway
    assert not plank.roll_rad.any() and not plank.pitch_rad.any()


def test_springs_ring_at_their_frequency_and_settle() -> None:
    step_s, count = 1 / 400, 4000
    bump = np.where(np.arange(count) < 200, 0.0, 0.02)
    heave = sway(bump, np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count), step_s, Springs(1.0, 2.0, 0.1)).heave_m
    crossings = np.flatnonzero(np.diff(np.sign(heave[210:1400])))
    assert 0.5 / (np.diff(crossings).mean() * step_s) == pytest.approx(2.0 * np.sqrt(1 - 0.01), rel=0.03)
    assert abs(heave[-1]) < 1e-4 and np.abs(heave).max() > 0.01


def test_a_drift_swings_the_tail_out_and_only_when_asked() -> None:
    drive = drive_along(circle(12.0, False, 0.9), DriveWish(SpeedWish(9.0, lateral_m_s2=0), FPS, drift_rad=0.4), CHASSIS, None)
    middle = len(drive.ride) // 2
    assert drive.ride.drift_rad[middle] == pytest.approx(0.4, abs=0.02)
    assert drive.ride.steer_rad[middle] < -0.05  # counter-steering
    assert slips_m(drive)[middle, :2].max() < 0.02 < slips_m(drive)[middle, 2:].min()


def test_a_moved_car_rolls_as_if_it_drove() -> None:
    driven = drive_along(eight(), DriveWish(SpeedWish(9.0), FPS), CHASSIS, None).ride
    moved = drive_as_moved(driven.origin_m, rotation_matrices(driven.rotation_rad), CHASSIS, FPS, Springs()).ride
    assert np.allclose(moved.spin_rad[-1], driven.spin_rad[-1], rtol=2e-3)
    inner = slice(10, -10)
    assert np.abs(moved.steer_rad - driven.steer_rad)[inner].max() < 0.02
    with pytest.raises(UserInputError, match="one frame is no motion"):
        drive_as_moved(driven.origin_m[:1], np.eye(3)[None], CHASSIS, FPS, Springs())


def test_what_cannot_be_driven_is_said() -> None:
    with pytest.raises(UserInputError, match="path is only 0.10 m long"):
        path_through(np.array([[0, 0, 0], [0.1, 0, 0]]), False)
    with pytest.raises(UserInputError, match="choose a speed up to 540 km/h"):
        SpeedWish(0.0)
    with pytest.raises(ValueError, match="4 of 4 wheels steer"):
        Chassis(CHASSIS.names, CHASSIS.hubs_car, CHASSIS.radii_m, np.ones(4, bool))


def test_angles_and_matrices_say_the_same() -> None:
    turn = np.linspace(0, 9 * np.pi, 200)
    angles = np.stack([0.3 * np.sin(turn), 0.4 * np.cos(turn), turn], 1)
    assert np.allclose(euler_angles(rotation_matrices(angles)), angles)
    left = rotation_matrices(np.array([[0.0, 0.0, np.pi / 2]]))[0] @ [0, -1, 0]
    assert np.allclose(left, [1, 0, 0]), "a nose at -Y points to +X after a quarter turn"


def test_moments_are_whole_frames() -> None:
    drive = drive_along(straight(30.0), DriveWish(SpeedWish(7.0), FPS), CHASSIS, None)
    assert len(drive.ride.spin_rad) == len(drive.ride) and MOMENTS > 1
    assert drive.ride.spin_rad[0].tolist() == [0.0] * 4
