"""A tiny generator with its encoder, and photographs of a grey box of a car seen by it."""

from __future__ import annotations

import pytest
import torch

from imago.core.generator.discriminator import Discriminator, DiscriminatorSize
from imago.core.generator.generator import Generator, GeneratorSize
from imago.core.generator.groups import FACTOR_MEAN
from imago.core.generator.weights import CarGenerator
from imago.core.invert.encoder import Encoder, EncoderSize

from ..generator.made_solid import box_solid

SIDE, LAYERS = 32, 4
SOLID = box_solid()
BOX = SOLID.box


@pytest.fixture(scope="module")
def parts() -> CarGenerator:
    torch.manual_seed(0)
    generator = Generator(GeneratorSize((16, 16), view=16, hidden=16)).requires_grad_(False)
    for output in generator.outputs.values():
        output.modulated.convolution.weight.mul_(10)  # fresh outputs say next to nothing
    encoder = Encoder(EncoderSize((16, 16, 16), cell=16, hidden=16, picture_px=SIDE, content_layers=LAYERS)).requires_grad_(False)
    judge = Discriminator(DiscriminatorSize((16, 16, 16, 16), hidden=16)).first.requires_grad_(False)
    return CarGenerator(generator, encoder, judge, torch.tensor(FACTOR_MEAN)[None])
