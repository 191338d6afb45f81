"""What all tests share."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
import structlog

from app.cache import Cache
from app.journal import Journal
from tests.broker import Broker
from tests.fakes.clock import Clock
from tests.fakes.journal import opened


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """A traceback with all local variables, as structlog shows it unless told otherwise, takes seconds."""
    *processors, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors, plain])


@pytest.fixture(scope="session")
def broker() -> Iterator[Broker]:
    """A running RabbitMQ: a private node, unless SNAPSHOT_TEST_AMQP_URL names one that may be used."""
    with Broker(os.environ.get("SNAPSHOT_TEST_AMQP_URL", "")) as one:
        yield one


@pytest.fixture(scope="session")
def own_broker(broker: Broker) -> Iterator[Broker]:
    """A private node in any case, for tests that stop it; they leave it running."""
    if not broker.external:
        yield broker
        return
    with Broker() as one:
        yield one


@pytest.fixture
def name() -> str:
    """A name that no other test uses, for exchanges and queues."""
    return f"test-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def clock() -> Clock:
    """The journal's, and that of whatever a test gives it to."""
    return Clock()


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Iterator[Journal]:
    """An empty one."""
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        yield journal


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty one, beside the journal."""
    return Cache(tmp_path / "cache", zone=UTC)
