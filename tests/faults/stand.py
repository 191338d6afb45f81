"""One real service between doubles that keep ledgers: broker, cameras, a webhook, and a detector that is paid."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench.processes import NOBODY
from tests.bench.report import quantile
from tests.broker import Broker
from tests.e2e.conftest import service_process
from tests.e2e.mishaps import settled, stamping
from tests.e2e.peers import Caller, Consumer, House, Sender, Sensor, Sent, Uploader, stream
from tests.e2e.pictures import jpeg
from tests.e2e.process import ServiceProcess, until
from tests.fakes.http_double import HttpDouble, Seen, http_double
from tests.simulators.camera import CameraSimulator
from tests.simulators.line import Line
from tests.simulators.rekognition import Rekognition

LOCATIONS = ("Front", "Yard", "Porch", "Shed")
KEYS = tuple(f"{location} Camera" for location in LOCATIONS)
PICTURE = jpeg(320, 240)


@dataclass(frozen=True)
class Ledger:
    """What became of all that was asked for."""

    events: int
    lost: int
    """Accepted, and not told to the broker's consumer, or not to the webhook."""
    twice: int
    """Told under two ids, or without anybody's asking."""
    paid_twice: int
    """Calls of the detector about a picture whose answer the journal had."""
    asked_again: int
    """Calls about a picture whose first answer was under way, or not written down yet, when the process was killed."""
    spoilt: int
    """Events without a whole picture of their own camera, and without a reason; or with another's."""
    problems: Mapping[str, int]
    """Code -> events that have a problem instead of a picture or a detection."""

    @property
    def balanced(self) -> bool:
        return not (self.lost or self.twice or self.paid_twice or self.spoilt)


@dataclass
class Phone:
    """The webhook's other end."""

    double: HttpDouble
    status: int = 200
    """What it answers."""
    told: Counter[str] = field(default_factory=Counter)
    """Event id -> how often it was taken."""

    def __post_init__(self) -> None:
        self.double.answer = self._answer

    def _answer(self, seen: Seen) -> int:
        if self.status == 200:
            self.told[str(json.loads(seen.body)["event_id"])] += 1
        return self.status


@dataclass
class Stand:
    """A running service and all that stands around it."""

    folder: Path
    broker: Broker
    house: House
    service: ServiceProcess
    consumer: Consumer
    cameras: CameraSimulator
    detector: Rekognition
    phone: Phone
    to_broker: Line
    """Only the service's way to the broker leads through it."""
    to_detector: Line
    senders: list[Sender] = field(default_factory=list)
    unkept: set[bytes] = field(default_factory=set)
    """Pictures whose answers were lost by a kill."""

    def sensor(self, *, with_ids: bool = True) -> Sensor:
        """Another one whose triggers count."""
        sensor = Sensor(self.house, with_ids=with_ids)
        self.senders.append(sensor)
        return sensor

    def trigger(self, count: int, keys: Sequence[str] = KEYS) -> list[Sent]:
        """Trigger cameras in turn as quickly as the broker confirms."""
        with self.sensor() as sensor:
            return [sensor.send(keys[number % len(keys)]) for number in range(count)]

    @contextmanager
    def load(self, *, every: float, http: bool = True) -> Iterator[None]:
        """Triggers with ids and without, over HTTP too, and uploads: each kind every so many seconds."""
        senders: list[Sender] = [self.sensor(), self.sensor(with_ids=False)]
        if http:
            more: list[Sender] = [Caller(self.service), Uploader(self.service, PICTURE)]
            self.senders += more
            senders += more
        with stream(senders, KEYS, every=every):
            yield

    def pace(self, count: int, *, every: float = 0.1, keys: Sequence[str] = KEYS) -> list[Sent]:
        """Trigger cameras in turn, one every so many seconds."""
        with self.sensor() as sensor:
            sent = []
            for number in range(count):
                sent.append(sensor.send(keys[number % len(keys)]))
                time.sleep(every)
            return sent

    def told(self, sent: Iterable[Sent]) -> list[float]:
        """Seconds from each trigger to its event; of those that have one."""
        came: dict[int | None, float] = {}
        for event in self.consumer.latest:
            came.setdefault(event.number, event.at)
        return [came[one.number] - one.at for one in sent if one.number in came]

    def await_told(self, sent: Sequence[Sent], *, within: float = 240.0) -> None:
        """Wait until each has its event."""
        until(lambda: len(self.told(sent)) == len(sent), timeout=within, what="the events")

    def p95(self, sent: Sequence[Sent]) -> float:
        """Seconds within which 95 % of them were told, once all are."""
        self.await_told(sent)
        return quantile(self.told(sent), 0.95)

    def back_after(self, end: float) -> float:
        """Seconds from the end of a fault (monotonic) to the next event."""

        return until(lambda: self.next_event(end), timeout=180, what="an event after the fault") - end

    def next_event(self, moment: float) -> float | None:
        """When the first event after this moment came."""
        return min((event.at for event in self.consumer.latest if event.at > moment), default=None)

    def settle(self, *, but: Sequence[str] = ()) -> Ledger:
        """The ledger once nothing is on its way any more."""
        account = settled(self.senders, self.consumer, self.service, but=but)
        told = {event.message_id for event in self.consumer.latest}
        asked = Counter(call.picture for call in self.detector.calls)
        return Ledger(
            events=account.sent,
            lost=len(account.lost) + len(told - self.phone.told.keys()),
            twice=len(account.doubled) + len(account.unasked),
            paid_twice=sum(calls - 1 for picture, calls in asked.items() if picture not in self.unkept),
            asked_again=sum(calls - 1 for picture, calls in asked.items() if picture in self.unkept),
            spoilt=len(account.pictureless) + len(account.shared),
            problems=self.problems(),
        )

    def killed(self) -> None:
        """The service has just been killed: note which answers of the detector are lost with it."""
        with closing(sqlite3.connect(self.service.home / "data/journal.db")) as journal:
            kept = {row[0] for row in journal.execute("SELECT content FROM answers")}
        answered = {call.picture for call in list(self.detector.calls)}
        self.unkept |= {picture for picture in answered if sha256(picture).digest() not in kept}

    def problems(self) -> Mapping[str, int]:
        codes = (str(event.entry["problem"]).partition(":")[0] for event in self.consumer.latest)
        return Counter(code for code in codes if code)


