"""A service of its own for each test, or for each file where its tests only look on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.broker import Broker
from tests.e2e.peers import House
from tests.e2e.pictures import jpeg
from tests.e2e.process import ServiceProcess
from tests.simulators.camera import CameraSimulator

Launch = Callable[..., ServiceProcess]


@pytest.fixture(scope="module")
def cameras() -> Iterator[CameraSimulator]:
    """Cameras of every kind, good and bad, behind one port."""
    with CameraSimulator(jpeg()) as simulator:
        yield simulator


@pytest.fixture
def house(request: pytest.FixtureRequest, name: str) -> House:
    """A broker with exchanges that no other test uses: the test's own, where it asks for one, for it will stop it."""
    which = "own_broker" if "own_broker" in request.fixturenames else "broker"
    broker: Broker = request.getfixturevalue(which)
    return House(broker.url, name)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Makes services that end with the test: `launch(house, cameras=[...], environment={...})`."""
    with ExitStack() as stack:

        def make(
            house: House | None = None,
            *,
            home: str = "home",
            environment: Mapping[str, str] | None = None,
            **config: Any,
        ) -> ServiceProcess:
            service = service_process(tmp_path / home, house, environment=environment, **config)
            return stack.enter_context(service)

        yield make


def service_process(
    home: Path, house: House | None, *, environment: Mapping[str, str] | None = None, **config: Any
) -> ServiceProcess:
    """A service in that house, configured by `config.yml` where there is anything to configure."""
    meeting = (
        {
            "RABBITMQ_SERVER_ADDRESS": house.url,
            "RABBITMQ_EXCHANGE": house.exchange,
            "APP_NAME": house.exchange,
        }
        if house
        else {}
    )
    return ServiceProcess(home, environment={**meeting, **(environment or {})}, config=config or None, forked=True)
