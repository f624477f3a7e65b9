"""The network's file: fp16 safetensors whose metadata holds the network's size."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save_file

from ..errors import WeightsError
from ..weights import FOLDER, read_checked
from .network import CarNetwork, NetworkSize

KEY, FILE = "perceive", "perceive.safetensors"


def save_network(network: CarNetwork, file: Path) -> None:
    """Write a network as fp16, aside and then renamed."""
    tensors = {name: value.half().contiguous() if value.is_floating_point() else value for name, value in network.state_dict().items()}
    aside = file.with_suffix(".part")
    save_file(tensors, aside, metadata={"size": json.dumps(asdict(network.size))})
    os.replace(aside, file)


def load_network(folder: Path = FOLDER) -> CarNetwork:
    """The network that FOLDER/manifest.json names, its sha256 checked; float32, in eval mode.

    Raises:
        WeightsError: a file is missing, damaged or another one than the manifest names.
    """
    return network_of(read_checked(folder, KEY))


def network_of(content: bytes) -> CarNetwork:
    """The network in the bytes of a file of save_network; float32, in eval mode.  Raises WeightsError where they do not fit."""
    try:
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        size = json.loads(header["size"])
        network = CarNetwork(NetworkSize(tuple(size["channels"]), tuple(size["decoder"]), size["cell"], size["hidden"]))
        network.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in load(content).items()})
    except (SafetensorError, RuntimeError, KeyError, ValueError, TypeError) as problem:
        raise WeightsError(
            f"{FILE} holds no network of this version ({problem}); make it with `python3 build.py train {KEY}`."
        ) from problem
    return network.eval()
