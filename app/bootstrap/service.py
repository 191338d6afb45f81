"""The composition root: reads like the drawing in ARCHITECTURE.md, and is the only file that knows everyone."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from app import publishers, wire
from app.bootstrap.adapters import broker_of, make_camera, make_detector, trigger_subscription
from app.bootstrap.archives import Keeping
from app.bootstrap.uploads import PUSHED, Reception
from app.config.settings import Settings
from app.journal import Journal
from app.messages import Inspection, Message, Snapshot, decode, encode
from app.monitoring.heartbeat import EVERY_S, Heartbeat
from app.monitoring.metrics import SnapshotMetrics
from app.monitoring.monitors import Cronitor, Healthchecks, Monitor, Monitors
from app.pipeline.detect import Detect
from app.pipeline.fetch import Channel, Fetch
from app.pipeline.live import InProcessEvents
from app.pipeline.publish import Publish
from app.pipeline.settle import Settle
from app.sources.rabbitmq import decoder
from app.sources.requests import Intake
from app.sources.schedule import Schedule
from app.storage.cache import Cache
from pylib.files.lock import FolderLock
from pylib.observability.health import Health, Status, disk_free, progress
from pylib.rabbitmq.listener import ZMQListener
from pylib.rabbitmq.publisher import ConfirmedPublisher
from pylib.rabbitmq.topology import Exchange
from pylib.runtime.periodic import Every, Periodic
from pylib.runtime.relay import Codec, Transport, ZmqRelay
from pylib.runtime.supervisor import Supervisor
from pylib.runtime.threads import ManagedThread
from pylib.timezones import local_zone

if TYPE_CHECKING:
    from app.bootstrap.web import Showing

log = structlog.get_logger(__name__)

TRIGGERS = "inproc://triggers"
UPLOADS = "inproc://uploads"
SNAPSHOTS = "inproc://snapshots"
INSPECTIONS = "inproc://inspections"
RABBITMQ = "inproc://rabbitmq"
LIVE = "inproc://live"

LEAST_DISK = 200_000_000
"""Bytes that must be free for the service to call itself ready."""


RECEIVE_WORKERS = 4
"""Uploads that are looked at at once: decoding is the processor's work, the rest the disk's."""

CLEAN_EVERY_S = 3600.0

CALL_COST_USD = {"rekognition": 0.001}
"""What one picture costs: the first tier of https://aws.amazon.com/rekognition/pricing/ for DetectLabels."""

SETTLED_S = 30.0
"""Seconds after the start from which on monitors outside hear of a problem."""

LATE_S = 60.0
"""Age of an undelivered event from which on the service says that something is wrong."""


