"""The tables that `build.py bench shape` prints, as Markdown."""

from __future__ import annotations

from typing import Any

from .shape_figures import MEANS, Figures


def print_head(title: str) -> None:
    """The head of a table of cars: space | free vertices."""
    print(f"\n{title}: within the space | free vertices")
    print("| car | voxel IoU | F-score | silhouette | parts | voxel IoU | F-score | silhouette | parts | fit s |")
    print("|---|" + "---|" * 9, flush=True)


def print_row(name: str, figures: dict[str, Figures], seconds: float) -> None:
    """One car of a table."""
    kept = [key for key in MEANS if key != "chamfer_pct"]
    values = [f"{figures[kind][key]:.3f}" for kind in ("space", "free") for key in kept]
    print(f"| {name} | " + " | ".join(values) + f" | {seconds:.0f} |", flush=True)


def print_parts(section: dict[str, Any]) -> None:
    """Mean overlap of each part, within the space and free."""
    if "mean" in section:
        space, free = (section["mean"][kind]["parts"] for kind in ("space", "free"))
        print("\n| part | " + " | ".join(space) + " |\n|---|" + "---|" * len(space))
        for name, parts in (("space", space), ("free", free)):
            print(f"| {name} | " + " | ".join(f"{parts[part]:.2f}" for part in space) + " |", flush=True)


def print_modes(title: str, curve: dict[int, Figures]) -> None:
    """Means over the number of modes."""
    if curve:
        print(f"\n{title}, by the number of modes\n| modes | " + " | ".join(MEANS) + " |\n|---|" + "---|" * len(MEANS))
        for count, figures in curve.items():
            print(f"| {count} | " + " | ".join(f"{figures[key]:.3f}" for key in MEANS) + " |", flush=True)


def print_draws(result: dict[str, Any]) -> None:
    """Random draws without faults, and how many had which."""
    listed = ", ".join(f"{name} {100 * share:.1f} %" for name, share in result["first_faults"].items())
    print(f"\n{result['count']} random draws: {100 * result['first_free']:.1f} % free of faults at the first draw ({listed});")
    print(f"{100 * result['handed_out_free']:.1f} % of the cars handed out, the faulty ones having been drawn again", flush=True)
