"""From a photograph to a car in the scene, through the operators, with the real worker."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
import pytest
from mathutils import Vector

EXAMPLE = Path(__file__).parents[1] / "data" / "example.jpg"
WHEELS = ("wheel_front_left", "wheel_front_right", "wheel_rear_left", "wheel_rear_right")
CURSOR = (3.0, -2.0, 0.5)


def create(**properties: object) -> bpy.types.Object:
    """Create a car as a click does, undo step included; returns its rig."""
    settings = {"quality": "draft", "texture": "1024"} | properties
    assert bpy.ops.imago.create_car("EXEC_DEFAULT", True, **settings) == {"FINISHED"}
    return bpy.context.view_layer.objects.active


def add_last_run(installed: ModuleType) -> bpy.types.Object:
    """The example's newest car from the history once more, made first where there is none: quick, since the worker is not asked."""
    found = [run for run in runs(installed) if run.photo == str(EXAMPLE)]
    if not found:
        return create(filepath=str(EXAMPLE))
    assert bpy.ops.imago.add_run("EXEC_DEFAULT", True, job=found[0].job) == {"FINISHED"}
    return bpy.context.view_layer.objects.active


def runs(installed: ModuleType) -> tuple:
    return installed.module("addon.history").runs(installed.module("addon.places").runs_folder())


def parts(rig: bpy.types.Object) -> dict[str, bpy.types.Object]:
    bpy.context.view_layer.update()
    return {thing["imago_role"]: thing for thing in rig.children if "imago_role" in thing and thing.type == "MESH"}


def box(things: list[bpy.types.Object]) -> tuple[Vector, Vector]:
    """World bounding box, low and high, as it is now."""
    bpy.context.view_layer.update()
    corners = [thing.matrix_world @ Vector(corner) for thing in things for corner in thing.bound_box]
    return Vector(map(min, zip(*corners, strict=True))), Vector(map(max, zip(*corners, strict=True)))


@pytest.mark.slow
def test_a_photo_becomes_a_car_at_the_cursor(worker: ModuleType) -> None:
    bpy.context.scene.cursor.location = CURSOR
    rig = create(filepath=str(EXAMPLE), texture="2048")
    found = parts(rig)
    assert {"body", *WHEELS} <= set(found) and any(role.startswith("headlight") for role in found)
    assert rig.type == "ARMATURE" and tuple(rig.location) == CURSOR
    assert [c.name for c in rig.users_collection] == ["Car"] and all(thing.users_collection[0].name == "Car" for thing in found.values())
    low, high = box(list(found.values()))
    size = high - low
    assert 3.0 < size.y < 6.0 and 1.4 < size.x < 2.6 and 1.1 < size.z < 2.2, f"no car's size in metres: {tuple(size)}"
    for name in WHEELS:
        wheel_low, _ = box([found[name]])
        assert abs(wheel_low.z - CURSOR[2]) < 1e-3, f"{name} does not stand on the cursor's height"
        x, y = (found[name].matrix_world.translation - rig.location).xy
        assert (y < 0) == ("front" in name) and (x > 0) == ("left" in name), f"{name} stands at {x:.2f}, {y:.2f}"
    selected = {thing.name for thing in bpy.context.selected_objects}
    assert selected == {rig.name, *(thing.name for thing in found.values())}
    materials = {slot.material.name for slot in found["body"].material_slots}
    assert {"paint", "glass"} <= materials and any(slot.material.name == "tyre" for slot in found[WHEELS[0]].material_slots)
    images = [image for image in bpy.data.images if image.packed_file]
    assert len(images) == 1 and tuple(images[0].size) == (1024, 1024)  # a draft paints no larger
    assert bpy.context.window_manager.imago.photo == "", "the panel's own photo is the user's"


