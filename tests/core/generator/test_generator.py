"""The generator: what the view may change and what the content, group by group; sizes; the file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from imago.core.errors import ShapeError, WeightsError
from imago.core.generator.discriminator import Discriminator, DiscriminatorSize
from imago.core.generator.generator import VIEW_LAYERS, Generator, GeneratorSize
from imago.core.generator.groups import (
    FACTOR_COUNT,
    FACTOR_MEAN,
    FACTOR_SLICE,
    FACTORS,
    FREE_COUNT,
    FREE_SLICE,
    MIRRORED_FACTORS,
    NAMES,
    WIDTH,
    WIDTH_SLICE,
)
from imago.core.generator.weights import CarGenerator, generator_of, save_generator
from imago.core.invert.encoder import Encoder, EncoderSize

from .made_solid import box_solid

SMALL = GeneratorSize((16, 16), view=16, hidden=16)
SMALL_JUDGE = DiscriminatorSize((16, 16, 16, 16), hidden=16)
VIEW = torch.tensor([[0.4, 0.2, 0.8], [-2.0, 0.1, 0.5]])
SURFACE = box_solid().surfaces(VIEW.double().numpy(), SMALL.picture_px)


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(SMALL)


def random_w(generator: Generator, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return generator.map(torch.randn((2, FREE_COUNT), generator=random), torch.tensor(FACTOR_MEAN).expand(2, -1))


def seen_by_layers(generator: Generator, view: torch.Tensor, w: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Styles and outputs of all layers, in order."""
    styles: list[torch.Tensor] = []
    outputs: list[torch.Tensor] = []

    def note(_: torch.nn.Module, given: tuple[torch.Tensor, ...], told: torch.Tensor) -> None:
        styles.append(given[1])
        outputs.append(told)

    hooks = [layer.register_forward_hook(note) for layer in generator.layers]
    generator(SURFACE, view, w)
    for hook in hooks:
        hook.remove()
    return styles, outputs


def test_the_view_enters_the_first_four_layers_alone_and_the_content_the_others(generator: Generator) -> None:
    view, w = VIEW.clone().requires_grad_(True), random_w(generator).detach().requires_grad_(True)
    styles, _ = seen_by_layers(generator, view, w)
    assert VIEW_LAYERS == 4 and len(styles) == VIEW_LAYERS + 2 * len(SMALL.channels)
    for number, style in enumerate(styles):
        by_view, by_content = torch.autograd.grad(style.square().sum(), (view, w), allow_unused=True, retain_graph=True)
        if number < VIEW_LAYERS:
            assert by_content is None and by_view is not None and by_view.abs().sum() > 0
        else:
            assert by_view is None and by_content is not None and by_content.abs().sum() > 0


def test_other_content_leaves_what_the_first_four_layers_say(generator: Generator) -> None:
    _, one = seen_by_layers(generator, VIEW, random_w(generator, 0))
    _, other = seen_by_layers(generator, VIEW, random_w(generator, 1))
    same = [torch.equal(a, b) for a, b in zip(one, other, strict=True)]
    assert same == [True] * VIEW_LAYERS + [False] * (len(same) - VIEW_LAYERS)


@pytest.mark.parametrize("name", NAMES)
def test_setting_one_group_changes_its_part_of_w_alone(generator: Generator, name: str) -> None:
    free, factors = torch.zeros(1, FREE_COUNT), torch.tensor(FACTOR_MEAN)[None]
    before = generator.map(free, factors)
    free[:, FREE_SLICE[name]] += 1
    changed = (generator.map(free, factors) != before)[0]
    own = torch.zeros(WIDTH, dtype=torch.bool)
    own[WIDTH_SLICE[name]] = True
    assert changed[own].any() and not changed[~own].any()
    if name != "rest":
        factors[:, FACTOR_SLICE[name]] += 0.5
        changed_too = (generator.map(torch.zeros(1, FREE_COUNT), factors) != before)[0]
        assert changed_too[own].any() and not changed_too[~own].any()


def test_groups_fill_their_vectors_without_gap_or_overlap() -> None:
    for slices, count in ((FACTOR_SLICE, FACTOR_COUNT), (FREE_SLICE, FREE_COUNT), (WIDTH_SLICE, WIDTH)):
        assert [k for part in slices.values() for k in range(part.start, part.stop)] == list(range(count))
    assert len(set(FACTORS)) == FACTOR_COUNT
    assert [MIRRORED_FACTORS[k] for k in MIRRORED_FACTORS] == list(range(FACTOR_COUNT))
    assert FACTORS[MIRRORED_FACTORS[FACTORS.index("light_left_red")]] == "light_right_red"


def test_one_style_for_all_layers_is_the_same_style_for_each(generator: Generator) -> None:
    w = random_w(generator)
    assert torch.equal(generator(SURFACE, VIEW, w), generator(SURFACE, VIEW, w[:, None].expand(-1, SMALL.content_layers, -1)))


def test_the_picture_follows_the_surface(generator: Generator) -> None:
    """What is drawn of a pixel depends on what the surface shows there, from the first size on."""
    w = random_w(generator).detach()
    empty = torch.zeros_like(SURFACE)
    apart = (generator(SURFACE, VIEW, w, 16) - generator(empty, VIEW, w, 16)).abs().sum(1)
    shown = torch.nn.functional.max_pool2d((SURFACE[:, 1] > 0).float(), 2) > 0
    assert apart[shown].mean() > 1.5 * apart[~shown].mean() > 0  # convolutions carry it a little further


def test_pictures_of_every_size_and_no_other(generator: Generator) -> None:
    w = random_w(generator)
    assert generator(SURFACE, VIEW, w).shape == (2, 4, 32, 32) and generator(SURFACE, VIEW, w, 16).shape == (2, 4, 16, 16)
    with pytest.raises(ValueError, match="no output of 8 pixels, only of 16, 32"):
        generator(SURFACE, VIEW, w, 8)
    with pytest.raises(ShapeError):
        generator(SURFACE, VIEW, w[:, :-1])


def test_the_discriminator_takes_the_view_and_coarser_pictures() -> None:
    torch.manual_seed(0)
    judge, picture = Discriminator(SMALL_JUDGE), torch.randn(2, 4, 32, 32)
    score, told = judge(picture, VIEW)
    assert score.shape == (2,) and [t.shape[-1] for t in told] == [16, 8, 4]
    assert not torch.allclose(score, judge(picture, VIEW.flip(0))[0])
    coarse, told = judge(picture[:, :, ::2, ::2], VIEW)
    assert coarse.shape == (2,) and len(told) == 2
    with pytest.raises(ValueError, match="not 64"):
        judge(torch.randn(2, 4, 64, 64), VIEW)


def test_the_file_gives_back_what_was_saved_and_is_small_enough(tmp_path: Path) -> None:
    torch.manual_seed(0)
    parts = CarGenerator(Generator(), Encoder(), Discriminator().first, torch.randn(8, FACTOR_COUNT))
    file = tmp_path / "generator.safetensors"
    save_generator(parts, file)
    assert file.stat().st_size < 20 * 2**20
    again = generator_of(file.read_bytes())
    assert again.generator.size == GeneratorSize() and again.encoder.size == EncoderSize() and not again.generator.training
    for one, other in ((again.generator, parts.generator), (again.encoder, parts.encoder), (again.features, parts.features)):
        assert all(torch.allclose(a, b, rtol=1e-3, atol=1e-6) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert torch.allclose(again.known_factors, parts.known_factors, rtol=1e-3)
    with pytest.raises(WeightsError, match="train generator"):
        generator_of(file.read_bytes()[:1000])