class Service:
    """Everything that runs, put together from settings; nothing runs before `run`."""

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
        self.labels = {camera.device_key: camera.label or camera.location for camera in settings.cameras}

        self.channels = self._channels()
        self.keeping = Keeping(settings, journal=self.journal, root=self.cache.root, metrics=self.metrics)
        self.reception = Reception(settings, journal=self.journal, cache=self.cache, metrics=self.metrics)
        self.showing = self._showing(version) if settings.web.enabled else None
        self.broker_out = self._publisher_connection() if settings.rabbitmq.server_address else None
        self.publish = self._publish_relay(self.broker_out) if self.broker_out else None
        self.fetch = self._fetch()
        self.listener = self._listener(self.fetch) if settings.rabbitmq.server_address else None

        self.threads = [*extra, *(thread for thread in self._threads() if thread is not None)]
        self.supervisor = Supervisor(self.threads, grace=settings.shutdown_grace, on_restart=self.metrics.restarted)
        self._add_probes()
        self._add_gauges()

    def open(self) -> None:
        """Open what must work before anything starts. Raises `pylib.errors.Failure`."""
        self.lock.acquire()
        self.cache.open()
        self.journal.open()
        self.reception.open()
        self.keeping.open()
        if self.showing is not None:
            self.showing.open()

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
            *self._sources(),
            *self._stages(),
            self.publish,
            *self._archive_relays(),
            self._relay("live", self.live, source=LIVE, workers=0),
            self.broker_out,
            self.journal.database,
        ]

    def _sources(self) -> list[ManagedThread | None]:
        """Who says that something happened, and what runs by the clock."""
        schedule = self._schedule()
        return [
            self.showing.server if self.showing else None,
            Periodic("schedule", schedule.tick, Every(0.25)) if schedule else None,
            self._heartbeat(self.broker_out) if self.broker_out else None,
            self._monitors(),
            Periodic("quarantine", self.reception.quarantine.clean, Every(CLEAN_EVERY_S)),
            *self.keeping.jobs,
            *self.reception.servers,
            self.transport.feeder("requests", self.intake, sink=TRIGGERS),
            self.transport.feeder("uploads", self.reception.uploads, sink=UPLOADS),
            self.transport.feeder("handed in", self.showing.http_uploads, sink=SNAPSHOTS) if self.showing else None,
        ]

    def _stages(self) -> list[ManagedThread | None]:
        """From a trigger or an upload to what everybody is told."""
        settings = self.settings
        archives = self.keeping.names
        told = [LIVE, *([RABBITMQ] if self.publish else []), *map(_address_of, archives)]
        targets = [*([publishers.RABBITMQ] if self.publish else []), *archives]
        settles = settings.uploads.settle > 0
        holds = self._is_pushed if settles else lambda _snapshot: False
        detector = make_detector(settings, calls_this_month=self._calls_this_month)
        detect = Detect(detector, journal=self.journal, targets=targets, count=self._count_detection, holds=holds)
        settle = Settle(settings.uploads.settle, journal=self.journal, targets=targets, archives=archives, holds=holds)
        return [
            self._relay(
                "fetch",
                self.fetch,
                source=TRIGGERS,
                sinks=[SNAPSHOTS],
                workers=settings.fetch_threads,
                max_waiting=settings.max_pending,
            ),
            self.listener,  # after the stage that acknowledges
            self._relay("receive", self.reception.receive, source=UPLOADS, sinks=[SNAPSHOTS], workers=RECEIVE_WORKERS),
            self._relay(
                "detect",
                detect,
                source=SNAPSHOTS,
                sinks=[INSPECTIONS] if settles else told,
                workers=detector.concurrency if detector else 1,
            ),
            self._relay("settle", settle, source=INSPECTIONS, sinks=told, workers=1) if settles else None,
        ]

    @staticmethod
    def _is_pushed(snapshot: Snapshot) -> bool:
        return snapshot.origin in PUSHED

    def _relay(self, name: str, stage: object, **options: object) -> ZmqRelay[Message]:
        return self.transport.relay(
            name,
            stage,  # type: ignore[arg-type]
            key=lambda message: message.camera,
            identity=lambda message: message.id,
            meter=self.metrics.stage(name),
            **options,
        )

    # -- its parts --------------------------------------------------------------------------------

    def _channels(self) -> dict[str, Channel]:
        settings = self.settings
        channels = {
            camera.device_key: Channel(
                make_camera(camera, settings),
                label=self.labels[camera.device_key],
                timeout=camera.timeout,
            )
            for camera in settings.cameras
        }
        for key, channel in channels.items():
            self.metrics.circuit(key, lambda channel=channel: channel.breaker.state)  # type: ignore[misc]
        return channels

    def _fetch(self) -> Fetch:
        settings = self.settings
        return Fetch(
            self.channels,
            journal=self.journal,
            cache=self.cache,
            acknowledge=self._acknowledge,
            max_age=settings.max_age,
            max_pixels=settings.max_pixels,
            count=self.metrics.snapshot,
            count_trigger=self.metrics.trigger,
        )

    def _acknowledge(self, receipt: str) -> None:
        if receipt and self.listener is not None:
            self.listener.acknowledge(receipt)

    def _count_detection(self, detector: str, outcome: str) -> None:
        cost = CALL_COST_USD.get(detector, 0.0) if outcome == "ok" else 0.0
        self.metrics.detection(detector, outcome, cost_usd=cost)

    def _calls_this_month(self) -> int:
        month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return self.journal.detections_since("rekognition", month)

    def _listener(self, fetch: Fetch) -> ZMQListener:
        settings = self.settings.rabbitmq
        return ZMQListener(
            "listener",
            broker_of(settings),
            trigger_subscription(self.settings),
            context=self.transport.context,
            address=TRIGGERS,
            decode=decoder(self.labels),
            encode=encode,
            on_settled=fetch.settled,
            on_malformed=lambda failure: self.metrics.trigger("rabbitmq", failure.code),
            prefetch=settings.prefetch,
        )

    def _publisher_connection(self) -> ConfirmedPublisher:
        settings = self.settings.rabbitmq
        exchange = Exchange(settings.exchange, "topic", durable=settings.durable_exchanges)
        return ConfirmedPublisher(
            "publisher", broker_of(settings), exchanges=[exchange], on_connect=self._broker_is_back
        )

    def _broker_is_back(self) -> None:
        if self.publish is not None:
            self.journal.retry_now(publishers.RABBITMQ)
            self.publish.recheck()

    def _publish_relay(self, connection: ConfirmedPublisher) -> ZmqRelay[Message]:
        settings = self.settings.rabbitmq
        publisher = publishers.load(publishers.RABBITMQ)(
            connection,
            exchange=settings.exchange,
            topic=settings.device_topic,
            device_name=self.settings.device_name,
            storage_url=self.keeping.url,
            thumbnail_url=self.showing.thumbnail_url if self.showing else lambda _event_id: "",
        )
        stage = Publish(
            publisher,
            journal=self.journal,
            abandon_after={"nobody_listens": settings.unroutable_for},
            count=self.metrics.delivery,
        )
        # One worker: the connection sends one at a time, and so events keep their order across cameras too.
        return self._relay("publish", stage, source=RABBITMQ, workers=1)

    def _archive_relays(self) -> list[ZmqRelay[Message]]:
        """One for each archive, at its own pace: pictures need no order there."""
        return [
            self.transport.relay(
                f"archive {archive.name}",
                stage,  # type: ignore[arg-type]
                source=_address_of(archive.name),
                key=lambda message: message.id,
                identity=lambda message: message.id,
                workers=archive.concurrency,
                meter=self.metrics.stage(archive.name),
            )
            for archive, stage in zip(self.keeping.archives, self.keeping.stages, strict=True)
        ]

    def _heartbeat(self, connection: ConfirmedPublisher) -> Periodic:
        settings = self.settings.rabbitmq
        key = wire.heartbeat_key(settings.device_topic)
        heartbeat = Heartbeat(
            lambda body: connection.publish(settings.exchange, key, body, persistent=False, timeout=EVERY_S),
            inputs=[wire.HeartbeatDevice(device.type, device.location) for device in self.settings.inputs],
            outputs=[wire.HeartbeatDevice(device.type, device.location) for device in self.settings.outputs],
        )
        return Periodic("heartbeat", heartbeat.beat, Every(EVERY_S))

    def _schedule(self) -> Schedule | None:
        timed = [camera for camera in self.settings.cameras if camera.every]
        schedule = Schedule(self.intake)
        for camera in timed:
            schedule.add(camera.device_key, label=self.labels[camera.device_key], every=camera.every)
        return schedule if timed else None

    def _monitors(self) -> Periodic | None:
        settings = self.settings.monitors
        watchers: list[Monitor] = []
        if settings.hc_ping_url.get_secret_value():
            watchers.append(Healthchecks(settings.hc_ping_url))
        if settings.cronitor_monitor_key.get_secret_value():
            watchers.append(
                Cronitor(
                    settings.cronitor_monitor_key,
                    host=self.settings.device_name,
                    base_url=settings.cronitor_base_url,
                )
            )
        if not watchers:
            return None
        monitors = Monitors(watchers, self.health.problem)
        due = time.monotonic() + min(settings.interval, SETTLED_S)

        def report() -> None:
            # Threads start one after another and the broker takes a moment: that is nobody's alarm.
            if time.monotonic() >= due or not self.health.problem():
                monitors()

        return Periodic("monitors", report, Every(settings.interval))

    def _showing(self, version: str) -> Showing:
        # Loaded here: a service without its web side needs neither Starlette nor uvicorn in memory.
        from app.bootstrap.web import Showing
        from app.web.context import ArchiveInfo, CameraInfo

        cameras = {
            key: CameraInfo(
                channel.label,
                circuit=lambda channel=channel: channel.breaker.state,  # type: ignore[misc]
                retry_in=lambda channel=channel: channel.breaker.retry_in,  # type: ignore[misc]
            )
            for key, channel in self.channels.items()
        }
        archives = [
            ArchiveInfo(archive.name, url=lambda archive=archive: archive.url, try_now=stage.try_now)  # type: ignore[misc]
            for archive, stage in zip(self.keeping.archives, self.keeping.stages, strict=True)
        ]
        return Showing(
            self.settings,
            cameras=cameras,
            journal=self.journal,
            cache=self.cache,
            taken_at=self.reception.taken_at,
            intake=self.intake,
            live=self.live,
            health=self.health,
            metrics=self.metrics,
            exposition=self._exposition,
            archives=archives,
            version=version,
        )

    # -- what an operator sees --------------------------------------------------------------------

    def _add_probes(self) -> None:
        for thread in self.threads:
            self.health.add(thread.name, progress(thread), live=True)
        self.health.add("disk", disk_free(self.settings.data_dir, at_least=LEAST_DISK))
        if self.listener is not None and self.broker_out is not None:
            self.health.add("broker", _connected(self.listener, self.broker_out))
            self.health.add("undelivered", self._undelivered, critical=False)
        for archive, stage in zip(self.keeping.archives, self.keeping.stages, strict=True):
            self.health.add(f"archived to {archive.name}", stage.status, critical=False, alarm=True)

    def _add_gauges(self) -> None:
        for thread in self.threads:
            if isinstance(thread, ZmqRelay):
                self.metrics.queue(thread.name, lambda relay=thread: relay.waiting)  # type: ignore[misc]
        self.metrics.disk(self.settings.data_dir)
        self.live.listen(self._time_event)

    def _time_event(self, inspection: Inspection) -> None:
        snapshot = inspection.snapshot
        if snapshot.delay_s:  # what was pushed has no trigger to count from
            since_taken = time.time() - snapshot.taken_at.timestamp()
            self.metrics.event(snapshot.camera, snapshot.delay_s + since_taken)

    def _exposition(self) -> bytes:
        # The age of what is owed is asked of the journal.
        for target in [*([publishers.RABBITMQ] if self.publish else []), *self.keeping.names]:
            self.metrics.oldest_undelivered(target, self.journal.backlog(target).since)
        return self.metrics.render()

    def _undelivered(self) -> Status:
        backlog = self.journal.backlog(publishers.RABBITMQ)
        age = time.time() - backlog.since if backlog.since else 0.0
        return Status(ok=age < LATE_S, detail=f"{backlog.count} events, the oldest for {age:.0f} s")


def _address_of(archive: str) -> str:
    """Where an archive's stage takes events from."""
    return f"inproc://archive-{archive}"


def _connected(*connections: ZMQListener | ConfirmedPublisher) -> Callable[[], Status]:
    def probe() -> Status:
        away = [connection.name for connection in connections if not connection.connected]
        return Status(ok=not away, detail=f"not connected: {', '.join(away)}" if away else "connected")

    return probe
