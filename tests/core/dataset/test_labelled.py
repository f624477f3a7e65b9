"""A car made here, written as GLB, read back by part."""

from __future__ import annotations

import math

import numpy as np
import pytest
import trimesh
from trimesh.visual.material import PBRMaterial

from imago.core.dataset.cars import read_cars
from imago.core.dataset.labelled import EXPECTED, read_labelled, report_parts
from imago.core.dataset.outer_skin import seen_from_outside
from imago.core.dataset.part_split import areas_and_normals
from imago.core.dataset.part_table import PART_INDEX, PARTS

TABLE = "name,split,body,author,licence,source\nbox,train,sedan,me,CC0,here\nbare,train,sedan,me,CC0,here\n"
SHIFT_Y_M = 0.15  # the model's origin lies this far behind the middle between the axles


def box(size, centre):
    """A box by size and centre in the car frame (x left, -y nose, z up)."""
    return trimesh.creation.box(size, transform=trimesh.transformations.translation_matrix(centre))


def pieces(bare: bool):
    """(node, material, mesh in the car frame)."""
    yield "C_Body_C_Bodymat_0", "C_Bodymat", box((1.6, 4.0, 0.5), (0, 0, 0.6))
    cabin = box((1.3, 2.0, 0.4), (0, 0.1, 1.05))
    cabin.invert()  # modelled inside out: reading turns what is seen
    yield "C_Body_C_Bodymat_0.001", "C_Bodymat", cabin
    yield "C_Interior_Seats_0", "Seats", box((0.5, 0.5, 0.3), (0, 0.1, 1.05))
    yield "C_Bottom_Chassis_0", "Chassis", box((1.5, 3.8, 0.05), (0, 0, 0.3))
    yield "C_Bottom_Chassis_0.001", "Chassis", box((0.6, 0.02, 0.2), (0, -2.02, 0.65))  # the grille, of the chassis' material
    for name, x, y in (("FL", 0.7, -1.2), ("FR", -0.7, -1.2), ("RL", 0.7, 1.3), ("RR", -0.7, 1.3)):
        wheel = trimesh.creation.cylinder(0.3, 0.2, sections=24)
        wheel.apply_transform(trimesh.transformations.rotation_matrix(math.pi / 2, (0, 1, 0)))
        wheel.apply_translation((x, y, 0.3))
        yield f"C_Wheel_{name}_Tyre_0", "Tyre", wheel
        yield f"C_Caliper_{name}_Tyre_0", "Tyre", box((0.1, 0.1, 0.1), (0.6 * np.sign(x), y, 0.4))
    if bare:
        return
    yield "C_Windshield_Pane_0", "Pane", box((1.1, 0.02, 0.3), (0, -0.92, 1.05))
    panes = [box((1.1, 0.02, 0.3), (0, 1.12, 1.05)), box((0.02, 1.5, 0.3), (0.67, 0.1, 1.05)), box((0.02, 1.5, 0.3), (-0.67, 0.1, 1.05))]
    yield "C_Glass_Body_Pane_0", "Pane", trimesh.util.concatenate([*panes, box((1.1, 0.02, 0.3), (0, -0.925, 1.05))])
    yield "C_Headlights_Lamp_0", "Lamp", box((0.2, 0.02, 0.1), (0.6, -2.02, 0.7))
    lamps = [box((0.1, 0.02, 0.1), (x, y, 0.6)) for x in (0.7, -0.7) for y in (-2.02, 2.02)]
    yield "C_Blinkers_Lamp_0", "Lamp", trimesh.util.concatenate(lamps)
    mirrors = [box((0.2, 0.1, 0.15), (x, -0.6, 0.95)) for x in (0.85, -0.85)]
    yield "C_Body_C_Bodymat_0.002", "C_Bodymat", trimesh.util.concatenate(mirrors)
    yield "C_Roofrack_Chassis_0", "Chassis", box((1.0, 1.0, 0.1), (0, 0.1, 1.4))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("cars")
    (place / "cars.csv").write_text(TABLE)
    to_gltf = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
    for name in ("box", "bare"):
        scene = trimesh.Scene()
        for node, material, mesh in pieces(name == "bare"):
            mesh.apply_translation((0, SHIFT_Y_M - 0.05, 0))
            mesh.apply_transform(to_gltf)
            uv = np.zeros((len(mesh.vertices), 2))
            mesh.visual = trimesh.visual.TextureVisuals(uv=uv, material=PBRMaterial(name=material))
            scene.add_geometry(mesh, node_name=node)
        scene.export(place / f"{name}.glb")
    return place


