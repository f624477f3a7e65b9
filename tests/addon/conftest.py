"""What tests of the extension share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import imago.addon


@pytest.fixture(scope="module")
def registered() -> Iterator[None]:
    """The extension's classes, as if it were enabled."""
    imago.addon.register()
    yield
    imago.addon.unregister()
