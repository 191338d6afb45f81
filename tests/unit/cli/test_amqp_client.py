"""The command line listens without leaving anything in the broker."""

from __future__ import annotations

from typing import cast

from app.cli.amqp_client import AmqpClient
from pylib.rabbitmq.broker import Broker
from pylib.rabbitmq.settings import RabbitMQSettings
from tests.fakes.amqp import FakeBroker


def test_the_queue_of_who_listens_ends_with_them_and_gets_all_events_of_the_service() -> None:
    broker = FakeBroker()
    with AmqpClient(cast(Broker, broker), RabbitMQSettings(exchange="home", device_topic="garage")) as client:
        client.listen()
    assert broker.of("queue_declare", "queue_bind", "close") == [
        ("queue_declare", "", {"exclusive": True}),
        ("queue_bind", "amq.gen", "home", "event.notify.garage.#"),
        ("close",),
    ]
