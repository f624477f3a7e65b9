"""A first path for a car: out of its parking place, one bend, and on."""

from __future__ import annotations

import bpy
from mathutils import Matrix, Vector

POINTS_M = ((0.0, 0.0), (0.0, -7.0), (0.0, -15.0), (9.0, -28.0), (26.0, -33.0))  # of the rear axle, car frame
REACH = 0.38  # of the distance to the next point, for the handles


def add_path(rig: bpy.types.Object, rear_axle_y_m: float, collection: bpy.types.Collection) -> bpy.types.Object:
    """A curve that starts under the car's rear axle as it stands now, straight ahead, with a bend to the left."""
    data = bpy.data.curves.new(f"{rig.name} path", "CURVE")
    data.dimensions = "3D"
    spline = data.splines.new("BEZIER")
    spline.bezier_points.add(len(POINTS_M) - 1)
    points = [Vector((x, y + rear_axle_y_m, 0.0)) for x, y in POINTS_M]
    for number, (point, place) in enumerate(zip(spline.bezier_points, points, strict=True)):
        before, after = points[max(number - 1, 0)], points[min(number + 1, len(points) - 1)]
        way = (after - before).normalized()
        point.co = place
        point.handle_left = place - REACH * (place - before).length * way
        point.handle_right = place + REACH * (after - place).length * way
    path = bpy.data.objects.new(data.name, data)
    place = rig.matrix_world @ rig.pose.bones["root"].matrix
    path.matrix_world = Matrix.LocRotScale(place.translation, place.to_euler(), None)
    collection.objects.link(path)
    return path