@pytest.mark.slow
def test_operator_equals_command_line(worker: ModuleType, tmp_path: Path) -> None:
    job = create(filepath=str(EXAMPLE), texture="2048")["imago_run"]
    ours = json.loads((worker.module("addon.places").runs_folder() / job / "car.json").read_text())
    arguments = [str(EXAMPLE), "--out", str(tmp_path), "--quality", "draft"]
    code = f"import sys; from imago.addon.command_line import main; sys.exit(main({arguments}))"
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BLENDER"))}
    answer = subprocess.run([worker.WORKER_PYTHON, "-c", code], env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    theirs = json.loads((tmp_path / "example" / "car.json").read_text())
    for record in (ours, theirs):
        del record["timings_s"]
    assert ours == theirs


def pixels_of_texture() -> np.ndarray:
    """Every thousandth value of the car's own picture."""
    image = next(image for image in bpy.data.images if image.packed_file)
    values = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    return values[::1000]


@pytest.mark.slow
def test_one_undo_removes_everything_and_redo_brings_it_back(worker: ModuleType) -> None:
    before = worker.data_counts()
    name = add_last_run(worker).name
    after = worker.data_counts()
    texture = pixels_of_texture()
    assert len(np.unique(texture)) > 50
    assert after["objects"] > before["objects"] + 5 and after["images"] == before["images"] + 1
    bpy.ops.ed.undo()
    assert worker.data_counts() == before
    bpy.ops.ed.redo()
    assert worker.data_counts() == after
    assert np.array_equal(pixels_of_texture(), texture)
    assert {"body", *WHEELS} <= set(parts(bpy.data.objects[name]))


@pytest.mark.slow
def test_a_second_car_has_its_own_rig(worker: ModuleType) -> None:
    one = add_last_run(worker)
    bpy.context.scene.cursor.location = (5.0, 0.0, 0.0)
    two = add_last_run(worker)
    assert one != two and one.data != two.data and {c.name for c in (*one.users_collection, *two.users_collection)} == {"Car", "Car.001"}
    one["wheel_turn"] = 0.25
    one.update_tag()
    turned, still = (parts(rig)["wheel_front_left"].matrix_world.to_euler().x for rig in (one, two))
    assert abs(turned - 1.5708) < 1e-3 and abs(still) < 1e-3
    materials = [{slot.material for thing in parts(rig).values() for slot in thing.material_slots} for rig in (one, two)]
    assert not materials[0] & materials[1], "painting one car must not paint the other"


@pytest.mark.slow
def test_save_and_reload_keep_a_working_car(worker: ModuleType, tmp_path: Path) -> None:
    name = add_last_run(worker).name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "car.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "car.blend"))
    check_working(bpy.data.objects[name])
    assert all(image.packed_file or not image.filepath for image in bpy.data.images)


@pytest.mark.slow
def test_append_into_another_file(worker: ModuleType, tmp_path: Path) -> None:
    add_last_run(worker)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "car.blend"))
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "car.blend"), link=False) as (there, here):
        here.collections = ["Car"]
    bpy.context.scene.collection.children.link(here.collections[0])
    rig = next(thing for thing in here.collections[0].all_objects if thing.type == "ARMATURE")
    check_working(rig)
    bpy.context.view_layer.objects.active = rig
    assert bpy.ops.imago.mark_asset.poll(), "the appended car is known as one of ours"


def check_working(rig: bpy.types.Object) -> None:
    """Wheels roll and steer, lamps shine, sliders move."""
    rig["wheel_turn"], rig["steer"], rig["brake"] = 0.5, 0.3, 1.0
    rig.update_tag()
    found = parts(rig)
    assert abs(abs(found["wheel_rear_left"].matrix_world.to_euler().x) - 3.14159) < 1e-3
    assert abs(found["wheel_front_left"].matrix_world.to_3x3().col[0].y) > 0.25
    lamp = next(thing for thing in found.values() if "brake" in thing)
    assert lamp.evaluated_get(bpy.context.evaluated_depsgraph_get())["brake"] == 1.0
    rig["wheel_turn"], rig["steer"] = 0.0, 0.0
    before, (_, high) = rig.imago.height, box([found["body"]])
    rig.imago.height = before + 0.1
    assert abs(rig.imago.height - before - 0.1) < 1e-4
    bpy.context.view_layer.update()
    assert abs(box([found["body"]])[1].z - high.z - 0.1) < 0.01, "the roof rises by what the slider says"
    assert all(curve.driver.is_valid for thing in (rig, *found.values()) if thing.animation_data for curve in thing.animation_data.drivers)


