"""Dropping dead letters: what is dropped is what was asked about, and no connection waits for the answer."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pika
import pytest
from click.testing import CliRunner, Result

from app.cli.dead_letters import dead_letters
from pylib.rabbitmq.broker import Broker
from tests.fakes.amqp import FakeBroker


class Queue:
    """The dead letters on a broker, which each connection finds as the one before left them."""

    def __init__(self, broker: FakeBroker, *bodies: bytes) -> None:
        self.bodies = list(bodies)
        self._broker = broker
        self._seen: list[bytes] = []
        self._given = 0
        broker.answers.update(connect=self._connect, basic_get=self._get, basic_ack=self._ack)

    def _connect(self) -> None:
        self._seen, self._given = list(self.bodies), 0
        self._broker.ready = len(self.bodies)

    def _get(self, _queue: str) -> tuple[Any, Any, Any]:
        self._given += 1
        method = SimpleNamespace(delivery_tag=self._given, redelivered=False)
        return method, pika.BasicProperties(headers={}), self._seen[self._given - 1]

    def _ack(self, tag: int) -> None:
        self.bodies.remove(self._seen[tag - 1])


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> FakeBroker:
    fake = FakeBroker()
    monkeypatch.setattr(Broker, "connect", lambda _self, name: fake.connect(name))
    return fake


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in os.environ:
        if name.startswith("RABBITMQ_"):
            monkeypatch.delenv(name)
    path = tmp_path / "config.yml"
    path.write_text(f"data_dir: {tmp_path / 'data'}\nrabbitmq:\n  server_address: mq\n")
    return path


def drop(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(dead_letters, ["drop", *arguments], obj=config)


def test_how_many_there_are_stands_beside_the_table_and_not_in_it(broker: FakeBroker, config: Path) -> None:
    Queue(broker, b"one", b"two")
    result = CliRunner().invoke(dead_letters, ["list"], obj=config)
    assert len(result.stdout.splitlines()) == 1 + 2, "a heading, and a line for each"
    assert result.stderr == "2 dead letters\n"


def test_no_connection_is_open_while_somebody_is_asked(
    broker: FakeBroker, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue(broker, b"one", b"two")

    def confirm(question: str, *, abort: bool) -> None:
        assert (question, abort) == ("Delete 2 dead letters for good?", True)
        assert broker.calls[-1] == ("close",)
        queue.bodies.append(b"that died meanwhile")

    monkeypatch.setattr(click, "confirm", confirm)
    assert drop(config).output == "2 dropped\n"
    assert queue.bodies == [b"that died meanwhile"]


def test_whoever_does_not_agree_loses_nothing(broker: FakeBroker, config: Path) -> None:
    queue = Queue(broker, b"one")
    assert drop(config).exit_code == 1
    assert queue.bodies == [b"one"]


def test_those_that_are_named_are_dropped_without_a_question(broker: FakeBroker, config: Path) -> None:
    queue = Queue(broker, b"one", b"two")
    assert drop(config, "--yes", "00000000").output == "0 dropped\n"
    assert drop(config, "--yes").output == "2 dropped\n"
    assert queue.bodies == []
