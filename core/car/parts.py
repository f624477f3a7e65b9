"""Which face of the template belongs to which named part, what a part is made of, and which parts are lamps.

Left-half names end in `_SIDE` where the car has the part twice; template.py replaces it by _left and _right.
"""

from __future__ import annotations

from .body import ACROSS, BLOCK_ROW, END
from .profile import COLUMN, COLUMNS
from .sections import DOOR_ROWS, GLASS_ROWS

# (rows, columns) of lamps, grille and plates on the nose and tail faces: rows from the hood's or trunk's edge, columns from the middle
NOSE_BLOCKS = {
    "headlight_SIDE": (2, 6, 4, 7), "grille": (3, 7, 0, 4), "license_plate_front": (8, 10, 0, 2), "grille_lower": (10, 12, 0, 4),
    "fog_light_SIDE": (10, 12, 5, 7),
}  # fmt: skip
TAIL_BLOCKS = {"taillight_SIDE": (2, 7, 4, 7), "license_plate_rear": (7, 9, 0, 2)}
INDICATOR_ROWS, INDICATOR_FRONT_COLUMNS, INDICATOR_REAR_COLUMNS = (2, 6), (0, 2), (COLUMNS - 3, COLUMNS - 1)
BUMPER_ROW = 7
TOP_PARTS = (  # column key at which each part ends, front to rear
    ("A", "hood"), ("W", "windshield"), ("C", "roof"), ("CC", "roof_band"), ("D", "roof_rear"), ("E", "rear_window"), ("G", "trunk"),
)  # fmt: skip

LIGHT_KINDS = {
    "headlight": "headlight", "high_beam": "high_beam", "indicator_front": "indicator", "fog_light": "fog",
    "taillight": "tail", "brake_light": "brake", "reverse_light": "reverse", "indicator_rear": "indicator",
}  # fmt: skip
GLASS = ("windshield", "rear_window", "side_window_front", "side_window_rear", "side_window_quarter")
PAINTED_QUARTERS = ("sedan", "coupe", "pickup", "hatchback", "citycar")
MATERIAL_OF = {
    "windshield": "glass", "rear_window": "glass", "side_window_front": "glass", "side_window_rear": "glass",
    "side_window_quarter": "glass", "window_trim": "trim", "grille": "grille", "grille_lower": "grille", "headlight": "headlight_lens",
    "high_beam": "headlight_lens", "fog_light": "headlight_lens", "lamp_housing": "trim", "taillight": "tail_lens",
    "brake_light": "tail_lens", "indicator_front": "indicator_lens", "indicator_rear": "indicator_lens", "reverse_light": "headlight_lens",
    "license_plate_front": "plate", "license_plate_rear": "plate", "wheel_arch_front": "underbody", "wheel_arch_rear": "underbody",
    "underbody": "underbody", "bed": "underbody", "sill": "trim", "tyre": "tyre", "rim": "rim", "hub": "rim",
}  # fmt: skip


def base_name(part: str) -> str:
    """A part's name without its side."""
    return part.removesuffix("_left").removesuffix("_right").removesuffix("_SIDE")


def material_of(part: str) -> str:
    """The kind of material a part is made of; whatever is not listed is painted."""
    return MATERIAL_OF.get(base_name(part), "paint")


def rename_for(body_type: str) -> dict[str, str]:
    """Part names that differ by body type: a pickup's cab ends where other roofs go on, a sedan's last side pane is a painted pillar."""
    renamed = {"roof_band": "roof", "roof_rear": "roof"}
    if body_type == "pickup":
        renamed |= {"roof_band": "rear_window", "roof_rear": "bed", "rear_window": "bed", "rear_window_frame": "bed"}
    else:
        renamed |= {"rear_window_frame": "window_trim"}
    for side in ("left", "right"):
        quarter = f"fender_rear_{side}" if body_type in PAINTED_QUARTERS else f"side_window_quarter_{side}"
        renamed[f"side_window_quarter_{side}"] = quarter
        renamed[f"quarter_frame_{side}"] = quarter if body_type in PAINTED_QUARTERS else "window_trim"
    return renamed