@pytest.mark.slow
def test_update_keeps_rig_animation_and_the_artists_edits(worker: ModuleType, tmp_path: Path) -> None:
    rig = add_last_run(worker)
    rig.location, rig["steer"] = (1.0, 2.0, 0.0), 0.2
    rig.keyframe_insert("location", frame=1)
    rig.keyframe_insert('["steer"]', frame=10)
    found = parts(rig)
    paint = next(slot.material for slot in found["body"].material_slots if slot.material.name == "paint")
    paint.node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value = 0.77
    found["body"].modifiers.new("Bevel", "BEVEL")
    rig.imago.height = rig.imago.height + 0.2  # a shape that the photo does not have
    tall = box([found["body"]])[1].z
    names, counts = sorted(thing.name for thing in bpy.data.objects), worker.data_counts()
    bpy.ops.ed.undo_push(message="animated")
    mirrored = mirror_of(EXAMPLE, tmp_path / "mirrored.png")
    assert bpy.ops.imago.update_car("EXEC_DEFAULT", True, filepath=str(mirrored), quality="draft", texture="1024") == {"FINISHED"}
    rig = bpy.context.view_layer.objects.active
    found = parts(rig)
    assert sorted(thing.name for thing in bpy.data.objects) == names and worker.data_counts() == counts
    assert rig.animation_data.action is not None and rig["steer"] == 0.2 and rig.location.x == 1.0
    assert abs(paint.node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value - 0.77) < 1e-6
    assert [modifier.type for modifier in found["body"].modifiers] == ["BEVEL"]
    assert box([found["body"]])[1].z < tall - 0.1, "the shape is the photo's again"
    assert rig["imago_run"] == runs(worker)[0].job
    name = rig.name
    bpy.ops.ed.undo()
    rig = bpy.data.objects[name]
    assert abs(box([parts(rig)["body"]])[1].z - tall) < 1e-3, "one undo brings the old shape back"


def mirror_of(photo: Path, path: Path) -> Path:
    """The photo turned left to right, written by Blender itself."""
    import numpy as np

    image = bpy.data.images.load(str(photo))
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    image.pixels.foreach_set(np.ascontiguousarray(pixels.reshape(height, width, 4)[:, ::-1]).ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)
    return path


@pytest.mark.slow
def test_a_dropped_photo_becomes_a_car(worker: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    bpy.context.window_manager.imago.quality, bpy.context.window_manager.imago.texture = "draft", "1024"
    area = next(area for area in bpy.context.window_manager.windows[0].screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    taken = []
    own = bpy.types.VIEW3D_FH_empty_image  # Blender's own handler: in a window a menu lets the user pick, here the first one is taken
    bpy.utils.unregister_class(own)
    monkeypatch.setattr(
        worker.module("addon.operators.making").IMAGO_OT_create_car, "_finish", lambda self, context, run: taken.append(run.folder)
    )
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area, region=region):
        handler = bpy.types.IMAGO_FH_photo
        assert handler.poll_drop(bpy.context) and set(handler.bl_file_extensions.split(";")) == {".png", ".jpg", ".jpeg", ".webp"}
        try:
            bpy.ops.wm.drop_import_file(directory=str(EXAMPLE.parent), files=[{"name": EXAMPLE.name}])
        finally:
            bpy.utils.register_class(own)
    assert len(taken) == 1 and (taken[0] / "run.json").is_file()


@pytest.mark.slow
def test_a_picture_of_this_file_will_do(worker: ModuleType) -> None:
    image = bpy.data.images.load(str(EXAMPLE))
    image.pack()
    image.filepath = "//nowhere.jpg"
    inputs = bpy.context.window_manager.imago
    inputs.source, inputs.image = "IMAGE", image.name
    try:
        assert "body" in parts(create())
    finally:
        inputs.source, inputs.image = "FILE", ""
