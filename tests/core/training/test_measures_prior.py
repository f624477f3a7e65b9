"""The prior of the measures: learned from fits, moved by a table of dimensions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from imago.core.car.measures import BODY_TYPES, HIGH, INDEX, LOW, NAMES, to_vector
from imago.core.car.outline import part_vertices
from imago.core.car.space import shape_space, vertices_with
from imago.core.errors import UserInputError
from imago.core.training.measures_prior import hand_made_prior, learn_prior, of_outer_size, read_dimensions

FIXED = INDEX["cab_drop"]


def made_fits(count: int = 24) -> list[tuple[str, torch.Tensor]]:
    """Sedans and SUVs about their figures; longer ones have more wheelbase."""
    random, fits = torch.Generator().manual_seed(0), []
    for k in range(count):
        kind = "sedan" if k % 2 else "suv"
        measures = to_vector(BODY_TYPES[kind]) + 0.03 * (HIGH - LOW) * torch.randn(len(NAMES), generator=random)
        measures[INDEX["wheelbase"]] += 0.6 * (measures[INDEX["length"]] - BODY_TYPES[kind]["length"])
        measures[FIXED] = 0.0
        fits.append((kind, torch.minimum(torch.maximum(measures, LOW), HIGH)))
    return fits


def test_the_prior_before_any_fit_is_the_body_types(tmp_path: Path) -> None:
    prior = hand_made_prior()
    drawn = prior.measures(torch.ones(1, len(NAMES)), prior.typical["pickup"][None])[0]
    assert float(drawn[FIXED]) == 1.0 and bool((drawn >= LOW).all()) and bool((drawn <= HIGH).all())
    assert float(drawn[INDEX["length"]]) > BODY_TYPES["pickup"]["length"]


def test_the_prior_is_a_sound_gaussian() -> None:
    tensors = learn_prior(made_fits(), None)
    covariance = (tensors["factor"] @ tensors["factor"].T).double()
    assert bool((covariance[FIXED] == 0).all()), "a draw could be half a pickup"
    free = [k for k in range(len(NAMES)) if k != FIXED]
    assert float(torch.linalg.eigvalsh(covariance[free][:, free]).min()) > 0
    spread = covariance.diagonal().sqrt()[free] / (HIGH - LOW)[free]
    assert float(spread.min()) > 0.04, "a measure hardly moves"
    correlation = (
        covariance[INDEX["length"], INDEX["wheelbase"]] / (spread * (HIGH - LOW)[free])[[INDEX["length"], INDEX["wheelbase"]]].prod()
    )
    assert 0.1 < float(correlation) < 1
    for kind in BODY_TYPES:
        typical = tensors[f"typical.{kind}"]
        assert bool(((typical >= LOW) & (typical <= HIGH)).all()), kind
    assert torch.allclose(tensors["typical.van"], to_vector(BODY_TYPES["van"])), "no fit is a van"


def test_the_table_of_dimensions_moves_what_it_knows_and_what_follows(tmp_path: Path) -> None:
    lines = ["make,body,length_mm,width_mm,height_mm,wheelbase_mm"]
    for k in range(-4, 5):
        lines += [f"a,Sedan,{5000 + 40 * k},{1850 + 10 * k},{1450 - 5 * (k % 3)},{2900 + 20 * k + 7 * (k % 2)}", "b,Sedan,5000,,1450,2900"]
        lines += [f"c,Hatchback,{3500 + 5 * k},1600,1500,2300", "d,Hovercraft,9000,3000,3000,5000"]
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    dimensions = read_dimensions(tmp_path / "table.csv")
    assert set(dimensions) == {"sedan", "citycar"} and dimensions["sedan"].shape == (9, 4), "incomplete and foreign rows stay out"

    plain, told = learn_prior(made_fits(), None), learn_prior(made_fits(), dimensions)
    sedan = told["typical.sedan"]
    assert float(sedan[INDEX["length"]]) == pytest.approx(5.0, abs=1e-4)
    assert float(sedan[INDEX["wheelbase"]]) == pytest.approx(np.median(dimensions["sedan"][:, 3]), abs=1e-4)
    assert torch.equal(told["typical.van"], plain["typical.van"]), "the table holds no van"
    others = [k for k, name in enumerate(NAMES) if name not in ("length", "width", "height", "wheelbase", "cab_drop")]
    assert not torch.allclose(sedan[others], plain["typical.sedan"][others]), "nothing follows the dimensions"
    lengths = np.concatenate([rows[:, 0] - np.median(rows[:, 0]) for rows in dimensions.values()])
    spread = float((told["factor"] @ told["factor"].T)[INDEX["length"], INDEX["length"]].sqrt())
    assert spread == pytest.approx(lengths.std(ddof=1), rel=0.1)
    with pytest.raises(UserInputError, match="missing"):
        read_dimensions(tmp_path / "no.csv")


def test_decades_of_the_table_count_alike(tmp_path: Path) -> None:
    """Twenty old cars and two new ones: the middle lies between them; a single one of a third decade is not repeated without end."""
    lines = ["body,year_from,length_mm,width_mm,height_mm,wheelbase_mm"]
    lines += ["Sedan,1988,4000,1700,1300,2500"] * 20 + ["Sedan,2015,5000,1900,1500,2900"] * 2 + ["Sedan,2021,5200,1900,1500,2900"]
    (tmp_path / "table.csv").write_text("\n".join(lines) + "\n")
    lengths = read_dimensions(tmp_path / "table.csv")["sedan"][:, 0]
    counts = [int((lengths == length).sum()) for length in (4.0, 5.0, 5.2)]
    assert counts == [20, 20, 10]


def test_typical_cars_are_as_wide_and_high_outside_as_the_table_says() -> None:
    """What the space adds to a template of a table's width stands out of it; mirrors do not count."""
    space = shape_space()
    wanted = {f"typical.{kind}": to_vector(figures) for kind, figures in BODY_TYPES.items()}
    moved = of_outer_size(wanted, space)
    mirrors = part_vertices("mirror_left", "mirror_right")
    for kind in BODY_TYPES:
        measures, told = moved[f"typical.{kind}"], wanted[f"typical.{kind}"]
        body = np.delete(vertices_with(measures[None], torch.from_numpy(space.typical[kind])[None], space)[0].numpy(), mirrors, 0)
        assert np.ptp(body[:, 0]) == pytest.approx(float(told[INDEX["width"]]), abs=2e-3), kind
        assert body[:, 2].max() == pytest.approx(float(told[INDEX["height"]]), abs=2e-3), kind
        rest = [k for k, name in enumerate(NAMES) if name not in ("width", "height")]
        assert torch.equal(measures[rest], told[rest])
