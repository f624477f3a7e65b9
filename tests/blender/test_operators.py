"""Every operator without a window: what it says it does is done by execute()."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from types import ModuleType

import bpy
import pytest

from .test_create import EXAMPLE, add_last_run, create, parts, runs

# operators that only a window can use to the full, and the tests that run the others
ELSEWHERE = {
    "create_car": "test_create", "update_car": "test_create", "add_run": "test_create", "set_up": "conftest", "cancel": "test_troubles",
    "stop_worker": "test_troubles", "show_log": "test_troubles", "use_processor": "test_troubles",
    "draw_box": "tests/addon/test_several_cars.py",
    **dict.fromkeys(("drive", "roll", "stop_driving", "add_path"), "tests/addon/test_drive.py, in every version"),
    "set_up_first": "a dialog before set_up: tests/gui/walk.drv", "cancel_set_up": "tests/addon/test_runtime.py, the button only asks",
}  # fmt: skip
HERE = {
    "export_car", "mark_asset", "photo_camera", "reset_measures", "delete_run", "clear_history", "open_photo", "open_mask", "import_photo",
    "dismiss", "open_preferences", "invent_car", "show_views",
}  # fmt: skip


REPOSITORY = Path(__file__).parents[2]


def test_no_operator_is_forgotten(installed: ModuleType) -> None:
    registered = {kind.bl_idname.split(".")[1] for kind in installed.module("addon.operators").CLASSES if "_OT_" in kind.__name__}
    assert registered == set(ELSEWHERE) | HERE


@pytest.mark.slow
def test_export_gltf_says_what_the_sliders_say(worker: ModuleType, tmp_path: Path) -> None:
    rig = add_last_run(worker)
    rig.location = (4.0, 5.0, 0.0)
    rig.imago.wheelbase = rig.imago.wheelbase + 0.1
    assert bpy.ops.imago.export_car(filepath=str(tmp_path / "car"), format="GLB") == {"FINISHED"}
    content = (tmp_path / "car.glb").read_bytes()
    (length,) = struct.unpack("<I", content[12:16])
    nodes = {node["name"]: node for node in json.loads(content[20 : 20 + length])["nodes"]}
    front, rear = nodes["wheel_front_left"]["translation"], nodes["wheel_rear_left"]["translation"]
    assert abs(front[2] - rear[2] - rig.imago.wheelbase) < 1e-4, "nose is +Z, the wheelbase the slider's"
    assert front[0] > 0.5 and abs(front[0] + nodes["wheel_front_right"]["translation"][0]) < 1e-4, "at the origin, left is +X"


@pytest.mark.slow
def test_export_with_animation_levels_and_hull(worker: ModuleType, tmp_path: Path) -> None:
    """What the user changed without a key, his frame and his data stay."""
    rig, scene = add_last_run(worker), bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 12
    for frame, turns in ((1, 0.0), (12, 1.0)):
        rig["wheel_turn"], rig["brake"], rig.location.y = turns, turns, -2.0 * turns
        for path in ('["wheel_turn"]', '["brake"]', "location"):
            rig.keyframe_insert(path, frame=frame)
    scene.frame_set(5)
    rig["steer"] = 0.2
    before = worker.data_counts()
    choice = {"animation": True, "lods": True, "collision": True}
    assert bpy.ops.imago.export_car(filepath=str(tmp_path / "car.glb"), format="FBX", preset="UNREAL", **choice) == {"FINISHED"}
    assert bpy.ops.imago.export_car(filepath=str(tmp_path / "car"), format="GLB", preset="GODOT", **choice) == {"FINISHED"}
    names = [f"car{level}.{ending}" for level in ("", "_LOD1", "_LOD2") for ending in ("fbx", "glb")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    content = (tmp_path / "car.glb").read_bytes()
    (length,) = struct.unpack("<I", content[12:16])
    found = json.loads(content[20 : 20 + length])
    targets = [channel["target"] for channel in found["animations"][0]["channels"]]
    moved = {(found["nodes"][target["node"]]["name"], target["path"]) for target in targets if "node" in target}
    assert {("car-vehicle", "translation"), ("wheel_rear_left-wheel", "rotation")} <= moved
    assert any(name.startswith("brake_light") and name.endswith("_lit") and path == "scale" for name, path in moved)
    pointers = [target["extensions"]["KHR_animation_pointer"]["pointer"] for target in targets if target["path"] == "pointer"]
    assert any(pointer.endswith("/KHR_materials_emissive_strength/emissiveStrength") for pointer in pointers)
    assert (scene.frame_current, rig["steer"], worker.data_counts()) == (5, pytest.approx(0.2), before)


@pytest.mark.slow
def test_export_usd(worker: ModuleType, tmp_path: Path) -> None:
    add_last_run(worker)
    if not bpy.app.build_options.usd:
        pytest.skip("this Blender cannot write USD")
    before = worker.data_counts()
    assert bpy.ops.imago.export_car(filepath=str(tmp_path / "car.usd"), format="USD") == {"FINISHED"}
    assert (tmp_path / "car.usd").stat().st_size > 100_000 and worker.data_counts() == before


@pytest.mark.slow
def test_mark_as_asset_with_the_runs_picture(worker: ModuleType) -> None:
    rig = add_last_run(worker)
    assert bpy.ops.imago.mark_asset() == {"FINISHED"}
    collection = rig.users_collection[0]
    assert collection.asset_data is not None and "car" in [tag.name for tag in collection.asset_data.tags]
    assert collection.preview is not None and min(collection.preview.image_size) >= 128
    assert len(set(collection.preview.image_pixels)) > 50, "the preview shows something"


@pytest.mark.slow
def test_the_photos_camera_sees_the_car_where_the_photo_does(worker: ModuleType) -> None:
    from bpy_extras.object_utils import world_to_camera_view

    bpy.context.scene.cursor.location = (2.0, 1.0, 0.0)
    rig = add_last_run(worker)
    assert bpy.ops.imago.photo_camera() == {"FINISHED"}
    camera = bpy.context.scene.camera
    bpy.context.view_layer.update()
    assert camera.data.background_images[0].image.filepath.endswith(EXAMPLE.name)
    body = parts(rig)["body"]
    seen = [world_to_camera_view(bpy.context.scene, camera, body.matrix_world @ vertex.co) for vertex in body.data.vertices]
    left, right = min(point.x for point in seen), max(point.x for point in seen)
    assert 0.0 < left < 0.4 and 0.6 < right < 1.0, "the car fills the frame as it does the photo"


@pytest.mark.slow
def test_back_to_the_photos_shape(worker: ModuleType) -> None:
    rig = add_last_run(worker)
    body = parts(rig)["body"]
    before, places = rig.imago.height, [tuple(vertex.co) for vertex in body.data.vertices]
    rig.imago.height, rig.imago.wheelbase = before + 0.1, rig.imago.wheelbase + 0.1
    assert bpy.ops.imago.reset_measures() == {"FINISHED"}
    assert abs(rig.imago.height - before) < 1e-6
    moved = max(abs(a - b) for place, vertex in zip(places, body.data.vertices, strict=True) for a, b in zip(place, vertex.co, strict=True))
    assert moved < 1e-5


@pytest.mark.slow
@pytest.mark.skipif(not (REPOSITORY / "weights" / "generator.safetensors").is_file(), reason="no weights of the generator were released")
def test_an_invented_car_stands_at_the_cursor_and_shows_its_sides(worker: ModuleType) -> None:
    bpy.context.scene.cursor.location = (-3.0, 2.0, 0.0)
    settings = {"quality": "draft", "texture": "1024", "seed": 11, "variety": 0.5, "body": "suv", "paint": (0.7, 0.1, 0.1)}
    assert bpy.ops.imago.invent_car("EXEC_DEFAULT", True, **settings) == {"FINISHED"}
    rig = bpy.context.view_layer.objects.active
    assert rig.type == "ARMATURE" and tuple(rig.location) == (-3.0, 2.0, 0.0)
    assert {"body", "wheel_front_left", "wheel_rear_right"} <= set(parts(rig))
    run = next(run for run in runs(worker) if run.job == rig["imago_run"])
    assert (run.folder / "invented_11.png").is_file() and run.body_type == "suv"
    assert bpy.ops.imago.show_views() == {"FINISHED"}
    image = bpy.data.images[f"{rig.name} from All Sides"]
    assert image.size[0] == 3 * image.size[1] > 0, "twelve squares in two rows"
    (run.folder / "views.png").unlink()
    with pytest.raises(RuntimeError, match="other sides"):
        bpy.ops.imago.show_views()


@pytest.mark.slow
@pytest.mark.skipif(not (REPOSITORY / "weights" / "generator.safetensors").is_file(), reason="no weights of the generator were released")
def test_a_photographed_car_shows_its_other_sides_where_the_generator_is_asked(worker: ModuleType) -> None:
    settings = {"quality": "draft", "texture": "1024", "unseen": "generator"}
    assert bpy.ops.imago.create_car("EXEC_DEFAULT", True, filepath=str(EXAMPLE), **settings) == {"FINISHED"}
    assert bpy.ops.imago.show_views() == {"FINISHED"}
    assert bpy.context.view_layer.objects.active["imago_run"]


@pytest.mark.slow
def test_history_deletes_from_disk_and_not_from_the_file(worker: ModuleType) -> None:
    rig = add_last_run(worker)
    newest = next(run for run in runs(worker) if run.job == rig["imago_run"])
    assert newest.seconds > 0 and (newest.folder / "thumbnail.png").is_file()
    assert bpy.ops.imago.delete_run(job=newest.job) == {"FINISHED"}
    assert not newest.folder.exists() and newest not in runs(worker)
    assert "body" in parts(rig) and rig.imago.height > 1.0, "the car in the file stays whole"
    create(filepath=str(EXAMPLE))
    assert bpy.ops.imago.clear_history() == {"FINISHED"} and runs(worker) == ()


def test_the_history_keeps_the_newest(installed: ModuleType, tmp_path: Path) -> None:
    history = installed.module("addon.history")
    for number in range(4):
        (tmp_path / f"2020010{number}").mkdir()
        record = {"photo": f"{number}.jpg", "seconds": 1.0, "quality": "draft", "body_type": "sedan"}
        (tmp_path / f"2020010{number}" / "run.json").write_text(json.dumps(record))
    history.prune(tmp_path, 2)
    assert [run.name for run in history.runs(tmp_path)] == ["3", "2"] and len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow
def test_choosing_photo_and_mask(worker: ModuleType) -> None:
    inputs, session = bpy.context.window_manager.imago, worker.module("addon.session").SESSION
    session.problem = worker.module("core.messages").Problem(worker.module("core.errors").Trouble.MASK, "Wrong: right.")
    assert bpy.ops.imago.open_photo(filepath=str(EXAMPLE)) == {"FINISHED"} and session.problem is None
    assert bpy.ops.imago.open_mask(filepath="/tmp/mask.png") == {"FINISHED"}
    assert (inputs.photo, inputs.mask) == (str(EXAMPLE), "/tmp/mask.png")
    bpy.ops.imago.open_photo(filepath=str(EXAMPLE))
    assert inputs.mask == "", "another photo has another mask"
    inputs.quality, inputs.texture = "draft", "1024"
    assert bpy.ops.imago.import_photo("EXEC_DEFAULT", True, filepath=str(EXAMPLE)) == {"FINISHED"}
    assert bpy.context.view_layer.objects.active["imago_role"] == "rig"
    inputs.photo, inputs.quality, inputs.texture = "", "normal", "2048"


def test_small_helps(installed: ModuleType) -> None:
    session = installed.module("addon.session").SESSION
    session.problem = installed.module("core.messages").Problem(installed.module("core.errors").Trouble.INTERNAL, "Wrong: right.")
    assert bpy.ops.imago.dismiss() == {"FINISHED"} and session.problem is None
    for page in ("ADDONS", "EXTENSIONS", "SYSTEM"):
        assert bpy.ops.imago.open_preferences(page=page) == {"FINISHED"}
