"""The template: one closed topology of quads, symmetric, with wheels on the ground and measures that do what their names say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from imago.core.car.atlas import MARGIN_M
from imago.core.car.car import FEW, body_vertices, build_body, build_lights, build_wheels, dimensions_m, vectors, whole, whole_vertices
from imago.core.car.measures import BODY_TYPES, HIGH, INDEX, LOW, MEASURES, NAMES, to_dict, to_vector
from imago.core.car.outline import part_vertices
from imago.core.car.parts import LIGHT_KINDS, base_name
from imago.core.car.prior import shape_prior
from imago.core.car.skeleton import skeleton
from imago.core.car.space import scale, shape_space
from imago.core.car.template import reference_atlas, template
from imago.core.car.wheels import wheel_faces
from imago.core.errors import ShapeError, WeightsError
from imago.core.types import CarShape, MeshData

TYPES = sorted(BODY_TYPES)

NAMED_PARTS = """
hood roof windshield rear_window side_window_front_left door_front_left door_rear_right fender_front_left fender_rear_right
bumper_front bumper_rear grille headlight_left headlight_right taillight_left indicator_front_left indicator_rear_right mirror_left
mirror_right license_plate_front license_plate_rear trunk sill_left wheel_arch_front_left wheel_arch_rear_right underbody
""".split()


def car_of(kind: str) -> tuple[CarShape, MeshData]:
    shape = CarShape(BODY_TYPES[kind], kind)
    return shape, build_body(shape)


def directed_edges(quads: np.ndarray) -> np.ndarray:
    return np.concatenate([np.stack([quads[:, k], quads[:, (k + 1) % 4]], 1) for k in range(4)])


@pytest.mark.parametrize("quads", [template().quads, wheel_faces()[0]], ids=["body", "wheel"])
def test_every_edge_joins_two_faces_the_right_way_round(quads: np.ndarray) -> None:
    edges = {tuple(e) for e in directed_edges(quads).tolist()}
    assert len(edges) == 4 * len(quads), "an edge is walked twice in one direction"
    assert all((b, a) in edges for a, b in edges), "the mesh has a border"
    assert len(np.unique(quads)) == quads.max() + 1, "a vertex is loose"


def test_the_body_is_one_sphere_without_handles() -> None:
    quads = template().quads
    vertices, edges = quads.max() + 1, len(directed_edges(quads)) // 2
    assert vertices - edges + len(quads) == 2


def test_face_budget() -> None:
    assert 6000 <= len(template().quads) + 4 * len(wheel_faces()[0]) <= 12000


@pytest.mark.parametrize("kind", TYPES)
def test_body_is_solid_symmetric_and_on_the_ground(kind: str) -> None:
    shape, body = car_of(kind)
    corners = body.vertices_m[body.quads].astype(np.float64)
    volume = sum(np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, a], corners[:, b])).sum() / 6 for a, b in ((1, 2), (2, 3)))
    size = dimensions_m(shape, body)
    no_mirrors = np.delete(body.vertices_m, part_vertices("mirror_left", "mirror_right"), 0)
    assert size["width"] == pytest.approx(2 * no_mirrors[:, 0].max(), abs=1e-3)
    assert size["width"] < np.ptp(body.vertices_m[:, 0]) - 0.05, "with its mirrors"
    assert 0.35 < volume / (size["length"] * size["width"] * size["height"]) < 0.85, "normals point in, or the body folds over"
    ordered = {tuple(np.round(v, 5)) for v in body.vertices_m.tolist()}
    assert all((round(-x, 5) + 0.0, y, z) in ordered or abs(x) < 1e-4 for x, y, z in ordered), "left and right differ"
    areas = np.linalg.norm(np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]), axis=1) / 2
    assert areas.min() > 1e-6, "a face has collapsed"


@pytest.mark.parametrize("kind", TYPES)
def test_outer_faces_look_outwards(kind: str) -> None:
    """Hood and roof look up, doors to their side, bumpers ahead and behind."""
    _, body = car_of(kind)
    corners = body.vertices_m[body.quads]
    normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    ways = {"hood": (2, 1), "roof": (2, 1), "door_front_left": (0, 1), "door_front_right": (0, -1), "underbody": (2, -1)}
    for part, (axis, sign) in (ways | {"license_plate_front": (1, -1), "license_plate_rear": (1, 1)}).items():
        assert (sign * normal[body.faces_of(part), axis]).mean() > 0.5, part


@pytest.mark.parametrize("kind", TYPES)
def test_wheels_touch_the_ground_inside_their_arches(kind: str) -> None:
    shape, body = car_of(kind)
    wheels = build_wheels(shape)
    assert [w.name for w in wheels] == ["wheel_front_left", "wheel_front_right", "wheel_rear_left", "wheel_rear_right"]
    for wheel in wheels:
        points = wheel.mesh.vertices_m + np.array(wheel.center_car)
        assert abs(points[:, 2].min()) < 1e-4
        side = "left" if wheel.center_car[0] > 0 else "right"
        end = "front" if wheel.center_car[1] < 0 else "rear"
        arch = body.vertices_m[np.unique(body.quads[body.faces_of(f"wheel_arch_{end}_{side}")])]
        over = arch[arch[:, 2] > wheel.radius_m]
        distance = np.hypot(over[:, 1] - wheel.center_car[1], over[:, 2] - wheel.center_car[2])
        rim = distance[np.abs(over[:, 1] - wheel.center_car[1]) > 0.3 * wheel.radius_m]
        assert rim.min() > 0, "no arch"
        outside = np.abs(points[:, 0]).max() - np.abs(arch[:, 0]).max()
        assert outside < 0.03, f"the tyre sticks {outside:.3f} m out of its arch"
        tread_top = wheel.center_car[2] + wheel.radius_m
        assert arch[:, 2].max() > tread_top + 0.01, "the tyre cuts the arch"


@pytest.mark.parametrize("kind", TYPES)
def test_named_parts_and_lamps(kind: str) -> None:
    _, body = car_of(kind)
    assert set(NAMED_PARTS) <= set(body.part_names)
    assert all(len(body.faces_of(name)) for name in body.part_names)
    lights = build_lights(body)
    assert {light.kind for light in lights} == set(LIGHT_KINDS.values())
    for light in lights:
        rear = base_name(light.name) in ("taillight", "brake_light", "reverse_light", "indicator_rear")
        assert light.normal_car[1] * (1 if rear else -1) > -0.2, f"{light.name} shines the wrong way"
        assert (light.center_car[0] > 0) == light.name.endswith("_left")


def test_body_types_differ_where_they_should() -> None:
    sedan, van, pickup = (car_of(kind)[1] for kind in ("sedan", "van", "pickup"))
    assert "bed" in pickup.part_names and "bed" not in sedan.part_names
    assert "side_window_quarter_left" in van.part_names and "side_window_quarter_left" not in sedan.part_names
    floor = pickup.vertices_m[np.unique(pickup.quads[pickup.faces_of("bed")])]
    assert np.ptp(floor[:, 2]) > 0.8 * BODY_TYPES["pickup"]["bed_depth"]
    assert (sedan.quads == pickup.quads).all() and (sedan.uv01 == van.uv01).all(), "there is one topology and one UV layout"


@pytest.mark.parametrize("kind", TYPES)
def test_measures_mean_what_they_say(kind: str) -> None:
    measures = BODY_TYPES[kind]
    for name, axis in (("length", 1), ("height", 2)):
        longer = measures | {name: measures[name] + 0.03}
        before, after = (float(np.ptp(whole_vertices(to_vector(m)[None])[0, :, axis].numpy())) for m in (measures, longer))
        assert after - before == pytest.approx(0.03, abs=0.002), name
        assert before == pytest.approx(measures[name], abs=0.03), name
    wheels = build_wheels(CarShape(measures, kind))
    assert wheels[2].center_car[1] - wheels[0].center_car[1] == pytest.approx(measures["wheelbase"], abs=1e-4)
    assert wheels[0].center_car[2] == pytest.approx(measures["wheel_radius"], abs=1e-4)


def test_vertices_have_the_gradients_of_finite_differences() -> None:
    at = to_vector(BODY_TYPES["sedan"]).double()[None]
    weight = torch.sin(torch.arange(3.0, dtype=torch.float64) + 1)
    # the template's constants are float32, so the differences are wide enough for that
    at32 = at.float().requires_grad_()
    whole_vertices(at32).double().mul(weight).sum().backward()
    assert at32.grad is not None
    for k in range(len(NAMES)):
        step = torch.zeros_like(at)
        step[0, k] = 2e-3
        ahead, behind = (float(whole_vertices((at + sign * step).float()).double().mul(weight).sum()) for sign in (1, -1))
        slope = (ahead - behind) / 4e-3
        assert float(at32.grad[0, k]) == pytest.approx(slope, rel=0.05, abs=2.0), NAMES[k]


PAINTED = """
hood roof trunk windshield door_front_left door_front_right door_rear_left door_rear_right fender_front_left fender_front_right
fender_rear_left fender_rear_right
""".split()


def test_uv_islands_stay_inside_and_apart() -> None:
    """No texel holds the middles of more than two painted faces of some size, so no two islands share it."""
    shared, size = template(), 512
    uv01, names = shared.uv01, np.array(shared.part_names)[shared.part_index]
    assert uv01.min() > 0 and uv01.max() < 1
    areas01 = 0.5 * np.abs(np.cross(uv01[:, 2] - uv01[:, 0], uv01[:, 3] - uv01[:, 1]))
    large = np.isin(names, PAINTED) & (areas01 * size**2 > 1.5)
    _, counts = np.unique((uv01[large].mean(1) * size).astype(int) @ [1, size], return_counts=True)
    assert counts.max() <= 2, "islands overlap"
    assert 0.35 < areas01.sum() < 0.95
    assert MARGIN_M / reference_atlas().size_m * 2048 > 8, "islands closer than the painter's padding"


def test_prior_is_centred_on_plausible_cars() -> None:
    prior = shape_prior()
    assert set(prior.typical) == set(BODY_TYPES)
    torch.manual_seed(0)
    for kind, typical in prior.typical.items():
        assert bool(((typical >= LOW) & (typical <= HIGH)).all()), kind
        drawn = prior.measures(torch.randn(16, len(NAMES)), typical[None])
        assert bool(((drawn >= LOW - 1e-5) & (drawn <= HIGH + 1e-5)).all())
        assert bool((drawn[:, INDEX["cab_drop"]] == typical[INDEX["cab_drop"]]).all()), "a draw is never half a pickup"
        assert bool(torch.isfinite(whole_vertices(drawn)).all())


def test_measures_travel_by_name() -> None:
    vector = to_vector(BODY_TYPES["van"])
    assert to_dict(vector) == pytest.approx(BODY_TYPES["van"])
    assert len({m.name for m in MEASURES}) == len(MEASURES) and all(m.low < m.high for m in MEASURES)
    for kind in TYPES:
        assert bool(((to_vector(BODY_TYPES[kind]) >= LOW) & (to_vector(BODY_TYPES[kind]) <= HIGH)).all()), kind


def test_whole_matches_its_vertices() -> None:
    mesh = whole()
    vertices = whole_vertices(to_vector(BODY_TYPES["suv"])[None])
    assert int(mesh.triangles.max()) + 1 == vertices.shape[1] and len(mesh.part_index) == len(mesh.triangles)


def test_a_shape_is_a_point_of_the_learned_space() -> None:
    """Its body is the template's plus stretched offset and modes; what coefficients it does not give are zero; wheels stay exact."""
    space, measures = shape_space(), BODY_TYPES["suv"]
    given = (1.5, -2.0, 0.5)
    vector = to_vector(measures)[None]
    half = space.offset_m + np.tensordot(np.array(given, np.float32), space.modes_m[:3], 1)
    wanted = skeleton().whole(half[None] * scale(vector).numpy())[0] + body_vertices(vector)[0].numpy()
    body = build_body(CarShape(measures, "suv", given))
    assert np.abs(body.vertices_m - wanted).max() < 1e-5
    assert np.abs(body.vertices_m - body_vertices(vector)[0].numpy()).max() > 0.02
    whole_car = whole_vertices(*vectors(CarShape(measures, "suv", given)))[0]
    assert np.array_equal(whole_car[: len(wanted)].numpy(), body.vertices_m)
    assert torch.equal(whole_car[len(wanted) :], whole_vertices(vector)[0, len(wanted) :])
    with pytest.raises(ShapeError, match="modes"):
        vectors(CarShape(measures, "suv", (0.0,) * (space.mode_count + 1)))


