"""Which of a device's messages mean that something begins: motion, a person, a line crossed, an input closed.

Topics after the ONVIF Imaging, Analytics and Device IO Service Specifications, and those that makes have of their own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from app.cameras.onvif.events import Notification

TOPICS: Mapping[str, tuple[str, ...]] = {
    "motion": (
        "VideoSource/MotionAlarm",
        "RuleEngine/CellMotionDetector/Motion",
        "RuleEngine/MotionRegionDetector/Motion",
        "VideoAnalytics/MotionDetection",  # Axis
        "VideoAnalytics/Motion",
    ),
    "person": (
        "RuleEngine/MyRuleDetector/PeopleDetect",  # Reolink
        "RuleEngine/PeopleDetector/People",  # TP-Link
        "RuleEngine/CellMotionDetector/People",
        "RuleEngine/TPSmartEventDetector/TPSmartEvent#IsPeople",
        "RuleEngine/CellMotionDetector/TpSmartEvent#IsPeople",
        "UserAlarm/IVA/HumanShapeDetect",  # many that others sell under their names
    ),
    "line": (
        "RuleEngine/LineDetector/Crossed",
        "RuleEngine/FieldDetector/ObjectsInside",
        "RuleEngine/CellMotionDetector/LineCross",
        "RuleEngine/CellMotionDetector/Intrusion",
        "RuleEngine/TPSmartEventDetector/TPSmartEvent#IsLineCross",
        "RuleEngine/TPSmartEventDetector/TPSmartEvent#IsIntrusion",
    ),
    "input": ("Device/Trigger/DigitalInput", "Device/IO/Port", "Device/IO/VirtualInput"),
}
"""Event -> topics without prefixes; behind `#`, the one value of the message that counts."""
AGAIN_S = 1.0
"""Seconds in which the same event is only one, however often a device says so."""
QUIET_S = 60.0
"""Seconds after which movement that a device no longer speaks of is over: some never say that it ends. Inputs last."""
MOST_STATES = 1_000
"""States that are remembered of a device."""

_STATE = re.compile(r"is[a-z]{1,40}|(?:logical)?state|active|alarm|motion", re.IGNORECASE)
"""Names of values that say whether something is so; others tell numbers or objects."""
_TRUE, _FALSE = ("true", "1"), ("false", "0")


@dataclass(frozen=True, slots=True)
class Watched:
    """One event that is waited for."""

    event: str
    """`motion`, or a topic."""
    topic: str
    value: str = ""
    """Name of the one value that counts; empty for any state."""

    def covers(self, topic: str) -> bool:
        """Whether a message of this topic may be one."""
        return f"{topic}/".startswith(f"{self.topic}/")


def watched(events: Iterable[str]) -> list[Watched]:
    """What these words and topics mean."""
    found = []
    for event in events:
        for topic in TOPICS.get(event, (_plain(event),)):
            path, _, value = topic.partition("#")
            found.append(Watched(event, path, value))
    return found


@dataclass(frozen=True, slots=True)
class _Said:
    """What a message speaks of."""

    topic: str
    value: str
    source: frozenset[tuple[str, str]]

    def ends(self, other: _Said) -> bool:
        """Whether that this is over means that the other is: some leave out of the end which object it was."""
        return (self.topic, self.value) == (other.topic, other.value) and self.source <= other.source


@dataclass(frozen=True, slots=True)
class Begun:
    """Something that has begun."""

    event: str
    notification: Notification


@dataclass
class Edges:
    """Tells a beginning from what goes on: many topics say the same, and many devices say it again and again."""

    watching: list[Watched]
    clock: Callable[[], float] = time.monotonic
    _on: dict[str, dict[_Said, float]] = field(default_factory=dict)
    """What is said to be so, by what goes on, and when it was said last."""
    _last: dict[str, float] = field(default_factory=dict)

    def begun(self, messages: Iterable[Notification]) -> list[Begun]:
        """What begins with these messages."""
        return [
            Begun(one.event, message)
            for message in messages
            for one in self.watching
            if one.covers(message.topic) and self._begins(one, message)
        ]

    def forget(self) -> None:
        """A new subscription: it begins with how things are."""
        self._on.clear()

    def _begins(self, one: Watched, message: Notification) -> bool:
        state = _state(message, one.value)
        # One movement has several topics; of inputs, each is a thing of its own.
        about = "\0".join(message.source.values()) if one.event == "input" else ""
        going_on = f"{one.event}\0{about}"
        if state is None:
            return not one.value and message.operation in ("", "Changed") and self._is_new(going_on)
        said = _Said(message.topic, one.value, frozenset(message.source.items()))
        if going_on not in self._on and len(self._on) >= MOST_STATES:
            return False
        on = self._on.setdefault(going_on, {})
        if one.event != "input":
            for old in [old for old, at in on.items() if self.clock() - at > QUIET_S]:
                del on[old]
        before = bool(on)
        if not state or message.operation == "Deleted":
            for ended in [other for other in on if said.ends(other)]:
                del on[ended]
            return False
        if said in on or len(on) < MOST_STATES:
            on[said] = self.clock()
        return not before and message.operation != "Initialized" and self._is_new(going_on)

    def _is_new(self, going_on: str) -> bool:
        now = self.clock()
        new = now - self._last.get(going_on, -AGAIN_S) >= AGAIN_S
        if new:
            if len(self._last) >= MOST_STATES:
                self._last.clear()
            self._last[going_on] = now
        return new


def _plain(topic: str) -> str:
    """A topic without the prefixes of its namespaces, which differ."""
    return "/".join(part.rpartition(":")[2] for part in topic.strip().strip("/").split("/"))


def _state(message: Notification, wanted: str) -> bool | None:
    """Whether it is so; None where the message does not say."""
    for name, value in message.data.items():
        fits = name == wanted if wanted else bool(_STATE.fullmatch(name))
        if fits and value.lower() in (*_TRUE, *_FALSE):
            return value.lower() in _TRUE
    return None
