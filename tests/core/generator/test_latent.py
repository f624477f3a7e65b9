"""Latents: one group at a time, even light, the way from one car to another; and cars invented from seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from imago.core.errors import UserInputError
from imago.core.generator import invent as inventing
from imago.core.generator.discriminator import Discriminator, DiscriminatorSize
from imago.core.generator.generator import Generator, GeneratorSize
from imago.core.generator.groups import FACTOR_COUNT, FACTOR_MEAN, FACTOR_SCALE, FACTORS, FREE_COUNT, NAMES, WIDTH, WIDTH_SLICE
from imago.core.generator.latent import Latent
from imago.core.generator.views import draw_views, straight, views_around
from imago.core.generator.weights import CarGenerator
from imago.core.invert.encoder import Encoder, EncoderSize
from imago.core.types import Settings

from .made_solid import box_solid

LAYERS = 4


@pytest.fixture(scope="module")
def parts() -> CarGenerator:
    torch.manual_seed(0)
    generator = Generator(GeneratorSize((16, 16), view=16, hidden=16)).requires_grad_(False)
    encoder = Encoder(EncoderSize((16, 16, 16), cell=16, hidden=16, picture_px=32, content_layers=LAYERS))
    known = torch.tensor(FACTOR_MEAN) + torch.randn(20, FACTOR_COUNT) * torch.tensor(FACTOR_SCALE)
    return CarGenerator(generator, encoder, Discriminator(DiscriminatorSize((16, 16, 16, 16), hidden=16)).first, known)


def random_latent(seed: int, count: int = 2) -> Latent:
    random = torch.Generator().manual_seed(seed)
    factors = torch.tensor(FACTOR_MEAN) + torch.randn((count, FACTOR_COUNT), generator=random) * torch.tensor(FACTOR_SCALE)
    return Latent(torch.randn((count, FREE_COUNT), generator=random), factors, 0.1 * torch.randn((count, LAYERS, WIDTH), generator=random))


@pytest.mark.parametrize("name", NAMES)
def test_a_group_of_another_car_changes_its_own_part_of_w_alone(parts: CarGenerator, name: str) -> None:
    one, other = random_latent(1), random_latent(2)
    mixed, before, after = one.with_group(name, other).w(parts.generator), one.w(parts.generator), other.w(parts.generator)
    own = WIDTH_SLICE[name]
    assert torch.equal(mixed[:, :, own], after[:, :, own])
    rest = np.setdiff1d(np.arange(WIDTH), np.arange(own.start, own.stop))
    assert torch.equal(mixed[:, :, rest], before[:, :, rest])


def test_under_even_light_cars_that_differ_in_light_alone_look_the_same(parts: CarGenerator) -> None:
    one = random_latent(1)
    other = one.with_group("light", random_latent(2))

    def drawn(latent: Latent) -> np.ndarray:
        return draw_views(parts.generator, latent, box_solid(), views_around(2, 0.2, 0.9))

    assert np.abs(drawn(one) - drawn(other)).max() > 1e-3
    assert np.array_equal(drawn(one.evenly_lit()), drawn(other.evenly_lit()))


def test_the_way_to_another_car_begins_and_ends_at_cars() -> None:
    one, other = random_latent(1), random_latent(2)
    assert torch.equal(one.toward(other, 0).factors, one.factors) and torch.equal(one.toward(other, 1).free, other.free)
    assert torch.allclose(one.toward(other, 0.5).departures, (one.departures + other.departures) / 2)


def test_a_factor_is_set_by_name_and_a_wrong_name_is_refused() -> None:
    found = random_latent(1).with_factors(paint_red=0.8)
    assert (found.factors[:, FACTORS.index("paint_red")] == 0.8).all()
    with pytest.raises(ValueError, match="paint_pink"):
        found.with_factors(paint_pink=1)


def test_views_go_once_round_and_stay_between_minus_and_plus_half_a_turn() -> None:
    views = views_around(12, 0.1, 0.8, first_rad=3.0)
    assert views[0, 0] == pytest.approx(3.0) and np.abs(views[:, 0]).max() <= np.pi
    steps = np.angle(np.exp(1j * np.diff(views[:, 0])))
    assert np.allclose(steps, 2 * np.pi / 12)


def test_straight_alpha_gives_the_colour_back() -> None:
    colour, alpha = np.array([0.2, 0.4, 0.8]), np.array([0.5])
    assert np.allclose(straight(np.concatenate([colour * alpha, alpha])), [0.2, 0.4, 0.8, 0.5])


def test_a_seed_is_a_car_and_without_variety_all_of_a_type_are_alike(parts: CarGenerator) -> None:
    def car(**settings: object) -> inventing.Invented:
        return inventing.invent(parts, Settings(invented=True, **settings))  # type: ignore[arg-type]

    def same(one: inventing.Invented, other: inventing.Invented) -> bool:
        shape = np.allclose(one.solid.triangles_m, other.solid.triangles_m, atol=1e-5)
        return shape and torch.allclose(one.latent.free, other.latent.free) and torch.allclose(one.latent.factors, other.latent.factors)

    assert same(car(seed=3), car(seed=3)) and not same(car(seed=3), car(seed=4))
    typical: dict[str, inventing.Invented] = {}
    for seed in range(12):
        made = car(seed=seed, truncation01=0.0)
        assert same(typical.setdefault(made.shape.body_type, made), made)
    assert 1 < len(typical) < 12
    assert same(car(seed=3, toward_seed=4, share01=0.0), car(seed=3)) and same(car(seed=3, toward_seed=4, share01=1.0), car(seed=4))


def test_body_type_and_paint_are_those_that_are_asked_for(parts: CarGenerator) -> None:
    made = inventing.invent(parts, Settings(invented=True, seed=3, invented_body="pickup", invented_paint_srgb01=(0.9, 0.1, 0.2)))
    plain = inventing.invent(parts, Settings(invented=True, seed=3))
    told, usual = (dict(zip(FACTORS, one.latent.factors[0].tolist(), strict=True)) for one in (made, plain))
    assert made.shape.body_type == "pickup" != plain.shape.body_type and told["body_pickup"] == 1
    assert [told[f"paint_{name}"] for name in ("red", "green", "blue")] == pytest.approx([0.9, 0.1, 0.2])
    same = [name for name in FACTORS if not name.startswith(("body_", "paint_red", "paint_green", "paint_blue"))]
    assert [told[name] for name in same] == [usual[name] for name in same]


def test_halfway_between_two_cars_every_measure_is_the_mean() -> None:
    one, other = inventing.drawn_shape(3, 0.7), inventing.drawn_shape(4, 0.7)
    half = inventing.between(one, other, 0.5)
    for name, value in half.measures.items():
        assert value == pytest.approx((one.measures[name] + other.measures[name]) / 2)
    assert np.allclose(half.coefficients, (np.array(one.coefficients) + other.coefficients) / 2)
    assert inventing.between(one, other, 0.4).body_type == one.body_type and half.body_type == other.body_type


def test_an_invented_picture_is_a_file_with_alpha_that_the_camera_belongs_to(parts: CarGenerator, tmp_path: Path) -> None:
    made, file = inventing.invent(parts, Settings(invented=True, seed=5)), tmp_path / "new" / "car.png"
    inventing.write_picture(parts.generator, made, file)
    with Image.open(file) as picture:
        assert picture.mode == "RGBA" and picture.size == made.camera.image_size_px == (inventing.SIDE_PX, inventing.SIDE_PX)
    assert [path.name for path in file.parent.iterdir()] == ["car.png"]
    (tmp_path / "file").write_text("")
    with pytest.raises(UserInputError, match="another folder"):
        inventing.write_picture(parts.generator, made, tmp_path / "file" / "car.png")


@pytest.mark.parametrize(
    "wrong",
    [
        {"truncation01": 1.5},
        {"share01": -0.1},
        {"seed": -1},
        {"toward_seed": 2**31},
        {"unseen": "magic"},
        {"invented_body": "tank"},
        {"body_type": "tank"},
        {"invented_paint_srgb01": (2, 0, 0)},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(UserInputError):
        Settings(**wrong)  # type: ignore[arg-type]
