"""The album over a real journal, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.application import application
from app.web.parts import Parts
from tests.fakes.web import Client, close, parts_for, serving


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    parts = parts_for(tmp_path)
    yield parts
    close(parts)


@pytest.fixture
def client(parts: Parts) -> Iterator[Client]:
    with serving(application(parts)) as client:
        yield client
