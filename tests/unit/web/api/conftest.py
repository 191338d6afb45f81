"""A served API over a real journal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.messages import Inspection
from app.web.application import application
from app.web.context import WebContext
from tests.fakes.web import Client, close, parts_for, serving, shown


@dataclass(frozen=True, slots=True)
class House:
    """The API as its callers see it, and what stands behind it."""

    client: Client
    context: WebContext
    folder: Path

    def shown(self, event_id: str = "s1", **changes: Any) -> Inspection:
        return shown(self.context, self.folder, event_id, **changes)

    def kept(self) -> list[str]:
        """Every picture in the cache."""
        return [path.name for path in (self.folder / "cache").rglob("*") if path.is_file()]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    context = parts_for(tmp_path)
    with serving(application(context)) as client:
        yield House(client, context, tmp_path)
    close(context)
