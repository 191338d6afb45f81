"""Builds the publishers as outlets, and the heartbeat."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from app import publishers, wire
from app.bootstrap.adapters import publisher_entries
from app.bootstrap.archives import ArchiveParts
from app.bootstrap.core import Core
from app.bootstrap.outlets import Outlet
from app.bootstrap.samples import SampleMessages
from app.config.data_dir import DataDir
from app.journal import Journal
from app.messages import Inspection
from app.monitoring.heartbeat import EVERY_S, Heartbeat
from app.pipeline.publish import Publish
from app.publishers import (
    Figures,
    Link,
    Publisher,
    PublisherContext,
    PublishError,
    PublishUnavailable,
    ThumbnailPublisher,
)
from app.rules.evaluate import is_quiet
from pylib.files import durable
from pylib.observability.health import Status
from pylib.rabbitmq.publisher import ConfirmedPublisher
from pylib.runtime.circuit_breaker import State
from pylib.runtime.periodic import EveryWhile, Periodic
from pylib.runtime.threads import ManagedThread
from pylib.timezones import local_zone

log = structlog.get_logger(__name__)

LATE_S = 60.0
"""Age of an undelivered event from which on the service reports a problem."""


class PublisherParts:
    """The configured publishers with a stage for each."""

    def __init__(
        self,
        core: Core,
        *,
        archives: ArchiveParts,
        links: PublisherContext,
        circuit: Callable[[str], State],
        this_month: Callable[[], tuple[int, float]],
        recheck: Callable[[str], None],
    ) -> None:
        """`links`: a context with the links that the album serves, and nothing else.

        `circuit`: of a camera, by its device key.

        `this_month`: calls of the detector, and what they cost in US dollars.

        `recheck`: has the relay of this outlet ask soon what waits for it.
        """
        self._tally = core.tally
        self._settings = core.settings
        self._journal = core.journal
        self._work = core.work
        self._recheck = recheck
        self._hushed = _hushed(core)
        self._context = dataclasses.replace(
            links,
            device_name=core.settings.device_name,
            replica=core.settings.device_name if core.settings.replicas.group else "",
            storage_url=archives.url,
            archived_url=archives.link,
            stored_thumbnail=self._stored_thumbnail,
            animation=lambda event_id: durable.read(core.animations.make(event_id, "gif").path),
            order_of=core.journal.order_of,
            max_pixels=core.settings.max_pixels,
            cameras=core.labels,
            reachable=lambda camera: circuit(camera) != State.OPEN,
            figures=lambda: self._figures(*this_month()),
            telling=core.telling,
            subscribers=core.journal,
            data_dir=core.settings.data_dir,
            zone=local_zone(core.settings.time_zone),
            version=core.version,
        )
        self.publishers = [self._publisher(kind, name, own) for kind, name, own in publisher_entries(self._settings)]
        self.outlets = [self._outlet(publisher) for publisher in self.publishers]
        core.journal.followers = [
            name
            for kind, name, _ in publisher_entries(self._settings)
            if getattr(publishers.KINDS.load(kind), "follows_edits", False)
        ]
        tests = SampleMessages(self._settings, self._context)
        core.test_messages.update({name: partial(tests.send, name) for name in tests.names})

    def open(self) -> None:
        """Delete what a kill in the middle of a message has left."""
        shutil.rmtree(DataDir(self._settings.data_dir).messages, ignore_errors=True)

    @property
    def broker(self) -> ConfirmedPublisher | None:
        """The connection to the broker of the section `rabbitmq`."""
        first = self.publishers[0] if self._settings.rabbitmq.server_address else None
        connection = first.threads[0] if first else None
        return connection if isinstance(connection, ConfirmedPublisher) else None

    def heartbeat(self) -> Periodic | None:
        """The thread that publishes every few seconds for which devices we speak."""
        connection, rabbitmq, work = self.broker, self._settings.rabbitmq, self._work
        if connection is None:
            return None
        key = wire.heartbeat_key(rabbitmq.device_topic)
        heartbeat = Heartbeat(
            lambda body: connection.publish(rabbitmq.exchange, key, body, persistent=False, timeout=EVERY_S),
            inputs=[wire.HeartbeatDevice(device.type, device.location) for device in self._settings.inputs],
            outputs=[wire.HeartbeatDevice(device.type, device.location) for device in self._settings.outputs],
        )
        return Periodic("heartbeat", heartbeat.beat, EveryWhile(EVERY_S, lambda: connection.connected and work.leads))

    def _figures(self, calls: int, cost_usd: float) -> Figures:
        waiting = [self._journal.backlog(publisher.name).since for publisher in self.publishers]
        since = min((one for one in waiting if one), default=0.0)
        return Figures(calls, cost_usd, time.time() - since if since else 0.0)

    def _publisher(self, kind: str, name: str, own: object) -> Publisher:
        def target_recovered() -> None:
            self._journal.retry_now(name)
            self._recheck(name)

        context = dataclasses.replace(self._context, name=name, target_recovered=target_recovered)
        try:
            return publishers.KINDS.load(kind)(own, context)
        except PublishError as error:
            log.error("outlet cannot be used, its events wait", target=name, reason=str(error))
            return _Unusable(name, error)

    def _stored_thumbnail(self, outlet: str, inspection: Inspection) -> Link | None:
        thumbnails = next((one for one in self.publishers if one.name == outlet), None)
        return thumbnails.stored(inspection) if isinstance(thumbnails, ThumbnailPublisher) else None

    def _outlet(self, publisher: Publisher) -> Outlet:
        first = publisher.name == publishers.RABBITMQ
        name = "publish" if first else f"publish {publisher.name}"
        return Outlet(
            name=publisher.name,
            title=getattr(publisher, "title", publisher.name),
            relay_name=name,
            meter=name,
            stage=Publish(publisher, journal=self._journal, count=self._tally.publication, hushed=self._hushed),
            workers=getattr(publisher, "concurrency", 1),  # one, so that events keep their order across cameras too
            probe_name="undelivered" if first else f"delivered to {publisher.name}",
            probe=lambda: undelivered(self._journal, publisher.name),
            threads=publisher.threads,
        )


class _Unusable:
    """In place of a publisher whose settings make no sense: its events wait until a person has corrected them."""

    threads: Sequence[ManagedThread] = ()

    def __init__(self, name: str, error: PublishError) -> None:
        self.name = name
        self.abandon_after: Mapping[str, float] = {}
        self._error = error

    def publish(self, inspection: Inspection) -> None:
        del inspection
        raise PublishUnavailable(self._error.code, self._error.detail)

    def stored(self, inspection: Inspection) -> Link | None:
        self.publish(inspection)
        return None


def _hushed(core: Core) -> Callable[[str], bool]:
    """Whether quiet hours or a snooze keep a camera's messages back now."""
    zone = local_zone(core.settings.time_zone)
    return lambda camera: is_quiet(core.rules.book, time.time(), zone) or core.telling.snoozed(camera) is not None


def undelivered(journal: Journal, target: str) -> Status:
    """Whether what waits for this target is late."""
    backlog = journal.backlog(target)
    now = time.time()
    given_up = f"; {backlog.given_up} given up, the last: {backlog.problem}" if backlog.given_up else ""
    detail = backlog.told(now, one="event", many="events") + given_up
    return Status(ok=backlog.age(now) < LATE_S, detail=detail)
