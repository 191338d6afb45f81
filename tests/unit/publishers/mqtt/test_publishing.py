"""What an event says on an MQTT broker, and what becomes of one that cannot be told."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.messages import Detection, Inspection, Label
from app.publishers import PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.mqtt import CUTS_OF_SMALL, LARGER_AFTER_S, LEAST, MOST, Mqtt, events
from app.publishers.mqtt.settings import MqttPublisherSettings
from pylib.errors import Failure, Permanent, Transient
from tests.fakes.archives import a_picture, event_id
from tests.fakes.clock import Clock
from tests.fakes.mqtt import FakeConnection
from tests.fakes.pictures import busy, encoded

YARD = "Yard Camera"
AT = "snapshots/yard-camera/"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(encoded(busy(320, 240)))
    return path


def target(tmp_path: Path, clock: Clock | None = None, **context: Any) -> tuple[Mqtt, FakeConnection]:
    made = Mqtt(
        MqttPublisherSettings(server_address="broker"),
        PublisherContext(name="mqtt", device_name="pi", cameras={YARD: "Yard"}, data_dir=tmp_path, **context),
        clock=clock or Clock(),
    )
    connection = FakeConnection()
    made.connection = connection  # type: ignore[assignment]
    return made, connection


def seen(path: Path | None, *, persons: int = 1, ago: float = 0.0, number: int = 1, problem: str = "") -> Inspection:
    one = a_picture(None, number)
    taken = datetime.now(UTC) - timedelta(seconds=ago)
    snapshot = replace(one.snapshot, camera=YARD, label="Yard", path=str(path or ""), taken_at=taken)
    found = Detection((Label("Person", 0.987), Label("Car", 0.5)) if persons else (Label("Car", 0.5),), persons)
    decision = "unknown" if problem else "person" if persons else "clear"
    return replace(one, snapshot=snapshot, detection=found, decision=decision, problem=problem)


def test_a_person_is_told_with_the_picture_first_and_the_event_last(tmp_path: Path, picture: Path) -> None:
    publisher, connection = target(tmp_path, event_url=lambda event: f"https://album/{event}")
    publisher.publish(seen(picture))
    topics = [message.topic.removeprefix(AT) for message in connection.sent]
    assert topics == ["image", "person_image", "state", "last_seen", "person", "event"]
    assert [message.retain for message in connection.sent] == [True] * 5 + [False]
    sent = connection.take()
    assert sent[f"{AT}image"] == sent[f"{AT}person_image"] == picture.read_bytes()
    assert sent[f"{AT}person"] == b"ON"
    state = json.loads(sent[f"{AT}state"])
    assert (state["persons"], state["labels"], state["problem"]) == (1, "Person, Car", "none")
    event = json.loads(sent[f"{AT}event"])
    assert (event["event_type"], event["event_id"], event["device_key"]) == ("person", event_id(1), YARD)
    assert event["labels"] == {"Person": 0.99, "Car": 0.5}
    assert event["event_url"] == f"https://album/{event_id(1)}"
    assert "storage_path" not in event


def test_where_there_is_a_link_it_goes_in_place_of_the_bytes(tmp_path: Path, picture: Path) -> None:
    publisher, connection = target(tmp_path, picture_url=lambda event: f"https://home/{event}")
    publisher.publish(seen(picture))
    link = f"https://home/{event_id(1)}"
    assert connection.said(f"{AT}event")["picture_url"] == link
    sent = connection.take()
    assert sent[f"{AT}image_url"] == sent[f"{AT}person_image_url"] == link.encode()
    assert not {f"{AT}image", f"{AT}person_image"} & sent.keys()


def test_nobody_leaves_the_last_person_as_it_was(tmp_path: Path, picture: Path) -> None:
    publisher, connection = target(tmp_path)
    publisher.publish(seen(picture, persons=0))
    assert {topic.removeprefix(AT) for topic in connection.take()} == {"image", "state", "event"}


def test_a_failure_is_an_event_too_and_knows_nothing_of_persons(tmp_path: Path) -> None:
    publisher, connection = target(tmp_path)
    publisher.publish(seen(None, problem=f"timeout: {'no answer ' * 100}"))
    assert connection.said(f"{AT}event")["event_type"] == "unknown"
    state = connection.said(f"{AT}state")
    assert (state["persons"], state["labels"], len(state["problem"])) == (None, None, 255)
    assert f"{AT}image" not in connection.take()


def test_who_was_there_long_ago_is_told_of_and_not_there_now(tmp_path: Path, picture: Path) -> None:
    publisher, connection = target(tmp_path)
    publisher.publish(seen(picture, ago=61))
    assert f"{AT}person" not in connection.take()


def test_an_event_that_had_to_wait_says_nothing_of_how_things_are(tmp_path: Path, picture: Path) -> None:
    publisher, connection = target(tmp_path)
    publisher.publish(seen(picture, persons=0, ago=5, number=2))
    connection.take()
    publisher.publish(seen(picture, ago=30))
    assert connection.take().keys() == {f"{AT}event"}
    publisher, connection = target(tmp_path)
    publisher.publish(seen(picture, ago=30))
    assert connection.take().keys() == {f"{AT}event"}, "nor after a restart"
    publisher.publish(seen(picture, ago=1, number=3))
    assert f"{AT}state" in connection.take()


def test_a_picture_of_the_future_keeps_none_of_now_back(tmp_path: Path, picture: Path) -> None:
    publisher, connection = target(tmp_path)
    publisher.publish(seen(picture, ago=-86_400))
    connection.take()
    publisher.publish(seen(picture, number=2))
    assert f"{AT}state" in connection.take()


def test_nothing_is_kept_at_the_broker_of_a_camera_that_is_not_configured(tmp_path: Path, picture: Path) -> None:
    publisher, connection = target(tmp_path)
    one = seen(picture)
    publisher.publish(replace(one, snapshot=replace(one.snapshot, camera="Gone Camera")))
    assert connection.take().keys() == {"snapshots/gone-camera/event"}


def test_a_picture_that_is_gone_costs_the_event_its_picture_only(tmp_path: Path) -> None:
    publisher, connection = target(tmp_path)
    with capture_logs() as logs:
        publisher.publish(seen(tmp_path / "gone.jpg"))
    assert len(logs) == 1
    sent = connection.take()
    assert f"{AT}event" in sent
    assert f"{AT}image" not in sent


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Transient("mqtt_away", "x"), PublishUnavailable),
        (Transient("mqtt_timeout", "x"), PublishUnavailable),
        (Permanent("mqtt_unsendable", "x"), PublishRejected),
    ],
)
def test_only_what_no_broker_would_ever_take_is_given_up(
    tmp_path: Path, picture: Path, failure: Failure, kind: type[PublishError]
) -> None:
    publisher, connection = target(tmp_path)
    connection.failure = failure
    with pytest.raises(PublishError) as raised:
        publisher.publish(seen(picture))
    assert (type(raised.value), raised.value.code) == (kind, failure.code)
    connection.failure = None
    publisher.publish(seen(picture))
    assert f"{AT}image" in connection.take(), "what was not told is not taken for told"


def test_a_broker_that_ends_the_connection_over_pictures_gets_smaller_ones_then_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    publisher, connection = target(tmp_path, clock)
    path = tmp_path / "large.jpg"
    path.write_bytes(b"\xff\xd8\xff" + b"x" * 900_000)
    monkeypatch.setattr(events, "fitted", lambda picture, most: picture[:most])
    sizes, limit = [], 100_000

    def cut(messages: Any, *, timeout: float) -> None:
        sizes.append(max(len(message.payload) for message in messages))
        if sizes[-1] > limit:
            raise Transient("mqtt_cut", "x")

    def publish() -> list[int]:
        """How large the pictures were until one was taken."""
        sizes.clear()
        while True:
            with suppress(PublishUnavailable):
                publisher.publish(seen(path))
                return list(sizes)

    monkeypatch.setattr(connection, "publish", cut)
    assert publish() == [900_003, 900_003, 450_001, 450_001, 225_000, 225_000, 112_500, 112_500, 56_250]
    clock.now += LARGER_AFTER_S
    assert publish() == [112_500, 112_500, 56_250], "the broker may have been mended"
    limit = 10_000
    assert publish()[-1] < limit < LEAST < MOST
    limit = MOST
    for _ in range(10):
        clock.now += LARGER_AFTER_S
        publish()
    assert sizes == [900_003]


def test_a_restart_over_one_picture_leaves_the_size_of_pictures(tmp_path: Path, picture: Path) -> None:
    publisher, connection = target(tmp_path)
    for number in range(4):
        connection.failure = Transient("mqtt_cut", "x")
        with pytest.raises(PublishUnavailable):
            publisher.publish(seen(picture, number=number))
        connection.failure = None
        publisher.publish(seen(picture, number=number))
        assert connection.take()[f"{AT}image"] == picture.read_bytes()


def test_two_connections_lost_over_a_small_picture_leave_the_size_of_pictures(tmp_path: Path, picture: Path) -> None:
    publisher, connection = target(tmp_path)
    connection.failure = Transient("mqtt_cut", "x")
    for _ in range(CUTS_OF_SMALL - 1):
        with pytest.raises(PublishUnavailable):
            publisher.publish(seen(picture))
    connection.failure = None
    publisher.publish(seen(picture))
    assert connection.take()[f"{AT}image"] == picture.read_bytes()


def test_a_large_picture_is_made_to_fit_and_a_small_one_stays(picture: Path) -> None:
    large = encoded(busy(1000, 700), quality=95)
    assert events.fitted(large, len(large)) == large
    smaller = events.fitted(large, len(large) - 1)
    assert 0 < len(smaller) < len(large)
    assert events.fitted(large, 100) == b""
    assert events.fitted(b"no picture", MOST) == b""


def test_no_address_of_the_pictures_on_disk_goes_out(tmp_path: Path, picture: Path) -> None:
    publisher, connection = target(tmp_path)
    publisher.publish(seen(picture))
    assert not [m for m in connection.sent if re.search(str(tmp_path).encode(), m.payload)]


def test_the_trace_goes_on_in_the_event(tmp_path: Path) -> None:
    publisher, connection = target(tmp_path)
    one, trace = seen(None), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    publisher.publish(replace(one, snapshot=replace(one.snapshot, traceparent=trace)))
    assert json.loads(connection.take()[f"{AT}event"])["traceparent"] == trace
    publisher.publish(one)
    assert "traceparent" not in json.loads(connection.take()[f"{AT}event"])


def test_each_replica_is_a_client_of_its_own_and_none_says_that_all_are_gone(tmp_path: Path) -> None:
    def of(**context: Any) -> Any:
        own = PublisherContext(name="mqtt", cameras={YARD: "Yard"}, data_dir=tmp_path, **context)
        return Mqtt(MqttPublisherSettings(server_address="broker"), own, clock=Clock()).connection

    alone, den, attic = of(), of(replica="den"), of(replica="attic")
    assert len({alone._client_id, den._client_id, attic._client_id}) == 3
    assert (alone._will is None, den._will) == (False, None)
