"""What the broker holds for us: devices and states, told when they change, and nothing of cameras that are gone."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.journal import Journal
from app.publishers import Figures, PublisherContext
from app.publishers.mqtt import announcer as module
from app.publishers.mqtt.announcer import FIGURES_EVERY_S, GONE_AFTER_S, LONGEST_WAIT_S, Announcer
from app.publishers.mqtt.remembered import Remembered
from app.rules.telling import Telling
from app.wire.topics import MqttTopics
from pylib.mqtt.connection import Received
from pylib.sqlite import DatabaseUnavailable
from tests.fakes.clock import Clock

YARD, DOOR = "Yard Camera", "Door Camera"
BIRTH = "homeassistant/status"
AT = "snapshots/yard-camera/"


class Bench:
    """An announcer of cameras that tests change."""

    def __init__(self, folder: Path, telling: Telling, *cameras: str) -> None:
        self.clock = Clock()
        self.away: set[str] = set()
        self.figures = Figures()
        self.full = False
        context = PublisherContext(
            cameras={camera: camera for camera in cameras},
            telling=telling,
            reachable=lambda camera: camera not in self.away,
            figures=self._figures,
        )
        self.announcer = Announcer(
            context,
            MqttTopics("snapshots", cameras),
            discovery=lambda: {f"homeassistant/device/{camera[0]}/config": b"{}" for camera in cameras},
            birth=BIRTH,
            off_delay=60,
            remembered=Remembered(folder / "mqtt" / "mqtt.json"),
            clock=self.clock,
        )

    def due(self) -> dict[str, bytes]:
        messages = self.announcer.due()
        assert all(message.retain for message in messages)
        return {message.topic: message.payload for message in messages}

    def connect(self) -> dict[str, bytes]:
        """What goes out over a new connection, removals first."""
        removed = {message.topic: message.payload for message in self.announcer.connected() if message.retain}
        return {**removed, **self.due()}

    def _figures(self) -> Figures:
        if self.full:
            raise DatabaseUnavailable("journal", "full")
        return self.figures


@pytest.fixture
def telling(journal: Journal) -> Telling:
    return Telling(journal)


@pytest.fixture
def bench(tmp_path: Path, telling: Telling) -> Bench:
    return Bench(tmp_path, telling, YARD)


def test_a_new_connection_is_told_everything_once(bench: Bench) -> None:
    bench.figures = Figures(calls=7, cost_usd=0.1234, oldest_undelivered_s=3.6)
    assert bench.connect() == {
        "homeassistant/device/Y/config": b"{}",
        "snapshots/status": b"online",
        "snapshots/mode": b"home",
        "snapshots/figures": b'{"calls": 7, "cost_usd": 0.12, "oldest_undelivered_s": 4}',
        f"{AT}status": b"online",
        f"{AT}person": b"OFF",
        f"{AT}notifications": b"ON",
    }
    assert bench.due() == {}
    assert len(bench.connect()) == 7


def test_what_changes_is_told_and_nothing_else(bench: Bench, telling: Telling) -> None:
    bench.connect()
    telling.set_mode("away")
    telling.snooze(YARD)
    bench.away.add(YARD)
    assert bench.due() == {"snapshots/mode": b"away", f"{AT}notifications": b"OFF", f"{AT}status": b"offline"}
    telling.wake(YARD)
    bench.away.clear()
    assert bench.due() == {f"{AT}notifications": b"ON", f"{AT}status": b"online"}


def test_a_person_is_there_until_the_delay_is_over(bench: Bench) -> None:
    bench.connect()
    bench.announcer.person(YARD)
    assert bench.due() == {f"{AT}person": b"ON"}
    bench.clock.now += 59
    assert bench.due() == {}
    bench.announcer.person(YARD)
    bench.clock.now += 59
    assert f"{AT}person" not in bench.due()
    bench.clock.now += 1
    assert bench.due()[f"{AT}person"] == b"OFF"


def test_figures_are_asked_for_once_a_minute(bench: Bench) -> None:
    bench.connect()
    bench.figures = Figures(calls=9)
    assert bench.due() == {}
    bench.clock.now += FIGURES_EVERY_S
    assert list(bench.due()) == ["snapshots/figures"]


def test_a_journal_that_cannot_answer_costs_its_own_states_only(bench: Bench) -> None:
    bench.full = True
    assert "snapshots/figures" not in (told := bench.connect())
    assert told[f"{AT}status"] == b"online"
    bench.full = False
    assert list(bench.due()) == ["snapshots/figures"]


def test_home_assistant_is_told_everything_some_seconds_after_it_has_started(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "random", SimpleNamespace(uniform=lambda least, most: most - least))
    bench.connect()
    for message in (Received(BIRTH, b"offline"), Received("other", b"online"), Received(BIRTH, b"online", True)):
        bench.announcer.received(message)
    bench.clock.now += LONGEST_WAIT_S
    assert bench.due() == {}
    bench.announcer.received(Received(BIRTH, b"online"))
    assert bench.due() == {}
    bench.clock.now += LONGEST_WAIT_S
    assert len(bench.due()) == 7
    assert bench.due() == {}


def test_a_camera_that_is_gone_disappears_and_is_forgotten_then(tmp_path: Path, telling: Telling) -> None:
    Bench(tmp_path, telling, YARD, DOOR).connect()
    later = Bench(tmp_path, telling, YARD)
    told = later.connect()
    removed = {topic for topic, payload in told.items() if not payload}
    assert removed == {"homeassistant/device/D/config"} | {f"snapshots/door-camera/{what}" for what in module.OF_CAMERA}
    assert Bench(tmp_path, telling, YARD).connect().keys() >= removed, "not known to have arrived"
    later.clock.now += GONE_AFTER_S
    later.due()
    assert all(Bench(tmp_path, telling, YARD).connect().values())


def test_the_file_of_the_last_release_says_what_the_broker_holds(tmp_path: Path, telling: Telling) -> None:
    file = tmp_path / "mqtt" / "mqtt.json"
    file.parent.mkdir()
    file.write_text('["snapshots/door-camera/state"]')
    assert Bench(tmp_path, telling, YARD).connect()["snapshots/door-camera/state"] == b""


def test_a_file_that_makes_no_sense_or_cannot_be_written_is_no_obstacle(tmp_path: Path, telling: Telling) -> None:
    file = tmp_path / "mqtt" / "mqtt.json"
    file.parent.mkdir()
    for text in (
        "no json",
        "7",
        "[7]",
        '{"topics": 7, "newest": 7}',
        '{"topics": [7], "newest": {"Yard Camera": "7"}}',
    ):
        file.write_text(text)
        assert len(Bench(tmp_path, telling, YARD).connect()) == 7
    assert "snapshots/status" in json.loads(file.read_text())["topics"]
    file.unlink()
    file.mkdir()
    assert len(Bench(tmp_path, telling, YARD).connect()) == 7
