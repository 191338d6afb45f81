"""The service, put together from its settings: reads like the drawing, and is the only file that knows everyone."""

from __future__ import annotations

import gc
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from app.bootstrap.archives import ArchiveParts
from app.bootstrap.cameras import channels_of, labels_of
from app.bootstrap.detection import DetectorParts
from app.bootstrap.monitoring import monitors_of
from app.bootstrap.outlets import Outlet, keepers, names
from app.bootstrap.probes import add_gauges, add_probes, exposition, time_event
from app.bootstrap.publishing import PublisherParts
from app.bootstrap.sources import SourceParts, schedule_of
from app.bootstrap.uploads import UploadParts
from app.config.settings import Settings
from app.journal import Journal
from app.messages import Inspection, Message, decode, encode
from app.monitoring.metrics import SnapshotMetrics
from app.pipeline.decide import Decide
from app.pipeline.fetch import Fetch
from app.pipeline.live import InProcessEvents
from app.pipeline.settle import Settle
from app.sources.requests import Intake
from app.storage.cache import Cache
from pylib.files.lock import FolderLock
from pylib.observability.health import Health
from pylib.runtime.relay import Codec, Transport, ZmqRelay
from pylib.runtime.stage import Stage
from pylib.runtime.supervisor import Supervisor
from pylib.runtime.threads import ManagedThread
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from app.bootstrap.web import WebParts

log = structlog.get_logger(__name__)

TRIGGERS, UPLOADS, SNAPSHOTS = "inproc://triggers", "inproc://uploads", "inproc://snapshots"
INSPECTIONS, LIVE = "inproc://inspections", "inproc://live"

RECEIVE_WORKERS = 4
"""Uploads that are looked at at once: decoding is the processor's work, the rest the disk's."""


