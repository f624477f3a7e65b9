"""Put a finished run's network into the weights folder and write its entry in the manifest.

python -m imago.core.training.release_weights RUN_DIR WEIGHTS_DIR --scores SCORES.json --command COMMAND --machine MACHINE
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

from ..perceive.weights import FILE, KEY, network_of
from ..weights import write_entry

DATA = "renders and drawings of the 30 cars of the split `train` under the panoramas of Poly Haven; attribution in README.md"
LICENCE = "GPL-3.0-or-later for the weights; the cars' attribution is in README.md"


def release(run: Path, weights: Path, scores: dict[str, Any], command: str, machine: str, commit: str) -> dict[str, Any]:
    """Copy RUN/perceive.safetensors, name it in WEIGHTS/manifest.json, and return its entry.

    Raises WeightsError where the file is no network.
    """
    content = (run / FILE).read_bytes()
    network_of(content)
    config, last = json.loads((run / "config.json").read_text()), json.loads((run / "curves.jsonl").read_text().splitlines()[-1])
    facts = {"trained_by": command, "commit": commit, "data": DATA, "licence": LICENCE, "seed": config["seed"]}
    if config.get("begun_with_sha256"):
        facts["begun_with_sha256"] = config["begun_with_sha256"]
    facts |= {
        "minutes": round(last["trained_s"] / 60, 1),
        "steps": last["step"],
        "batch": config["batch"],
        "machine": machine,
        "scores": scores,
    }
    write_entry(weights, KEY, FILE, content, facts)
    return facts


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--command", required=True)
    parser.add_argument("--machine", required=True)
    parser.add_argument("--commit", help="the commit that the run was trained with; default the present one")
    given = parser.parse_args()
    commit = (
        given.commit or subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    )
    entry = release(given.run, given.weights, json.loads(given.scores.read_text()), given.command, given.machine, commit)
    print(json.dumps(entry, indent=1))


if __name__ == "__main__":
    main()
