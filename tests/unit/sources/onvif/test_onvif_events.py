"""Triggers from what an ONVIF device says: recorded before they go on, and after its restart as before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from app.cameras import CameraUnavailable
from app.cameras.foscam import FoscamSettings
from app.cameras.onvif import OnvifSettings
from app.cameras.onvif.events import PullPoint
from app.config.settings import load
from app.journal import Journal
from app.messages import Trigger, decode, encode
from app.rules.telling import Telling
from app.sources import SourceContext
from app.sources import onvif as source_module
from app.sources.onvif import FIRST_PAUSE_S, REFUSED_PAUSE_S, OnvifEvents, OnvifSourceSettings
from pylib.errors import Transient
from pylib.runtime.relay import Codec, Transport
from pylib.settings.draft import ConfigError
from pylib.settings.kinds import named
from tests.fakes.clock import Clock
from tests.simulators.onvif import PASSWORD, USERNAME, OnvifDevice

DOOR = "Front Door Camera"
MOTION = "RuleEngine/CellMotionDetector/Motion"


class Bench:
    """A source of one device, polled by hand."""

    def __init__(self, transport: Transport, journal: Journal, device: OnvifDevice, **settings: Any) -> None:
        context = SourceContext(
            name="onvif",
            app_name="test",
            cameras={DOOR: "The door"},
            telling=Telling(journal),
            transport=transport,
            address="inproc://triggers",
            settled=lambda _receipts: None,
            count=lambda _origin, _code: None,
            journal=journal,
            leads=lambda: self.leads,
        )
        self.leads = True
        login = {"username": USERNAME, "password": PASSWORD}
        own = {
            "camera": DOOR,
            "address": device.address,
            "timeout": 5,
            "events": ["motion", "line"],
            **login,
            **settings,
        }
        self.time = Clock()
        self.source = OnvifEvents(OnvifSourceSettings.model_validate(own), context, clock=self.time)

    def poll(self, *, after: float = 1.0) -> list[Trigger]:
        """What has come, after so many seconds."""
        self.time.now += after
        return list(self.source.poll(0.01))


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport(Codec(encode, decode))
    yield transport
    transport.close()


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[OnvifDevice]:
    """One that is asked again at once, for it is told before it is asked."""
    monkeypatch.setattr(source_module, "PULL_S", 0.05)
    with OnvifDevice(login="token", clock_ahead=timedelta(hours=-9)) as device:
        yield device


@pytest.fixture
def bench(transport: Transport, journal: Journal, device: OnvifDevice) -> Bench:
    return Bench(transport, journal, device)


def test_what_begins_is_a_trigger_that_is_recorded_before_it_goes_on(
    bench: Bench, device: OnvifDevice, journal: Journal
) -> None:
    assert (bench.poll(), bench.source.connected) == ([], True)
    device.tell(MOTION, "Initialized", IsMotion="false")
    device.tell(MOTION, IsMotion="true")
    (trigger,) = bench.poll()
    assert (trigger.camera, trigger.label, trigger.origin, trigger.key) == (DOOR, "The door", "onvif", "")
    assert trigger.active_input is not None
    assert trigger.active_input["event"] == "motion"
    assert trigger.active_input["data"] == {"IsMotion": "true"}
    assert [accepted.id for accepted in journal.accepted(older_than=-60)] == [trigger.id]
    device.tell(MOTION, IsMotion="true")
    assert bench.poll() == []


def test_a_trigger_that_cannot_be_recorded_waits_for_the_disk(
    bench: Bench, device: OnvifDevice, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_journal: Journal, _trigger: Trigger) -> None:
        raise Transient("disk_full", "no space")

    bench.poll()
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "accept", full)
        device.tell(MOTION, IsMotion="true")
        assert bench.poll() == []
    assert [trigger.camera for trigger in bench.poll()] == [DOOR]


def test_while_the_disk_is_full_a_device_keeps_what_happens(
    bench: Bench, device: OnvifDevice, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_journal: Journal, _trigger: Trigger) -> None:
        raise Transient("disk_full", "no space")

    bench.poll()
    monkeypatch.setattr(source_module, "MOST_HELD", 2)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "accept", full)
        for _ in range(5):
            device.tell("RuleEngine/LineDetector/Crossed", ObjectId="1")
            assert bench.poll() == []
    told = [len(bench.poll()) for _ in range(2)]
    assert told == [2, 1], "those that waited in the device come at one go, and are one"


def test_after_its_restart_a_device_is_asked_anew(bench: Bench, device: OnvifDevice) -> None:
    bench.poll()
    device.tell(MOTION, IsMotion="true")
    assert len(bench.poll()) == 1
    device.restart()
    assert (bench.poll(), bench.source.connected) == ([], False)
    assert bench.poll(after=FIRST_PAUSE_S / 2) == []
    assert not device.subscriptions
    assert (bench.poll(), bench.source.connected) == ([], True)
    device.tell(MOTION, IsMotion="true")
    assert len(bench.poll()) == 1


def test_a_subscription_is_renewed_and_ended(bench: Bench, device: OnvifDevice) -> None:
    bench.poll()
    bench.poll()
    assert "Renew" not in device.calls
    bench.poll(after=70)
    bench.poll()
    assert device.calls.count("Renew") == 1
    device.renewable = False
    assert (bench.poll(after=70), bench.source.connected) == ([], True)
    (name,) = device.subscriptions
    bench.source.close()
    assert device.unsubscribed == [name]


def test_a_wrong_login_is_tried_seldom_and_said_once(
    transport: Transport, journal: Journal, device: OnvifDevice
) -> None:
    bench = Bench(transport, journal, device, password="wrong")
    with capture_logs() as logs:
        bench.poll()
        bench.poll(after=REFUSED_PAUSE_S - 2)
        assert device.refused == 1
        bench.poll(after=3)
        assert device.refused == 2
    assert [entry["log_level"] for entry in logs] == ["warning"]
    assert PASSWORD not in str(logs)


def test_pauses_grow_while_a_device_is_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: PullPoint) -> None:
        raise CameraUnavailable("timeout", "it did not answer")

    waits = []
    with monkeypatch.context() as patch:
        patch.setattr(PullPoint, "subscribe", away)
        for _ in range(8):
            bench.poll(after=100)
            waits.append(bench.source._next - bench.time.now)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    bench.poll(after=100)
    assert bench.source.connected


def test_once_paused_nothing_more_is_asked(bench: Bench, device: OnvifDevice) -> None:
    bench.poll()
    bench.source.pause()
    asked = len(device.calls)
    device.tell(MOTION, IsMotion="true")
    assert bench.poll() == []
    assert len(device.calls) == asked


def test_of_a_recorder_one_channel_counts(transport: Transport, journal: Journal, device: OnvifDevice) -> None:
    bench = Bench(transport, journal, device, channel="2")
    bench.poll()
    device.tell(MOTION, source="1", IsMotion="true")
    device.tell(MOTION, source="2", IsMotion="true")
    (trigger,) = bench.poll()
    assert trigger.active_input is not None
    assert trigger.active_input["source"] == {"Token": "2"}


def test_address_and_login_are_the_camera_s_unless_there_are_others() -> None:
    camera = OnvifSettings.model_validate(
        {"location": "Front Door", "address": "10.0.0.5", "username": "me", "password": "hush", "https": True}
    )
    source = OnvifSourceSettings.model_validate({"camera": "front door camera"}).completed([camera])
    assert (source.camera, source.device().target()) == (DOOR, camera.target())
    own = OnvifSourceSettings.model_validate({"camera": DOOR, "address": "10.0.0.6"}).completed([camera])
    assert (own.address, own.username, own.https) == ("10.0.0.6", "", False)


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        (FoscamSettings(location="Front Door", address="10.0.0.5"), "needs an address, since Front Door Camera is no"),
        (OnvifSettings(location="Front Door"), "needs an address"),
        (OnvifSettings(location="Yard", address="10.0.0.5"), "Front Door Camera"),
    ],
)
def test_what_is_missing_is_said_before_the_start(camera: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        OnvifSourceSettings(camera=DOOR).completed([camera])
    environment = {"SOURCE_1_KIND": "onvif", "SOURCE_1_CAMERA": DOOR, "DETECTOR_KIND": "none"}
    environment |= {"OUTPUT_1_TYPE": "Camera", "OUTPUT_1_LOCATION": camera.location, "OUTPUT_1_KIND": camera.kind}
    with pytest.raises(ConfigError) as caught:
        load(None, environment)
    assert "SOURCE_1" in str(caught.value.problems)


@pytest.mark.parametrize("events", [[], ["moton"], ["motion", ""]])
def test_an_event_that_there_is_not_is_refused(events: list[str]) -> None:
    with pytest.raises(ValidationError, match="must be of motion, person, line, input, or topics"):
        OnvifSourceSettings.model_validate({"camera": DOOR, "events": events})


def test_check_subscribes_and_says_what_the_device_tells(device: OnvifDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = named("onvif", OnvifSourceSettings)
    settings: Any = entry.model_validate(
        {"kind": "onvif", "camera": DOOR, "address": device.address, "username": USERNAME, "password": PASSWORD}
    )
    pulled = device._pulled

    def at_once(name: str, root: Any) -> str:
        device.tell(topic, "Initialized", IsMotion="false")
        return pulled(name, root)

    monkeypatch.setattr(device, "_pulled", at_once)
    topic = MOTION
    (well,) = OnvifEvents.check(settings)
    assert (well.text, well.remedy) == (f"subscribed for {DOOR}: it tells {MOTION}", "")
    topic = "Device/Trigger/Relay"
    (other,) = OnvifEvents.check(settings)
    assert (other.text, bool(other.remedy)) == ("it tells Device/Trigger/Relay, and none of motion", True)
    assert (len(device.unsubscribed), device.subscriptions) == (2, {})


def test_of_several_replicas_only_the_leader_listens(bench: Bench, device: OnvifDevice) -> None:
    bench.poll()
    bench.leads = False
    assert bench.poll() == []
    assert not bench.source._pull_point.subscribed
    assert bench.source.connected  # another one listens: no alarm
    bench.leads = True
    assert not bench.source.connected
    bench.poll()
    device.tell(MOTION, IsMotion="true")
    assert len(bench.poll()) == 1