@pytest.fixture(scope="module")
def car(folder):
    return read_labelled(folder, read_cars(folder / "cars.csv")[0])


def box_of(car, name):
    """Lowest and highest corner of a part's skin."""
    points = car.triangles_m[car.skin & (car.part == PART_INDEX[name])].reshape(-1, 3)
    return points.min(0), points.max(0)


def test_y_is_zero_midway_between_the_axles_and_wheels_are_measured(car):
    expected = [[0.7, -1.25, 0.3, 0.3, 0.2], [-0.7, -1.25, 0.3, 0.3, 0.2], [0.7, 1.25, 0.3, 0.3, 0.2], [-0.7, 1.25, 0.3, 0.3, 0.2]]
    assert np.allclose(car.wheels, expected, atol=0.01)
    assert car.dimensions_m["wheelbase"] == pytest.approx(2.5, abs=0.005)
    assert car.dimensions_m["width"] == pytest.approx(1.6, abs=0.01)  # neither mirrors nor roof rack count
    assert car.dimensions_m["height"] == pytest.approx(1.25, abs=0.005)


def test_panes_and_lamps_lie_where_they_should(car):
    assert box_of(car, "windshield")[1][1] < -0.8
    assert box_of(car, "rear_window")[0][1] > 1.0
    assert np.abs(box_of(car, "side_window")).min(0)[0] > 0.65
    assert box_of(car, "headlight")[1][1] < -1.9
    assert box_of(car, "taillight")[0][1] > 1.8
    assert box_of(car, "grille")[0][1] < -2.0
    assert box_of(car, "mirror")[1][0] == pytest.approx(0.95, abs=0.01)
    low, high = box_of(car, "underbody")
    assert low[2] < 0.28 and high[2] < 0.6  # the chassis plate and wheel wells, and the grille from below


def test_the_skin_is_the_outside_alone(car):
    assert not car.skin[car.part == PART_INDEX["interior"]].any()
    assert not car.skin[car.part == PART_INDEX["accessory"]].any()
    assert (car.part == PART_INDEX["accessory"]).sum() == 12
    roof = car.skin & (car.triangles_m[..., 2].min(1) > 1.24)  # seen under the roof rack as well: it hides nothing
    assert roof.any()


def test_skin_faces_outward_also_where_the_model_is_inside_out(car):
    area, normal = areas_and_normals(car.triangles_m)
    roof = car.skin & (car.part == PART_INDEX["body"]) & (car.triangles_m[..., 2].min(1) > 1.24)
    assert area[roof].sum() == pytest.approx(2.6, rel=0.01)
    assert (normal[roof, 2] > 0.99).all()


def test_every_car_has_each_part_or_says_that_it_lacks_it(folder):
    for row in read_cars(folder / "cars.csv"):
        car = read_labelled(folder, row)
        for name in EXPECTED:
            assert (name in car.lacks) != bool((car.skin & (car.part == PART_INDEX[name])).any()), (row.name, name)
        wanted = {"windshield", "rear_window", "side_window", "headlight", "taillight"}
        assert wanted.isdisjoint(car.lacks) if row.name == "box" else wanted <= set(car.lacks)
        assert {"wheel", "body"}.isdisjoint(car.lacks)


def test_report(folder):
    lines = report_parts(folder).splitlines()
    assert len(lines) == 3
    shares = [float(word) for word in lines[1].split()[1 : 1 + len(PARTS)]]
    assert sum(shares) == pytest.approx(100, abs=0.1)
    assert "windshield" in lines[2] and "windshield" not in lines[1]


def test_a_box_inside_a_box_is_not_seen():
    outer, inner = (box((s, s, s), (0, 0, 0)).triangles.astype(np.float32) for s in (1.0, 0.5))
    seen = seen_from_outside(np.concatenate([outer, inner]), size_px=64)
    assert seen.seen.tolist() == [True] * 12 + [False] * 12
    assert not seen.inside_out.any()
    assert seen.above[:12].sum() == 10  # the bottom's two triangles are seen from below alone
    assert seen_from_outside(outer[:, ::-1], size_px=64).inside_out.all()
