"""What of RabbitMQ needs no broker: addresses, refusals, and the bookkeeping of deliveries."""

from __future__ import annotations

from collections import deque
from typing import Any

import pika
import pytest
from pika import exceptions
from pydantic import SecretStr

from pylib.errors import Permanent, Transient
from pylib.rabbitmq import backlog
from pylib.rabbitmq.backlog import Backlog
from pylib.rabbitmq.broker import Broker, explain
from pylib.rabbitmq.settings import BrokerSettings
from pylib.rabbitmq.topology import lacks_quorum_queues
from pylib.rabbitmq.window import Window


@pytest.mark.parametrize(
    ("broker", "address"), [(Broker(host="mq"), "mq:5672"), (Broker(host="mq", tls=True), "mq:5671")]
)
def test_a_port_may_be_left_out(broker: Broker, address: str) -> None:
    assert broker.address == address


def test_all_that_is_set_reaches_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pika, "BlockingConnection", lambda parameters: parameters)
    login: dict[str, Any] = {"username": "anna", "password": SecretStr("hunter2")}
    broker = Broker(host="mq", **login, vhost="home", tls=True, heartbeat=7, blocked_timeout=8, connect_timeout=9)
    asked = broker.connect("garage fetch")
    assert (asked.host, asked.port, asked.virtual_host) == ("mq", 5671, "home")
    assert asked.credentials == pika.PlainCredentials("anna", "hunter2")
    assert asked.ssl_options.server_hostname == "mq"
    assert (asked.heartbeat, asked.blocked_connection_timeout) == (7, 8)
    assert (asked.socket_timeout, asked.stack_timeout) == (9, 9)
    assert asked.client_properties == {"connection_name": "garage fetch"}
    assert Broker().connect("").ssl_options is None
    settings = BrokerSettings(server_address="mq", **login, vhost="home", tls=True, heartbeat=7)
    assert settings.broker == Broker(host="mq", port=5671, **login, vhost="home", tls=True, heartbeat=7)


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Broker(host="mq", password=SecretStr("hunter2")))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'q' in vhost '/': "
            "received none but current is the value '5' of type 'signedint'",
            "queue 'q' exists with x-max-length '5', not none: delete it or change the setting",
        ),
        (
            "PRECONDITION_FAILED - inequivalent arg 'durable' for exchange 'e' in vhost '/': "
            "received 'true' but current is 'false'",
            "exchange 'e' exists with durable 'false', not 'true': delete it or change the setting",
        ),
        (
            "PRECONDITION_FAILED - invalid arg 'x-overflow' for queue 'q' in vhost '/': unknown",
            "PRECONDITION_FAILED - invalid arg 'x-overflow' for queue 'q' in vhost '/': unknown",
        ),
    ],
)
def test_a_refused_declaration_names_the_argument(text: str, sentence: str) -> None:
    failure = explain(exceptions.ChannelClosedByBroker(406, text))
    assert isinstance(failure, Permanent)
    assert str(failure) == f"precondition_failed: {sentence}"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            exceptions.ChannelClosedByBroker(406, "PRECONDITION_FAILED - delivery acknowledgement timed out"),
            "",
        ),
        (
            exceptions.ConnectionClosedByBroker(320, "CONNECTION_FORCED - broker forced connection closure"),
            "",
        ),
        (exceptions.StreamLostError("gone"), ""),
        (exceptions.AMQPConnectionError(ConnectionRefusedError(111, "Connection refused")), ""),
        (exceptions.ProbableAuthenticationError("StreamLostError: ('Transport indicated EOF',)"), ""),
        (exceptions.ProbableAccessDeniedError("ConnectionClosedByBroker: (541) 'vhost is down'"), ""),
        (ZeroDivisionError(), ""),
        (exceptions.ConnectionBlockedTimeout("blocked"), "broker_blocked"),
        (exceptions.ChannelClosedByBroker(404, "NOT_FOUND - no exchange 'e' in vhost '/'"), "not_found"),
    ],
)
def test_what_time_may_mend_is_transient(error: Exception, code: str) -> None:
    failure = explain(error)
    assert isinstance(failure, Transient)
    assert failure.code == (code or "broker_away")
    assert failure.detail


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ChannelClosedByBroker(403, "ACCESS_REFUSED - access to queue 'q' refused for user 'u'"),
        exceptions.ProbableAuthenticationError("ConnectionClosedByBroker: (403) 'ACCESS_REFUSED - Login'"),
        exceptions.ProbableAccessDeniedError("ConnectionClosedByBroker: (530) 'NOT_ALLOWED - vhost x'"),
    ],
)
def test_a_refusal_of_who_we_are_is_for_someone_to_mend(error: Exception) -> None:
    failure = explain(error)
    assert isinstance(failure, Permanent)
    assert failure.code == "access_refused"


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("INTERNAL_ERROR - Cannot declare a queue: the corresponding feature flag is disabled", True),
        (
            "PRECONDITION_FAILED - invalid arg 'x-queue-type' for queue 'q': unsupported queue type 'quorum'",
            True,
        ),
        ("PRECONDITION_FAILED - inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received", False),
    ],
)
def test_a_broker_without_quorum_queues_is_told_from_a_queue_of_another_type(text: str, lacks: bool) -> None:
    assert lacks_quorum_queues(exceptions.ConnectionClosedByBroker(541, text)) is lacks


def test_acknowledgements_are_taken_up_to_the_first_gap_at_once_and_the_rest_singly() -> None:
    window = Window("7", size=10)
    for tag in range(1, 7):
        window.add(tag)
    done = window.take(deque(["7:6", "7:2", "7:1", "7:4", "7:1"]))
    assert (done.up_to, done.others) == (2, [4, 6])
    assert done.receipts == ["7:1", "7:2", "7:4", "7:6"]
    assert [tag for tag in range(1, 7) if window.tag(f"7:{tag}")] == [3, 5]


def test_receipts_of_another_session_or_done_before_count_for_nothing() -> None:
    window = Window("7", size=10)
    window.add(1)
    assert window.take(deque(["6:1", "7:2", ""])) == (0, [], [])
    assert window.take(deque(["7:1"])).up_to == 1
    assert window.take(deque(["7:1"])) == (0, [], [])


def test_a_window_is_full_when_the_prefetch_is_under_way() -> None:
    window = Window("7", size=2)
    window.add(1)
    assert not window.full
    window.add(2)
    assert window.full
    window.discard(1)
    assert not window.full


def test_as_many_deliveries_as_were_ready_had_been_waiting() -> None:
    waiting = Backlog(2)
    assert [waiting.delivered() for _ in range(4)] == [True, True, False, False]


def test_a_backlog_is_not_corrected_while_deliveries_may_be_on_their_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting = Backlog(3)
    waiting.delivered()
    waiting.verify(0)
    assert waiting.delivered()
    monkeypatch.setattr(backlog, "QUIET", -1.0)
    assert waiting.doubtful
    waiting.verify(0)
    assert not waiting.delivered()
