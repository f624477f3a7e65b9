"""What a training run leaves to read: JSON written aside and renamed, and a picture of the curves."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

PANEL_PX = (420, 220)


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Indented JSON, written aside and renamed; its folder is made."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_suffix(".part")
    aside.write_text(json.dumps(content, indent=1) + "\n")
    os.replace(aside, file)


def draw_curves(lines: Path, picture: Path) -> None:
    """One panel for every figure of a JSON-lines file, against the step, each from its smallest to its largest value."""
    rows = [json.loads(line) for line in lines.read_text().splitlines()] if lines.is_file() else []
    keys = [key for key in (rows[-1] if rows else {}) if key not in ("step", "trained_s")]
    width, height = PANEL_PX
    sheet = Image.new("RGB", (2 * width, max(1, (len(keys) + 1) // 2) * height), "white")
    pen = ImageDraw.Draw(sheet)
    for number, key in enumerate(keys):
        left, top = number % 2 * width, number // 2 * height
        points = [(row["step"], row[key]) for row in rows if row.get(key) is not None]
        low, high = min(v for _, v in points), max(v for _, v in points)
        pen.text((left + 10, top + 6), f"{key}: {points[-1][1]:.4g} (from {low:.4g} to {high:.4g})", fill="black")
        across, up = width - 30, (height - 50) / max(high - low, 1e-12)
        pen.line(
            [(left + 15 + across * s / max(points[-1][0], 1), top + height - 15 - (v - low) * up) for s, v in points],
            fill="steelblue",
            width=2,
        )
    aside = picture.with_suffix(".part.png")
    sheet.save(aside)
    os.replace(aside, picture)