def test_without_its_file_there_is_no_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from imago.core.car import car as module

    monkeypatch.setattr(module, "shape_space", lambda: shape_space(tmp_path))
    assert body_vertices(to_vector(BODY_TYPES["suv"])[None]).shape[2] == 3, "the bare template needs no weights"
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(WeightsError, match="train shape"):
        build_body(CarShape(BODY_TYPES["suv"], "suv"))


def test_a_few_cars_by_numpy_are_those_that_torch_follows() -> None:
    """With a residual as well: where gradients are wanted torch makes the vertices, elsewhere numpy; the same ones to a micrometre."""
    prior, space = shape_prior(), shape_space()
    kinds = ("sedan", "pickup", "van")
    measures = torch.stack([prior.typical[kind] for kind in kinds])
    coefficients = torch.from_numpy(np.stack([space.typical[kind] for kind in kinds]))
    residual_m = np.random.default_rng(0).normal(0, 0.01, space.offset_m.shape).astype(np.float32)
    plain = whole_vertices(measures, coefficients, residual_m)
    followed = whole_vertices(measures.clone().requires_grad_(), coefficients, residual_m)
    assert followed.requires_grad and not plain.requires_grad and plain.dtype == followed.dtype == torch.float32
    assert float((plain - followed.detach()).abs().max()) < 1e-6
    many = whole_vertices(measures[:1].expand(FEW + 1, -1), coefficients[:1].expand(FEW + 1, -1), residual_m)
    assert float((many - plain[:1]).abs().max()) < 1e-6
