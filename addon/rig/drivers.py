"""Drivers without Python expressions, so that a file works where scripts are not trusted."""

from __future__ import annotations

import bpy


def drive(
    target: bpy.types.bpy_struct, path: str, index: int, source: bpy.types.Object, properties: tuple[str, ...], gain: float = 1.0
) -> None:
    """Make target.path[index] = gain * the largest of the named custom properties of `source`; index -1 for a single value."""
    curve = target.driver_add(path, index) if index >= 0 else target.driver_add(path)
    while curve.modifiers:  # up to 4.5 Blender adds a generator of its own accord, from 5.0 it does not
        curve.modifiers.remove(curve.modifiers[0])
    if gain != 1.0:
        line = curve.modifiers.new("GENERATOR")
        line.poly_order, line.coefficients = 1, (0.0, gain)
    driver = curve.driver
    driver.type = "MAX" if len(properties) > 1 else "AVERAGE"
    for name in properties:
        variable = driver.variables.new()
        variable.name, variable.type = name, "SINGLE_PROP"
        variable.targets[0].id_type, variable.targets[0].id = "OBJECT", source
        variable.targets[0].data_path = f'["{name}"]'
