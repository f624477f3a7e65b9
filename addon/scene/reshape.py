"""The measures of a finished car as sliders: the template is evaluated here, with numpy, and the meshes move by the difference.

With the car are kept, so that sliders work after saving, appending and undo, without worker and run folder:
    on the rig      imago_measures (now), imago_base (as read from the photo), imago_ranges, imago_template (the topology's key)
    on each mesh    imago_template: body, wheel_left or wheel_right; and for every vertex .imago_vertex, its number in the template, and
                    .imago_home, its place there at the measures as read from the photo, and .imago_offset, how far from there the
                    shape space put it; a slider stretches the offset with the car's size (see core/car/reshape.py)
Since meshes move by differences, what an artist sculpted stays.  Vertices that he added move like the surface they were made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import bpy
import numpy as np

from ...core.car.measure_table import INDEX, NAMES, to_array
from ...core.car.parts import LIGHT_KINDS, base_name, rename_for
from ...core.car.reshape import Reshape, reshaped, stretch, template_key
from ...core.car.skeleton import body_vertices, skeleton
from ...core.car.soundness import FOLDED_SHARE, Soundness
from ...core.car.wheels import WHEEL_NAMES, wheel_centres, wheel_vertices
from ...core.errors import Trouble, UserInputError
from ..rig.beams import place_beams
from ..rig.rig import hub_centres, place_hubs
from .find import car_objects, find_rig
from .mesh_moves import BODY, TEMPLATE, WHEELS, mark, mesh_of, move, template_offset
from .scene import CarObjects

MEASURES, BASE, RANGES = "imago_measures", "imago_base", "imago_ranges"
DIMENSIONS = {"wheelbase": "imago_wheelbase", "track": "imago_track", "wheel_radius": "imago_wheel_radius"}  # for drivers to read
TRIES = 4  # places between here and there at which to stop before the body folds; then as many between two of those
ALL_FOLDED_SHARE = 4 * FOLDED_SHARE  # what several measures at their limits may fold together
SAME = 1e-7


def wake() -> None:
    """Compute what all cars share; otherwise the first that needs it waits for it."""
    template_key()
    skeleton()


def prepare(reshape: Reshape) -> None:
    """Compute what keep() will need, while nobody waits for a car."""
    _shape(to_array(reshape.base))
    _faces_of_parts(reshape.body_type)


def keep(car: CarObjects, reshape: Reshape) -> None:
    """Store what the sliders need with a car whose meshes are as build_car or update_car left them.

    Raises: ValueError where the meshes are not this template's in the shape of reshape.base.
    """
    if reshape.template_key != template_key():
        raise ValueError("the car was made with another version of the template")
    base = to_array(reshape.base)
    shape = _shape(base)
    for thing, faces in _body_objects(car, reshape.body_type):
        used = np.unique(skeleton().quads[faces])
        mark(mesh_of(thing), BODY, used, shape.places[BODY][used], reshape.offset_m[used])
    for thing in car.wheels.values():
        side = "wheel_left" if thing["imago_role"].endswith("left") else "wheel_right"
        mark(mesh_of(thing), side, np.arange(len(shape.places[side])), shape.places[side], np.zeros_like(shape.places[side]))
    rig = car.rig
    rig[BASE] = dict(reshape.base)
    rig[RANGES] = {name: list(ends) for name, ends in reshape.ranges.items()}
    rig[TEMPLATE] = str(reshape.template_key)
    _write(rig, base)


def measures_of(rig: bpy.types.Object) -> dict[str, float]:
    """The measures that can be moved, by name, as they are now; empty for a car that was made without sliders."""
    if MEASURES not in rig or RANGES not in rig:
        return {}
    now = rig[MEASURES]
    return {name: now[name] for name in rig[RANGES].keys()}


def measure_range(rig: bpy.types.Object, name: str) -> tuple[float, float]:
    """How far a measure may go at most; set_measure may stop before.  Raises KeyError for one that cannot be moved."""
    low, high = rig[RANGES][name]
    return low, high


def set_measure(rig: bpy.types.Object, name: str, value: float) -> float:
    """Move one measure: body, lamps, wheels and hubs follow.  Returns the value it got.

    It stays in its range, and stops where the body would fold over with the other measures as they are now.
    Raises: UserInputError where the car cannot be reshaped as it is; KeyError for a measure that cannot be moved.
    """
    low, high = measure_range(rig, name) if RANGES in rig else (value, value)
    now = _now(rig)
    wanted = now.copy()
    wanted[INDEX[name]] = min(max(value, low), high)
    if abs(wanted[INDEX[name]] - now[INDEX[name]]) < SAME:
        return float(now[INDEX[name]])
    meshes, base = _meshes(rig), to_array(rig[BASE].to_dict())
    bodies = [mesh for mesh in meshes if mesh[TEMPLATE] == BODY]
    wanted = _furthest_sound(_Body(base, template_offset(bodies, _shape(base).places[BODY])), now, wanted, INDEX[name])
    _reshape(rig, meshes, now, wanted)
    return float(wanted[INDEX[name]])


def reset(rig: bpy.types.Object) -> None:
    """Back to the measures that were read from the photo.  Raises: UserInputError where the car cannot be reshaped as it is."""
    now = _now(rig)
    _reshape(rig, _meshes(rig), now, to_array(rig[BASE].to_dict()))


class _Shape:
    """The template at some measures (P,): `places` by kind of mesh, each (V, 3), wheels in their hub's frame; `hubs` by wheel."""

    def __init__(self, measures: np.ndarray) -> None:
        one = measures[None]
        wheel = wheel_vertices(one[:, INDEX["wheel_radius"]], one[:, INDEX["tyre_width"]])[0]
        self.places = {BODY: body_vertices(one)[0], **{kind: wheel * [sign, 1, 1] for kind, sign in WHEELS.items()}}
        self.hubs = dict(zip(WHEEL_NAMES, wheel_centres(one)[0].tolist(), strict=True))


