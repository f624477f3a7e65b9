"""Colours learned from cars made here: the template itself in parts of known colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from trimesh.visual.material import PBRMaterial

from imago.core.car.car import whole, whole_vertices
from imago.core.car.colour_draw import PREFIX, colour_parts, draw_colours, draw_paint, draw_picture
from imago.core.car.measures import BODY_TYPES, to_vector
from imago.core.car.parts import base_name, material_of
from imago.core.car.space import half_count
from imago.core.car.wheels import wheel_faces
from imago.core.errors import UserInputError
from imago.core.frames import car_to_gltf
from imago.core.training.half_body import class_of
from imago.core.training.texture_modes import RINGS, learn_texture_modes, main

NODES = {"windshield": "Windshield", "rear_window": "Glass_Rear", "side_window": "Glass_Driver", "headlight": "Headlights",
         "taillight": "Brakelights", "plate": "Numberplate", "grille": "Grille", "bumper": "Bumper", "underbody": "Suspension"}  # fmt: skip
WHEELS = ("Wheel_FL", "Wheel_FR", "Wheel_RL", "Wheel_RR")
LAMP = {"red": (0.5, 0.0, 0.0), "dark": (0.25, 0.0, 0.0)}
PAINT = {"red": (0.0, 0.0, 0.75), "dark": (0.0, 0.5, 0.0)}


def srgb255(linear):
    """Linear RGB as the bytes glTF's linear factor is stored in."""
    return [*(int(round(255 * value)) for value in linear), 255]


def write_car(folder: Path, name: str) -> None:
    """The template sedan with NODES of their own materials; bumpers are black, the rest wears the paint."""
    vertices, shared = whole_vertices(to_vector(BODY_TYPES["sedan"])[None])[0].numpy(), whole()
    triangles = shared.triangles.numpy()
    first_wheel = len(vertices) - 4 * (int(wheel_faces()[0].max()) + 1)
    wheel_of = (triangles[:, 0] - first_wheel) // (int(wheel_faces()[0].max()) + 1)
    classes = np.array([class_of(part) for part in shared.part_names])[shared.part_index.numpy()]
    nodes = np.array([WHEELS[k] if k >= 0 else NODES.get(kind, "Body") for k, kind in zip(wheel_of, classes, strict=True)])
    scene = trimesh.Scene()
    for node in np.unique(nodes):
        colour = {"Body": PAINT[name], "Brakelights": LAMP[name], "Headlights": (0.25, 0.25, 0.25)}.get(node, (0.0, 0.0, 0.0))
        material = PBRMaterial(name="bodymat" if node == "Body" else node, baseColorFactor=srgb255(colour))
        used, faces = np.unique(triangles[nodes == node], return_inverse=True)
        visual = trimesh.visual.TextureVisuals(uv=np.zeros((len(used), 2)), material=material)
        mesh = trimesh.Trimesh(car_to_gltf(vertices[used]), faces.reshape(-1, 3), visual=visual, process=False)
        scene.add_geometry(mesh, node_name=node)
    (folder / f"{name}.glb").write_bytes(scene.export(file_type="glb"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("coloured")
    names = ("red", "dark")
    (place / "cars.csv").write_text("name,split,body,author,licence,source\n" + "".join(f"{n},train,sedan,me,CC0,here\n" for n in names))
    (place / "fits").mkdir()
    for name in names:
        write_car(place, name)
        measures = to_vector(BODY_TYPES["sedan"]).numpy()
        np.savez(place / "fits" / f"{name}.npz", measures=measures, coefficients=np.zeros(0), free_half_m=np.zeros((half_count(), 3)))
    return place


@pytest.fixture(scope="module")
def tensors(folder):
    return learn_texture_modes(folder, folder / "fits")


def part(tensors, figure, name):
    return tensors[PREFIX + figure][..., colour_parts().index(name), :].astype(float)


def test_colours_of_parts_are_found(tensors):
    assert np.allclose(part(tensors, "part_mean", "brake_light"), np.add(LAMP["red"], LAMP["dark"]) / 2, atol=0.01)
    assert np.allclose(part(tensors, "part_spread", "brake_light"), (0.125, 0, 0), atol=0.01)
    assert np.allclose(part(tensors, "part_mean", "headlight"), 0.25, atol=0.01)
    assert np.allclose(part(tensors, "part_mean", "fog_light"), 0.25, atol=0.01)
    assert np.allclose(part(tensors, "part_mean", "windshield"), 0, atol=0.01)


def test_paint_is_told_from_what_is_not_painted(tensors):
    assert np.allclose(tensors[PREFIX + "paint"].astype(float), list(PAINT.values()), atol=0.01)
    painted = dict(zip(colour_parts(), tensors[PREFIX + "painted"].mean(0), strict=True))
    assert painted["hood"] == painted["door_front"] == painted["roof"] == 1
    assert painted["bumper_front"] == painted["bumper_rear"] == painted["tyre"] == painted["windshield"] == 0


def test_the_picture_and_its_modes(tensors):
    texel, owner = tensors[PREFIX + "texel"], tensors[PREFIX + "part_of_texel"]
    assert len(texel) == len(owner) == len(tensors[PREFIX + "mean"]) and len(np.unique(texel, axis=0)) == len(texel)
    assert {material_of(colour_parts()[k]) for k in np.unique(owner)} >= {"glass", "headlight_lens", "tail_lens", "plate"}
    assert tensors[PREFIX + "modes"].shape == (1, len(texel), 3)
    tail = owner == colour_parts().index("brake_light")
    seen = tensors[PREFIX + "mean"] + np.tensordot(
        tensors[PREFIX + "coefficients"].astype(float), tensors[PREFIX + "modes"].astype(float), 1
    )
    assert np.allclose(seen[:, tail].mean(1), list(LAMP.values()), atol=0.02)  # mean and modes give each car's lamps back
    assert sum(value.nbytes for value in tensors.values()) < 2**19


def test_draws_are_near_what_was_seen_and_follow_the_generator(tensors):
    for seed in range(8):
        paint, colours = draw_colours(np.random.default_rng(seed), tensors)
        again = draw_colours(np.random.default_rng(seed), tensors)[1]
        assert tuple(colours) == colour_parts()
        assert all((0 <= value).all() and (value <= 1).all() and np.array_equal(value, again[name]) for name, value in colours.items())
        assert np.array_equal(colours["hood"], paint) and not np.array_equal(colours["bumper_front"], paint)
        assert colours["brake_light"][0] > 4 * colours["brake_light"][1]
    paints = [draw_paint(np.random.default_rng(seed), tensors[PREFIX + "paint"]) for seed in range(40)]
    assert {int(np.argmax(paint)) for paint in paints} == {1, 2}
    pictures = [draw_picture(np.random.default_rng(seed), tensors) for seed in range(4)]
    assert pictures[0].shape == (len(tensors[PREFIX + "texel"]), 3) and not np.allclose(pictures[0], pictures[1])


def test_names_have_no_sides():
    assert all(name == base_name(name) for name in colour_parts()) and set(RINGS) <= set(colour_parts())


def test_command_prints_the_figures(folder, capsys):
    assert main([str(folder), str(folder / "fits")]) == 0
    assert "brake_light" in capsys.readouterr().out


def test_without_fits_it_says_what_to_do(folder, tmp_path):
    with pytest.raises(UserInputError, match="fewer than two fits"):
        learn_texture_modes(folder, tmp_path)
