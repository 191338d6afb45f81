"""Builds the trigger sources: the configured ones, requests inside this process, and the schedule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from app import sources
from app.config.settings import Settings
from app.messages import Trigger
from app.pipeline.fetch import Fetch
from app.sources import SourceContext, TriggerSource
from app.sources.requests import Intake
from app.sources.schedule import Schedule
from pylib.rabbitmq.listener import ZMQListener
from pylib.runtime.periodic import Every, Periodic
from pylib.runtime.threads import ManagedThread

if TYPE_CHECKING:
    from app.bootstrap.service import Service


class SourceParts:
    """The configured sources by name, which is the `origin` of their triggers."""

    def __init__(self, service: Service, *, address: str) -> None:
        """`address`: where triggers go."""
        self._service = service
        self._address = address
        self._sources: dict[str, TriggerSource] = {}

    def connect(self, fetch: Fetch) -> None:
        """Make the sources; nothing runs yet. `fetch` is called with receipts that will not be delivered again."""
        service = self._service
        for kind, name, own in _entries(service.settings):
            context = SourceContext(
                name=name,
                app_name=service.settings.app_name,
                cameras=service.labels,
                transport=service.transport,
                address=self._address,
                settled=fetch.settled,
                count=service.metrics.trigger,
            )
            self._sources[name] = sources.KINDS.load(kind)(own, context)

    def acknowledge(self, trigger: Trigger) -> None:
        """Acknowledge this trigger to its source: the outcome is recorded. From any thread."""
        source = self._sources.get(trigger.origin)
        if trigger.receipt and source is not None:
            source.acknowledge(trigger.receipt)

    @property
    def threads(self) -> list[ManagedThread]:
        """One for each source; they end after the stage that acknowledges."""
        return [source.thread for source in self._sources.values()]

    @property
    def listener(self) -> ZMQListener | None:
        """The connection to the broker of the section `rabbitmq`."""
        source = self._sources.get(sources.RABBITMQ)
        return source.thread if source and isinstance(source.thread, ZMQListener) else None


def schedule_of(settings: Settings, *, labels: Mapping[str, str], intake: Intake) -> Periodic | None:
    """The thread that triggers cameras by the clock, or None where none has `every`."""
    schedule = Schedule(intake)
    for camera in settings.cameras:
        if camera.every:
            schedule.add(camera.device_key, label=labels[camera.device_key], every=camera.every)
    return Periodic("schedule", schedule.tick, Every(0.25)) if schedule else None


def _entries(settings: Settings) -> Iterator[tuple[str, str, object]]:
    """Kind, name and settings of every configured source."""
    if settings.rabbitmq.server_address:
        yield sources.RABBITMQ, sources.RABBITMQ, settings.rabbitmq
    yield from ((entry.kind, entry.title, entry) for entry in settings.sources)