@dataclass(frozen=True)
class _Body:
    """A car's body as read from the photo: its measures (P,) and its offset (V, 3) from the template."""

    base: np.ndarray
    offset_m: np.ndarray

    def at(self, measures: np.ndarray) -> np.ndarray:
        """(B, P) measures -> (B, V, 3)."""
        return reshaped(measures, self.base, self.offset_m)

    def sound(self) -> Soundness:
        key = self.base.tobytes() + self.offset_m.tobytes()
        if _Last.sound is None or _Last.sound[0] != key:
            _Last.sound = key, Soundness(self.base, self.offset_m)
        return _Last.sound[1]


class _Last:
    """What the previous call computed: a slider asks for the same car again and again."""

    sound: tuple[bytes, Soundness] | None = None
    shapes: dict[bytes, _Shape] = {}


def _shape(measures: np.ndarray) -> _Shape:
    key = measures.tobytes()
    if key not in _Last.shapes:
        if len(_Last.shapes) > 3:  # base, before, after
            _Last.shapes.pop(next(iter(_Last.shapes)))
        _Last.shapes[key] = _Shape(measures)
    return _Last.shapes[key]


def _now(rig: bpy.types.Object) -> np.ndarray:
    """(P,) the measures as they are.  Raises: UserInputError where there are none, or none that this version understands."""
    if MEASURES not in rig or BASE not in rig:
        raise UserInputError(f"{rig.name} was made without sliders; make it again from its photo.", Trouble.SCENE)
    if rig.get(TEMPLATE) != str(template_key()):
        raise UserInputError(f"{rig.name} was made with another version of Imago; update it from its photo.", Trouble.SCENE)
    return to_array(rig[MEASURES].to_dict())


def _furthest_sound(body: _Body, now: np.ndarray, wanted: np.ndarray, moved: int) -> np.ndarray:
    """The measures between now and wanted, as near to wanted as the body stays sound, or no worse than it is.

    Folds that other measures have made already do not hold up this one, the measure number `moved`.
    """
    sound = body.sound()
    if sound.folded_share(_shape(wanted).places[BODY][None] + body.offset_m * stretch(wanted[None], body.base))[0] <= FOLDED_SHARE:
        return wanted
    without = now.copy()
    without[moved] = body.base[moved]
    already = sound.folded_share(body.at(np.stack([without, now, wanted])))
    allowed = max(min(FOLDED_SHARE + already[0], ALL_FOLDED_SHARE), already[1])
    if already[2] <= allowed:
        return wanted
    good, bad = now, wanted
    for _ in range(2):
        shares = np.arange(1, TRIES + 1, dtype=np.float32)[:, None] / (TRIES + 1)
        between = np.concatenate([good[None], good + (bad - good) * shares, bad[None]])
        folded = sound.folded_share(body.at(between[1:-1])) > allowed
        first = int(np.argmax(folded)) if folded.any() else TRIES
        good, bad = between[first], between[first + 1]
    return good


