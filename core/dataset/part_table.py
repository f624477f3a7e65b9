"""Which part of a car a mesh is, told by the words of its node and its material.

Node words win over material words: several models make visible bumpers of the material of their chassis.  Where one node holds both
ends' lamps, several panes, or chassis together with black trim and grille, the table answers with a kind that geometry takes apart.
"""

from __future__ import annotations

import re

PARTS = (
    "body", "windshield", "rear_window", "side_window", "headlight", "taillight", "wheel", "plate", "grille", "bumper", "hood", "door",
    "mirror", "underbody", "interior", "accessory",
)  # fmt: skip
PART_INDEX = {name: k for k, name in enumerate(PARTS)}
LAMPS_OF_BOTH_ENDS, ANY_PANE, REAR_PANES, CHASSIS_OR_TRIM = "lamps of both ends", "any pane", "panes behind", "chassis or trim"

INNARDS = (
    ("steering", "interior"), ("interior", "interior"), ("doorcard", "interior"), ("enginebay", "interior"), ("perfect_black", "interior"),
    ("caliper", "underbody"), ("suspension", "underbody"), ("exhaust", "underbody"),
)  # fmt: skip
ACCESSORIES = (  # no part of the car as it was sold
    "lightbar", "beacon", "bullbar", "roofrack", "spoiler", "traveler_stuff", "towtruck_bed", "extra_a",
)  # fmt: skip
OUTSIDE = (  # the first word found decides
    ("wheel", "wheel"),
    ("numberplate", "plate"), ("np", "plate"),
    ("headlights_panel", "body"), ("headlight", "headlight"), ("foglight", "headlight"),
    ("brakelight", "taillight"), ("stoplight", "taillight"), ("taillight", "taillight"), ("backlight", "taillight"),
    ("reverse", "taillight"),
    ("blinker", LAMPS_OF_BOTH_ENDS), ("lights", LAMPS_OF_BOTH_ENDS),
    ("windshield", "windshield"), ("window_front", "windshield"),
    ("glass_driver", "side_window"), ("glass_passenger", "side_window"), ("glass_passanger", "side_window"),
    ("body_driver", "side_window"), ("body_passanger", "side_window"),
    ("glass_rear", REAR_PANES), ("rear_glass", REAR_PANES), ("glass_back", REAR_PANES), ("rear_window", REAR_PANES),
    ("window_rear", REAR_PANES), ("trunkdoor_glass", REAR_PANES), ("glass_trunkdoor", REAR_PANES), ("rear_door_glass", REAR_PANES),
    ("windows", ANY_PANE), ("glass", ANY_PANE),
    ("grille", "grille"), ("bumper", "bumper"),
    ("hood_inner", CHASSIS_OR_TRIM), ("hood_trim", CHASSIS_OR_TRIM), ("door_inner", CHASSIS_OR_TRIM), ("trunk_inner", CHASSIS_OR_TRIM),
    ("front_plate_inner", CHASSIS_OR_TRIM), ("hood", "hood"), ("bottom", CHASSIS_OR_TRIM),
)  # fmt: skip
MATERIALS = (("interior", "interior"), ("wheel", "wheel"), ("windows", ANY_PANE))  # where no word of the node is known
LENSES = (("glass_red", "taillight"), ("glass_orange", LAMPS_OF_BOTH_ENDS))  # where the node holds panes and lamps alike


def stem(node: str, material: str) -> str:
    """The node's own words, lower case: exporters hang the material's name, cut short at times, behind the node's."""
    words, tail = node.lower(), material.lower()
    for length in range(len(tail), 0, -1):
        cut = re.search(rf"_{re.escape(tail[:length])}(_\d*)?(\.\d+)?$", words)
        if cut and (length == len(tail) or len(words) > 60):
            return words[: cut.start()]
    return words


def part_named(node: str, material: str) -> str:
    """One of PARTS, or LAMPS_OF_BOTH_ENDS, ANY_PANE, REAR_PANES, CHASSIS_OR_TRIM; "body" where no word is known."""
    words = stem(node, material)
    for word, part in INNARDS:
        if _holds(words, word):
            return part
    if any(word in words for word in ACCESSORIES):
        return "accessory"
    for word, part in OUTSIDE:
        if _holds(words, word):
            return next((lens for lens_word, lens in LENSES if part == ANY_PANE and lens_word in material.lower()), part)
    return next((part for word, part in MATERIALS if word in material.lower()), "body")


def _holds(words: str, word: str) -> bool:
    """Short words must stand alone: "np" is no part of "input"."""
    return re.search(rf"(^|_){word}\d*(_|$)", words) is not None if len(word) < 3 else word in words
