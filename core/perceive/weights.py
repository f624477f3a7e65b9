"""The network's file: fp16 safetensors whose metadata holds the network's size."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from ..network_file import fitting, read_network, write_network
from ..weights import FOLDER, read_checked
from .network import CarNetwork, NetworkSize

KEY, FILE = "perceive", "perceive.safetensors"


def save_network(network: CarNetwork, file: Path) -> None:
    """Write a network as fp16, aside and then renamed."""
    write_network(file, network.state_dict(), asdict(network.size))


def load_network(folder: Path = FOLDER) -> CarNetwork:
    """The network that FOLDER/manifest.json names, its sha256 checked; float32, in eval mode.

    Raises:
        WeightsError: a file is missing, damaged or another one than the manifest names.
    """
    return network_of(read_checked(folder, KEY))


def network_of(content: bytes) -> CarNetwork:
    """The network in the bytes of a file of save_network; float32, in eval mode.  Raises WeightsError where they do not fit."""
    with fitting(FILE, KEY):
        size, tensors = read_network(content)
        finer = size.get("finer", 0)  # the first files had none
        network = CarNetwork(NetworkSize(tuple(size["channels"]), tuple(size["decoder"]), size["cell"], size["hidden"], finer))
        network.load_state_dict(tensors)
    return network.eval()
