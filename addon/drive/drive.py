"""Drive a car of the scene along a curve, or roll its wheels with the motion that it has: one action of keys on its rig."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from ...core.drive.chassis import Chassis
from ...core.drive.drive import Drive, DriveWish, drive_along, drive_as_moved
from ...core.drive.ride import Ride
from ...core.drive.rotation import euler_angles, rotation_matrices
from ...core.drive.suspension import Springs
from ...core.errors import Trouble, UserInputError
from ..rig.blinker import frame_rate, lay_out
from ..rig.bones import DRIFT, ROOT
from ..rig.properties import travel_property, turn_property
from ..rig.rig import chassis_of
from .actions import Channel, check_writable, clear, keyed_by_artist, write
from .curve import path_of
from .ground import heights_of

CHASSIS_KEY = "imago_drive_chassis"  # on the rig: the figures of the car for which the drive was made
MOVED = "imago_drive_moved"  # on the rig: whether the drive was made for the artist's own motion
BEFORE = "imago_drive_before"  # on the rig: what its channels held before, as JSON
KMH_A_M_S = 3.6


@dataclass(frozen=True)
class Course:
    """Where to drive and how: the curve, the mesh to drive on or None, the frame to begin at; wish.fps is the scene's frame rate."""

    curve: bpy.types.Object
    ground: bpy.types.Object | None
    first_frame: int
    wish: DriveWish
    lights: bool = True


@dataclass(frozen=True)
class Driven:
    """What a drive came to, frames inclusive, and what the artist should know."""

    first_frame: int
    last_frame: int
    top_km_h: float
    notices: tuple[str, ...]


def drive_car(rig: bpy.types.Object, course: Course) -> Driven:
    """Key the whole drive.  The rig object stays where it is; its root bone moves.

    Raises: UserInputError for what cannot be driven; then nothing is changed.
    """
    check_writable(rig)
    chassis, scale = _chassis(rig)
    path = path_of(course.curve)
    heights = heights_of(course.ground) if course.ground is not None else None
    found = drive_along(path, course.wish, chassis, heights)
    channels = _motion(rig, found.ride, scale) | _parts(found.ride, chassis, scale)
    stop_driving(rig)
    return _keyed(rig, found, course.first_frame, channels | (_lamps(found.ride) if course.lights else {}), moved=False)


def roll_along(
    rig: bpy.types.Object,
    first_frame: int,
    last_frame: int,
    springs: Springs,
    lights: bool,
    advance: Callable[[float], None] = lambda _: None,
) -> Driven:
    """Key wheels, steering, springs and lamps for the motion that the car has between two frames; what moves it stays untouched.

    advance(share01) is called as frames are looked at, and may raise to stop; then, too, an earlier drive is gone.
    Raises: UserInputError for what cannot be driven; then nothing is changed.
    """
    check_writable(rig)
    chassis, scale = _chassis(rig)
    if last_frame <= first_frame:
        raise UserInputError("one frame is no motion: choose a later end.", Trouble.SCENE)
    stop_driving(rig)
    origin, rotation = _sampled(rig, first_frame, last_frame, advance)
    found = drive_as_moved(origin, rotation, chassis, frame_rate(bpy.context.scene), springs)
    channels = _parts(found.ride, chassis, scale, ground=False)
    return _keyed(rig, found, first_frame, channels | (_lamps(found.ride) if lights else {}), moved=True)


def stop_driving(rig: bpy.types.Object) -> bool:
    """Take the drive away; True where there was one.  Car and switches are then as they were before it."""
    for key in (CHASSIS_KEY, MOVED):
        rig.pop(key, None)
    found = clear(rig)
    _restore(rig)
    return found


def is_stale(rig: bpy.types.Object) -> bool:
    """Whether the car has other wheels now than when its drive was made."""
    return CHASSIS_KEY in rig and not np.allclose(list(rig[CHASSIS_KEY]), _signature(chassis_of(rig)), atol=1e-5)


def _keyed(rig: bpy.types.Object, found: Drive, first_frame: int, channels: dict[Channel, np.ndarray], moved: bool) -> Driven:
    """Write the drive of a rig that has none."""
    twice = keyed_by_artist(rig, channels)
    _remember(rig, channels)
    write(rig, first_frame, channels)
    rig[CHASSIS_KEY], rig[MOVED] = _signature(chassis_of(rig)), moved
    lay_out(rig, bpy.context.scene)
    rig.update_tag()
    notices = found.notices
    if twice:
        notices += (f"Your own keys hold {', '.join(twice)}; there the drive does not show.",)
    return Driven(first_frame, first_frame + len(found.ride) - 1, KMH_A_M_S * found.top_m_s, notices)


