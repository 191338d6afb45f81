"""Connections to a real Mosquitto: restarted, with TLS and a login, and with its limits."""

from __future__ import annotations

import dataclasses
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.cli.check import Finding, Verdict, check
from app.config.settings import load
from app.journal import Journal
from app.messages import Detection, Inspection, Label, Trigger, decode, encode
from app.publishers import PublisherContext, PublishUnavailable
from app.publishers.mqtt import Mqtt
from app.publishers.mqtt.settings import MqttPublisherSettings
from app.rules.telling import Telling
from app.sources import SourceContext
from app.sources.mqtt import Mqtt as Source
from app.sources.mqtt import MqttSourceSettings
from app.uploads.certificate import make_certificate
from pylib.errors import Failure, Permanent, Transient
from pylib.mqtt.broker import Broker, Outgoing
from pylib.mqtt.client import CHUNK, LONGEST
from pylib.mqtt.connection import Connection, Received
from pylib.mqtt.thread import ConnectionThread
from pylib.runtime.relay import Codec, Transport
from pylib.settings.credentials import Secret
from tests.broker import Broker as RabbitMQ
from tests.broker import free_ports
from tests.fakes.archives import a_picture
from tests.fakes.pictures import busy, encoded
from tests.mosquitto import Mosquitto, Peer, peer

YARD = "Yard Camera"
AT = "snapshots/yard-camera/"
PASSWORD = "hush-hush"


@pytest.fixture(scope="module")
def mosquitto() -> Iterator[Mosquitto]:
    with Mosquitto() as one:
        yield one


def until(truth: Callable[[], object], *, what: str = "") -> None:
    deadline = time.monotonic() + 30
    while not truth():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@dataclass
