"""Comparing ledgers: what sensors sent with what consumers got."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.peers import Consumer, Received, Sender, Sent
from tests.e2e.pictures import stamp_of


@dataclass(frozen=True)
class Account:
    """What became of all triggers."""

    sent: int
    doubtful: int
    """Never confirmed, so that no event is right and one too."""
    lost: list[Sent]
    """Confirmed, and no event came."""
    doubled: list[Sent]
    """Led to events under more than one id."""
    unasked: list[Received]
    """Events that no trigger led to."""
    pictureless: list[Received]
    """Events that have neither a whole picture of their own camera nor a problem."""
    shared: list[Received]
    """Events whose picture is another event's too."""
    problems: dict[str, int]
    """Code -> events that have a problem instead of a picture."""
    repeated: int
    """Deliveries beyond the first one of an event: the same id, as promised."""

    @property
    def balanced(self) -> bool:
        return not (self.lost or self.doubled or self.unasked or self.pictureless or self.shared)

    def __str__(self) -> str:
        return (
            f"{self.sent} triggers ({self.doubtful} doubtful): {len(self.lost)} lost, {len(self.doubled)} doubled, "
            f"{len(self.unasked)} events unasked, {len(self.pictureless)} without picture or problem, "
            f"{len(self.shared)} pictures shared, {self.repeated} repeated under their own id, "
            f"problems: {self.problems or 'none'}"
        )


def missing(sensors: Iterable[Sender], consumer: Consumer) -> list[Sent]:
    """What is confirmed and has no event yet."""
    told = {event.number for event in consumer.latest}
    return [one for sensor in sensors for one in list(sensor.ledger) if one.confirmed and one.number not in told]


def account(sensors: Iterable[Sender], consumer: Consumer) -> Account:
    """Compare the ledgers as they are now."""
    sent = [one for sensor in sensors for one in list(sensor.ledger)]
    numbers = {one.number for one in sent}
    events = consumer.latest
    by_number: dict[int | None, list[Received]] = defaultdict(list)
    by_stamp: dict[tuple[str, str], list[Received]] = defaultdict(list)
    problems: dict[str, int] = defaultdict(int)
    for event in events:
        by_number[event.number].append(event)
        if event.entry["problem"]:
            problems[event.entry["problem"].partition(":")[0]] += 1
        else:
            by_stamp[event.entry["device_key"], _stamp(event)].append(event)
    return Account(
        sent=len(sent),
        doubtful=sum(not one.confirmed for one in sent),
        lost=[one for one in sent if one.confirmed and one.number not in by_number],
        doubled=[one for one in sent if len(by_number.get(one.number, ())) > 1],
        unasked=[event for event in events if event.number not in numbers],
        pictureless=[
            event for (camera, stamp), found in by_stamp.items() for event in found if not _fits(camera, stamp)
        ],
        shared=[event for (_, stamp), found in by_stamp.items() if stamp and len(found) > 1 for event in found],
        problems=dict(problems),
        repeated=sum(len(deliveries) - 1 for deliveries in list(consumer.events.values())),
    )


def _stamp(event: Received) -> str:
    """Of a picture that decodes and lies in the cache as it was published; else empty."""
    with suppress(OSError, KeyError):
        if Path(event.entry["storage_path"]).read_bytes() == event.entry["image"]:
            return stamp_of(event.entry["image"])
    return ""


def _fits(camera: str, stamp: str) -> bool:
    return stamp.rpartition(" ")[0] == camera.removesuffix(" Camera").lower()
