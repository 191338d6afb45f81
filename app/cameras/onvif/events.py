"""What a device says happened: a PullPoint, which is asked again and again.

After the ONVIF Core Specification (9.1 real-time notification, 9.4 properties, 9.5 notification structure),
event.wsdl and WS-BaseNotification 1.3.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from app.cameras import CameraError, CameraRejected
from app.cameras.http.connection import Attempt
from app.cameras.http.download import Downloader
from app.cameras.onvif import OnvifSettings
from app.cameras.onvif.device import Device, DeviceFault
from app.cameras.onvif.place import Place
from app.cameras.onvif.soap import EVENTS, NOTIFICATION, Addressed
from app.cameras.onvif.xml import Element

LIFE_S = 120
"""Seconds that a subscription lasts; a device that loses its client forgets it then."""
MOST = 100
"""Messages of one answer, and values of a message, that are looked at."""
LONGEST = 300
"""Characters of a topic, a name or a value."""
GOODBYE_S = 2.0
_SUBSCRIPTION = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message of a device."""

    topic: str
    """Without prefixes: `RuleEngine/CellMotionDetector/Motion`."""
    operation: str
    """Of a property: `Initialized` (how it was before), `Changed` or `Deleted`; empty for a mere event."""
    source: Mapping[str, str]
    """What it is about: `{"VideoSourceConfigurationToken": "1"}`."""
    data: Mapping[str, str]
    """What is so now: `{"IsMotion": "true"}`."""
    at: str
    """When, by the device's clock and in its words."""


@dataclass(frozen=True, slots=True)
class _Subscription:
    place: Place
    to: str
    """Its address as the device knows it."""
    parameters: tuple[Element, ...]

    def addressed(self, action: str) -> Addressed:
        return Addressed(self.to, action, self.parameters)


class PullPoint:
    """The subscription of one device's messages. Used by one thread at a time."""

    def __init__(self, settings: OnvifSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`settings` have an address."""
        target = settings.target()
        assert target is not None  # noqa: S101 - whoever makes one has asked
        self._settings = settings
        self._target = target
        self._clock = clock
        self._downloader = Downloader(settings)
        self._device: Device | None = None
        self._subscription: _Subscription | None = None
        self._renew_at = 0.0

    @property
    def subscribed(self) -> bool:
        """Whether messages can come."""
        return self._subscription is not None

    def subscribe(self) -> None:
        """Ask the device for a new subscription. Raises `CameraError`."""
        attempt = self._attempt()
        device = self._device = Device(self._target, self._downloader, https=self._settings.https)
        events = device.service(EVENTS, attempt)
        if events is None:
            raise CameraRejected("no_events", f"{self._target.shown} has no service of events")
        body = (
            f'<CreatePullPointSubscription xmlns="{EVENTS}"><InitialTerminationTime>PT{LIFE_S}S'
            "</InitialTerminationTime></CreatePullPointSubscription>"
        )
        action = f"{EVENTS}/EventPortType/CreatePullPointSubscriptionRequest"
        answer = device.ask(body, attempt, at=events, addressed=Addressed(events.url, action))
        reference = answer.first("CreatePullPointSubscriptionResponse", "SubscriptionReference")
        said = reference.text_of("Address") if reference is not None else ""
        parameters = tuple(reference.all("ReferenceParameters"))[:1] if reference is not None else ()
        self._subscription = _Subscription(
            device.place_of(said), said, tuple(one for each in parameters for one in each.children[:10])
        )
        self._renew_at = self._clock() + LIFE_S / 2

    def pull(self, seconds: float) -> list[Notification]:
        """What has come, waiting for so long at most. Raises `CameraError`; the subscription is over then."""
        try:
            if self._clock() >= self._renew_at:
                self._renew()
            body = (
                f'<PullMessages xmlns="{EVENTS}"><Timeout>PT{seconds:g}S</Timeout><MessageLimit>{MOST}</MessageLimit>'
            )
            action = f"{EVENTS}/PullPointSubscription/PullMessagesRequest"
            answer = self._ask(f"{body}</PullMessages>", action, self._attempt(seconds))
        except CameraError:
            self._subscription = None
            raise
        found = answer.all("PullMessagesResponse", "NotificationMessage")
        return [notification for each in islice(found, MOST) if (notification := _notification(each))]

    def close(self) -> None:
        """Tell the device that nobody listens any more, if it is there."""
        if self._subscription is not None:
            with suppress(CameraError):
                attempt = Attempt.start(self._target, timeout=GOODBYE_S)
                self._ask(f'<Unsubscribe xmlns="{NOTIFICATION}"/>', f"{_SUBSCRIPTION}/UnsubscribeRequest", attempt)
        self._subscription = None
        self._downloader.close()

    def _renew(self) -> None:
        body = f'<Renew xmlns="{NOTIFICATION}"><TerminationTime>PT{LIFE_S}S</TerminationTime></Renew>'
        with suppress(DeviceFault):  # some prolong it with each pull instead; where that is not so, the pull fails
            self._ask(body, f"{_SUBSCRIPTION}/RenewRequest", self._attempt())
        self._renew_at = self._clock() + LIFE_S / 2

    def _ask(self, body: str, action: str, attempt: Attempt) -> Element:
        assert self._device is not None and self._subscription is not None  # noqa: S101, PT018 - after `subscribe`
        subscription = self._subscription
        return self._device.ask(body, attempt, at=subscription.place, addressed=subscription.addressed(action))

    def _attempt(self, more: float = 0.0) -> Attempt:
        return Attempt.start(self._target, timeout=self._settings.timeout + more)


def _notification(message: Element) -> Notification | None:
    inner = message.first("Message", "Message")
    topic = "/".join(part.rpartition(":")[2] for part in message.text_of("Topic")[:LONGEST].split("/"))
    if inner is None or not topic:
        return None
    operation, at = (inner.attributes.get(name, "")[:LONGEST] for name in ("PropertyOperation", "UtcTime"))
    return Notification(topic, operation, _items(inner, "Source"), _items(inner, "Data"), at)


def _items(message: Element, part: str) -> dict[str, str]:
    pairs = [item.attributes for item in islice(message.all(part, "SimpleItem"), MOST)]
    return {pair["Name"][:LONGEST]: pair.get("Value", "")[:LONGEST] for pair in pairs if "Name" in pair}
