"""The sliders' side of the template: numpy gives what torch gives, folds are seen, the file comes back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from imago.core.car.car import body_vertices, wheel_centres, whole_vertices
from imago.core.car.measure_table import BODY_TYPES, MEASURES, NAMES, to_array
from imago.core.car.reshape import FIXED, Reshape, make_reshape, reshaped, varied
from imago.core.car.reshape_file import read_reshape, write_reshape
from imago.core.car.skeleton import body_vertices as numpy_body
from imago.core.car.skeleton import skeleton
from imago.core.car.soundness import FOLDED_SHARE, Soundness
from imago.core.car.wheels import wheel_centres as numpy_centres
from imago.core.car.wheels import wheel_vertices
from imago.core.errors import ShapeError, UserInputError
from imago.core.types import CarShape


def offset_of(base: np.ndarray) -> np.ndarray:
    """(V, 3) a smooth bend of some centimetres, the same left and right."""
    x, y, z = numpy_body(base[None])[0].T
    return np.stack([0.05 * x * np.sin(1.5 * y), 0.03 * np.cos(2 * z), 0.04 * np.cos(y)], 1).astype(np.float32)


def bare_reshape(shape: CarShape) -> Reshape:
    return make_reshape(shape, numpy_body(to_array(shape.measures)[None])[0])


@pytest.fixture(scope="module")
def sedan() -> CarShape:
    return CarShape(BODY_TYPES["sedan"], "sedan")


def test_numpy_and_torch_make_the_same_car() -> None:
    generator = np.random.default_rng(3)
    low, high = (np.array([getattr(m, end) for m in MEASURES], np.float32) for end in ("low", "high"))
    base = np.stack([to_array(BODY_TYPES[kind]) for kind in BODY_TYPES])
    measures = np.clip(base + 0.05 * (high - low) * generator.standard_normal(base.shape), low, high).astype(np.float32)
    tensors = torch.from_numpy(measures)
    assert np.abs(numpy_body(measures) - body_vertices(tensors).numpy()).max() < 1e-5
    assert np.abs(numpy_centres(measures) - wheel_centres(tensors).numpy()).max() < 1e-6
    radius, width = NAMES.index("wheel_radius"), NAMES.index("tyre_width")
    wheel = wheel_vertices(measures[:, radius], measures[:, width]) + numpy_centres(measures)[:, :1]
    first = numpy_body(measures).shape[1]
    assert np.abs(wheel - whole_vertices(tensors)[:, first : first + wheel.shape[1]].numpy()).max() < 1e-5


def test_a_folded_body_is_told_from_a_sound_one(sedan: CarShape) -> None:
    base = to_array(sedan.measures)
    offset = offset_of(base)
    good = numpy_body(base[None]) + offset
    folded = good.copy()
    roof = folded[..., 2] > 1.3
    folded[roof] = folded[roof] * [1, -1, 1]  # the roof's front and rear change places
    assert Soundness(base, offset).folded_share(np.concatenate([good, folded])).tolist()[0] == 0.0
    assert Soundness(base, offset).folded_share(folded)[0] > 10 * FOLDED_SHARE
    inside_out = offset - 2 * (numpy_body(base[None])[0] - [0, 0, 0.7]) * [0, 0, 1]  # an offset alone can fold a body, too
    assert Soundness(base, offset).folded_share(numpy_body(base[None]) + inside_out)[0] > 10 * FOLDED_SHARE
    assert Soundness(base, inside_out).folded_share(numpy_body(base[None]) + inside_out)[0] == 0.0


def test_the_offset_is_what_the_body_has_beyond_the_template(sedan: CarShape) -> None:
    base = to_array(sedan.measures)
    body = numpy_body(base[None])[0] + offset_of(base)
    reshape = make_reshape(sedan, body)
    assert reshape.offset_m.dtype == np.float32 and np.abs(reshaped(base[None], base, reshape.offset_m)[0] - body).max() < 1e-6
    larger = varied(base, "width", np.array([base[NAMES.index("width")] * 1.1], np.float32))
    there = reshaped(larger, base, reshape.offset_m) - numpy_body(larger)
    assert np.abs(there - offset_of(base) * [1.1, 1, 1]).max() < 1e-6
    with pytest.raises(ShapeError, match="body_m"):
        make_reshape(sedan, body[:-1])


def test_sliders_are_the_measures_that_move_this_car(sedan: CarShape) -> None:
    reshape = bare_reshape(sedan)
    for name, (low, high) in reshape.ranges.items():
        assert low <= reshape.base[name] <= high and low < high
        bodies = numpy_body(varied(to_array(reshape.base), name, np.array([low, high], np.float32)))
        assert name == "tyre_width" or np.abs(bodies[0] - bodies[1]).max() > 1e-3, name
    assert set(NAMES) - set(reshape.ranges) == {*FIXED, "bed_depth"}  # a sedan has no bed
    assert "bed_depth" in bare_reshape(CarShape(BODY_TYPES["pickup"], "pickup")).ranges
    long = CarShape(sedan.measures | {"length": 7.5}, "sedan")  # beyond the table
    assert bare_reshape(long).ranges["length"][1] == 7.5
    short = CarShape(sedan.measures | {"length": 2.0}, "sedan")  # at an end of its range, and still to be moved to the other
    assert bare_reshape(short).ranges["length"][0] == 2.0


def test_file_comes_back_and_damage_is_told(sedan: CarShape, tmp_path: Path) -> None:
    base = to_array(sedan.measures)
    reshape, path = make_reshape(sedan, numpy_body(base[None])[0] + offset_of(base)), tmp_path / "reshape.npz"
    write_reshape(reshape, path)
    found = read_reshape(path)
    assert np.array_equal(found.offset_m, reshape.offset_m) and np.abs(found.offset_m).max() > 0.01
    for name in ("body_type", "base", "ranges", "template_key"):
        assert getattr(found, name) == getattr(reshape, name)
    assert [entry.name for entry in tmp_path.iterdir()] == ["reshape.npz"]
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UserInputError, match=r"reshape\.npz"):
        read_reshape(path)


def test_a_file_of_an_older_version_has_no_offset(sedan: CarShape, tmp_path: Path) -> None:
    base, path = to_array(sedan.measures), tmp_path / "reshape.npz"
    write_reshape(make_reshape(sedan, numpy_body(base[None])[0] + offset_of(base)), path)
    with np.load(path) as held:
        older = {name: held[name] for name in held if name != "offset_m"}
    np.savez(path, **older)
    found = read_reshape(path)
    assert found.base["length"] == pytest.approx(sedan.measures["length"]) and not found.offset_m.any()
    assert np.array_equal(reshaped(base[None], base, found.offset_m), numpy_body(base[None]))


def test_sliders_need_no_torch() -> None:
    """What Blender loads of the template must not load torch, which its Python has not."""
    code = "import sys, imago.core.car.reshape_file, imago.core.car.reshape as r; r.skeleton(); "
    code += "assert not {'torch', 'PIL', 'cv2', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_topology_is_built_once() -> None:
    assert skeleton() is skeleton()
