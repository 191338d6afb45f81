"""The web side on its own: its parts over a real journal, a server on a port of its own, and pictures to show."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from starlette.applications import Starlette

from app.films.running_films import RunningFilms
from app.films.selection import Selection
from app.films.shelf import Films
from app.messages import Detection, Inspection, Snapshot
from app.monitoring.outcomes import Outcomes
from app.pipeline.live import InProcessEvents
from app.pipeline.look_again import LookAgain
from app.rules.evaluate import Outlets
from app.rules.file import RulesFile
from app.rules.telling import Telling
from app.sources.http_uploads import HttpUploads
from app.sources.requests import Intake
from app.storage.animations import Animations, AnimationSettings
from app.storage.cache import Cache
from app.storage.event_media import EventMedia
from app.storage.settings import RetentionSettings
from app.storage.space import SpaceReport
from app.storage.thumbnails import Thumbnails
from app.uploads.capture_time import CaptureTime
from app.web.access import Authentication
from app.web.context import ArchiveInfo, CameraInfo, WebContext
from app.web.links import Links
from app.web.pictures import PictureFiles
from app.web.server import WebServer
from app.web.settings import WebSettings
from app.web.streaming.broadcast import Broadcast
from pylib.observability.health import Health
from pylib.runtime.circuit_breaker import State
from tests.fakes.cameras import jpeg
from tests.fakes.decisions import told_to
from tests.fakes.detectors import PERSON
from tests.fakes.journal import begin, end

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MAX_PIXELS = 4_000_000
FRONT, KITCHEN = "Front Door Camera", "Küche Camera"
OUTLETS = Outlets(("rabbitmq", "phone", "mail"), frozenset({"phone", "mail"}), frozenset({"phone"}))


class CountedTraffic:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, int]] = []

    def request(self, route: str, *, method: str, status: int, seconds: float) -> None:
        self.seen.append((route, method, status))


def parts_for(folder: Path, **changes: Any) -> WebContext:
    """The web side's parts with two cameras and one archive; end them with `close`.

    The journal runs in its own thread, the cache is in `folder / "cache"`. `settings` are the web side's, by
    default open on loopback; other `changes` replace the part that they name.
    """
    journal = begin(folder / "journal.db")
    live, media = InProcessEvents(), EventMedia(folder / "media")
    animations = Animations(AnimationSettings(), journal=journal, media=media, max_pixels=MAX_PIXELS)
    settings = changes.pop("settings", WebSettings())
    access = Authentication(settings, folder=folder / "web")
    access.open()
    given: dict[str, Any] = {
        "cameras": {FRONT: CameraInfo("Front", _closed, _now), KITCHEN: CameraInfo("Küche", _closed, _now)},
        "intake": Intake(journal),
        "owns": lambda _camera: True,
        "http_uploads": HttpUploads(journal, _cache(folder), capture_time=CaptureTime(zone=UTC), max_pixels=MAX_PIXELS),
        "journal": journal,
        "films": Films(folder / "films", journal=journal, selection=Selection(journal.oldest, zone=UTC)),
        "running_films": RunningFilms({}, journal=journal),
        "live": live,
        "index": journal,
        "broadcast": Broadcast(journal, live),
        "rules": RulesFile(folder / "rules.yml", cameras=(FRONT, KITCHEN), outlets=OUTLETS.notifying),
        "telling": Telling(journal),
        "outlets": OUTLETS,
        "health": Health(),
        "outcomes": Outcomes(journal),
        "metrics": lambda: b"up 1\n",
        "traffic": CountedTraffic(),
        "pictures": PictureFiles(
            Thumbnails(folder / "thumbnails", max_pixels=MAX_PIXELS, widths=settings.thumbnail_widths)
        ),
        "media": media,
        "animations": animations,
        "access": access,
        "links": Links(access.link_key),
        "site": access.site,
        "look_again": LookAgain({}, "none", journal=journal),
        "zone": UTC,
        "space": SpaceReport(RetentionSettings(), journal=journal, folder=folder),
        "up_since": NOW,
        "archives": (ArchiveInfo("folder", lambda: "https://nas.example/pictures"),),
        "max_upload": 1_000_000,
        "max_pixels": MAX_PIXELS,
        "thumbnail_widths": settings.thumbnail_widths,
        "detector": lambda: "fake.onnx (YOLOX) by hand",
        "detector_advice": "Look yourself",
        "version": "1.2.3",
    }
    return WebContext(**{**given, **changes})


def close(parts: WebContext) -> None:
    """End the journal's thread."""
    end(parts.journal)


def shown(
    parts: WebContext,
    folder: Path,
    event_id: str = "",
    *,
    targets: tuple[str, ...] = (),
    **changes: Any,
) -> Inspection:
    """An event in the journal with its picture on the disk; `changes` are those of `taken`."""
    inspection = taken(parts, folder, event_id, **changes)
    parts.journal.record(inspection.snapshot)
    parts.journal.inspect(told_to(inspection, targets))
    return inspection


def taken(
    parts: WebContext,
    folder: Path,
    event_id: str = "",
    *,
    camera: str = FRONT,
    taken_at: datetime = NOW,
    detection: Detection = PERSON,
    picture: bytes | None = None,
    **changes: Any,
) -> Inspection:
    """An event with its picture on the disk, which no journal knows yet; `changes` are those of `Snapshot`."""
    event_id = event_id or uuid.uuid4().hex
    label = parts.cameras[camera].label
    content = picture if picture is not None else jpeg(320, 240)
    path = _cache(folder).store(content, event_id=event_id, camera=camera, taken_at=taken_at, format="JPEG")
    first = Snapshot(event_id, camera, label, taken_at, taken_at, 0.1, "http", str(path), len(content), 320, 240)
    snapshot = replace(first, **changes)
    return Inspection(snapshot, "fake", detection, "person", snapshot.problem)


def album(parts: WebContext, folder: Path, count: int, **changes: Any) -> list[Inspection]:
    """So many events, a minute apart, newest first."""
    return [shown(parts, folder, taken_at=NOW - timedelta(minutes=number), **changes) for number in range(count)]


@dataclass(frozen=True, slots=True)
class Client:
    """Asks a running server."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request; `options` are those of requests, redirects are not followed unless asked for."""
        return requests.request(method, self.url + path, **{"timeout": 10, "allow_redirects": False, **options})

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.ask("POST", path, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.ask("DELETE", path, **options)


_ending: deque[WebServer] = deque()
"""Servers that were told to end. That takes uvicorn two tenths of a second, in which the next tests can begin."""


@contextmanager
def serving(application: Starlette, *, host: str = "127.0.0.1") -> Iterator[Client]:
    """A server of this application on a free port."""
    while len(_ending) >= 8:
        assert _ending.popleft().join(60), "the server of an earlier test did not end"
    server = WebServer(application, host=host, port=0)
    client = Client(server.open())
    server.start()
    try:
        yield client
    finally:
        server.stop()
        _ending.append(server)


def _cache(folder: Path) -> Cache:
    return Cache(folder / "cache", zone=UTC)


def _closed() -> State:
    return State.CLOSED


def _now() -> float:
    return 0.0
