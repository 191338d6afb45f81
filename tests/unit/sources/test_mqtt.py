"""Triggers from an MQTT broker: which messages are some, and when each is acknowledged."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from structlog.testing import capture_logs

from app.journal import Journal
from app.messages import decode, encode
from app.rules.telling import Telling
from app.sources import SourceContext
from app.sources.mqtt import MAX_PAYLOAD, MappedTopic, Mqtt, MqttSourceSettings
from pylib.mqtt.connection import Received
from pylib.runtime.relay import Codec, Transport
from pylib.sqlite import DatabaseUnavailable
from tests.unit.docs.pages import blocks

DOOR, YARD = "Front Door Camera", "Yard Camera"
SNAPSHOT = "snapshots/front-door-camera/snapshot/set"
MAPPED = "zigbee2mqtt/door"


class Bench:
    """A source whose messages come from the test, and whose acknowledgements go to it."""

    def __init__(self, transport: Transport, telling: Telling, *mapped: Mapping[str, Any]) -> None:
        self.leads = True
        self.connected = True
        self.closed = 0
        self.pumped = 0
        self.counted: list[str] = []
        self.acknowledged: list[str] = []
        self.settled: list[str] = []
        context = SourceContext(
            name="mqtt",
            app_name="test",
            cameras={DOOR: "The door", YARD: "The yard"},
            telling=telling,
            transport=transport,
            address="inproc://triggers",
            settled=self._settle,
            count=lambda _origin, code: self.counted.append(code),
            journal=Journal(Path("never-opened")),
            leads=lambda: self.leads,
        )
        self.source = Mqtt(MqttSourceSettings(server_address="127.0.0.1", topics=mapped), context)  # type: ignore[arg-type]
        self.source.connection = self  # type: ignore[assignment]
        self._messages = 0

    def pump(self, _timeout: float) -> None:
        """Nothing comes by itself."""
        self.pumped += 1

    def close(self) -> None:
        self.connected = False
        self.closed += 1

    def acknowledge(self, receipt: str) -> None:
        self.acknowledged.append(receipt)

    def send(self, topic: str, payload: object = b"", **options: Any) -> list[Any]:
        """The triggers that a message is."""
        self._messages += 1
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.source.receive(Received(topic, body, receipt=options.pop("receipt", f"1:{self._messages}"), **options))
        return list(self.source.poll(0))

    def _settle(self, receipts: Collection[str]) -> None:
        self.settled += receipts


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport(Codec(encode, decode))
    yield transport
    transport.close()


@pytest.fixture
def telling(journal: Journal) -> Telling:
    return Telling(journal)


@pytest.fixture
def bench(transport: Transport, telling: Telling) -> Bench:
    condition = {"contact": False, "device.battery": [80, 90]}
    return Bench(transport, telling, {"topic": MAPPED, "camera": "front door camera", "when": condition})


def test_a_message_to_a_camera_is_a_trigger_that_is_acknowledged_when_it_is_done(bench: Bench) -> None:
    (trigger,) = bench.send(SNAPSHOT, b"PRESS")
    assert (trigger.camera, trigger.label, trigger.origin) == (DOOR, "The door", "mqtt")
    assert (trigger.active_input, trigger.queued, trigger.redelivered) == (None, False, False)
    assert bench.acknowledged == []
    bench.source.acknowledge(trigger.receipt)
    assert bench.acknowledged == ["1:1"]
    assert bench.source._parts.settled(["1:1"]) == [trigger.receipt]


def test_it_may_say_when_and_why_in_the_contract_s_words(bench: Bench) -> None:
    (trigger,) = bench.send(SNAPSHOT, {"timestamp": 1_700_000_000, "active_input": {"pin": 4}}, queued=True)
    assert trigger.timestamp == datetime.fromtimestamp(1_700_000_000, UTC)
    assert (trigger.active_input, trigger.queued) == ({"pin": 4}, True)


def test_it_may_bring_its_trace_which_costs_nothing_where_it_is_none(bench: Bench) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    (trigger,) = bench.send(SNAPSHOT, {"traceparent": trace, "baggage": "a=b"})
    assert (trigger.traceparent, trigger.baggage) == (trace, "a=b")
    (trigger,) = bench.send(SNAPSHOT, {"traceparent": 7, "baggage": "a\r\nb: c"})
    assert (trigger.traceparent, trigger.baggage) == ("", "")


def test_what_is_delivered_again_has_the_same_key_and_another_camera_another(bench: Bench) -> None:
    (first,) = bench.send(SNAPSHOT, b"PRESS")
    (again,) = bench.send(SNAPSHOT, b"PRESS", redelivered=True)
    (other,) = bench.send("snapshots/yard-camera/snapshot/set", b"PRESS")
    assert first.key.startswith("sha:")
    assert (again.key, again.redelivered) == (first.key, True)
    assert other.key != first.key
    (once,) = bench.send(SNAPSHOT, b"PRESS", receipt="")
    assert (once.key, once.receipt) == ("", ""), "the broker will not deliver it again"


def test_how_things_were_before_we_came_is_no_trigger(bench: Bench) -> None:
    assert bench.send(SNAPSHOT, b"PRESS", retained=True) == []
    assert bench.send(MAPPED, {"contact": False, "device": {"battery": 80}}, retained=True) == []
    assert bench.acknowledged == ["1:1", "1:2"]


@pytest.mark.parametrize(
    ("payload", "triggers"),
    [
        ({"contact": False, "device": {"battery": 80}, "linkquality": 60}, 1),
        ({"contact": False, "device": {"battery": 90}}, 1),
        ({"contact": False, "device.battery": 90}, 1),
        ({"contact": True, "device": {"battery": 80}}, 0),
        ({"contact": 0, "device": {"battery": 80}}, 0),
        ({"contact": False, "device": {"battery": 70}}, 0),
        ({"contact": False, "device": 80}, 0),
        ({"contact": False}, 0),
    ],
)
def test_a_mapped_topic_is_a_trigger_when_all_of_its_condition_holds(
    bench: Bench, payload: dict[str, Any], triggers: int
) -> None:
    found = bench.send(MAPPED, payload)
    assert [trigger.camera for trigger in found] == [DOOR] * triggers
    assert [trigger.active_input for trigger in found] == [payload] * triggers
    assert bench.acknowledged == ([] if triggers else ["1:1"])


def test_what_frigate_begins_to_follow_is_a_trigger_as_the_page_says(transport: Transport, telling: Telling) -> None:
    (block,) = (one for one in blocks("yaml") if one.page == "docs/home-assistant.md" and "frigate/events" in one.text)
    (mapped,) = yaml.safe_load(block.text)["mqtt"]["topics"]
    bench = Bench(transport, telling, {**mapped, "camera": YARD})
    # docs/docs/integrations/mqtt.md of Frigate: one message for each change of what it follows.
    seen = {"id": "1607123955.475377-mxklsc", "camera": "garden", "label": "person", "entered_zones": ["drive"]}
    told = [
        {"type": kind, "before": seen, "after": {**seen, **changed}}
        for kind, changed in (
            ("new", {}),
            ("update", {}),
            ("end", {}),
            ("new", {"label": "car"}),
            ("new", {"camera": "b"}),
        )
    ]
    assert [len(bench.send(mapped["topic"], message)) for message in told] == [1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "field",
    [
        b'"name": "\\ud83d"',
        '"n": "\xfc"'.encode("latin-1"),
        b'"n": 18446744073709551616',
        b'"n": ' + b"[" * 40 + b"]" * 40,
    ],
)
def test_fields_that_nobody_reads_cost_no_trigger(transport: Transport, telling: Telling, field: bytes) -> None:
    bench = Bench(transport, telling, {"topic": MAPPED, "camera": DOOR, "when": {"contact": False}})
    (trigger,) = bench.send(MAPPED, b'{"contact": false, ' + field + b"}")
    assert trigger.active_input in ({"contact": False}, None)
    assert (trigger.active_input is None) is field.endswith(b"]")


def test_one_message_for_two_cameras_is_acknowledged_when_both_are_done(transport: Transport, telling: Telling) -> None:
    bench = Bench(transport, telling, {"topic": "#", "camera": DOOR}, {"topic": "gate/+", "camera": YARD})
    door, yard = bench.send("gate/beam", b"ON")
    assert (door.camera, yard.camera) == (DOOR, YARD)
    assert door.key != yard.key
    bench.source.acknowledge(yard.receipt)
    bench.source.acknowledge(yard.receipt)
    assert bench.acknowledged == []
    bench.source.acknowledge(door.receipt)
    assert bench.acknowledged == ["1:1"]
    assert bench.source._parts.settled(["1:1"]) == [door.receipt, yard.receipt]
    bench.source.acknowledge(door.receipt)
    assert bench.acknowledged == ["1:1"]


def test_a_receipt_of_a_lost_connection_acknowledges_nothing(bench: Bench) -> None:
    (lost,) = bench.send(SNAPSHOT)
    (trigger,) = bench.send(SNAPSHOT, receipt="2:1")
    bench.source.acknowledge(lost.receipt)
    assert bench.acknowledged == []
    bench.source.acknowledge(trigger.receipt)
    assert bench.acknowledged == ["2:1"]
    assert bench.source._parts.settled(["1:1"]) == [], "it is not remembered either"


def test_plain_text_is_compared_word_for_word(transport: Transport, telling: Telling) -> None:
    bench = Bench(transport, telling, {"topic": "esp/motion/state", "camera": YARD, "payload": "ON"})
    assert [len(bench.send("esp/motion/state", payload)) for payload in (b"ON", b"OFF", b"ON\n", b"")] == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("payload", "code"), [(b"OFF", "not_json"), (b"{" * 60_000, "not_json"), (b"[1]", "not_a_map")]
)
def test_what_is_no_json_is_said_once_and_counted_and_triggers_go_on(bench: Bench, payload: bytes, code: str) -> None:
    with capture_logs() as logs:
        assert [bench.send(MAPPED, payload) for _ in range(3)] == [[], [], []]
    assert len(logs) == 1
    assert bench.counted == [code] * 3
    assert bench.acknowledged == ["1:1", "1:2", "1:3"]
    assert len(bench.send(MAPPED, {"contact": False, "device": {"battery": 80}})) == 1


@pytest.mark.parametrize(
    ("topic", "payload", "code"),
    [
        (SNAPSHOT, b" " * (MAX_PAYLOAD + 1), "too_large"),
        (SNAPSHOT, b"{no", "not_json"),
        (SNAPSHOT, b'{"timestamp": "soon"}', "bad_timestamp"),
        (SNAPSHOT, b'{"active_input": ' + b'{"a":' * 40 + b"1" + b"}" * 41, "too_large"),
        ("snapshots/cellar/snapshot/set", b"", "unknown_camera"),
        ("snapshots/mode/set", b"holiday", "unknown_mode"),
        ("snapshots/yard-camera/notifications/set", b"maybe", "not_on_or_off"),
        ("snapshots/cellar/notifications/set", b"ON", "unknown_camera"),
    ],
)
def test_a_message_that_makes_no_sense_is_counted_and_done_with(
    bench: Bench, topic: str, payload: bytes, code: str
) -> None:
    assert bench.send(topic, payload) == []
    assert bench.counted == [code]
    assert bench.acknowledged == ["1:1"]


def test_a_topic_of_any_length_takes_no_more_than_a_line_of_the_log(bench: Bench) -> None:
    with capture_logs() as logs:
        bench.send(f"snapshots/{'x' * 60_000}/snapshot/set")
    assert bench.counted == ["unknown_camera"]
    assert len(str(logs)) < 1000


def test_mode_and_notifications_are_switched(bench: Bench, telling: Telling) -> None:
    bench.send("snapshots/mode/set", b"Away")
    bench.send("snapshots/front-door-camera/notifications/set", b"OFF")
    assert telling.mode == "away"
    snooze = telling.snoozed(DOOR)
    assert snooze is not None
    assert snooze.until is None
    assert telling.snoozed(YARD) is None
    bench.send("snapshots/front-door-camera/notifications/set", b"on")
    assert telling.snoozed(DOOR) is None
    assert bench.acknowledged == ["1:1", "1:2", "1:3"]


def test_a_command_that_cannot_be_recorded_is_told_and_does_not_come_again_over_later_ones(
    bench: Bench, telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_mode: str) -> None:
        raise DatabaseUnavailable("journal", "full")

    monkeypatch.setattr(telling, "set_mode", refuse)
    with capture_logs() as logs:
        assert bench.send("snapshots/mode/set", b"away") == []
    assert [entry["event"] for entry in logs] == ["not carried out"]
    assert (bench.acknowledged, bench.counted) == (["1:1"], ["journal"])


def test_a_topic_of_a_camera_that_is_not_there_is_told_and_the_others_work(
    transport: Transport, telling: Telling
) -> None:
    with capture_logs() as logs:
        bench = Bench(transport, telling, {"topic": "a", "camera": "Yart Camera"}, {"topic": "a", "camera": YARD})
    (line,) = logs
    assert "did you mean 'Yard Camera'?" in line["reason"]
    assert [trigger.camera for trigger in bench.send("a")] == [YARD]


@pytest.mark.parametrize("wrong", [{"topic": "a#"}, {"topic": ""}, {"when": "[1]"}, {"when": "{"}, {"camera": ""}])
def test_a_mapping_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MappedTopic(**{"topic": "a", "camera": YARD, **wrong})
    assert MappedTopic(topic="a", camera=YARD, when='{"b": 1}').when == {"b": 1}  # type: ignore[arg-type]


def test_of_several_replicas_only_the_leader_listens(bench: Bench) -> None:
    bench.leads = False
    assert list(bench.source.poll(0)) == []
    assert (bench.closed, bench.pumped, bench.source.connected) == (1, 0, True)  # another one listens: no alarm
    bench.leads = True
    assert not bench.source.connected
    assert list(bench.source.poll(0)) == []
    assert bench.pumped == 1
