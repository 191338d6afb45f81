"""The service, built from its settings: it reads like the architecture's drawing, and only it knows every part."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog

from app.bootstrap.archives import ArchiveParts
from app.bootstrap.cameras import bursting, channels_of, fetch_of, fetching
from app.bootstrap.core import Core
from app.bootstrap.deciding import decide_of, settle_of
from app.bootstrap.detection import DetectorParts
from app.bootstrap.jobs import job_threads
from app.bootstrap.monitoring import monitors_of
from app.bootstrap.outlets import names
from app.bootstrap.probes import exposition, observe
from app.bootstrap.publishing import PublisherParts
from app.bootstrap.relays import BURSTS, INSPECTIONS, LIVE, OBJECTS, SNAPSHOTS, TRIGGERS, UPLOADS, Relays
from app.bootstrap.sources import SourceParts, schedule_of
from app.bootstrap.uploads import RECEIVE_WORKERS, UploadParts
from app.config.settings import Settings
from app.publishers import PublisherContext
from pylib.files.lock import FolderLock
from pylib.runtime.supervisor import Supervisor
from pylib.runtime.threads import ManagedThread

if TYPE_CHECKING:
    from app.bootstrap.web import WebParts

log = structlog.get_logger(__name__)


class Service:
    """All threads and stages, built from settings; nothing runs before `run`."""

    def __init__(self, settings: Settings, *, version: str, extra: Sequence[ManagedThread] = ()) -> None:
        """`extra`: threads that feed the service from outside, such as the demo's sensor."""
        self.core = core = Core.of(settings, version=version)
        self.lock = FolderLock(settings.data_dir)
        self.relays = Relays(core.transport, core.metrics)
        self.channels = channels_of(core)
        self.sources = SourceParts(core, triggers=TRIGGERS, objects=OBJECTS)
        self.uploads = UploadParts(
            settings, core.attempts, journal=core.journal, cache=core.cache, metrics=core.metrics, limiter=core.limiter
        )
        self.detection = DetectorParts(settings, journal=core.journal, metrics=core.metrics)
        self.archives = ArchiveParts(settings, journal=core.journal, root=core.cache.root, metrics=core.metrics)
        self.web = self._web() if settings.web.enabled else None
        self.publishing = PublisherParts(
            core,
            archives=self.archives,
            links=self.web.links if self.web else PublisherContext(),
            channels=self.channels,
            this_month=self.detection.this_month,
            recheck=lambda name: self.outlet_relays[name].recheck(),
        )
        self.outlets = [*self.publishing.outlets, *self.archives.outlets]
        self.outlet_relays = {outlet.name: self.relays.outlet(outlet) for outlet in self.outlets}
        self.threads = [*extra, *(thread for thread in self._threads() if thread is not None)]
        self.supervisor = Supervisor(self.threads, grace=settings.shutdown_grace, on_restart=core.metrics.restarted)
        observe(core, self.threads, self.outlets, broker=(self.sources.listener, self.publishing.broker))

    def open(self) -> None:
        """Open what must work before anything starts; a signal waits for it. Raises `pylib.errors.Failure`."""
        self.supervisor.take_signals()
        self.lock.acquire()
        self.core.open()
        self.uploads.open()
        self.archives.open()
        self.publishing.open()
        if self.web is not None:
            self.web.open()

    def run(self) -> int:
        """Run until a signal; returns the exit status."""
        log.info("started", cameras=len(self.channels), broker=self.core.settings.rabbitmq.server_address or None)
        # What is there now stays until the end: the collector, which halts all threads, need not look at it again.
        gc.collect()
        gc.freeze()
        status = self.supervisor.run()
        if self.supervisor.stopped_cleanly:
            self.core.transport.close()
        return status

    # -- the drawing, upstream to downstream ------------------------------------------------------

    def _threads(self) -> list[ManagedThread | None]:
        """All threads in the order of the stream."""
        return [
            *self._feeders(),
            *self._stages(),
            *self.outlet_relays.values(),
            self.relays.stage("live", self.core.live, source=LIVE, workers=0),
            *(thread for outlet in self.outlets for thread in outlet.threads),
            *job_threads(self.core, self.relays),
            self.core.journal.database,
        ]

    def _feeders(self) -> list[ManagedThread | None]:
        """Who says that something happened, and what runs by the clock."""
        core, feeder, web = self.core, self.core.transport.feeder, self.web
        return [
            web.server if web else None,
            schedule_of(core),
            self.publishing.heartbeat(),
            monitors_of(core.settings, core.health),
            *self.uploads.threads,
            *self.archives.jobs(names(self.outlets)),
            feeder("requests", core.intake, sink=TRIGGERS),
            feeder("uploads", self.uploads.source, sink=UPLOADS),
            feeder("http uploads", web.http_uploads, sink=SNAPSHOTS) if web else None,
        ]

    def _stages(self) -> list[ManagedThread | None]:
        """From a trigger or an upload to what every outlet is told."""
        settings, stage = self.core.settings, self.relays.stage
        fetch = fetch_of(self.core, self.channels, acknowledge=self.sources.acknowledge)
        self.sources.connect(fetch)
        queue: dict[str, Any] = {"workers": settings.fetch_threads, "max_waiting": settings.max_pending}
        decide, group, holds = decide_of(self.core, self.outlets), settings.uploads.settle, self.uploads.holds
        detect = self.detection.stage(decide, holds=holds)
        settle = settle_of(self.core, self.outlets, decide, holds=holds)
        to_outlets = self.relays.to_outlets(self.outlets)
        seen = {"sinks": [INSPECTIONS]} if group else to_outlets
        return [
            stage("fetch", fetch, source=TRIGGERS, **fetching(SNAPSHOTS, BURSTS), **queue),
            bursting(self.core, self.relays, self.channels, source=BURSTS, sink=SNAPSHOTS),
            *self.sources.collecting(self.relays, self.uploads.capture_time, sink=SNAPSHOTS),
            *self.sources.threads,  # after the stages that acknowledge
            stage("receive", self.uploads.receive, source=UPLOADS, sinks=[SNAPSHOTS], workers=RECEIVE_WORKERS),
            stage("detect", detect, source=SNAPSHOTS, workers=self.detection.workers, **seen),
            stage("settle", settle, source=INSPECTIONS, workers=1, **to_outlets) if group else None,
        ]

    def _web(self) -> WebParts:
        # Loaded here: a service without its web side needs neither Starlette nor uvicorn in memory.
        from app.bootstrap.web import WebParts

        return WebParts(
            self.core,
            channels=self.channels,
            archives=self.archives.outlets,
            capture_time=self.uploads.capture_time,
            throttles=self.uploads.throttles,
            metrics=lambda: exposition(self.core.metrics, self.core.journal, self.outlets),
        )
