"""What Blender calls when a field or slider of the panel moves.

Blender 4.2 never lets go of the callbacks of a class that goes.  After an upgrade they would hold the old package, and if one of its
modules holds bpy, the bpy module never ends; so this one imports inside its functions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def chosen(inputs: Any, context: Any) -> None:
    """A photo was chosen, so a car will be wanted; which of its cars, and of what kind, is not known yet."""
    from .warm_worker import start_early

    inputs.which, inputs.box, inputs.body_type = 0, (0, 0, 0, 0), "AUTO"
    start_early()


def getter(name: str) -> Callable[[Any], float]:
    """Reads a measure of the car that a group of sliders belongs to; 0 where it has none."""

    def read(group: Any) -> float:
        from .scene.reshape import measures_of

        return measures_of(group.id_data).get(name, 0.0)

    return read


def setter(name: str) -> Callable[[Any, float], None]:
    """Moves a measure; what stands against it is shown in the panel."""

    def move(group: Any, value: float) -> None:
        from ..core.errors import UserInputError
        from ..core.messages import problem_of
        from .scene.reshape import measures_of, set_measure
        from .session import SESSION

        rig = group.id_data
        if name not in measures_of(rig):
            return  # no measure of this car
        try:
            set_measure(rig, name, value)
        except UserInputError as error:
            SESSION.problem = problem_of(error)

    return move


def ground_chosen(settings: Any, context: Any) -> None:
    """The wheels' sensors look for another ground."""
    from .rig.mechanism import set_ground

    if settings.id_data.type == "ARMATURE":
        set_ground(settings.id_data, settings.ground)


def is_curve(settings: Any, thing: Any) -> bool:
    """Only curves can be followed."""
    return thing.type == "CURVE"


def is_mesh(settings: Any, thing: Any) -> bool:
    """Only meshes can be driven on, and no part of the car itself."""
    return thing.type == "MESH" and "imago_role" not in thing
