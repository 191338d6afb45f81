"""The service, built from its settings: it reads like the architecture's drawing, and only it knows every part."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog

from app.bootstrap.archives import ArchiveParts
from app.bootstrap.cameras import channels_of, fetch_of, labels_of
from app.bootstrap.detection import DetectorParts
from app.bootstrap.monitoring import monitors_of
from app.bootstrap.outlets import keepers, names
from app.bootstrap.probes import observe
from app.bootstrap.publishing import PublisherParts
from app.bootstrap.relays import LIVE, Relays
from app.bootstrap.sources import SourceParts, schedule_of
from app.bootstrap.uploads import RECEIVE_WORKERS, UploadParts
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.journal import Journal
from app.messages import decode, encode
from app.monitoring.metrics import SnapshotMetrics
from app.pipeline.decide import Decide
from app.pipeline.live import InProcessEvents
from app.pipeline.settle import Settle
from app.sources.requests import Intake
from app.storage.cache import Cache
from pylib.files.lock import FolderLock
from pylib.observability.health import Health
from pylib.runtime.relay import Codec, Transport
from pylib.runtime.supervisor import Supervisor
from pylib.runtime.threads import ManagedThread
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from app.bootstrap.web import WebParts

log = structlog.get_logger(__name__)

TRIGGERS, UPLOADS, SNAPSHOTS = "inproc://triggers", "inproc://uploads", "inproc://snapshots"
INSPECTIONS = "inproc://inspections"


class Service:
    """All threads and stages, built from settings; nothing runs before `run`."""

    def __init__(self, settings: Settings, *, version: str, extra: Sequence[ManagedThread] = ()) -> None:
        """`extra`: threads that feed the service from outside, such as the demo's sensor."""
        self.settings = settings
        self.metrics = SnapshotMetrics(version=version)
        self.health = Health()
        self.lock = FolderLock(settings.data_dir)
        self.journal = Journal(DataDir(settings.data_dir).journal)
        self.cache = Cache(DataDir(settings.data_dir).cache, zone=local_zone(settings.time_zone))
        self.transport = Transport(Codec(encode, decode))
        self.relays = Relays(self.transport, self.metrics)
        self.intake = Intake(self.journal)
        self.live = InProcessEvents()

        self.labels = labels_of(settings)
        self.channels = channels_of(settings, metrics=self.metrics)
        self.sources = SourceParts(self, address=TRIGGERS)
        self.uploads = UploadParts(settings, journal=self.journal, cache=self.cache, metrics=self.metrics)
        self.detection = DetectorParts(settings, journal=self.journal, metrics=self.metrics)
        self.archives = ArchiveParts(settings, journal=self.journal, root=self.cache.root, metrics=self.metrics)
        self.web = self._web(version) if settings.web.enabled else None
        self.publishing = PublisherParts(self)
        self.outlets = [*self.publishing.outlets, *self.archives.outlets]
        self.outlet_relays = {outlet.name: self.relays.outlet(outlet) for outlet in self.outlets}

        self.threads = [*extra, *(thread for thread in self._threads() if thread is not None)]
        self.supervisor = Supervisor(self.threads, grace=settings.shutdown_grace, on_restart=self.metrics.restarted)
        observe(self)

    def open(self) -> None:
        """Open what must work before anything starts. Raises `pylib.errors.Failure`."""
        self.lock.acquire()
        self.cache.open()
        self.journal.open()
        self.uploads.open()
        self.archives.open()
        if self.web is not None:
            self.web.open()

    def run(self) -> int:
        """Run until a signal; returns the exit status."""
        log.info("started", cameras=len(self.labels), broker=self.settings.rabbitmq.server_address or None)
        # Objects that exist now stay until the end: the collector, which halts all threads, need not visit them again.
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
            *self.outlet_relays.values(),
            self.relays.stage("live", self.live, source=LIVE, workers=0),
            *(thread for outlet in self.outlets for thread in outlet.threads),
            self.journal.database,
        ]

    def _feeders(self) -> list[ManagedThread | None]:
        """Everything that brings triggers or uploads, and jobs that run by the clock."""
        feeder, web = self.transport.feeder, self.web
        return [
            web.server if web else None,
            schedule_of(self.settings, labels=self.labels, intake=self.intake),
            self.publishing.heartbeat(),
            monitors_of(self.settings, self.health),
            *self.archives.jobs(names(self.outlets)),
            *self.uploads.threads,
            feeder("requests", self.intake, sink=TRIGGERS),
            feeder("uploads", self.uploads.source, sink=UPLOADS),
            feeder("http uploads", web.http_uploads, sink=SNAPSHOTS) if web else None,
        ]

    def _stages(self) -> list[ManagedThread | None]:
        """The stages from a trigger or an upload to every outlet."""
        settings, stage = self.settings, self.relays.stage
        fetch = fetch_of(self)
        self.sources.connect(fetch)
        queue: dict[str, Any] = {"workers": settings.fetch_threads, "max_waiting": settings.max_pending}
        decide, group, holds = Decide(names(self.outlets)), settings.uploads.settle, self.uploads.holds
        detect = self.detection.stage(decide, holds=holds)
        settle = Settle(group, journal=self.journal, decide=decide, archives=keepers(self.outlets), holds=holds)
        told = self.relays.to_outlets(self.outlets)
        seen = {"sinks": [INSPECTIONS]} if group else told
        return [
            stage("fetch", fetch, source=TRIGGERS, sinks=[SNAPSHOTS], **queue),
            *self.sources.threads,  # after the stage that acknowledges
            stage("receive", self.uploads.receive, source=UPLOADS, sinks=[SNAPSHOTS], workers=RECEIVE_WORKERS),
            stage("detect", detect, source=SNAPSHOTS, workers=self.detection.workers, **seen),
            stage("settle", settle, source=INSPECTIONS, workers=1, **told) if group else None,
        ]

    def _web(self, version: str) -> WebParts:
        # Loaded here: a service without its web side needs neither Starlette nor uvicorn in memory.
        from app.bootstrap.web import WebParts

        return WebParts(self, version=version)