def _block_of(blocks: dict[str, tuple[int, int, int, int]], row: int, column: int) -> str | None:
    """The block that holds a face of the nose or tail, None where it is plain."""
    for name, (row_0, row_1, column_0, column_1) in blocks.items():
        if row_0 <= row < row_1 and column_0 <= column < column_1:
            return name
    return None


def top_part(station: int, column: int) -> str:
    """Part of the face between stations `station` and `station` + 1, `column` from the middle."""
    if station < END:
        return _nose_part(END - 1 - station, column)
    along = station - END
    if along >= COLUMNS - 1:
        return _tail_part(along - COLUMNS + 1, column)
    return next(name for key, name in TOP_PARTS if along < COLUMN[key])


def _nose_part(row: int, column: int) -> str:
    block = _block_of(NOSE_BLOCKS, row, column)
    if block == "headlight_SIDE":
        return "high_beam_SIDE" if column == 4 else "headlight_SIDE"
    return block or ("hood" if row < 2 else "bumper_front")


def _tail_part(row: int, column: int) -> str:
    block = _block_of(TAIL_BLOCKS, row, column)
    if block == "taillight_SIDE":
        if row < 4:
            return "taillight_SIDE"
        return "reverse_light_SIDE" if column == 4 else "brake_light_SIDE"
    return block or ("trunk" if row < BUMPER_ROW else "bumper_rear")


def flank_part(row: int, column: int) -> str:
    """Part of the flank's face below `row`, behind `column`."""
    for name, (first, last) in (("indicator_front_SIDE", INDICATOR_FRONT_COLUMNS), ("indicator_rear_SIDE", INDICATOR_REAR_COLUMNS)):
        if INDICATOR_ROWS[0] <= row < INDICATOR_ROWS[1] and first <= column < last:
            return name
    if row >= BUMPER_ROW and column < COLUMN["AF"]:
        return "bumper_front"
    if row >= BUMPER_ROW and column >= COLUMN["D"]:
        return "bumper_rear"
    if row == GLASS_ROWS + DOOR_ROWS - 1 and COLUMN["AE"] <= column < COLUMN["CC"]:
        return "sill_SIDE"
    if row < GLASS_ROWS and COLUMN["A"] <= column < COLUMN["D"]:
        return _glasshouse_part(row, column)
    if column < COLUMN["AE"] + 1:
        return "fender_front_SIDE"
    if column >= COLUMN["C"] + 1:
        return "fender_rear_SIDE"
    return "door_front_SIDE" if column < COLUMN["BB"] else "door_rear_SIDE"


def _glasshouse_part(row: int, column: int) -> str:
    if row == 0:
        return "roof_rail_SIDE" if column >= COLUMN["W"] else "pillar_a_SIDE"
    if row == GLASS_ROWS - 1:
        return "door_front_SIDE" if column < COLUMN["BB"] else "door_rear_SIDE" if column < COLUMN["C"] + 1 else "fender_rear_SIDE"
    if column < COLUMN["A"] + 1:
        return "pillar_a_SIDE"
    if column < COLUMN["B"]:
        return "side_window_front_SIDE"
    if column < COLUMN["BB"]:
        return "pillar_b_SIDE"
    if column < COLUMN["C"]:
        return "side_window_rear_SIDE"
    return "pillar_c_SIDE" if column < COLUMN["CC"] else "side_window_quarter_SIDE" if column < COLUMN["D"] - 1 else "fender_rear_SIDE"


def mirror_block() -> tuple[tuple[int, int], tuple[int, int]]:
    """(rows, columns) of the two by two faces of the flank out of which the mirror grows."""
    return (GLASS_ROWS - 1, GLASS_ROWS + 1), (COLUMN["A"] + 1, COLUMN["A"] + 3)


assert BLOCK_ROW > GLASS_ROWS + 1 and ACROSS == 7, "the blocks above are laid out for this grid"
