"""python check_usd.py FILE...: what OpenUSD's own validators find in each file, and its stage, one JSON line each; needs usd-core.

Run as a process of its own: OpenUSD's Python module and the one inside Blender do not go together.
"""

import json
import sys

from pxr import Usd, UsdGeom, UsdValidation

validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
for path in sys.argv[1:]:
    stage = Usd.Stage.Open(path)
    found = UsdValidation.ValidationContext(validators).Validate(stage)
    lights = {}
    places = {}
    for prim in stage.Traverse():
        if prim.HasAttribute("inputs:intensity"):
            intensity = prim.GetAttribute("inputs:intensity")
            lights[prim.GetName()] = [[time, intensity.Get(time)] for time in intensity.GetTimeSamples()]
        if prim.GetTypeName() == "Xform":
            to_world = UsdGeom.Xformable(prim).ComputeLocalToWorldTransform
            times = sorted({time for op in UsdGeom.Xformable(prim).GetOrderedXformOps() for time in op.GetTimeSamples()})
            matrices = [[list(row) for row in to_world(time).GetTranspose()] for time in (times or [0.0])]
            places[str(prim.GetPath())] = {"times": times, "world": matrices}
    answer = {
        "file": path,
        "validators": len(validators),
        "errors": [error.GetMessage() for error in found if error.GetType() == UsdValidation.ValidationErrorType.Error],
        "others": [error.GetMessage() for error in found if error.GetType() != UsdValidation.ValidationErrorType.Error],
        "up": str(UsdGeom.GetStageUpAxis(stage)),
        "unit_m": UsdGeom.GetStageMetersPerUnit(stage),
        "default": str(stage.GetDefaultPrim().GetPath()),
        "range": [stage.GetStartTimeCode(), stage.GetEndTimeCode(), stage.GetTimeCodesPerSecond()],
        "places": places,
        "lights": lights,
    }
    print(json.dumps(answer))
