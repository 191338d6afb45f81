"""Events are described after they are made: once, within the month's calls, and never in the event's way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.describe.job import LONGEST_S, REST_S, Describe
from app.describe.settings import DescribeSettings
from app.jobs import NotYet, Work
from app.journal import Job, Journal
from app.journal.jobs import EventJob
from app.messages import Detection, Inspection, Label, Snapshot
from pylib.errors import Permanent
from tests.fakes.album import NOW
from tests.fakes.clock import Clock
from tests.fakes.http_double import HttpDouble, http_double
from tests.fakes.journal import opened
from tests.fakes.pictures import encoded, scene
from tests.simulators.ai_server import ChatServer

LATER = NOW.timestamp() + 60


@pytest.fixture(scope="module")
def running() -> Iterator[HttpDouble]:
    with http_double() as double:
        yield double


class House:
    """A journal, a clock, and a server that describes."""

    def __init__(self, folder: Path, journal: Journal, running: HttpDouble, clock: Clock) -> None:
        self.folder, self.journal, self.running, self.clock = folder, journal, running, clock
        self.chat = ChatServer()
        running.answer = self.chat

    def kind(self, **changes: object) -> Describe:
        settings = {"url": f"{self.running.url}/v1", "model": self.chat.model, "long_side": 128, **changes}
        return Describe(DescribeSettings.model_validate(settings), journal=self.journal, clock=self.clock)

    def event(self, name: str, *, person: bool = True, origin: str = "http", has_picture: bool = True) -> None:
        path = self.folder / f"{name}.jpg"
        path.write_bytes(encoded(scene().resize((640, 360))))
        shown = str(path) if has_picture else ""
        snapshot = Snapshot(name, "Yard Camera", "Yard", NOW, NOW, 0.2, origin, shown, 9, 640, 360)
        self.journal.record(snapshot)
        seen = Detection((Label("Person", 0.9),), 1) if person else Detection()
        self.journal.inspect(Inspection(snapshot, "hog", seen, "person"))

    def said(self, name: str) -> str:
        entry = self.journal.entry(name)
        assert entry is not None
        return entry.description


@pytest.fixture
def house(tmp_path: Path, running: HttpDouble) -> Iterator[House]:
    clock = Clock(LATER)
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        yield House(tmp_path, journal, running, clock)


def job(name: str) -> Job:
    return Job(1, "describe", name, {"event": name})


@pytest.mark.parametrize(("events", "wanted"), [("person", ["a"]), ("all", ["a", "b"])])
def test_each_event_that_is_wanted_brings_one_job(house: House, events: str, wanted: list[str]) -> None:
    house.journal.event_jobs = [EventJob("describe", "sentence", of=events)]  # type: ignore[arg-type]
    house.event("a")
    house.event("b", person=False)
    house.event("guest", origin="booth")
    house.event("none", has_picture=False)
    assert [one.arguments["event"] for one in house.journal.jobs_due()] == wanted
    list(Work([house.kind()], journal=house.journal).handle(house.journal.jobs_due()[0]))
    assert house.said("a") == house.chat.says
    assert house.chat.picture(house.chat.asked[0]).size == (128, 72)


def test_an_event_is_described_once(house: House) -> None:
    house.event("a")
    kind = house.kind()
    for _ in range(2):
        kind.run(job("a"), lambda *_: None)
    assert len(house.chat.asked) == 1


def test_what_is_gone_is_not_described(house: House) -> None:
    house.event("deleted")
    house.event("evicted")
    house.journal.delete("deleted", archives=[])
    (house.folder / "evicted.jpg").unlink()
    for name in ("deleted", "evicted", "unknown"):
        house.kind().run(job(name), lambda *_: None)
    assert house.chat.asked == []


def test_a_server_that_fails_is_left_alone_and_asked_again(house: House) -> None:
    house.event("a")
    kind, house.chat.status = house.kind(), 503
    asked = len(house.running.seen)
    for _ in range(2):
        with pytest.raises(NotYet, match="describe_failed") as caught:
            kind.run(job("a"), lambda *_: None)
    assert caught.value.after == REST_S
    assert len(house.running.seen) - asked == 1
    house.chat.status = 200
    house.clock.now += REST_S + 1
    kind.run(job("a"), lambda *_: None)
    assert (len(house.running.seen) - asked, house.said("a")) == (2, house.chat.says)


def test_after_a_day_an_event_stays_without_a_sentence(house: House) -> None:
    house.event("a")
    house.chat.status, house.clock.now = 503, NOW.timestamp() + LONGEST_S + 1
    with pytest.raises(Permanent, match="describe_late"):
        house.kind().run(job("a"), lambda *_: None)


def test_a_months_calls_are_counted_over_restarts_and_failures(house: House) -> None:
    for name in "abc":
        house.event(name)
    house.chat.status = 400
    with pytest.raises(Permanent):
        house.kind(monthly_cap=2).run(job("a"), lambda *_: None)
    house.chat.status = 200
    for name in "bc":
        house.kind(monthly_cap=2).run(job(name), lambda *_: None)
    assert (house.said("b"), house.said("c")) == (house.chat.says, "")
    house.clock.now += 31 * 86_400
    house.kind(monthly_cap=2).run(job("c"), lambda *_: None)
    assert house.said("c") == house.chat.says


def test_an_import_is_not_described(house: House) -> None:
    house.journal.event_jobs = [EventJob("describe", "sentence", of="all")]
    imported = Snapshot("old", "Yard Camera", "Yard", NOW, NOW, 0, "import", "/cache/old.jpg", 9)
    house.journal.import_picture(Inspection(imported), [])
    assert house.journal.entry("old") is not None
    assert house.journal.jobs_due() == []
