"""Test messages, and outlets that cannot be used."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, ClassVar

import pytest
from PIL import Image

from app import publishers
from app.bootstrap.archives import ArchiveParts
from app.bootstrap.core import Core
from app.bootstrap.publishing import PublisherParts
from app.bootstrap.samples import SampleMessages, UnknownOutlet
from app.config.settings import Settings, load
from app.messages import Inspection
from app.publishers import PublisherContext, PublishError, PublishUnavailable
from pylib.runtime.circuit_breaker import State
from pylib.runtime.threads import ManagedThread
from pylib.settings.fields import Section
from tests.fakes.messages import an_event

LINKS = ("event_url", "thumbnail_url", "picture_url", "archived_url", "snooze_url")


class Connection(ManagedThread):
    """A thread that a publisher needs."""

    def run(self) -> None:
        self.stopping.wait()


class Shouting:
    """Remembers what it was told, with the picture and whether its thread ran."""

    title = "shouting"
    notifies = True

    class Settings(Section):
        """Where it would shout."""

        url: str = ""

    told: ClassVar[list[tuple[Inspection, tuple[int, int], bool]]] = []
    connections: ClassVar[list[Connection]] = []

    def __init__(self, _: Any, context: PublisherContext) -> None:
        self.name = context.name
        self.context = context
        self.threads: tuple[Connection, ...] = (Connection("shouting"),)
        self.connections.extend(self.threads)
        self.abandon_after: dict[str, float] = {}

    def publish(self, inspection: Inspection) -> None:
        with Image.open(io.BytesIO(Path(inspection.snapshot.path).read_bytes())) as picture:
            self.told.append((inspection, picture.size, self.threads[0].alive))
        for name in LINKS:
            assert getattr(self.context, name)(inspection.id) == "", "it leads nowhere"


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    Shouting.told.clear()
    Shouting.connections.clear()
    load_kind = publishers.KINDS.load
    monkeypatch.setattr(publishers.KINDS, "load", lambda kind: Shouting if kind == "apprise" else load_kind(kind))


def settings(folder: Path, **publisher: str) -> Settings:
    environment = {f"PUBLISHER_1_{name}": value for name, value in {"KIND": "apprise", "NAME": "phone"}.items()}
    return load(None, {"DATA_DIR": str(folder), "DETECTOR_KIND": "none", **environment, **publisher})


def context(folder: Path) -> PublisherContext:
    links: dict[str, Any] = dict.fromkeys(LINKS, lambda event_id: f"https://home.example/{event_id}")
    return PublisherContext(data_dir=folder, **links)


def test_a_test_message_is_a_drawn_person_and_leaves_nothing(tmp_path: Path) -> None:
    tests = SampleMessages(settings(tmp_path, PUBLISHER_1_URL="ntfy://x"), context(tmp_path))
    assert tests.names == ("phone",)
    tests.send("phone")
    ((event, size, ran),) = Shouting.told
    assert (event.snapshot.label, event.detection.person_count, size, ran) == ("Test", 1, (1280, 720), True)
    assert not Path(event.snapshot.path).exists()
    assert [thread.alive for thread in Shouting.connections] == [False]


def test_a_target_that_hangs_keeps_one_thread_however_often_it_is_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Shouting] = []

    class Alone(Shouting):
        def __init__(self, settings: Any, context: PublisherContext) -> None:
            super().__init__(settings, context)
            self.threads = ()
            made.append(self)

        def publish(self, _: Inspection) -> None:
            """Its own limit of calls that hang is what bounds them."""

    monkeypatch.setattr(publishers.KINDS, "load", lambda _: Alone)
    tests = SampleMessages(settings(tmp_path, PUBLISHER_1_URL="ntfy://x"), context(tmp_path))
    tests.send("phone")
    tests.send("phone")
    assert len(made) == 1


def test_only_outlets_that_tell_people_are_tested_and_a_slip_is_pointed_out(tmp_path: Path) -> None:
    tests = SampleMessages(
        settings(tmp_path, PUBLISHER_1_URL="ntfy://x", RABBITMQ_SERVER_ADDRESS="127.0.0.1"), context(tmp_path)
    )
    with pytest.raises(UnknownOutlet, match=r"did you mean phone\?"):
        tests.send("phnoe")
    with pytest.raises(UnknownOutlet, match="there are: phone"):
        tests.send("rabbitmq")


def test_an_outlet_that_cannot_be_used_stops_nobody_and_its_events_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shouting, "__init__", _refuses)
    core = Core.of(settings(tmp_path, PUBLISHER_1_URL="ntfy://x"), version="1")
    parts = PublisherParts(
        core,
        archives=ArchiveParts(core),
        links=PublisherContext(),
        circuit=lambda _: State.CLOSED,
        this_month=lambda: (0, 0.0),
        recheck=lambda _: None,
    )
    (publisher,) = parts.publishers
    assert publisher.name == "phone"
    with pytest.raises(PublishUnavailable, match="Nobody knows this address") as failed:
        publisher.publish(an_event())
    assert (failed.value.code, publisher.abandon_after) == ("bad_address", {})
    assert list(core.test_messages) == ["phone"]


def _refuses(_: Shouting, __: Any, ___: PublisherContext) -> None:
    raise PublishError("bad_address", "Nobody knows this address.")
