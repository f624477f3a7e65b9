"""The viewpoint network's file: fp16 safetensors, its sha256 in the manifest beside it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save_file

from ..errors import WeightsError
from .network import NetworkSize, ViewpointNetwork

FILE = "perceive.safetensors"
REMEDY = "fetch the weights folder again or make the file with `build.py train perceive`"


def sha256_of(file: Path) -> str:
    """Hexadecimal sha256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def save_network(network: ViewpointNetwork, file: Path) -> None:
    """Write a network as fp16 with its size in the metadata, aside and then renamed."""
    channels = (network.stem.out_channels, *(stage.convolution2.out_channels for stage in network.stages))  # type: ignore[union-attr]
    size = {"channels": json.dumps(channels), "hidden": str(network.shared.out_features)}
    tensors = {name: value.half().contiguous() if value.is_floating_point() else value for name, value in network.state_dict().items()}
    aside = file.with_suffix(".part")
    save_file(tensors, aside, metadata=size)
    os.replace(aside, file)


def load_network(folder: Path) -> ViewpointNetwork:
    """Read FOLDER/perceive.safetensors after checking its sha256 against FOLDER/manifest.json; float32, in eval mode.

    Raises:
        WeightsError: a file is missing, damaged or another one than the manifest names.
    """
    file, manifest = folder / FILE, folder / "manifest.json"
    if not file.is_file() or not manifest.is_file():
        raise WeightsError(f"{file} or {manifest} is missing; {REMEDY}.")
    wanted = json.loads(manifest.read_text())["perceive"]["sha256"]
    found = sha256_of(file)
    if found != wanted:
        raise WeightsError(f"{file} is damaged or of another version (sha256 {found[:12]}..., wanted {wanted[:12]}...); {REMEDY}.")
    return read_network(file)


def read_network(file: Path) -> ViewpointNetwork:
    """Read a network written by save_network, whatever its sha256; float32, in eval mode.  Raises WeightsError where it does not fit."""
    content = file.read_bytes()
    try:
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
        network = ViewpointNetwork(NetworkSize(tuple(json.loads(header["channels"])), int(header["hidden"])))
        network.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in load(content).items()})
    except (SafetensorError, RuntimeError, KeyError, ValueError) as problem:
        raise WeightsError(f"{file} is no viewpoint network of this version ({problem}); {REMEDY}.") from problem
    return network.eval()
