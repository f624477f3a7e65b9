"""A layout that records what a panel draws, and refuses what a real one would refuse: operators and properties that do not exist."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bpy

ICONS = {item.identifier for item in bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items}


@dataclass
class Drawn:
    """All that was drawn: texts of labels and bars, operators with the properties set on them, names of properties."""

    texts: list[str] = field(default_factory=list)
    operators: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    properties: list[str] = field(default_factory=list)

    @property
    def operator_names(self) -> list[str]:
        return [name for name, _ in self.operators]

    @property
    def text(self) -> str:
        return " ".join(self.texts)


class _Button:
    """What layout.operator returns: takes properties that the operator has, of the right values."""

    def __init__(self, name: str, kept: dict[str, Any]) -> None:
        area, verb = name.split(".")
        rna = getattr(getattr(bpy.ops, area), verb).get_rna_type()  # raises KeyError for an operator that is not registered
        object.__setattr__(self, "_known", rna.properties)
        object.__setattr__(self, "_kept", kept)

    def __setattr__(self, name: str, value: Any) -> None:
        known = self._known[name]
        if known.type == "ENUM":
            assert value in known.enum_items.keys(), f"{value} is no item of {name}"
        self._kept[name] = value


class Layout:
    """Stands in for bpy.types.UILayout."""

    def __init__(self, drawn: Drawn | None = None) -> None:
        self.drawn = drawn or Drawn()

    def _inner(self, *_: Any, **__: Any) -> Layout:
        return Layout(self.drawn)

    row = column = box = split = _inner

    def label(self, text: str = "", icon: str = "NONE", icon_value: int = 0) -> None:
        assert icon in ICONS, icon
        self.drawn.texts.append(text)

    def progress(self, text: str = "", factor: float = 0.0, type: str = "BAR") -> None:
        assert 0.0 <= factor <= 1.0 and type in ("BAR", "RING")
        self.drawn.texts.append(text)

    def operator(self, name: str, text: str | None = None, icon: str = "NONE", **_: Any) -> _Button:
        assert icon in ICONS, icon
        kept: dict[str, Any] = {}
        self.drawn.operators.append((name, kept))
        return _Button(name, kept)

    def prop(self, data: Any, name: str, text: str | None = None, **_: Any) -> None:
        data.path_resolve(name)  # raises ValueError for a property that is not there
        self.drawn.properties.append(name)

    def prop_search(self, data: Any, name: str, search_data: Any, search_name: str, **_: Any) -> None:
        data.path_resolve(name)
        assert hasattr(search_data, search_name)
        self.drawn.properties.append(name)

    def template_icon(self, icon_value: int, scale: float = 1.0) -> None:
        assert isinstance(icon_value, int)

    def panel(self, idname: str, default_closed: bool = False) -> tuple[Layout, Layout]:
        """Always open, so that everything is drawn."""
        return self._inner(), self._inner()


class _Panel:
    """Takes the place of a panel's self in draw()."""

    def __init__(self, kind: type) -> None:
        self.layout = Layout()
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._kind, name)
        return found.__get__(self) if callable(found) else found


def draw(kind: type, context: bpy.types.Context) -> Drawn | None:
    """What a panel class draws now; None where its poll refuses."""
    if hasattr(kind, "poll") and not kind.poll(context):
        return None
    panel = _Panel(kind)
    kind.draw(panel, context)
    return panel.layout.drawn