def _reshape(rig: bpy.types.Object, meshes: set[bpy.types.Mesh], now: np.ndarray, wanted: np.ndarray) -> None:
    """Move every mesh and hub of the car."""
    at_base = to_array(rig[BASE].to_dict())
    base, before, after = _shape(at_base), _shape(now), _shape(wanted)
    stretched = (stretch(wanted[None], at_base) - stretch(now[None], at_base))[0, 0]
    for mesh in meshes:
        kind = mesh[TEMPLATE]
        change = after.places[kind] - before.places[kind]
        if np.abs(change).max() > 0:
            move(mesh, change, base.places[kind], stretched)
    _write(rig, wanted)
    place_beams(rig, car_objects(rig).lamps)


def _write(rig: bpy.types.Object, measures: np.ndarray) -> None:
    """Measures, dimensions and hubs on the rig."""
    rig[MEASURES] = {name: float(value) for name, value in zip(NAMES, measures, strict=True)}
    figures = {name: float(measures[INDEX[name]]) for name in ("wheelbase", "wheel_radius")}
    figures["track"] = float(measures[INDEX["width"]] * measures[INDEX["track_ratio"]])
    for name, key in DIMENSIONS.items():
        rig[key] = figures[name]
    there = hub_centres(rig)
    hubs = {wheel: centre for wheel, centre in _shape(measures).hubs.items() if wheel in there}
    place_hubs(rig, hubs, dict.fromkeys(hubs, figures["wheel_radius"]))
    rig.update_tag()


def _things(rig: bpy.types.Object) -> list[bpy.types.Object]:
    """The objects of the car whose meshes follow the template, hidden ones too."""
    near = {thing for collection in rig.users_collection for thing in collection.all_objects} | set(rig.children_recursive)
    return [thing for thing in near if thing.type == "MESH" and TEMPLATE in thing.data and find_rig(thing) == rig]


def _meshes(rig: bpy.types.Object) -> set[bpy.types.Mesh]:
    """The meshes of those objects.  Raises: UserInputError where one of them must not or cannot be changed now."""
    things = _things(rig)
    _refuse(rig, things)
    return {mesh_of(thing) for thing in things}


def _refuse(rig: bpy.types.Object, things: list[bpy.types.Object]) -> None:
    """Raises: UserInputError where a mesh of the car must not or cannot be changed now."""
    if rig.library or rig.override_library or any(thing.data.library or thing.data.override_library for thing in things):
        raise UserInputError(f"{rig.name} is linked from another file; make it local, or reshape it in its own file.", Trouble.SCENE)
    for thing in things:
        if thing.mode in {"EDIT", "SCULPT"} or thing.data.is_editmode:
            raise UserInputError(f"{thing.name} is being edited; go back to Object Mode to reshape the car.", Trouble.SCENE)
        here = sum(other.data == thing.data for other in things)
        if thing.data.users - thing.data.use_fake_user > here:
            sentence = "shares its mesh with another object; choose Object > Relations > Make Single User > Object & Data to reshape it."
            raise UserInputError(f"{thing.name} {sentence}", Trouble.SCENE)


def _body_objects(car: CarObjects, body_type: str) -> list[tuple[bpy.types.Object, np.ndarray]]:
    """Body and lamps, each with the template's faces that it was made of.  Raises: ValueError."""
    of_part = _faces_of_parts(body_type)
    lamps = [(thing, of_part.get(part, np.zeros(0, np.int64))) for part, thing in car.lamps.items()]
    # also where a lamp's object was deleted
    shell = np.sort(np.concatenate([faces for part, faces in of_part.items() if LIGHT_KINDS.get(base_name(part)) is None]))
    return [*([(car.body, shell)] if car.body else []), *lamps]


@cache
def _faces_of_parts(body_type: str) -> dict[str, np.ndarray]:
    """The template's faces by the part that they are of in this body type."""
    renamed = rename_for(body_type)
    plain = [name.replace("SIDE", side) for side in ("left", "right") for name in skeleton().faces.part]
    names = np.array([renamed.get(name, name) for name in plain])
    order = np.argsort(names, kind="stable")
    parts, first = np.unique(names[order], return_index=True)
    return dict(zip(parts.tolist(), np.split(order, first[1:]), strict=True))
