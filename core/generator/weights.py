"""The generator's file: generator, encoder, the discriminator's first blocks and cars' known factors as fp16 safetensors, the networks'
sizes in the metadata."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from ..invert.encoder import Encoder, EncoderSize
from ..network_file import fitting, read_network, write_network
from ..weights import FOLDER, read_checked
from .discriminator import DiscriminatorSize, FirstBlocks
from .generator import Generator, GeneratorSize

KNOWN = "known_factors"
KEY, FILE = "generator", "generator.safetensors"


@dataclass(frozen=True)
class CarGenerator:
    """What draws cars, what reads them, and what tells how unlike two pictures look; float32, in eval mode.

    known_factors (N, F): those of some training pictures, none missing, for inventing cars.
    """

    generator: Generator
    encoder: Encoder
    features: FirstBlocks
    known_factors: torch.Tensor


def save_generator(parts: CarGenerator, file: Path) -> None:
    """Write the networks as fp16, aside and then renamed."""
    modules: dict[str, nn.Module] = {"generator": parts.generator, "encoder": parts.encoder, "features": parts.features}
    tensors = {f"{key}.{name}": value for key, module in modules.items() for name, value in module.state_dict().items()}
    tensors[KNOWN] = parts.known_factors
    sizes = {"generator": asdict(parts.generator.size), "encoder": asdict(parts.encoder.size), "features": asdict(parts.features.size)}
    write_network(file, tensors, sizes)


@functools.cache
def loaded(folder: Path = FOLDER) -> CarGenerator:
    """load_generator(), once for each folder."""
    return load_generator(folder)


def load_generator(folder: Path = FOLDER) -> CarGenerator:
    """The networks that FOLDER/manifest.json names, their sha256 checked.

    Raises:
        WeightsError: the file is missing, damaged or another one than the manifest names.
    """
    return generator_of(read_checked(folder, KEY))


def generator_of(content: bytes) -> CarGenerator:
    """The networks in the bytes of a file of save_generator.  Raises WeightsError where they do not fit."""
    with fitting(FILE, KEY):
        size, tensors = read_network(content)
        for one in size.values():
            one["channels"] = tuple(one["channels"])
        parts = CarGenerator(
            Generator(GeneratorSize(**size["generator"])).eval(), Encoder(EncoderSize(**size["encoder"])).eval(),
            FirstBlocks(DiscriminatorSize(**size["features"])).eval(), tensors.pop(KNOWN),
        )  # fmt: skip
        for key, module in (("generator", parts.generator), ("encoder", parts.encoder), ("features", parts.features)):
            own = {name.removeprefix(f"{key}."): value for name, value in tensors.items() if name.startswith(f"{key}.")}
            module.load_state_dict(own)
            module.requires_grad_(False)
    return parts
