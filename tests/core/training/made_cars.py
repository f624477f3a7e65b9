"""Car models made by the tests: a box on wheels, and the template itself with other measures, written as the trainers read them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import trimesh
from trimesh.visual.material import PBRMaterial

from imago.core.car.car import whole, whole_vertices
from imago.core.car.measures import to_vector
from imago.core.car.wheels import wheel_faces
from imago.core.frames import car_to_gltf

WHEELS = ("Wheel_FL", "Wheel_FR", "Wheel_RL", "Wheel_RR")


def write_car(folder: Path, body_words: str, pieces: dict[str, trimesh.Trimesh], split: str = "train", name: str = "made") -> None:
    """NODE -> mesh in the car frame as FOLDER/NAME.glb, and its row in the table there."""
    scene = trimesh.Scene()
    for node, mesh in pieces.items():
        plain = trimesh.visual.TextureVisuals(uv=np.zeros((len(mesh.vertices), 2)), material=PBRMaterial(name=node))
        scene.add_geometry(trimesh.Trimesh(car_to_gltf(mesh.vertices), mesh.faces, visual=plain, process=False), node_name=node)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.glb").write_bytes(scene.export(file_type="glb"))
    table = folder / "cars.csv"
    known = table.read_text().splitlines()[1:] if table.exists() else []
    rows = [row for row in known if not row.startswith(f"{name},")] + [f"{name},{split},{body_words},me,CC0,here"]
    table.write_text("\n".join(["name,split,body,author,licence,source", *rows]) + "\n")


def box_car() -> dict[str, trimesh.Trimesh]:
    """A box 4.2 m long, 1.7 m wide, from 0.2 to 1.5 m high, on wheels of 0.3 m radius; wheelbase 2.4 m, axles 0.1 m behind the middle."""
    pieces = {"Body": trimesh.creation.box((1.7, 4.2, 1.3), transform=trimesh.transformations.translation_matrix((0, 0, 0.85)))}
    for name, x, y in zip(WHEELS, (0.75, -0.75, 0.75, -0.75), (-1.1, -1.1, 1.3, 1.3), strict=True):
        wheel = trimesh.creation.cylinder(0.3, 0.2, sections=32)
        wheel.apply_transform(trimesh.transformations.rotation_matrix(math.pi / 2, (0, 1, 0)))
        wheel.apply_translation((x, y, 0.3))
        pieces[name] = wheel
    return pieces


def template_car(measures: dict[str, float]) -> dict[str, trimesh.Trimesh]:
    vertices, triangles = whole_vertices(to_vector(measures)[None])[0].numpy(), whole().triangles.numpy()
    wheel_count = int(wheel_faces()[0].max()) + 1
    first = [len(vertices) - (4 - k) * wheel_count for k in range(4)]
    owner = np.searchsorted(first, triangles[:, 0], side="right")
    return {name: trimesh.Trimesh(vertices, triangles[owner == k]) for k, name in enumerate(("Body", *WHEELS))}