@contextmanager
def stand(
    folder: Path,
    broker: Broker,
    *,
    environment: Mapping[str, str] | None = None,
    behaving: Mapping[str, str] | None = None,
    publishers: Sequence[Mapping[str, Any]] = (),
    prepare: Callable[[ServiceProcess], object] = lambda _service: None,
    forked: bool = True,
    ready_but: Collection[str] = (),
) -> Iterator[Stand]:
    """A stand whose service runs and is ready, these checks left out.

    `behaving`: further cameras, location -> behaviour of the simulator; `publishers`: further outlets; `prepare` is
    called with the service before it starts.
    """
    house = House(broker.url, f"faults-{uuid.uuid4().hex[:8]}")
    with ExitStack() as stack:
        stamps = stack.enter_context(CameraSimulator(PICTURE))
        detector = stack.enter_context(Rekognition())
        phone = Phone(stack.enter_context(http_double()))
        to_broker = stack.enter_context(Line(broker.address.port, host=broker.address.host))
        to_detector = stack.enter_context(Line(detector.port))
        odd = [
            {"location": location, "kind": "still", "url": stamps.url(behaviour, location.lower()), "timeout": 5}
            for location, behaviour in (behaving or {}).items()
        ]
        service = service_process(
            folder,
            house,
            environment={
                **NOBODY,
                "RABBITMQ_SERVER_ADDRESS": _through(to_broker, broker.url),
                "DETECTOR_KIND": "rekognition",
                "DETECTOR_ENDPOINT_URL": f"http://127.0.0.1:{to_detector.port}",
                "MAX_AGE": "0",
                "RETENTION_MIN_FREE_GB": "0",  # the ledger looks at old pictures
                "RETENTION_HARD_FREE_GB": "0",
                **(environment or {}),
            },
            cameras=[*stamping(stamps, *LOCATIONS), *odd],
            publishers=[{"kind": "webhook", "name": "phone", "url": phone.double.url}, *map(dict, publishers)],
        )
        service.forked = forked
        stack.enter_context(service)
        prepare(service)
        consumer = stack.enter_context(Consumer(house))
        service.start().wait_ready(but=ready_but)
        yield Stand(folder, broker, house, service, consumer, stamps, detector, phone, to_broker, to_detector)


def _through(line: Line, url: str) -> str:
    """The same broker's address, by this line."""
    parts = urlsplit(url)
    login, _, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{login}@127.0.0.1:{line.port}").geturl()
