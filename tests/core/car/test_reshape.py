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
from imago.core.car.reshape import FIXED, make_reshape, varied
from imago.core.car.reshape_file import read_reshape, write_reshape
from imago.core.car.skeleton import body_vertices as numpy_body
from imago.core.car.skeleton import skeleton
from imago.core.car.soundness import FOLDED_SHARE, Soundness
from imago.core.car.wheels import wheel_centres as numpy_centres
from imago.core.car.wheels import wheel_vertices
from imago.core.errors import UserInputError
from imago.core.types import CarShape


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
    good = numpy_body(base[None])
    folded = good.copy()
    roof = folded[..., 2] > 1.3
    folded[roof] = folded[roof] * [1, -1, 1]  # the roof's front and rear change places
    assert Soundness(base).folded_share(np.concatenate([good, folded])).tolist()[0] == 0.0
    assert Soundness(base).folded_share(folded)[0] > 10 * FOLDED_SHARE


def test_sliders_are_the_measures_that_move_this_car(sedan: CarShape) -> None:
    reshape = make_reshape(sedan)
    for name, (low, high) in reshape.ranges.items():
        assert low <= reshape.base[name] <= high and low < high
        bodies = numpy_body(varied(to_array(reshape.base), name, np.array([low, high], np.float32)))
        assert name == "tyre_width" or np.abs(bodies[0] - bodies[1]).max() > 1e-3, name
    assert set(NAMES) - set(reshape.ranges) == {*FIXED, "bed_depth"}  # a sedan has no bed
    assert "bed_depth" in make_reshape(CarShape(BODY_TYPES["pickup"], "pickup")).ranges
    long = CarShape(sedan.measures | {"length": 7.5}, "sedan")  # beyond the table
    assert make_reshape(long).ranges["length"][1] == 7.5


def test_file_comes_back_and_damage_is_told(sedan: CarShape, tmp_path: Path) -> None:
    reshape, path = make_reshape(sedan), tmp_path / "reshape.npz"
    write_reshape(reshape, path)
    assert read_reshape(path) == reshape
    assert [entry.name for entry in tmp_path.iterdir()] == ["reshape.npz"]
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UserInputError, match=r"reshape\.npz"):
        read_reshape(path)


def test_sliders_need_no_torch() -> None:
    """What Blender loads of the template must not load torch, which its Python has not."""
    code = "import sys, imago.core.car.reshape_file, imago.core.car.reshape as r; r.skeleton(); "
    code += "assert not {'torch', 'PIL', 'cv2', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_topology_is_built_once() -> None:
    assert skeleton() is skeleton()