class Service:
    """Everything that runs, put together from settings; nothing runs before `run`. ARCHITECTURE.md has it as a picture."""

    def __init__(self, settings: Settings, *, version: str, extra: Sequence[ManagedThread] = ()) -> None:
        """`extra`: threads that feed the service from outside, such as the demo's sensor."""
        self.settings = settings
        self.metrics = SnapshotMetrics(version=version)
        self.health = Health()
        self.transport = Transport(Codec(encode, decode))
        self.lock = FolderLock(settings.data_dir)
        self.journal = Journal(settings.data_dir / "journal.db")
        self.cache = Cache(settings.data_dir / "cache", zone=local_zone(settings.time_zone))
        self.intake = Intake(self.journal)
        self.live = InProcessEvents()
        self.labels = labels_of(settings)
        self.channels = channels_of(settings, metrics=self.metrics)
        self.sources = SourceParts(
            settings, labels=self.labels, transport=self.transport, address=TRIGGERS, metrics=self.metrics
        )
        self.detection = DetectorParts(settings, journal=self.journal, metrics=self.metrics)
        self.archives = ArchiveParts(settings, journal=self.journal, root=self.cache.root, metrics=self.metrics)
        self.uploads = UploadParts(settings, journal=self.journal, cache=self.cache, metrics=self.metrics)
        self.web = self._web(version) if settings.web.enabled else None
        self.publishing = PublisherParts(
            settings,
            journal=self.journal,
            metrics=self.metrics,
            storage_url=self.archives.url,
            thumbnail_url=self.web.thumbnail_url if self.web else lambda _event_id: "",
            recheck=lambda name: self.relays[name].recheck(),
        )
        self.outlets = [*self.publishing.outlets, *self.archives.outlets]
        self.relays = {outlet.name: self._outlet_relay(outlet) for outlet in self.outlets}
        self.threads = [*extra, *(thread for thread in self._threads() if thread is not None)]
        self.supervisor = Supervisor(self.threads, grace=settings.shutdown_grace, on_restart=self.metrics.restarted)
        self._observe()

    def open(self) -> None:
        """Open what must work before anything starts. Raises `pylib.errors.Failure`."""
        self.lock.acquire()
        for part in (self.cache, self.journal, self.uploads, self.archives, self.web):
            if part is not None:
                part.open()

    def run(self) -> int:
        """Run until a signal; returns the exit status."""
        log.info("started", cameras=len(self.labels), broker=self.settings.rabbitmq.server_address or None)
        # What is there now stays until the end: the collector, which halts all threads, need not look at it again.
        gc.collect()
        gc.freeze()
        status = self.supervisor.run()
        if self.supervisor.stopped_cleanly:
            self.transport.close()
        return status

    # -- the drawing, upstream to downstream ------------------------------------------------------

    def _threads(self) -> list[ManagedThread | None]:
        """All threads in the order of the stream."""
        return [
            *self._feeders(),
            *self._stages(),
            *self.relays.values(),
            self._relay("live", self.live, source=LIVE, workers=0),
            *(thread for outlet in self.outlets for thread in outlet.threads),
            self.journal.database,
        ]

    def _feeders(self) -> list[ManagedThread | None]:
        """Who says that something happened, and what runs by the clock."""
        return [
            self.web.server if self.web else None,
            schedule_of(self.settings, labels=self.labels, intake=self.intake),
            self.publishing.heartbeat(),
            monitors_of(self.settings, self.health),
            *self.archives.jobs(names(self.outlets)),
            *self.uploads.threads,
            self.transport.feeder("requests", self.intake, sink=TRIGGERS),
            self.transport.feeder("uploads", self.uploads.source, sink=UPLOADS),
            self.transport.feeder("http uploads", self.web.http_uploads, sink=SNAPSHOTS) if self.web else None,
        ]

    def _stages(self) -> list[ManagedThread | None]:
        """From a trigger or an upload to what every outlet is told."""
        settings, journal = self.settings, self.journal
        fetch = Fetch(
            self.channels,
            journal=journal,
            cache=self.cache,
            acknowledge=self.sources.acknowledge,
            max_age=settings.max_age,
            max_pixels=settings.max_pixels,
            count=self.metrics.snapshot,
            count_trigger=self.metrics.trigger,
        )
        self.sources.connect(fetch)
        decide, holds = Decide(names(self.outlets)), self.uploads.holds
        detect = self.detection.stage(decide, holds=holds)
        group = settings.uploads.settle
        settle = Settle(group, journal=journal, decide=decide, archives=keepers(self.outlets), holds=holds)
        told = {"sinks": [LIVE, *(outlet.address for outlet in self.outlets)], "route": self._route}
        fetching = {"workers": settings.fetch_threads, "max_waiting": settings.max_pending}
        return [
            self._relay("fetch", fetch, source=TRIGGERS, sinks=[SNAPSHOTS], **fetching),
            *self.sources.threads,  # after the stage that acknowledges
            self._relay("receive", self.uploads.receive, source=UPLOADS, sinks=[SNAPSHOTS], workers=RECEIVE_WORKERS),
            self._relay(
                "detect",
                detect,
                source=SNAPSHOTS,
                workers=self.detection.workers,
                **({"sinks": [INSPECTIONS]} if group else told),
            ),
            self._relay("settle", settle, source=INSPECTIONS, workers=1, **told) if group else None,
        ]

    def _route(self, inspection: Inspection) -> Collection[str]:
        return [LIVE, *(outlet.address for outlet in self.outlets if outlet.name in inspection.targets)]

    # -- how its parts are put to work ------------------------------------------------------------

    def _relay(self, name: str, stage: Stage[Any], **options: Any) -> ZmqRelay[Message]:
        defaults = {
            "key": lambda message: message.camera,
            "identity": lambda message: message.id,
            "meter": self.metrics.stage(options.pop("meter", name)),
        }
        return self.transport.relay(name, stage, **{**defaults, **options})

    def _outlet_relay(self, outlet: Outlet) -> ZmqRelay[Message]:
        """At its own pace. One worker keeps the order of events; pictures need none in an archive."""
        key = {"key": lambda message: message.id} if outlet.keeps else {}
        return self._relay(
            outlet.relay_name,
            outlet.stage,
            source=outlet.address,
            workers=outlet.workers,
            meter=outlet.meter,
            **key,
        )

    def _web(self, version: str) -> WebParts:
        # Loaded here: a service without its web side needs neither Starlette nor uvicorn in memory.
        from app.bootstrap.web import WebParts

        return WebParts(
            self.settings,
            channels=self.channels,
            archives=self.archives.outlets,
            journal=self.journal,
            cache=self.cache,
            taken_at=self.uploads.taken_at,
            intake=self.intake,
            live=self.live,
            health=self.health,
            metrics=self.metrics,
            exposition=lambda: exposition(self.metrics, self.journal, self.outlets),
            version=version,
        )

    def _observe(self) -> None:
        """Have operators see how all of it is."""
        broker = [connection for connection in (self.sources.listener, self.publishing.broker) if connection]
        data_dir = self.settings.data_dir
        add_probes(self.health, threads=self.threads, data_dir=data_dir, broker=broker, outlets=self.outlets)
        add_gauges(self.metrics, threads=self.threads, data_dir=data_dir)
        self.live.listen(time_event(self.metrics))