class Receiver:
    """A connection of ours that listens to `in/#`, and what came over it."""

    broker: Broker
    name: str
    received: list[Received] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = Connection(
            self.name,
            self.broker,
            client_id=self.name,
            subscriptions=["in/#"],
            on_message=self.received.append,
            on_settled=self.settled.extend,
            persistent=True,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = ConnectionThread(self.name, self.connection)
        thread.start()
        try:
            until(lambda: self.connection.connected, what="connected")
            yield
        finally:
            thread.stop()
            assert thread.join(10)

    def take(self, count: int) -> list[Received]:
        """So many messages that have come, in order."""
        until(lambda: len(self.received) >= count, what=f"{count} messages, not {len(self.received)}")
        taken = self.received[:count]
        del self.received[:count]
        return taken


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


def at(port: int, **options: object) -> Broker:
    return Broker(host="127.0.0.1", port=port, **options)  # type: ignore[arg-type]


def speaks_as_it_should(broker: Broker, port: int, lose: Callable[[], None], name: str, **login: str) -> None:
    """Publishing is confirmed; what is not acknowledged comes again over each new connection, and nothing else."""
    receiver = Receiver(broker, name)
    with peer(port, "out/#", **login) as other:
        with receiver.running():
            receiver.connection.publish([Outgoing("out/a", b"x" * 900_000), Outgoing("out/b", b"1")], timeout=10)
            other.wait(lambda: other.last("out/b"))
            assert [len(payload) for _, payload, _ in other.messages] == [900_000, 1]
            other.say("in/1", "done")
            (done,) = receiver.take(1)
            assert (done.payload, done.retained, done.redelivered, done.queued) == (b"done", False, False, False)
            receiver.connection.acknowledge(done.receipt)
            until(lambda: receiver.settled == [done.receipt], what="the broker has processed it")
            other.say("in/2", "open")
            receiver.take(1)
        other.say("in/3", "sent while we were away")
        with receiver.running():
            again, waited = receiver.take(2)
            assert (again.topic, again.redelivered, again.queued) == ("in/2", True, True)
            assert (waited.topic, waited.queued) == ("in/3", True)
            receiver.connection.acknowledge(again.receipt)
            until(lambda: again.receipt in receiver.settled)
            with capture_logs() as logs:
                lose()
                until(lambda: len(receiver.received) > 0, what="connected again")
            assert [entry["event"] for entry in logs].count("broker unreachable, trying again") == 1
            (last,) = receiver.take(1)
            assert (last.topic, last.redelivered) == ("in/3", True)
            receiver.connection.acknowledge(waited.receipt)  # of the connection before: it means nothing any more
            receiver.connection.acknowledge(last.receipt)
            until(lambda: last.receipt in receiver.settled)
            assert waited.receipt not in receiver.settled
        with receiver.running():
            receiver.connection.publish([Outgoing("in/4", b"")], timeout=10)
            assert [one.topic for one in receiver.take(1)] == ["in/4"], "nothing that was acknowledged comes again"


def test_with_mosquitto(name: str) -> None:
    with Mosquitto() as own:

        def restart() -> None:
            own.stop()
            own.start()

        speaks_as_it_should(at(own.port), own.port, restart, name)


def test_with_rabbitmq(broker: RabbitMQ, name: str) -> None:
    if broker.mqtt_port:
        speaks_with_rabbitmq(broker.mqtt_port, name)
    else:  # somebody else's, which need not speak MQTT
        with RabbitMQ(mqtt_port=free_ports(1)[0]) as own:
            speaks_with_rabbitmq(own.mqtt_port, name)


def speaks_with_rabbitmq(port: int, name: str) -> None:
    broker = at(port, username="guest", password=Secret("guest"))
    until(lambda: listens(port), what="the plugin starts after the broker")

    def take_over() -> None:
        Connection(name, broker, client_id=name, persistent=True).probe()

    speaks_as_it_should(broker, port, take_over, name, username="guest", password="guest")
    with pytest.raises(Permanent, match="mqtt_refused"):
        Connection(name, dataclasses.replace(broker, password=Secret("no")), client_id=name).probe()


def test_how_things_were_before_we_came_is_marked_as_such(mosquitto: Mosquitto, name: str) -> None:
    receiver = Receiver(at(mosquitto.port), name)
    with peer(mosquitto.port, "none") as other:
        other.say("in/kept", "1", retain=True)
        with receiver.running():
            assert receiver.take(1)[0].retained
            other.say("in/kept", "", retain=True)


def test_a_message_that_nobody_could_hold_comes_cut_off_and_the_next_one_after_it(
    mosquitto: Mosquitto, name: str
) -> None:
    receiver = Receiver(at(mosquitto.port), name)
    with receiver.running(), peer(mosquitto.port, "none") as other:
        other.say("in/large", b"x" * 1_900_000)
        other.say("in/small", b"x" * 900_000)
        large, small = receiver.take(2)
        assert LONGEST - 100 < len(large.payload) < LONGEST + CHUNK
        assert (large.topic, len(small.payload)) == ("in/large", 900_000)
        receiver.connection.acknowledge(large.receipt)
        until(lambda: receiver.settled == [large.receipt], what="it does not come again")


def test_without_a_connection_publishing_says_so_at_once_and_a_frozen_broker_in_time(name: str) -> None:
    with Mosquitto() as own:
        receiver = Receiver(at(own.port), name)
        with pytest.raises(Transient) as away:
            receiver.connection.publish([Outgoing("a", b"")], timeout=10)
        with receiver.running():
            with pytest.raises(Permanent) as unsendable:
                receiver.connection.publish([Outgoing("a/+", b"")], timeout=10)
            own.freeze()
            with pytest.raises(Transient) as late:
                receiver.connection.publish([Outgoing("a", b"")], timeout=0.2)
            own.thaw()
            receiver.connection.publish([Outgoing("a", b"")], timeout=10)
    assert [raised.value.code for raised in (away, unsendable, late)] == [
        "mqtt_away",
        "mqtt_unsendable",
        "mqtt_timeout",
    ]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mosquitto, Path]]:
    """A broker with TLS and a login, whose user may read only below `in`; and its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = make_certificate(folder)
    (folder / "acl").write_text("user bob\ntopic readwrite in/#\n")
    with Mosquitto(f"acl_file {folder}/acl", users={"bob": PASSWORD}, certificate=(certificate, key)) as one:
        yield one, certificate


def test_with_tls_and_a_login(guarded: tuple[Mosquitto, Path], name: str) -> None:
    own, certificate = guarded
    login = {"username": "bob", "password": Secret(PASSWORD)}
    broker = Broker(host="localhost", port=own.port, tls=True, ca_file=str(certificate), **login)  # type: ignore[arg-type]
    receiver = Receiver(broker, name)
    with receiver.running():
        receiver.connection.publish([Outgoing("in/a", b"x" * 500_000)], timeout=10)
        assert len(receiver.take(1)[0].payload) == 500_000


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"password": Secret("no-such-word")}, "mqtt_refused"),
        ({"username": ""}, "mqtt_refused"),
        ({"ca_file": ""}, "mqtt_tls"),
        ({"host": "127.0.0.2"}, "mqtt_away"),
        ({"tls": False}, "mqtt_away"),
    ],
)
def test_what_is_wrong_is_said_once_and_holds_no_password(
    guarded: tuple[Mosquitto, Path], name: str, wrong: dict[str, object], code: str
) -> None:
    own, certificate = guarded
    right = Broker(
        host="localhost",
        port=own.port,
        tls=True,
        ca_file=str(certificate),
        username="bob",
        password=Secret(PASSWORD),
    )
    connection = Connection(name, dataclasses.replace(right, **wrong), client_id=name)  # type: ignore[arg-type]
    with pytest.raises(Failure) as raised:
        connection.probe()
    assert raised.value.code == code
    with capture_logs() as logs:
        for _ in range(50):
            connection.pump(0.01)
    assert len(logs) == 1
    for text in (str(raised.value), repr(logs), repr(connection.__dict__)):
        assert PASSWORD not in text
        assert "no-such-word" not in text


# -- triggers -------------------------------------------------------------------------------------


def test_what_waited_at_the_broker_is_acknowledged_when_it_is_done_and_more_comes(
    mosquitto: Mosquitto, name: str, journal: Journal, tmp_path: Path
) -> None:
    """The broker sends what it kept before it answers to the subscription, and no more than 20 at once."""
    settled: list[str] = []
    transport = Transport(Codec(encode, decode))
    context = SourceContext(
        name="mqtt",
        app_name="test",
        cameras={YARD: "Yard"},
        telling=Telling(journal),
        transport=transport,
        address="inproc://triggers",
        settled=settled.extend,
        count=lambda _origin, _code: None,
        journal=journal,
        data_dir=tmp_path,
    )
    mapped = [{"topic": f"{name}/door", "camera": YARD}]
    settings = MqttSourceSettings(server_address=mosquitto.address, client_id=name, topics=mapped)  # type: ignore[arg-type]
    source = Source(settings, context)
    came: list[str] = []
    waiting: list[Trigger] = []

    def runs(truth: Callable[[], object]) -> bool:
        triggers = list(source.poll(0.01))
        came.extend(str((trigger.active_input or {})["n"]) for trigger in triggers)
        if source.connected:
            while waiting:
                source.acknowledge(waiting.pop().receipt)
        waiting.extend(triggers)
        return bool(truth())

    until(lambda: runs(lambda: source.connected))
    source.close()
    with peer(mosquitto.port, "none") as other:
        for number in range(30):
            other.say(f"{name}/door", json.dumps({"n": number}))
        until(lambda: runs(lambda: len(settled) == 30), what="all are acknowledged")
        other.say(f"{name}/door", json.dumps({"n": 30}))
        until(lambda: runs(lambda: len(settled) == 31), what="a new one comes")
    source.close()
    assert came == [str(number) for number in range(31)]
    source = Source(MqttSourceSettings(server_address=mosquitto.address, client_id=name), context)
    until(lambda: runs(lambda: source.connected))
    heard: list[str] = []
    with peer(mosquitto.port, "none") as other:
        source.connection._on_message = lambda message: heard.append(message.topic)
        other.say(f"{name}/door", "{}")
        other.say("snapshots/mode/set", "home")
        until(lambda: runs(lambda: heard))
    source.close()
    transport.close()
    assert heard == ["snapshots/mode/set"], "a topic that was taken out of the settings comes no more"


# -- events ---------------------------------------------------------------------------------------


def publisher(folder: Path, own: Mosquitto, *cameras: str, **settings: object) -> Mqtt:
    context = PublisherContext(
        name="mqtt", device_name="pi", cameras={camera: camera for camera in cameras}, data_dir=folder
    )
    made = MqttPublisherSettings(server_address=own.address, **settings)  # type: ignore[arg-type]
    return Mqtt(made, context)


@contextmanager
def running(one: Mqtt) -> Iterator[Mqtt]:
    (thread,) = one.threads
    thread.start()
    try:
        until(lambda: one.connection.connected, what="connected")
        yield one
    finally:
        thread.stop()
        assert thread.join(10)


def seen(path: Path) -> Inspection:
    one = a_picture(None)
    snapshot = dataclasses.replace(one.snapshot, camera=YARD, path=str(path), taken_at=datetime.now(UTC))
    found = Detection((Label("Person", 0.9),), 1)
    return dataclasses.replace(one, snapshot=snapshot, detection=found, decision="person")


def configs(assistant: Peer) -> int:
    """How many devices it was told of."""
    return len([topic for topic, payload, _ in assistant.messages if topic.endswith("/config") and payload])


def test_home_assistant_finds_devices_hears_again_after_its_start_and_loses_cameras_that_are_gone(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    with running(publisher(tmp_path, mosquitto, YARD, "Door Camera")), peer(mosquitto.port) as assistant:
        assistant.wait(lambda: configs(assistant) == 3)
        assistant.wait(lambda: assistant.last("snapshots/status") == b"online")
        assistant.messages.clear()
        assistant.say("homeassistant/status", "online")
        assistant.wait(lambda: configs(assistant) == 3, what="told again")
        assistant.wait(lambda: assistant.last(f"{AT}person") == b"OFF")
    with peer(mosquitto.port) as assistant:
        assistant.wait(lambda: assistant.last("snapshots/status") == b"offline", what="it says that it ends")
    with peer(mosquitto.port) as assistant, running(publisher(tmp_path, mosquitto, YARD)):
        assistant.wait(lambda: assistant.last("snapshots/door-camera/status") == b"", what="gone")
        assistant.wait(lambda: assistant.last("snapshots/status") == b"online")
    with peer(mosquitto.port) as assistant:
        assistant.wait(lambda: assistant.last("snapshots/status"))
        assert configs(assistant) == 2
        assert not [t for t, _, _ in assistant.messages if "door-camera" in t]


def test_a_broker_that_takes_no_large_messages_gets_smaller_pictures(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(encoded(busy(1200, 900), quality=95))
    assert path.stat().st_size > 400_000
    limited = Mosquitto("max_packet_size 250000")
    with limited, peer(limited.port) as assistant, running(publisher(tmp_path, limited, YARD)) as one:
        while assistant.last(f"{AT}event") is None:
            until(lambda: one.connection.connected, what="connected again")
            with suppress(PublishUnavailable):
                one.publish(seen(path))
                assistant.wait(lambda: assistant.last(f"{AT}event"))
        assert json.loads(assistant.last(f"{AT}event") or b"")["event_type"] == "person"
        assert assistant.last(f"{AT}person") == b"ON"
        picture = assistant.last(f"{AT}image") or b""
        assert picture.startswith(b"\xff\xd8")
        assert len(picture) < 250_000


# -- check ----------------------------------------------------------------------------------------


def found(folder: Path, **environment: str) -> list[Finding]:
    camera = {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": "Yard"}
    settings = load(None, {"DATA_DIR": str(folder), "DETECTOR_KIND": "none", **camera, **environment})
    return [finding for finding in check(settings) if finding.subject.startswith("mqtt")]


def test_check_says_whether_it_is_let_in_and_what_to_do_when_not(
    mosquitto: Mosquitto, guarded: tuple[Mosquitto, Path], tmp_path: Path
) -> None:
    mapped = {"MQTT_TOPIC_1_TOPIC": "a", "MQTT_TOPIC_1_CAMERA": "Yart Camera"}
    well, unknown = found(tmp_path, MQTT_SERVER_ADDRESS=mosquitto.address, **mapped)
    assert (well.verdict, well.text) == (Verdict.OK, f"{mosquitto.address}, topics below snapshots/")
    assert unknown.verdict is Verdict.WRONG
    assert unknown.text == "topics[0] (a): unknown_camera: no camera 'Yart Camera'; did you mean 'Yard Camera'?"
    own, certificate = guarded
    tls = {"MQTT_SERVER_ADDRESS": f"localhost:{own.port}", "MQTT_TLS": "true", "MQTT_CA_FILE": str(certificate)}
    (refused,) = found(tmp_path, **tls, MQTT_USERNAME="bob", MQTT_PASSWORD="no")
    assert (refused.verdict, "MQTT_PASSWORD" in refused.remedy) == (Verdict.WRONG, True)
    (let_in,) = found(tmp_path, **tls, MQTT_USERNAME="bob", MQTT_PASSWORD=PASSWORD)
    assert let_in.verdict is Verdict.OK
    other = {"SOURCE_1_KIND": "mqtt", "SOURCE_1_NAME": "attic", "SOURCE_1_SERVER_ADDRESS": "127.0.0.1:9"}
    (away,) = found(tmp_path, **other)
    assert (away.subject, away.verdict) == ("mqtt attic", Verdict.WRONG)
    assert "MQTT_SERVER_ADDRESS" in away.remedy
