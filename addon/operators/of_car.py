"""What operators on a standing car have in common."""

from __future__ import annotations

import bpy

from ..scene.find import find_rig
from .polls import car_selected, in_object_mode


class OfCar(bpy.types.Operator):
    """Works on the car that the active object belongs to."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return car_selected(cls, context) and in_object_mode(cls, context)

    def _rig(self, context: bpy.types.Context) -> bpy.types.Object:
        """poll() made sure that there is one."""
        return find_rig(context.active_object)

    def _fail(self, problem: Exception | str) -> set[str]:
        sentence = str(problem)
        self.report({"ERROR"}, sentence[0].upper() + sentence[1:])
        return {"CANCELLED"}
