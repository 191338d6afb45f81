"""The album over a real journal, without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.application import application
from app.web.context import WebContext
from tests.fakes.web import Client, close, parts_for, serving


@pytest.fixture
def context(tmp_path: Path) -> Iterator[WebContext]:
    context = parts_for(tmp_path)
    yield context
    close(context)


@pytest.fixture
def client(context: WebContext) -> Iterator[Client]:
    with serving(application(context)) as client:
        yield client
