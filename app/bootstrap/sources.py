"""Builds the sources: the configured ones, requests inside this process, and the schedule."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from app import sources
from app.bootstrap.core import Core
from app.bootstrap.objects import WORKERS, collect_of, forgetting
from app.bootstrap.relays import Relays
from app.bootstrap.replicas import FORWARDS, ReplicaParts
from app.config.settings import Settings
from app.messages import Trigger
from app.pipeline.fetch import Fetch
from app.sources import ConnectedSource, ObjectSource, SourceContext, TriggerSource
from app.sources.schedule import Schedule
from app.uploads.capture_time import CaptureTime
from pylib.observability.health import Status
from pylib.rabbitmq.listener import ZMQListener
from pylib.runtime.periodic import Every, Periodic
from pylib.runtime.threads import ManagedThread


class SourceParts:
    """The configured sources by name, which is the `origin` of their triggers."""

    def __init__(self, core: Core, *, triggers: str, objects: str) -> None:
        """Where triggers and objects go."""
        self._core = core
        self._own_triggers = triggers
        self._objects = objects
        self._sources: dict[str, TriggerSource] = {}
        self._replicas: ReplicaParts | None = None

    @property
    def triggers(self) -> str:
        """Where triggers of this process go: to the cameras, or on to the replicas' shards."""
        return FORWARDS if self._core.settings.replicas.group else self._own_triggers

    def connect(self, fetch: Fetch) -> None:
        """Make the sources; nothing runs yet. `fetch`: who hears what will not be delivered again."""
        core = self._core
        if core.settings.replicas.group:
            self._replicas = ReplicaParts(core, cameras=triggered(core), triggers=self._own_triggers)
        for kind, name, own in source_entries(core.settings):
            if name == sources.RABBITMQ and self._replicas is not None:
                self._sources[name] = self._replicas
                continue
            context = SourceContext(
                name=name,
                app_name=core.settings.app_name,
                cameras=triggered(core),
                telling=core.telling,
                transport=core.transport,
                address=self.triggers,
                settled=partial(fetch.settled, name),
                count=core.tally.trigger,
                journal=core.journal,
                data_dir=core.settings.data_dir,
                objects_address=self._objects_of(name),
                leads=lambda: core.work.leads,
            )
            complete = sources.completed(own, core.settings.cameras)
            self._sources[name] = source = sources.KINDS.load(kind)(complete, context)
            if isinstance(source, ConnectedSource):
                core.health.add(f"triggers from {name}", _connected(source), critical=False, alarm=True)

    def acknowledge(self, trigger: Trigger) -> None:
        """Acknowledge this trigger to its source: the outcome is recorded. From any thread."""
        if self._replicas is None:
            self._passed_on(trigger)
        elif trigger.receipt:
            self._replicas.acknowledge(trigger.receipt)

    def forwarding(self, relays: Relays) -> list[ManagedThread]:
        """What passes triggers on to the replicas' shards; none where this service is no replica."""
        return self._replicas.threads(relays, self._passed_on) if self._replicas else []

    def _passed_on(self, trigger: Trigger) -> None:
        source = self._sources.get(trigger.origin)
        if trigger.receipt and source is not None:
            source.acknowledge(trigger.receipt)

    def collecting(self, relays: Relays, capture_time: CaptureTime, *, sink: str) -> list[ManagedThread]:
        """What collects from each source of objects, and what cleans up after all of them.

        Each has a relay of its own: one whose bucket does not answer delays no other.
        """
        found = {name: source for name, source in self._sources.items() if isinstance(source, ObjectSource)}
        if not found:
            return []
        # One of a key at a time: what was recorded of it decides about the next.
        options: dict[str, Any] = {"key": lambda found: f"{found.bucket}/{found.key}", "workers": WORKERS}
        collect = collect_of(self._core, found, capture_time)
        return [
            forgetting(self._core, found),
            *(
                relays.stage(
                    f"collect {name}",
                    collect,
                    meter="collect",
                    source=self._objects_of(name),
                    sinks=[sink],
                    **options,
                )
                for name in found
            ),
        ]

    def _objects_of(self, name: str) -> str:
        return f"{self._objects}/{name}"

    @property
    def threads(self) -> list[ManagedThread]:
        """One for each source; they end after the stage that acknowledges."""
        publisher = [self._replicas.publisher] if self._replicas else []
        return [*(source.thread for source in self._sources.values()), *publisher]

    @property
    def listener(self) -> ZMQListener | None:
        """The connection to the broker of the section `rabbitmq`."""
        source = self._sources.get(sources.RABBITMQ)
        return source.thread if source and isinstance(source.thread, ZMQListener) else None


def _connected(source: ConnectedSource) -> Callable[[], Status]:
    def probe() -> Status:
        connected = source.connected
        why = source.problem if isinstance(source, ObjectSource) else ""
        return Status(ok=connected, detail=why or ("connected" if connected else "not connected"))

    return probe


def schedule_of(core: Core) -> Periodic | None:
    """What triggers cameras and booth by the clock, or None where none has `every`."""
    schedule = Schedule(core.intake, leads=lambda: core.work.leads)
    for camera in core.settings.cameras:
        if camera.every:
            schedule.add(camera.device_key, label=core.labels[camera.device_key], every=camera.every)
    booth = core.settings.booth
    for key, label in booth.triggers.items() if booth.every else ():
        schedule.add(key, label=label, every=booth.every)
    return Periodic("schedule", schedule.tick, Every(0.25)) if schedule else None


def triggered(core: Core) -> dict[str, str]:
    """Device key -> label of all that triggers may name: the cameras, and the photo booth."""
    return {**core.labels, **core.settings.booth.triggers}


def source_entries(settings: Settings) -> Iterator[tuple[str, str, object]]:
    """Kind, name and settings of every configured source."""
    if settings.rabbitmq.server_address:
        yield sources.RABBITMQ, sources.RABBITMQ, settings.rabbitmq
    if settings.mqtt.server_address:
        yield sources.MQTT, sources.MQTT, settings.mqtt
    yield from ((entry.kind, entry.title, entry) for entry in settings.sources)
