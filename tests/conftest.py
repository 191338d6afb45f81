"""What all tests share."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest

from tests.broker import Broker


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