def _chassis(rig: bpy.types.Object) -> tuple[Chassis, float]:
    """The car in metres of the world, and the rig's scale."""
    scale = rig.matrix_world.to_scale()
    if max(scale) - min(scale) > 1e-4 * max(scale) or min(scale) <= 0:
        raise UserInputError(f"{rig.name} is stretched: give it the same scale along X, Y and Z.", Trouble.SCENE)
    plain = chassis_of(rig)
    size = float(sum(scale) / 3)
    return Chassis(plain.names, plain.hubs_car * size, plain.radii_m * size, plain.steers), size


def _signature(chassis: Chassis) -> list[float]:
    return [*chassis.hubs_car.ravel().tolist(), *chassis.radii_m.tolist()]


def _motion(rig: bpy.types.Object, ride: Ride, scale: float) -> dict[Channel, np.ndarray]:
    """The root bone and the drift bone, in the rig object's frame."""
    back = np.array(rig.matrix_world.inverted())
    location = ride.origin_m @ back[:3, :3].T + back[:3, 3]
    rotation = euler_angles(scale * back[:3, :3] @ rotation_matrices(ride.rotation_rad))
    place, turn = f'pose.bones["{ROOT}"].location', f'pose.bones["{ROOT}"].rotation_euler'
    channels = {Channel(place, axis): location[:, axis] for axis in range(3)} | {
        Channel(turn, axis): rotation[:, axis] for axis in range(3)
    }
    if ride.drift_rad.any():
        channels[Channel(f'pose.bones["{DRIFT}"].rotation_euler', 2)] = ride.drift_rad
    return channels


def _parts(ride: Ride, chassis: Chassis, scale: float, ground: bool = True) -> dict[Channel, np.ndarray]:
    """What turns and moves on the car.  With `ground` the sensors rest: the drive has put the wheels on the ground already."""
    off = np.zeros(len(ride))
    figures = {"steer": ride.steer_rad, "heave": ride.sway.heave_m / scale, "pitch": ride.sway.pitch_rad, "roll": ride.sway.roll_rad,
               "wheel_turn": off, "auto_roll": off}  # fmt: skip
    for number, wheel in enumerate(chassis.names):
        figures[turn_property(wheel).name] = ride.spin_rad[:, number] / (2 * math.pi)
        if ground:
            figures[travel_property(wheel).name] = ride.travel_m[:, number] / scale
    if ground:
        figures["follow_ground"] = off
    return {Channel(f'["{name}"]'): values for name, values in figures.items()}


def _lamps(ride: Ride) -> dict[Channel, np.ndarray]:
    switches = ride.switches
    figures = {"brake": switches.brake, "reverse": switches.reverse, "indicator_left": switches.left, "indicator_right": switches.right}
    return {Channel(f'["{name}"]', steps=True): values for name, values in figures.items()}


def _remember(rig: bpy.types.Object, channels: Iterable[Channel]) -> None:
    """Keep what the channels hold before they are keyed: keys leave their last value behind."""
    rig[BEFORE] = json.dumps([(channel.path, channel.index, channel.value(rig)) for channel in channels])


def _restore(rig: bpy.types.Object) -> None:
    """Give every remembered channel its value back."""
    for path, index, value in json.loads(rig.pop(BEFORE, "[]")):
        Channel(path, index).put(rig, value)
    rig.update_tag()


def _sampled(rig: bpy.types.Object, first: int, last: int, advance: Callable[[float], None]) -> tuple[np.ndarray, np.ndarray]:
    """Where the car frame is at each frame: origin (F, 3) and rotation (F, 3, 3) in the world.  The scene's frame is as before."""
    scene = bpy.context.scene
    before, rows = scene.frame_current, []
    try:
        for frame in range(first, last + 1):
            scene.frame_set(frame)
            seen = rig.evaluated_get(bpy.context.evaluated_depsgraph_get())
            rows.append(seen.matrix_world @ seen.pose.bones[DRIFT].matrix @ seen.data.bones[DRIFT].matrix_local.inverted())
            advance((frame - first + 1) / (last - first + 1))
    finally:
        scene.frame_set(before)
    table = np.array([Matrix.normalized(matrix) for matrix in rows])
    return table[:, :3, 3], table[:, :3, :3]
