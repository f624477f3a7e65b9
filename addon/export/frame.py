"""From the car frame to the axes and the unit of a file, as far as Blender's exporters leave it to us."""

from __future__ import annotations

import math

from mathutils import Matrix, Vector

from .presets import Axes

_AXES = {"+X": Vector((1, 0, 0)), "-Y": Vector((0, -1, 0)), "+Z": Vector((0, 0, 1))}
UPRIGHT = Matrix(((1, 0, 0, 0), (0, 0, 1, 0), (0, -1, 0, 0), (0, 0, 0, 1)))  # +Z up to +Y up: (x, y, z) -> (x, z, -y)


def basis_of(format: str, axes: Axes) -> Matrix:
    """Turns the nose from -Y to where the file wants it and scales metres to its unit.

    glTF with its +Y up is turned upright by the exporter, FBX by us: Blender's would leave a quarter turn in the nodes.
    """
    nose = _AXES[axes.forward]
    if axes.up == "Y":
        nose = UPRIGHT.inverted().to_3x3() @ nose
    about_z = Matrix.Rotation(math.atan2(nose.y, nose.x) + math.pi / 2, 4, "Z")
    upright = UPRIGHT if axes.up == "Y" and format == "FBX" else Matrix()
    return Matrix.Scale(1 / axes.unit_m, 4) @ upright @ about_z


def is_same(basis: Matrix) -> bool:
    """Whether nothing has to be turned or scaled."""
    return all(abs(basis[i][j] - float(i == j)) < 1e-9 for i in range(4) for j in range(4))
