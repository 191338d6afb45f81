"""The service, built from its settings: it reads like the architecture's drawing, and only it knows every part."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import structlog

from app.bootstrap.archives import ArchiveParts
from app.bootstrap.cameras import bursting, cameras_of, fetch_of, fetching, ring_threads, threads_of
from app.bootstrap.core import Core
from app.bootstrap.deciding import decide_of, settle_of
from app.bootstrap.detection import DetectorParts
from app.bootstrap.index import IndexParts
from app.bootstrap.jobs import job_threads
from app.bootstrap.monitoring import monitors_of
from app.bootstrap.outlets import names
from app.bootstrap.probes import observe
from app.bootstrap.publishing import PublisherParts
from app.bootstrap.relays import BURSTS, INSPECTIONS, LIVE, OBJECTS, SNAPSHOTS, TRIGGERS, UPLOADS, Relays
from app.bootstrap.serving import web_of
from app.bootstrap.sources import SourceParts, schedule_of
from app.bootstrap.uploads import RECEIVE_WORKERS, UploadParts
from app.config.settings import Settings
from app.publishers import PublisherContext
from pylib.files.lock import FolderLock
from pylib.runtime import heap
from pylib.runtime.periodic import Every, Periodic
from pylib.runtime.supervisor import Supervisor
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)


class Service:
    """All threads and stages, built from settings; nothing runs before `run`."""

    def __init__(self, settings: Settings, *, version: str, extra: Sequence[ManagedThread] = ()) -> None:
        """`extra`: threads that feed the service from outside, such as the demo's sensor."""
        self.core = core = Core.of(settings, version=version)
        self.lock = FolderLock(settings.data_dir)
        self.relays = Relays(core.transport, core.metrics, core.tracing)
        self.channels, self.rings = cameras_of(core)
        self.sources = SourceParts(core, triggers=TRIGGERS, objects=OBJECTS)
        self.uploads = UploadParts.of(core)
        self.detection = DetectorParts(core)
        self.archives = ArchiveParts(core)
        self.index = IndexParts(core, self.archives.archives)
        self.web = web_of(
            core,
            channels=self.channels,
            archives=self.archives,
            index=self.index,
            uploads=self.uploads,
            detection=self.detection,
            outlets=lambda: self.outlets,
        )
        self.publishing = PublisherParts(
            core,
            archives=self.archives,
            links=self.web.links if self.web else PublisherContext(),
            circuit=self.channels.state,
            this_month=self.detection.this_month,
            recheck=lambda name: self.outlet_relays[name].recheck(),
        )
        self.outlets = [*self.publishing.outlets, *self.archives.outlets, *self.index.outlets]
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
        self.index.open(self.outlet_relays)
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
            *job_threads(self.core, self.relays, self.archives.archives),
            *self.core.tracing_threads,
            self.core.journal.database,
        ]

    def _feeders(self) -> list[ManagedThread | None]:
        """Who says that something happened, and what runs by the clock."""
        core, feeder, web = self.core, self.core.transport.feeder, self.web
        return [
            web.server if web else None,
            schedule_of(core),
            *ring_threads(core, self.rings),
            self.publishing.heartbeat(),
            monitors_of(core.settings, core.health),
            Periodic("memory", heap.give_back, Every(heap.EVERY_S)),
            *self.uploads.threads,
            *self.archives.jobs(names(self.outlets)),
            feeder("requests", core.intake, sink=self.sources.triggers),
            feeder("uploads", self.uploads.source, sink=UPLOADS),
            feeder("http uploads", web.http_uploads, sink=SNAPSHOTS) if web else None,
        ]

    def _stages(self) -> list[ManagedThread | None]:
        """From a trigger or an upload to what every outlet is told."""
        core, settings, stage = self.core, self.core.settings, self.relays.stage
        fetch = fetch_of(core, self.channels, self.rings, acknowledge=self.sources.acknowledge, web=self.web)
        self.sources.connect(fetch)
        decide, group, holds = decide_of(core, self.outlets), settings.uploads.settle, self.uploads.holds
        detect = self.detection.stage(decide, holds=holds)
        settle = settle_of(core, self.outlets, decide, holds=holds)
        to_outlets = self.relays.to_outlets(self.outlets)
        seen = {"sinks": [INSPECTIONS]} if group else to_outlets
        return [
            *self.sources.forwarding(self.relays),
            stage("fetch", fetch, source=TRIGGERS, **fetching(settings, SNAPSHOTS, BURSTS)),
            bursting(core, self.relays, self.channels, source=BURSTS, sink=SNAPSHOTS),
            *threads_of(self.channels),
            *self.sources.collecting(self.relays, self.uploads.capture_time, sink=SNAPSHOTS),
            *self.sources.threads,  # after the stages that acknowledge
            stage("receive", self.uploads.receive, source=UPLOADS, sinks=[SNAPSHOTS], workers=RECEIVE_WORKERS),
            stage("detect", detect, source=SNAPSHOTS, workers=self.detection.workers, **seen),
            stage("settle", settle, source=INSPECTIONS, workers=1, **to_outlets) if group else None,
        ]
