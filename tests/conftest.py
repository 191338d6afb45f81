"""What all tests share."""

from __future__ import annotations

import gc
import importlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
import structlog
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from app.journal import Journal
from app.storage.cache import Cache
from tests.aws import Aws
from tests.broker import Broker, SharedBroker
from tests.fakes.clock import Clock
from tests.fakes.journal import Opens, opened
from tests.postgres import PostgresServer

TOGETHER = {
    "tests/browser/": "a browser and its services",
    "tests/e2e/test_never_lost.py": "a broker that is stopped",
    "tests/integration/test_rabbitmq": "a broker that is stopped",
}
"""What begins so stays with one worker, for what it shares is made once."""
SECOND_BROWSER = "tests/browser/test_live"
"""The tests of the browser from here on have one of their own: all with one would take longer than all other tests."""
FIRST = (*TOGETHER, "tests/e2e/", "tests/integration/", "tests/unit/")
"""The order of a run: what takes longest begins first, so that no worker is left with it at the end."""

# How long a machine that has other work takes for an example says nothing about the code.
settings.register_profile(
    "suite",
    max_examples=int(os.environ.get("SNAPSHOT_TEST_EXAMPLES", "25")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("suite")

_shared_brokers: list[SharedBroker] = []


class BySetUp(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a file to one worker, and what is `TOGETHER` too: their fixtures are dear, and are made once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        shared = next((shared for start, shared in TOGETHER.items() if file.startswith(start)), file)
        return f"another {shared}" if shared == TOGETHER["tests/browser/"] and file >= SECOND_BROWSER else shared


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> BySetUp:
    """How `-n` hands out tests."""
    return BySetUp(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """What is loaded and found stays to the end: the collector need not look at it again and again. What tests load
    and leave is much as well, of which little is in circles: a tenth of their time went into looking for those."""
    gc.disable()
    if worker := getattr(session.config, "workerinput", None):
        _compile_share(session.config, worker["workerid"].removeprefix("gw"), worker["workercount"])
    yield
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


def _compile_share(config: pytest.Config, number: str, workers: int) -> None:
    """Load one of so many shares of the tests. All workers load all tests, and in a fresh clone each would compile
    all of them, half a minute's work: each begins with a share of its own, and finds the others' compiled."""
    folders = [folder for argument in config.args if (folder := config.rootpath / argument).is_dir()]
    files = sorted(file for folder in folders for file in folder.rglob("test_*.py"))
    for file in files[int(number) :: workers]:
        importlib.import_module(".".join(file.relative_to(config.rootpath).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by `FIRST`, and leave time to those that start services and brokers; a mark of their own goes before."""
    items.sort(key=lambda item: next(place for place, start in enumerate(FIRST) if item.nodeid.startswith(start)))
    for item in items:
        if not item.nodeid.startswith("tests/unit/"):
            item.add_marker(pytest.mark.timeout(600))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Of a test that passes a worker tells this alone, not that it began, was set up and torn down: each word takes
    both sides half a millisecond, for thousands of tests. `--durations` has them tell all."""
    if not hasattr(item.config, "workerinput") or item.config.option.durations is not None:
        return None
    reports = runtestprotocol(item, log=False, nextitem=nextitem)
    passed = all(report.passed for report in reports)
    for report in reports:
        if report.when == "call" or not passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


def pytest_sessionfinish() -> None:
    """Let go of the broker, after the last test and not within its time: that waits for other workers."""
    while _shared_brokers:
        _shared_brokers.pop().leave()


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """A traceback with all local variables, as structlog shows it unless told otherwise, takes seconds."""
    *processors, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*processors, plain])


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Broker:
    """A running RabbitMQ that nobody stops: a node of this run, unless SNAPSHOT_TEST_AMQP_URL names one."""
    if url := os.environ.get("SNAPSHOT_TEST_AMQP_URL"):
        return Broker(url)
    folder = tmp_path_factory.getbasetemp()
    shared = SharedBroker(folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder)
    _shared_brokers.append(shared)
    return shared.enter()


@pytest.fixture(scope="session")
def own_broker() -> Iterator[Broker]:
    """A private node for tests that stop it; they leave it running."""
    with Broker() as one:
        yield one


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A private server; tests that stop it leave it running."""
    with PostgresServer() as one:
        yield one


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """Amazon's services on a port of this process; what tests make there they call by names of their own."""
    one = Aws()
    yield one
    one.stop()


@pytest.fixture
def name() -> str:
    """A name that no other test uses, for exchanges and queues."""
    return f"test-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def clock() -> Clock:
    """The journal's, and that of whatever a test gives it to."""
    return Clock()


@pytest.fixture(scope="session")
def opens() -> Opens:
    """Opens what the tests of the album ask: the journal, and elsewhere the shared index of it."""
    return opened


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Iterator[Journal]:
    """An empty one."""
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        yield journal


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty one, beside the journal."""
    return Cache(tmp_path / "cache", zone=UTC)
